#ifndef BENCH_READS_H
#define BENCH_READS_H

#include "bench/people.h"
#include "gateway/crypto/sign.h"
#include "gateway/crypto/x25519.h"
#include "gateway/evidence/leaf.h"
#include "gateway/seal/exchange.h"
#include "gateway/token/grant.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/read.pb-c.h"

/*
 * Sealed reads as a window agent makes them, under grants as their issuer signs them: by the same
 * code, with the same keys. They are made before the clock starts; what comes back is opened and
 * checked while it runs.
 */
#define LB_BENCH_MAX_SIZES 8
#define LB_BENCH_MAX_WANTS 8

/* Who asks whom for what; read from a file that the federation's maker wrote. */
struct lb_bench_plan {
    const char *requester, *requester_org, *broker, *adapter; /* SPIFFE ids; an organization */
    const char *seal_id;           /* the adapter's sealing key */
    uint8_t seal_public[32];
    uint8_t adapter_log_key[32];
    struct lb_x25519_key sender;   /* the requester's */
    struct lb_sign_key *issuer_key, *operator_key, *broker_key;
    const char *broker_state;      /* the broker's folder; it must not run */
    const char *issuer, *kid, *status_uri;
    const char *operator_kid, *unit, *person;
    struct lb_section section;     /* but for the subject, the case and the size */
    Lianban__V1__Want *wants[LB_BENCH_MAX_WANTS];
    size_t num_wants;
    struct lb_bench_people people; /* about whom is asked, in turn */
};

/* lb_bench_plan_read reads a plan and the people; what is wrong ends the program. */
void lb_bench_plan_read(const char *path, const char *people, struct lb_bench_plan *out);

/* One read that is ready to go. */
struct lb_bench_read {
    Lianban__V1__ReadRequest request;
    Lianban__V1__Sealed sealed;
    uint8_t txn[LB_SEAL_TXN_BYTES]; /* begins with its number */
    uint8_t ciphertext_hash[32];
    uint64_t route;                 /* of the broker's entry, when there is one */
    struct lb_span route_leaf;
    void *owner;                    /* who waits for it */
};

/* What answers must have cost to make is chosen by size: so many of a thousand have so many
 * bytes. */
struct lb_bench_size {
    uint32_t bytes;
    uint32_t of_thousand;
};

struct lb_bench_pool_options {
    size_t num;
    bool cached; /* one grant for each person, used again and again; else one for each read */
    struct lb_bench_size sizes[LB_BENCH_MAX_SIZES];
    size_t num_sizes; /* 0: the section's own */
};

struct lb_bench_pool {
    const struct lb_bench_plan *plan;
    struct lb_arena *arena;
    struct lb_hpke_context context;
    uint8_t enc[32];
    const char *token; /* the operator's */
    size_t num;
    struct lb_bench_read *reads;
};

/* lb_bench_size_of is the i-th read's size: the sizes are spread evenly, the same in every run. */
uint32_t lb_bench_size_of(const struct lb_bench_pool_options *options, size_t i, uint32_t usual);

/* lb_bench_pool_make makes them; what fails ends the program. They must be used within a minute. */
struct lb_bench_pool *lb_bench_pool_make(const struct lb_bench_plan *plan,
                                         const struct lb_bench_pool_options *options);

/* lb_bench_pool_find is the read of a txn; NULL for one that is none of the pool's. */
struct lb_bench_read *lb_bench_pool_find(struct lb_bench_pool *pool, struct lb_span txn);

/* lb_bench_leaf_check holds an entry against the read and its answer: txn, request and answer. */
LB_MUST lb_status lb_bench_leaf_check(const struct lb_bench_read *read, const struct lb_leaf *leaf,
                                      struct lb_span sealed);

/* lb_bench_answer_check opens an answer: code OK, and every fact there. */
LB_MUST lb_status lb_bench_answer_check(const struct lb_bench_pool *pool,
                                        const struct lb_bench_read *read, struct lb_span sealed);

#endif
