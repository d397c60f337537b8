#ifndef GATEWAY_EVIDENCE_DENIALS_H
#define GATEWAY_EVIDENCE_DENIALS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/limits.h"
#include "gateway/base/status.h"

/*
 * Refusals that came before any signature was verified, counted by peer and code until the
 * sequencer writes them out. Bounded: past LB_DENIALS_PEERS pairs the rest of a second is counted
 * under the peer "". Any thread.
 */
#define LB_DENIALS_PEERS 256

struct lb_denial {
    char peer[LB_MAX_SPIFFE_BYTES + 1];
    enum lb_code code;
    uint32_t count;
};

struct lb_denials {
    pthread_mutex_t lock;
    size_t num_peers;
    uint64_t hashes[LB_DENIALS_PEERS];
    struct lb_denial peers[LB_DENIALS_PEERS];
    uint32_t nameless[LB_NUM_CODES];
    bool any;
};

/* What can be counted at most between two looks. */
#define LB_DENIALS_MAX (LB_DENIALS_PEERS + LB_NUM_CODES)

/* lb_denials_init makes an empty table, lb_denials_cleanup releases its lock. */
void lb_denials_init(struct lb_denials *denials);
void lb_denials_cleanup(struct lb_denials *denials);
/* lb_denials_count adds one. Counts stop at UINT32_MAX. */
void lb_denials_count(struct lb_denials *denials, const char *peer, enum lb_code code);
/* lb_denials_any says whether there is something to take. */
bool lb_denials_any(struct lb_denials *denials);
/* lb_denials_take moves all counters out and returns how many. */
size_t lb_denials_take(struct lb_denials *denials, struct lb_denial out[LB_DENIALS_MAX]);

#endif
