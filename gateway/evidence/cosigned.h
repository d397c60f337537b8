#ifndef GATEWAY_EVIDENCE_COSIGNED_H
#define GATEWAY_EVIDENCE_COSIGNED_H

#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/inspect.h"
#include "gateway/evidence/witness_policy.h"
#include "gateway/store/schema.h"

/*
 * What witnesses have said of a log: its checkpoints with their cosignatures, in a file of its own
 * beside it (cosigned.db), written by whoever submits. It is no part of the tree: a log is whole
 * without it, and who deletes it only loses what others have vouched for.
 *
 * All of the last day are kept, and of older ones the newest of each hour.
 */
#define LB_COSIGNED_DATABASE "cosigned.db"

struct lb_cosigned;

/* One checkpoint as witnesses have it. */
struct lb_cosigned_row {
    uint64_t size;
    int64_t unix_s;       /* by the log's own clock */
    bool met;             /* the policy's quorum, when it was stored */
    struct lb_span note;  /* with the cosignatures, in the arena */
};

/* lb_cosigned_open opens the file in a log's folder for writing and makes it when it is missing.
 * FILE_FAILED, STORE_FAILED, VERSION_UNSUPPORTED. */
LB_MUST lb_status lb_cosigned_open(const char *folder, struct lb_cosigned **out_cosigned);
/* lb_cosigned_open_read opens it to look only. ABSENT when there is none; as above. */
LB_MUST lb_status lb_cosigned_open_read(const char *folder, struct lb_cosigned **out_cosigned);
/* lb_cosigned_close releases; NULL is allowed. */
void lb_cosigned_close(struct lb_cosigned *cosigned);

/* lb_cosigned_put stores a checkpoint, durably when it returns. Of two with one size the one that
 * met the quorum stays. STORE_FAILED. */
LB_MUST lb_status lb_cosigned_put(struct lb_cosigned *cosigned,
                                  const struct lb_cosigned_row *row);
/* lb_cosigned_newest reads the one of the largest size, or of those that met the quorum. ABSENT,
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_cosigned_newest(struct lb_cosigned *cosigned, bool met_only,
                                     struct lb_arena *arena, struct lb_cosigned_row *out_row);

/* What is proved of a log's newest witnessed checkpoint. */
struct lb_witnessed {
    struct lb_checkpoint checkpoint;
    uint32_t cosigned;  /* bit i: witness i of the policy */
};

/* lb_witnessed_check verifies a checkpoint with its cosignatures: the log's signature, every
 * cosignature and the policy's quorum. ABSENT without a quorum, SIGNATURE_INVALID or MALFORMED for
 * one that was changed; with a sentence in diag. */
LB_MUST lb_status lb_witnessed_check(struct lb_span note, const struct lb_note_verifier *verifier,
                                     const struct lb_witness_policy *policy, struct lb_diag *diag,
                                     struct lb_witnessed *out_witnessed);
/* lb_witnessed_read finds in a log's folder the newest checkpoint that met the quorum, and checks
 * it again; the note is in the arena. ABSENT when none did; as lb_witnessed_check. */
LB_MUST lb_status lb_witnessed_read(const char *folder, const struct lb_note_verifier *verifier,
                                    const struct lb_witness_policy *policy, struct lb_arena *arena,
                                    struct lb_diag *diag, struct lb_witnessed *out_witnessed,
                                    struct lb_span *out_note);
/* lb_witnessed_compare holds a checkpoint that others vouch for against the leaves of a log:
 * LOG_BEHIND when the log is shorter, LOG_FORK when its first leaves give another root; with a
 * sentence in diag. STORE_FAILED. */
LB_MUST lb_status lb_witnessed_compare(struct lb_log_reader *reader,
                                       const struct lb_checkpoint *witnessed,
                                       struct lb_diag *diag);

/* The store of the own log's cosigned checkpoints, for who looks at all of a node's. */
extern const struct lb_store_schema lb_cosigned_schema;

#endif
