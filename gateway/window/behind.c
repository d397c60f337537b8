#include "gateway/base/log.h"
#include "gateway/window/look.h"

/*
 * A suggestion is kept as pending before it goes into the log, with all the facts it was made by.
 * What follows from that, the number of its entry and the result, would cost a second write of the
 * whole case while somebody waits. It is written within a second instead; after a crash before that
 * the record is entered again, as one is that a crash left pending, and the case judged by the same
 * facts.
 */

#define MAX_AT_ONCE 256U

void lb_case_behind(struct lb_window_case *entry)
{
    entry->behind = true;
    entry->window->behind = true;
}

/* Nobody waits for who uses the case, or asks the office about it: its turn comes again. Of a case
 * that is being closed nothing is written any more. */
static lb_status write_one(struct lb_window_case *entry, bool *out_later)
{
    lb_status status = LB_OK;
    *out_later = true;
    if (pthread_mutex_trylock(&entry->asking) != 0)
        return LB_OK;
    if (pthread_mutex_trylock(&entry->lock) == 0) {
        if (entry->behind && !lb_window_closed(entry))
            status = lb_case_store_put(entry->window->store, entry);
        *out_later = status != LB_OK;
        (void)pthread_mutex_unlock(&entry->lock);
    }
    (void)pthread_mutex_unlock(&entry->asking);
    return status;
}

/* Holds those that are behind, so many at most. */
static size_t hold_some(struct lb_window *window, struct lb_window_case *held[MAX_AT_ONCE])
{
    size_t num = 0;
    (void)pthread_mutex_lock(&window->lock);
    for (size_t i = 0; i < LB_WINDOW_BUCKETS && num < MAX_AT_ONCE; i++) {
        for (struct lb_window_case *c = window->buckets[i]; c != NULL && num < MAX_AT_ONCE;
             c = c->next) {
            if (!c->behind || c->closed)
                continue;
            c->refs++;
            held[num++] = c;
        }
    }
    (void)pthread_mutex_unlock(&window->lock);
    return num;
}

void lb_case_write_behind(struct lb_window *window)
{
    struct lb_window_case *held[MAX_AT_ONCE];
    bool more = atomic_exchange(&window->behind, false);
    while (more) {
        size_t num = hold_some(window, held), written = 0;
        for (size_t i = 0; i < num; i++) {
            bool later = false;
            lb_log_failure("case_not_written", write_one(held[i], &later));
            written += later ? 0 : 1;
            if (later)
                window->behind = true;
            lb_window_let_go(&held[i]);
        }
        more = num == MAX_AT_ONCE && written > 0;
    }
}

/* --- after a crash --- */

static lb_status catch_up(struct lb_window_case *entry)
{
    LB_TRY(lb_records_settle(entry, NULL));
    if (lb_case_is_watch(entry))
        return LB_OK;
    LB_TRY(lb_window_judge(entry));
    return lb_window_push_result(entry);
}

/* A log that takes nothing now keeps nobody from starting: what is pending is entered when somebody
 * acts on the case, and is no result until then. */
lb_status lb_case_catch_up(struct lb_window *window)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_WINDOW_IDS_BYTES);
    const char **ids = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_window_case_ids(window, arena, &ids, &num));
    for (size_t i = 0; i < num; i++) {
        LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
        LB_TRY(lb_window_hold(window, ids[i], &entry));
        (void)pthread_mutex_lock(&entry->lock);
        if (entry->records.pending != NULL)
            lb_log_failure("case_not_caught_up", catch_up(entry));
        (void)pthread_mutex_unlock(&entry->lock);
    }
    return LB_OK;
}
