#ifndef GATEWAY_SHARE_PAIRS_H
#define GATEWAY_SHARE_PAIRS_H

#include "gateway/share/share.h"

/* Keys that two departments have in common, kept because each costs a Diffie-Hellman: few pairs of
 * adapters serve all persons. Any thread. */
struct lb_share_pairs;

#define LB_SHARE_PAIR_BYTES 32

/* lb_share_pairs_new makes an empty store; NO_MEMORY. lb_share_pairs_free wipes it; NULL is
 * allowed. */
LB_MUST lb_status lb_share_pairs_new(struct lb_share_pairs **out_pairs);
void lb_share_pairs_free(struct lb_share_pairs *pairs);

/* lb_share_pair gives the key of `mine`, whose private half is `own`, and `other`, which may be the
 * same. `pairs` may be NULL. CRYPTO_FAILED for a key of small order; TOO_LARGE for a name that
 * is. */
LB_MUST lb_status lb_share_pair(struct lb_share_pairs *pairs, const struct lb_share_part *mine,
                                const struct lb_share_part *other,
                                const struct lb_x25519_key *own, uint8_t out[LB_SHARE_PAIR_BYTES]);

#endif
