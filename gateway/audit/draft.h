#ifndef GATEWAY_AUDIT_DRAFT_H
#define GATEWAY_AUDIT_DRAFT_H

#include "gateway/audit/index.h"
#include "gateway/audit/inside.h"
#include "gateway/evidence/follow.h"

/* A row before it is written: of the leaf, and of what its detail says. */
struct lb_audit_draft {
    struct lb_audit_row row;  /* texts in the arena */
    size_t num_fields;
    struct lb_audit_field fields[LB_AUDIT_MAX_FIELDS];
};

/* lb_audit_draft_fill judges one entry. A detail is read leniently: it was written by a node of
 * another version perhaps, and what is not of the expected kind is left empty, never refused, since
 * the leaf is still a row. NO_MEMORY. */
LB_MUST lb_status lb_audit_draft_fill(const struct lb_follow_entry *entry, struct lb_arena *arena,
                                      struct lb_audit_draft *out);

#endif
