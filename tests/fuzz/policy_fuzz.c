#include "gateway/base/utf8.h"
#include "policy/engine/form.h"
#include "policy/engine/form_text.h"
#include "policy/engine/view.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/samples.h"

/* Rule sets, views and forms: files that departments write, and that a broker relays. */

#define ARENA_BYTES (16U << 20)

/* --- rule sets --- */

bool fuzz_rules(struct lb_span in)
{
    struct lb_diag diag = {""};
    struct lb_rules *rules = NULL;
    if (lb_rules_load_text(in, "rules.yaml", &diag, &rules) != LB_OK) {
        FUZZ_CHECK(rules == NULL && strncmp(diag.text, "rules.yaml", 10) == 0);
        return false;
    }
    FUZZ_CHECK(lb_rules_id(rules)[0] != 0 && lb_rules_version(rules) > 0);
    for (size_t i = 0; i < lb_rules_num_thresholds(rules); i++) {
        const struct lb_threshold *threshold = lb_rules_threshold_at(rules, i);
        FUZZ_CHECK(threshold->name[0] != 0 && threshold->source[0] != 0);
        FUZZ_CHECK(lb_rules_threshold(rules, threshold->name) == threshold);
    }
    FUZZ_CHECK(lb_rules_threshold_at(rules, lb_rules_num_thresholds(rules)) == NULL);
    lb_rules_free(rules);
    return true;
}

void seed_rules(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, fuzz_rules_text);
}

/* --- views --- */

/* What a rule does not name is not released: another purpose, requester or issuer. */
static void check_decisions(const struct lb_view *view)
{
    for (size_t i = 0; i < view->num_fields; i++) {
        const struct lb_view_field *field = &view->fields[i];
        FUZZ_CHECK(lb_view_field(view, field->name) == field);
        FUZZ_CHECK((field->type == LB_FIELD_ROW) == (field->column == NULL));
        for (size_t k = 0; k < field->num_rules; k++) {
            const struct lb_view_rule *rule = &field->rules[k];
            struct lb_view_ask ask = {.purpose = "no-such-purpose", .requester = "nobody",
                                      .issuer = "nobody", .basis = LB_BASIS_CONSENT, .level = 4};
            struct lb_view_verdict verdict;
            FUZZ_CHECK(rule->num_operators > 0 && rule->bases != 0);
            FUZZ_CHECK(field->data_class < 4 || (rule->bases & 1U << LB_BASIS_CONSENT) == 0);
            FUZZ_CODE(lb_view_judge(view, field->name, &rule->operators[0], &ask,
                                    fuzz_sample_rules(), &verdict),
                      LB_PURPOSE_NOT_ALLOWED);
            ask.purpose = rule->purpose;
            FUZZ_CHECK(lb_view_judge(view, field->name, &rule->operators[0], &ask,
                                     fuzz_sample_rules(), &verdict) != LB_OK);
        }
    }
}

bool fuzz_view(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_diag diag = {""};
    const struct lb_view *view = NULL;
    struct lb_span table;
    if (lb_view_load_text(in, "view.yaml", fuzz_sample_rules(), arena, &diag, &view) != LB_OK) {
        FUZZ_CHECK(strncmp(diag.text, "view.yaml", 9) == 0);
        return false;
    }
    FUZZ_CHECK(view->max_rows <= LB_MAX_ROWS_PER_READ && view->timeout_ms > 0);
    FUZZ_CHECK(view->version > 0 && view->num_fields > 0 && strchr(view->query, ';') == NULL);
    check_decisions(view);
    FUZZ_OK(lb_view_table(view, arena, &table));
    FUZZ_CHECK(lb_utf8_valid(table));
    return true;
}

void seed_view(const struct fuzz_sink *sink)
{
    fuzz_seed_text(sink, fuzz_view_text);
}

/* --- forms --- */

static struct lb_fact take_fact(struct lb_span *in)
{
    uint8_t tag = fuzz_u8(in);
    struct lb_fact fact = {.state = LB_FACT_OK};
    if (tag < 64)
        return fact;
    if (tag < 128) {
        fact.kind = LB_FACT_TRUTH;
        fact.truth = (tag & 1) != 0;
    } else if (tag < 224) {
        fact.kind = LB_FACT_NUMBER;
        fact.number = tag < 200 ? tag - 160 : (int64_t)fuzz_u64(in);
    } else {
        fact.kind = LB_FACT_TEXT;
        fact.text = lb_span_str((tag & 1) != 0 ? "110101" : "11");
    }
    return fact;
}

/* The smallest household the form allows, all its facts unknown or as the input says. */
struct household {
    struct lb_form_member members[LB_MAX_HOUSEHOLD];
    struct lb_fact facts[LB_MAX_HOUSEHOLD][128];
    size_t num;
};

static bool fill(const struct lb_form *form, struct household *household)
{
    memset(household, 0, sizeof(*household));
    for (size_t role = 0; role < form->num_roles; role++) {
        int64_t num = form->roles[role].min;
        if (num == 0 && form->roles[role].max > 0 && role == 1)
            num = 1;
        for (int64_t i = 0; i < num; i++) {
            if (household->num == LB_MAX_HOUSEHOLD)
                return false;
            household->members[household->num].role = role;
            household->members[household->num].facts = household->facts[household->num];
            household->num++;
        }
    }
    return form->num_facts <= 128;
}

/* What is decided in ignorance stays decided, whatever is learned: UNKNOWN is never FALSE. */
static void check_judgement(struct lb_form_compiled *compiled, struct lb_span in,
                            struct lb_arena *arena)
{
    static struct household household;
    const struct lb_form *form = lb_form_of(compiled);
    struct lb_form_judgement unknown, known;
    struct lb_fact *totals = lb_arena_array(arena, form->num_shares + 1, sizeof(*totals));
    if (!fill(form, &household) || totals == NULL)
        return;
    memset(totals, 0, (form->num_shares + 1) * sizeof(*totals));
    FUZZ_OK(lb_form_judge(compiled, household.members, household.num, totals, arena, &unknown));
    for (size_t i = 0; i < household.num; i++)
        for (size_t k = 0; k < form->num_facts; k++)
            household.facts[i][k] = take_fact(&in);
    for (size_t i = 0; i < form->num_shares; i++)
        totals[i] = take_fact(&in);
    FUZZ_OK(lb_form_judge(compiled, household.members, household.num, totals, arena, &known));
    FUZZ_CHECK(unknown.manual || strcmp(unknown.class_id, known.class_id) == 0);
    for (size_t i = 0; i < form->num_conditions; i++)
        FUZZ_CHECK(unknown.conditions[i] == LB_UNKNOWN ||
                   unknown.conditions[i] == known.conditions[i]);
    FUZZ_CHECK(known.manual == (strcmp(known.class_id, "MANUAL") == 0));
}

static void check_shape(const struct lb_form *form, const struct lb_notice_options *options,
                        struct lb_arena *arena)
{
    struct lb_span text, again;
    if (lb_form_notice_text(form, options, arena, &text) != LB_OK)
        return;
    FUZZ_CHECK(text.len > 0 && text.len <= LB_MAX_NOTICE_BYTES && lb_utf8_valid(text));
    for (size_t i = 0; i < text.len; i++)
        FUZZ_CHECK(text.ptr[i] >= ' ' || text.ptr[i] == '\n');
    FUZZ_OK(lb_form_notice_text(form, options, arena, &again));
    FUZZ_CHECK(lb_span_eq(text, again));
}

static void check_notice(const struct lb_form *form, const char *language, struct lb_arena *arena)
{
    for (int i = 0; i < LB_NUM_NOTICE_VARIANTS; i++) {
        const struct lb_notice_options options = {"街道办", language, (enum lb_notice_variant)i};
        check_shape(form, &options, arena);
    }
}

/* facts LF form. */
bool fuzz_form(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_span facts = fuzz_line(&in);
    struct lb_diag diag = {""};
    struct lb_form_compiled *form = NULL, *readable = NULL;
    if (lb_form_load_text(in, "form.yaml", fuzz_sample_rules(), &diag, &form) != LB_OK) {
        FUZZ_CHECK(form == NULL && strncmp(diag.text, "form.yaml", 9) == 0);
        return false;
    }
    FUZZ_OK(lb_form_load_text(in, "form.yaml", NULL, &diag, &readable));
    FUZZ_CHECK(memcmp(lb_form_of(form)->sha256, lb_form_of(readable)->sha256, 32) == 0);
    check_notice(lb_form_of(form), "zh", arena);
    check_notice(lb_form_of(form), "en", arena);
    check_judgement(form, facts, arena);
    lb_form_free(form);
    lb_form_free(readable);
    return true;
}

void seed_form(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    fuzz_seed_text(sink, lb_arena_printf(arena, "\x50\xa8\x51\xf0\x10\n%s", fuzz_form_text));
}
