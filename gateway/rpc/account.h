#ifndef GATEWAY_RPC_ACCOUNT_H
#define GATEWAY_RPC_ACCOUNT_H

#include "gateway/rpc/core.h"
#include "gateway/rpc/survey.h"

/* What a channel or a server counts of itself, and how the runtime finds it again. */
struct lb_rpc_account {
    /* fixed before it is added */
    const void *owner;  /* whom its calls name as theirs */
    const char *peer, *target;
    enum lb_rpc_state (*state)(const void *owner);

    /* anybody's */
    atomic_ullong started, succeeded, failed;
    atomic_int last_failure;
    atomic_llong last_failed_ms;

    /* the runtime's, under its lock */
    struct lb_rpc_account *next;
    struct lb_rpc_account **link;  /* NULL while it is not among them */
    enum lb_rpc_state seen;
    int64_t since_unix_ms;
};

/* lb_rpc_account_add puts it among the runtime's; lb_rpc_account_remove takes it out, if it was. */
void lb_rpc_account_add(struct lb_rpc_runtime *runtime, struct lb_rpc_account *account);
void lb_rpc_account_remove(struct lb_rpc_runtime *runtime, struct lb_rpc_account *account);

/* lb_rpc_account_began and lb_rpc_account_over count a call. */
void lb_rpc_account_began(struct lb_rpc_account *account);
void lb_rpc_account_over(struct lb_rpc_account *account, lb_status status);

/* lb_rpc_account_look notes the states that have changed; the sweep's. */
void lb_rpc_account_look(struct lb_rpc_runtime *runtime);

#endif
