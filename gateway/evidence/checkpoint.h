#ifndef GATEWAY_EVIDENCE_CHECKPOINT_H
#define GATEWAY_EVIDENCE_CHECKPOINT_H

#include "gateway/evidence/merkle.h"
#include "gateway/note/note.h"

/* C2SP tlog-checkpoint: "<origin>\n<size>\n<base64 root>\n" in a signed note. */
struct lb_checkpoint {
    char origin[256];
    uint64_t size;
    struct lb_hash root;
};

/* lb_checkpoint_sign writes and signs; the signer's name is the origin. Result in the arena. */
LB_MUST lb_status lb_checkpoint_sign(const struct lb_checkpoint *checkpoint,
                                     const struct lb_sign_key *key, struct lb_arena *arena,
                                     struct lb_span *out_note);
/* lb_checkpoint_open verifies against one log's verifier and parses. SIGNATURE_INVALID; MALFORMED
 * for leading zeros, extra or missing lines, bad base64, or an origin other than the verifier's
 * name. */
LB_MUST lb_status lb_checkpoint_open(struct lb_span note, const struct lb_note_verifier *verifier,
                                     struct lb_checkpoint *out_checkpoint);

/* lb_checkpoint_parse_size reads a tree size: decimal, no leading zero, at most 2^63 - 1.
 * MALFORMED. */
LB_MUST lb_status lb_checkpoint_parse_size(struct lb_span text, uint64_t *out_size);

#endif
