#ifndef GATEWAY_SEAL_CONTEXTS_H
#define GATEWAY_SEAL_CONTEXTS_H

#include "gateway/base/clock.h"
#include "gateway/seal/hpke.h"

/*
 * The recipient's HPKE contexts: one per (enc, sender, info), so that a requester's many reads cost
 * one key agreement. In memory only; a context lives LB_CONTEXT_LIFE_S from its first use and no
 * request prolongs that.
 *
 * A context is named by SHA-256(enc || sender_pub || info). Past its life it is wiped and its name
 * kept for a second life, during which it is refused with CONTEXT_UNKNOWN instead of being set up
 * again. The number of contexts is bounded, and the number of names is bounded at four times that;
 * past the first bound the least recently used context is wiped (it is set up again on demand and
 * keeps its original end), past the second the oldest name is forgotten. So forgetting can at worst
 * open a context anew whose messages are older than a sealed request may be, and replay memory is
 * durable elsewhere.
 *
 * Setting up proves nothing about the sender. Callers check the grant's signature and its cnf
 * against sender_pub before they ask, so that nobody fills the store with junk.
 */
struct lb_seal_contexts;

/* lb_seal_contexts_new makes a store for at most max_contexts (at least 1) at a time. Lives are
 * measured by the clock's monotonic time; the clock must outlive the store. NO_MEMORY. */
LB_MUST lb_status lb_seal_contexts_new(size_t max_contexts, const struct lb_clock *clock,
                                       struct lb_seal_contexts **out_contexts);

/* lb_seal_contexts_free wipes and frees; NULL is allowed. */
void lb_seal_contexts_free(struct lb_seal_contexts *contexts);

/* lb_seal_contexts_get copies the context out, setting it up if it is new. `recipient` is the key
 * that info's key id names; enc and sender_pub have 32 bytes each, which the caller has checked.
 * CONTEXT_UNKNOWN when it is past its life, SEAL_BROKEN for keys of small order (nothing is stored
 * then). Thread-safe; key agreement runs outside the lock. The caller wipes its copy. */
LB_MUST lb_status lb_seal_contexts_get(struct lb_seal_contexts *contexts,
                                       const struct lb_x25519_key *recipient,
                                       const uint8_t enc[LB_HPKE_ENC_BYTES], struct lb_span info,
                                       const uint8_t sender_pub[LB_X25519_BYTES],
                                       struct lb_hpke_context *out_context);

/* lb_seal_contexts_sweep wipes what is past its life and forgets what is past its second; every get
 * does it too, so a timer needs to call this only to bound how long an idle process keeps keys. */
void lb_seal_contexts_sweep(struct lb_seal_contexts *contexts);

/* lb_seal_contexts_count returns how many contexts hold keys now, and in *out_names (may be NULL)
 * how many names are remembered. */
size_t lb_seal_contexts_count(struct lb_seal_contexts *contexts, size_t *out_names);

#endif
