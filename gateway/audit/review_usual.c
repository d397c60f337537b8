#include "gateway/audit/review_state.h"

/*
 * What is usual for an operator's day: the quantile of the operator's own days and of the
 * colleagues', each times its factor, the larger of the two. It is computed once a day, when the
 * day becomes large enough to ask, and kept with it.
 */
#define UNKNOWN (-1)

/* Days as the store counts them, and where in their order the quantile stands. */
struct sample {
    enum review_sql num, at;
    struct review_value values[4];
    size_t num_values;
};

static lb_status quantile(struct lb_review *review, const struct sample *sample,
                          const struct lb_detect_rule *rule, int64_t *out_value)
{
    struct review_value values[5];
    int64_t num = 0;
    *out_value = UNKNOWN;
    LB_TRY(lb_review_number(review, sample->num, sample->values, sample->num_values, &num));
    if (num < rule->param[LB_DETECT_MIN_DAYS])
        return LB_OK;
    memcpy(values, sample->values, sizeof(sample->values));
    int64_t at = (num * rule->param[LB_DETECT_PERCENT] + 99) / 100 - 1;
    values[sample->num_values] = REVIEW_I(at < 0 ? 0 : at);
    return lb_review_number(review, sample->at, values, sample->num_values + 1, out_value);
}

static lb_status compute(struct lb_review *review, const struct lb_detect_rule *rule,
                         const struct review_row *row, int64_t *out_most)
{
    int64_t today = row->moment.day, since = today - rule->param[LB_DETECT_HISTORY_DAYS];
    const struct sample own = {
        .num = REVIEW_OWN_NUM,
        .at = REVIEW_OWN_AT,
        .values = {REVIEW_T(row->row->actor), REVIEW_I(since), REVIEW_I(today)},
        .num_values = 3,
    };
    const struct sample peers = {
        .num = REVIEW_PEERS_NUM,
        .at = REVIEW_PEERS_AT,
        .values = {REVIEW_T(row->row->organization), REVIEW_I(since), REVIEW_I(today),
                   REVIEW_T(row->row->actor)},
        .num_values = 4,
    };
    int64_t mine = UNKNOWN, theirs = UNKNOWN;
    LB_TRY(quantile(review, &own, rule, &mine));
    LB_TRY(quantile(review, &peers, rule, &theirs));
    if (mine != UNKNOWN)
        mine = mine * rule->param[LB_DETECT_FACTOR_PERCENT] / 100;
    if (theirs != UNKNOWN)
        theirs = theirs * rule->param[LB_DETECT_PEER_FACTOR_PERCENT] / 100;
    *out_most = mine > theirs ? mine : theirs;
    return LB_OK;
}

lb_status lb_review_usual(struct lb_review *review, const struct lb_detect_rule *rule,
                          const struct review_row *row, int64_t *out_most)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_GET_DAY];
    bool found = false;
    int64_t most = 0;
    LB_TRY(lb_review_bind(stmt,
                          REVIEW_VALUES(REVIEW_T(row->row->actor), REVIEW_I(row->moment.day))));
    LB_TRY(lb_stmt_step(stmt, &found));
    most = found ? lb_stmt_int(stmt, 1) : 0;
    lb_stmt_reset(stmt);
    if (most == 0) { /* not computed yet */
        LB_TRY(compute(review, rule, row, &most));
        LB_TRY(lb_review_run(review, REVIEW_SET_USUAL,
                             REVIEW_VALUES(REVIEW_T(row->row->actor), REVIEW_I(row->moment.day),
                                           REVIEW_I(most))));
    }
    *out_most = most;
    return LB_OK;
}
