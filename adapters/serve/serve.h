#ifndef ADAPTERS_SERVE_SERVE_H
#define ADAPTERS_SERVE_SERVE_H

#include "adapters/api/source.h"
#include "adapters/serve/policy.h"
#include "adapters/serve/secrets.h"
#include "gateway/base/clock.h"
#include "gateway/base/meter.h"
#include "gateway/base/workers.h"
#include "gateway/drill/watch.h"
#include "gateway/evidence/log.h"
#include "gateway/trust/seal_ring.h"
#include "gateway/trust/trust.h"
#include "lianban/v1/adapter.pb-c.h"
#include "lianban/v1/read.pb-c.h"

/*
 * The adapter's use cases: judge a sealed read by the department's own policy, run it, record it,
 * and only then let the answer go. Knows no gRPC; its callers bring requests and take answers.
 */
struct lb_serve;

struct lb_serve_options {
    const char *self;                      /* this instance's SPIFFE id */
    const char *organization;
    struct lb_trust *trust;
    struct lb_log *log;
    const char *log_folder;                /* where it is, for readers beside it */
    int64_t keep_details_s;                /* how long details are kept by law */
    int64_t recovered_unix_s;              /* when the log began in the place of one that was lost,
                                              and with it what was used; 0: never */
    struct lb_meter *meter;               /* NULL: nobody counts */
    struct lb_workers *workers;
    const struct lb_clock *clock;
    const struct lb_serve_policy *policy;  /* views, rule set, who and what is accepted */
    const struct lb_source_plugin *plugin;
    struct lb_source_options database;     /* how the plugin reaches the department's database */
    size_t num_connections;                /* at least 1: reads that may run at once */
    const struct lb_source_plugin *officer;  /* behind views with `source: officer`; NULL when the
                                              policy has none */
    size_t num_officer;                    /* questions to the officer's station at once */
    const struct lb_source_plugin *drill_plugin;  /* behind views with `source: drill`: a database
                                              of made-up people; NULL when the policy has none */
    struct lb_source_options drill_database;
    struct lb_drill_watch *drill;          /* what is made believe now; NULL: nothing ever */
    struct lb_seal_ring *ring;             /* this instance's sealing keys */
    struct lb_seal_ring *share_ring;       /* its share keys, for the policy's blind sums; NULL for
                                              none */
    const uint8_t *pseudonym_key;          /* 32 bytes, for subjects in the evidence, and what is
                                              remembered of what was asked about them: the first
                                              one this department had */
    const char *pseudonym_folder;          /* of the keys that came after that (epochs.h); NULL for
                                              none */
    const struct lb_serve_secrets *secrets;  /* NULL: PSEUDO and TOKEN are UNAVAILABLE */
    const char *closures;                  /* path of what is shut (policy/engine/closures.h), NULL
                                              for an adapter that can't be */
};

/* Reads that may wait for a drill's database at once, a household's and some more; the workers need
 * as many more, so that no other read ever waits for it. */
#define LB_SERVE_MAX_DRILLED 16

/* lb_serve_migrations are the tables this use case keeps in the evidence store: pass them to
 * lb_log_open. */
extern const char *const lb_serve_migrations[];

/* lb_serve_new opens the source, prepares every view and records the policy in force with its hash,
 * which covers the rule set and every view: no answer is given under thresholds that the department
 * has not signed for. CONFIG_INVALID (also for a blind sum this instance has no part in or no key
 * for) or SOURCE_UNAVAILABLE with a sentence in diag; LOG_UNAVAILABLE. Everything in options is
 * borrowed for its life. */
LB_MUST lb_status lb_serve_new(const struct lb_serve_options *options, struct lb_diag *diag,
                               struct lb_serve **out_serve);
/* lb_serve_free waits for reads in hand. The log must be open still. NULL is allowed. */
void lb_serve_free(struct lb_serve *serve);

/* lb_serve_drain takes no read any more (lb_serve_submit: STOPPING) and waits for those in hand, at
 * most timeout_ms; for a shutdown, before lb_serve_stop_sources. NULL is allowed. */
void lb_serve_drain(struct lb_serve *serve, int64_t timeout_ms);
/* lb_serve_stop_sources ends what waits for a database, and lets nothing wait for one any more; for
 * a shutdown, before lb_serve_free. NULL is allowed. */
void lb_serve_stop_sources(struct lb_serve *serve);

/* lb_serve_tick looks whether anything was shut or opened, so that it is recorded without a request
 * too, and wipes HPKE contexts past their life; to be called once a second. */
void lb_serve_tick(struct lb_serve *serve);

/* The outcome of one read. Valid during the call that hands it over. */
struct lb_serve_answer {
    const uint8_t *txn;       /* 16 bytes */
    enum lb_code code;        /* outer: ANSWERED or why not */
    struct lb_span sealed;    /* empty unless ANSWERED */
    bool recorded;            /* false only without evidence: LOG_UNAVAILABLE, BUSY */
    uint64_t index;           /* of the entry */
    struct lb_span leaf;      /* its bytes */
    bool more;                /* an answer to the same `ctx` follows at once, from this thread */
};

/* Called exactly once for every accepted submit, on any thread. */
typedef void (*lb_serve_done)(void *ctx, const struct lb_serve_answer *answer);

/* lb_serve_submit takes one read (copied) that a broker routed, with the RFC 6962 hash of its
 * verified ROUTE leaf. BUSY when the workers' queue is full, STOPPING after lb_serve_drain; then
 * done is not called. */
LB_MUST lb_status lb_serve_submit(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                                  const struct lb_hash *route_leaf, lb_serve_done done, void *ctx);

/* What a broker's ROUTE entry says of a read, once verified (lb_adapter_check_route). */
struct lb_serve_route {
    struct lb_hash leaf;          /* the entry's RFC 6962 hash */
    uint8_t request_sha256[32];   /* of the request's ciphertext */
};

/* Reads that came together. They are judged together as far as no source is slow, recorded in one
 * commit, and told one after another. */
struct lb_serve_batch {
    struct lb_job *first;
    struct lb_job **last;
};
/* lb_serve_batch_init makes an empty one. */
void lb_serve_batch_init(struct lb_serve_batch *batch);
/* lb_serve_add takes one more read, as lb_serve_submit does, which waits for lb_serve_submit_all.
 * STOPPING, NO_MEMORY; then done is not called. */
LB_MUST lb_status lb_serve_add(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                               const struct lb_serve_route *route, lb_serve_done done, void *ctx,
                               struct lb_serve_batch *batch);
/* lb_serve_submit_all queues them; those that find no room are told BUSY or STOPPING, without an
 * entry. The batch is empty then. */
void lb_serve_submit_all(struct lb_serve *serve, struct lb_serve_batch *batch);

/* lb_serve_read is lb_serve_submit that waits; the answer lives in the arena. */
LB_MUST lb_status lb_serve_read(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                                const struct lb_hash *route_leaf, struct lb_arena *arena,
                                struct lb_serve_answer *out_answer);

/* The adapter's own entry about what ends grants: with it everybody can check that it did. */
struct lb_serve_ack {
    char uri[513];            /* of a status list; "" otherwise */
    uint64_t seq;             /* of that list */
    uint8_t sha256[32];       /* of the token */
    uint64_t index;           /* of the entry */
    size_t leaf_len;
    uint8_t leaf[LB_MAX_LEAF_BYTES];
};

/* lb_serve_status_update puts a relayed status list in force: ISSUER_UNKNOWN, ISSUER_INERT,
 * SIGNATURE_INVALID, GRANT_MALFORMED, STATUS_FORK (same seq, other bytes), STATUS_STALE (an older
 * seq than the one in force, which stays). It comes into force with its entry: no entry behind that
 * one releases what the list has ended. On failure only sha256 of the ack is set. Blocks on the
 * store: workers only, as the next two. */
LB_MUST lb_status lb_serve_status_update(struct lb_serve *serve, struct lb_span token,
                                         struct lb_arena *arena, struct lb_serve_ack *out_ack);

/* lb_serve_withdraw ends a grant by the citizen's own key (gateway/token/revocation.h); `grant` is
 * its issuer-signed part. ISSUER_UNKNOWN, ISSUER_INERT, SIGNATURE_INVALID, GRANT_MALFORMED,
 * GRANT_EXPIRED, VERSION_UNSUPPORTED, TOO_LARGE. Nothing is kept of a token that does not hold. */
LB_MUST lb_status lb_serve_withdraw(struct lb_serve *serve, struct lb_span grant,
                                    struct lb_span token, struct lb_arena *arena,
                                    struct lb_serve_ack *out_ack);

/* lb_serve_stop ends a grant by the department's own officer `by`, for good. MALFORMED for a name
 * or a reason that is empty or too long. */
LB_MUST lb_status lb_serve_stop(struct lb_serve *serve, const char *by,
                                const Lianban__V1__StopGrantRequest *request,
                                struct lb_arena *arena, struct lb_serve_ack *out_ack);

/* A status list in force; texts are in the caller's arena. */
struct lb_serve_list {
    const char *uri;
    const char *issuer;       /* organization */
    uint64_t seq;
    int64_t issued_unix_s, expires_unix_s;
};
/* lb_serve_lists tells which are in force, for who runs the node. NO_MEMORY. */
LB_MUST lb_status lb_serve_lists(struct lb_serve *serve, struct lb_arena *arena,
                                 struct lb_serve_list **out, size_t *out_num);

#define LB_SERVE_MAX_NAMES 16
/* lb_serve_names computes how a person is called in this instance's evidence: the name written now
 * first, then those of the pseudonym keys before. Returns how many, at most LB_SERVE_MAX_NAMES. */
size_t lb_serve_names(struct lb_serve *serve, const char id_no[19], uint8_t (*out_names)[32]);

/* lb_serve_erase makes what is kept about a person unreadable for good: the details of older
 * entries and what was remembered of what was asked. One officer `by` asks, another approves on
 * the same basis within 7 days (request->approve); each is an entry, and of an erasure there is one
 * for every name the person has had here (epochs.h), the last of which the ack is about. MALFORMED
 * for an unknown basis or a bad reason, ID_INVALID; RETENTION_RUNS while the newest detail is
 * younger than keep_details_s, unless a court orders it; ERASURE_NOT_ASKED; what lb_log_append_wait
 * says. Reads the whole table of details: workers only. */
LB_MUST lb_status lb_serve_erase(struct lb_serve *serve, const char *by,
                                 const Lianban__V1__EraseSubjectRequest *request,
                                 struct lb_arena *arena, struct lb_serve_ack *out_ack);

/* lb_serve_describe fills the public description of what is offered. */
LB_MUST lb_status lb_serve_describe(struct lb_serve *serve, struct lb_arena *arena,
                                    Lianban__V1__DescribeResponse **out);

#endif
