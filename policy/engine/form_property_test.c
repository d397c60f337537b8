/*
 * What is unknown may leave a case to a person, and never turns it: if a judgement with one fact
 * unknown still gives a class, then every value of that fact gives the same class. Random forms
 * over random households, from a fixed seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

#define NUM_FORMS 40
#define CASES_PER_FORM 20
#define MAX_MEMBERS 3
#define NUM_FACTS 6
#define NUM_TRUTHS 2
#define NUM_NUMBERS 6
#define NUM_REGIONS 2

struct random_case {
    size_t num_members;
    struct lb_form_member members[MAX_MEMBERS];
    struct lb_fact facts[MAX_MEMBERS][NUM_FACTS];
};

/* How often the property had something to say. */
struct tally {
    size_t definite;
    size_t manual;
};

/* A small generator of our own: the same numbers on every machine. */
static uint32_t next(uint64_t *seed, uint32_t below)
{
    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(*seed >> 33) % below;
}

static size_t num_values_of(size_t fact)
{
    static const size_t nums[NUM_FACTS] = {NUM_TRUTHS,  NUM_TRUTHS,  NUM_REGIONS,
                                           NUM_NUMBERS, NUM_NUMBERS, NUM_TRUTHS};
    return nums[fact];
}

static struct lb_fact value_of(size_t fact, size_t index)
{
    static const int64_t numbers[NUM_NUMBERS] = {0, 1, 500, 12000, 30000, INT64_MAX};
    static const char *const regions[NUM_REGIONS] = {"110101", "310101"};
    switch (num_values_of(fact)) {
    case NUM_TRUTHS:
        return fact == 2 ? lb_form_fixture_words(regions[index])
                         : lb_form_fixture_truth(index == 1);
    default:
        return lb_form_fixture_number(numbers[index]);
    }
}

static const char *condition_of(uint64_t *seed)
{
    static const char *const tests[] = {
        "income < std_line * 12 * n",
        "income * 2 >= std_line OR num_firms > 1",
        "num_firms = 0",
        "num_firms BETWEEN 1 AND 3 AND NOT any_severe",
        "any_severe",
        "num_severe >= 2 OR NOT all_named",
        "NOT (any_severe AND all_named)",
        "all_named AND declared",
        "home IN ('110101', '440101')",
        "home <> '110101' OR income <= num_firms",
        "num_severe IN (1, 3)",
        "NOT earner",
        "max(income, std_line) > min(num_firms, n) * 500",
        "abs(income - 12000) < std_line AND (declared OR earner)",
    };
    return tests[next(seed, sizeof(tests) / sizeof(tests[0]))];
}

static char *class_of(struct lb_arena *arena, uint64_t *seed, int depth)
{
    static const char *const names[] = {"identified", "poor", "hard", "plain", "local"};
    if (depth == 0)
        return lb_arena_printf(arena, "%s%s", next(seed, 3) == 0 ? "NOT " : "",
                               names[next(seed, 5)]);
    char *left = class_of(arena, seed, depth - 1);
    char *right = class_of(arena, seed, depth - 1);
    assert_true(left != NULL && right != NULL);
    return lb_arena_printf(arena, "%s(%s %s %s)", next(seed, 4) == 0 ? "NOT " : "", left,
                           next(seed, 2) == 0 ? "AND" : "OR", right);
}

static char *quoted(struct lb_arena *arena, const char *key, const char *expression)
{
    return lb_arena_printf(arena, "%s: \"%s\"", key, expression);
}

/* The fixture with other conditions and classes. The last class uses every condition, and the last
 * condition every value, so that nothing is refused as unused. */
static struct lb_form_compiled *form_of(struct lb_arena *arena, const struct lb_rules *rules,
                                        uint64_t *seed)
{
    static const char *const old_tests[] = {
        "test: all_named AND declared", "test: income < std_line * 12 * n",
        "test: any_severe OR num_severe >= 2", "test: num_firms = 0 AND NOT earner"};
    char *text = lb_arena_str(arena, lb_span_str(lb_form_fixture_text()));
    for (size_t i = 0; i < sizeof(old_tests) / sizeof(old_tests[0]); i++)
        text = lb_form_fixture_replace(arena, text, old_tests[i],
                                       quoted(arena, "test", condition_of(seed)));
    text = lb_form_fixture_replace(
        arena, text, "test: home = '110101'",
        "test: \"(home = '110101' OR income + num_firms > num_severe) AND (all_named OR declared "
        "OR any_severe OR earner)\"");
    text = lb_form_fixture_replace(arena, text, "when: identified AND poor AND plain AND hard",
                                   quoted(arena, "when", class_of(arena, seed, 1)));
    char *last = lb_arena_printf(arena, "%s OR (identified AND poor AND hard AND plain AND local)",
                                 class_of(arena, seed, 2));
    text = lb_form_fixture_replace(arena, text, "when: identified AND poor AND plain AND local",
                                   quoted(arena, "when", last));
    return lb_form_fixture_load(text, rules);
}

static void make_case(struct random_case *c, uint64_t *seed)
{
    c->num_members = 1 + next(seed, MAX_MEMBERS);
    for (size_t m = 0; m < c->num_members; m++) {
        c->members[m] = (struct lb_form_member){.role = m == 0 ? 0 : 1 + next(seed, 2),
                                                .facts = c->facts[m]};
        for (size_t f = 0; f < NUM_FACTS; f++)
            c->facts[m][f] = next(seed, 8) == 0
                                 ? lb_form_fixture_unknown()
                                 : value_of(f, next(seed, (uint32_t)num_values_of(f)));
    }
}

static const char *judge(struct lb_form_compiled *form, const struct random_case *c,
                         struct lb_arena *arena)
{
    struct lb_form_judgement judgement;
    assert_null(lb_form_judge(form, c->members, c->num_members, NULL, arena, &judgement));
    return judgement.class_id;
}

static void check_fact(struct lb_form_compiled *form, struct random_case *c, size_t member,
                       size_t fact, struct tally *tally)
{
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_fact *place = &c->facts[member][fact];
    struct lb_fact kept = *place;
    assert_non_null(arena);
    *place = lb_form_fixture_unknown();
    const char *without = judge(form, c, arena);
    bool is_manual = strcmp(without, "MANUAL") == 0;
    tally->manual += is_manual ? 1 : 0;
    tally->definite += is_manual ? 0 : 1;
    for (size_t i = 0; i < num_values_of(fact) && !is_manual; i++) {
        *place = value_of(fact, i);
        assert_string_equal(judge(form, c, arena), without);
    }
    *place = kept;
    lb_arena_free(arena);
}

static void an_unknown_never_turns_a_case(void **state)
{
    (void)state;
    struct lb_rules *rules = lb_form_fixture_rules("");
    struct tally tally = {0};
    uint64_t seed = 20260701;
    for (size_t f = 0; f < NUM_FORMS; f++) {
        struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
        struct lb_form_compiled *form = form_of(arena, rules, &seed);
        for (size_t i = 0; i < CASES_PER_FORM; i++) {
            struct random_case c;
            make_case(&c, &seed);
            for (size_t m = 0; m < c.num_members; m++)
                for (size_t fact = 0; fact < NUM_FACTS; fact++)
                    check_fact(form, &c, m, fact, &tally);
        }
        lb_form_free(form);
        lb_arena_free(arena);
    }
    print_message("%zu definite, %zu manual\n", tally.definite, tally.manual);
    /* both happen often, or the property said nothing */
    assert_true(tally.definite > 1000);
    assert_true(tally.manual > 1000);
    lb_rules_free(rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_never_turns_a_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
