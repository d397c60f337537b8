#include "gateway/evidence/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/wipe.h"
#include "gateway/evidence/log_state.h"
#include "gateway/evidence/shards.h"

/* A note with two signatures of it fits into a slot of the ratchet. */
#define MAX_TWO_KEYS_ORIGIN 230

static lb_status check_options(const struct lb_log_options *options, struct lb_diag *diag)
{
    size_t len = strlen(options->origin);
    bool fits = len > 0 && len < sizeof(((struct lb_log *)NULL)->origin);
    LB_ENSURE(strlen(options->folder) < PATH_MAX, LB_FILE_FAILED, "path is too long");
    if (!fits || lb_sign_key_alg(options->key) != LB_SIGN_ED25519) {
        lb_diag_set(diag, "%s: a log needs an origin of 1 to 255 bytes and an Ed25519 key",
                    options->folder);
        LB_FAIL(LB_CONFIG_INVALID, "log options");
    }
    return LB_OK;
}

static lb_status new_log(const struct lb_log_options *options, struct lb_log **out_log)
{
    struct lb_log *log = calloc(1, sizeof(*log));
    LB_ENSURE(log != NULL, LB_NO_MEMORY, "log");
    log->key = options->key;
    log->clock = options->clock;
    memcpy(log->origin, options->origin, strlen(options->origin));
    memcpy(log->folder, options->folder, strlen(options->folder));
    log->lock_fd = -1;
    log->writer.ratchet_fd = -1;
    log->queue.last = &log->queue.first;
    bool fewer = options->max_batch > 0 && options->max_batch < LB_LOG_BATCH;
    log->queue.max_batch = fewer ? options->max_batch : LB_LOG_BATCH;
    lb_denials_init(&log->denials);
    (void)pthread_mutex_init(&log->shown.lock, NULL);
    (void)pthread_mutex_init(&log->queue.lock, NULL);
    (void)pthread_cond_init(&log->queue.finished, NULL);
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&log->queue.work, &attr);
    (void)pthread_condattr_destroy(&attr);
    *out_log = log;
    return LB_OK;
}

static lb_status start(struct lb_log *log, const struct lb_log_options *options,
                       struct lb_diag *diag)
{
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(options->key, public_key);
    LB_TRY(lb_note_verifier_init(log->origin, public_key, &log->verifier));
    log->writer.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(log->writer.arena != NULL, LB_NO_MEMORY, "log");
    log->writer.helper_arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    log->writer.jobs = calloc(LB_LOG_BATCH, sizeof(struct lb_log_job));
    LB_ENSURE(log->writer.helper_arena != NULL && log->writer.jobs != NULL, LB_NO_MEMORY, "log");
    LB_TRY(lb_log_restore(log, options, diag));
    LB_TRY(lb_helper_new(&log->writer.helper));
    LB_TRY(lb_helper_new(&log->writer.publisher));
    LB_TRY(lb_log_watch_begin(log, options, diag));
    log->writer.idle_since_ms = lb_clock_monotonic_ms(log->clock);
    log->writer.flushed_ms = log->writer.idle_since_ms;
    log->writer.refusals_ms = log->writer.idle_since_ms;
    LB_ENSURE(pthread_create(&log->sequencer, NULL, lb_log_sequence, log) == 0, LB_NO_MEMORY,
              "the sequencer cannot be started");
    log->running = true;
    return lb_shard_keeper_start(log, &log->keeper);
}

lb_status lb_log_open(const struct lb_log_options *options, struct lb_diag *diag,
                      struct lb_log **out_log)
{
    struct lb_log *log = NULL;
    diag->text[0] = 0;
    LB_TRY(check_options(options, diag));
    LB_TRY(new_log(options, &log));
    lb_status status = start(log, options, diag);
    if (status != LB_OK) {
        if (diag->text[0] == 0)
            lb_diag_set(diag, "%s: the evidence log cannot be opened (%s): %s", options->folder,
                        lb_code_name(lb_status_code(status)), status->what);
        lb_log_close(log);
        return status;
    }
    *out_log = log;
    return LB_OK;
}

lb_status lb_log_add_key(struct lb_log *log, const struct lb_sign_key *key)
{
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    LB_ENSURE(lb_sign_key_alg(key) == LB_SIGN_ED25519, LB_CONFIG_INVALID,
              "a log key is one of Ed25519");
    (void)lb_sign_key_public(key, public_key);
    LB_ENSURE(memcmp(public_key, log->verifier.public_key, LB_ED25519_PUBLIC_BYTES) != 0,
              LB_CONFIG_INVALID, "the next log key is the log key");
    LB_ENSURE(strlen(log->origin) <= MAX_TWO_KEYS_ORIGIN, LB_CONFIG_INVALID,
              "the log's name is too long for two signatures");
    LB_ENSURE(atomic_load(&log->next_key) == NULL, LB_CONFIG_INVALID, "there are two keys already");
    atomic_store(&log->next_key, key);
    return LB_OK;
}

static void stop_sequencer(struct lb_log *log)
{
    (void)pthread_mutex_lock(&log->queue.lock);
    log->queue.stopping = true;
    (void)pthread_cond_broadcast(&log->queue.work);
    (void)pthread_mutex_unlock(&log->queue.lock);
    (void)pthread_join(log->sequencer, NULL);
}

void lb_log_close(struct lb_log *log)
{
    if (log == NULL)
        return;
    lb_shard_keeper_stop(log->keeper);
    if (log->running)
        stop_sequencer(log);
    lb_tree_free(log->shown.tree);
    lb_tree_free(log->writer.tree);
    lb_tree_free(log->writer.pending.tree);
    lb_keyring_free(log->writer.keyring);
    lb_shards_free(log->shown.records.shards);
    lb_store_close(log->shown.store);
    lb_store_close(log->writer.store);
    if (log->writer.ratchet_fd >= 0)
        (void)close(log->writer.ratchet_fd);
    if (log->lock_fd >= 0)
        (void)close(log->lock_fd);
    lb_helper_free(log->writer.helper);
    lb_helper_free(log->writer.publisher);
    free(log->writer.jobs);
    lb_arena_free(log->writer.helper_arena);
    lb_arena_free(log->writer.arena);
    lb_note_verifier_cleanup(&log->verifier);
    lb_denials_cleanup(&log->denials);
    lb_wipe(&log->writer.random, sizeof(log->writer.random));
    (void)pthread_mutex_destroy(&log->shown.lock);
    (void)pthread_mutex_destroy(&log->queue.lock);
    (void)pthread_cond_destroy(&log->queue.work);
    (void)pthread_cond_destroy(&log->queue.finished);
    free(log);
}

lb_status lb_log_check_entry(const struct lb_log_entry *entry)
{
    LB_ENSURE(entry->detail.len <= LB_MAX_DETAIL_BYTES && entry->fields.len <= LB_MAX_DETAIL_BYTES,
              LB_TOO_LARGE, "detail is larger than allowed");
    static const uint8_t nobody[LB_DETAIL_SUBJECT_BYTES];
    bool named = entry->has_subject && memcmp(entry->subject, nobody, sizeof(nobody)) != 0;
    LB_ENSURE(entry->leaf.type != LB_LEAF_ERASURE || named, LB_MALFORMED,
              "an erasure without a subject");
    uint8_t place[LB_MAX_LEAF_BYTES];
    struct lb_buf bytes;
    lb_buf_over(&bytes, place, sizeof(place));
    return lb_leaf_encode(&entry->leaf, &bytes);
}

/* Under the queue's lock. */
static lb_status admit(struct lb_log_queue *queue, struct lb_log_entry *entry)
{
    LB_ENSURE(!queue->failed, LB_LOG_UNAVAILABLE, "the log has stopped");
    LB_ENSURE(!queue->stopping, LB_STOPPING, "the log is closing");
    if (!lb_space_permits((enum lb_space_level)queue->state, &entry->leaf)) {
        queue->num_refused += queue->num_refused < UINT32_MAX;
        LB_FAIL(LB_LOG_FULL, "the disk has too little room");
    }
    LB_ENSURE(queue->num < LB_LOG_QUEUE, LB_BUSY, "the log's queue is full");
    *queue->last = entry;
    queue->last = &entry->next;
    queue->num++;
    return LB_OK;
}

static lb_status prepare(struct lb_log_entry *entry)
{
    if (entry->leaf.count == 0)
        entry->leaf.count = 1;
    LB_TRY(lb_log_check_entry(entry));
    entry->next = NULL;
    entry->finished = false;
    entry->outcome = LB_OK;
    entry->refused = LB_OK;
    return LB_OK;
}

lb_status lb_log_enqueue(struct lb_log *log, struct lb_log_entry *entry)
{
    struct lb_log_queue *queue = &log->queue;
    LB_TRY(prepare(entry));
    (void)pthread_mutex_lock(&queue->lock);
    lb_status status = admit(queue, entry);
    if (status == LB_OK)
        (void)pthread_cond_signal(&queue->work);
    (void)pthread_mutex_unlock(&queue->lock);
    return status;
}

size_t lb_log_append_list(struct lb_log *log, struct lb_log_entry *const *entries, size_t num,
                          lb_status *out_status)
{
    struct lb_log_queue *queue = &log->queue;
    lb_status status = LB_OK;
    size_t prepared = 0, queued = 0;
    while (prepared < num && status == LB_OK) {
        status = entries[prepared]->done == NULL
                     ? LB_FAULT(LB_MALFORMED, "an entry nobody waits for")
                     : prepare(entries[prepared]);
        prepared += status == LB_OK ? 1 : 0;
    }
    lb_status admitted = LB_OK;
    (void)pthread_mutex_lock(&queue->lock);
    while (queued < prepared && admitted == LB_OK) {
        admitted = admit(queue, entries[queued]);
        queued += admitted == LB_OK ? 1 : 0;
    }
    if (queued > 0)
        (void)pthread_cond_signal(&queue->work);
    (void)pthread_mutex_unlock(&queue->lock);
    *out_status = admitted != LB_OK ? admitted : status;
    return queued;
}

lb_status lb_log_append(struct lb_log *log, struct lb_log_entry *entry)
{
    LB_ENSURE(entry->done != NULL, LB_MALFORMED, "an entry nobody waits for");
    return lb_log_enqueue(log, entry);
}

lb_status lb_log_append_wait(struct lb_log *log, struct lb_log_entry *entry)
{
    return lb_log_append_all(log, entry, 1);
}

static lb_status wait_for(struct lb_log *log, const struct lb_log_entry *entry)
{
    (void)pthread_mutex_lock(&log->queue.lock);
    while (!entry->finished)
        (void)pthread_cond_wait(&log->queue.finished, &log->queue.lock);
    (void)pthread_mutex_unlock(&log->queue.lock);
    return entry->outcome;
}

lb_status lb_log_append_all(struct lb_log *log, struct lb_log_entry *entries, size_t num)
{
    lb_status status = LB_OK, first = LB_OK;
    size_t queued = 0;
    for (size_t i = 0; i < num; i++)
        LB_ENSURE(entries[i].done == NULL, LB_MALFORMED,
                  "an entry to wait for has no callback");
    while (queued < num && status == LB_OK) {
        status = lb_log_enqueue(log, &entries[queued]);
        if (status == LB_OK)
            queued++;
    }
    for (size_t i = 0; i < queued; i++) {
        lb_status outcome = wait_for(log, &entries[i]);
        first = first == LB_OK ? outcome : first;
    }
    return first == LB_OK ? status : first;
}

enum lb_code lb_log_refusal(lb_status status)
{
    enum lb_code code = lb_status_code(status);
    return code == LB_BUSY || code == LB_LOG_FULL ? code : LB_LOG_UNAVAILABLE;
}

void lb_log_hold(struct lb_log *log, bool held)
{
    atomic_store(&log->held, held);
}

lb_status lb_log_may_release(const struct lb_log *log)
{
    LB_ENSURE(!atomic_load(&log->held), LB_LOG_UNWITNESSED, "nobody has witnessed this log lately");
    return LB_OK;
}

void lb_log_count_denial(struct lb_log *log, const char *peer, enum lb_code code)
{
    lb_denials_count(&log->denials, peer == NULL ? "" : peer, lb_code_outer(code));
}

const char *lb_log_origin(const struct lb_log *log)
{
    return log->origin;
}
