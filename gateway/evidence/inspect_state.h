#ifndef GATEWAY_EVIDENCE_INSPECT_STATE_H
#define GATEWAY_EVIDENCE_INSPECT_STATE_H

#include "gateway/evidence/inspect.h"
#include "gateway/evidence/records.h"

/* The inside of a reader, shared by listing and verification. */
struct lb_log_reader {
    char *ratchet;
    char origin[256];  /* "" until it is asked for */
    struct lb_store *store;
    struct lb_records records;
    struct lb_stmt *get_detail;
    struct lb_stmt *get_key;
};

/* A data key's row: sealed and subject, or key_hash and erased_by once it is erased. */
struct lb_key_row {
    bool erased;
    int64_t erased_by;
    uint8_t subject[LB_DETAIL_SUBJECT_BYTES];
    uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES];
    uint8_t key_hash[32];
};

/* lb_reader_key reads a data key's row and computes its commitment if it is not erased. ABSENT;
 * STORE_FAILED for a row of neither shape. */
LB_MUST lb_status lb_reader_key(struct lb_log_reader *reader, uint64_t kid,
                                struct lb_key_row *out_row);

/* lb_reader_find_detail finds an entry's detail here or in a shard: a statement at columns kid,
 * nonce, sealed, plain_hash, which the caller resets before the next call. ABSENT; statuses of
 * lb_shards_detail. */
LB_MUST lb_status lb_reader_find_detail(struct lb_log_reader *reader, uint64_t index,
                                        struct lb_stmt **out_stmt);

/* lb_reader_detail_row parses columns kid, nonce, sealed, plain_hash from column `first` on;
 * sealed is borrowed until the statement's next step. STORE_FAILED. */
LB_MUST lb_status lb_reader_detail_row(const struct lb_stmt *stmt, int first,
                                       struct lb_detail_row *out_row);

#endif
