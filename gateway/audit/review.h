#ifndef GATEWAY_AUDIT_REVIEW_H
#define GATEWAY_AUDIT_REVIEW_H

#include "gateway/audit/detect_lists.h"
#include "gateway/audit/index.h"
#include "gateway/store/schema.h"

/*
 * The officer's review queue, in a store of its own (`folder`/review.db, mode 0600): what the rules
 * noticed in the log, and what people did about it.
 *
 *   alert -> assign -> explain -> close with a reason
 *
 * Alerts follow from the log and the rules alone: the same rows and rules give the same alerts,
 * with the same numbers, however the scanning was cut into pieces. An alert names the entries it
 * rests on by their indexes and holds no person's pseudonym. Every act is a row of a hash chain,
 * and goes into the node's evidence log first when there is a recorder: no evidence, no act.
 */
struct lb_review;

#define LB_REVIEW_MAX_ENTRIES 1000     /* that one alert names; more are only counted */
#define LB_REVIEW_MAX_TEXT_BYTES 500   /* of an explanation or a reason */
#define LB_REVIEW_MIN_REASON_BYTES 6
#define LB_REVIEW_MAX_LIST 1000

enum lb_review_state {
    LB_REVIEW_OPEN = 1,
    LB_REVIEW_ASSIGNED,
    LB_REVIEW_EXPLAINED,
    LB_REVIEW_CLOSED,
    LB_REVIEW_STATE_END
};

/* What a review came to. */
enum lb_review_outcome {
    LB_REVIEW_LAWFUL = 1,   /* the look-ups were in order */
    LB_REVIEW_MISTAKE,      /* wrong, without intent; put right */
    LB_REVIEW_MISUSE,       /* handed to whoever disciplines */
    LB_REVIEW_OUTCOME_END
};

/* What somebody did. `hash` covers all of it and the act before:
 * SHA-256("lianban review act v1" || u64 seq || u64 at_ms || u64 alert || field16 what || field16
 * who || field16 text || hash of the act before, zeros for the first). */
struct lb_review_act {
    int64_t seq;
    int64_t at_ms;
    int64_t alert;            /* 0 for what is about no alert */
    const char *what;         /* ASSIGNED, EXPLAINED, CLOSED, SAMPLED */
    const char *who;
    const char *text;
    uint8_t hash[32];
    bool recorded;
    uint64_t leaf;            /* the REVIEW entry of the node's log, when recorded */
};

/* Puts an act into the node's evidence log before it counts, and sets `recorded` and `leaf`. */
struct lb_review_recorder {
    void *ctx;
    lb_status (*record)(void *ctx, struct lb_review_act *act);
};

/* lb_review_open opens the queue, making folder and file when `create`. FILE_FAILED when the
 * folder is missing or open to others, statuses of lb_store_open, with a sentence in diag.
 * recorder may be NULL: then the chain alone remembers the acts. */
LB_MUST lb_status lb_review_open(const char *folder, bool create,
                                 const struct lb_review_recorder *recorder, struct lb_diag *diag,
                                 struct lb_review **out_review);
/* lb_review_close releases; NULL is allowed. */
void lb_review_close(struct lb_review *review);
void lb_review_closep(struct lb_review **review);  /* for LB_DEFER */

/* --- noticing --- */

/* Rows of one log in its order. */
struct lb_review_source {
    void *ctx;
    const char *origin;
    /* Gives the next row, borrowed until the next call, NULL at the end; *out_missed says that the
     * person was nobody's: every field not found. */
    lb_status (*next)(void *ctx, const struct lb_audit_row **out_row, bool *out_missed);
};

struct lb_review_progress {
    uint64_t next;          /* the first entry that was not looked at */
    uint64_t num_rows;      /* looked at */
    uint64_t num_reads;     /* of them about persons */
    uint64_t num_alerts;    /* new ones */
    uint64_t num_unlisted;  /* rows of years whose holidays the calendar lacks */
};

/* lb_review_next says where the next scan begins: 0 for a new queue. STORE_FAILED. */
LB_MUST lb_status lb_review_next(struct lb_review *review, uint64_t *out_next);

/* lb_review_scan judges rows from the source, which must begin at lb_review_next, and raises
 * alerts. Each thousand rows and what they raise are committed at once. At most max_rows (0: all).
 * LOG_FORK when the queue belongs to another log or a row comes twice; what the source and the
 * store say. */
LB_MUST lb_status lb_review_scan(struct lb_review *review, const struct lb_detect_rules *rules,
                                 const struct lb_detect_lists *lists,
                                 const struct lb_review_source *source, uint64_t max_rows,
                                 struct lb_review_progress *out_progress);

/* --- the queue --- */

struct lb_review_alert {
    int64_t id;
    const char *rule;               /* "sample" for one that was drawn */
    enum lb_detect_severity severity;
    enum lb_review_state state;
    const char *title_zh, *title_en, *why_zh, *why_en;
    const char *actor, *organization, *unit;  /* "" when several */
    int64_t first_ms, last_ms;      /* of its entries */
    int64_t num_entries;
    int64_t opened_ms, due_ms, changed_ms;
    const char *assignee;           /* "" while open */
    const char *explanation;
    enum lb_review_outcome outcome; /* 0 while not closed */
    const char *reason;
};

struct lb_review_filter {
    bool closed_too;
    enum lb_detect_severity min_severity;  /* 0: any */
    const char *rule;       /* NULL: any */
    const char *assignee;   /* NULL: any */
    int64_t since_ms;       /* opened; 0: any */
    int64_t until_ms;       /* 0: any */
};

/* lb_review_list reads alerts, gravest and oldest first, at most LB_REVIEW_MAX_LIST; *out_left is
 * how many more there are. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_review_list(struct lb_review *review, const struct lb_review_filter *filter,
                                 struct lb_arena *arena, struct lb_review_alert **out_alerts,
                                 size_t *out_num, uint64_t *out_left);

struct lb_review_case {
    struct lb_review_alert alert;
    uint64_t *entries;      /* at most LB_REVIEW_MAX_ENTRIES */
    size_t num_entries;
    struct lb_review_act *acts;
    size_t num_acts;
};

/* lb_review_show reads one alert with its entries and acts. ABSENT. */
LB_MUST lb_status lb_review_show(struct lb_review *review, int64_t id, struct lb_arena *arena,
                                 struct lb_review_case *out_case);

/* lb_review_has says whether an alert rests on an entry. STORE_FAILED. */
LB_MUST lb_status lb_review_has(struct lb_review *review, uint64_t index, bool *out_has);

/* --- acts --- */

/* lb_review_assign gives an alert that is not closed to somebody. ABSENT, REVIEW_STATE when closed,
 * MALFORMED for a name that is empty, long or has control characters; what the recorder says. */
LB_MUST lb_status lb_review_assign(struct lb_review *review, int64_t id, const char *assignee,
                                   const char *who, int64_t now_ms);
/* lb_review_explain records what those concerned say. REVIEW_STATE before it is assigned or when
 * closed; MALFORMED for a text that is too short, too long, or has what looks like an identity
 * number. */
LB_MUST lb_status lb_review_explain(struct lb_review *review, int64_t id, const char *text,
                                    const char *who, int64_t now_ms);
/* lb_review_conclude closes it. REVIEW_STATE before it is explained (an alert of severity low needs
 * only to be assigned) or when closed; MALFORMED as above; REVIEW_STATE also when a high or
 * critical one would be closed by whoever explained it. */
LB_MUST lb_status lb_review_conclude(struct lb_review *review, int64_t id,
                                     enum lb_review_outcome outcome, const char *reason,
                                     const char *who, int64_t now_ms);

struct lb_review_draw {
    int64_t since_ms, until_ms;
    unsigned per_mille;        /* of the rows about persons that no alert rests on, 1..1000 */
    uint8_t seed[16];          /* random: nobody may know before what is drawn */
};

/* lb_review_sample draws rows for review, each an alert of rule "sample". It begins at the source's
 * first row and ends at until_ms; at most 500 are drawn. MALFORMED for an impossible draw. */
#define LB_REVIEW_MAX_SAMPLE 500
LB_MUST lb_status lb_review_sample(struct lb_review *review, const struct lb_detect_rules *rules,
                                   const struct lb_review_source *source,
                                   const struct lb_review_draw *draw, const char *who,
                                   int64_t now_ms, uint64_t *out_seen, uint64_t *out_drawn);

/* lb_review_verify recomputes the chain of acts. LOG_FORK when an act was changed, removed or
 * moved; *out_num counts acts. */
LB_MUST lb_status lb_review_verify(struct lb_review *review, int64_t *out_num);

/* lb_review_state_name and _outcome_name return "open", "lawful" and so on. */
const char *lb_review_state_name(enum lb_review_state state);
const char *lb_review_outcome_name(enum lb_review_outcome outcome);
/* lb_review_outcome_by_name finds one; false if there is none. */
bool lb_review_outcome_by_name(const char *name, enum lb_review_outcome *out);

/* The queue's own kind of store. */
extern const struct lb_store_schema lb_review_schema;

#endif
