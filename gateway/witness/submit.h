#ifndef GATEWAY_WITNESS_SUBMIT_H
#define GATEWAY_WITNESS_SUBMIT_H

#include "gateway/evidence/add_checkpoint.h"
#include "gateway/evidence/cosigned.h"
#include "gateway/evidence/log.h"

/*
 * The log's side of witnessing: a thread that sends the newest checkpoint to the witnesses of a
 * policy, verifies what they answer, and keeps it beside the log (cosigned.h). It only reads the
 * log: no entry waits for a witness. A round asks every witness that is not backed off, one after
 * the other, and meets the quorum or does not.
 *
 * What no quorum has witnessed for alert_ms is said; past stop_ms the log is held: nothing is
 * released (LOG_UNWITNESSED) until a round meets the quorum again.
 */
#define LB_SUBMIT_TIMEOUT_MS 2000       /* one call to one witness */
#define LB_SUBMIT_ASK_MS 10000          /* all of them before the node starts */
#define LB_SUBMIT_BACKOFF_MAX_MS 60000  /* for a witness that fails */

struct lb_submitter;

/* What a witness says to one body; nothing in it is trusted. In the arena of the call. */
struct lb_submit_reply {
    unsigned answer;          /* a number of enum lb_witness_answer, or any other */
    struct lb_span body;
    struct lb_span evidence;  /* what it cosigned last, when it says that we show less */
};

/* How a body reaches a witness. send waits at most timeout_ms; UNAVAILABLE, DEADLINE or the
 * witness's code when there is no answer. `witness` counts in the policy. Called by one thread at a
 * time. */
struct lb_submit_port {
    void *ctx;
    lb_status (*send)(void *ctx, size_t witness, struct lb_span body, int64_t timeout_ms,
                      struct lb_arena *arena, struct lb_submit_reply *out_reply);
};

struct lb_submit_options {
    const char *folder;                      /* the log's */
    struct lb_log *log;
    /* The log's own keys, of now and before: a witness's evidence has a signature of one of them.
     * Borrowed. */
    const struct lb_note_verifier *keys;
    size_t num_keys;
    const struct lb_witness_policy *policy;  /* borrowed */
    struct lb_submit_port port;
    const struct lb_clock *clock;
    int64_t interval_ms;  /* a busy log sends a checkpoint this often */
    int64_t alert_ms;
    int64_t stop_ms;
};

/* lb_submitter_new opens cosigned.db. LOG_BEHIND when it holds a larger checkpoint than the log:
 * LOG_FORK is for the witnesses to find. FILE_FAILED, STORE_FAILED, NO_MEMORY; with a sentence in
 * diag. */
LB_MUST lb_status lb_submitter_new(const struct lb_submit_options *options, struct lb_diag *diag,
                                   struct lb_submitter **out_submitter);
/* lb_submitter_ask makes a first round before anything is written to the log: LOG_BEHIND when a
 * witness has cosigned more than there is, LOG_FORK when it has cosigned something else, with a
 * sentence in diag that names the witness. Only what the witness proves counts: a checkpoint with
 * this log's signature and its own. What it says without is told in the operator's log
 * (witness_unproved), as is one that can't be reached, and does not hinder. */
LB_MUST lb_status lb_submitter_ask(struct lb_submitter *submitter, struct lb_diag *diag);
/* lb_submitter_start judges the limits and starts the thread. NO_MEMORY. */
LB_MUST lb_status lb_submitter_start(struct lb_submitter *submitter);
/* lb_submitter_stop ends the thread once the call in hand is over; lb_submitter_free does that too
 * and releases; NULL is allowed. The log outlives it. */
void lb_submitter_stop(struct lb_submitter *submitter);
void lb_submitter_free(struct lb_submitter *submitter);

enum lb_submit_state { LB_SUBMIT_WITNESSED, LB_SUBMIT_LATE, LB_SUBMIT_STOPPED };

struct lb_submit_view {
    enum lb_submit_state state;
    uint64_t witnessed_size;   /* the largest that met the quorum; 0 for none */
    int64_t unwitnessed_ms;    /* since when something waits for witnesses; 0 for not at all */
};

/* lb_submitter_view tells where it stands. Any thread. */
void lb_submitter_view(struct lb_submitter *submitter, struct lb_submit_view *out_view);
/* lb_submitter_tick makes a round if one is due and judges the limits; the thread's own step, and
 * a test's. */
void lb_submitter_tick(struct lb_submitter *submitter);

#endif
