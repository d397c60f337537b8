#include "gateway/backup/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/stream.h"

#define CHUNK_BYTES (256U * 1024)
#define HEAD_BYTES 512U
#define SECRET_DIGITS 64U /* of the keys that `lianban keys secret` makes */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void free_chunk(uint8_t **chunk)
{
    free(*chunk);
}

/* --- kinds --- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t suffix_len = strlen(suffix);
    return len >= suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static bool is_one_of(const char *name, const char *const *suffixes)
{
    for (size_t i = 0; suffixes[i] != NULL; i++)
        if (ends_with(name, suffixes[i]))
            return true;
    return false;
}

static bool is_passing(const char *name)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal", ".new", ".lock", "/lock",
                                           NULL};
    return strcmp(name, "lock") == 0 || strcmp(name, "reserve") == 0 || is_one_of(name, suffixes);
}

static bool has(struct lb_span bytes, const char *text)
{
    return memmem(bytes.ptr, bytes.len, text, strlen(text)) != NULL;
}

/* Every form that a key of ours has in a file (gateway/trust/keys.h, docs/KEYS.md). */
static bool holds_key(struct lb_span head)
{
    uint8_t secret[SECRET_DIGITS / 2];
    struct lb_span text = head;
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == '\r'))
        text.len--;
    bool digits = text.len == SECRET_DIGITS &&
                  lb_hex_decode(text, secret, sizeof(secret)) == LB_OK;
    lb_wipe(secret, sizeof(secret));
    return digits || has(head, "PRIVATE") || has(head, "-private");
}

static lb_status kind_by_content(int fd, enum lb_backup_kind *out_kind)
{
    uint8_t head[HEAD_BYTES];
    ssize_t got = pread(fd, head, sizeof(head), 0);
    LB_ENSURE(got >= 0, LB_FILE_FAILED, "a file cannot be read");
    struct lb_span bytes = lb_span_of(head, (size_t)got);
    static const char magic[16] = "SQLite format 3"; /* with its NUL */
    bool database = bytes.len >= sizeof(magic) && memcmp(head, magic, sizeof(magic)) == 0;
    *out_kind = database           ? LB_BACKUP_DATABASE
                : holds_key(bytes) ? LB_BACKUP_KEY
                                   : LB_BACKUP_PLAIN;
    lb_wipe(head, sizeof(head));
    return LB_OK;
}

static lb_status open_file(const char *path, int *out_fd)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    LB_ENSURE(fd >= 0 || errno != ENOENT, LB_ABSENT, "there is no such file");
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "a file cannot be opened");
    bool regular = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    if (!regular)
        (void)close(fd);
    LB_ENSURE(regular, LB_FILE_FAILED, "not a regular file");
    *out_fd = fd;
    return LB_OK;
}

lb_status lb_backup_kind_of(const char *folder, const char *name, enum lb_backup_kind *out_kind)
{
    static const char *const keys[] = {".key", ".pem", NULL};
    LB_DEFER(close_fd) int fd = -1;
    char path[PATH_MAX];
    *out_kind = LB_BACKUP_PASSING;
    if (is_passing(name))
        return LB_OK;
    *out_kind = LB_BACKUP_LOG;
    if (strcmp(name, "evidence.db") == 0 || strcmp(name, "ratchet") == 0)
        return LB_OK;
    *out_kind = LB_BACKUP_SHARD;
    if (strncmp(name, "shards/", strlen("shards/")) == 0)
        return LB_OK;
    *out_kind = LB_BACKUP_KEY;
    if (is_one_of(name, keys))
        return LB_OK;
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_FILE_FAILED, "path is too long");
    *out_kind = LB_BACKUP_GONE;
    lb_status status = open_file(path, &fd);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    return kind_by_content(fd, out_kind);
}

/* --- bytes --- */

static lb_status put(int fd, struct lb_span bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t wrote = write(fd, bytes.ptr + done, bytes.len - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        LB_ENSURE(wrote > 0 || errno != ENOSPC, LB_FILE_FAILED, "the disk of the copy is full");
        LB_ENSURE(wrote > 0, LB_FILE_FAILED, "the copy cannot be written");
        done += (size_t)wrote;
    }
    return LB_OK;
}

/* Reads to the end; `out` is -1 when nothing is written. */
static lb_status pump(int in, int out, const struct lb_backup_pace *pace,
                      struct lb_sha256_stream *stream, uint64_t *out_size)
{
    LB_DEFER(free_chunk) uint8_t *chunk = malloc(CHUNK_BYTES);
    struct stat info;
    uint64_t size = 0;
    LB_ENSURE(chunk != NULL, LB_NO_MEMORY, "copy");
    LB_ENSURE(fstat(in, &info) == 0, LB_FILE_FAILED, "a file cannot be read");
    for (;;) {
        LB_TRY(pace->go_on(pace->ctx, size, (uint64_t)info.st_size));
        ssize_t got = read(in, chunk, CHUNK_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        LB_ENSURE(got >= 0, LB_FILE_FAILED, "a file cannot be read");
        if (got == 0)
            break;
        if (out >= 0)
            LB_TRY(put(out, lb_span_of(chunk, (size_t)got)));
        lb_sha256_add(stream, lb_span_of(chunk, (size_t)got));
        size += (uint64_t)got;
    }
    *out_size = size;
    return LB_OK;
}

static lb_status pump_hashed(int in, int out, const struct lb_backup_pace *pace,
                             struct lb_backup_file *out_file)
{
    struct lb_sha256_stream *stream = lb_sha256_begin();
    lb_status status = pump(in, out, pace, stream, &out_file->size);
    lb_sha256_end(stream, out_file->sha256);
    return status;
}

lb_status lb_backup_hash(const char *path, const struct lb_backup_pace *pace,
                         struct lb_backup_file *out_file)
{
    LB_DEFER(close_fd) int in = -1;
    LB_TRY(open_file(path, &in));
    return pump_hashed(in, -1, pace, out_file);
}

lb_status lb_backup_sync_folder(const char *folder)
{
    LB_DEFER(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LB_ENSURE(fd >= 0 && fsync(fd) == 0, LB_FILE_FAILED, "a folder cannot be synced");
    return LB_OK;
}

static lb_status sync_parent(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = snprintf(folder, sizeof(folder), "%.*s", slash == NULL ? 0 : (int)(slash - path),
                       path);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(folder), LB_FILE_FAILED, "path is too long");
    return lb_backup_sync_folder(folder);
}

lb_status lb_backup_copy(const char *from, const char *to, const struct lb_backup_pace *pace,
                         struct lb_backup_file *out_file)
{
    LB_DEFER(close_fd) int in = -1;
    LB_DEFER(close_fd) int out = -1;
    LB_TRY(open_file(from, &in));
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    LB_ENSURE(out >= 0 && fchmod(out, 0600) == 0, LB_FILE_FAILED, "the copy cannot be made");
    LB_TRY(pump_hashed(in, out, pace, out_file));
    LB_ENSURE(fsync(out) == 0, LB_FILE_FAILED, "the copy cannot be synced");
    return sync_parent(to);
}
