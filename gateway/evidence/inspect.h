#ifndef GATEWAY_EVIDENCE_INSPECT_H
#define GATEWAY_EVIDENCE_INSPECT_H

#include "gateway/base/diag.h"
#include "gateway/crypto/x25519.h"
#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/detail.h"
#include "gateway/evidence/leaf.h"

/*
 * Reading a log folder from outside, beside a running node or after its end: full verification and
 * listing, through its shards too. Opens read-only and never changes a byte. What needs a shard
 * that is missing or was changed fails with LOG_BEHIND or LOG_FORK.
 */
struct lb_log_reader;

/* lb_log_reader_open opens a log's folder. FILE_FAILED, STORE_FAILED with a sentence in diag. */
LB_MUST lb_status lb_log_reader_open(const char *folder, struct lb_diag *diag,
                                     struct lb_log_reader **out_reader);
/* lb_log_reader_close releases; NULL is allowed. */
void lb_log_reader_close(struct lb_log_reader *reader);
/* lb_log_reader_closep is lb_log_reader_close for LB_DEFER. */
void lb_log_reader_closep(struct lb_log_reader **reader);

struct lb_log_verdict {
    uint64_t size;            /* leaves covered by the newest checkpoint */
    struct lb_hash root;
    uint64_t num_details;     /* encrypted details whose row is intact */
    uint64_t num_erased;
    char origin[256];
    uint8_t note[1024];       /* the newest checkpoint, signed */
    size_t note_len;
};

/* lb_log_reader_origin copies what the stored checkpoint calls its log, to choose the key to
 * verify with; only the verification proves it. ABSENT or SEAL_BROKEN when there is none;
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_log_reader_origin(struct lb_log_reader *reader, struct lb_arena *arena,
                                       const char **out_origin);

/* lb_log_reader_verify recomputes everything: every leaf decodes, indexes run without a gap,
 * tiles and root follow from the leaves, the checkpoint's signature verifies, the ratchet is not
 * ahead, every detail row is authentic under its key row's commitment (see log_detail) or
 * erased. Any byte changed or row added or removed gives LOG_FORK or LOG_BEHIND, with a sentence
 * in diag that names the place. It may run beside a live node: it judges one snapshot. The
 * owner's own tables are not evidence and are not read. */
LB_MUST lb_status lb_log_reader_verify(struct lb_log_reader *reader,
                                       const struct lb_note_verifier *verifier,
                                       struct lb_diag *diag, struct lb_log_verdict *out_verdict);

/* lb_log_reader_trouble borrows a sentence that names the shard the last LOG_BEHIND or LOG_FORK of
 * reading was about, and what to do; NULL when it was about none. */
const char *lb_log_reader_trouble(const struct lb_log_reader *reader);

/* lb_log_reader_size counts leaves. */
LB_MUST lb_status lb_log_reader_size(struct lb_log_reader *reader, uint64_t *out_size);
/* lb_log_reader_leaf reads one leaf; ABSENT past the end. */
LB_MUST lb_status lb_log_reader_leaf(struct lb_log_reader *reader, uint64_t index,
                                     struct lb_arena *arena, struct lb_leaf *out_leaf,
                                     struct lb_hash *out_hash);
/* lb_log_reader_newest finds the time of the newest access to a subject, by the entries that have a
 * detail about it (READ to DENY, and CONSENT); ABSENT when there is none, or all were erased. Reads
 * the whole table of details: for rare acts. */
LB_MUST lb_status lb_log_reader_newest(struct lb_log_reader *reader,
                                       const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                                       int64_t *out_time_ms);
/* lb_log_reader_detail opens an entry's detail with the officer's private key. ABSENT when there is
 * none or it was erased; SEAL_BROKEN with another key or damage; the commitment in the leaf is
 * checked. */
LB_MUST lb_status lb_log_reader_detail(struct lb_log_reader *reader, uint64_t index,
                                       const struct lb_x25519_key *officer, struct lb_arena *arena,
                                       struct lb_span *out_detail);

#endif
