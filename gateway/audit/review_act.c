#include "gateway/audit/review_state.h"
#include "gateway/base/buf.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"

/* What people do about alerts, as a chain of acts. */

#define LABEL "lianban review act v1"
#define MAX_ACT_BYTES (2 * LB_REVIEW_MAX_TEXT_BYTES + 1024)
#define MAX_DIGITS_IN_TEXT 11   /* a telephone number may stand there, an identity number not */

/* --- the chain --- */

static lb_status act_hash(const struct lb_review_act *act, const uint8_t before[LB_SHA256_BYTES],
                          uint8_t out[LB_SHA256_BYTES])
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    lb_buf_init(&buf, MAX_ACT_BYTES);
    lb_buf_put_str(&buf, LABEL);
    lb_buf_put_u64(&buf, (uint64_t)act->seq);
    lb_buf_put_u64(&buf, (uint64_t)act->at_ms);
    lb_buf_put_u64(&buf, (uint64_t)act->alert);
    lb_buf_put_field16(&buf, lb_span_str(act->what));
    lb_buf_put_field16(&buf, lb_span_str(act->who));
    lb_buf_put_field16(&buf, lb_span_str(act->text));
    lb_buf_put(&buf, lb_span_of(before, LB_SHA256_BYTES));
    LB_TRY(lb_buf_check(&buf));
    lb_sha256(lb_buf_span(&buf), out);
    return LB_OK;
}

static lb_status last_act(struct lb_review *review, int64_t *out_seq,
                          uint8_t out_hash[LB_SHA256_BYTES])
{
    struct lb_stmt *stmt = review->stmt[REVIEW_LAST_ACT];
    bool found = false;
    lb_stmt_reset(stmt);
    LB_TRY(lb_stmt_step(stmt, &found));
    struct lb_span hash = lb_stmt_blob(stmt, 1);
    LB_ENSURE(!found || hash.len == LB_SHA256_BYTES, LB_STORE_FAILED, "an act's hash is damaged");
    *out_seq = found ? lb_stmt_int(stmt, 0) : 0;
    memset(out_hash, 0, LB_SHA256_BYTES);
    if (found)
        memcpy(out_hash, hash.ptr, LB_SHA256_BYTES);
    lb_stmt_reset(stmt);
    return LB_OK;
}

lb_status lb_review_append(struct lb_review *review, struct lb_review_act *act)
{
    uint8_t before[LB_SHA256_BYTES];
    int64_t last = 0;
    LB_TRY(last_act(review, &last, before));
    act->seq = last + 1;
    LB_TRY(act_hash(act, before, act->hash));
    if (review->recorder != NULL)
        LB_TRY(review->recorder->record(review->recorder->ctx, act));
    return lb_review_run(review, REVIEW_PUT_ACT,
                         REVIEW_VALUES(REVIEW_I(act->seq), REVIEW_I(act->at_ms),
                                       REVIEW_I(act->alert), REVIEW_T(act->what),
                                       REVIEW_T(act->who), REVIEW_T(act->text),
                                       REVIEW_B(act->hash, LB_SHA256_BYTES),
                                       act->recorded ? REVIEW_I(act->leaf) : REVIEW_N));
}

static lb_status check_act(const struct lb_stmt *stmt, int64_t seq, struct lb_arena *arena,
                           uint8_t before[LB_SHA256_BYTES])
{
    uint8_t hash[LB_SHA256_BYTES];
    const struct lb_review_act act = {
        .seq = seq,
        .at_ms = lb_stmt_int(stmt, 1),
        .alert = lb_stmt_int(stmt, 2),
        .what = lb_arena_str(arena, lb_stmt_text(stmt, 3)),
        .who = lb_arena_str(arena, lb_stmt_text(stmt, 4)),
        .text = lb_arena_str(arena, lb_stmt_text(stmt, 5)),
    };
    LB_ENSURE(act.what != NULL && act.who != NULL && act.text != NULL, LB_LOG_FORK,
              "an act is damaged");
    LB_ENSURE(lb_stmt_int(stmt, 0) == seq, LB_LOG_FORK, "an act is missing");
    LB_TRY(act_hash(&act, before, hash));
    LB_ENSURE(lb_span_eq(lb_stmt_blob(stmt, 6), lb_span_of(hash, sizeof(hash))), LB_LOG_FORK,
              "an act was changed");
    memcpy(before, hash, sizeof(hash));
    return LB_OK;
}

lb_status lb_review_verify(struct lb_review *review, int64_t *out_num)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(MAX_ACT_BYTES * 4);
    struct lb_stmt *stmt = review->stmt[REVIEW_ACTS];
    uint8_t before[LB_SHA256_BYTES] = {0};
    int64_t num = 0;
    bool more = false;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    lb_stmt_reset(stmt);
    LB_TRY(lb_stmt_step(stmt, &more));
    while (more) {
        lb_arena_reset(arena);
        LB_TRY(check_act(stmt, ++num, arena, before));
        LB_TRY(lb_stmt_step(stmt, &more));
    }
    lb_stmt_reset(stmt);
    *out_num = num;
    return LB_OK;
}

/* --- texts --- */

/* Reasons are read by many and kept for years: whose case it was stands in the entries. */
static bool holds_number(const char *text)
{
    size_t digits = 0;
    for (; *text != 0; text++) {
        digits = *text >= '0' && *text <= '9' ? digits + 1 : 0;
        if (digits > MAX_DIGITS_IN_TEXT)
            return true;
    }
    return false;
}

static lb_status check_text(const char *text, size_t min, size_t max)
{
    size_t len = strlen(text);
    LB_ENSURE(len >= min && len <= max, LB_MALFORMED, "a text is too short or too long");
    for (size_t i = 0; i < len; i++)
        LB_ENSURE((unsigned char)text[i] >= 0x20 && text[i] != 0x7F, LB_MALFORMED,
                  "a text has a control character");
    LB_ENSURE(!holds_number(text), LB_MALFORMED, "a text has what may be an identity number");
    return LB_OK;
}

/* --- acts --- */

struct step {
    const char *what;
    const char *text;
    enum review_sql sql;
    struct review_value values[4];
    size_t num_values;
};

struct standing {
    int64_t severity, state;
    bool own_explanation;   /* explained by whoever acts */
};

static lb_status standing(struct lb_review *review, int64_t id, const char *who,
                          struct standing *out)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_ALERT];
    bool found = false;
    LB_TRY(lb_review_bind(stmt, REVIEW_VALUES(REVIEW_I(id))));
    LB_TRY(lb_stmt_step(stmt, &found));
    LB_ENSURE(found, LB_ABSENT, "there is no such alert");
    *out = (struct standing){
        .severity = lb_stmt_int(stmt, 2),
        .state = lb_stmt_int(stmt, 3),
        .own_explanation = lb_span_is(lb_stmt_text(stmt, 21), who),
    };
    lb_stmt_reset(stmt);
    LB_ENSURE(out->state != LB_REVIEW_CLOSED, LB_REVIEW_STATE, "the alert is closed");
    return LB_OK;
}

static lb_status do_step(struct lb_review *review, int64_t id, const struct step *step,
                         const char *who, int64_t now_ms)
{
    struct lb_review_act act = {
        .at_ms = now_ms, .alert = id, .what = step->what, .who = who, .text = step->text};
    LB_TRY(lb_review_append(review, &act));
    return lb_review_run(review, step->sql, step->values, step->num_values);
}

/* The state is judged in the act's own transaction: two officers may be at it at once. */
static lb_status judge_step(const struct standing *now, enum review_sql sql)
{
    bool grave = now->severity >= LB_DETECT_HIGH;
    if (sql == REVIEW_EXPLAIN)
        LB_ENSURE(now->state >= LB_REVIEW_ASSIGNED, LB_REVIEW_STATE, "nobody is assigned");
    if (sql != REVIEW_CLOSE)
        return LB_OK;
    LB_ENSURE(now->state == LB_REVIEW_EXPLAINED ||
                  (now->severity == LB_DETECT_LOW && now->state == LB_REVIEW_ASSIGNED),
              LB_REVIEW_STATE, "the alert is not explained");
    LB_ENSURE(!grave || !now->own_explanation, LB_REVIEW_STATE, "another person closes it");
    return LB_OK;
}

static lb_status act_on(struct lb_review *review, int64_t id, const struct step *step,
                        const char *who, int64_t now_ms)
{
    struct standing now;
    LB_TRY(check_text(who, 1, LB_MAX_NAME_BYTES));
    LB_TRY(lb_store_begin(review->store));
    lb_status status = standing(review, id, who, &now);
    if (status == LB_OK)
        status = judge_step(&now, step->sql);
    if (status == LB_OK)
        status = do_step(review, id, step, who, now_ms);
    if (status == LB_OK)
        status = lb_store_commit(review->store);
    if (status != LB_OK)
        lb_store_rollback(review->store);
    return status;
}

lb_status lb_review_assign(struct lb_review *review, int64_t id, const char *assignee,
                           const char *who, int64_t now_ms)
{
    LB_TRY(check_text(assignee, 1, LB_MAX_NAME_BYTES));
    const struct step step = {
        .what = "ASSIGNED",
        .text = assignee,
        .sql = REVIEW_ASSIGN,
        .values = {REVIEW_I(id), REVIEW_T(assignee), REVIEW_I(now_ms)},
        .num_values = 3,
    };
    return act_on(review, id, &step, who, now_ms);
}

lb_status lb_review_explain(struct lb_review *review, int64_t id, const char *text,
                            const char *who, int64_t now_ms)
{
    LB_TRY(check_text(text, LB_REVIEW_MIN_REASON_BYTES, LB_REVIEW_MAX_TEXT_BYTES));
    const struct step step = {
        .what = "EXPLAINED",
        .text = text,
        .sql = REVIEW_EXPLAIN,
        .values = {REVIEW_I(id), REVIEW_T(text), REVIEW_T(who), REVIEW_I(now_ms)},
        .num_values = 4,
    };
    return act_on(review, id, &step, who, now_ms);
}

lb_status lb_review_conclude(struct lb_review *review, int64_t id,
                             enum lb_review_outcome outcome, const char *reason,
                             const char *who, int64_t now_ms)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(MAX_ACT_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_ENSURE(outcome >= LB_REVIEW_LAWFUL && outcome < LB_REVIEW_OUTCOME_END, LB_MALFORMED,
              "there is no such outcome");
    LB_TRY(check_text(reason, LB_REVIEW_MIN_REASON_BYTES, LB_REVIEW_MAX_TEXT_BYTES));
    const char *text = lb_arena_printf(arena, "%s: %s", lb_review_outcome_name(outcome), reason);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    const struct step step = {
        .what = "CLOSED",
        .text = text,
        .sql = REVIEW_CLOSE,
        .values = {REVIEW_I(id), REVIEW_I(outcome), REVIEW_T(reason), REVIEW_I(now_ms)},
        .num_values = 4,
    };
    return act_on(review, id, &step, who, now_ms);
}
