#include "gateway/audit/review_state.h"
#include "gateway/base/buf.h"
#include "gateway/crypto/hash.h"

/* Making alerts: one per rule, operator (and person, where the rule is about one) and local day.
 * What comes after it was closed makes another, so that an early close hides nothing. */

#define DAY_MS INT64_C(86400000)
#define MAX_KEY_BYTES 1024

struct alert {
    int64_t id, round, state, num_entries, most;
};

/* The person stands in the key's hash only. */
static lb_status make_key(const struct lb_detect_rule *rule, const struct review_row *row,
                          const struct review_hit *hit, uint8_t out[LB_SHA256_BYTES])
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    bool everybody = hit->take == REVIEW_TAKE_PERSON;
    lb_buf_init(&buf, MAX_KEY_BYTES);
    lb_buf_put_str(&buf, "lianban alert v1");
    lb_buf_put_field16(&buf, lb_span_str(rule->id));
    lb_buf_put_field16(&buf, lb_span_str(everybody ? "" : row->row->actor));
    lb_buf_put_field16(&buf, hit->of_subject ? lb_span_of(row->row->subject, 32) : LB_SPAN_EMPTY);
    lb_buf_put_u64(&buf, (uint64_t)row->moment.day);
    LB_TRY(lb_buf_check(&buf));
    lb_sha256(lb_buf_span(&buf), out);
    return LB_OK;
}

static lb_status find(struct lb_review *review, const uint8_t key[LB_SHA256_BYTES],
                      struct alert *out, bool *out_found)
{
    struct lb_stmt *stmt = review->stmt[REVIEW_FIND_ALERT];
    LB_TRY(lb_review_bind(stmt, REVIEW_VALUES(REVIEW_B(key, LB_SHA256_BYTES))));
    LB_TRY(lb_stmt_step(stmt, out_found));
    if (*out_found)
        *out = (struct alert){
            .id = lb_stmt_int(stmt, 0),
            .state = lb_stmt_int(stmt, 1),
            .round = lb_stmt_int(stmt, 2),
            .num_entries = lb_stmt_int(stmt, 3),
            .most = lb_stmt_int(stmt, 4),
        };
    lb_stmt_reset(stmt);
    return LB_OK;
}

static lb_status create(struct lb_review *review, const struct lb_detect_rules *rules,
                        const struct lb_detect_rule *rule, const struct review_row *row,
                        const uint8_t key[LB_SHA256_BYTES], bool everybody, struct alert *alert)
{
    const struct lb_audit_row *seen = row->row;
    int64_t due = seen->time_ms + rules->due_days[rule->severity] * DAY_MS;
    LB_TRY(lb_review_run(
        review, REVIEW_PUT_ALERT,
        REVIEW_VALUES(REVIEW_B(key, LB_SHA256_BYTES), REVIEW_I(alert->round), REVIEW_T(rule->id),
                      REVIEW_I(rule->severity), REVIEW_T(rule->title_zh),
                      REVIEW_T(rule->title_en), REVIEW_T(everybody ? "" : seen->actor),
                      REVIEW_T(everybody ? "" : seen->organization),
                      REVIEW_T(everybody ? "" : seen->unit), REVIEW_I(seen->time_ms),
                      REVIEW_I(due), REVIEW_B(rules->sha256, LB_SHA256_BYTES))));
    alert->id = lb_store_last_rowid(review->store);
    alert->num_entries = 0;
    alert->most = 0;
    return LB_OK;
}

/* The entries a new alert rests on: those of its window, and room for the row itself. */
static lb_status take_window(struct lb_review *review, const struct review_row *row,
                             const struct review_hit *hit, int64_t alert)
{
    if (hit->take == REVIEW_TAKE_ONE)
        return LB_OK;
    if (hit->take == REVIEW_TAKE_PERSON)
        return lb_review_run(review, REVIEW_TAKE_SUBJECT,
                             REVIEW_VALUES(REVIEW_B(row->row->subject, 32),
                                           REVIEW_I(hit->since_ms), REVIEW_I(alert)));
    return lb_review_run(review, REVIEW_TAKE_ACTOR,
                         REVIEW_VALUES(REVIEW_T(row->row->actor), REVIEW_I(hit->since_ms),
                                       REVIEW_I(hit->take == REVIEW_TAKE_MISSED),
                                       REVIEW_I(hit->take == REVIEW_TAKE_OFF),
                                       REVIEW_I(hit->take == REVIEW_TAKE_DENIED),
                                       REVIEW_I(alert)));
}

static lb_status grow(struct lb_review *review, const struct lb_detect_rule *rule,
                      const struct review_row *row, const struct review_hit *hit, bool is_new,
                      struct alert *alert)
{
    char zh[LB_DETECT_WHY_BYTES], en[LB_DETECT_WHY_BYTES];
    if (is_new)
        LB_TRY(lb_review_number(review, REVIEW_COUNT_ENTRIES, REVIEW_VALUES(REVIEW_I(alert->id)),
                                &alert->num_entries));
    bool full = alert->num_entries >= LB_REVIEW_MAX_ENTRIES;
    if (!full)
        LB_TRY(lb_review_run(review, REVIEW_PUT_ENTRY,
                             REVIEW_VALUES(REVIEW_I(alert->id), REVIEW_I(row->row->index))));
    alert->num_entries += full ? 1 : lb_store_changes(review->store);
    int64_t count = hit->count > 0 ? hit->count : alert->num_entries;
    alert->most = count > alert->most ? count : alert->most;
    lb_detect_why(rule, rule->why_zh, alert->most, zh);
    lb_detect_why(rule, rule->why_en, alert->most, en);
    return lb_review_run(review, REVIEW_GROW_ALERT,
                         REVIEW_VALUES(REVIEW_I(alert->id), REVIEW_I(alert->num_entries),
                                       REVIEW_I(alert->most), REVIEW_T(zh), REVIEW_T(en),
                                       REVIEW_I(row->row->time_ms)));
}

lb_status lb_review_raise(struct lb_review *review, const struct lb_detect_rules *rules,
                          const struct lb_detect_rule *rule, const struct review_row *row,
                          const struct review_hit *hit, bool *out_new)
{
    uint8_t key[LB_SHA256_BYTES];
    struct alert alert = {0};
    bool found = false;
    LB_TRY(make_key(rule, row, hit, key));
    LB_TRY(find(review, key, &alert, &found));
    bool is_new = !found || alert.state == LB_REVIEW_CLOSED;
    if (is_new) {
        alert.round += found ? 1 : 0;
        LB_TRY(create(review, rules, rule, row, key, hit->take == REVIEW_TAKE_PERSON, &alert));
        LB_TRY(take_window(review, row, hit, alert.id));
    }
    *out_new = is_new;
    return grow(review, rule, row, hit, is_new, &alert);
}
