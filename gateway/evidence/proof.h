#ifndef GATEWAY_EVIDENCE_PROOF_H
#define GATEWAY_EVIDENCE_PROOF_H

#include "gateway/base/arena.h"
#include "gateway/base/limits.h"
#include "gateway/evidence/checkpoint.h"

/*
 * C2SP tlog-proof: one entry's place in a log, as a file that is checked offline.
 *
 *   c2sp.org/tlog-proof@v1
 *   extra <base64>          may be missing; ours is the entry itself
 *   index <n>
 *   <base64 hash>           the inclusion path, leaf sibling first; none in a tree of one leaf
 *
 *   <checkpoint>
 */
#define LB_TLOG_PROOF_MAX_BYTES 65536U

struct lb_tlog_proof {
    bool has_extra;
    struct lb_span extra;
    uint64_t index;
    struct lb_hash path[LB_MAX_PROOF_HASHES];
    size_t num_path;
    struct lb_span checkpoint;  /* a signed note */
};

/* lb_tlog_proof_format writes the file into the arena. TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_tlog_proof_format(const struct lb_tlog_proof *proof, struct lb_arena *arena,
                                       struct lb_span *out_text);
/* lb_tlog_proof_parse reads a file; every proof has one text. `checkpoint` borrows from text, extra
 * is in the arena. Nothing is verified. MALFORMED, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_tlog_proof_parse(struct lb_span text, struct lb_arena *arena,
                                      struct lb_tlog_proof *out_proof);
/* lb_tlog_proof_origin copies what the checkpoint calls its log, to choose the key to verify with.
 * MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_tlog_proof_origin(const struct lb_tlog_proof *proof, struct lb_arena *arena,
                                       const char **out_origin);

/* lb_tlog_proof_verify proves the entry in `extra`: the checkpoint's signature, and the path from
 * the entry's hash to its root. SIGNATURE_INVALID, MALFORMED; RECEIPT_INVALID when the path does
 * not hold, the tree is empty, or there is no entry to prove. */
LB_MUST lb_status lb_tlog_proof_verify(const struct lb_tlog_proof *proof,
                                       const struct lb_note_verifier *verifier,
                                       struct lb_checkpoint *out_checkpoint,
                                       struct lb_hash *out_leaf_hash);

#endif
