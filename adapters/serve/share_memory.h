#ifndef ADAPTERS_SERVE_SHARE_MEMORY_H
#define ADAPTERS_SERVE_SHARE_MEMORY_H

#include "adapters/serve/epochs.h"
#include "adapters/serve/sql.h"
#include "gateway/base/limits.h"

/*
 * Inside adapters/serve: what an adapter remembers of blind household sums, so that no second run
 * tells by its difference what the first one hid. The tables live in the evidence store.
 *
 * Persons that were asked about in one run are taken for one household of the size the run stated,
 * and so are all who are linked by further runs; a household never has more persons than its size.
 * It is forgotten `period_s` after its last share, with all its runs. One whose runs came to
 * nothing yields to another statement: share_lapse.h.
 */
struct lb_share_memory {
    struct lb_serve_sql sql;
    struct lb_serve_sql lapse;
};

/* lb_share_memory_init makes a memory without statements; it needs no end of its own. */
void lb_share_memory_init(struct lb_share_memory *memory);

/* One contribution of the person in a run. */
struct lb_share_claim_part {
    size_t part;      /* number of the contribution */
    bool has_share;   /* without a value there is none */
    uint64_t share;
};

/* What one read wants of a run. */
struct lb_share_claim {
    const char *slot;
    uint8_t run[32];      /* of the nonce */
    uint8_t bound[32];    /* of all the run is for: requester, case, slot, start, set */
    uint8_t person[32];   /* pseudonym */
    uint8_t rid[16];
    size_t place;         /* of the person among the run's */
    size_t num_persons;
    int64_t max_runs;     /* of one person within the period */
    int64_t period_s;
    size_t num_parts;
    struct lb_share_claim_part parts[LB_MAX_SHARE_CONTRIBUTIONS];

    /* set by lb_share_memory_check */
    lb_status refused;    /* the first reason there is */
    bool run_known, place_known;
    bool kept[LB_MAX_SHARE_CONTRIBUTIONS];  /* by index of parts: `share` is the one kept before */
    int64_t run_household, person_household; /* 0: none yet */
    int64_t lapsed;       /* the person's household until now, which is given up; 0: none is */
};

/* lb_share_memory_rename calls a person by its newest name wherever it stands under an older one.
 * To be done before a check, in the same transaction. STORE_FAILED. */
LB_MUST lb_status lb_share_memory_rename(struct lb_share_memory *memory, struct lb_store *store,
                                         const char *slot, const struct lb_epoch_names *names);

/* lb_share_memory_check judges a claim by what was answered before and puts the share that was
 * given then, under the same rid, in the place of a new one. It looks at everything whatever it
 * finds, since time must not tell. Runs on the sequencer inside an open transaction. SHARE_RUN: the
 * nonce stands for another run. SHARE_REPEATED: the person has another place in this run, or its
 * share went out under another rid. SHARE_BUDGET: too many runs of the person. SHARE_HOUSEHOLD: it
 * was added up with other persons, or with fewer or more. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_share_memory_check(struct lb_share_memory *memory, struct lb_store *store,
                                        int64_t now_unix_s, struct lb_share_claim *claim);

/* lb_share_memory_keep remembers a claim that was checked in the same transaction. STORE_FAILED. */
LB_MUST lb_status lb_share_memory_keep(struct lb_share_memory *memory, struct lb_store *store,
                                       int64_t now_unix_s, const struct lb_share_claim *claim);

/* lb_share_memory_rehearse does the same work for a person nobody has heard of, in the run of a
 * claim that was checked, and takes it back: what becomes of a refused person's share, whose time
 * must not tell either. CRYPTO_FAILED, STORE_FAILED. */
LB_MUST lb_status lb_share_memory_rehearse(struct lb_share_memory *memory, struct lb_store *store,
                                           int64_t now_unix_s, const struct lb_share_claim *claim);

#endif
