#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/http/fixture.h"

static int setup(void **state)
{
    static struct fixture fixture;
    fixture_start(&fixture, 2000, 100);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_stop(*state);
    return 0;
}

static const char *body_of(const struct fixture *fixture)
{
    const char *end = strstr(fixture->answer, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

static bool says(const struct fixture *fixture, const char *text)
{
    return strstr(fixture->answer, text) != NULL;
}

static void a_call_is_answered_and_the_connection_closed(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_call(fixture, "/t/Echo", "{\"a\":\"低保\"}"), 200);
    assert_string_equal(body_of(fixture), "{\"a\":\"低保\"}");
    assert_true(says(fixture, "Content-Type: application/json\r\n"));
    assert_true(says(fixture, "Cache-Control: no-store\r\n"));
    assert_true(says(fixture, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(says(fixture, "Connection: close\r\n") || says(fixture, "Connection: Close\r\n"));
    assert_false(says(fixture, "Access-Control"));
    assert_false(says(fixture, "Server:"));
}

static void localhost_and_a_charset_are_fine(void **state)
{
    struct fixture *fixture = *state;
    char request[512];
    (void)snprintf(request, sizeof(request),
                   "POST /t/Echo HTTP/1.1\r\nhost: localhost:%u\r\n" FIXTURE_AUTH
                   "content-type: application/json; charset=UTF-8\r\ncontent-length: 2\r\n\r\n{}",
                   (unsigned)lb_http_server_port(fixture->server));
    assert_int_equal(fixture_raw(fixture, request), 200);
    assert_string_equal(body_of(fixture), "{}");
}

static void a_failure_is_json_with_its_status(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_call(fixture, "/t/Fail", "{}"), 404);
    assert_string_equal(body_of(fixture),
                        "{\"code\":\"CASE_UNKNOWN\",\"canonical\":\"NOT_FOUND\","
                        "\"text_zh\":\"没有这个办件。\",\"text_en\":\"There is no such case.\"}");
}

static void every_code_has_a_status_and_hides_what_is_local(void **state)
{
    (void)state;
    assert_int_equal(lb_http_status_of(lb_status_of(LB_MALFORMED)), 400);
    assert_int_equal(lb_http_status_of(lb_status_of(LB_AGENT_SECRET_WRONG)), 401);
    assert_int_equal(lb_http_status_of(lb_status_of(LB_GRANT_REFUSED)), 403);
    assert_int_equal(lb_http_status_of(lb_status_of(LB_GRANT_PENDING)), 409);
    assert_int_equal(lb_http_status_of(lb_status_of(LB_BUSY)), 429);
    assert_int_equal(lb_http_status_of(lb_status_of(LB_UNAVAILABLE)), 503);
    for (int code = 1; code < LB_NUM_CODES; code++) {
        LB_DEFER(lb_buf_cleanup) struct lb_buf text;
        lb_buf_init(&text, 4096);
        unsigned http = lb_http_status_of(lb_status_of((enum lb_code)code));
        assert_true(http >= 400 && http < 600);
        lb_http_put_error(lb_status_of((enum lb_code)code), &text);
        lb_buf_put_u8(&text, 0);
        assert_true(lb_buf_check(&text) == LB_OK);
        if (lb_code_scope((enum lb_code)code) == LB_SCOPE_LOCAL && code != LB_NO_MEMORY)
            assert_non_null(strstr((const char *)text.ptr, "{\"code\":\"INTERNAL\""));
    }
}

static void lines_come_one_by_one(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_call(fixture, "/t/Lines", "{}"), 200);
    assert_string_equal(body_of(fixture), "{\"line\":1}\n{\"line\":2}\n{\"line\":3}\n");
    assert_true(says(fixture, "Content-Type: application/x-ndjson\r\n"));
    assert_int_equal(atomic_load(&fixture->closed), 1);
}

static void a_failure_before_the_first_line_is_the_answer(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_call(fixture, "/t/Pending", "{}"), 409);
    assert_true(says(fixture, "\"GRANT_PENDING\""));
    assert_int_equal(atomic_load(&fixture->closed), 1);
}

static int open_quiet(const struct fixture *fixture)
{
    char request[512];
    (void)snprintf(request, sizeof(request),
                   "POST /t/Quiet HTTP/1.0\r\nHost: 127.0.0.1:%u\r\n" FIXTURE_AUTH FIXTURE_TYPE
                   "Content-Length: 2\r\n\r\n{}",
                   (unsigned)lb_http_server_port(fixture->server));
    int fd = fixture_open(fixture);
    fixture_put(fd, lb_span_str(request));
    return fd;
}

static void who_has_gone_is_noticed_by_signs_of_life(void **state)
{
    struct fixture *fixture = *state;
    (void)close(open_quiet(fixture));
    for (int i = 0; i < 500 && atomic_load(&fixture->closed) == 0; i++)
        (void)usleep(10000);
    assert_int_equal(atomic_load(&fixture->closed), 1);
}

static void a_stop_ends_lines_with_a_word(void **state)
{
    struct fixture *fixture = *state;
    int fd = open_quiet(fixture);
    (void)usleep(350000);
    fixture_stop(fixture);
    assert_int_equal(fixture_read(fixture, fd), 200);
    assert_true(says(fixture, "{\"line\":1}\n\n"));
    assert_true(says(fixture, "\n{\"error\":{\"code\":\"STOPPING\""));
    assert_int_equal(atomic_load(&fixture->closed), 1);
}

static void only_the_loopback_is_served(void **state)
{
    static const char *const addresses[] = {
        "0.0.0.0:0",       "127.0.0.2:0",     "localhost:0",      "[::]:0",   "127.0.0.1",
        "127.0.0.1:",      "127.0.0.1:65536", "127.0.0.1:080",    "[::1]:x",  "10.0.0.1:80",
        "127.0.0.1:0/../", "unix:/tmp/x",     " 127.0.0.1:0",     "127.0.0.1:-1",
        "127.0.0.1:99999999999999999999",     "",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        const struct lb_http_options options = {.listen = addresses[i]};
        struct lb_http_server *server = NULL;
        struct lb_diag diag = {""};
        assert_int_equal(lb_status_code(lb_http_server_new(&options, &diag, &server)),
                         LB_CONFIG_INVALID);
        assert_true(diag.text[0] != 0);
    }
}

static void a_port_has_one_server(void **state)
{
    const struct fixture *fixture = *state;
    char listen[32];
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u",
                   (unsigned)lb_http_server_port(fixture->server));
    const struct lb_http_options options = {.listen = listen};
    struct lb_http_server *server = NULL;
    struct lb_diag diag = {""};
    assert_int_equal(lb_status_code(lb_http_server_new(&options, &diag, &server)),
                     LB_CONFIG_INVALID);
    assert_non_null(strstr(diag.text, "another process"));
}

static void a_text_is_got_and_not_posted(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture_head(fixture, "GET /t/Text HTTP/1.1", FIXTURE_AUTH, ""), 200);
    assert_string_equal(body_of(fixture), "some text\n");
    assert_true(says(fixture, "Content-Type: text/plain\r\n"));
    assert_int_equal(fixture->served, 1);
    assert_int_equal(fixture_call(fixture, "/t/Text", "{}"), 405);
    assert_true(says(fixture, "Allow: GET\r\n"));
    assert_int_equal(fixture_head(fixture, "GET /t/Echo HTTP/1.1", FIXTURE_AUTH, ""), 405);
    assert_true(says(fixture, "Allow: POST\r\n"));
    assert_int_equal(fixture_head(fixture, "GET /t/Text HTTP/1.1",
                                  FIXTURE_AUTH "Content-Length: 2\r\n", "{}"),
                     400);
    assert_int_equal(fixture_head(fixture, "GET /t/Text HTTP/1.1",
                                  FIXTURE_AUTH "Origin: http://a\r\n", ""),
                     403);
    assert_int_equal(fixture_head(fixture, "GET /t/Text HTTP/1.1", "", ""), 401);
    assert_int_equal(fixture->served, 1);
    assert_int_equal(fixture_head(fixture, "GET /t/Text HTTP/1.1",
                                  FIXTURE_AUTH "TraceParent: 00-ab-cd-01\r\n", ""),
                     200);
    assert_string_equal(body_of(fixture), "00-ab-cd-01");
    assert_int_equal(fixture_head(fixture, "GET /t/Text HTTP/1.1",
                                  FIXTURE_AUTH "TraceParent: a\r\ntraceparent: b\r\n", ""),
                     400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_is_got_and_not_posted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_call_is_answered_and_the_connection_closed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(localhost_and_a_charset_are_fine, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_is_json_with_its_status, setup, teardown),
        cmocka_unit_test(every_code_has_a_status_and_hides_what_is_local),
        cmocka_unit_test_setup_teardown(lines_come_one_by_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failure_before_the_first_line_is_the_answer, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(who_has_gone_is_noticed_by_signs_of_life, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_ends_lines_with_a_word, setup, teardown),
        cmocka_unit_test(only_the_loopback_is_served),
        cmocka_unit_test_setup_teardown(a_port_has_one_server, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
