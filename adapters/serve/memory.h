#ifndef ADAPTERS_SERVE_MEMORY_H
#define ADAPTERS_SERVE_MEMORY_H

#include "gateway/store/store.h"

/*
 * What an adapter must not forget: sealed messages it has answered, uses of each grant, request
 * ids, and the status lists' sequence. The tables live in the evidence store, and each change
 * commits in the same transaction as the entry it belongs to (DESIGN §3.5).
 */
struct lb_serve_memory;

/* lb_serve_memory_new holds the statements, prepared when first used in the store that the
 * sequencer passes; NO_MEMORY. lb_serve_memory_free takes NULL; the store frees the statements. */
LB_MUST lb_status lb_serve_memory_new(struct lb_serve_memory **out_memory);
void lb_serve_memory_free(struct lb_serve_memory *memory);

/* What is over goes bit by bit: a 256th of the tables for each second, but not for more seconds
 * than these at once. */
#define LB_MEMORY_SLICES_AT_ONCE 4

struct lb_memory_use {
    uint8_t replay_id[32];   /* of (enc, seq) */
    uint8_t grant_id[32];    /* of (issuer, jti) */
    uint8_t rid_id[32];      /* of (grant, rid) */
    uint8_t rid_digest[32];  /* of what is asked */
    int64_t max_uses;
    int64_t expires_unix_s;  /* of the grant */
    bool retry;              /* out: the rid was seen before */
};

/* lb_serve_memory_take records one sealed message, and one use unless the rid is a retry. What the
 * sealed answer says plays no part: a refusal that depends on the person is a use like any other,
 * or the number of uses left would tell it. Runs on the sequencer inside an open transaction.
 * REPLAY: this message was answered before. REQUEST_CHANGED: the rid was used for something else.
 * RETRY_EXHAUSTED: more than LB_MAX_RETRIES within LB_RETRY_WINDOW_S. USE_EXHAUSTED.
 * STORE_FAILED. */
LB_MUST lb_status lb_serve_memory_take(struct lb_serve_memory *memory, struct lb_store *store,
                                       int64_t now_unix_s, struct lb_memory_use *use);

/* lb_serve_memory_status remembers a status list's sequence. STATUS_FORK: same seq, other bytes;
 * STATUS_STALE: an older seq than remembered. */
LB_MUST lb_status lb_serve_memory_status(struct lb_serve_memory *memory, struct lb_store *store,
                                         const char *uri, uint64_t seq,
                                         const uint8_t sha256[32]);

/* lb_serve_memory_stop remembers that a grant (its 32-byte id) is over, until nobody can present it
 * any more. lb_serve_memory_check_stop: GRANT_REVOKED when it is. Both run on the sequencer. */
LB_MUST lb_status lb_serve_memory_stop(struct lb_serve_memory *memory, struct lb_store *store,
                                       const uint8_t grant_id[32], int64_t expires_unix_s);
LB_MUST lb_status lb_serve_memory_check_stop(struct lb_serve_memory *memory,
                                             struct lb_store *store, const uint8_t grant_id[32]);

#endif
