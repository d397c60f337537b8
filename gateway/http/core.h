#ifndef GATEWAY_HTTP_CORE_H
#define GATEWAY_HTTP_CORE_H

#include <microhttpd.h>
#include <pthread.h>

#include "gateway/http/http.h"

/*
 * Inside gateway/http. An exchange is one request and its answer and belongs to its connection's
 * thread. A watch is what the sweep knows of a connection: when its request must be whole.
 */

struct lb_http_watch {
    struct lb_http_watch *next;
    struct lb_http_watch **link;
    int fd;               /* of our own, so that it is never another connection's */
    int64_t due_ms;       /* monotonic */
    bool whole;           /* the request is there, or refused: time is the handler's now */
};

struct lb_http_server {
    struct lb_http_options options;
    struct MHD_Daemon *daemon;
    uint16_t port;
    char host[2][32];     /* what Host may say */

    pthread_t sweep;
    bool sweeping;
    pthread_mutex_t lock; /* holds what follows */
    pthread_cond_t changed;
    bool stopping;
    struct lb_http_watch *watches;
};

struct lb_http_exchange {
    struct lb_http_server *server;
    struct lb_arena *arena;
    char *target;                        /* as sent, neither decoded nor split */
    const struct lb_http_method *method; /* once the head has passed */
    const char *allow;                   /* what the path takes, for a 405 */
    size_t body_len;                     /* as announced */
    struct lb_span traceparent;          /* in the arena */
    struct lb_buf body;
    bool answered;
};

/* lb_http_exchange_new is called with the request line's target; NULL when memory is exhausted. */
struct lb_http_exchange *lb_http_exchange_new(struct lb_http_server *server, const char *target);
void lb_http_exchange_free(struct lb_http_exchange *exchange);

/* --- head.c --- */

/* lb_http_check_head judges method, target and headers and sets what the exchange needs of them.
 * *out_http is the HTTP status when it is another than the code's, else 0. */
LB_MUST lb_status lb_http_check_head(struct lb_http_exchange *exchange,
                                     struct MHD_Connection *connection, const char *method,
                                     unsigned *out_http);

/* --- answer.c --- */

/* lb_http_answer sends a handler's reply; it takes over the lines. */
enum MHD_Result lb_http_answer(struct lb_http_exchange *exchange,
                               struct MHD_Connection *connection,
                               const struct lb_http_reply *reply);
/* lb_http_refuse sends a failure, with the code's own HTTP status for http 0. */
enum MHD_Result lb_http_refuse(struct lb_http_exchange *exchange,
                               struct MHD_Connection *connection, lb_status status, unsigned http);

/* --- watch.c --- */

/* lb_http_sweep_start starts the thread that cuts off who is too slow; NO_MEMORY.
 * lb_http_sweep_stop cuts off everybody whose request is not whole, ends it, and gives the others
 * LB_STOP_GRACE_MS to get their answers. */
LB_MUST lb_status lb_http_sweep_start(struct lb_http_server *server);
void lb_http_sweep_stop(struct lb_http_server *server);
/* lb_http_watch_connection is libmicrohttpd's notice of a connection's begin and end. */
void lb_http_watch_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                              enum MHD_ConnectionNotificationCode code);
/* lb_http_watch_whole says that the connection's request has come, or is refused. */
void lb_http_watch_whole(struct lb_http_server *server, struct MHD_Connection *connection);
/* lb_http_stopping tells whether the server is about to stop. */
bool lb_http_stopping(struct lb_http_server *server);

#endif
