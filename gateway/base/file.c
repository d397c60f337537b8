#include "gateway/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static lb_status read_all(int fd, uint8_t *into, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, into + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        LB_ENSURE(got > 0, LB_FILE_FAILED, "file changed while it was read");
        done += (size_t)got;
    }
    return LB_OK;
}

static lb_status read_checked(const char *path, size_t max_bytes, bool secret,
                              struct lb_arena *arena, struct lb_span *out)
{
    LB_DEFER(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "file cannot be opened");
    struct stat info;
    LB_ENSURE(fstat(fd, &info) == 0 && S_ISREG(info.st_mode), LB_FILE_FAILED,
              "not a regular file");
    if (secret) {
        LB_ENSURE((info.st_mode & (S_IRWXG | S_IRWXO)) == 0, LB_FILE_FAILED,
                  "a key file is open to group or others; chmod 600 it");
        LB_ENSURE(info.st_uid == geteuid() || info.st_uid == 0, LB_FILE_FAILED,
                  "a key file belongs to another user");
    }
    LB_ENSURE((uint64_t)info.st_size <= max_bytes, LB_TOO_LARGE, "file is larger than allowed");
    size_t size = (size_t)info.st_size;
    uint8_t *content = lb_arena_alloc(arena, size + 1);
    LB_ENSURE(content != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(read_all(fd, content, size));
    content[size] = 0;
    *out = lb_span_of(content, size);
    return LB_OK;
}

lb_status lb_file_read(const char *path, size_t max_bytes, struct lb_arena *arena,
                       struct lb_span *out)
{
    return read_checked(path, max_bytes, false, arena, out);
}

lb_status lb_file_read_secret(const char *path, size_t max_bytes, struct lb_arena *arena,
                              struct lb_span *out)
{
    return read_checked(path, max_bytes, true, arena, out);
}

static lb_status write_all(int fd, struct lb_span content)
{
    size_t done = 0;
    while (done < content.len) {
        ssize_t put = write(fd, content.ptr + done, content.len - done);
        if (put < 0 && errno == EINTR)
            continue;
        LB_ENSURE(put > 0, LB_FILE_FAILED, "file cannot be written");
        done += (size_t)put;
    }
    return LB_OK;
}

/* The parent is opened before the write and held, so that its fsync can't be lost to a rename of
 * the folder itself. */
static lb_status open_parent(const char *path, int *out_fd)
{
    char folder[PATH_MAX];
    int len = snprintf(folder, sizeof(folder), "%s", path);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(folder), LB_FILE_FAILED, "path is too long");
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        (void)snprintf(folder, sizeof(folder), ".");
    else
        *(slash == folder ? slash + 1 : slash) = 0;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "folder cannot be opened");
    *out_fd = fd;
    return LB_OK;
}

static lb_status write_synced(const char *path, struct lb_span content, mode_t mode)
{
    LB_DEFER(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "file cannot be created");
    LB_ENSURE(fchmod(fd, mode) == 0, LB_FILE_FAILED, "mode cannot be set");
    LB_TRY(write_all(fd, content));
    LB_ENSURE(fsync(fd) == 0, LB_FILE_FAILED, "file cannot be synced");
    return LB_OK;
}

lb_status lb_file_write(const char *path, struct lb_span content, mode_t mode)
{
    LB_DEFER(close_fd) int folder = -1;
    LB_TRY(open_parent(path, &folder));
    char temporary[PATH_MAX];
    int len = snprintf(temporary, sizeof(temporary), "%s.%ld.new", path, (long)getpid());
    LB_ENSURE(len > 0 && (size_t)len < sizeof(temporary), LB_FILE_FAILED, "path is too long");
    (void)unlink(temporary);
    lb_status status = write_synced(temporary, content, mode);
    if (status == LB_OK && rename(temporary, path) != 0)
        status = LB_FAULT(LB_FILE_FAILED, "file cannot be put in place");
    if (status != LB_OK) {
        (void)unlink(temporary);
        return status;
    }
    LB_ENSURE(fsync(folder) == 0, LB_FILE_FAILED, "folder cannot be synced");
    return LB_OK;
}

static lb_status overwrite(const char *path)
{
    static const uint8_t zeros[4096];
    LB_DEFER(close_fd) int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "file cannot be opened");
    struct stat info;
    LB_ENSURE(fstat(fd, &info) == 0 && S_ISREG(info.st_mode), LB_FILE_FAILED,
              "not a regular file");
    for (off_t left = info.st_size; left > 0;) {
        size_t step = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
        LB_TRY(write_all(fd, lb_span_of(zeros, step)));
        left -= (off_t)step;
    }
    LB_ENSURE(fsync(fd) == 0, LB_FILE_FAILED, "file cannot be synced");
    return LB_OK;
}

lb_status lb_file_destroy(const char *path)
{
    LB_DEFER(close_fd) int folder = -1;
    LB_TRY(open_parent(path, &folder));
    LB_TRY(overwrite(path));
    LB_ENSURE(unlink(path) == 0, LB_FILE_FAILED, "file cannot be removed");
    LB_ENSURE(fsync(folder) == 0, LB_FILE_FAILED, "folder cannot be synced");
    return LB_OK;
}

lb_status lb_file_mkdirs(const char *path)
{
    char partial[PATH_MAX];
    int len = snprintf(partial, sizeof(partial), "%s", path);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(partial), LB_FILE_FAILED, "path is too long");
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != 0)
            continue;
        char kept = *at;
        *at = 0;
        LB_ENSURE(mkdir(partial, 0700) == 0 || errno == EEXIST, LB_FILE_FAILED,
                  "folder cannot be made");
        *at = kept;
        if (kept == 0)
            return LB_OK;
    }
}

lb_status lb_file_lock(const char *folder, int *out_fd)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/lock", folder);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_FILE_FAILED, "path is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "lock file cannot be opened");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        LB_FAIL(LB_STATE_LOCKED, "another process holds this folder");
    }
    *out_fd = fd;
    return LB_OK;
}
