#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/evidence/log_state.h"

/*
 * What a log stands on: its file system, its files, its clock. The sequencer looks when nothing
 * waits for it, and every 20 ms when something does; what it finds has a name, and whoever runs the
 * node is told.
 */

#define LOOK_MS 20
#define ALERT_MS 60000
/* The WAL is moved when nothing waits and it has some pages, or when it has many: the fewer times,
 * the fewer entries wait for it, and the fewer times the same pages are written. With little room
 * on the disk it does not get that large. */
#define WAL_SOME_PAGES 1000
#define WAL_MANY_PAGES 4000

static const char *const NAMES[] = {
    [LB_LOG_STATE_OK] = "ok",
    [LB_LOG_STATE_SPACE_LOW] = "space_low",
    [LB_LOG_STATE_SPACE_FULL] = "space_full",
    [LB_LOG_STATE_SPACE_SPENT] = "space_spent",
    [LB_LOG_STATE_CLOCK_BACK] = "clock_back",
    [LB_LOG_STATE_FILES_CHANGED] = "files_changed",
    [LB_LOG_STATE_DISK_FULL] = "disk_full",
    [LB_LOG_STATE_DISK_FAILED] = "disk_failed",
    [LB_LOG_STATE_READ_ONLY] = "read_only",
    [LB_LOG_STATE_DAMAGED] = "damaged",
    [LB_LOG_STATE_STOPPED] = "stopped",
};

const char *lb_log_state_name(enum lb_log_state state)
{
    return (size_t)state < sizeof(NAMES) / sizeof(NAMES[0]) ? NAMES[state] : "stopped";
}

void lb_log_health(const struct lb_log *log, struct lb_log_health *out_health)
{
    /* The lock is not part of what the log says, so a const log may take it. */
    struct lb_log_queue *queue = (struct lb_log_queue *)(uintptr_t)&log->queue;
    (void)pthread_mutex_lock(&queue->lock);
    *out_health = (struct lb_log_health){
        .state = queue->state,
        .free_bytes = queue->free_bytes,
        .num_queued = queue->num,
        .num_refused = queue->num_refused,
        .num_commits = atomic_load(&log->num_commits),
        .stopping = queue->stopping,
    };
    (void)pthread_mutex_unlock(&queue->lock);
}

bool lb_log_healthy(const struct lb_log *log)
{
    struct lb_log_health health;
    lb_log_health(log, &health);
    return health.state <= LB_LOG_STATE_SPACE_LOW && !health.stopping;
}

bool lb_log_progress(struct lb_log *log)
{
    return atomic_exchange(&log->came_round, false);
}

/* A level of space is a state of the same number. */
static enum lb_log_state state_at(enum lb_space_level level)
{
    _Static_assert((int)LB_SPACE_LOW == (int)LB_LOG_STATE_SPACE_LOW &&
                       (int)LB_SPACE_FULL == (int)LB_LOG_STATE_SPACE_FULL &&
                       (int)LB_SPACE_SPENT == (int)LB_LOG_STATE_SPACE_SPENT,
                   "levels and states go together");
    return (enum lb_log_state)level;
}

static void alert(struct lb_log *log, enum lb_log_state state)
{
    enum lb_log_level level = state == LB_LOG_STATE_OK           ? LB_LOG_INFO
                              : state <= LB_LOG_STATE_SPACE_LOW ? LB_LOG_WARN
                                                                : LB_LOG_ERROR;
    log->writer.alerted_ms = lb_clock_monotonic_ms(log->clock);
    lb_log_event(level, "evidence_log", "\"state\":\"%s\",\"free_mb\":%llu",
                 lb_log_state_name(state),
                 (unsigned long long)(log->writer.space.now.free_bytes >> 20));
}

/* A stopped log stays stopped, and takes no more before anybody is told why. */
static void set_state(struct lb_log *log, enum lb_log_state state)
{
    struct lb_log_queue *queue = &log->queue;
    (void)pthread_mutex_lock(&queue->lock);
    enum lb_log_state before = queue->state;
    if (before <= LB_LOG_STATE_SPACE_SPENT)
        queue->state = state;
    queue->failed = queue->failed || queue->state > LB_LOG_STATE_SPACE_SPENT;
    queue->free_bytes = log->writer.space.now.free_bytes;
    (void)pthread_mutex_unlock(&queue->lock);
    if (before != state && before <= LB_LOG_STATE_SPACE_SPENT)
        alert(log, state);
}

void lb_log_alert(struct lb_log *log)
{
    struct lb_log_health health;
    lb_log_health(log, &health);
    int64_t now = lb_clock_monotonic_ms(log->clock);
    if (health.state != LB_LOG_STATE_OK && now - log->writer.alerted_ms >= ALERT_MS)
        alert(log, health.state);
}

static enum lb_log_state state_after(struct lb_log *log, lb_status failure)
{
    struct lb_disk_space *now = &log->writer.space.now;
    if (log->writer.trouble != LB_LOG_STATE_OK)
        return log->writer.trouble;
    lb_status_ignore(lb_space_look(&log->writer.space)); /* what was seen last stands */
    if (now->read_only || lb_store_trouble(failure) == LB_STORE_TROUBLE_READ_ONLY)
        return LB_LOG_STATE_READ_ONLY;
    if (lb_store_trouble(failure) == LB_STORE_TROUBLE_FULL)
        return LB_LOG_STATE_DISK_FULL;
    if (lb_store_trouble(failure) == LB_STORE_TROUBLE_DAMAGED || failure->code == LB_LOG_FORK)
        return LB_LOG_STATE_DAMAGED;
    bool disk =
        lb_store_trouble(failure) == LB_STORE_TROUBLE_DISK || failure->code == LB_FILE_FAILED;
    return disk ? LB_LOG_STATE_DISK_FAILED : LB_LOG_STATE_STOPPED;
}

void lb_log_fail(struct lb_log *log, lb_status failure)
{
    struct lb_log_health health;
    lb_log_health(log, &health);
    if (health.state > LB_LOG_STATE_SPACE_SPENT)
        return; /* what came first is what it is about */
    lb_log_failure("evidence_log_stopped", failure);
    set_state(log, state_after(log, failure));
}

lb_status lb_log_watch_begin(struct lb_log *log, const struct lb_log_options *options,
                             struct lb_diag *diag)
{
    struct lb_log_writer *writer = &log->writer;
    lb_status status =
        lb_space_init(&writer->space, log->folder, &options->marks, options->disk);
    if (lb_status_code(status) == LB_CONFIG_INVALID)
        lb_diag_set(diag, "%s: the disk's alert mark must be at or above its stop mark, and that "
                          "at least %d times the reserve",
                    log->folder, LB_DISK_STOP_PER_RESERVE);
    LB_TRY(status);
    LB_TRY(lb_watched_note(&writer->watched, log->folder));
    set_state(log, state_at(writer->space.level));
    return LB_OK;
}

static lb_status look(struct lb_log *log)
{
    struct lb_log_writer *writer = &log->writer;
    lb_status found = lb_watched_check(&writer->watched);
    if (found != LB_OK)
        writer->trouble = LB_LOG_STATE_FILES_CHANGED;
    LB_TRY(found);
    LB_TRY(lb_space_look(&writer->space));
    if (writer->space.now.read_only) {
        writer->trouble = LB_LOG_STATE_READ_ONLY;
        LB_FAIL(LB_FILE_FAILED, "the file system is read-only");
    }
    set_state(log, state_at(writer->space.level));
    return LB_OK;
}

/* Pages that could not be moved stay in the WAL, so that a full disk is no reason to stop; any
 * other failure is, as SQLite would only drop it. */
static lb_status move_wal(struct lb_log *log)
{
    struct lb_store *store = log->writer.store;
    struct lb_log_health health;
    lb_log_health(log, &health);
    bool wait = health.num_queued > 0 && log->writer.space.level == LB_SPACE_ROOMY;
    if (lb_store_wal_pages(store) < (wait ? WAL_MANY_PAGES : WAL_SOME_PAGES))
        return LB_OK;
    LB_TRY(lb_log_publish(log)); /* whose owners would wait for all that copying */
    lb_status status = lb_store_checkpoint(store);
    bool later = lb_status_code(status) == LB_STATE_LOCKED ||
                 lb_store_trouble(status) == LB_STORE_TROUBLE_FULL;
    return later ? LB_OK : status;
}

/* Between two batches of many there is no time for it each time. */
static bool look_is_due(struct lb_log *log)
{
    struct lb_log_writer *writer = &log->writer;
    struct lb_log_health health;
    lb_log_health(log, &health);
    int64_t now = lb_clock_monotonic_ms(log->clock);
    bool due = health.num_queued == 0 || now - writer->looked_ms >= LOOK_MS;
    if (due)
        writer->looked_ms = now;
    return due;
}

lb_status lb_log_watch(struct lb_log *log)
{
    lb_status status = look_is_due(log) ? look(log) : LB_OK;
    if (status == LB_OK)
        status = move_wal(log);
    if (status != LB_OK) {
        lb_log_fail(log, status);
        LB_FAIL(LB_LOG_UNAVAILABLE, "the log has stopped");
    }
    lb_log_alert(log);
    return LB_OK;
}

lb_status lb_log_announce(struct lb_log *log)
{
    static const char *const codes[] = {"SPACE_BACK", "SPACE_LOW", "SPACE_FULL", "SPACE_SPENT"};
    struct lb_log_writer *writer = &log->writer;
    enum lb_space_level level = writer->space.level;
    if (level == writer->announced)
        return LB_OK;
    struct lb_log_entry entry = {.leaf = {.type = LB_LEAF_ADMIN, .count = 1}};
    (void)snprintf(entry.leaf.code, sizeof(entry.leaf.code), "%s", codes[level]);
    LB_TRY(lb_log_write_own(log, &entry));
    writer->announced = level;
    return LB_OK;
}
