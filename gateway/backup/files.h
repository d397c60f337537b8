#ifndef GATEWAY_BACKUP_FILES_H
#define GATEWAY_BACKUP_FILES_H

#include "gateway/backup/manifest.h"
#include "gateway/base/diag.h"

/* Inside gateway/backup: files by their names below a folder. */

struct lb_backup_names {
    const char **list;  /* relative, in the order of their bytes */
    size_t num;
};

/* lb_backup_list finds every regular file below a folder. Sockets are passed over; FILE_FAILED for
 * anything else that is no file or folder, a folder too deep, and what can't be read; TOO_LARGE
 * past LB_BACKUP_MAX_FILES; NO_MEMORY; with a sentence in diag. A missing folder is an empty
 * one. */
LB_MUST lb_status lb_backup_list(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                                 struct lb_backup_names *out_names);

/* What a file of a state folder is to a backup. */
enum lb_backup_kind {
    LB_BACKUP_PASSING,   /* locks, temporary files, SQLite's, the disk reserve */
    LB_BACKUP_LOG,       /* evidence.db and its ratchet */
    LB_BACKUP_SHARD,     /* whatever is in shards/ */
    LB_BACKUP_KEY,       /* by its name, or by what is in it */
    LB_BACKUP_DATABASE,  /* SQLite's */
    LB_BACKUP_PLAIN,
    LB_BACKUP_GONE,      /* removed since it was listed */
};
/* lb_backup_kind_of looks at the name, and then at the first bytes. FILE_FAILED. */
LB_MUST lb_status lb_backup_kind_of(const char *folder, const char *name,
                                    enum lb_backup_kind *out_kind);

/* Asked before every piece that is written; a failure ends the copying. */
struct lb_backup_pace {
    lb_status (*go_on)(void *ctx, uint64_t done, uint64_t all);
    void *ctx;
};

/* lb_backup_copy copies one file to a new one, mode 0600, synced with its folder; size and hash are
 * those of what was written. FILE_FAILED (not a regular file, there is one of that name, trouble);
 * ABSENT when it is gone; what `pace` says. */
LB_MUST lb_status lb_backup_copy(const char *from, const char *to,
                                 const struct lb_backup_pace *pace,
                                 struct lb_backup_file *out_file);
/* lb_backup_hash reads a whole file. FILE_FAILED; ABSENT when there is none; what `pace` says. */
LB_MUST lb_status lb_backup_hash(const char *path, const struct lb_backup_pace *pace,
                                 struct lb_backup_file *out_file);
/* lb_backup_sync_folder makes what was made in a folder durable. FILE_FAILED. */
LB_MUST lb_status lb_backup_sync_folder(const char *folder);

#endif
