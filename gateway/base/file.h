#ifndef GATEWAY_BASE_FILE_H
#define GATEWAY_BASE_FILE_H

#include <sys/types.h>

#include "gateway/base/arena.h"

/* lb_file_read reads a whole regular file of at most max_bytes. FILE_FAILED when it cannot be read,
 * TOO_LARGE past the maximum. The content is followed by a NUL that is not part of its length. */
LB_MUST lb_status lb_file_read(const char *path, size_t max_bytes, struct lb_arena *arena,
                               struct lb_span *out);

/* lb_file_read_secret is lb_file_read for keys: FILE_FAILED as well when group or others have any
 * access to the file, or when it belongs to neither this user nor root. */
LB_MUST lb_status lb_file_read_secret(const char *path, size_t max_bytes, struct lb_arena *arena,
                                      struct lb_span *out);

/* lb_file_write replaces a file atomically and durably (temporary file, fsync, rename, fsync of the
 * folder) with the given mode. FILE_FAILED leaves the old content in place. */
LB_MUST lb_status lb_file_write(const char *path, struct lb_span content, mode_t mode);

/* lb_file_destroy overwrites a file's bytes where they lie, syncs, and removes it durably. Copies a
 * file system or disk keeps elsewhere are beyond its reach. FILE_FAILED. */
LB_MUST lb_status lb_file_destroy(const char *path);

/* lb_file_mkdirs makes a folder and its parents with mode 0700; an existing one is fine. */
LB_MUST lb_status lb_file_mkdirs(const char *path);

/* lb_file_lock takes an exclusive lock on `<folder>/lock` for the life of the process, so that one
 * state folder has one owner. STATE_LOCKED when another process holds it. *out_fd is kept open. */
LB_MUST lb_status lb_file_lock(const char *folder, int *out_fd);

#endif
