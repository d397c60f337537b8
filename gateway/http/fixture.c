#include "gateway/http/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_S 10

/* --- methods --- */

static lb_status admit(void *ctx, struct lb_span authorization)
{
    (void)ctx;
    LB_ENSURE(lb_span_is(authorization, "Bearer good"), LB_AGENT_SECRET_WRONG, "secret");
    return LB_OK;
}

static lb_status echo(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                      struct lb_http_reply *out)
{
    struct fixture *fixture = ctx;
    (void)atomic_fetch_add(&fixture->served, 1);
    return lb_arena_copy(arena, request->body, &out->json);
}

static lb_status unknown(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                      struct lb_http_reply *out)
{
    (void)ctx, (void)request, (void)arena, (void)out;
    LB_FAIL(LB_CASE_UNKNOWN, "fails");
}

struct three {
    struct fixture *fixture;
    int at;
};

static enum lb_http_next next_of_three(void *self, int64_t wait_ms, struct lb_buf *out)
{
    struct three *three = self;
    (void)wait_ms;
    if (three->at == 3)
        return LB_HTTP_END;
    lb_buf_printf(out, "{\"line\":%d}", ++three->at);
    return LB_HTTP_LINE;
}

static enum lb_http_next quiet(void *self, int64_t wait_ms, struct lb_buf *out)
{
    struct three *three = self;
    if (three->at++ > 0) {
        (void)usleep((useconds_t)wait_ms * 1000);
        return LB_HTTP_QUIET;
    }
    lb_buf_put_str(out, "{\"line\":1}");
    return LB_HTTP_LINE;
}

static lb_status pending(void *self, int64_t wait_ms, bool *out_begun)
{
    struct three *three = self;
    (void)wait_ms;
    *out_begun = false;
    LB_ENSURE(three->at++ < 2, LB_GRANT_PENDING, "not yet");
    return LB_OK;
}

static void close_three(void *self)
{
    struct three *three = self;
    (void)atomic_fetch_add(&three->fixture->closed, 1);
    free(three);
}

static const struct lb_http_lines three_lines = {NULL, next_of_three, close_three};
static const struct lb_http_lines quiet_lines = {NULL, quiet, close_three};
static const struct lb_http_lines pending_lines = {pending, next_of_three, close_three};

static lb_status answer_lines(struct fixture *fixture, const struct lb_http_lines *lines,
                              struct lb_http_reply *out)
{
    struct three *three = calloc(1, sizeof(*three));
    LB_ENSURE(three != NULL, LB_NO_MEMORY, "lines");
    three->fixture = fixture;
    out->lines = lines;
    out->lines_self = three;
    return LB_OK;
}

static lb_status lines(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                       struct lb_http_reply *out)
{
    (void)request, (void)arena;
    return answer_lines(ctx, &three_lines, out);
}

static lb_status silence(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                         struct lb_http_reply *out)
{
    (void)request, (void)arena;
    return answer_lines(ctx, &quiet_lines, out);
}

static lb_status not_yet(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                         struct lb_http_reply *out)
{
    (void)request, (void)arena;
    return answer_lines(ctx, &pending_lines, out);
}

static lb_status say_text(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                          struct lb_http_reply *out)
{
    struct fixture *fixture = ctx;
    assert_int_equal(request->body.len, 0);
    (void)atomic_fetch_add(&fixture->served, 1);
    return lb_arena_copy(arena, request->traceparent.len > 0 ? request->traceparent
                                                             : lb_span_str("some text\n"),
                         &out->json);
}

void fixture_start(struct fixture *fixture, int64_t request_ms, int64_t sign_of_life_ms)
{
    struct lb_diag diag = {""};
    memset(fixture, 0, sizeof(*fixture));
    fixture->methods[0] = (struct lb_http_method){.path = "/t/Echo", .serve = echo,
                                                  .ctx = fixture};
    fixture->methods[1] = (struct lb_http_method){.path = "/t/Fail", .serve = unknown,
                                                  .ctx = fixture};
    fixture->methods[2] = (struct lb_http_method){.path = "/t/Lines", .serve = lines,
                                                  .ctx = fixture};
    fixture->methods[3] = (struct lb_http_method){.path = "/t/Quiet", .serve = silence,
                                                  .ctx = fixture};
    fixture->methods[4] = (struct lb_http_method){.path = "/t/Pending", .serve = not_yet,
                                                  .ctx = fixture};
    fixture->methods[5] = (struct lb_http_method){
        .path = "/t/Text", .serve = say_text, .ctx = fixture, .get_type = "text/plain"};
    const struct lb_http_options options = {
        .listen = "127.0.0.1:0",
        .admit = admit,
        .methods = fixture->methods,
        .num_methods = sizeof(fixture->methods) / sizeof(fixture->methods[0]),
        .request_ms = request_ms,
        .sign_of_life_ms = sign_of_life_ms,
    };
    assert_true(lb_http_server_new(&options, &diag, &fixture->server) == LB_OK);
}

void fixture_stop(struct fixture *fixture)
{
    lb_http_server_stop(fixture->server);
    fixture->server = NULL;
}

/* --- the client --- */

int fixture_open(const struct fixture *fixture)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(lb_http_server_port(fixture->server)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

void fixture_put(int fd, struct lb_span bytes)
{
    ssize_t sent = 1;
    for (size_t at = 0; at < bytes.len && sent > 0; at += (size_t)sent)
        sent = send(fd, bytes.ptr + at, bytes.len - at, MSG_NOSIGNAL);
}

unsigned fixture_read(struct fixture *fixture, int fd)
{
    size_t len = 0;
    ssize_t got = 1;
    while (got > 0 && len < sizeof(fixture->answer) - 1) {
        got = recv(fd, fixture->answer + len, sizeof(fixture->answer) - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    fixture->answer[len] = 0;
    (void)close(fd);
    unsigned status = 0;
    return sscanf(fixture->answer, "HTTP/1.%*u %u", &status) == 1 ? status : 0;
}

unsigned fixture_raw(struct fixture *fixture, const char *text)
{
    int fd = fixture_open(fixture);
    fixture_put(fd, lb_span_str(text));
    return fixture_read(fixture, fd);
}

unsigned fixture_head(struct fixture *fixture, const char *line, const char *headers,
                      const char *body)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, 1024 * 1024);
    lb_buf_printf(&text, "%s\r\nHost: 127.0.0.1:%u\r\n%s\r\n%s", line,
                  (unsigned)lb_http_server_port(fixture->server), headers, body);
    assert_true(lb_buf_check(&text) == LB_OK);
    int fd = fixture_open(fixture);
    fixture_put(fd, lb_buf_span(&text));
    return fixture_read(fixture, fd);
}

unsigned fixture_call(struct fixture *fixture, const char *path, const char *body)
{
    char line[128], headers[256];
    (void)snprintf(line, sizeof(line), "POST %s HTTP/1.0", path);
    (void)snprintf(headers, sizeof(headers), FIXTURE_AUTH FIXTURE_TYPE "Content-Length: %zu\r\n",
                   strlen(body));
    return fixture_head(fixture, line, headers, body);
}
