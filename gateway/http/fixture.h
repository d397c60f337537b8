#ifndef GATEWAY_HTTP_FIXTURE_H
#define GATEWAY_HTTP_FIXTURE_H

#include <stdatomic.h>

#include "gateway/http/http.h"

/* A server with a few methods, and a client that keeps no rules: it sends the bytes it is given and
 * reads until the server closes, at most 10 s. Bodies are echoed by /t/Echo; /t/Fail fails with
 * CASE_UNKNOWN; /t/Lines gives three lines; /t/Pending fails before its first line; /t/Quiet says
 * one line and then nothing until the peer or the server ends it; GET /t/Text gives a text,
 * or the traceparent it was sent. */
struct fixture {
    struct lb_http_server *server;
    struct lb_http_method methods[6];
    atomic_int served;    /* handlers that ran */
    atomic_int closed;    /* answers of lines that ended */
    char answer[128 * 1024];
};

#define FIXTURE_AUTH "Authorization: Bearer good\r\n"
#define FIXTURE_TYPE "Content-Type: application/json\r\n"

/* fixture_start serves with these times; fixture_stop ends it. */
void fixture_start(struct fixture *fixture, int64_t request_ms, int64_t sign_of_life_ms);
void fixture_stop(struct fixture *fixture);

/* fixture_open connects; fixture_put sends what it can; fixture_read reads to the end into
 * `answer`, closes, and returns the HTTP status, 0 when the server sent nothing. */
int fixture_open(const struct fixture *fixture);
void fixture_put(int fd, struct lb_span bytes);
unsigned fixture_read(struct fixture *fixture, int fd);

/* fixture_raw sends exactly this and returns the status; fixture_head sends a request line and
 * headers behind a Host of ours, and a body with them; fixture_call a good call. */
unsigned fixture_raw(struct fixture *fixture, const char *text);
unsigned fixture_head(struct fixture *fixture, const char *line, const char *headers,
                      const char *body);
unsigned fixture_call(struct fixture *fixture, const char *path, const char *body);

#endif
