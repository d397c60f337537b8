#ifndef GATEWAY_SERVICES_WINDOW_HTTP_H
#define GATEWAY_SERVICES_WINDOW_HTTP_H

#include "gateway/http/http.h"
#include "gateway/services/window_service.h"

/*
 * lianban.v1.Window as HTTP+JSON: the same methods under the same paths, POST
 * /lianban.v1.Window/<method>, requests and answers as message_json.h has them. Collect and Watch
 * answer with one CaseEvent a line; a failure after the first line is a last line {"error": {...}}.
 */
struct lb_window_http;

/* lb_window_http_new makes the methods of a server; the agent outlives them, and they the server.
 * NO_MEMORY. */
LB_MUST lb_status lb_window_http_new(struct lb_window *window, struct lb_window_http **out_http);
void lb_window_http_free(struct lb_window_http *http);
/* lb_window_http_methods returns LB_WINDOW_METHODS methods. */
const struct lb_http_method *lb_window_http_methods(const struct lb_window_http *http);

#endif
