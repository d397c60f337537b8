#ifndef GATEWAY_AUDIT_REVIEW_STATE_H
#define GATEWAY_AUDIT_REVIEW_STATE_H

#include "gateway/audit/review.h"
#include "gateway/store/store.h"

/* Inside the review queue. */

enum review_sql {
    REVIEW_GET_SCAN,
    REVIEW_PUT_SCAN,
    REVIEW_PUT_RECENT,
    REVIEW_PRUNE_RECENT,
    REVIEW_PRUNE_DAY,
    REVIEW_GET_PERSON,
    REVIEW_PUT_PERSON,
    REVIEW_PUT_DAY,
    REVIEW_GET_DAY,
    REVIEW_SET_USUAL,
    REVIEW_OWN_NUM,
    REVIEW_OWN_AT,
    REVIEW_PEERS_NUM,
    REVIEW_PEERS_AT,
    REVIEW_COUNT_ACTOR,
    REVIEW_COUNT_SUBJECTS,
    REVIEW_COUNT_OFFICES,
    REVIEW_OTHER_PLACE,
    REVIEW_DENIED,
    REVIEW_FIND_ALERT,
    REVIEW_PUT_ALERT,
    REVIEW_GROW_ALERT,
    REVIEW_PUT_ENTRY,
    REVIEW_TAKE_ACTOR,
    REVIEW_TAKE_SUBJECT,
    REVIEW_COUNT_ENTRIES,
    REVIEW_HAS_ENTRY,
    REVIEW_LAST_ACT,
    REVIEW_PUT_ACT,
    REVIEW_ACTS,
    REVIEW_ALERT_ACTS,
    REVIEW_ALERT,
    REVIEW_LIST,
    REVIEW_LIST_NUM,
    REVIEW_ENTRIES,
    REVIEW_ASSIGN,
    REVIEW_EXPLAIN,
    REVIEW_CLOSE,
    REVIEW_NUM_SQL
};

struct lb_review {
    struct lb_store *store;
    struct lb_stmt *stmt[REVIEW_NUM_SQL];
    const struct lb_review_recorder *recorder;
};

/* lb_review_sql is the text of each statement. */
const char *lb_review_sql(enum review_sql which);

/* One bound value; a run of them binds parameters 1, 2, ... */
struct review_value {
    enum { REVIEW_INT, REVIEW_TEXT, REVIEW_BLOB, REVIEW_NULL } kind;
    int64_t number;
    struct lb_span bytes;
};
#define REVIEW_I(n_) ((struct review_value){.kind = REVIEW_INT, .number = (int64_t)(n_)})
#define REVIEW_T(text_) ((struct review_value){.kind = REVIEW_TEXT, .bytes = lb_span_str(text_)})
#define REVIEW_B(ptr_, len_)                                                                       \
    ((struct review_value){.kind = REVIEW_BLOB, .bytes = lb_span_of(ptr_, len_)})
#define REVIEW_N ((struct review_value){.kind = REVIEW_NULL})
#define REVIEW_VALUES(...)                                                                         \
    (const struct review_value[]){__VA_ARGS__},                                                    \
        sizeof((const struct review_value[]){__VA_ARGS__}) / sizeof(struct review_value)

/* lb_review_bind resets a statement and binds; _run binds and runs one without rows; _number reads
 * the first column of the first row, 0 when there is none. */
LB_MUST lb_status lb_review_bind(struct lb_stmt *stmt, const struct review_value *values,
                                 size_t num);
LB_MUST lb_status lb_review_run(struct lb_review *review, enum review_sql which,
                                const struct review_value *values, size_t num);
LB_MUST lb_status lb_review_number(struct lb_review *review, enum review_sql which,
                                   const struct review_value *values, size_t num,
                                   int64_t *out_number);

/* One row as the rules judge it. */
struct review_row {
    const struct lb_audit_row *row;
    struct lb_work_moment moment;
    const char *place;          /* requester and unit */
    bool missed;
    bool denied;
    bool released;
    /* of the operator, before this row */
    bool known;
    int64_t first_ms, last_ms, records, class_max;
    int64_t today;              /* records of the day, this one included */
};

/* Which rows of the window belong to an alert. */
enum review_take {
    REVIEW_TAKE_ONE,            /* this row */
    REVIEW_TAKE_ALL,            /* the operator's in the window */
    REVIEW_TAKE_MISSED,
    REVIEW_TAKE_OFF,
    REVIEW_TAKE_DENIED,         /* the refused ones, and this row */
    REVIEW_TAKE_PERSON,         /* everybody's about this subject */
};

struct review_hit {
    bool hit;
    int64_t count;              /* 0: as many as the alert has entries */
    int64_t since_ms;
    enum review_take take;
    bool of_subject;            /* one alert per subject, not only per operator */
};

/* lb_review_judge says whether a row fulfils a rule. */
LB_MUST lb_status lb_review_judge(struct lb_review *review, const struct lb_detect_rule *rule,
                                  const struct lb_detect_lists *lists,
                                  const struct review_row *row, struct review_hit *out_hit);
/* lb_review_usual computes what an operator's day may have, once a day; -1 when nothing is
 * known. */
LB_MUST lb_status lb_review_usual(struct lb_review *review, const struct lb_detect_rule *rule,
                                  const struct review_row *row, int64_t *out_most);
/* lb_review_raise makes an alert or adds to the day's one. */
LB_MUST lb_status lb_review_raise(struct lb_review *review, const struct lb_detect_rules *rules,
                                  const struct lb_detect_rule *rule, const struct review_row *row,
                                  const struct review_hit *hit, bool *out_new);

/* lb_review_append adds an act to the chain, in the caller's transaction; the recorder goes
 * first. */
LB_MUST lb_status lb_review_append(struct lb_review *review, struct lb_review_act *act);
/* lb_review_read_alert reads the row a statement stands on. */
LB_MUST lb_status lb_review_read_alert(const struct lb_stmt *stmt, struct lb_arena *arena,
                                       struct lb_review_alert *out_alert);

#endif
