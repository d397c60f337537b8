#ifndef GATEWAY_WITNESS_SUBMIT_STATE_H
#define GATEWAY_WITNESS_SUBMIT_STATE_H

#include <pthread.h>

#include "gateway/witness/submit.h"

/* The inside of a submitter, shared by its rounds and its life. */

/* One witness as this log knows it. The submitting thread's own. */
struct lb_submit_witness {
    uint64_t old_size;    /* what it cosigned last, as far as we know */
    int64_t not_before;   /* monotonic ms */
    int64_t backoff_ms;
    enum lb_code trouble; /* said already; LB_CODE_OK for none */
};

struct lb_submitter {
    struct lb_submit_options options;
    struct lb_cosigned *cosigned;
    struct lb_submit_witness witnesses[LB_POLICY_MAX_WITNESSES];
    uint64_t round_size;  /* of the last round */
    int64_t round_ms;     /* monotonic; 0 before the first */
    bool round_met;
    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t wake;
    struct lb_submit_view view;
    int64_t witnessed_ms; /* monotonic: when the last round that met the quorum began */
    bool stopping;
    bool running;
    pthread_t thread;
};

/* One round: one checkpoint, all witnesses. */
struct lb_submit_round {
    struct lb_submitter *submitter;
    struct lb_arena *arena;
    struct lb_log_head head;
    struct lb_span note;       /* the checkpoint and the cosignatures so far */
    uint32_t cosigned;
    int64_t until_ms;          /* monotonic; 0 for no end */
    /* The first witness that knows another history. */
    lb_status conflict;
    size_t conflict_witness;
    uint64_t conflict_size;
};

/* lb_submit_round asks every witness that may be asked and keeps what they say. STORE_FAILED,
 * NO_MEMORY; a witness's failure is none of the round's. */
LB_MUST lb_status lb_submit_round(struct lb_submit_round *round);

/* lb_submit_judge_claim weighs what witness i shows for saying that it has cosigned more of this
 * log, or another history: LOG_BEHIND (conflict_size is set) or LOG_FORK when it is proved,
 * RECEIPT_INVALID when it is not; NO_MEMORY. Never OK. */
LB_MUST lb_status lb_submit_judge_claim(struct lb_submit_round *round, size_t i,
                                        struct lb_span evidence);

#endif
