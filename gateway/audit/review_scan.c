#include <stdio.h>

#include "gateway/audit/review_state.h"
#include "gateway/base/limits.h"

/* Going over the log's rows, a thousand to a transaction. */

#define BATCH 1000
#define DAY_MS INT64_C(86400000)
#define KEEP_DAYS 400  /* of operators' day counts; a rule looks at 366 at most */

struct scan {
    struct lb_review *review;
    const struct lb_detect_rules *rules;
    const struct lb_detect_lists *lists;
    const char *origin;
    int64_t last_ms;
    struct lb_review_progress progress;
};

/* --- where it stands --- */

static lb_status read_scan(struct lb_review *review, const char *origin, uint64_t *out_next,
                           int64_t *out_last_ms)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_GET_SCAN];
    bool found = false;
    lb_stmt_reset(stmt);
    LB_TRY(lb_stmt_step(stmt, &found));
    bool same = !found || origin == NULL || lb_span_is(lb_stmt_text(stmt, 0), origin);
    *out_next = found ? (uint64_t)lb_stmt_int(stmt, 1) : 0;
    if (out_last_ms != NULL)
        *out_last_ms = found ? lb_stmt_int(stmt, 2) : 0;
    lb_stmt_reset(stmt);
    LB_ENSURE(same, LB_LOG_FORK, "the queue belongs to another log");
    return LB_OK;
}

lb_status lb_review_next(struct lb_review *review, uint64_t *out_next)
{
    return read_scan(review, NULL, out_next, NULL);
}

static lb_status write_scan(struct scan *scan)
{
    return lb_review_run(scan->review, REVIEW_PUT_SCAN,
                         REVIEW_VALUES(REVIEW_T(scan->origin), REVIEW_I(scan->progress.next),
                                       REVIEW_I(scan->last_ms)));
}

/* --- one row --- */

static lb_status read_person(struct lb_review *review, struct review_row *row)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_GET_PERSON];
    LB_TRY(lb_review_bind(stmt, REVIEW_VALUES(REVIEW_T(row->row->actor))));
    LB_TRY(lb_stmt_step(stmt, &row->known));
    if (row->known) {
        row->first_ms = lb_stmt_int(stmt, 0);
        row->last_ms = lb_stmt_int(stmt, 1);
        row->records = lb_stmt_int(stmt, 2);
        row->class_max = lb_stmt_int(stmt, 3);
    }
    lb_stmt_reset(stmt);
    return LB_OK;
}

/* A repeated request is no second look-up. */
static lb_status count_today(struct lb_review *review, struct review_row *row)
{
    const struct lb_audit_row *seen = row->row;
    if (!seen->retry)
        LB_TRY(lb_review_run(review, REVIEW_PUT_DAY,
                             REVIEW_VALUES(REVIEW_T(seen->actor), REVIEW_I(row->moment.day),
                                           REVIEW_T(seen->organization))));
    return lb_review_number(review, REVIEW_GET_DAY,
                            REVIEW_VALUES(REVIEW_T(seen->actor), REVIEW_I(row->moment.day)),
                            &row->today);
}

static lb_status remember(struct lb_review *review, const struct review_row *row)
{
    const struct lb_audit_row *seen = row->row;
    bool refused_outside = strcmp(seen->code, "ANSWERED") != 0;
    return lb_review_run(
        review, REVIEW_PUT_RECENT,
        REVIEW_VALUES(REVIEW_I(seen->index), REVIEW_I(seen->time_ms), REVIEW_T(seen->actor),
                      seen->has_subject ? REVIEW_B(seen->subject, 32) : REVIEW_N,
                      REVIEW_T(row->place), REVIEW_T(seen->organization),
                      REVIEW_T(seen->purpose), REVIEW_T(seen->basis), REVIEW_T(seen->case_no),
                      REVIEW_T(refused_outside ? seen->code : seen->inner),
                      REVIEW_I(row->missed), REVIEW_I(row->denied),
                      REVIEW_I(!row->moment.working)));
}

static lb_status judge_all(struct scan *scan, const struct review_row *row)
{
    for (size_t i = 0; i < scan->rules->num; i++) {
        const struct lb_detect_rule *rule = &scan->rules->rules[i];
        struct review_hit hit;
        bool is_new = false;
        LB_TRY(lb_review_judge(scan->review, rule, scan->lists, row, &hit));
        if (!hit.hit)
            continue;
        LB_TRY(lb_review_raise(scan->review, scan->rules, rule, row, &hit, &is_new));
        scan->progress.num_alerts += is_new ? 1 : 0;
    }
    return LB_OK;
}

static bool one_of_misses(const char *code)
{
    static const char *const misses[] = {"NOT_FOUND", "ID_INVALID", "SUBJECT_MISMATCH",
                                         "PROBE_LIMIT"};
    for (size_t i = 0; i < sizeof(misses) / sizeof(misses[0]); i++)
        if (strcmp(code, misses[i]) == 0)
            return true;
    return false;
}

/* Only what was asked about a person, and says by whom, is judged. */
static lb_status take_read(struct scan *scan, const struct lb_audit_row *seen, bool missed)
{
    char place[LB_MAX_SPIFFE_BYTES + LB_MAX_NAME_BYTES + 2];
    struct review_row row = {.row = seen, .place = place};
    (void)snprintf(place, sizeof(place), "%s\n%s", seen->requester, seen->unit);
    lb_work_calendar_at(scan->rules->calendar, seen->time_ms, &row.moment);
    row.released = seen->decision == LB_AUDIT_ALLOW || seen->decision == LB_AUDIT_EMERGENCY;
    row.denied = seen->decision == LB_AUDIT_DENY;
    row.missed = missed || one_of_misses(seen->inner);
    scan->progress.num_reads++;
    scan->progress.num_unlisted += row.moment.listed ? 0 : 1;
    LB_TRY(remember(scan->review, &row));
    if (seen->actor[0] != 0) {
        LB_TRY(read_person(scan->review, &row));
        LB_TRY(count_today(scan->review, &row));
    }
    LB_TRY(judge_all(scan, &row));
    if (seen->actor[0] == 0)
        return LB_OK;
    return lb_review_run(scan->review, REVIEW_PUT_PERSON,
                         REVIEW_VALUES(REVIEW_T(seen->actor), REVIEW_I(seen->time_ms),
                                       REVIEW_I(seen->class_max)));
}

static lb_status take(struct scan *scan, const struct lb_audit_row *row, bool missed)
{
    LB_ENSURE(row->index >= scan->progress.next, LB_LOG_FORK, "a row comes twice");
    scan->progress.next = row->index + 1;
    scan->progress.num_rows++;
    scan->last_ms = row->time_ms > scan->last_ms ? row->time_ms : scan->last_ms;
    if (row->type != LB_LEAF_READ || row->detail != LB_AUDIT_DETAIL_OPEN)
        return LB_OK;
    return take_read(scan, row, missed);
}

/* --- many --- */

static lb_status prune(struct scan *scan)
{
    struct lb_work_moment moment;
    lb_work_calendar_at(scan->rules->calendar, scan->last_ms, &moment);
    LB_TRY(lb_review_run(scan->review, REVIEW_PRUNE_RECENT,
                         REVIEW_VALUES(REVIEW_I(scan->last_ms - DAY_MS))));
    return lb_review_run(scan->review, REVIEW_PRUNE_DAY,
                         REVIEW_VALUES(REVIEW_I(moment.day - KEEP_DAYS)));
}

static lb_status take_batch(struct scan *scan, const struct lb_review_source *source,
                            uint64_t most, bool *out_end)
{
    for (uint64_t num = 0; num < most; num++) {
        const struct lb_audit_row *row = NULL;
        bool missed = false;
        LB_TRY(source->next(source->ctx, &row, &missed));
        *out_end = row == NULL;
        if (row == NULL)
            break;
        LB_TRY(take(scan, row, missed));
    }
    LB_TRY(prune(scan));
    return write_scan(scan);
}

static lb_status commit_batch(struct scan *scan, const struct lb_review_source *source,
                              uint64_t most, bool *out_end)
{
    LB_TRY(lb_store_begin(scan->review->store));
    lb_status status = take_batch(scan, source, most, out_end);
    if (status == LB_OK)
        status = lb_store_commit(scan->review->store);
    if (status != LB_OK)
        lb_store_rollback(scan->review->store);
    return status;
}

lb_status lb_review_scan(struct lb_review *review, const struct lb_detect_rules *rules,
                         const struct lb_detect_lists *lists,
                         const struct lb_review_source *source, uint64_t max_rows,
                         struct lb_review_progress *out_progress)
{
    struct scan scan = {
        .review = review,
        .rules = rules,
        .lists = lists,
        .origin = source->origin,
    };
    bool end = false;
    LB_TRY(read_scan(review, source->origin, &scan.progress.next, &scan.last_ms));
    while (!end) {
        uint64_t left = max_rows == 0 ? BATCH : max_rows - scan.progress.num_rows;
        if (left == 0)
            break;
        LB_TRY(commit_batch(&scan, source, left < BATCH ? left : BATCH, &end));
    }
    *out_progress = scan.progress;
    return LB_OK;
}
