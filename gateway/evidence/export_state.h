#ifndef GATEWAY_EVIDENCE_EXPORT_STATE_H
#define GATEWAY_EVIDENCE_EXPORT_STATE_H

#include "gateway/evidence/export.h"
#include "gateway/evidence/tlog_folder.h"
#include "gateway/evidence/tree.h"

/* The inside of an export, shared by writing and reading. */
struct lb_export {
    struct lb_tlog_folder folder;
    char *path;
    struct lb_diag *diag;     /* of the call that runs */
    struct lb_arena *arena;   /* of one file that is compared or read */
    uint64_t num_files;
};

#define LB_EXPORT_CHECKPOINT "checkpoint"
#define LB_EXPORT_ARENA_BYTES (2 * LB_TLOG_MAX_BUNDLE_BYTES)

/* lb_export_source makes the export's own files a source; its failures are LOG_FORK with the
 * file's name in export->diag. */
struct lb_tlog_source lb_export_source(struct lb_export *export);

/* lb_tree_tlog_tile is a source's tile out of a tree that is at least as large. LOG_FORK when the
 * tree lacks it; what the tree's own source says. */
LB_MUST lb_status lb_tree_tlog_tile(struct lb_tree *tree, unsigned level, uint64_t n,
                                    unsigned width, struct lb_hash *out_hashes);

#endif
