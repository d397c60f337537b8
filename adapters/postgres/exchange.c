#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adapters/postgres/inside.h"

/* Sending and waiting: nothing here waits without a limit, because a server may hang. */

#define LOOK_UP_MS 100  /* how long the adapter's stopping may stay unnoticed */
#define CANCEL_STACK_BYTES (256 * 1024)

int64_t lb_postgres_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void lb_postgres_clear(PGresult **result)
{
    PQclear(*result);
}

static bool is_stopping(const struct lb_source *source)
{
    return source->stopping != NULL && atomic_load(source->stopping);
}

lb_status lb_postgres_wait(struct lb_source *source, bool for_writing, int64_t until_ms)
{
    for (;;) {
        struct pollfd polled[] = {
            {.fd = PQsocket(source->conn), .events = (short)(for_writing ? POLLOUT : POLLIN)},
            {.fd = source->wake, .events = POLLIN},
        };
        int64_t left_ms = until_ms - lb_postgres_now_ms();
        LB_ENSURE(!atomic_load(&source->cancelled), LB_SOURCE_TIMEOUT, "read cancelled");
        LB_ENSURE(!is_stopping(source), LB_SOURCE_UNAVAILABLE, "the adapter is stopping");
        LB_ENSURE(left_ms > 0, LB_SOURCE_TIMEOUT, "the server did not answer in time");
        LB_ENSURE(polled[0].fd >= 0, LB_SOURCE_UNAVAILABLE, "connection lost");
        int ready = poll(polled, 2, (int)(left_ms < LOOK_UP_MS ? left_ms : LOOK_UP_MS));
        LB_ENSURE(ready >= 0 || errno == EINTR, LB_SOURCE_UNAVAILABLE, "connection lost");
        if (ready > 0 && polled[0].revents != 0)
            return LB_OK;
    }
}

static lb_status flush(struct lb_source *source, int64_t until_ms)
{
    int more = 0;
    while ((more = PQflush(source->conn)) == 1)
        LB_TRY(lb_postgres_wait(source, true, until_ms));
    LB_ENSURE(more == 0, LB_SOURCE_UNAVAILABLE, "connection lost");
    return LB_OK;
}

lb_status lb_postgres_next(struct lb_source *source, int64_t until_ms, PGresult **out)
{
    LB_TRY(flush(source, until_ms));
    while (PQisBusy(source->conn) != 0) {
        LB_TRY(lb_postgres_wait(source, false, until_ms));
        LB_ENSURE(PQconsumeInput(source->conn) == 1, LB_SOURCE_UNAVAILABLE, "connection lost");
    }
    *out = PQgetResult(source->conn);
    return LB_OK;
}

lb_status lb_postgres_finish(struct lb_source *source, int64_t until_ms, PGresult **out)
{
    PGresult *last = NULL;
    for (;;) {
        PGresult *next = NULL;
        lb_status status = lb_postgres_next(source, until_ms, &next);
        if (status != LB_OK) {
            PQclear(last);
            return status;
        }
        if (next == NULL)
            break;
        PQclear(last);
        last = next;
    }
    LB_ENSURE(last != NULL, LB_SOURCE_UNAVAILABLE, "connection lost");
    *out = last;
    return LB_OK;
}

lb_status lb_postgres_ask(struct lb_source *source, const char *text, const char *const *values,
                          int num_values, int64_t until_ms, PGresult **out)
{
    PGresult *result = NULL;
    LB_ENSURE(PQsendQueryParams(source->conn, text, num_values, NULL, values, NULL, NULL, 0) == 1,
              LB_SOURCE_UNAVAILABLE, "connection lost");
    LB_TRY(lb_postgres_finish(source, until_ms, &result));
    ExecStatusType state = PQresultStatus(result);
    if (state != PGRES_TUPLES_OK && state != PGRES_COMMAND_OK) {
        lb_status status = lb_postgres_failure(source, result);
        PQclear(result);
        return status;
    }
    *out = result;
    return LB_OK;
}

/* libpq's own cancel waits for the server's postmaster, which may hang as well. */
static void *cancel(void *arg)
{
    char said[256];
    (void)PQcancel(arg, said, sizeof(said));
    PQfreeCancel(arg);
    return NULL;
}

void lb_postgres_give_up(struct lb_source *source)
{
    pthread_attr_t attributes;
    pthread_t thread;
    source->broken = true;
    PGcancel *request = PQgetCancel(source->conn);
    if (request == NULL)
        return;
    if (pthread_attr_init(&attributes) != 0) {
        PQfreeCancel(request);
        return;
    }
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attributes, CANCEL_STACK_BYTES);
    if (pthread_create(&thread, &attributes, cancel, request) != 0)
        PQfreeCancel(request);
    (void)pthread_attr_destroy(&attributes);
}

static bool is_class(const char *state, const char *class)
{
    return strncmp(state, class, strlen(class)) == 0;
}

lb_status lb_postgres_failure(const struct lb_source *source, const PGresult *result)
{
    const char *state = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    LB_ENSURE(state != NULL && PQstatus(source->conn) == CONNECTION_OK, LB_SOURCE_UNAVAILABLE,
              "connection lost");
    LB_ENSURE(!is_class(state, "57014"), LB_SOURCE_TIMEOUT, "the server cancelled the query");
    LB_ENSURE(!is_class(state, "42501"), LB_SOURCE_CHANGED, "the account may not read this");
    LB_ENSURE(!is_class(state, "42") && !is_class(state, "0A") && !is_class(state, "3F"),
              LB_SOURCE_CHANGED, "the query no longer fits the tables");
    LB_ENSURE(!is_class(state, "53"), LB_SOURCE_FULL, "the server has no room");
    LB_ENSURE(!is_class(state, "22"), LB_SOURCE_UNAVAILABLE, "a value can't be read");
    LB_ENSURE(!is_class(state, "25"), LB_SOURCE_UNAVAILABLE, "the query would write");
    LB_FAIL(LB_SOURCE_UNAVAILABLE, "the database failed");
}
