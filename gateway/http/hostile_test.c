#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/http/fixture.h"

/* What a web page, another account of the machine, or a peer that keeps no rules could send.
 * Nothing of it may reach a handler. */

#define REQUEST_MS 600

static struct fixture fixture;

static int setup(void **state)
{
    (void)state;
    fixture_start(&fixture, REQUEST_MS, 100);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    return 0;
}

struct attack {
    const char *line;
    const char *headers;
    const char *body;
    unsigned http;      /* expected */
    const char *code;   /* expected in the answer; NULL: libmicrohttpd refuses it by itself */
};

#define GOOD FIXTURE_AUTH FIXTURE_TYPE "Content-Length: 2\r\n"
#define POST "POST /t/Echo HTTP/1.1"

static void expect_refused(const struct attack *attacks, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        const struct attack *attack = &attacks[i];
        unsigned http = fixture_head(&fixture, attack->line, attack->headers, attack->body);
        if (http != attack->http || atomic_load(&fixture.served) != 0)
            print_error("%s\n%s: %u\n", attack->line, attack->headers, http);
        assert_int_equal(http, attack->http);
        assert_int_equal(atomic_load(&fixture.served), 0);
        if (attack->code != NULL)
            assert_non_null(strstr(fixture.answer, attack->code));
    }
}

#define EXPECT_REFUSED(attacks_) expect_refused(attacks_, sizeof(attacks_) / sizeof(attacks_[0]))

static void browsers_are_refused(void **state)
{
    static const struct attack attacks[] = {
        {POST, GOOD "Origin: http://127.0.0.1\r\n", "{}", 403, "BROWSER_REFUSED"},
        {POST, GOOD "Origin: null\r\n", "{}", 403, "BROWSER_REFUSED"},
        {POST, GOOD "Origin:\r\n", "{}", 403, "BROWSER_REFUSED"},
        {POST, GOOD "ORIGIN: x\r\n", "{}", 403, "BROWSER_REFUSED"},
        {"OPTIONS /t/Echo HTTP/1.1", GOOD "Origin: x\r\nAccess-Control-Request-Method: POST\r\n",
         "{}", 403, "BROWSER_REFUSED"},
        {POST, FIXTURE_TYPE "Content-Length: 2\r\nOrigin: x\r\n", "{}", 403, "BROWSER_REFUSED"},
    };
    (void)state;
    EXPECT_REFUSED(attacks);
}

static void other_hosts_are_refused(void **state)
{
    static const char *const hosts[] = {
        "",  "Host: evil.example\r\n", "Host: 127.0.0.1\r\n", "Host: 127.0.0.1:1\r\n",
        "Host: 127.0.0.1:%u.evil.example\r\n", "Host: localhost\r\n", "Host: LOCALHOST:%u\r\n",
        "Host: [::1]:%u\r\n", "Host:\r\n", "Host: x@127.0.0.1:%u\r\n",
        "Host: 127.0.0.1:%u\r\nHost: evil.example\r\n",
        "Host: evil.example\r\nHost: 127.0.0.1:%u\r\n",
        "Host: 127.0.0.1:%u\r\nHost: 127.0.0.1:%u\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char host[256], request[512];
        unsigned port = lb_http_server_port(fixture.server);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(host, sizeof(host), hosts[i], port, port);
#pragma GCC diagnostic pop
        (void)snprintf(request, sizeof(request), POST "\r\n%s" GOOD "\r\n{}", host);
        unsigned http = fixture_raw(&fixture, request);
        assert_true(http == 403 || http == 400);
        assert_int_equal(atomic_load(&fixture.served), 0);
    }
}

static void callers_without_the_secret_learn_nothing(void **state)
{
    static const struct attack attacks[] = {
        {POST, FIXTURE_TYPE "Content-Length: 2\r\n", "{}", 401, "AGENT_SECRET_WRONG"},
        {POST, "Authorization: Bearer bad\r\n" FIXTURE_TYPE "Content-Length: 2\r\n", "{}", 401,
         "AGENT_SECRET_WRONG"},
        {POST, "Authorization: Basic good\r\n" FIXTURE_TYPE "Content-Length: 2\r\n", "{}", 401,
         "AGENT_SECRET_WRONG"},
        {POST, "Authorization:\r\n" FIXTURE_TYPE "Content-Length: 2\r\n", "{}", 401,
         "AGENT_SECRET_WRONG"},
        {POST, FIXTURE_AUTH GOOD, "{}", 400, "MALFORMED"},
        {POST, "Authorization: Bearer bad\r\n" GOOD, "{}", 400, "MALFORMED"},
        {"GET /t/Echo HTTP/1.1", "", "", 401, "AGENT_SECRET_WRONG"},
        {"POST /nowhere HTTP/1.1", "Content-Length: 0\r\n", "", 401, "AGENT_SECRET_WRONG"},
        {POST, "Content-Length: 99999999\r\n", "", 401, "AGENT_SECRET_WRONG"},
    };
    (void)state;
    EXPECT_REFUSED(attacks);
    assert_non_null(strstr(fixture.answer, "WWW-Authenticate: Bearer"));
}

static void only_the_very_paths_are_served(void **state)
{
    static const struct attack attacks[] = {
        {"POST / HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/../t/Echo HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t//Echo HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST //t/Echo HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/Echo/ HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/Echo? HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/Echo?id_no=1 HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/Echo# HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/Ech%6F HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /t/Echo%00 HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST /T/ECHO HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST t/Echo HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST http://127.0.0.1/t/Echo HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"POST * HTTP/1.1", GOOD, "{}", 404, "NO_METHOD"},
        {"GET /t/Echo HTTP/1.1", FIXTURE_AUTH, "", 405, "NO_METHOD"},
        {"PUT /t/Echo HTTP/1.1", GOOD, "{}", 405, "NO_METHOD"},
        {"OPTIONS /t/Echo HTTP/1.1", GOOD, "{}", 405, "NO_METHOD"},
        {"post /t/Echo HTTP/1.1", GOOD, "{}", 405, "NO_METHOD"},
        {"CONNECT 127.0.0.1:22 HTTP/1.1", FIXTURE_AUTH, "", 404, "NO_METHOD"},
    };
    (void)state;
    EXPECT_REFUSED(attacks);
}

static void other_bodies_are_refused(void **state)
{
    static const struct attack attacks[] = {
        {POST, FIXTURE_AUTH "Content-Length: 2\r\n", "{}", 415, "MALFORMED"},
        {POST, FIXTURE_AUTH "Content-Type: text/plain\r\nContent-Length: 2\r\n", "{}", 415,
         "MALFORMED"},
        {POST, FIXTURE_AUTH "Content-Type: application/jsonx\r\nContent-Length: 2\r\n", "{}", 415,
         "MALFORMED"},
        {POST, FIXTURE_AUTH "Content-Type: application/json; charset=gbk\r\nContent-Length: 2\r\n",
         "{}", 415, "MALFORMED"},
        {POST, GOOD "Content-Type: text/plain\r\n", "{}", 400, "MALFORMED"},
        {POST, FIXTURE_AUTH FIXTURE_TYPE, "", 411, "MALFORMED"},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: 65537\r\n", "{}", 413, "TOO_LARGE"},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: 10485760\r\n", "{}", 413, "TOO_LARGE"},
    };
    (void)state;
    EXPECT_REFUSED(attacks);
}

/* Two readers of these bytes could disagree about where the request ends. */
static void smuggling_is_refused(void **state)
{
    static const struct attack attacks[] = {
        {POST, GOOD "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n", 411, "MALFORMED"},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Transfer-Encoding: chunked\r\n",
         "2\r\n{}\r\n0\r\n\r\n", 411, "MALFORMED"},
        {POST, GOOD "Transfer-Encoding: xchunked\r\n", "{}", 411, "MALFORMED"},
        {POST, GOOD "Content-Length: 2\r\n", "{}", 400, NULL},
        {POST, GOOD "Content-Length: 3\r\n", "{}}", 400, NULL},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: -1\r\n", "{}", 400, NULL},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: +2\r\n", "{}", 400, NULL},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: 0x2\r\n", "{}", 400, NULL},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: 2, 2\r\n", "{}", 400, NULL},
        {POST, FIXTURE_AUTH FIXTURE_TYPE "Content-Length: 99999999999999999999999\r\n", "{}", 413,
         NULL},
    };
    (void)state;
    EXPECT_REFUSED(attacks);
}

static void a_second_request_is_never_read(void **state)
{
    static const char good[] = POST "\r\nHost: 127.0.0.1:%u\r\n" GOOD
                               "Connection: keep-alive\r\n\r\n{}";
    char one[512], two[1100];
    (void)state;
    (void)snprintf(one, sizeof(one), good, (unsigned)lb_http_server_port(fixture.server));
    (void)snprintf(two, sizeof(two), "%s%s", one, one);
    assert_int_equal(fixture_raw(&fixture, two), 200);
    assert_int_equal(atomic_load(&fixture.served), 1);
    assert_null(strstr(fixture.answer + 1, "HTTP/1.1 200"));
}

static void what_is_no_http_is_not_answered(void **state)
{
    static const char *const texts[] = {
        "\r\n\r\n", "hello\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", POST "\r\n: x\r\n\r\n",
        POST "\r\nHost 127.0.0.1\r\n\r\n", "POST  HTTP/9.9\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        unsigned http = fixture_raw(&fixture, texts[i]);
        assert_true(http == 0 || (http >= 400 && http != 404));
        assert_int_equal(atomic_load(&fixture.served), 0);
    }
}

static void a_zero_byte_ends_nothing(void **state)
{
    static const char head[] = POST "\r\n" GOOD "X: a\0Origin: b\r\nOri\0gin: x\r\n";
    char host[64];
    (void)state;
    int fd = fixture_open(&fixture);
    fixture_put(fd, lb_span_of(head, sizeof(head) - 1));
    (void)snprintf(host, sizeof(host), "Host: 127.0.0.1:%u\r\n\r\n{}",
                   (unsigned)lb_http_server_port(fixture.server));
    fixture_put(fd, lb_span_str(host));
    assert_int_not_equal(fixture_read(&fixture, fd), 200);
    assert_int_equal(atomic_load(&fixture.served), 0);
}

static void a_large_head_is_refused(void **state)
{
    char *headers = malloc(64 * 1024);
    (void)state;
    assert_non_null(headers);
    memset(headers, 'x', 64 * 1024);
    memcpy(headers, GOOD "X: ", strlen(GOOD "X: "));
    memcpy(headers + 40 * 1024, "\r\n", 3);
    unsigned http = fixture_head(&fixture, POST, headers, "{}");
    assert_true(http == 0 || http == 431 || http == 413);
    size_t at = 0;
    for (int i = 0; i < 4000; i++)
        at += (size_t)snprintf(headers + at, 16, "a%d: b\r\n", i);
    http = fixture_head(&fixture, POST, headers, "{}");
    assert_true(http == 0 || http == 431 || http == 413);
    assert_int_equal(atomic_load(&fixture.served), 0);
    free(headers);
}

/* One byte now and then keeps nobody's connection. */
static void drip(const char *text, size_t at_once)
{
    int64_t began = lb_clock_monotonic_ms(lb_clock_system());
    int fd = fixture_open(&fixture);
    fixture_put(fd, lb_span_of(text, at_once));
    for (size_t i = at_once; i < strlen(text); i++) {
        fixture_put(fd, lb_span_of(text + i, 1));
        (void)usleep(50000);
        if (lb_clock_monotonic_ms(lb_clock_system()) - began > 2 * REQUEST_MS)
            break;
    }
    assert_int_equal(fixture_read(&fixture, fd), 0);
    int64_t took = lb_clock_monotonic_ms(lb_clock_system()) - began;
    assert_true(took >= REQUEST_MS - 50 && took < 4 * REQUEST_MS);
    assert_int_equal(atomic_load(&fixture.served), 0);
}

static void who_is_too_slow_is_cut_off(void **state)
{
    static const char head[] = POST "\r\nHost: 127.0.0.1\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaa";
    char body[512];
    (void)state;
    drip(head, 10);
    (void)snprintf(body, sizeof(body),
                   POST "\r\nHost: 127.0.0.1:%u\r\n" FIXTURE_AUTH FIXTURE_TYPE
                        "Content-Length: 99\r\n\r\n{                                          ",
                   (unsigned)lb_http_server_port(fixture.server));
    drip(body, strlen(body) - 40);
    drip("", 0);
}

static void a_crowd_of_idlers_does_not_last(void **state)
{
    int fds[2 * LB_HTTP_MAX_CONNECTIONS];
    size_t num = sizeof(fds) / sizeof(fds[0]);
    (void)state;
    for (size_t i = 0; i < num; i++)
        fds[i] = fixture_open(&fixture);
    (void)usleep(3 * REQUEST_MS * 1000);
    assert_int_equal(fixture_call(&fixture, "/t/Echo", "{}"), 200);
    for (size_t i = 0; i < num; i++)
        (void)close(fds[i]);
}

static void a_stop_does_not_wait_for_idlers(void **state)
{
    (void)state;
    fixture_stop(&fixture);
    fixture_start(&fixture, 60000, 100);
    int fd = fixture_open(&fixture);
    fixture_put(fd, lb_span_str("POST /t"));
    (void)usleep(100000);
    int64_t began = lb_clock_monotonic_ms(lb_clock_system());
    fixture_stop(&fixture);
    assert_true(lb_clock_monotonic_ms(lb_clock_system()) - began < 2000);
    assert_int_equal(fixture_read(&fixture, fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(browsers_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(other_hosts_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(callers_without_the_secret_learn_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(only_the_very_paths_are_served, setup, teardown),
        cmocka_unit_test_setup_teardown(other_bodies_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(smuggling_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_request_is_never_read, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_http_is_not_answered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_zero_byte_ends_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_head_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_too_slow_is_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crowd_of_idlers_does_not_last, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_does_not_wait_for_idlers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
