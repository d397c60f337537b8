#ifndef GATEWAY_TRUST_HANDOVER_H
#define GATEWAY_TRUST_HANDOVER_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"

/*
 * How a member's key is replaced: the old one signs
 *
 *   lianban key handover v1 LF <old name> SP <old key> LF <new name> SP <new key> LF
 *
 * Names and keys are those that nodes remember (state.h): for a log key its node's SPIFFE id, both
 * times, and the verifier key; for an issuer's key <organization>/<kid> and base64url(x || y). The
 * statement stands in the directory beside the new key. Whoever has only the directory key cannot
 * make one; whoever stole the old key can, so a key that was stolen is replaced by local
 * confirmation instead.
 */
struct lb_handover {
    const char *old_name, *old_key;
    const char *new_name, *new_key;
};

/* lb_handover_sign signs it by the old key; lb_handover_check verifies. SIGNATURE_INVALID,
 * CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_handover_sign(const struct lb_handover *handover,
                                   const struct lb_sign_key *old_key, struct lb_arena *arena,
                                   uint8_t out_signature[LB_SIGNATURE_BYTES]);
LB_MUST lb_status lb_handover_check(const struct lb_handover *handover,
                                    const struct lb_verify_key *old_key,
                                    struct lb_span signature, struct lb_arena *arena);

#endif
