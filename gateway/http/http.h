#ifndef GATEWAY_HTTP_HTTP_H
#define GATEWAY_HTTP_HTTP_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/diag.h"

/*
 * HTTP on this machine's loopback by libmicrohttpd, the only place that sees it: for programs
 * beside this one that speak no gRPC. It knows paths, JSON texts and lines, and nothing of what
 * they mean.
 *
 * A call is POST <path>, Content-Type application/json, with a Content-Length, and carries one JSON
 * text. A connection serves one call and is closed, so that what follows a request is never read
 * as another one; it has a thread, so handlers may block. Refused before a handler runs, in this
 * order: a Host that is not this server's own address (DNS rebinding), any Origin (browsers), a
 * header that comes twice where one decides, a caller that does not pass `admit`, unknown paths and
 * methods, other content types, bodies without a length or past the maximum. Every refusal is
 * the JSON object that lb_http_put_error writes; bytes that are no HTTP at all get a bare 4xx.
 */
struct lb_http_server;

#define LB_HTTP_MAX_HEAD_BYTES (16 * 1024)  /* request line and headers */
#define LB_HTTP_MAX_BODY_BYTES (64 * 1024)  /* a request's JSON */
#define LB_HTTP_MAX_CONNECTIONS 64          /* at a time; more wait or are closed */
#define LB_HTTP_REQUEST_MS 10000            /* from connecting to a request's last byte */
#define LB_HTTP_SIGN_OF_LIFE_MS 10000       /* an empty line when no other came for so long */
#define LB_HTTP_MAX_LINE_BYTES (1024 * 1024)

enum lb_http_next { LB_HTTP_LINE, LB_HTTP_QUIET, LB_HTTP_END };

/* An answer of many lines (newline-delimited JSON), pulled one by one by the connection's thread.
 * */
struct lb_http_lines {
    /* Asked again and again until it sets *out_begun, before the answer's head is sent; waits at
     * most wait_ms. A failure becomes the answer in place of lines. May be NULL. */
    lb_status (*begin)(void *self, int64_t wait_ms, bool *out_begun);
    /* Appends the next line, without its end, and returns LB_HTTP_LINE; LB_HTTP_QUIET when none
     * came within wait_ms; LB_HTTP_END after the last. */
    enum lb_http_next (*next)(void *self, int64_t wait_ms, struct lb_buf *out);
    /* The last call, also when the peer has gone before the end. */
    void (*close)(void *self);
};

/* What a handler is asked. */
struct lb_http_request {
    struct lb_span body;
    struct lb_span traceparent;  /* the header of that name; empty without one */
};

/* What a handler answers: one JSON text in the call's arena, or lines. */
struct lb_http_reply {
    struct lb_span json;
    const struct lb_http_lines *lines;  /* NULL: json it is */
    void *lines_self;
};

struct lb_http_method {
    const char *path;  /* "/lianban.v1.Window/OpenCase", compared byte by byte with what was sent */
    /* Serves a call; it may block. A failure becomes the answer, with its outer code. */
    lb_status (*serve)(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                       struct lb_http_reply *out);
    void *ctx;
    /* NULL: as said above. Otherwise it is GET <path> without a body, and the reply's text, which
     * is of this content type, need not be JSON. */
    const char *get_type;
};

struct lb_http_options {
    const char *listen;  /* 127.0.0.1:PORT or [::1]:PORT; port 0 picks a free one */
    /* Judges the value of a call's Authorization header, empty when there is none; must not
     * block. NULL: whoever reaches the port may call, for what everybody on the machine may know.
     */
    lb_status (*admit)(void *ctx, struct lb_span authorization);
    void *admit_ctx;
    const struct lb_http_method *methods;  /* borrowed for the server's life */
    size_t num_methods;
    int64_t request_ms;                    /* 0: LB_HTTP_REQUEST_MS */
    int64_t sign_of_life_ms;               /* 0: LB_HTTP_SIGN_OF_LIFE_MS */
};

/* lb_http_server_new binds and serves. CONFIG_INVALID with a sentence in diag for any address but
 * the loopback's and for a port that is taken; NO_MEMORY. */
LB_MUST lb_status lb_http_server_new(const struct lb_http_options *options, struct lb_diag *diag,
                                     struct lb_http_server **out_server);
/* lb_http_server_port returns the bound port. */
uint16_t lb_http_server_port(const struct lb_http_server *server);
/* lb_http_server_stop takes no more calls, cuts off who has not sent a whole request, ends lines
 * that are under way with STOPPING, waits for handlers that still run, and frees. NULL is allowed.
 * */
void lb_http_server_stop(struct lb_http_server *server);

/* lb_http_put_error appends {"code", "canonical", "text_zh", "text_en"}: the outer code of a
 * failure, gRPC's name for its kind, and what to do about it; of a BUSY that says when to come
 * again (lb_later) also "retry_after_ms". */
void lb_http_put_error(lb_status status, struct lb_buf *out);
/* lb_http_status_of returns the HTTP status that goes with a failure. */
unsigned lb_http_status_of(lb_status status);

#endif
