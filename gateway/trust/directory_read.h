#ifndef GATEWAY_TRUST_DIRECTORY_READ_H
#define GATEWAY_TRUST_DIRECTORY_READ_H

#include "gateway/base/arena.h"
#include "gateway/trust/directory.h"

/* Inside gateway/trust: how a directory lies in memory. */
struct lb_directory_box {
    struct lb_directory directory;  /* first: the two are converted into each other */
    _Atomic size_t refs;
    struct lb_arena *arena;         /* everything but the box and the keys */
    struct lb_verify_key **keys;    /* of the issuers */
    size_t num_keys;
};

/* lb_directory_read fills the box from the text, by the rules of lb_directory_open. What was read
 * stays in the box also on failure, for its owner to release. */
LB_MUST lb_status lb_directory_read(struct lb_span text, int64_t now_unix_s, struct lb_diag *diag,
                                    struct lb_directory_box *box);

/* Orders of the sorted arrays, for qsort and bsearch. */
int lb_node_order(const void *a, const void *b);
int lb_issuer_order(const void *a, const void *b);
int lb_listed_order(const void *a, const void *b);

#endif
