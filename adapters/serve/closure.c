#include "adapters/serve/closure.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "adapters/serve/job.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/json/json.h"
#include "policy/engine/closures.h"

#define READING_BYTES (256 * 1024)

/* The file as it was read once. */
struct reading {
    unsigned refs;
    struct lb_arena *arena;
    bool unreadable;
    struct lb_closures closures;
    struct lb_span detail;            /* for its entry */
    uint8_t sha256[LB_SHA256_BYTES];  /* of its text in our own spelling */
};

/* What changes whenever the file does. */
struct stamp {
    bool exists;
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

/* A reading on its way into the log. */
struct change {
    struct lb_log_entry entry;
    struct lb_serve_closure *closure;
    struct reading *reading;
};

struct lb_serve_closure {
    const struct lb_serve_options *options;
    pthread_mutex_t lock;
    pthread_cond_t settled;
    struct stamp stamp;
    struct reading *latest;   /* the file now */
    struct reading *recorded; /* the newest whose entry is durable */
    bool recording;
};

static void drop(struct reading *reading)
{
    if (reading == NULL || --reading->refs > 0)
        return;
    lb_arena_free(reading->arena);
    free(reading);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && same_time(&a->modified, &b->modified) &&
           same_time(&a->changed, &b->changed);
}

static struct stamp stamp_file(const char *path)
{
    struct stat file;
    if (path == NULL)
        return (struct stamp){.exists = false};
    if (stat(path, &file) != 0)
        return (struct stamp){.exists = errno != ENOENT};
    return (struct stamp){true,          file.st_dev,  file.st_ino,
                          file.st_size,  file.st_mtim, file.st_ctim};
}

static lb_status read_file(const char *path, struct reading *reading)
{
    struct lb_diag diag = {""};
    const char *text = NULL;
    LB_TRY(lb_closures_load(path, reading->arena, &diag, &reading->closures));
    LB_TRY(lb_closures_text(&reading->closures, reading->arena, &text));
    lb_sha256(lb_span_str(text), reading->sha256);
    return LB_OK;
}

static struct lb_json *name_list(const char *const *names, size_t num)
{
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < num; i++)
        lb_json_append_str(list, lb_span_str(names[i]));
    return list;
}

static lb_status fill_detail(struct reading *reading)
{
    const struct lb_closures *closures = &reading->closures;
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    struct lb_json *closed = lb_json_object();
    lb_json_set_bool(closed, "department", closures->department);
    lb_json_set(closed, "views", name_list(closures->views, closures->num_views));
    lb_json_set(closed, "requesters", name_list(closures->requesters, closures->num_requesters));
    lb_json_set(detail, "closed", closed);
    lb_json_set_cstr(detail, "reason", closures->reason);
    if (reading->unreadable)
        lb_json_set_bool(detail, "unreadable", true);
    return lb_json_dump(detail, LB_JSON_COMPACT, reading->arena, &reading->detail);
}

/* NULL only without memory. */
static struct reading *read_now(const char *path, bool exists)
{
    struct reading *reading = calloc(1, sizeof(*reading));
    if (reading == NULL)
        return NULL;
    reading->refs = 1;
    reading->closures.reason = "";
    reading->arena = lb_arena_new(READING_BYTES);
    lb_status status = reading->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "closures") : LB_OK;
    if (status == LB_OK && exists)
        status = read_file(path, reading);
    if (status != LB_OK) {
        lb_log_failure("closures_unreadable", status);
        lb_log_event(LB_LOG_ERROR, "everything_is_closed",
                     "\"until\":\"this account can read closed.yaml in its state folder: see who "
                     "wrote it (ls -l), chown it to the adapter's account and chmod 600, or move "
                     "it away if nobody meant to close anything; then lianban view closed\"");
        reading->unreadable = true;
        reading->closures = (struct lb_closures){.department = true, .reason = ""};
    }
    if (reading->arena != NULL && fill_detail(reading) == LB_OK)
        return reading;
    drop(reading);
    return NULL;
}

/* --- the entry --- */

static void join_views(const struct lb_closures *closures, struct lb_leaf *leaf)
{
    size_t used = 0;
    for (size_t i = 0; i < closures->num_views; i++) {
        size_t len = strlen(closures->views[i]);
        if (used + len + 2 > sizeof(leaf->views))
            return;
        if (used > 0)
            leaf->views[used++] = ',';
        memcpy(leaf->views + used, closures->views[i], len + 1);
        used += len;
    }
}

static void fill_entry(const struct lb_serve_closure *closure, const struct reading *reading,
                       const char *code, struct lb_log_entry *entry)
{
    entry->leaf.type = LB_LEAF_POLICY;
    entry->leaf.count = 1;
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    join_views(&reading->closures, &entry->leaf);
    memcpy(entry->leaf.policy_hash, closure->options->policy->sha256, 32);
    memcpy(entry->leaf.request_hash, reading->sha256, 32);
    entry->detail = reading->detail;
}

static void recorded(struct lb_log_entry *entry, lb_status status)
{
    struct change *change = entry->owner;
    struct lb_serve_closure *closure = change->closure;
    (void)pthread_mutex_lock(&closure->lock);
    if (status == LB_OK) {
        drop(closure->recorded);
        closure->recorded = change->reading;
    } else {
        drop(change->reading);
    }
    closure->recording = false;
    (void)pthread_cond_broadcast(&closure->settled);
    (void)pthread_mutex_unlock(&closure->lock);
    free(change);
}

/* Queues the entry; what can't be queued now is tried at the next look. */
static void record(struct lb_serve_closure *closure)
{
    struct reading *reading = closure->latest;
    struct change *change = calloc(1, sizeof(*change));
    if (change == NULL)
        return;
    change->closure = closure;
    change->reading = reading;
    change->entry.owner = change;
    change->entry.done = recorded;
    const char *code = lb_closures_any(&reading->closures) ? "CLOSED" : "OPENED";
    fill_entry(closure, reading, code, &change->entry);
    lb_status status = lb_log_append(closure->options->log, &change->entry);
    if (status != LB_OK) {
        lb_log_failure("closure_not_recorded", status);
        free(change);
        return;
    }
    reading->refs++;
    closure->recording = true;
}

/* --- the file --- */

static void look(struct lb_serve_closure *closure)
{
    const char *path = closure->options->closures;
    struct stamp stamp = stamp_file(path);
    if (!same_stamp(&stamp, &closure->stamp)) {
        struct reading *reading = read_now(path, stamp.exists);
        if (reading != NULL) {
            drop(closure->latest);
            closure->latest = reading;
            closure->stamp = stamp;
        }
    }
    if (closure->latest != closure->recorded && !closure->recording)
        record(closure);
}

/* Limits hang on names that only these keys give. */
static lb_status begin_epochs(struct lb_log_entry *entry, struct lb_store *store)
{
    return lb_serve_epochs_begin(entry->owner, store);
}

/* At the start, before anything is answered. */
static lb_status record_start(struct lb_serve_closure *closure, struct lb_serve_epochs *epochs,
                              struct lb_diag *diag)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "entry");
    fill_entry(closure, closure->latest, "IN_FORCE", entry);
    entry->guard = begin_epochs;
    entry->owner = epochs;
    lb_status status = lb_log_append_wait(closure->options->log, entry);
    lb_status refused = status == LB_OK ? entry->refused : LB_OK;
    free(entry);
    if (refused != LB_OK)
        lb_diag_set(diag,
                    "a pseudonym key that was in force here is missing, or there are more than %d: "
                    "restore pseudonym_key and every file of pseudonym_folder; without one of them "
                    "limits would be lifted and erasures incomplete",
                    LB_SERVE_MAX_EPOCHS);
    return status == LB_OK ? refused : status;
}

lb_status lb_serve_closure_new(const struct lb_serve_options *options,
                               struct lb_serve_epochs *epochs, struct lb_diag *diag,
                               struct lb_serve_closure **out_closure)
{
    struct lb_serve_closure *closure = calloc(1, sizeof(*closure));
    LB_ENSURE(closure != NULL, LB_NO_MEMORY, "closures");
    closure->options = options;
    (void)pthread_mutex_init(&closure->lock, NULL);
    (void)pthread_cond_init(&closure->settled, NULL);
    closure->stamp = stamp_file(options->closures);
    closure->latest = read_now(options->closures, closure->stamp.exists);
    lb_status status = closure->latest == NULL ? LB_FAULT(LB_NO_MEMORY, "closures")
                                               : record_start(closure, epochs, diag);
    if (status != LB_OK) {
        lb_serve_closure_free(closure);
        return status;
    }
    closure->latest->refs++;
    closure->recorded = closure->latest;
    *out_closure = closure;
    return LB_OK;
}

void lb_serve_closure_free(struct lb_serve_closure *closure)
{
    if (closure == NULL)
        return;
    (void)pthread_mutex_lock(&closure->lock);
    while (closure->recording)
        (void)pthread_cond_wait(&closure->settled, &closure->lock);
    (void)pthread_mutex_unlock(&closure->lock);
    drop(closure->latest);
    drop(closure->recorded);
    (void)pthread_cond_destroy(&closure->settled);
    (void)pthread_mutex_destroy(&closure->lock);
    free(closure);
}

/* --- judging --- */

static bool shuts(const struct lb_closures *closures, const char *requester, char *const *views,
                  size_t num_views)
{
    bool shut = lb_closures_requester(closures, requester);
    for (size_t i = 0; i < num_views; i++)
        shut = shut || lb_closures_view(closures, views[i]);
    return shut;
}

lb_status lb_serve_closure_check(struct lb_serve_closure *closure, const char *requester,
                                 char *const *views, size_t num_views)
{
    (void)pthread_mutex_lock(&closure->lock);
    look(closure);
    bool shut = shuts(&closure->latest->closures, requester, views, num_views) ||
                shuts(&closure->recorded->closures, requester, views, num_views);
    (void)pthread_mutex_unlock(&closure->lock);
    LB_ENSURE(!shut, LB_VIEW_CLOSED, "the department has shut this");
    return LB_OK;
}

void lb_serve_closure_look(struct lb_serve_closure *closure)
{
    (void)pthread_mutex_lock(&closure->lock);
    look(closure);
    (void)pthread_mutex_unlock(&closure->lock);
}

lb_status lb_read_closed(struct lb_read_job *job)
{
    return lb_serve_closure_check(job->serve->closure, job->requester_org, job->request->views,
                                  job->request->n_views);
}
