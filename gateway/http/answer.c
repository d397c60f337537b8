#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/http/core.h"

/* Answers: one JSON text, or lines as they come. */

#define JSON "application/json"
#define LINE_BLOCK_BYTES 4096
#define LOOK_MS 200 /* how often lines look whether the server stops */

/* --- one text --- */

static void say(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value);
}

static enum MHD_Result send_response(const struct lb_http_exchange *exchange,
                                     struct MHD_Connection *connection, unsigned http,
                                     struct MHD_Response *response, const char *type)
{
    if (response == NULL)
        return MHD_NO;
    say(response, "Content-Type", type);
    say(response, "Cache-Control", "no-store");
    say(response, "X-Content-Type-Options", "nosniff");
    say(response, "Connection", "close");
    if (http == 401)
        say(response, "WWW-Authenticate", "Bearer");
    if (http == 405)
        say(response, "Allow", exchange->allow);
    enum MHD_Result result = MHD_queue_response(connection, http, response);
    MHD_destroy_response(response);
    return result;
}

/* The text must be the exchange's, which outlives the response and is wiped: answers are about
 * persons, and a copy of libmicrohttpd's own would stay behind in memory. */
static enum MHD_Result send_text(const struct lb_http_exchange *exchange,
                                 struct MHD_Connection *connection, unsigned http,
                                 struct lb_span text, const char *type)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        text.len, (void *)(uintptr_t)text.ptr, MHD_RESPMEM_PERSISTENT);
    return send_response(exchange, connection, http, response, type);
}

enum MHD_Result lb_http_refuse(struct lb_http_exchange *exchange,
                               struct MHD_Connection *connection, lb_status status, unsigned http)
{
    struct lb_buf *text = &exchange->body; /* what came in it is of no use any more */
    lb_buf_cleanup(text);
    lb_buf_init(text, LB_HTTP_MAX_BODY_BYTES);
    lb_http_put_error(status, text);
    exchange->answered = true;
    lb_http_watch_whole(exchange->server, connection);
    if (lb_code_outer(status->code) == LB_INTERNAL)
        lb_log_failure("http", status);
    return send_text(exchange, connection, http == 0 ? lb_http_status_of(status) : http,
                     lb_buf_span(text), JSON);
}

/* --- lines --- */

struct lines {
    struct lb_http_server *server;
    const struct lb_http_lines *source;
    void *self;
    struct lb_buf line;
    size_t sent;
    bool ended;
};

static void put_stopping(struct lines *lines)
{
    lb_buf_put_str(&lines->line, "{\"error\":");
    lb_http_put_error(LB_FAULT(LB_STOPPING, "the server is stopping"), &lines->line);
    lb_buf_put_str(&lines->line, "}");
    lines->ended = true;
}

/* Waits for the next line. An empty one now and then shows whether the peer still listens. */
static void next_line(struct lines *lines)
{
    int64_t left_ms = lines->server->options.sign_of_life_ms;
    enum lb_http_next next = LB_HTTP_QUIET;
    lb_buf_cleanup(&lines->line);
    lb_buf_init(&lines->line, LB_HTTP_MAX_LINE_BYTES + 1);
    lines->sent = 0;
    while (next == LB_HTTP_QUIET && left_ms > 0 && !lines->ended) {
        int64_t wait_ms = left_ms < LOOK_MS ? left_ms : LOOK_MS;
        next = lines->source->next(lines->self, wait_ms, &lines->line);
        left_ms -= wait_ms;
        if (next == LB_HTTP_QUIET && lb_http_stopping(lines->server))
            put_stopping(lines);
    }
    if (next == LB_HTTP_END)
        lines->ended = true;
    else
        lb_buf_put_str(&lines->line, "\n");
}

static ssize_t read_lines(void *cls, uint64_t pos, char *out, size_t max)
{
    struct lines *lines = cls;
    (void)pos;
    if (lines->sent == lines->line.len && !lines->ended)
        next_line(lines);
    if (lines->line.failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t left = lines->line.len - lines->sent;
    if (left == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t len = left < max ? left : max;
    memcpy(out, lines->line.ptr + lines->sent, len);
    lines->sent += len;
    return (ssize_t)len;
}

static void close_lines(void *cls)
{
    struct lines *lines = cls;
    lines->source->close(lines->self);
    lb_buf_cleanup(&lines->line);
    free(lines);
}

static lb_status begin(struct lb_http_server *server, const struct lb_http_reply *reply)
{
    bool begun = reply->lines->begin == NULL;
    while (!begun) {
        LB_ENSURE(!lb_http_stopping(server), LB_STOPPING, "the server is stopping");
        LB_TRY(reply->lines->begin(reply->lines_self, LOOK_MS, &begun));
    }
    return LB_OK;
}

static struct lines *lines_new(struct lb_http_server *server, const struct lb_http_reply *reply)
{
    struct lines *lines = calloc(1, sizeof(*lines));
    if (lines == NULL)
        return NULL;
    *lines =
        (struct lines){.server = server, .source = reply->lines, .self = reply->lines_self};
    lb_buf_init(&lines->line, LB_HTTP_MAX_LINE_BYTES + 1);
    return lines;
}

static enum MHD_Result send_lines(struct lb_http_exchange *exchange,
                                  struct MHD_Connection *connection,
                                  const struct lb_http_reply *reply)
{
    lb_status status = begin(exchange->server, reply);
    struct lines *lines = status == LB_OK ? lines_new(exchange->server, reply) : NULL;
    struct MHD_Response *response = NULL;
    if (lines != NULL)
        response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, LINE_BLOCK_BYTES,
                                                     read_lines, lines, close_lines);
    if (response != NULL)
        return send_response(exchange, connection, 200, response, "application/x-ndjson");
    free(lines);
    reply->lines->close(reply->lines_self);
    if (status == LB_OK)
        status = LB_FAULT(LB_NO_MEMORY, "answer");
    return lb_http_refuse(exchange, connection, status, 0);
}

enum MHD_Result lb_http_answer(struct lb_http_exchange *exchange,
                               struct MHD_Connection *connection,
                               const struct lb_http_reply *reply)
{
    exchange->answered = true;
    if (reply->lines != NULL)
        return send_lines(exchange, connection, reply);
    const char *type = exchange->method->get_type;
    return send_text(exchange, connection, 200, reply->json, type == NULL ? JSON : type);
}
