#ifndef GATEWAY_EVIDENCE_VERIFY_STATE_H
#define GATEWAY_EVIDENCE_VERIFY_STATE_H

#include "gateway/evidence/inspect.h"
#include "gateway/evidence/records.h"
#include "gateway/evidence/shard_file.h"
#include "gateway/evidence/tree.h"

/* A table read in order, one row ahead; through all shards first, if it has a reader. */
struct lb_verify_rows {
    struct lb_stmt *stmt;
    bool row;  /* a row stands ready */
    struct lb_log_reader *reader;
    const char *sql;
    size_t segment;             /* the next one */
    struct lb_shard_file file;  /* of the shard that is read */
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

/* lb_verify_rows_start reads a table from the log's first entry on, by a query of rows whose idx
 * is at least ?1; _next steps, _end releases. Statuses of lb_shards_open, STORE_FAILED. */
LB_MUST lb_status lb_verify_rows_start(struct lb_verify *verify, const char *sql,
                                       struct lb_verify_rows *rows);
LB_MUST lb_status lb_verify_rows_next(struct lb_verify_rows *rows);
void lb_verify_rows_end(struct lb_verify_rows *rows);

/* lb_verify_shards holds every shard's bytes against its row, before the walk; _rest, behind it,
 * the rows against their SHARD entries, and the log's own rows of sharded entries against the
 * shards. LOG_BEHIND and LOG_FORK with a sentence. lb_verify_count_tiles counts tiles, those of
 * shards too. */
LB_MUST lb_status lb_verify_shards(struct lb_verify *verify);
LB_MUST lb_status lb_verify_shards_rest(struct lb_verify *verify);
LB_MUST lb_status lb_verify_count_tiles(struct lb_verify *verify, int64_t *out_num);

/* lb_verify_walk reads all leaves in order with their tiles, details, keys and erasures, and
 * fills the tree. LOG_FORK with a sentence; STORE_FAILED for what can't be read. */
LB_MUST lb_status lb_verify_walk(struct lb_verify *verify);

#endif
