#ifndef GATEWAY_EVIDENCE_TLOG_FOLDER_H
#define GATEWAY_EVIDENCE_TLOG_FOLDER_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/*
 * A folder of plain files, reached from its open descriptor only: no name goes through a symbolic
 * link. A file appears whole and durably or not at all: written under another name, synced,
 * renamed, and its folder synced, which is held open all the while.
 */
struct lb_tlog_folder {
    int fd;
    const char *path;  /* for sentences; borrowed */
};

/* lb_tlog_folder_open opens a folder; for writing it is made if need be and locked until it is
 * closed. FILE_FAILED, STATE_LOCKED with a sentence in diag. */
LB_MUST lb_status lb_tlog_folder_open(const char *path, bool write, struct lb_diag *diag,
                                      struct lb_tlog_folder *out_folder);
void lb_tlog_folder_close(struct lb_tlog_folder *folder);

/* lb_tlog_folder_read reads a whole regular file. ABSENT when there is none, TOO_LARGE past
 * max_bytes, FILE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_tlog_folder_read(const struct lb_tlog_folder *folder, const char *name,
                                      size_t max_bytes, struct lb_arena *arena,
                                      struct lb_span *out);
/* lb_tlog_folder_put writes a file, in place of an older one if there is one; folders on its way
 * are made. FILE_FAILED. */
LB_MUST lb_status lb_tlog_folder_put(const struct lb_tlog_folder *folder, const char *name,
                                     struct lb_span content);
/* lb_tlog_folder_prune removes a folder of plain files and all of them; what can't be removed
 * stays. */
void lb_tlog_folder_prune(const struct lb_tlog_folder *folder, const char *name);
/* lb_tlog_folder_only says whether nothing but these names (NULL-terminated) is in it, and what
 * an interrupted write left. FILE_FAILED. */
LB_MUST lb_status lb_tlog_folder_only(const struct lb_tlog_folder *folder,
                                      const char *const *names, bool *out_only);

#endif
