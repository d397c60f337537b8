#include "gateway/audit/review_state.h"

/* Whether one row, with the rows before it, fulfils a rule. */

#define MINUTE_MS INT64_C(60000)
#define DAY_MS (24 * 60 * MINUTE_MS)

static int64_t window_start(const struct lb_detect_rule *rule, const struct review_row *row)
{
    return row->row->time_ms - rule->param[LB_DETECT_WINDOW_MINUTES] * MINUTE_MS;
}

/* Which rows of an operator's window count. */
struct which {
    bool missed, off, denied;
};

static lb_status count_window(struct lb_review *review, enum review_sql sql,
                              const struct review_row *row, int64_t since_ms, struct which which,
                              int64_t *out_count)
{
    return lb_review_number(review, sql,
                            REVIEW_VALUES(REVIEW_T(row->row->actor), REVIEW_I(since_ms),
                                          REVIEW_I(which.missed), REVIEW_I(which.off),
                                          REVIEW_I(which.denied)),
                            out_count);
}

static lb_status judge_after_hours(struct lb_review *review, const struct lb_detect_rule *rule,
                                   const struct review_row *row, struct review_hit *out)
{
    if (row->moment.working)
        return LB_OK;
    out->since_ms = window_start(rule, row);
    out->take = REVIEW_TAKE_OFF;
    LB_TRY(count_window(review, REVIEW_COUNT_ACTOR, row, out->since_ms,
                        (struct which){.off = true}, &out->count));
    out->hit = out->count >= rule->param[LB_DETECT_RECORDS];
    return LB_OK;
}

static lb_status judge_bulk(struct lb_review *review, const struct lb_detect_rule *rule,
                            const struct review_row *row, struct review_hit *out)
{
    out->since_ms = window_start(rule, row);
    out->take = REVIEW_TAKE_ALL;
    LB_TRY(count_window(review, REVIEW_COUNT_SUBJECTS, row, out->since_ms, (struct which){0},
                        &out->count));
    out->hit = out->count >= rule->param[LB_DETECT_SUBJECTS];
    return LB_OK;
}

static lb_status judge_enumeration(struct lb_review *review, const struct lb_detect_rule *rule,
                                   const struct review_row *row, struct review_hit *out)
{
    if (!row->missed)
        return LB_OK;
    out->since_ms = window_start(rule, row);
    out->take = REVIEW_TAKE_MISSED;
    LB_TRY(count_window(review, REVIEW_COUNT_SUBJECTS, row, out->since_ms,
                        (struct which){.missed = true}, &out->count));
    out->hit = out->count >= rule->param[LB_DETECT_MISSES];
    return LB_OK;
}

static lb_status judge_many_offices(struct lb_review *review, const struct lb_detect_rule *rule,
                                    const struct review_row *row, struct review_hit *out)
{
    if (!row->row->has_subject)
        return LB_OK;
    out->since_ms = window_start(rule, row);
    out->take = REVIEW_TAKE_PERSON;
    out->of_subject = true;
    LB_TRY(lb_review_number(
        review, REVIEW_COUNT_OFFICES,
        REVIEW_VALUES(REVIEW_B(row->row->subject, 32), REVIEW_I(out->since_ms)), &out->count));
    out->hit = out->count >= rule->param[LB_DETECT_OFFICES];
    return LB_OK;
}

static lb_status judge_shared(struct lb_review *review, const struct lb_detect_rule *rule,
                              const struct review_row *row, struct review_hit *out)
{
    int64_t elsewhere = 0;
    out->since_ms = window_start(rule, row);
    out->take = REVIEW_TAKE_ALL;
    LB_TRY(lb_review_number(review, REVIEW_OTHER_PLACE,
                            REVIEW_VALUES(REVIEW_T(row->row->actor), REVIEW_I(out->since_ms),
                                          REVIEW_I(0), REVIEW_I(0), REVIEW_I(0),
                                          REVIEW_T(row->place)),
                            &elsewhere));
    out->hit = elsewhere > 0;
    return LB_OK;
}

/* --- refused, then allowed --- */

static bool one_of(const struct lb_detect_rule *rule, struct lb_span code)
{
    for (size_t i = 0; i < rule->num_codes; i++)
        if (lb_span_is(code, rule->codes[i]))
            return true;
    return false;
}

/* A refusal before the person was looked at names none; it counts as this operator's. */
static void weigh_denial(const struct lb_stmt *stmt, const struct lb_detect_rule *rule,
                         const struct lb_audit_row *row, int64_t *num, bool *changed)
{
    struct lb_span subject = lb_stmt_blob(stmt, 4);
    bool same_person = row->has_subject &&
                       lb_span_eq(subject, lb_span_of(row->subject, sizeof(row->subject)));
    bool same_case = row->case_no[0] != 0 && lb_span_is(lb_stmt_text(stmt, 3), row->case_no);
    if (!one_of(rule, lb_stmt_text(stmt, 0)))
        return;
    if (!same_person && !same_case && subject.len > 0)
        return;
    *num += 1;
    if (!same_person && !same_case)
        return;
    *changed = *changed || !lb_span_is(lb_stmt_text(stmt, 1), row->purpose) ||
               !lb_span_is(lb_stmt_text(stmt, 2), row->basis);
}

static lb_status judge_deny_then_allow(struct lb_review *review,
                                       const struct lb_detect_rule *rule,
                                       const struct review_row *row, struct review_hit *out)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_DENIED];
    int64_t num = 0;
    bool changed = false, more = false;
    if (!row->released)
        return LB_OK;
    out->since_ms = window_start(rule, row);
    out->take = REVIEW_TAKE_DENIED;
    LB_TRY(lb_review_bind(stmt,
                          REVIEW_VALUES(REVIEW_T(row->row->actor), REVIEW_I(out->since_ms))));
    LB_TRY(lb_stmt_step(stmt, &more));
    while (more) {
        weigh_denial(stmt, rule, row->row, &num, &changed);
        LB_TRY(lb_stmt_step(stmt, &more));
    }
    lb_stmt_reset(stmt);
    out->count = num;
    out->hit = changed || num >= rule->param[LB_DETECT_DENIALS];
    return LB_OK;
}

/* --- the operator's own past --- */

static void judge_dormant(const struct lb_detect_rule *rule, const struct review_row *row,
                          struct review_hit *out)
{
    out->hit = row->known &&
               row->row->time_ms - row->last_ms > rule->param[LB_DETECT_DAYS] * DAY_MS;
}

static void judge_first_class(const struct lb_detect_rule *rule, const struct review_row *row,
                              struct review_hit *out)
{
    bool experienced = row->known && row->records >= rule->param[LB_DETECT_LEARN_RECORDS] &&
                       row->row->time_ms - row->first_ms >=
                           rule->param[LB_DETECT_LEARN_DAYS] * DAY_MS;
    out->hit = experienced && row->row->class_max >= rule->param[LB_DETECT_MIN_CLASS] &&
               row->class_max < rule->param[LB_DETECT_MIN_CLASS];
}

static lb_status judge_volume(struct lb_review *review, const struct lb_detect_rule *rule,
                              const struct review_row *row, struct review_hit *out)
{
    int64_t most = -1;
    if (row->today <= rule->param[LB_DETECT_MIN_RECORDS])
        return LB_OK;
    LB_TRY(lb_review_usual(review, rule, row, &most));
    out->count = row->today;
    out->since_ms = row->row->time_ms - DAY_MS;
    out->take = REVIEW_TAKE_ALL;
    out->hit = most >= 0 && row->today > most;
    return LB_OK;
}

/* The operator's past, of rows that name one. */
static lb_status judge_operator(struct lb_review *review, const struct lb_detect_rule *rule,
                                const struct review_row *row, struct review_hit *out)
{
    switch (rule->kind) {
    case LB_DETECT_AFTER_HOURS:
        return judge_after_hours(review, rule, row, out);
    case LB_DETECT_BULK:
        return judge_bulk(review, rule, row, out);
    case LB_DETECT_ENUMERATION:
        return judge_enumeration(review, rule, row, out);
    case LB_DETECT_DENY_THEN_ALLOW:
        return judge_deny_then_allow(review, rule, row, out);
    case LB_DETECT_SHARED_CREDENTIAL:
        return judge_shared(review, rule, row, out);
    case LB_DETECT_VOLUME:
        return judge_volume(review, rule, row, out);
    case LB_DETECT_DORMANT:
        judge_dormant(rule, row, out);
        return LB_OK;
    case LB_DETECT_FIRST_CLASS:
        judge_first_class(rule, row, out);
        return LB_OK;
    default:
        return LB_OK;
    }
}

lb_status lb_review_judge(struct lb_review *review, const struct lb_detect_rule *rule,
                          const struct lb_detect_lists *lists, const struct review_row *row,
                          struct review_hit *out_hit)
{
    const struct lb_audit_row *seen = row->row;
    struct review_hit hit = {.take = REVIEW_TAKE_ONE};
    bool has_case = seen->case_no[0] != 0;
    switch (rule->kind) {
    case LB_DETECT_CASE_LESS:
        hit.hit = strcmp(seen->code, "NO_CASE") == 0 || (row->released && !has_case);
        break;
    case LB_DETECT_LISTED:
        hit.of_subject = true;
        hit.hit = seen->has_subject && lb_detect_lists_has(lists, rule->list, seen->subject);
        break;
    case LB_DETECT_KIN:
        hit.of_subject = true;
        hit.hit = seen->has_subject && (lb_detect_lists_relations(lists, seen->actor,
                                                                  seen->subject) &
                                        rule->relations) != 0;
        break;
    case LB_DETECT_MANY_OFFICES:
        LB_TRY(judge_many_offices(review, rule, row, &hit));
        break;
    default:
        if (seen->actor[0] != 0)
            LB_TRY(judge_operator(review, rule, row, &hit));
    }
    *out_hit = hit;
    return LB_OK;
}
