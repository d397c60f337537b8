#include <string.h>

#include "policy/engine/form_tabling.h"

/*
 * One answer of an example after the other is replaced by everything it could be, and what follows
 * is told. Numbers come in runs: a run is cut until one class follows from all of it.
 */
#define MAX_LOOKS 600  /* at the runs of one answer */
#define MAX_RUNS 24
#define MANUAL SIZE_MAX
#define OPEN (SIZE_MAX - 1)

struct run {
    int64_t min;
    int64_t max;
    size_t outcome;
};

/* One answer: of a person, or a slot's total. */
struct answer {
    struct form_tabling *tabling;
    const struct lb_form_example *example;
    const char *class_id;
    size_t member;  /* SIZE_MAX: a slot's total */
    size_t name;    /* in the form's names */
    size_t looks;
    size_t num_runs;
    struct run runs[MAX_RUNS];
};

static const char *outcome_name(const struct answer *answer, size_t outcome)
{
    if (outcome == OPEN)
        return "?";
    return outcome == MANUAL ? "MANUAL"
                             : lb_form_class_id(&answer->tabling->form->form, outcome);
}

static void put_answer(const struct answer *answer, struct lb_expr_range range)
{
    struct form_ranges *ranges = answer->tabling->ranges;
    if (answer->member == SIZE_MAX)
        lb_form_ranges_share(ranges, answer->name, range);
    else
        *lb_form_ranges_at(ranges, answer->member, answer->name) = range;
}

/* The one class that follows from the ranges as they are, or OPEN. */
static size_t outcome_of(struct answer *answer, struct lb_expr_range range)
{
    struct form_ranges *ranges = answer->tabling->ranges;
    put_answer(answer, range);
    lb_form_ranges_run(ranges);
    for (size_t i = 0; i < ranges->form->form.num_classes; i++) {
        const struct lb_expr_range *class = &ranges->classes[i];
        if (!lb_expr_range_is_one(class))
            return OPEN;
        if (class->yes || class->unknown)
            return class->yes ? i : MANUAL;
    }
    return ranges->form->form.num_classes;
}

/* --- the engine's word --- */

static struct lb_fact *fact_at(const struct answer *answer)
{
    size_t slot = answer->name - lb_form_first_slot(answer->tabling->form);
    return answer->member == SIZE_MAX
               ? &answer->example->totals[slot]
               : (struct lb_fact *)&answer->example->members[answer->member].facts[answer->name];
}

/* The engine says the same of one answer. The example is ours to change for that moment. */
static lb_status confirm(const struct answer *answer, struct lb_fact fact, size_t outcome)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_form_judgement judgement;
    struct lb_fact *at = fact_at(answer);
    struct lb_fact before = *at;
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "a form's table");
    *at = fact;
    lb_status status =
        lb_form_judge(answer->tabling->form, answer->example->members,
                      answer->example->num_members, answer->example->totals, scratch, &judgement);
    *at = before;
    LB_TRY(status);
    LB_ENSURE(outcome == OPEN ||
                  strcmp(judgement.class_id, outcome_name(answer, outcome)) == 0,
              LB_INTERNAL, "the table and the engine differ");
    return LB_OK;
}

static void put_line(const struct answer *answer, const char *value, size_t outcome)
{
    const struct lb_form_compiled *form = answer->tabling->form;
    struct lb_buf *out = answer->tabling->out;
    lb_buf_printf(out, "%s ", answer->class_id);
    if (answer->member != SIZE_MAX)
        lb_buf_printf(out, "%zu %s ", answer->member + 1,
                      form->form.roles[answer->example->members[answer->member].role].name);
    lb_buf_printf(out, "%s %s -> %s\n", form->names[answer->name], value,
                  outcome_name(answer, outcome));
}

static lb_status tell(struct answer *answer, const char *value, struct lb_expr_range range,
                      struct lb_fact fact)
{
    size_t outcome = outcome_of(answer, range);
    fact.state = LB_FACT_OK;
    put_line(answer, value, outcome);
    return confirm(answer, fact, outcome);
}

/* --- kinds of answers --- */

static lb_status tell_truths(struct answer *answer)
{
    struct lb_expr_range range = {.kind = LB_EXPR_TRUTH, .yes = true};
    struct lb_fact fact = {.kind = LB_FACT_TRUTH, .truth = true};
    LB_TRY(tell(answer, "true", range, fact));
    range.yes = false;
    range.no = true;
    fact.truth = false;
    return tell(answer, "false", range, fact);
}

static lb_status tell_texts(struct answer *answer)
{
    const struct form_ranges *ranges = answer->tabling->ranges;
    struct lb_expr_range range = {.kind = LB_EXPR_TEXT, .known = true};
    struct lb_fact fact = {.kind = LB_FACT_TEXT};
    for (size_t i = 0; i < ranges->num_texts; i++) {
        const char *quoted =
            lb_arena_printf(answer->tabling->arena, "'%s'", ranges->texts[i]);
        LB_ENSURE(quoted != NULL, LB_NO_MEMORY, "a form's table");
        range.text = ranges->texts[i];
        fact.text = lb_span_str(range.text);
        LB_TRY(tell(answer, quoted, range, fact));
    }
    range.text = NULL;
    range.other = true;
    fact.text = lb_span_str("other");
    return tell(answer, "another text", range, fact);
}

/* A run joins the one before it when the same follows; past the last place all that is left is open
 * in one. */
static void add_run(struct answer *answer, int64_t min, int64_t max, size_t outcome)
{
    struct run *last = &answer->runs[answer->num_runs > 0 ? answer->num_runs - 1 : 0];
    if (answer->num_runs > 0 && (last->outcome == outcome || answer->num_runs == MAX_RUNS)) {
        last->outcome = last->outcome == outcome ? outcome : OPEN;
        last->max = max;
        return;
    }
    answer->runs[answer->num_runs++] = (struct run){min, max, outcome};
}

static void find_runs(struct answer *answer, struct lb_expr_range range)
{
    struct lb_expr_range parts[2];
    size_t outcome = answer->looks > 0 ? outcome_of(answer, range) : OPEN;
    if (answer->looks > 0)
        answer->looks--;
    if (outcome != OPEN || answer->looks == 0 || lb_expr_range_is_one(&range)) {
        add_run(answer, range.min, range.max, outcome);
        return;
    }
    for (size_t i = 0; i < 2; i++)
        (void)lb_form_ranges_cut(answer->tabling->ranges, &range, false, i, &parts[i]);
    bool rising = parts[0].min < parts[1].min;
    find_runs(answer, parts[rising ? 0 : 1]);
    find_runs(answer, parts[rising ? 1 : 0]);
}

static const char *run_text(const struct run *run, struct lb_arena *arena)
{
    if (run->min == run->max)
        return lb_arena_printf(arena, "%lld", (long long)run->min);
    if (run->min == INT64_MIN && run->max == INT64_MAX)
        return "any number";
    if (run->min == INT64_MIN)
        return lb_arena_printf(arena, "to %lld", (long long)run->max);
    if (run->max == INT64_MAX)
        return lb_arena_printf(arena, "from %lld", (long long)run->min);
    return lb_arena_printf(arena, "%lld to %lld", (long long)run->min, (long long)run->max);
}

/* One number, by itself. */
static lb_status tell_number(struct answer *answer, int64_t number)
{
    const struct lb_expr_range range = {
        .kind = LB_EXPR_NUMBER, .known = true, .min = number, .max = number};
    const char *text = lb_arena_printf(answer->tabling->arena, "at %lld", (long long)number);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "a form's table");
    return tell(answer, text, range,
                (struct lb_fact){.kind = LB_FACT_NUMBER, .number = number});
}

/* Of a run that was not decided, the numbers around the marks and the example's own. */
static lb_status tell_marks(struct answer *answer, const struct run *run)
{
    const struct form_ranges *ranges = answer->tabling->ranges;
    int64_t own = fact_at(answer)->number, last = INT64_MIN;
    for (size_t i = 0; i <= ranges->num_marks; i++) {
        int64_t mark = i == ranges->num_marks ? own : ranges->marks[i];
        for (int64_t number = mark - 1; number <= mark + 1; number++)
            if (number > last && number >= run->min && number <= run->max) {
                LB_TRY(tell_number(answer, number));
                last = number;
            }
    }
    return LB_OK;
}

/* What is below 0 must not use up the looks at what is not. */
static void find_all_runs(struct answer *answer, struct lb_expr_range whole)
{
    struct lb_expr_range part = whole;
    answer->num_runs = 0;
    if (whole.min < 0) {
        part.max = whole.max < -1 ? whole.max : -1;
        answer->looks = MAX_LOOKS;
        find_runs(answer, part);
    }
    part = whole;
    part.min = whole.min > 0 ? whole.min : 0;
    answer->looks = MAX_LOOKS;
    if (part.min <= part.max)
        find_runs(answer, part);
}

static lb_status tell_numbers(struct answer *answer, struct lb_expr_range whole)
{
    find_all_runs(answer, whole);
    for (size_t i = 0; i < answer->num_runs; i++) {
        const struct run *run = &answer->runs[i];
        const char *text = run_text(run, answer->tabling->arena);
        LB_ENSURE(text != NULL, LB_NO_MEMORY, "a form's table");
        put_line(answer, text, run->outcome);
        if (run->outcome == OPEN)
            LB_TRY(tell_marks(answer, run));
        for (int end = 0; end < 2; end++)
            LB_TRY(confirm(answer,
                           (struct lb_fact){.state = LB_FACT_OK,
                                            .kind = LB_FACT_NUMBER,
                                            .number = end == 0 ? run->min : run->max},
                           run->outcome));
    }
    return LB_OK;
}

/* `whole` is all that the answer can be; what the example has is put back afterwards. */
static lb_status tell_answer(struct answer *answer, struct lb_expr_range whole)
{
    struct form_ranges *ranges = answer->tabling->ranges;
    size_t member = answer->member == SIZE_MAX ? 0 : answer->member;
    struct lb_expr_range before = *lb_form_ranges_at(ranges, member, answer->name);
    const struct lb_fact unknown = {.kind = LB_FACT_UNKNOWN};
    if (whole.kind == LB_EXPR_TRUTH)
        LB_TRY(tell_truths(answer));
    else if (whole.kind == LB_EXPR_TEXT)
        LB_TRY(tell_texts(answer));
    else
        LB_TRY(tell_numbers(answer, whole));
    LB_TRY(tell(answer, "unknown", lb_expr_range_nothing(whole.kind), unknown));
    put_answer(answer, before);
    return LB_OK;
}

/* --- the example --- */

static struct lb_expr_range range_of(const struct lb_fact *fact, enum lb_expr_kind kind)
{
    struct lb_expr_range range = {.kind = kind, .known = kind != LB_EXPR_TRUTH};
    range.yes = kind == LB_EXPR_TRUTH && fact->truth;
    range.no = kind == LB_EXPR_TRUTH && !fact->truth;
    range.min = range.max = fact->number;
    range.text = (const char *)fact->text.ptr; /* a text of the rules or "other", with its NUL */
    return fact->kind == LB_FACT_UNKNOWN ? lb_expr_range_nothing(kind) : range;
}

static bool is_in_rules(const struct lb_form_compiled *form, size_t fact)
{
    for (size_t i = 0; i < form->num_values; i++)
        if (lb_expr_uses(form->values[i].expr, fact))
            return true;
    return false;
}

static void begin(struct form_tabling *tabling, const struct lb_form_example *example)
{
    struct form_ranges *ranges = tabling->ranges;
    ranges->num_people = example->num_members;
    for (size_t m = 0; m < example->num_members; m++)
        ranges->people[m] = (struct form_people){example->members[m].role, 1, 1};
    lb_form_ranges_begin(ranges, true);
}

/* Puts the example's own answer in the place of a range. */
static void settle(const struct answer *answer)
{
    const struct lb_form_compiled *form = answer->tabling->form;
    put_answer(answer, range_of(fact_at(answer), form->kinds[answer->name]));
}

typedef lb_status each_answer(struct answer *answer, const struct lb_expr_range *whole);

static lb_status for_each(struct answer *answer, const struct lb_expr_range *wholes,
                          each_answer *call)
{
    const struct lb_form_compiled *form = answer->tabling->form;
    for (answer->member = 0; answer->member < answer->example->num_members; answer->member++)
        for (answer->name = 0; answer->name < form->form.num_facts; answer->name++) {
            const struct lb_form_fact *fact = &form->form.facts[answer->name];
            if (lb_form_asks(fact, answer->example->members[answer->member].role) &&
                is_in_rules(form, answer->name))
                LB_TRY(call(answer, &wholes[answer->member * form->num_names + answer->name]));
        }
    answer->member = SIZE_MAX;
    for (size_t i = 0; i < form->form.num_shares; i++) {
        answer->name = lb_form_first_slot(form) + i;
        LB_TRY(call(answer, &wholes[answer->name]));
    }
    return LB_OK;
}

static lb_status settle_one(struct answer *answer, const struct lb_expr_range *whole)
{
    (void)whole;
    settle(answer);
    return LB_OK;
}

static lb_status tell_one(struct answer *answer, const struct lb_expr_range *whole)
{
    return tell_answer(answer, *whole);
}

lb_status lb_form_table_answers(struct form_tabling *tabling, size_t class_index,
                                const struct lb_form_example *example)
{
    const struct lb_form_compiled *form = tabling->form;
    struct answer answer = {.tabling = tabling,
                            .example = example,
                            .class_id = lb_form_class_id(&form->form, class_index)};
    begin(tabling, example);
    size_t num = example->num_members * form->num_names;
    struct lb_expr_range *wholes = lb_arena_array(tabling->arena, num, sizeof(*wholes));
    LB_ENSURE(wholes != NULL, LB_NO_MEMORY, "a form's table");
    memcpy(wholes, tabling->ranges->rows, num * sizeof(*wholes));
    LB_TRY(for_each(&answer, wholes, settle_one));
    return for_each(&answer, wholes, tell_one);
}
