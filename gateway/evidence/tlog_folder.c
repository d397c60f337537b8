#include "gateway/evidence/tlog_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a file is written before it has its name; whoever holds the lock owns it. */
#define UNFINISHED ".unfinished"
#define FOLDER_MODE (S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH)
#define FILE_MODE (S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH)

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

/* --- the folder --- */

static lb_status open_folder(const char *path, bool write, int *out_fd)
{
    if (write && mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
        LB_FAIL(LB_FILE_FAILED, "the folder cannot be made");
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "the folder cannot be opened");
    if (write && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        LB_FAIL(LB_STATE_LOCKED, "another process is writing into this folder");
    }
    *out_fd = fd;
    return LB_OK;
}

lb_status lb_tlog_folder_open(const char *path, bool write, struct lb_diag *diag,
                              struct lb_tlog_folder *out_folder)
{
    struct lb_tlog_folder folder = {.fd = -1, .path = path};
    lb_status status = open_folder(path, write, &folder.fd);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: %s; check the path", path, status->what);
    LB_TRY(status);
    *out_folder = folder;
    return LB_OK;
}

void lb_tlog_folder_close(struct lb_tlog_folder *folder)
{
    close_fd(&folder->fd);
    folder->fd = -1;
}

lb_status lb_tlog_folder_only(const struct lb_tlog_folder *folder, const char *const *names,
                              bool *out_only)
{
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    bool only = true;
    if (dir == NULL) {
        close_fd(&fd);
        LB_FAIL(LB_FILE_FAILED, "the folder cannot be read");
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        bool known = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                     strcmp(entry->d_name, UNFINISHED) == 0;
        for (size_t i = 0; names[i] != NULL; i++)
            known = known || strcmp(entry->d_name, names[i]) == 0;
        only = only && known;
    }
    (void)closedir(dir);
    *out_only = only;
    return LB_OK;
}

/* --- on the way to a file --- */

/* Goes one folder down and closes the one above; made first if `make`. */
static lb_status step_down(int *fd, const char *name, bool make)
{
    if (make && mkdirat(*fd, name, FOLDER_MODE) == 0)
        LB_ENSURE(fsync(*fd) == 0, LB_FILE_FAILED, "a folder cannot be synced");
    int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (next < 0 && errno == ENOENT)
        LB_FAIL(LB_ABSENT, "there is no such folder");
    LB_ENSURE(next >= 0, LB_FILE_FAILED, "a folder cannot be opened");
    (void)close(*fd);
    *fd = next;
    return LB_OK;
}

/* Opens the folder a name lies in; the last part of the name is where *out_base points. */
static lb_status open_parent(const struct lb_tlog_folder *folder, const char *name, bool make,
                             int *out_fd, const char **out_base)
{
    LB_DEFER(close_fd) int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "the folder cannot be opened");
    for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(name, '/')) {
        char part[NAME_MAX + 1];
        int len = snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name);
        LB_ENSURE(len > 0 && (size_t)len < sizeof(part), LB_FILE_FAILED, "a name is too long");
        LB_TRY(step_down(&fd, part, make));
        name = slash + 1;
    }
    *out_base = name;
    *out_fd = fd;
    fd = -1;
    return LB_OK;
}

/* --- reading --- */

static lb_status read_all(int fd, size_t size, struct lb_arena *arena, struct lb_span *out)
{
    uint8_t *content = lb_arena_alloc(arena, size + 1);
    LB_ENSURE(content != NULL, LB_NO_MEMORY, "arena is full");
    size_t done = 0;
    while (done < size) {
        ssize_t got = read(fd, content + done, size - done);
        if (got < 0 && errno == EINTR)
            continue;
        LB_ENSURE(got > 0, LB_FILE_FAILED, "a file changed while it was read");
        done += (size_t)got;
    }
    *out = lb_span_of(content, size);
    return LB_OK;
}

lb_status lb_tlog_folder_read(const struct lb_tlog_folder *folder, const char *name,
                              size_t max_bytes, struct lb_arena *arena, struct lb_span *out)
{
    LB_DEFER(close_fd) int parent = -1;
    const char *base = NULL;
    struct stat info;
    LB_TRY(open_parent(folder, name, false, &parent, &base));
    LB_DEFER(close_fd)
    int fd = openat(parent, base, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        LB_FAIL(LB_ABSENT, "there is no such file");
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "a file cannot be opened");
    LB_ENSURE(fstat(fd, &info) == 0 && S_ISREG(info.st_mode), LB_FILE_FAILED,
              "not a regular file");
    LB_ENSURE((uint64_t)info.st_size <= max_bytes, LB_TOO_LARGE, "a file is larger than allowed");
    return read_all(fd, (size_t)info.st_size, arena, out);
}

/* --- writing --- */

static lb_status write_all(int fd, struct lb_span content)
{
    while (content.len > 0) {
        ssize_t put = write(fd, content.ptr, content.len);
        if (put < 0 && errno == EINTR)
            continue;
        LB_ENSURE(put > 0, LB_FILE_FAILED, "a file cannot be written");
        content = lb_span_of(content.ptr + put, content.len - (size_t)put);
    }
    LB_ENSURE(fsync(fd) == 0, LB_FILE_FAILED, "a file cannot be synced");
    return LB_OK;
}

lb_status lb_tlog_folder_put(const struct lb_tlog_folder *folder, const char *name,
                             struct lb_span content)
{
    LB_DEFER(close_fd) int parent = -1;
    const char *base = NULL;
    LB_TRY(open_parent(folder, name, true, &parent, &base));
    if (unlinkat(folder->fd, UNFINISHED, 0) != 0)
        LB_ENSURE(errno == ENOENT, LB_FILE_FAILED, "an unfinished file cannot be removed");
    LB_DEFER(close_fd)
    int fd = openat(folder->fd, UNFINISHED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                    FILE_MODE);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "a file cannot be made");
    LB_TRY(write_all(fd, content));
    LB_ENSURE(renameat(folder->fd, UNFINISHED, parent, base) == 0, LB_FILE_FAILED,
              "a file cannot be put in its place");
    LB_ENSURE(fsync(parent) == 0, LB_FILE_FAILED, "a folder cannot be synced");
    return LB_OK;
}

void lb_tlog_folder_prune(const struct lb_tlog_folder *folder, const char *name)
{
    LB_DEFER(close_fd) int parent = -1;
    const char *base = NULL;
    if (open_parent(folder, name, false, &parent, &base) != LB_OK)
        return;
    int fd = openat(parent, base, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        close_fd(&fd);
        return;
    }
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        (void)unlinkat(fd, entry->d_name, 0);
    (void)closedir(dir);
    (void)unlinkat(parent, base, AT_REMOVEDIR);
}
