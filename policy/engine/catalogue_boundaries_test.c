#include "policy/engine/catalogue_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/*
 * The table of tests/policies/boundaries.csv, made by hand from the official texts, against the
 * catalogue; and the table itself: every threshold and every day moved by one, every comparison
 * made strict or lax and every choice left out must be noticed by one of its rows, and every
 * condition must decide a row when it holds, when it fails and when it is open.
 */

/* --- the catalogue against the table --- */

static unsigned those(const struct catalogue_policy *policy, const enum lb_truth *truths,
                      bool with_open)
{
    unsigned found = 0;
    for (size_t i = 0; i < policy->policy.num_conditions; i++)
        if (truths[i] == LB_TRUE || (with_open && truths[i] == LB_UNKNOWN))
            found |= 1u << i;
    return found;
}

static enum lb_policy_status status_of(const struct catalogue_policy *policy,
                                       const enum lb_truth *truths)
{
    if (lb_catalogue_holds(policy, those(policy, truths, false)))
        return LB_POLICY_MATCHED;
    return lb_catalogue_holds(policy, those(policy, truths, true)) ? LB_POLICY_NEED_MORE
                                                                   : LB_POLICY_UNMATCHED;
}

static void the_catalogue_agrees_with_the_texts(void **state)
{
    struct lb_arena *arena = lb_arena_new(1 << 20);
    (void)state;
    assert_non_null(arena);
    assert_true(table.num_rows > 500);
    for (size_t i = 0; i < table.num_rows; i++) {
        struct lb_calculation calculation;
        const struct catalogue_policy *policy = &table.catalogue->policies[table.rows[i].policy];
        lb_arena_reset(arena);
        assert_null(lb_catalogue_calculate(table.catalogue, table.rows[i].policy,
                                           table.rows[i].answers, arena, &calculation));
        assert_int_equal(calculation.num_results, 1);
        const struct lb_policy_result *result = &calculation.results[0];
        if (result->status != table.rows[i].expected)
            fail_msg("line %d: %s is %s", table.rows[i].line, policy->policy.id,
                     lb_policy_status_name(result->status));
        memcpy(table.rows[i].truths, result->conditions,
               policy->policy.num_conditions * sizeof(table.rows[i].truths[0]));
        /* the evaluator's three-valued result is what every completion says */
        assert_int_equal(status_of(policy, table.rows[i].truths), table.rows[i].expected);
        assert_true((result->num_missing > 0) == (table.rows[i].expected == LB_POLICY_NEED_MORE));
        assert_true((result->num_changes > 0) == (table.rows[i].expected == LB_POLICY_UNMATCHED));
    }
    lb_arena_free(arena);
}

/* --- the table against the catalogue --- */

/* Tells one thing that the table lacks; all are told before a test fails. */
static int __attribute__((format(printf, 1, 2))) told(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    print_error("\n");
    return 1;
}

/* A row notices when its condition has another truth and its result is another with it. */
static bool row_notices(const struct test_row *row, size_t condition, enum lb_truth truth)
{
    enum lb_truth truths[LB_CATALOGUE_MAX_CONDITIONS];
    memcpy(truths, row->truths, sizeof(truths));
    truths[condition] = truth;
    return status_of(&table.catalogue->policies[row->policy], truths) != row->expected;
}

static bool table_notices(size_t policy, size_t condition)
{
    enum lb_truth truths[LB_CATALOGUE_MAX_CONDITIONS];
    for (size_t i = 0; i < table.num_rows; i++) {
        if (table.rows[i].policy != policy)
            continue;
        assert_null(lb_catalogue_judge(&table.catalogue->policies[policy], table.rows[i].answers,
                                       truths));
        if (row_notices(&table.rows[i], condition, truths[condition]))
            return true;
    }
    return false;
}

static int64_t moved(const struct lb_threshold *threshold, int step)
{
    if (strcmp(threshold->unit, "date") != 0)
        return threshold->value + step;
    struct lb_date date = lb_catalogue_date_of(threshold->value);
    struct lb_date other = date;
    /* thresholds are first days of a year; the day before is the last of another */
    other.day += step;
    if (!lb_date_valid(&other))
        other = (struct lb_date){date.year - 1, 12, 31};
    assert_int_equal(lb_date_day(&other), lb_date_day(&date) + step);
    return lb_catalogue_date_number(&other);
}

static void every_threshold_has_rows_at_its_boundary(void **state)
{
    int missing = 0;
    (void)state;
    for (size_t p = 0; p < table.catalogue->num_policies; p++) {
        const struct lb_policy *policy = &table.catalogue->policies[p].policy;
        for (size_t c = 0; c < policy->num_conditions; c++) {
            const struct catalogue_test *test = &table.catalogue->policies[p].tests[c];
            for (size_t k = 0; k < test->num_names; k++) {
                if (test->names[k].role != NAME_THRESHOLD)
                    continue;
                size_t index = test->names[k].index;
                const struct lb_threshold *threshold =
                    lb_rules_threshold_at(table.catalogue->rules, index);
                for (int step = -1; step <= 1; step += 2) {
                    table.catalogue->thresholds[index] = moved(threshold, step);
                    if (!table_notices(p, c))
                        missing += told("%s: no row notices %s moved by %d", policy->id,
                                        threshold->name, step);
                    table.catalogue->thresholds[index] = threshold->value;
                }
            }
        }
    }
    assert_int_equal(missing, 0);
}

static bool has_years(const struct catalogue_test *test)
{
    for (size_t k = 0; k < test->num_names; k++)
        if (test->names[k].role == NAME_YEARS)
            return true;
    return false;
}

/* Whether a row notices that the calculation is done a day earlier or later. */
static bool table_notices_day(size_t policy, size_t condition, int step)
{
    struct lb_date right = table.day;
    for (size_t i = 0; i < table.num_rows; i++)
        table.rows[i].answers->day.day = right.day + step;
    bool noticed = table_notices(policy, condition);
    for (size_t i = 0; i < table.num_rows; i++)
        table.rows[i].answers->day = right;
    return noticed;
}

static void every_age_has_rows_at_its_birthday(void **state)
{
    int missing = 0;
    (void)state;
    for (size_t p = 0; p < table.catalogue->num_policies; p++) {
        const struct lb_policy *policy = &table.catalogue->policies[p].policy;
        for (size_t c = 0; c < policy->num_conditions; c++)
            for (int step = -1; step <= 1; step += 2)
                if (has_years(&table.catalogue->policies[p].tests[c]) &&
                    !table_notices_day(p, c, step))
                    missing += told("%s: no row of %s notices another day", policy->id,
                                    policy->conditions[c].name);
    }
    assert_int_equal(missing, 0);
}

static void compile(size_t policy, size_t condition, const char *test)
{
    struct lb_diag diag = {{0}};
    struct catalogue_test *compiled = &table.catalogue->policies[policy].tests[condition];
    if (lb_catalogue_compile_test(table.catalogue, test, compiled, &diag) != LB_OK)
        fail_msg("%s: %s", test, diag.text);
}

static void every_comparison_has_a_row_on_its_edge(void **state)
{
    int missing = 0;
    (void)state;
    for (size_t p = 0; p < table.catalogue->num_policies; p++) {
        const struct lb_policy *policy = &table.catalogue->policies[p].policy;
        for (size_t c = 0; c < policy->num_conditions; c++) {
            const char *test = policy->conditions[c].test;
            const char *sign = strpbrk(test, "<>");
            char other[LB_FORM_MAX_TEXT_BYTES];
            if (sign == NULL || strncmp(sign, "<>", 2) == 0)
                continue;
            bool with = sign[1] == '=';
            (void)snprintf(other, sizeof(other), "%.*s%c%s%s", (int)(sign - test), test, *sign,
                           with ? "" : "=", sign + (with ? 2 : 1));
            compile(p, c, other);
            if (!table_notices(p, c))
                missing += told("%s: no row notices `%s`", policy->id, other);
            compile(p, c, test);
        }
    }
    assert_int_equal(missing, 0);
}

/* --- below, at and above --- */

/* Whether b answers the question by the next cent, day, month or whatever its unit is, and all else
 * as a does. */
static bool is_next(const struct test_row *a, const struct test_row *b, size_t question)
{
    const struct catalogue_answer *low = &a->answers->answers[question];
    const struct catalogue_answer *high = &b->answers->answers[question];
    if (a->policy != b->policy || !low->known || !high->known)
        return false;
    int64_t step = high->number - low->number;
    if (table.catalogue->questions[question].type == LB_QUESTION_DATE) {
        const struct lb_date from = lb_catalogue_date_of(low->number);
        const struct lb_date to = lb_catalogue_date_of(high->number);
        step = lb_date_day(&to) - lb_date_day(&from);
    }
    for (size_t i = 0; step == 1 && i < table.catalogue->num_questions; i++) {
        const struct catalogue_answer *one = &a->answers->answers[i];
        const struct catalogue_answer *other = &b->answers->answers[i];
        if (i != question && (one->known != other->known || one->number != other->number))
            return false;
    }
    return step == 1;
}

/* Three rows in a row over whose values the condition's truth changes. */
static bool has_three_rows(size_t policy, size_t condition, size_t question)
{
    for (size_t b = 0; b < table.num_rows; b++) {
        bool holds[2] = {false, false}, below = false, above = false;
        if (table.rows[b].policy != policy || table.rows[b].truths[condition] == LB_UNKNOWN)
            continue;
        for (size_t i = 0; i < table.num_rows; i++) {
            bool is_below = is_next(&table.rows[i], &table.rows[b], question);
            bool is_above = is_next(&table.rows[b], &table.rows[i], question);
            below = below || is_below;
            above = above || is_above;
            if (is_below || is_above || i == b)
                holds[table.rows[i].truths[condition] == LB_TRUE] = true;
        }
        if (below && above && holds[0] && holds[1])
            return true;
    }
    return false;
}

static void every_comparison_has_rows_below_at_and_above(void **state)
{
    int missing = 0;
    (void)state;
    for (size_t p = 0; p < table.catalogue->num_policies; p++) {
        const struct lb_policy *policy = &table.catalogue->policies[p].policy;
        for (size_t c = 0; c < policy->num_conditions; c++) {
            const struct lb_policy_condition *condition = &policy->conditions[c];
            const char *sign = strpbrk(condition->test, "<>");
            bool found = sign == NULL || strncmp(sign, "<>", 2) == 0;
            for (size_t k = 0; k < condition->num_questions; k++)
                found = found || has_three_rows(p, c, condition->questions[k]);
            if (!found)
                missing += told("%s: %s has no rows below, at and above", policy->id,
                                condition->name);
        }
    }
    assert_int_equal(missing, 0);
}

/* Whether a row with this choice notices that the condition takes it the other way. */
static bool choice_is_noticed(size_t policy, size_t condition, size_t question, size_t choice)
{
    for (size_t i = 0; i < table.num_rows; i++) {
        const struct catalogue_answer *answer = &table.rows[i].answers->answers[question];
        enum lb_truth truth = table.rows[i].truths[condition];
        if (table.rows[i].policy == policy && answer->known && answer->number == (int64_t)choice &&
            row_notices(&table.rows[i], condition, truth == LB_TRUE ? LB_FALSE : LB_TRUE))
            return true;
    }
    return false;
}

static void every_named_choice_and_another_are_noticed(void **state)
{
    int missing = 0;
    char quoted[80];
    (void)state;
    for (size_t p = 0; p < table.catalogue->num_policies; p++) {
        const struct lb_policy *policy = &table.catalogue->policies[p].policy;
        for (size_t c = 0; c < policy->num_conditions; c++) {
            size_t index = policy->conditions[c].questions[0];
            const struct lb_question *question = &table.catalogue->questions[index];
            bool another = question->num_choices == 0;
            for (size_t k = 0; k < question->num_choices; k++) {
                bool noticed = choice_is_noticed(p, c, index, k);
                (void)snprintf(quoted, sizeof(quoted), "'%s'", question->choices[k].id);
                if (strstr(policy->conditions[c].test, quoted) == NULL)
                    another = another || noticed;
                else if (!noticed)
                    missing += told("%s: no row notices %s in %s", policy->id, quoted,
                                    policy->conditions[c].name);
            }
            if (!another)
                missing += told("%s: no row has a choice that %s does not name", policy->id,
                                policy->conditions[c].name);
        }
    }
    assert_int_equal(missing, 0);
}

/* Whether an open condition can still change an open result. */
static bool is_waited_for(const struct test_row *row, size_t condition)
{
    const struct catalogue_policy *policy = &table.catalogue->policies[row->policy];
    unsigned holding = those(policy, row->truths, false);
    unsigned open = those(policy, row->truths, true) & ~holding;
    unsigned influence[LB_CATALOGUE_MAX_CONDITIONS];
    lb_catalogue_influence(policy, holding, open, influence);
    return row->expected == LB_POLICY_NEED_MORE && influence[condition] > 0;
}

static void every_condition_decides_a_row_in_each_truth(void **state)
{
    int missing = 0;
    static const char *const truth_names[] = {"FALSE", "TRUE", "UNKNOWN"};
    (void)state;
    for (size_t p = 0; p < table.catalogue->num_policies; p++) {
        const struct lb_policy *policy = &table.catalogue->policies[p].policy;
        for (size_t c = 0; c < policy->num_conditions; c++) {
            bool decided[3] = {false, false, false};
            for (size_t i = 0; i < table.num_rows; i++) {
                if (table.rows[i].policy != p)
                    continue;
                enum lb_truth truth = table.rows[i].truths[c];
                enum lb_truth other = truth == LB_TRUE ? LB_FALSE : LB_TRUE;
                bool decides = truth == LB_UNKNOWN ? is_waited_for(&table.rows[i], c)
                                                   : row_notices(&table.rows[i], c, other);
                decided[truth] = decided[truth] || decides;
            }
            for (int truth = LB_FALSE; truth <= LB_UNKNOWN; truth++)
                if (!decided[truth])
                    missing += told("%s: %s decides no row when it is %s", policy->id,
                                    policy->conditions[c].name, truth_names[truth]);
        }
    }
    assert_int_equal(missing, 0);
}

static void the_catalogue_is_sound(void **state)
{
    const struct lb_catalogue_finding *list = NULL;
    struct lb_arena *arena = lb_arena_new(1 << 20);
    size_t num = 0;
    (void)state;
    assert_null(lb_catalogue_check(table.catalogue, &table.day, arena, &list, &num));
    for (size_t i = 0; i < num; i++)
        (void)told("%s %s: %s", list[i].where, list[i].condition == NULL ? "" : list[i].condition,
                   list[i].text.en);
    assert_int_equal(num, 0);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalogue_agrees_with_the_texts),
        cmocka_unit_test(every_threshold_has_rows_at_its_boundary),
        cmocka_unit_test(every_age_has_rows_at_its_birthday),
        cmocka_unit_test(every_comparison_has_a_row_on_its_edge),
        cmocka_unit_test(every_comparison_has_rows_below_at_and_above),
        cmocka_unit_test(every_named_choice_and_another_are_noticed),
        cmocka_unit_test(every_condition_decides_a_row_in_each_truth),
        cmocka_unit_test(the_catalogue_is_sound),
    };
    return cmocka_run_group_tests(tests, test_table_load, test_table_unload);
}
