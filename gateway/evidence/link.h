#ifndef GATEWAY_EVIDENCE_LINK_H
#define GATEWAY_EVIDENCE_LINK_H

#include "gateway/evidence/checkpoint_memo.h"
#include "gateway/evidence/log.h"
#include "lianban/v1/evidence.pb-c.h"

/*
 * Evidence as it travels between two nodes: LogProgress (a checkpoint with consistency from the
 * last one shown) and EntryProof (a leaf with its inclusion path). The shower's half works on its
 * own log, the watcher's half on what it has seen of the other's.
 */

#define LB_LINK_MAX_CHECKPOINT_BYTES 4096

/* lb_link_show fills a LogProgress for a peer who was last shown *shown_size (0 for never) and
 * moves *shown_size on. Lives in the arena. */
LB_MUST lb_status lb_link_show(struct lb_log *log, uint64_t *shown_size, struct lb_arena *arena,
                               Lianban__V1__LogProgress **out_progress, uint64_t *out_size);
/* lb_link_prove fills an EntryProof for a committed entry against a tree size. */
LB_MUST lb_status lb_link_prove(struct lb_log *log, uint64_t index, struct lb_span leaf,
                                uint64_t size, struct lb_arena *arena,
                                Lianban__V1__EntryProof **out_proof);

/* What a node knows of another's log. Thread-compatible: guarded by its holder. */
struct lb_watch {
    struct lb_note_verifier verifier;
    struct lb_checkpoint_memo *memo; /* of checkpoints verified before; the holder's, or NULL */
    uint64_t size;
    struct lb_hash root;
};

/* lb_watch_init starts from a verifier (copied by its name and key) and what was last seen (0 for
 * nothing). */
LB_MUST lb_status lb_watch_init(struct lb_watch *watch, const char *origin,
                                const uint8_t public_key[32], uint64_t seen_size,
                                const struct lb_hash *seen_root);
void lb_watch_cleanup(struct lb_watch *watch);
/* lb_watch_advance verifies a LogProgress and moves on. SIGNATURE_INVALID, MALFORMED; LOG_BEHIND
 * when it is smaller than what was seen; LOG_FORK when it is not an extension. On failure the
 * watch stays. out_checkpoint gets the verified checkpoint. When from_size is 0 or not ours the
 * proof cannot be checked: with a seen size > 0 that is LOG_FORK, unless the size is the one
 * seen, where the root alone decides. A tree of size 0 must have the empty root. */
LB_MUST lb_status lb_watch_advance(struct lb_watch *watch, const Lianban__V1__LogProgress *progress,
                                   struct lb_checkpoint *out_checkpoint);
/* lb_watch_check verifies a checkpoint alone, for a reader who follows no history (the window agent
 * behind the broker): signature and origin only. */
LB_MUST lb_status lb_watch_check(const struct lb_watch *watch,
                                 const Lianban__V1__LogProgress *progress,
                                 struct lb_checkpoint *out_checkpoint);
/* lb_link_verify checks an EntryProof against a verified checkpoint and decodes the leaf.
 * RECEIPT_INVALID, MALFORMED. */
LB_MUST lb_status lb_link_verify(const Lianban__V1__EntryProof *proof,
                                 const struct lb_checkpoint *checkpoint, struct lb_leaf *out_leaf,
                                 struct lb_hash *out_leaf_hash);

#endif
