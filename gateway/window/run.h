#ifndef GATEWAY_WINDOW_RUN_H
#define GATEWAY_WINDOW_RUN_H

#include "gateway/evidence/link.h"
#include "gateway/window/inside.h"
#include "lianban/v1/broker.pb-c.h"

/*
 * Inside gateway/window: one collect. The job's thread plans and seals under the case's lock,
 * blocks in the port, and ends; meanwhile events are taken one by one, under the case's lock as
 * well. The arena belongs to whichever of the two is at work, never both.
 */

/* One member at one department. */
struct lb_collect_read {
    size_t member;
    size_t section;                    /* index in the form */
    size_t num_facts;
    const size_t *facts;               /* indexes in the form, in its order */
    const struct lb_section *granted;  /* NULL when it cannot be asked */
    struct lb_span jwt;
    struct lb_span disclosure;
    uint8_t jkt[32];                   /* the key of ours that the grant is bound to */
    const uint8_t *salt;
    const struct lb_node *adapter;

    bool due;      /* to be sealed and sent in the next round */
    bool open;     /* sent, and no event about it has come */
    bool retried;  /* sealed anew for what the department said: not again */
    bool expected; /* a broker says that the department is being started anew */
    Lianban__V1__ReadRequest *request;
    struct lb_window_context context;
    uint64_t seq;
};

/* Logs and checkpoints verified already in this collect. */
#define LB_RECEIPTS_MAX_LOGS 64U
#define LB_RECEIPTS_MAX_SEEN 64U

struct lb_receipts {
    size_t num_logs;
    struct {
        const struct lb_node *node;
        struct lb_watch watch;
    } logs[LB_RECEIPTS_MAX_LOGS];
    size_t num_seen;
    struct {
        const struct lb_node *node;
        struct lb_span note;
        struct lb_checkpoint checkpoint;
    } seen[LB_RECEIPTS_MAX_SEEN];
};

struct lb_collect_run {
    struct lb_window *window;
    struct lb_window_case *entry;
    struct lb_arena *arena;
    struct lb_directory *directory;
    int64_t started_ms;         /* monotonic */
    int64_t deadline_unix_ms;
    const char *operator_token;
    const char *approver_token;  /* NULL for a case that nobody had to approve */
    bool late;                   /* the late sections are asked now, the others were before */
    size_t num_reads;
    struct lb_collect_read *reads;
    struct lb_member_grants *grants;  /* one per member */
    struct lb_receipts receipts;
    size_t broker;               /* the one that is being asked */
    unsigned tried;              /* those that are not asked again, a bit for each */
    bool spoke;                  /* it has sent an event */
    bool heard;                  /* some broker has, in this collect */
    bool again;                  /* some read is to be asked through another, or later */
    int64_t patience_ms;         /* left to wait for what is being started anew */
    int64_t pause_ms;            /* the next of the pauses that make it up */
};

/* --- read_request.c --- */

/* lb_collect_prepare makes for one member, ahead of time, what has to be on disk before reads go
 * out, so that the collect need not wait for the disk once more: the rids of what is asked first,
 * and the mandate. Whoever calls it keeps the case afterwards; what could not be made is made when
 * it is needed. Under the case's lock. */
LB_MUST lb_status lb_collect_prepare(struct lb_window_case *entry, size_t member,
                                     struct lb_arena *arena);

/* lb_collect_plan lists what has to be asked, and notes outcomes for what cannot be. Under the
 * case's lock. */
LB_MUST lb_status lb_collect_plan(struct lb_collect_run *run);
/* lb_collect_seal seals one planned read anew, with a new txn and the rid it always has. Under the
 * case's lock. */
LB_MUST lb_status lb_collect_seal(struct lb_collect_run *run, struct lb_collect_read *read);

/* --- shares.c --- */

/* lb_collect_share writes the run that a read's shares are for; NULL for a read without any.
 * NO_MEMORY. Under the case's lock. */
LB_MUST lb_status lb_collect_share(const struct lb_collect_run *run,
                                   const struct lb_collect_read *read,
                                   Lianban__V1__ShareRun **out);

/* --- receipt.c --- */

/* lb_receipt_check verifies both sides' entries about an event with an adapter's entry.
 * RECEIPT_INVALID. */
LB_MUST lb_status lb_receipt_check(struct lb_collect_run *run, const struct lb_collect_read *read,
                                   const Lianban__V1__CollectEvent *event);
void lb_receipts_cleanup(struct lb_receipts *receipts);

/* --- answer.c, facts.c --- */

/* lb_collect_has_other says whether a broker is left to ask, and time to do it. */
bool lb_collect_has_other(const struct lb_collect_run *run);
/* lb_collect_may_wait says whether all of them may be asked once more, a little later. */
bool lb_collect_may_wait(const struct lb_collect_run *run);

/* lb_collect_event takes one CollectEvent; under the case's lock. A failure leaves its read
 * open. */
LB_MUST lb_status lb_collect_event(struct lb_collect_run *run, struct lb_span bytes);
/* lb_collect_settle gives every fact of a read that is not final yet the same outcome. */
LB_MUST lb_status lb_collect_settle(struct lb_collect_run *run, const struct lb_collect_read *read,
                                    enum lb_fact_state state, enum lb_code code, bool receipt_ok);
/* lb_collect_facts takes the facts of a department's answer, all or none: RECEIPT_INVALID unless
 * each one that was asked stands there exactly once and is well formed. */
LB_MUST lb_status lb_collect_facts(struct lb_collect_run *run, const struct lb_collect_read *read,
                                   const Lianban__V1__SealedAnswer *answer);

#endif
