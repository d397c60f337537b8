#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/limits.h"
#include "gateway/http/core.h"

/* libmicrohttpd gives up on a silent peer, but one byte now and then would keep a connection for
 * ever; here a request has to be whole within a time of its own. */

#define SWEEPS_PER_REQUEST 8
#define STOP_LOOK_MS 100

static int64_t now_ms(void)
{
    return lb_clock_monotonic_ms(lb_clock_system());
}

/* Under lock. The connection's thread finds its socket closed and ends. */
static void cut_off(struct lb_http_server *server, int64_t now)
{
    for (struct lb_http_watch *watch = server->watches; watch != NULL; watch = watch->next) {
        if (!watch->whole && (server->stopping || watch->due_ms <= now))
            (void)shutdown(watch->fd, SHUT_RDWR);
    }
}

/* Under lock. */
static void sleep_for(struct lb_http_server *server, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanos = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + nanos / 1000000000);
    until.tv_nsec = (long)(nanos % 1000000000);
    (void)pthread_cond_timedwait(&server->changed, &server->lock, &until);
}

static void *run_sweep(void *arg)
{
    struct lb_http_server *server = arg;
    (void)pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        cut_off(server, now_ms());
        sleep_for(server, server->options.request_ms / SWEEPS_PER_REQUEST);
    }
    cut_off(server, 0);
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

lb_status lb_http_sweep_start(struct lb_http_server *server)
{
    LB_ENSURE(pthread_create(&server->sweep, NULL, run_sweep, server) == 0, LB_NO_MEMORY,
              "thread");
    server->sweeping = true;
    return LB_OK;
}

void lb_http_sweep_stop(struct lb_http_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->stopping = true;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    if (server->sweeping)
        (void)pthread_join(server->sweep, NULL);
    int64_t until = now_ms() + LB_STOP_GRACE_MS;
    (void)pthread_mutex_lock(&server->lock);
    while (server->watches != NULL && now_ms() < until)
        sleep_for(server, STOP_LOOK_MS);
    (void)pthread_mutex_unlock(&server->lock);
}

static void begin(struct lb_http_server *server, struct MHD_Connection *connection,
                  void **socket_context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct lb_http_watch *watch = calloc(1, sizeof(*watch));
    int fd = info == NULL ? -1 : fcntl(info->connect_fd, F_DUPFD_CLOEXEC, 0);
    if (watch == NULL || fd < 0) { /* what cannot be watched is not served */
        if (info != NULL)
            (void)shutdown(info->connect_fd, SHUT_RDWR);
        if (fd >= 0)
            (void)close(fd);
        free(watch);
        return;
    }
    watch->fd = fd;
    watch->due_ms = now_ms() + server->options.request_ms;
    (void)pthread_mutex_lock(&server->lock);
    watch->next = server->watches;
    watch->link = &server->watches;
    if (watch->next != NULL)
        watch->next->link = &watch->next;
    server->watches = watch;
    (void)pthread_mutex_unlock(&server->lock);
    *socket_context = watch;
}

static void end(struct lb_http_server *server, struct lb_http_watch *watch)
{
    if (watch == NULL)
        return;
    (void)pthread_mutex_lock(&server->lock);
    *watch->link = watch->next;
    if (watch->next != NULL)
        watch->next->link = watch->link;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    (void)close(watch->fd);
    free(watch);
}

void lb_http_watch_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                              enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        begin(cls, connection, socket_context);
    } else {
        end(cls, *socket_context);
        *socket_context = NULL;
    }
}

void lb_http_watch_whole(struct lb_http_server *server, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct lb_http_watch *watch = info == NULL ? NULL : info->socket_context;
    if (watch == NULL)
        return;
    (void)pthread_mutex_lock(&server->lock);
    watch->whole = true;
    (void)pthread_mutex_unlock(&server->lock);
}

bool lb_http_stopping(struct lb_http_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    bool stopping = server->stopping;
    (void)pthread_mutex_unlock(&server->lock);
    return stopping;
}
