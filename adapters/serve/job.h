#ifndef ADAPTERS_SERVE_JOB_H
#define ADAPTERS_SERVE_JOB_H

#include <stdatomic.h>

#include "adapters/serve/budget.h"
#include "adapters/serve/closure.h"
#include "adapters/serve/epochs.h"
#include "adapters/serve/event.h"
#include "adapters/serve/erasures.h"
#include "adapters/serve/grants.h"
#include "adapters/serve/memory.h"
#include "adapters/serve/pool.h"
#include "adapters/serve/probe.h"
#include "adapters/serve/serve.h"
#include "adapters/serve/terms.h"
#include "adapters/serve/share_memory.h"
#include "gateway/json/json.h"
#include "gateway/seal/contexts.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/hpke.h"
#include "gateway/share/pairs.h"
#include "gateway/token/grant.h"
#include "gateway/token/operator_cache.h"

/*
 * One read on its way through the adapter. Each step is a file of its own, in this order, and
 * either moves the job on or names why not:
 *
 *   check.c    what can be judged without opening anything: audience, requester, grant, status
 *   open.c     the seal, its age, the operator
 *   section.c  the section and every want against the department's policy
 *   share.c    the run of a blind household sum, if a share is asked
 *   subject.c  the subject: an inner judgement; who is refused is replaced by nobody
 *   run.c      queries and operators, for nobody as for anybody
 *   together.c leads reads that came together through all of the above
 *   record.c   the entry, durable before anything leaves; within its transaction
 *   limits.c     uses, budgets, intervals of standing grants, and what was asked before
 *   answer.c     the sealed answer
 *
 * Beside them, what ends grants: status_lists.c (by their issuers) and stops.c (by the citizen or
 * the department).
 *
 * From subject.c on every outcome takes the same path, so that neither size nor time tells a yes
 * from a no or from a refusal that depends on the person.
 */

struct lb_serve_status;  /* status_lists.c */
struct lb_intake;        /* intake_state.h */

struct lb_serve {
    struct lb_serve_options options;
    struct lb_seal_contexts *contexts;
    struct lb_serve_pool *pool;
    struct lb_serve_pool *officer;       /* NULL when the policy has no view of the officer's */
    struct lb_serve_pool *drill;         /* NULL when the policy has no view of a drill's */
    atomic_size_t num_drilled;           /* reads that wait for a drill's database */
    atomic_size_t num_asking;            /* reads that wait for the officer's station */
    struct lb_serve_memory *memory;
    struct lb_serve_epochs *epochs;
    struct lb_serve_budgets budgets;
    struct lb_serve_events events;
    struct lb_serve_probes probes;
    struct lb_serve_erasures erasures;
    struct lb_serve_closure *closure;
    struct lb_share_memory shares;
    struct lb_share_pairs *share_pairs;
    struct lb_serve_status *status;
    struct lb_serve_gate *gate;
    struct lb_operator_cache *operators;
    struct lb_serve_grants *grants;
    struct lb_intake *intake;
};

/* A want with what it was resolved to. */
struct lb_read_want {
    const Lianban__V1__Want *wire;
    size_t view;              /* index in the policy's views */
    const struct lb_view_field *field;
    struct lb_op_call call;
    const char *text;         /* the call as text */
    bool dry_run;             /* judged and recorded, not released */
    size_t part;              /* of a share: its contribution's number in the sum */
};

/* This department's part in a blind household sum, about one person. */
struct lb_read_share {
    const struct lb_share_slot *slot;  /* NULL until all of it was judged */
    struct lb_share_run run;
    uint8_t set[LB_SHARE_SET_BYTES];
    size_t person;
    struct lb_own_key key;
    struct lb_share_claim claim;
};

struct lb_read_job {
    struct lb_job job;
    struct lb_serve *serve;
    struct lb_arena *arena;
    Lianban__V1__ReadRequest *request;
    struct lb_hash route_leaf;
    bool is_hashed;                      /* the entry's leaf has the ciphertext's hash */
    lb_serve_done done;
    void *ctx;

    struct lb_directory *directory;
    const char *requester_org;
    const struct lb_issuer *issuer;
    struct lb_grant grant;
    bool grant_known;                    /* grant has been verified */
    bool bound_to_node;                  /* by its log key, as a standing grant is */
    struct lb_hpke_context context;
    Lianban__V1__SealedRequest *plain;   /* NULL until opened */
    struct lb_operator operator_claims;
    struct lb_section section;
    bool section_known;
    int data_class;                      /* the highest of the fields asked; 0 until judged */
    struct lb_terms terms;               /* of the section */
    enum lb_basis basis;
    size_t num_wants;                    /* judged and allowed */
    struct lb_read_want *wants;
    struct lb_read_share *share;         /* NULL unless a share is asked */
    const Lianban__V1__Want *refused;    /* the one that was not, or NULL */
    char id_no[19];                      /* whom the database is asked about */
    char stated[19];                     /* whom the request states */
    struct lb_epoch_names names;         /* of the one stated */
    bool subject_known;
    Lianban__V1__Fact **facts;           /* one per want, once run */
    const char **states;                 /* how each would have been released, for the officer */
    enum lb_code inner;                  /* LB_CODE_OK, or the inner reason for no facts */
    enum lb_code outer;                  /* the outcome; LB_CODE_OK while none stands against it */
    bool pressed;                        /* others wait while it runs */
    struct lb_span sealed;
    struct lb_memory_use use;
    struct lb_log_entry entry;
    int64_t judging_us;                  /* for the meter, as the next */
    int64_t recording_us;
    int64_t begun_ms;                    /* monotonic; for the trace */
};

/* Reads that may be judged one after another on one thread: those of a message, or what waits. */
#define LB_READ_TOGETHER 16
/* What a read may take of its database while others wait for it. One that takes longer is begun
 * again by itself, and so are the next ones of its views. */
#define LB_READ_PATIENCE_MS (LB_SERVE_QUICK_MS + 1)
/* lb_read_work runs a read that was queued, and those that wait behind it (together.c). */
void lb_read_work(struct lb_job *job);

/* The steps. lb_read_check, lb_read_open and lb_read_section fail with outer codes; a failure of
 * lb_read_subject is an inner one, and what a database cannot give is no failure but a fact's
 * state. */
LB_MUST lb_status lb_read_check(struct lb_read_job *job);
LB_MUST lb_status lb_read_open(struct lb_read_job *job);
LB_MUST lb_status lb_read_section(struct lb_read_job *job);
/* lb_read_token checks a token of an operator of the requester's organization:
 * OPERATOR_TOKEN_INVALID and what its issuer or times are refused with. */
LB_MUST lb_status lb_read_token(struct lb_read_job *job, const char *text,
                                struct lb_operator *out);
LB_MUST lb_status lb_read_subject(struct lb_read_job *job);
/* lb_read_run fails with SOURCE_TIMEOUT only for a job that is `pressed`: it is to be run again. */
LB_MUST lb_status lb_read_run(struct lb_read_job *job);
/* lb_read_waits says whether running this job would let others wait: its database is not one of
 * this process, or was slow lately, or is a person. */
bool lb_read_waits(const struct lb_read_job *job);
/* These two run on the sequencer, in the entry's transaction. lb_read_limits counts uses,
 * budgets and intervals (outer codes), puts remembered answers in place of the facts, and sets
 * job->inner when too much was asked; lb_read_answer puts the sealed answer into job->sealed. */
LB_MUST lb_status lb_read_limits(struct lb_read_job *job, struct lb_store *store);
LB_MUST lb_status lb_read_answer(struct lb_read_job *job);
/* lb_read_drilled is what a drill makes believe of a read that is marked as one (drilled.c). Any
 * other read passes. lb_read_drilled_source is the same of its database: LB_OK to ask it. */
LB_MUST lb_status lb_read_drilled(const struct lb_read_job *job);
LB_MUST lb_status lb_read_drilled_source(const struct lb_read_job *job);
/* lb_read_closed is VIEW_CLOSED when the department has shut what is asked, or who asks. */
LB_MUST lb_status lb_read_closed(struct lb_read_job *job);
/* lb_read_share judges the run that shares are asked for; codes are outer ones. */
LB_MUST lb_status lb_read_share(struct lb_read_job *job);
/* lb_read_share_mask turns a number into a share. */
LB_MUST lb_status lb_read_share_mask(const struct lb_read_job *job, const struct lb_read_want *want,
                                     struct lb_fact *fact);
/* lb_read_share_settle asks and fills the memory of sums, in the entry's transaction: a share that
 * was given before is given again, and job->inner says what the memory refuses. SHARE_RUN. Without
 * a share it does nothing. */
LB_MUST lb_status lb_read_share_settle(struct lb_read_job *job, struct lb_store *store,
                                       int64_t now_unix_s);
/* lb_read_share_detail adds what the officer reads of a run. */
void lb_read_share_detail(const struct lb_read_job *job, struct lb_json *detail);
/* lb_serve_check_shares says whether this instance can do what its policy's `shares` say:
 * CONFIG_INVALID with a sentence in diag. */
LB_MUST lb_status lb_serve_check_shares(const struct lb_serve_options *options,
                                        struct lb_diag *diag);

/* lb_read_detail_fits says whether the officer's detail of this read fits into an entry, however
 * the read ends. */
bool lb_read_detail_fits(const struct lb_read_job *job);
/* lb_read_record_all queues the entries of jobs for their outcomes: LB_CODE_OK when job->sealed may
 * leave. Each job ends in its entry's done. */
void lb_read_record_all(struct lb_read_job *const *jobs, size_t num);
/* lb_read_finish tells the owner and frees the job. */
void lb_read_finish(struct lb_read_job *job, const struct lb_serve_answer *answer);

/* lb_serve_check_status judges a grant's status now, by a list no older than a field of the data
 * class needs (0: only what the list itself says; status_lists.c). STATUS_STALE, GRANT_REVOKED,
 * GRANT_SUSPENDED, GRANT_MALFORMED, USE_EXHAUSTED. */
LB_MUST lb_status lb_serve_check_status(struct lb_serve *serve, const struct lb_grant *grant,
                                        int data_class);
LB_MUST lb_status lb_serve_status_new(struct lb_serve_status **out_status);
void lb_serve_status_free(struct lb_serve_status *status);

/* lb_serve_grant_id names a grant in the adapter's memory (stops.c). */
void lb_serve_grant_id(const char *issuer, const char *jti, uint8_t out[32]);
/* lb_serve_record_ack makes an ADMIN entry durable and fills the ack's half of the entry. What the
 * entry's guard said, or LOG_UNAVAILABLE and the like. */
LB_MUST lb_status lb_serve_record_ack(struct lb_serve *serve, struct lb_log_entry *entry,
                                      struct lb_serve_ack *ack);

/* lb_serve_issuer finds a grant's issuer: in the directory (ISSUER_UNKNOWN) and named, with this
 * very key, by the department's own policy (ISSUER_INERT). */
LB_MUST lb_status lb_serve_issuer(const struct lb_serve *serve,
                                  const struct lb_directory *directory, const char *organization,
                                  const char *kid, const struct lb_issuer **out_issuer);

#endif
