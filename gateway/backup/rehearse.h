#ifndef GATEWAY_BACKUP_REHEARSE_H
#define GATEWAY_BACKUP_REHEARSE_H

#include "gateway/backup/backup.h"
#include "gateway/store/schema.h"

/*
 * What a program of another version would do to a node's stores when it starts, done to a copy of
 * them. The node goes on, and nothing of it is touched.
 */
struct lb_rehearsed {
    const char *name;        /* below the state folder */
    uint64_t bytes;          /* before */
    uint64_t found, known;   /* versions: of the file, of this program */
    int64_t took_ms;         /* for the steps between them; 0 without any */
};

#define LB_REHEARSE_MAX 16

/*
 * lb_rehearse looks at the stores of the node that the kinds are for, copies its state, raises the
 * stores in the copy, and verifies what that came to: each by SQLite's own check, the log from its
 * first entry on. The copy is no backup any more, so it has no manifest. Rows are the stores that
 * are there, in the order of the kinds, also when it fails; *out_num says how many.
 *
 * VERSION_UNSUPPORTED, with a sentence that names the file and both versions, and nothing copied: a
 * newer program wrote it, and this one would refuse it. Else as lb_backup_make.
 */
LB_MUST lb_status lb_rehearse(const struct lb_backup_options *options,
                              const struct lb_store_schema *kinds, size_t num_kinds,
                              struct lb_arena *arena, struct lb_diag *diag,
                              struct lb_rehearsed out_rows[LB_REHEARSE_MAX], size_t *out_num);

/* lb_rehearse_clear removes the copy with all that is in it. FILE_FAILED. */
LB_MUST lb_status lb_rehearse_clear(const char *out);

#endif
