#ifndef GATEWAY_CTL_LOG_PRINT_H
#define GATEWAY_CTL_LOG_PRINT_H

#include "gateway/ctl/env.h"
#include "gateway/ctl/table.h"
#include "gateway/evidence/inspect.h"
#include "gateway/json/json.h"

enum lb_ctl_detail_state {
    LB_CTL_DETAIL_CLOSED,  /* no officer's key was given */
    LB_CTL_DETAIL_NONE,    /* the entry has none */
    LB_CTL_DETAIL_OPEN,
    LB_CTL_DETAIL_ERASED,
    LB_CTL_DETAIL_BROKEN,  /* another key, or damage */
};

struct lb_ctl_log_entry {
    uint64_t index;
    struct lb_leaf leaf;
    struct lb_hash leaf_hash;
    enum lb_ctl_detail_state detail_state;
    struct lb_span detail;  /* JSON text, when open */
};

/* Entries on their way out, as a table or as one JSON document. */
struct lb_ctl_log_print {
    const struct lb_ctl_env *env;
    struct lb_arena *arena;
    struct lb_ctl_table table;
    struct lb_json *root;
    struct lb_json *entries;  /* of the root */
    uint64_t num_entries;
    uint64_t num_broken;
    bool unrecorded;          /* details were opened without an entry of that: it is said */
};

/* lb_ctl_log_print_begin prepares; max_bytes bounds the listing. NO_MEMORY. */
LB_MUST lb_status lb_ctl_log_print_begin(const struct lb_ctl_env *env, size_t max_bytes,
                                         struct lb_ctl_log_print *print);
/* lb_ctl_log_print_entry adds one entry, copied. NO_MEMORY. */
LB_MUST lb_status lb_ctl_log_print_entry(struct lb_ctl_log_print *print,
                                         const struct lb_ctl_log_entry *entry);
/* lb_ctl_log_print_end writes all to env->out: the log's size, and where to go on (`next`, which
 * is the size when nothing was left out). NO_MEMORY, MALFORMED. */
LB_MUST lb_status lb_ctl_log_print_end(struct lb_ctl_log_print *print, uint64_t size,
                                       uint64_t next);
void lb_ctl_log_print_cleanup(struct lb_ctl_log_print *print);

#endif
