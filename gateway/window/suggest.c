#include "gateway/window/suggest.h"

#include <inttypes.h>

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define MAX_FACTS_BYTES (4U * 1024 * 1024)
#define MAX_BODY_BYTES (32U * 1024)

static const char *const truths[] = {
    [LB_FALSE] = "FALSE", [LB_TRUE] = "TRUE", [LB_UNKNOWN] = "UNKNOWN"};

const char *lb_truth_name(enum lb_truth truth)
{
    return truths[truth];
}

/* --- what was judged by --- */

static void put_value(const struct lb_fact *value, struct lb_buf *out)
{
    lb_buf_printf(out, "%d %d ", (int)value->state, (int)value->kind);
    if (value->state != LB_FACT_OK)
        return;
    if (value->kind == LB_FACT_TRUTH)
        lb_buf_put_u8(out, value->truth ? 1 : 0);
    if (value->kind == LB_FACT_NUMBER)
        lb_buf_put_u64(out, (uint64_t)value->number);
    if (value->kind == LB_FACT_TEXT)
        lb_buf_put_field32(out, value->text);
}

static void put_members(const struct lb_window_case *entry, const struct lb_suggestion *suggestion,
                        struct lb_buf *out)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < form->num_facts; k++) {
            if (!lb_case_asked(entry, i, k) || form->facts[k].call.op == LB_OP_SHARE)
                continue;
            const struct lb_fact *value = &suggestion->members[i].facts[k];
            if (!lb_case_final(value->state))
                continue; /* why it is missing now is no other suggestion */
            lb_buf_printf(out, "\nfact %zu %s %d ", i, form->facts[k].name,
                          (int)entry->members[i].facts[k].code);
            put_value(value, out);
        }
    }
    for (size_t i = 0; i < form->num_shares; i++) {
        lb_buf_printf(out, "\ntotal %s ", form->shares[i].slot);
        put_value(&suggestion->totals[i], out);
    }
}

/* Facts are few and easily guessed, so the hash is keyed, by a key that only the agent has. */
static lb_status hash_facts(const struct lb_window_case *entry,
                            const struct lb_suggestion *suggestion, char out[65])
{
    const struct lb_window *window = entry->window;
    uint8_t key[LB_SHA256_BYTES], digest[LB_SHA256_BYTES];
    struct lb_buf text LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&text, MAX_FACTS_BYTES);
    lb_buf_put_str(&text, "lianban facts v1 ");
    lb_buf_put_str(&text, entry->id);
    lb_hmac_sha256(lb_span_of(window->case_key, sizeof(window->case_key)), lb_buf_span(&text), key);
    put_members(entry, suggestion, &text);
    lb_hmac_sha256(lb_span_of(key, sizeof(key)), lb_buf_span(&text), digest);
    lb_wipe(key, sizeof(key));
    LB_TRY(lb_buf_check(&text));
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), out);
    return LB_OK;
}

/* --- the record --- */

static lb_status write_body(const struct lb_window_case *entry,
                            const struct lb_suggestion *suggestion, struct lb_buf *out)
{
    const struct lb_form *form = entry->form->form;
    char form_hash[65], facts_hash[65];
    lb_hex_encode(lb_span_of(form->sha256, sizeof(form->sha256)), form_hash);
    LB_TRY(hash_facts(entry, suggestion, facts_hash));
    lb_buf_printf(out, "form %s %" PRIu32 " %s\n", form->id, form->version, form_hash);
    lb_buf_printf(out, "thresholds %s %" PRIu32 "\n", form->rules_id,
                  lb_rules_version(entry->form->rules));
    lb_buf_printf(out, "facts %s\nclass %s\n", facts_hash, suggestion->class_id);
    for (size_t i = 0; i < form->num_conditions; i++)
        lb_buf_printf(out, "condition %s %s\n", form->conditions[i].name,
                      truths[suggestion->conditions[i]]);
    for (size_t i = 0; i < form->num_amounts; i++) {
        if (suggestion->amounts[i].told)
            lb_buf_printf(out, "amount %s %" PRId64 " %s\n", form->amounts[i].name,
                          suggestion->amounts[i].value, lb_form_unit_name(form->amounts[i].unit));
    }
    return lb_buf_check(out);
}

lb_status lb_suggest(struct lb_window_case *entry, const struct lb_suggestion *suggestion)
{
    struct lb_buf body LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&body, MAX_BODY_BYTES);
    LB_TRY(lb_records_settle(entry, NULL));
    LB_TRY(write_body(entry, suggestion, &body));
    size_t newest = lb_records_newest(&entry->records, LB_RECORD_SUGGESTED);
    if (newest > 0 && lb_span_eq(lb_records_at(&entry->records, newest)->body, lb_buf_span(&body)))
        return LB_OK;
    return lb_records_append(entry, LB_RECORD_SUGGESTED, newest, lb_buf_span(&body));
}
