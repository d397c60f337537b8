#include "gateway/audit/review_state.h"

/* Reading the queue. */

lb_status lb_review_read_alert(const struct lb_stmt *stmt, struct lb_arena *arena,
                               struct lb_review_alert *out_alert)
{
    const char *texts[22] = {NULL};
    for (int i = 0; i < 22; i++) {
        if (lb_stmt_type(stmt, i) != LB_COL_TEXT)
            continue;
        texts[i] = lb_arena_str(arena, lb_stmt_text(stmt, i));
        LB_ENSURE(texts[i] != NULL, LB_NO_MEMORY, "arena is full");
    }
    int64_t severity = lb_stmt_int(stmt, 2), state = lb_stmt_int(stmt, 3);
    int64_t outcome = lb_stmt_int(stmt, 19);
    LB_ENSURE(severity >= LB_DETECT_LOW && severity < LB_DETECT_SEVERITY_END &&
                  state >= LB_REVIEW_OPEN && state < LB_REVIEW_STATE_END && outcome >= 0 &&
                  outcome < LB_REVIEW_OUTCOME_END,
              LB_STORE_FAILED, "an alert's row is damaged");
    *out_alert = (struct lb_review_alert){
        .id = lb_stmt_int(stmt, 0), .rule = texts[1],
        .severity = (enum lb_detect_severity)severity, .state = (enum lb_review_state)state,
        .title_zh = texts[4], .title_en = texts[5], .why_zh = texts[6], .why_en = texts[7],
        .actor = texts[8], .organization = texts[9], .unit = texts[10],
        .first_ms = lb_stmt_int(stmt, 11), .last_ms = lb_stmt_int(stmt, 12),
        .num_entries = lb_stmt_int(stmt, 13), .opened_ms = lb_stmt_int(stmt, 14),
        .due_ms = lb_stmt_int(stmt, 15), .changed_ms = lb_stmt_int(stmt, 16),
        .assignee = texts[17], .explanation = texts[18],
        .outcome = (enum lb_review_outcome)outcome, .reason = texts[20],
    };
    return LB_OK;
}

lb_status lb_review_list(struct lb_review *review, const struct lb_review_filter *filter,
                         struct lb_arena *arena, struct lb_review_alert **out_alerts,
                         size_t *out_num, uint64_t *out_left)
{
    const struct review_value values[] = {
        REVIEW_I(filter->closed_too),
        REVIEW_I(filter->min_severity),
        REVIEW_T(filter->rule == NULL ? "" : filter->rule),
        REVIEW_T(filter->assignee == NULL ? "" : filter->assignee),
        REVIEW_I(filter->since_ms),
        REVIEW_I(filter->until_ms),
    };
    const size_t num_values = sizeof(values) / sizeof(values[0]);
    struct lb_stmt *stmt = review->stmt[REVIEW_LIST];
    int64_t all = 0;
    size_t num = 0;
    bool more = false;
    LB_TRY(lb_review_number(review, REVIEW_LIST_NUM, values, num_values, &all));
    size_t most = all < LB_REVIEW_MAX_LIST ? (size_t)all : LB_REVIEW_MAX_LIST;
    struct lb_review_alert *alerts = lb_arena_array(arena, most + 1, sizeof(*alerts));
    LB_ENSURE(alerts != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_review_bind(stmt, values, num_values));
    LB_TRY(lb_stmt_step(stmt, &more));
    while (more && num < most) {
        LB_TRY(lb_review_read_alert(stmt, arena, &alerts[num++]));
        LB_TRY(lb_stmt_step(stmt, &more));
    }
    lb_stmt_reset(stmt);
    *out_alerts = alerts;
    *out_num = num;
    *out_left = (uint64_t)all - num;
    return LB_OK;
}

static lb_status read_entries(struct lb_review *review, int64_t id, struct lb_arena *arena,
                              struct lb_review_case *out)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_ENTRIES];
    bool more = false;
    out->entries = lb_arena_array(arena, LB_REVIEW_MAX_ENTRIES, sizeof(*out->entries));
    LB_ENSURE(out->entries != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_review_bind(stmt, REVIEW_VALUES(REVIEW_I(id))));
    LB_TRY(lb_stmt_step(stmt, &more));
    while (more && out->num_entries < LB_REVIEW_MAX_ENTRIES) {
        out->entries[out->num_entries++] = (uint64_t)lb_stmt_int(stmt, 0);
        LB_TRY(lb_stmt_step(stmt, &more));
    }
    lb_stmt_reset(stmt);
    return LB_OK;
}

static lb_status read_act(const struct lb_stmt *stmt, struct lb_arena *arena,
                          struct lb_review_act *out)
{
    struct lb_span hash = lb_stmt_blob(stmt, 6);
    struct lb_review_act act = {
        .seq = lb_stmt_int(stmt, 0),
        .at_ms = lb_stmt_int(stmt, 1),
        .alert = lb_stmt_int(stmt, 2),
        .what = lb_arena_str(arena, lb_stmt_text(stmt, 3)),
        .who = lb_arena_str(arena, lb_stmt_text(stmt, 4)),
        .text = lb_arena_str(arena, lb_stmt_text(stmt, 5)),
        .recorded = lb_stmt_type(stmt, 7) == LB_COL_INT,
        .leaf = (uint64_t)lb_stmt_int(stmt, 7),
    };
    LB_ENSURE(act.what != NULL && act.who != NULL && act.text != NULL, LB_NO_MEMORY,
              "arena is full");
    LB_ENSURE(hash.len == sizeof(act.hash), LB_STORE_FAILED, "an act's hash has another length");
    memcpy(act.hash, hash.ptr, sizeof(act.hash));
    *out = act;
    return LB_OK;
}

#define MAX_ACTS 1000

static lb_status read_acts(struct lb_review *review, int64_t id, struct lb_arena *arena,
                           struct lb_review_case *out)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_ALERT_ACTS];
    bool more = false;
    out->acts = lb_arena_array(arena, MAX_ACTS, sizeof(*out->acts));
    LB_ENSURE(out->acts != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_review_bind(stmt, REVIEW_VALUES(REVIEW_I(id))));
    LB_TRY(lb_stmt_step(stmt, &more));
    while (more && out->num_acts < MAX_ACTS) {
        LB_TRY(read_act(stmt, arena, &out->acts[out->num_acts++]));
        LB_TRY(lb_stmt_step(stmt, &more));
    }
    lb_stmt_reset(stmt);
    return LB_OK;
}

lb_status lb_review_show(struct lb_review *review, int64_t id, struct lb_arena *arena,
                         struct lb_review_case *out_case)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_ALERT];
    struct lb_review_case found = {.num_entries = 0};
    bool row = false;
    LB_TRY(lb_review_bind(stmt, REVIEW_VALUES(REVIEW_I(id))));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_ABSENT, "there is no such alert");
    LB_TRY(lb_review_read_alert(stmt, arena, &found.alert));
    lb_stmt_reset(stmt);
    LB_TRY(read_entries(review, id, arena, &found));
    LB_TRY(read_acts(review, id, arena, &found));
    *out_case = found;
    return LB_OK;
}

lb_status lb_review_has(struct lb_review *review, uint64_t index, bool *out_has)
{
    int64_t num = 0;
    LB_TRY(lb_review_number(review, REVIEW_HAS_ENTRY, REVIEW_VALUES(REVIEW_I(index)), &num));
    *out_has = num > 0;
    return LB_OK;
}
