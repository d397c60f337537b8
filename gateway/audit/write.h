#ifndef GATEWAY_AUDIT_WRITE_H
#define GATEWAY_AUDIT_WRITE_H

#include "gateway/audit/draft.h"

/* The writing half of the index: rows in, erasures through. One thread; the caller's
 * transaction. */
struct lb_audit_writer {
    struct lb_store *store;
    struct lb_stmt *find_word, *add_word;
    struct lb_stmt *find_subject, *add_subject, *drop_subject;
    struct lb_stmt *add_key, *find_key, *drop_key;
    struct lb_stmt *find_set, *add_set, *add_field;
    struct lb_stmt *add_access, *clear_access, *count_subject;
    struct lb_stmt *put_source;
};

/* lb_audit_writer_prepare compiles the statements; they belong to the store. STORE_FAILED. */
LB_MUST lb_status lb_audit_writer_prepare(struct lb_audit_writer *writer, struct lb_store *store);
/* lb_audit_write adds one row; kid is that of its detail, 0 without one. STORE_FAILED. */
LB_MUST lb_status lb_audit_write(struct lb_audit_writer *writer,
                                 const struct lb_audit_draft *draft, uint64_t kid);
/* lb_audit_forget clears what came out of details that were under a data key, in every row before
 * the ERASURE leaf that destroyed it; a key that no row knows is none. */
LB_MUST lb_status lb_audit_forget(struct lb_audit_writer *writer, uint64_t erasure, uint64_t kid);
/* lb_audit_put_state says what the index was built from. STORE_FAILED. */
LB_MUST lb_status lb_audit_put_state(struct lb_audit_writer *writer,
                                     const struct lb_audit_state *state);

#endif
