#include <stdio.h>

#include "gateway/audit/review_state.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"

/*
 * Drawing rows that no rule noticed. A row is drawn when the first eight bytes of
 * SHA-256("lianban review sample v1" || seed || u64 index) are below the share: the seed is random
 * and stands in the act, so the draw cannot be foreseen and can be repeated.
 */
#define LABEL "lianban review sample v1"

static const struct lb_detect_rule sample_rule = {
    .id = "sample",
    .severity = LB_DETECT_LOW,
    .title_zh = "抽查",
    .title_en = "Drawn for review",
    .why_zh = "没有规则提示，按比例随机抽取的记录；请核对办件与事由。",
    .why_en = "No rule noticed this record; it was drawn at random. Check its case and purpose.",
};

static bool drawn(const struct lb_review_draw *draw, uint64_t index)
{
    uint8_t bytes[8], hash[LB_SHA256_BYTES];
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(index >> (56 - 8 * i));
    const struct lb_span parts[] = {
        lb_span_str(LABEL),
        lb_span_of(draw->seed, sizeof(draw->seed)),
        lb_span_of(bytes, sizeof(bytes)),
    };
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), hash);
    for (int i = 0; i < 8; i++)
        value = value << 8 | hash[i];
    return value / (UINT64_MAX / 1000 + 1) < draw->per_mille;
}

/* One alert per row: the queue's key takes the row for the person. */
static lb_status raise(struct lb_review *review, const struct lb_detect_rules *rules,
                       const struct lb_audit_row *seen, uint64_t *num)
{
    struct lb_audit_row named = *seen;
    struct review_row row = {.row = &named};
    struct review_hit hit = {.hit = true, .take = REVIEW_TAKE_ONE, .of_subject = true};
    bool is_new = false;
    memset(named.subject, 0, sizeof(named.subject));
    memcpy(named.subject, &seen->index, sizeof(seen->index));
    lb_work_calendar_at(rules->calendar, seen->time_ms, &row.moment);
    LB_TRY(lb_review_raise(review, rules, &sample_rule, &row, &hit, &is_new));
    *num += is_new ? 1 : 0;
    return LB_OK;
}

static lb_status draw_rows(struct lb_review *review, const struct lb_detect_rules *rules,
                           const struct lb_review_source *source,
                           const struct lb_review_draw *draw, uint64_t *out_seen,
                           uint64_t *out_drawn)
{
    while (*out_drawn < LB_REVIEW_MAX_SAMPLE) {
        const struct lb_audit_row *row = NULL;
        bool missed = false, has = false;
        LB_TRY(source->next(source->ctx, &row, &missed));
        if (row == NULL || row->time_ms >= draw->until_ms)
            return LB_OK;
        if (row->type != LB_LEAF_READ || row->time_ms < draw->since_ms)
            continue;
        LB_TRY(lb_review_has(review, row->index, &has));
        if (has)
            continue;
        *out_seen += 1;
        if (drawn(draw, row->index))
            LB_TRY(raise(review, rules, row, out_drawn));
    }
    return LB_OK;
}

static lb_status sample(struct lb_review *review, const struct lb_detect_rules *rules,
                        const struct lb_review_source *source, const struct lb_review_draw *draw,
                        const char *who, int64_t now_ms, uint64_t *out_seen, uint64_t *out_drawn)
{
    char seed[2 * sizeof(draw->seed) + 1], text[256];
    struct lb_review_act act = {.at_ms = now_ms, .what = "SAMPLED", .who = who, .text = text};
    LB_TRY(draw_rows(review, rules, source, draw, out_seen, out_drawn));
    lb_hex_encode(lb_span_of(draw->seed, sizeof(draw->seed)), seed);
    (void)snprintf(text, sizeof(text), "%u per mille of %llu from %lld to %lld, seed %s: %llu",
                   draw->per_mille, (unsigned long long)*out_seen, (long long)draw->since_ms,
                   (long long)draw->until_ms, seed, (unsigned long long)*out_drawn);
    return lb_review_append(review, &act);
}

lb_status lb_review_sample(struct lb_review *review, const struct lb_detect_rules *rules,
                           const struct lb_review_source *source,
                           const struct lb_review_draw *draw, const char *who, int64_t now_ms,
                           uint64_t *out_seen, uint64_t *out_drawn)
{
    uint64_t seen = 0, num = 0;
    LB_ENSURE(draw->per_mille >= 1 && draw->per_mille <= 1000 && draw->since_ms < draw->until_ms,
              LB_MALFORMED, "a sample is 1 to 1000 per mille of a time range");
    LB_TRY(lb_store_begin(review->store));
    lb_status status = sample(review, rules, source, draw, who, now_ms, &seen, &num);
    if (status == LB_OK)
        status = lb_store_commit(review->store);
    if (status != LB_OK)
        lb_store_rollback(review->store);
    LB_TRY(status);
    *out_seen = seen;
    *out_drawn = num;
    return LB_OK;
}
