#include "gateway/drill/watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"

struct lb_drill_watch {
    struct lb_drill_watch_options options;
    char *path;
    struct stat seen;            /* the file that was read; the tick's, as is the next */
    bool has_plan;
    struct lb_drill plan;        /* what the file says */
    pthread_mutex_t lock;        /* guards the rest */
    bool on;                     /* DRILL_STARTED of `running` is durable */
    struct lb_drill running;
    uint32_t hits[LB_DRILL_NUM_FAULTS];     /* without an entry yet */
    bool noticed[LB_DRILL_NUM_FAULTS], to_note[LB_DRILL_NUM_FAULTS];
};

lb_status lb_drill_watch_new(const struct lb_drill_watch_options *options,
                             struct lb_drill_watch **out_watch)
{
    struct lb_drill_watch *watch = calloc(1, sizeof(*watch));
    LB_ENSURE(watch != NULL, LB_NO_MEMORY, "drill");
    (void)pthread_mutex_init(&watch->lock, NULL);
    watch->options = *options;
    watch->path = strdup(options->path);
    if (watch->path == NULL) {
        lb_drill_watch_free(watch);
        LB_FAIL(LB_NO_MEMORY, "drill");
    }
    *out_watch = watch;
    return LB_OK;
}

void lb_drill_watch_free(struct lb_drill_watch *watch)
{
    if (watch == NULL)
        return;
    (void)pthread_mutex_destroy(&watch->lock);
    free(watch->path);
    free(watch);
}

/* --- entries --- */

static lb_status record(const struct lb_drill_watch *watch, const struct lb_drill *drill,
                        const char *code, uint32_t count)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .count = count};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    memcpy(entry->leaf.request_hash, drill->sha256, sizeof(entry->leaf.request_hash));
    lb_status status = lb_log_append_wait(watch->options.log, entry);
    free(entry);
    lb_log_failure("drill_not_recorded", status);
    return status;
}

static void record_hits(struct lb_drill_watch *watch)
{
    for (unsigned i = 0; i < LB_DRILL_NUM_FAULTS; i++) {
        (void)pthread_mutex_lock(&watch->lock);
        struct lb_drill drill = watch->running;
        uint32_t hits = watch->hits[i];
        bool note = watch->to_note[i];
        watch->hits[i] = 0;
        watch->to_note[i] = false;
        (void)pthread_mutex_unlock(&watch->lock);
        const char *code = lb_drill_kind((enum lb_drill_fault)i)->entry;
        if (note)
            lb_status_ignore(record(watch, &drill, "DRILL_NOTICED", 1));
        if (hits == 0 || record(watch, &drill, code, hits) == LB_OK)
            continue;
        (void)pthread_mutex_lock(&watch->lock);
        watch->hits[i] += hits; /* once the log is back */
        (void)pthread_mutex_unlock(&watch->lock);
    }
}

/* --- the file --- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool fits(const struct lb_drill_watch *watch, const struct lb_drill *drill)
{
    for (size_t i = 0; i < drill->num_steps; i++) {
        if (lb_drill_kind(drill->steps[i].fault)->at_broker != watch->options.at_broker)
            return false;
    }
    return true;
}

/* What can't be read is no drill: the node goes on as if there were none. */
static void look(struct lb_drill_watch *watch)
{
    struct stat now;
    struct lb_diag diag = {""};
    if (stat(watch->path, &now) != 0) {
        watch->has_plan = false;
        watch->seen = (struct stat){.st_ino = 0};
        return;
    }
    if (same_file(&now, &watch->seen))
        return;
    watch->seen = now;
    lb_status status = lb_drill_load(watch->path, true, &diag, &watch->plan);
    if (status == LB_OK && !fits(watch, &watch->plan))
        status = LB_FAULT(LB_CONFIG_INVALID, "a fault of another kind of node");
    watch->has_plan = status == LB_OK;
    lb_log_failure("drill_not_run", status);
}

/* --- its course --- */

static void begin(struct lb_drill_watch *watch)
{
    if (record(watch, &watch->plan, "DRILL_STARTED", 1) != LB_OK)
        return; /* once the log is back */
    lb_log_event(LB_LOG_WARN, "drill_started", "\"drill\":\"%s\"", watch->plan.name);
    (void)pthread_mutex_lock(&watch->lock);
    watch->running = watch->plan;
    watch->on = true;
    memset(watch->hits, 0, sizeof(watch->hits));
    memset(watch->noticed, 0, sizeof(watch->noticed));
    memset(watch->to_note, 0, sizeof(watch->to_note));
    (void)pthread_mutex_unlock(&watch->lock);
}

static void turn_off(struct lb_drill_watch *watch)
{
    (void)pthread_mutex_lock(&watch->lock);
    watch->on = false;
    (void)pthread_mutex_unlock(&watch->lock);
    record_hits(watch);
}

/* Its file goes only once its end is durable. */
static void end(struct lb_drill_watch *watch)
{
    turn_off(watch);
    if (record(watch, &watch->plan, "DRILL_ENDED", 1) != LB_OK)
        return;
    lb_log_event(LB_LOG_WARN, "drill_ended", "\"drill\":\"%s\"", watch->plan.name);
    if (unlink(watch->path) != 0 && errno != ENOENT)
        lb_log_event(LB_LOG_ERROR, "drill_file_stays", "\"errno\":%d", errno);
    watch->has_plan = false;
    memset(&watch->running, 0, sizeof(watch->running));
}

static bool is_running(const struct lb_drill_watch *watch)
{
    return watch->running.num_steps > 0;
}

static bool is_same(const struct lb_drill_watch *watch)
{
    return watch->has_plan &&
           memcmp(watch->plan.sha256, watch->running.sha256, sizeof(watch->plan.sha256)) == 0;
}

static void stop(struct lb_drill_watch *watch)
{
    turn_off(watch);
    if (record(watch, &watch->running, "DRILL_STOPPED", 1) != LB_OK)
        return;
    lb_log_event(LB_LOG_WARN, "drill_stopped", "\"drill\":\"%s\"", watch->running.name);
    memset(&watch->running, 0, sizeof(watch->running));
}

void lb_drill_watch_tick(struct lb_drill_watch *watch)
{
    if (watch == NULL)
        return;
    int64_t now = lb_clock_unix_s(watch->options.clock);
    look(watch);
    if (is_running(watch) && !is_same(watch)) {
        stop(watch);
        return;
    }
    if (watch->has_plan && now >= lb_drill_end_s(&watch->plan))
        end(watch);
    else if (watch->has_plan && now >= watch->plan.start_unix_s && !is_running(watch))
        begin(watch);
    else if (is_running(watch))
        record_hits(watch);
}

/* --- what others ask --- */

bool lb_drill_fault(struct lb_drill_watch *watch, enum lb_drill_fault fault)
{
    if (watch == NULL)
        return false;
    int64_t now = lb_clock_unix_s(watch->options.clock);
    (void)pthread_mutex_lock(&watch->lock);
    bool active = watch->on && lb_drill_active(&watch->running, fault, now) != NULL;
    watch->hits[fault] += active;
    (void)pthread_mutex_unlock(&watch->lock);
    return active;
}

void lb_drill_tell(struct lb_drill_watch *watch, char out[LB_MAX_NAME_BYTES + 1])
{
    out[0] = 0;
    if (watch == NULL)
        return;
    int64_t now = lb_clock_unix_s(watch->options.clock);
    (void)pthread_mutex_lock(&watch->lock);
    if (watch->on && now < lb_drill_end_s(&watch->running))
        (void)snprintf(out, LB_MAX_NAME_BYTES + 1, "%s", watch->running.name);
    for (unsigned i = 0; watch->on && i < LB_DRILL_NUM_FAULTS; i++) {
        bool active = lb_drill_active(&watch->running, (enum lb_drill_fault)i, now) != NULL;
        watch->to_note[i] |= active && !watch->noticed[i];
        watch->noticed[i] |= active;
    }
    (void)pthread_mutex_unlock(&watch->lock);
}
