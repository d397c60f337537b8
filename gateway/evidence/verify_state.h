#ifndef GATEWAY_EVIDENCE_VERIFY_STATE_H
#define GATEWAY_EVIDENCE_VERIFY_STATE_H

#include "gateway/evidence/inspect.h"
#include "gateway/evidence/records.h"
#include "gateway/evidence/tree.h"

/* A table read in order, one row ahead. */
struct lb_verify_rows {
    struct lb_stmt *stmt;
    bool row;  /* a row stands ready */
};

/* A data key's row as it was read last: a subject's details share one. */
struct lb_verify_key {
    uint64_t kid;  /* 0 for none */
    bool erased;
    uint8_t key_hash[32];
};
#define LB_VERIFY_KEYS 1024

/* One verification on its way. */
struct lb_verify {
    struct lb_log_reader *reader;
    const struct lb_note_verifier *verifier;
    struct lb_diag *diag;
    struct lb_checkpoint head;
    struct lb_tree *tree;
    struct lb_verify_rows leaves;
    struct lb_verify_rows details;
    struct lb_verify_rows erased;  /* keys by the ERASURE leaf that erased them */
    int64_t last_ms;
    int64_t max_kid;
    struct lb_verify_key keys[LB_VERIFY_KEYS];
    struct lb_log_verdict verdict;
};

/* lb_verify_say writes the sentence that names the place. */
void lb_verify_say(struct lb_verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* lb_verify_count runs a query for one number. STORE_FAILED. */
LB_MUST lb_status lb_verify_count(struct lb_verify *verify, const char *sql, int64_t *out_value);

/* lb_verify_walk reads all leaves in order with their tiles, details, keys and erasures, and
 * fills the tree. LOG_FORK with a sentence; STORE_FAILED for what can't be read. */
LB_MUST lb_status lb_verify_walk(struct lb_verify *verify);

#endif
