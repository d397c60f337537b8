#ifndef GATEWAY_EVIDENCE_FOLLOW_H
#define GATEWAY_EVIDENCE_FOLLOW_H

#include "gateway/base/diag.h"
#include "gateway/crypto/x25519.h"
#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/leaf.h"
#include "gateway/note/note.h"

/*
 * Following a log folder from outside, step by step: what is new since the size a follower holds,
 * proved to extend what it holds before any of it is believed. It never changes a byte and holds no
 * snapshot, so it may run beside a live node for as long as it likes: leaves never change once a
 * checkpoint covers them.
 */
struct lb_follow;

/* lb_follow_open opens a log's folder. FILE_FAILED, STORE_FAILED with a sentence in diag. */
LB_MUST lb_status lb_follow_open(const char *folder, struct lb_diag *diag,
                                 struct lb_follow **out_follow);
/* lb_follow_close wipes and releases; NULL is allowed. */
void lb_follow_close(struct lb_follow *follow);

/* lb_follow_origin copies what the stored checkpoint calls its log, to choose the key to verify
 * with; only lb_follow_advance proves it. ABSENT or SEAL_BROKEN when there is none; STORE_FAILED,
 * NO_MEMORY. */
LB_MUST lb_status lb_follow_origin(struct lb_follow *follow, struct lb_arena *arena,
                                   const char **out_origin);

/* lb_follow_advance proves that the log as it now stands extends a tree of this size and root: the
 * checkpoint is signed by the verifier, its tree follows from the stored tiles up to `size` and
 * from the leaves after it. With size 0 the root is not looked at. LOG_BEHIND when the log is
 * shorter, LOG_FORK when it is another one or a leaf was changed, SIGNATURE_INVALID; with a
 * sentence in diag. */
LB_MUST lb_status lb_follow_advance(struct lb_follow *follow,
                                    const struct lb_note_verifier *verifier, uint64_t size,
                                    const struct lb_hash *root, struct lb_diag *diag,
                                    struct lb_checkpoint *out_head);
/* lb_follow_root is the root of the first `size` leaves, at most what was proved last. */
LB_MUST lb_status lb_follow_root(struct lb_follow *follow, uint64_t size,
                                 struct lb_hash *out_root);

enum lb_follow_detail {
    LB_FOLLOW_NONE,    /* the entry never had a detail */
    LB_FOLLOW_OPEN,
    LB_FOLLOW_ERASED,
    LB_FOLLOW_BROKEN,  /* another officer's key, or damage */
};

struct lb_follow_entry {
    uint64_t index;
    struct lb_leaf leaf;
    enum lb_follow_detail state;
    struct lb_span detail;     /* JSON text, when open */
    uint64_t kid;              /* of the data key, when there is a detail */
    bool has_subject;          /* the detail is under a subject's key, and open */
    uint8_t subject[32];
};

/* The officer's private keys: the one of today, and those before that still open what they
 * opened. */
struct lb_follow_keys {
    const struct lb_x25519_key *keys;
    size_t num;
};

/* lb_follow_read reads one entry below the head that was proved last, and opens its detail with one
 * of the officer's keys; texts are in the arena. A detail that does not open is no failure but a
 * state. */
LB_MUST lb_status lb_follow_read(struct lb_follow *follow, uint64_t index,
                                 const struct lb_follow_keys *officer, struct lb_arena *arena,
                                 struct lb_follow_entry *out_entry);

/* Who is told of a data key that the ERASURE leaf number `erasure` destroyed. */
struct lb_follow_visit {
    lb_status (*erased)(void *ctx, uint64_t erasure, uint64_t kid);
    void *ctx;
};
/* lb_follow_erased tells of every key destroyed by the leaves from..to-1, which were proved
 * last. */
LB_MUST lb_status lb_follow_erased(struct lb_follow *follow, uint64_t from, uint64_t to,
                                   const struct lb_follow_visit *visit);

#endif
