#ifndef GATEWAY_RPC_SURVEY_H
#define GATEWAY_RPC_SURVEY_H

#include "gateway/rpc/runtime.h"

/* How every channel and server of a process stands, for who runs it. */

enum lb_rpc_state {
    LB_RPC_IDLE,        /* nothing called yet, or for long */
    LB_RPC_CONNECTING,
    LB_RPC_READY,
    LB_RPC_FAILING,     /* tried, and waits to try again */
    LB_RPC_LISTENING,   /* a server */
};

#define LB_RPC_MAX_TARGET_BYTES 256

struct lb_rpc_standing {
    enum lb_rpc_state state;
    int64_t since_unix_ms;           /* of that state; within LB_PEER_SWEEP_MS */
    char peer[LB_MAX_SPIFFE_BYTES];  /* whom a channel is to; "" for a server or without identity */
    char target[LB_RPC_MAX_TARGET_BYTES];
    uint64_t started, succeeded, failed;  /* calls; what is none of the latter is under way */
    enum lb_code last_failure;       /* of the newest call that failed; LB_CODE_OK: none did */
    int64_t last_failed_unix_ms;
    uint64_t queued_messages, queued_bytes;  /* that wait to be written, of all its calls */
};

#define LB_RPC_MAX_SURVEYED 512
/* lb_rpc_survey fills in at most max (up to LB_RPC_MAX_SURVEYED), newest first, and returns how
 * many there are, which may be more. Any thread. */
size_t lb_rpc_survey(struct lb_rpc_runtime *runtime, struct lb_rpc_standing *out, size_t max);

#endif
