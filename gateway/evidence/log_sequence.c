#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/evidence/log_state.h"

#define TICK_MS 250
#define DENIALS_MS 1000
#define CANARY_MS 60000
#define DENIALS_PER_COMMIT 64
#define REFUSALS_MS 60000

/* Takes up to a batch off the queue, or NULL after a tick without work. */
static struct lb_log_entry *take_batch(struct lb_log_queue *queue, bool *out_stopping)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_mutex_lock(&queue->lock);
    int waited = 0;
    while (queue->first == NULL && !queue->stopping && waited == 0)
        waited = pthread_cond_timedwait(&queue->work, &queue->lock, &until);
    struct lb_log_entry *first = queue->first;
    struct lb_log_entry **end = &queue->first;
    size_t num = 0;
    for (; *end != NULL && num < queue->max_batch; num++)
        end = &(*end)->next;
    queue->first = *end;
    *end = NULL;
    if (queue->first == NULL)
        queue->last = &queue->first;
    queue->num -= num;
    *out_stopping = queue->stopping;
    (void)pthread_mutex_unlock(&queue->lock);
    return num == 0 ? NULL : first;
}

/* From here on nothing is accepted; what still waits is told so. */
static void stop_service(struct lb_log *log, lb_status failure)
{
    (void)pthread_mutex_lock(&log->queue.lock);
    struct lb_log_entry *waiting = log->queue.first;
    log->queue.first = NULL;
    log->queue.last = &log->queue.first;
    log->queue.num = 0;
    log->queue.failed = true;
    (void)pthread_mutex_unlock(&log->queue.lock);
    lb_log_finish(log, waiting, failure);
}

/* One leaf of our own making and the text its detail points to. */
struct own_entry {
    struct lb_log_entry entry;
    char detail[LB_MAX_SPIFFE_BYTES + 16];
};

/* A peer's name is a SPIFFE id; whatever else it may hold does not reach the JSON text. */
static void describe_denial(const struct lb_denial *denial, struct own_entry *out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:/._-";
    char peer[LB_MAX_SPIFFE_BYTES + 1];
    memcpy(peer, denial->peer, sizeof(peer));
    for (char *at = peer; *at != 0; at++)
        *at = strchr(allowed, *at) == NULL ? '?' : *at;
    int len = snprintf(out->detail, sizeof(out->detail), "{\"peer\":\"%s\"}", peer);
    const char *name = lb_code_name(denial->code);
    out->entry.leaf.type = LB_LEAF_DENY;
    out->entry.leaf.count = denial->count;
    memcpy(out->entry.leaf.code, name, strnlen(name, sizeof(out->entry.leaf.code) - 1));
    out->entry.detail = lb_span_of(out->detail, (size_t)len);
}

static lb_status write_denials(struct lb_log *log, struct own_entry *entries,
                               const struct lb_denial *denials, size_t num)
{
    memset(entries, 0, num * sizeof(*entries));
    for (size_t i = 0; i < num; i++) {
        describe_denial(&denials[i], &entries[i]);
        entries[i].entry.next = i + 1 < num ? &entries[i + 1].entry : NULL;
    }
    return lb_log_write_own(log, &entries[0].entry);
}

/* Takes the counters as they stand, so that a flood can't keep the sequencer here. Without memory
 * they simply go on counting until the next look. */
static lb_status flush_denials(struct lb_log *log)
{
    if (!lb_denials_any(&log->denials))
        return LB_OK;
    struct own_entry *entries = calloc(DENIALS_PER_COMMIT, sizeof(*entries));
    struct lb_denial *denials = calloc(LB_DENIALS_MAX, sizeof(*denials));
    lb_status status = LB_OK;
    size_t num = entries == NULL || denials == NULL ? 0 : lb_denials_take(&log->denials, denials);
    for (size_t at = 0; at < num && status == LB_OK; at += DENIALS_PER_COMMIT) {
        size_t some = num - at < DENIALS_PER_COMMIT ? num - at : DENIALS_PER_COMMIT;
        status = write_denials(log, entries, denials + at, some);
    }
    free(entries);
    free(denials);
    return status;
}

static bool queue_half_full(struct lb_log *log)
{
    (void)pthread_mutex_lock(&log->queue.lock);
    bool half = log->queue.num > LB_LOG_QUEUE / 2;
    (void)pthread_mutex_unlock(&log->queue.lock);
    return half;
}

/* What was refused for want of room, as one leaf. */
static lb_status flush_refusals(struct lb_log *log)
{
    struct own_entry entry = {.entry = {.leaf = {.type = LB_LEAF_DENY, .code = "LOG_FULL"}}};
    (void)pthread_mutex_lock(&log->queue.lock);
    entry.entry.leaf.count = log->queue.num_refused;
    log->queue.num_refused = 0;
    (void)pthread_mutex_unlock(&log->queue.lock);
    return entry.entry.leaf.count == 0 ? LB_OK : lb_log_write_own(log, &entry.entry);
}

static lb_status write_denied(struct lb_log *log, bool last)
{
    struct lb_log_writer *writer = &log->writer;
    enum lb_space_level level = writer->space.level;
    int64_t now = lb_clock_monotonic_ms(log->clock);
    bool due = now - writer->refusals_ms >= REFUSALS_MS && level < LB_SPACE_SPENT;
    if (due || last || level <= LB_SPACE_LOW) {
        writer->refusals_ms = now;
        LB_TRY(flush_refusals(log));
    }
    due = now - writer->flushed_ms >= DENIALS_MS && level == LB_SPACE_ROOMY;
    if ((due && !queue_half_full(log)) || last) {
        writer->flushed_ms = now;
        LB_TRY(flush_denials(log));
    }
    return LB_OK;
}

lb_status lb_log_housekeep(struct lb_log *log, bool last)
{
    struct lb_log_writer *writer = &log->writer;
    LB_TRY(lb_log_watch(log));
    LB_TRY(lb_log_announce(log));
    LB_TRY(write_denied(log, last));
    LB_TRY(lb_log_shed(log));
    int64_t now = lb_clock_monotonic_ms(log->clock);
    bool spent = writer->space.level == LB_SPACE_SPENT;
    if (last || spent || now - writer->idle_since_ms < CANARY_MS)
        return LB_OK;
    struct own_entry canary = {.entry = {.leaf = {.type = LB_LEAF_CANARY, .count = 1}}};
    return lb_log_write_own(log, &canary.entry);
}

static bool queue_empty(struct lb_log *log)
{
    (void)pthread_mutex_lock(&log->queue.lock);
    bool empty = log->queue.first == NULL;
    (void)pthread_mutex_unlock(&log->queue.lock);
    return empty;
}

/* Nobody waits longer for an answer so that others can come along. */
static lb_status write_queued(struct lb_log *log, struct lb_log_entry *batch)
{
    lb_status status = lb_log_write_batch(log, batch);
    if (status != LB_OK)
        lb_log_finish(log, batch, status);
    LB_TRY(status);
    if (queue_empty(log))
        return lb_log_publish(log);
    lb_log_publish_beside(log);
    return LB_OK;
}

void *lb_log_sequence(void *arg)
{
    struct lb_log *log = arg;
    bool failed = false;
    bool stopping = false;
    while (true) {
        atomic_store(&log->came_round, true);
        struct lb_log_entry *batch = take_batch(&log->queue, &stopping);
        if (batch == NULL && stopping)
            break;
        lb_status status = batch == NULL ? LB_OK : write_queued(log, batch);
        if (status == LB_OK && !failed)
            status = lb_log_housekeep(log, false);
        if (status != LB_OK) {
            failed = true;
            /* What was committed before is evidence all the same. */
            lb_status_ignore(lb_log_publish(log));
            stop_service(log, status);
        }
        if (failed)
            lb_log_alert(log);
    }
    /* A last failure has been logged, and nobody waits for these entries. */
    if (!failed)
        lb_status_ignore(lb_log_housekeep(log, true));
    return NULL;
}
