#include <string.h>
#include <strings.h>

#include "gateway/http/core.h"

/* What a request's head may say. A header that decides something and comes twice could mean one
 * thing to us and another to whoever stands before us, so it is refused. */

struct head {
    struct lb_span host;
    struct lb_span authorization;
    struct lb_span content_type;
    struct lb_span content_length;
    struct lb_span traceparent;
    bool origin;
    bool transfer_encoding;
    bool doubled;
};

static void take(struct head *head, struct lb_span *place, struct lb_span value)
{
    head->doubled = head->doubled || place->ptr != NULL;
    *place = value;
}

static enum MHD_Result read_header(void *cls, enum MHD_ValueKind kind, const char *key,
                                   size_t key_len, const char *value, size_t value_len)
{
    struct head *head = cls;
    struct lb_span content = lb_span_of(value == NULL ? "" : value, value_len);
    (void)kind;
    if (strlen(key) != key_len)
        head->doubled = true; /* a NUL inside: no header of anybody's */
    else if (strcasecmp(key, "Host") == 0)
        take(head, &head->host, content);
    else if (strcasecmp(key, "Authorization") == 0)
        take(head, &head->authorization, content);
    else if (strcasecmp(key, "Content-Type") == 0)
        take(head, &head->content_type, content);
    else if (strcasecmp(key, "Content-Length") == 0)
        take(head, &head->content_length, content);
    else if (strcasecmp(key, "traceparent") == 0)
        take(head, &head->traceparent, content);
    else if (strcasecmp(key, "Origin") == 0)
        head->origin = true;
    else if (strcasecmp(key, "Transfer-Encoding") == 0)
        head->transfer_encoding = true;
    return MHD_YES;
}

static lb_status check_caller(const struct lb_http_server *server, const struct head *head)
{
    LB_ENSURE(!head->origin, LB_BROWSER_REFUSED, "a browser's request");
    LB_ENSURE(lb_span_is(head->host, server->host[0]) || lb_span_is(head->host, server->host[1]),
              LB_BROWSER_REFUSED, "another host's request");
    LB_ENSURE(!head->doubled, LB_MALFORMED, "a header that comes twice");
    return server->options.admit == NULL
               ? LB_OK
               : server->options.admit(server->options.admit_ctx, head->authorization);
}

static lb_status find_method(struct lb_http_exchange *exchange, const char *method,
                             unsigned *out_http)
{
    const struct lb_http_options *options = &exchange->server->options;
    for (size_t i = 0; i < options->num_methods; i++) {
        if (strcmp(exchange->target, options->methods[i].path) != 0)
            continue;
        const char *wanted = options->methods[i].get_type != NULL ? "GET" : "POST";
        *out_http = 405;
        exchange->allow = wanted;
        LB_ENSURE(strcmp(method, wanted) == 0, LB_NO_METHOD, "another HTTP method");
        *out_http = 0;
        exchange->method = &options->methods[i];
        return LB_OK;
    }
    LB_FAIL(LB_NO_METHOD, "unknown path");
}

/* application/json, with or without a charset, which can only be UTF-8. */
static bool is_json(struct lb_span type)
{
    static const char json[] = "application/json";
    const char *text = (const char *)type.ptr;
    if (type.len < sizeof(json) - 1 || strncasecmp(text, json, sizeof(json) - 1) != 0)
        return false;
    size_t at = sizeof(json) - 1;
    static const char charset[] = "charset=utf-8";
    if (at == type.len)
        return true;
    if (text[at++] != ';')
        return false;
    while (at < type.len && text[at] == ' ')
        at++;
    return type.len - at == sizeof(charset) - 1 &&
           strncasecmp(text + at, charset, sizeof(charset) - 1) == 0;
}

static lb_status check_length(struct lb_http_exchange *exchange, const struct head *head,
                              unsigned *out_http)
{
    struct lb_span digits = head->content_length;
    size_t len = 0;
    *out_http = 411;
    LB_ENSURE(!head->transfer_encoding && digits.len > 0, LB_MALFORMED, "a body without a length");
    *out_http = 400;
    for (size_t i = 0; i < digits.len; i++)
        LB_ENSURE(digits.ptr[i] >= '0' && digits.ptr[i] <= '9', LB_MALFORMED, "length is no digit");
    *out_http = 413;
    for (size_t i = 0; i < digits.len; i++) {
        len = len * 10 + (size_t)(digits.ptr[i] - '0');
        LB_ENSURE(len <= LB_HTTP_MAX_BODY_BYTES, LB_TOO_LARGE, "a body past the maximum");
    }
    *out_http = 0;
    exchange->body_len = len;
    return LB_OK;
}

static lb_status check_no_body(const struct head *head, unsigned *out_http)
{
    bool none = head->content_length.len == 0 || lb_span_is(head->content_length, "0");
    *out_http = 400;
    LB_ENSURE(none && !head->transfer_encoding, LB_MALFORMED, "a GET with a body");
    *out_http = 0;
    return LB_OK;
}

lb_status lb_http_check_head(struct lb_http_exchange *exchange, struct MHD_Connection *connection,
                             const char *method, unsigned *out_http)
{
    struct head head = {.origin = false};
    *out_http = 0;
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, &head);
    LB_TRY(check_caller(exchange->server, &head));
    LB_TRY(find_method(exchange, method, out_http));
    LB_TRY(lb_arena_copy(exchange->arena, head.traceparent, &exchange->traceparent));
    if (exchange->method->get_type != NULL)
        return check_no_body(&head, out_http);
    *out_http = 415;
    LB_ENSURE(is_json(head.content_type), LB_MALFORMED, "a body that is not JSON");
    return check_length(exchange, &head, out_http);
}
