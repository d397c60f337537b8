#ifndef GATEWAY_EVIDENCE_ADD_CHECKPOINT_H
#define GATEWAY_EVIDENCE_ADD_CHECKPOINT_H

#include "gateway/evidence/checkpoint.h"

/*
 * add-checkpoint of C2SP tlog-witness: what a log sends to a witness, and how the witness judges
 * it. A body is
 *
 *   old <size>\n
 *   <base64 hash>\n     at most 63, the consistency proof from the old size
 *   \n
 *   <checkpoint>        a signed note
 */
#define LB_ADD_CHECKPOINT_MAX_BYTES (16 * 1024)
#define LB_ADD_CHECKPOINT_MAX_PROOF 63

/* What a witness answers, by the HTTP status of the specification. */
enum lb_witness_answer {
    LB_WITNESS_COSIGNED = 200,      /* the body is its signature line */
    LB_WITNESS_BAD_REQUEST = 400,   /* no such body, or the old size is past the checkpoint's */
    LB_WITNESS_FORBIDDEN = 403,     /* no good signature of the log's key */
    LB_WITNESS_UNKNOWN_LOG = 404,
    LB_WITNESS_CONFLICT = 409,      /* the body is the size cosigned last, and LF */
    LB_WITNESS_INCONSISTENT = 422,  /* proof or root do not hold: another history */
};

struct lb_add_checkpoint {
    uint64_t old_size;
    size_t num_proof;
    struct lb_hash proof[LB_ADD_CHECKPOINT_MAX_PROOF];
    struct lb_span note;    /* borrows from the body */
    struct lb_span origin;  /* its first line, as it stands; only the signature proves it */
};

/* lb_add_checkpoint_parse reads a body. MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_add_checkpoint_parse(struct lb_span body, struct lb_add_checkpoint *out);
/* lb_add_checkpoint_write makes a body in the arena. MALFORMED for too long a proof, NO_MEMORY. */
LB_MUST lb_status lb_add_checkpoint_write(uint64_t old_size, const struct lb_hash *proof,
                                          size_t num_proof, struct lb_span note,
                                          struct lb_arena *arena, struct lb_span *out_body);

/* lb_add_checkpoint_judge decides about a checkpoint whose signature was verified, against the size
 * and root cosigned last (0 and the empty root for a log never seen). */
enum lb_witness_answer lb_add_checkpoint_judge(const struct lb_add_checkpoint *request,
                                               const struct lb_checkpoint *next,
                                               uint64_t latest_size,
                                               const struct lb_hash *latest_root);

#endif
