#ifndef GATEWAY_EVIDENCE_DIGESTS_H
#define GATEWAY_EVIDENCE_DIGESTS_H

#include "gateway/evidence/reconcile.h"

/*
 * Digests of minutes, and both as they travel (Evidence.GetDigests and GetDigestEntries).
 *
 * A read's digest is over what both sides know of it once it was answered and relayed:
 *
 *   SHA-256("lianban reconcile v1" || txn[16] || field16(code) || SHA-256(views)[32]
 *           || request_hash[32] || answer_hash[32] || policy_hash[32]
 *           || leaf hash of the ROUTE entry[32] || leaf hash of the READ entry[32])
 *
 * which an adapter makes from its READ entry (whose peer_leaf names the ROUTE entry), a broker from
 * its DELIVER entry (whose peer_leaf names the READ entry) and its ROUTE entry. A minute's digest
 * is the RFC 6962 root over the digests, sorted, of the reads whose READ (or DELIVER) entry has its
 * time in it. A read that failed is in no digest.
 */
struct lb_minute_digest {
    int64_t minute;
    uint32_t count;
    uint32_t unclosed;
    struct lb_hash root;
};

/* lb_digests_make sums up a sorted set's minutes from `from` to before `to`, those in which
 * there is something, in the arena. NO_MEMORY. */
LB_MUST lb_status lb_digests_make(const struct lb_reconcile_set *set, int64_t from, int64_t to,
                                  int64_t now_ms, struct lb_arena *arena,
                                  struct lb_minute_digest **out_digests, size_t *out_num);

/* lb_digests_pack encodes an answer that is complete up to before `to`. TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_digests_pack(const struct lb_minute_digest *digests, size_t num, int64_t to,
                                  struct lb_arena *arena, struct lb_span *out);
/* lb_digests_parse reads what another node says of minutes from `from` to before `to`: MALFORMED
 * for anything but rising minutes within them, each with something in it, or when it covers
 * nothing of what was asked. */
LB_MUST lb_status lb_digests_parse(struct lb_span bytes, int64_t from, int64_t to,
                                   struct lb_arena *arena, struct lb_minute_digest **out_digests,
                                   size_t *out_num, int64_t *out_to);

/* One entry as it travels. */
struct lb_digest_leaf {
    uint64_t index;
    struct lb_span leaf;
};

/* lb_digest_entries_pack encodes one page. TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_digest_entries_pack(const struct lb_digest_leaf *leaves, size_t num,
                                         uint64_t next_index, struct lb_arena *arena,
                                         struct lb_span *out);
/* lb_digest_entries_parse adds what another node says of one minute to a set: MALFORMED for indexes
 * that do not rise from from_index on, a page that leads nowhere, a leaf that is none, or one that
 * is about no read or lies minutes away; TOO_LARGE past the set's bound. */
LB_MUST lb_status lb_digest_entries_parse(struct lb_span bytes, int64_t minute,
                                          uint64_t from_index, struct lb_reconcile_set *into,
                                          uint64_t *out_next);

#endif
