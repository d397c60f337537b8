#include "policy/engine/form_ranges.h"

#include <string.h>

#define MAX_TEXTS 64
#define MAX_NARROWING 256 /* cuts for one value and person */

__extension__ typedef __int128 wide;

/* --- what the rules name --- */

static lb_status add_texts(struct form_ranges *ranges, const struct lb_expr *expr)
{
    const char *text;
    for (size_t i = 0; (text = lb_expr_text_at(expr, i)) != NULL; i++) {
        size_t at = 0;
        while (at < ranges->num_texts && strcmp(ranges->texts[at], text) != 0)
            at++;
        LB_ENSURE(at < MAX_TEXTS, LB_TOO_LARGE, "a form compares with too many texts");
        ranges->texts[at] = text;
        ranges->num_texts += at == ranges->num_texts ? 1 : 0;
    }
    return LB_OK;
}

static bool is_threshold_used(const struct lb_form_compiled *form, size_t index)
{
    for (size_t i = 0; i < form->num_values; i++)
        if (lb_expr_uses(form->values[i].expr, form->form.num_facts + index))
            return true;
    for (size_t i = 0; i < form->form.num_conditions; i++)
        if (lb_expr_uses(form->tests[i].expr, index))
            return true;
    return false;
}

static void add_mark(struct form_ranges *ranges, int64_t value)
{
    size_t at = ranges->num_marks;
    while (at > 0 && ranges->marks[at - 1] > value)
        at--;
    if (at > 0 && ranges->marks[at - 1] == value)
        return;
    memmove(ranges->marks + at + 1, ranges->marks + at,
            (ranges->num_marks - at) * sizeof(*ranges->marks));
    ranges->marks[at] = value;
    ranges->num_marks++;
}

static lb_status collect(struct form_ranges *ranges)
{
    const struct lb_form_compiled *form = ranges->form;
    for (size_t i = 0; i < form->num_values; i++)
        LB_TRY(add_texts(ranges, form->values[i].expr));
    for (size_t i = 0; i < form->form.num_conditions; i++)
        LB_TRY(add_texts(ranges, form->tests[i].expr));
    for (size_t i = 0; i < form->num_thresholds; i++)
        if (is_threshold_used(form, i))
            add_mark(ranges, form->thresholds[i]);
    return LB_OK;
}

lb_status lb_form_ranges_new(struct lb_form_compiled *form, struct lb_arena *arena,
                             struct form_ranges **out_ranges)
{
    LB_ENSURE(form->env != NULL, LB_CONFIG_INVALID, "a form without its rule set");
    struct form_ranges *ranges = lb_arena_alloc(arena, sizeof(*ranges));
    LB_ENSURE(ranges != NULL, LB_NO_MEMORY, "a form's ranges");
    *ranges = (struct form_ranges){
        .form = form,
        .rows = lb_arena_array(arena, LB_MAX_HOUSEHOLD * form->num_names, sizeof(*ranges->rows)),
        .conditions = lb_arena_array(arena, form->form.num_conditions, sizeof(*ranges->rows)),
        .classes = lb_arena_array(arena, form->form.num_classes, sizeof(*ranges->rows)),
        .texts = lb_arena_array(arena, MAX_TEXTS, sizeof(*ranges->texts)),
        .marks = lb_arena_array(arena, form->num_thresholds + 1, sizeof(*ranges->marks)),
    };
    LB_ENSURE(ranges->rows != NULL && ranges->conditions != NULL && ranges->classes != NULL &&
                  ranges->texts != NULL && ranges->marks != NULL,
              LB_NO_MEMORY, "a form's ranges");
    LB_TRY(collect(ranges));
    *out_ranges = ranges;
    return LB_OK;
}

struct lb_expr_range *lb_form_ranges_at(const struct form_ranges *ranges, size_t people,
                                        size_t name)
{
    return &ranges->rows[people * ranges->form->num_names + name];
}

void lb_form_ranges_share(struct form_ranges *ranges, size_t name, struct lb_expr_range range)
{
    for (size_t p = 0; p < ranges->num_people; p++)
        *lb_form_ranges_at(ranges, p, name) = range;
}

static struct lb_expr_range number(int64_t min, int64_t max)
{
    return (struct lb_expr_range){.kind = LB_EXPR_NUMBER, .known = true, .min = min, .max = max};
}

/* --- what facts can be --- */

static struct lb_expr_range unasked(const struct lb_fact *otherwise, enum lb_expr_kind kind)
{
    struct lb_expr_value value = {.kind = LB_EXPR_UNKNOWN};
    if (otherwise->kind == LB_FACT_TRUTH)
        value = (struct lb_expr_value){.kind = LB_EXPR_TRUTH, .truth = otherwise->truth};
    if (otherwise->kind == LB_FACT_NUMBER)
        value = (struct lb_expr_value){.kind = LB_EXPR_NUMBER, .number = otherwise->number};
    return lb_expr_range_of(&value, kind);
}

static struct lb_expr_range asked(const struct lb_form_fact *fact, enum lb_expr_kind kind)
{
    int64_t cap = 0;
    if (fact->call.op == LB_OP_COUNT &&
        lb_word_count(lb_span_str(fact->call.args[0]), INT64_MAX, &cap))
        return number(0, cap);
    return lb_expr_range_all(kind);
}

/* Relatives outside and the dead are not of the household's size. */
static struct lb_expr_range size_of(const struct form_ranges *ranges)
{
    int64_t min = 0, max = 0;
    for (size_t p = 0; p < ranges->num_people; p++) {
        const struct lb_form_role *role = &ranges->form->form.roles[ranges->people[p].role];
        if (role->outside || role->deceased)
            continue;
        min += ranges->people[p].min;
        max += ranges->people[p].max;
    }
    return number(min, max < LB_MAX_HOUSEHOLD ? max : LB_MAX_HOUSEHOLD);
}

static void begin_row(struct form_ranges *ranges, size_t people, bool known)
{
    const struct lb_form_compiled *form = ranges->form;
    struct lb_expr_range *row = lb_form_ranges_at(ranges, people, 0);
    for (size_t i = 0; i < form->form.num_facts; i++) {
        const struct lb_form_fact *fact = &form->form.facts[i];
        if (!lb_form_asks(fact, ranges->people[people].role))
            row[i] = unasked(&fact->otherwise, form->kinds[i]);
        else if (fact->call.op == LB_OP_SHARE || !known)
            row[i] = lb_expr_range_nothing(form->kinds[i]);
        else
            row[i] = asked(fact, form->kinds[i]);
    }
    for (size_t i = 0; i < form->num_thresholds; i++)
        row[form->form.num_facts + i] = number(form->thresholds[i], form->thresholds[i]);
    for (size_t i = 0; i < form->form.num_shares; i++)
        row[lb_form_first_slot(form) + i] = known ? lb_expr_range_all(LB_EXPR_NUMBER)
                                                  : lb_expr_range_nothing(LB_EXPR_NUMBER);
    row[form->num_names - 1] = size_of(ranges);
}

void lb_form_ranges_begin(struct form_ranges *ranges, bool known)
{
    ranges->frozen = false;
    for (size_t p = 0; p < ranges->num_people; p++)
        begin_row(ranges, p, known);
}

/* --- folds --- */

/* A sum is bounded once, at its end: in which order people stand is not known. */
static struct lb_expr_range fold_sum(const struct form_ranges *ranges,
                                     const struct lb_expr_range *each)
{
    wide min = 0, max = 0;
    struct lb_expr_range out = {.kind = LB_EXPR_NUMBER, .known = true};
    for (size_t p = 0; p < ranges->num_people; p++) {
        wide least = ranges->people[p].min, most = ranges->people[p].max;
        if (most == 0)
            continue;
        out.unknown = out.unknown || each[p].unknown || !each[p].known;
        out.known = out.known && (each[p].known || least == 0);
        if (!each[p].known)
            continue;
        min += (each[p].min < 0 ? most : least) * each[p].min;
        max += (each[p].max > 0 ? most : least) * each[p].max;
        out.unknown = out.unknown || min < INT64_MIN || max > INT64_MAX;
    }
    out.known = out.known && min <= INT64_MAX && max >= INT64_MIN;
    if (!out.known)
        return lb_expr_range_nothing(LB_EXPR_NUMBER);
    out.min = min < INT64_MIN ? INT64_MIN : (int64_t)min;
    out.max = max > INT64_MAX ? INT64_MAX : (int64_t)max;
    return out;
}

static struct lb_expr_range fold_truth(const struct form_ranges *ranges,
                                       const struct lb_expr_range *each, bool all)
{
    struct lb_expr_range out = {.kind = LB_EXPR_TRUTH, .no = !all, .yes = all};
    for (size_t p = 0; p < ranges->num_people; p++) {
        struct lb_expr_range one = each[p];
        if (ranges->people[p].max == 0)
            continue;
        one.no = one.no || (ranges->people[p].min == 0 && !all);
        one.yes = one.yes || (ranges->people[p].min == 0 && all);
        out = all ? lb_expr_range_both(&out, &one) : lb_expr_range_either(&out, &one);
    }
    return out;
}

static struct lb_expr_range fold_count(const struct form_ranges *ranges,
                                       const struct lb_expr_range *each)
{
    struct lb_expr_range out = number(0, 0);
    for (size_t p = 0; p < ranges->num_people; p++) {
        const struct form_people *people = &ranges->people[p];
        if (people->max == 0)
            continue;
        out.unknown = out.unknown || each[p].unknown;
        out.known = out.known && (each[p].no || each[p].yes || people->min == 0);
        out.min += each[p].no || !each[p].yes ? 0 : people->min;
        out.max += each[p].yes ? people->max : 0;
    }
    return out.known ? out : lb_expr_range_nothing(LB_EXPR_NUMBER);
}

static struct lb_expr_range fold(const struct form_ranges *ranges, enum form_fold how,
                                 const struct lb_expr_range *each)
{
    switch (how) {
    case FOLD_SUM:
        return fold_sum(ranges, each);
    case FOLD_ANY:
        return fold_truth(ranges, each, false);
    case FOLD_ALL:
        return fold_truth(ranges, each, true);
    case FOLD_COUNT:
        return fold_count(ranges, each);
    case FOLD_APPLICANT:
        break;
    }
    return each[0];
}

/* --- cutting --- */

static int bits_of(int64_t number)
{
    return number == 0 ? 0 : 64 - __builtin_clzll((unsigned long long)number);
}

/* The middle one of the marks above min, up to max; false when there is none. */
static bool find_mark(const struct form_ranges *ranges, int64_t min, int64_t max, int64_t *out)
{
    size_t first = 0, end = ranges->num_marks;
    while (first < end && ranges->marks[first] <= min)
        first++;
    while (end > first && ranges->marks[end - 1] > max)
        end--;
    if (first < end)
        *out = ranges->marks[first + (end - first) / 2];
    return first < end;
}

/* Where a run of numbers is cut: the last of the first part. */
static int64_t middle(const struct form_ranges *ranges, int64_t min, int64_t max, bool *out_mark)
{
    int64_t mark;
    *out_mark = false;
    if (min < 0 && max >= 0)
        return -1;
    *out_mark = find_mark(ranges, min, max, &mark);
    if (*out_mark)
        return mark - 1;
    if (min >= 0 && bits_of(max) > bits_of(min) + 2)
        return (INT64_C(1) << (bits_of(min) + bits_of(max)) / 2) - 1;
    return min + (int64_t)(((uint64_t)max - (uint64_t)min) / 2);
}

bool lb_form_ranges_cut(const struct form_ranges *ranges, const struct lb_expr_range *whole,
                        bool swapped, size_t part, struct lb_expr_range *out)
{
    *out = *whole;
    if (whole->kind == LB_EXPR_TRUTH) {
        out->yes = (part == 0) != swapped;
        out->no = !out->yes;
        return part < 2;
    }
    if (whole->kind == LB_EXPR_TEXT) {
        out->text = part < ranges->num_texts ? ranges->texts[part] : NULL;
        out->other = part == ranges->num_texts;
        return part <= ranges->num_texts;
    }
    bool at_mark;
    int64_t last = middle(ranges, whole->min, whole->max, &at_mark);
    bool lower = (last < 0 ? part == 1 : part == 0) != (swapped && at_mark);
    out->min = lower ? whole->min : last + 1;
    out->max = lower ? last : whole->max;
    return part < 2;
}

/* --- reckoning --- */

bool lb_form_ranges_rests_on_facts(const struct form_ranges *ranges, size_t value)
{
    for (size_t i = 0; i < ranges->form->form.num_facts; i++)
        if (lb_expr_uses(ranges->form->values[value].expr, i))
            return true;
    return false;
}

static void judge_value(struct form_ranges *ranges, size_t index,
                        const struct lb_expr_range *each)
{
    lb_form_ranges_share(ranges, lb_form_first_value(ranges->form) + index,
                         fold(ranges, ranges->form->values[index].fold, each));
}

void lb_form_ranges_run_classes(struct form_ranges *ranges)
{
    for (size_t i = 0; i < ranges->form->form.num_classes; i++)
        ranges->classes[i] = lb_expr_reach(ranges->form->whens[i].expr, ranges->conditions);
}

void lb_form_ranges_run(struct form_ranges *ranges)
{
    const struct lb_form_compiled *form = ranges->form;
    struct lb_expr_range each[LB_MAX_HOUSEHOLD];
    for (size_t i = 0; i < form->num_values; i++) {
        const struct form_value *value = &form->values[i];
        size_t num = value->fold == FOLD_APPLICANT ? 1 : ranges->num_people;
        if (ranges->frozen && lb_form_ranges_rests_on_facts(ranges, i))
            continue;
        for (size_t p = 0; p < num; p++)
            each[p] = lb_expr_reach(value->expr, lb_form_ranges_at(ranges, p, 0));
        judge_value(ranges, i, each);
    }
    const struct lb_expr_range *household = lb_form_ranges_at(ranges, 0, form->form.num_facts);
    for (size_t i = 0; i < form->form.num_conditions; i++)
        ranges->conditions[i] = lb_expr_reach(form->tests[i].expr, household);
    lb_form_ranges_run_classes(ranges);
}

/* The range of one expression for one person, narrowed by cutting the person's facts. */
static struct lb_expr_range narrow(struct form_ranges *ranges, const struct lb_expr *expr,
                                   size_t people, unsigned *steps)
{
    struct lb_expr_range whole = lb_expr_reach(expr, lb_form_ranges_at(ranges, people, 0));
    struct lb_expr_range part, joined = whole;
    size_t name = 0, num = ranges->form->form.num_facts;
    while (name < num && (!lb_expr_uses(expr, name) ||
                          lb_expr_range_is_one(lb_form_ranges_at(ranges, people, name))))
        name++;
    if (lb_expr_range_is_one(&whole) || name == num || *steps == 0)
        return whole;
    struct lb_expr_range *fact = lb_form_ranges_at(ranges, people, name);
    struct lb_expr_range all = *fact;
    for (size_t i = 0; *steps > 0 && lb_form_ranges_cut(ranges, &all, false, i, &part); i++) {
        *fact = part;
        --*steps;
        struct lb_expr_range one = narrow(ranges, expr, people, steps);
        joined = i == 0 ? one : lb_expr_range_join(&joined, &one);
    }
    *fact = all;
    return *steps > 0 ? joined : whole;
}

/* What holds with a value unknown holds with it known, so a value that can be known is. */
static struct lb_expr_range known_of(struct lb_expr_range range)
{
    range.unknown = range.unknown && !range.known && !range.no && !range.yes;
    return range;
}

void lb_form_ranges_freeze(struct form_ranges *ranges)
{
    const struct lb_form_compiled *form = ranges->form;
    struct lb_expr_range each[LB_MAX_HOUSEHOLD];
    for (size_t i = 0; i < form->num_values; i++) {
        const struct form_value *value = &form->values[i];
        size_t num = value->fold == FOLD_APPLICANT ? 1 : ranges->num_people;
        for (size_t p = 0; p < num; p++) {
            unsigned steps = MAX_NARROWING;
            each[p] = known_of(narrow(ranges, value->expr, p, &steps));
        }
        judge_value(ranges, i, each);
        struct lb_expr_range *now = lb_form_ranges_at(ranges, 0, lb_form_first_value(form) + i);
        lb_form_ranges_share(ranges, lb_form_first_value(form) + i, known_of(*now));
    }
    ranges->frozen = true;
}
