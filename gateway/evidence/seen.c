#include "gateway/evidence/seen.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

/* u64 size, 32-byte root; then, but in files of versions before, u16 length and the signed note. */
#define SEEN_BYTES 40
#define MAX_SEEN_BYTES (SEEN_BYTES + 2 + LB_LINK_MAX_CHECKPOINT_BYTES)
#define MAX_PATH_BYTES 4096
#define SAVE_MS 1000

struct lb_seen_log {
    struct lb_seen_log *next;
    char origin[256];
    char path[MAX_PATH_BYTES];
    pthread_mutex_t lock;
    struct lb_watch watch;
    bool note_is_new; /* the file has none */
    size_t note_len;  /* 0: none of this size is known */
    uint8_t note[LB_LINK_MAX_CHECKPOINT_BYTES];
    uint64_t saved_size;
    int64_t saved_ms;  /* monotonic */
};

struct lb_seen {
    pthread_mutex_t lock;
    char folder[MAX_PATH_BYTES];
    struct lb_checkpoint_memo *memo;
    struct lb_seen_log *logs;
};

lb_status lb_seen_new(const char *folder, struct lb_seen **out_seen)
{
    struct lb_seen *seen = calloc(1, sizeof(*seen));
    LB_ENSURE(seen != NULL, LB_NO_MEMORY, "seen logs");
    int len = snprintf(seen->folder, sizeof(seen->folder), "%s", folder);
    if (len < 0 || (size_t)len >= sizeof(seen->folder)) {
        free(seen);
        LB_FAIL(LB_FILE_FAILED, "path is too long");
    }
    lb_status status = lb_checkpoint_memo_new(&seen->memo);
    if (status != LB_OK) {
        free(seen);
        return status;
    }
    (void)pthread_mutex_init(&seen->lock, NULL);
    *out_seen = seen;
    return LB_OK;
}

static void free_log(struct lb_seen_log *log)
{
    lb_watch_cleanup(&log->watch);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}

void lb_seen_free(struct lb_seen *seen)
{
    if (seen == NULL)
        return;
    while (seen->logs != NULL) {
        struct lb_seen_log *log = seen->logs;
        seen->logs = log->next;
        lb_log_failure("seen_not_saved", lb_seen_save(log));
        free_log(log);
    }
    lb_checkpoint_memo_free(seen->memo);
    (void)pthread_mutex_destroy(&seen->lock);
    free(seen);
}

struct lb_checkpoint_memo *lb_seen_memo(struct lb_seen *seen)
{
    return seen->memo;
}

/* One file per peer log, named by its origin's hash so that no origin can leave the folder. */
static lb_status make_path(const char *folder, const char *origin, char out[MAX_PATH_BYTES])
{
    uint8_t digest[32];
    char hex[65];
    lb_sha256(lb_span_str(origin), digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
    int len = snprintf(out, MAX_PATH_BYTES, "%s/%s", folder, hex);
    LB_ENSURE(len > 0 && len < MAX_PATH_BYTES, LB_FILE_FAILED, "path is too long");
    return LB_OK;
}

static lb_status set_names(struct lb_seen_log *log, const char *folder, const char *origin)
{
    LB_TRY(make_path(folder, origin, log->path));
    int len = snprintf(log->origin, sizeof(log->origin), "%s", origin);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(log->origin), LB_MALFORMED, "origin is too long");
    return LB_OK;
}

static lb_status load(const char *path, struct lb_arena *arena, struct lb_seen_head *out)
{
    struct lb_span content = LB_SPAN_EMPTY;
    struct lb_seen_head head = {.note = LB_SPAN_EMPTY};
    LB_TRY(lb_file_read(path, MAX_SEEN_BYTES, arena, &content));
    struct lb_cursor cursor = lb_cursor_of(content);
    head.size = lb_cursor_u64(&cursor);
    lb_cursor_copy(&cursor, head.root.bytes, sizeof(head.root.bytes));
    if (content.len > SEEN_BYTES)
        head.note = lb_cursor_field16(&cursor);
    LB_TRY(lb_cursor_end(&cursor));
    *out = head;
    return LB_OK;
}

lb_status lb_seen_read(const char *folder, const char *origin, struct lb_arena *arena,
                       struct lb_seen_head *out_head)
{
    char path[MAX_PATH_BYTES];
    LB_TRY(make_path(folder, origin, path));
    LB_ENSURE(access(path, F_OK) == 0, LB_ABSENT, "nothing was seen of this log");
    return load(path, arena, out_head);
}

/* What is kept was read or verified within the bound. */
static void keep_note(struct lb_seen_log *log, struct lb_span note)
{
    log->note_len = note.len;
    if (note.len > 0)
        memcpy(log->note, note.ptr, note.len);
}

static lb_status fill(struct lb_seen_log *log, const struct lb_seen *seen, const char *origin,
                      const uint8_t public_key[32])
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * MAX_SEEN_BYTES);
    struct lb_seen_head head = {.size = 0};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_merkle_empty(&head.root);
    LB_TRY(set_names(log, seen->folder, origin));
    if (access(log->path, F_OK) == 0)
        LB_TRY(load(log->path, arena, &head));
    LB_TRY(lb_watch_init(&log->watch, origin, public_key, head.size,
                         head.size == 0 ? NULL : &head.root));
    log->watch.memo = seen->memo;
    keep_note(log, head.note);
    log->saved_size = head.size;
    return LB_OK;
}

/* A member's log key may change with its own confirmation; its history may not. */
static lb_status use_key(struct lb_seen_log *log, const uint8_t public_key[32])
{
    struct lb_watch fresh;
    (void)pthread_mutex_lock(&log->lock);
    lb_status status = LB_OK;
    if (memcmp(log->watch.verifier.public_key, public_key, 32) != 0) {
        status = lb_watch_init(&fresh, log->origin, public_key, log->watch.size, &log->watch.root);
        if (status == LB_OK) {
            fresh.memo = log->watch.memo;
            lb_watch_cleanup(&log->watch);
            log->watch = fresh;
        }
    }
    (void)pthread_mutex_unlock(&log->lock);
    return status;
}

static lb_status add_log(struct lb_seen *seen, const char *origin, const uint8_t public_key[32],
                         struct lb_seen_log **out_log)
{
    struct lb_seen_log *log = calloc(1, sizeof(*log));
    LB_ENSURE(log != NULL, LB_NO_MEMORY, "seen log");
    lb_status status = fill(log, seen, origin, public_key);
    if (status != LB_OK) {
        free(log);
        return status;
    }
    (void)pthread_mutex_init(&log->lock, NULL);
    log->next = seen->logs;
    seen->logs = log;
    *out_log = log;
    return LB_OK;
}

lb_status lb_seen_open(struct lb_seen *seen, const char *origin, const uint8_t public_key[32],
                       struct lb_seen_log **out_log)
{
    (void)pthread_mutex_lock(&seen->lock);
    struct lb_seen_log *log = seen->logs;
    while (log != NULL && strcmp(log->origin, origin) != 0)
        log = log->next;
    lb_status status = log != NULL ? use_key(log, public_key)
                                   : add_log(seen, origin, public_key, &log);
    (void)pthread_mutex_unlock(&seen->lock);
    if (status == LB_OK)
        *out_log = log;
    return status;
}

const char *lb_seen_origin(const struct lb_seen_log *log)
{
    return log->origin;
}

uint64_t lb_seen_size(struct lb_seen_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    uint64_t size = log->watch.size;
    (void)pthread_mutex_unlock(&log->lock);
    return size;
}

/* Under lock. */
static lb_status save(struct lb_seen_log *log)
{
    if (log->watch.size == log->saved_size && !log->note_is_new)
        return LB_OK;
    struct lb_buf content;
    lb_buf_init(&content, MAX_SEEN_BYTES);
    lb_buf_put_u64(&content, log->watch.size);
    lb_buf_put(&content, lb_span_of(log->watch.root.bytes, LB_HASH_BYTES));
    if (log->note_len > 0) {
        lb_buf_put_u16(&content, (uint16_t)log->note_len);
        lb_buf_put(&content, lb_span_of(log->note, log->note_len));
    }
    lb_status status = lb_buf_check(&content);
    if (status == LB_OK)
        status = lb_file_write(log->path, lb_buf_span(&content), 0600);
    lb_buf_cleanup(&content);
    if (status == LB_OK) {
        log->saved_size = log->watch.size;
        log->note_is_new = false;
    }
    return status;
}

lb_status lb_seen_save(struct lb_seen_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    lb_status status = save(log);
    (void)pthread_mutex_unlock(&log->lock);
    return status;
}

lb_status lb_seen_advance(struct lb_seen_log *log, const Lianban__V1__LogProgress *progress,
                          struct lb_checkpoint *out_checkpoint)
{
    int64_t now = lb_clock_monotonic_ms(lb_clock_system());
    (void)pthread_mutex_lock(&log->lock);
    lb_status status = lb_watch_advance(&log->watch, progress, out_checkpoint);
    if (status == LB_OK) {
        log->note_is_new = log->note_is_new || log->note_len == 0;
        keep_note(log, lb_pb_span(progress->checkpoint));
    }
    if (status == LB_OK && now - log->saved_ms >= SAVE_MS) {
        log->saved_ms = now;
        lb_log_failure("seen_not_saved", save(log));
    }
    (void)pthread_mutex_unlock(&log->lock);
    return status;
}

/* What a log in use has seen may not be in its file yet. */
static lb_status newest_of(struct lb_seen *seen, const char *origin, struct lb_arena *arena,
                           struct lb_seen_head *out)
{
    (void)pthread_mutex_lock(&seen->lock);
    struct lb_seen_log *log = seen->logs;
    while (log != NULL && strcmp(log->origin, origin) != 0)
        log = log->next;
    if (log != NULL) {
        (void)pthread_mutex_lock(&log->lock);
        *out = (struct lb_seen_head){.size = log->watch.size, .root = log->watch.root};
        (void)pthread_mutex_unlock(&log->lock);
    }
    (void)pthread_mutex_unlock(&seen->lock);
    return log != NULL ? LB_OK : lb_seen_read(seen->folder, origin, arena, out);
}

lb_status lb_seen_check_lost(struct lb_seen *seen, const char *origin, uint64_t size,
                             const uint8_t root[LB_HASH_BYTES])
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * MAX_SEEN_BYTES);
    struct lb_seen_head head;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_status status = newest_of(seen, origin, arena, &head);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    LB_ENSURE(head.size <= size, LB_LOG_BEHIND, "more was seen of the log than is said to be lost");
    LB_ENSURE(head.size < size || memcmp(head.root.bytes, root, LB_HASH_BYTES) == 0,
              LB_LOG_FORK, "another history was seen than is said to be lost");
    return LB_OK;
}
