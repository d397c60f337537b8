#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/form_fixture.h"

enum { NAME, HOUSEHOLD, REGION, WAGE, FIRMS, SEVERE, NUM_FACTS };
enum { IDENTIFIED, POOR, HARD, PLAIN, LOCAL };
enum { APPLICANT, MEMBER, CHILD };

struct test {
    struct lb_rules *rules;
    struct lb_arena *arena;
    struct lb_form_compiled *form;
    size_t num_members;
    struct lb_form_member members[LB_MAX_HOUSEHOLD + 1];
    struct lb_fact facts[LB_MAX_HOUSEHOLD + 1][NUM_FACTS];
    struct lb_form_judgement judgement;
};

/* A member of whom everything is known and nothing stands against the class PART. */
static void add(struct test *test, size_t role)
{
    struct lb_fact *facts = test->facts[test->num_members];
    facts[NAME] = lb_form_fixture_truth(true);
    facts[HOUSEHOLD] = lb_form_fixture_truth(true);
    facts[REGION] = lb_form_fixture_words("110101");
    facts[WAGE] = lb_form_fixture_number(0);
    facts[FIRMS] = lb_form_fixture_number(0);
    facts[SEVERE] = lb_form_fixture_truth(false);
    test->members[test->num_members++] = (struct lb_form_member){.role = role, .facts = facts};
}

static const char *judge(struct test *test)
{
    assert_null(lb_form_judge(test->form, test->members, test->num_members, NULL, test->arena,
                              &test->judgement));
    assert_int_equal(test->judgement.manual, strcmp(test->judgement.class_id, "MANUAL") == 0);
    return test->judgement.class_id;
}

static enum lb_truth condition(struct test *test, size_t index)
{
    judge(test);
    return test->judgement.conditions[index];
}

static int set_up(void **state)
{
    static struct test test;
    memset(&test, 0, sizeof(test));
    test.rules = lb_form_fixture_rules("");
    test.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    test.form = lb_form_fixture_load(lb_form_fixture_text(), test.rules);
    add(&test, APPLICANT);
    *state = &test;
    return 0;
}

static int tear_down(void **state)
{
    struct test *test = *state;
    lb_form_free(test->form);
    lb_arena_free(test->arena);
    lb_rules_free(test->rules);
    return 0;
}

static void gives_each_class(void **state)
{
    struct test *test = *state;
    struct lb_fact *facts = test->facts[0];
    assert_string_equal(judge(test), "PART");
    assert_string_equal(test->judgement.class_text.en, "partial");
    facts[SEVERE] = lb_form_fixture_truth(true);
    assert_string_equal(judge(test), "FULL");
    assert_int_equal(test->judgement.classes[1], LB_TRUE);
    facts[FIRMS] = lb_form_fixture_number(1);
    assert_string_equal(judge(test), "NONE");
    assert_string_equal(test->judgement.class_text.zh, "不符合");
    assert_int_equal(test->judgement.conditions[PLAIN], LB_FALSE);
}

/* The line is 1000 per person and month. */
static void compares_with_thresholds_and_size(void **state)
{
    struct test *test = *state;
    test->facts[0][WAGE] = lb_form_fixture_number(11999);
    assert_int_equal(condition(test, POOR), LB_TRUE);
    test->facts[0][WAGE] = lb_form_fixture_number(12000);
    assert_int_equal(condition(test, POOR), LB_FALSE);
    add(test, CHILD);
    assert_int_equal(condition(test, POOR), LB_TRUE);
    test->facts[0][WAGE] = lb_form_fixture_number(24000);
    assert_int_equal(condition(test, POOR), LB_FALSE);
}

static void whatever_is_not_ok_is_unknown(void **state)
{
    struct test *test = *state;
    for (enum lb_fact_state s = 0; s <= LB_FACT_STALE; s++)
        for (size_t i = 0; i < NUM_FACTS; i++) {
            struct lb_fact kept = test->facts[0][i];
            test->facts[0][i].state = s; /* with a value left in it, which must not count */
            if (s == LB_FACT_OK)
                test->facts[0][i].kind = LB_FACT_UNKNOWN;
            assert_string_equal(judge(test), "MANUAL");
            test->facts[0][i] = kept;
        }
    assert_string_equal(test->judgement.class_text.zh, "转人工审核");
    assert_string_equal(test->judgement.class_text.en, "for a person to decide");
}

static void a_value_of_another_kind_is_unknown(void **state)
{
    struct test *test = *state;
    struct lb_fact *facts = test->facts[0];
    facts[SEVERE] = lb_form_fixture_number(1);
    assert_int_equal(condition(test, HARD), LB_UNKNOWN);
    facts[SEVERE] = lb_form_fixture_words("true");
    assert_int_equal(condition(test, HARD), LB_UNKNOWN);
    facts[WAGE] = lb_form_fixture_truth(false);
    assert_int_equal(condition(test, POOR), LB_UNKNOWN);
    facts[WAGE] = lb_form_fixture_words("0");
    assert_int_equal(condition(test, POOR), LB_UNKNOWN);
    facts[REGION] = lb_form_fixture_number(110101);
    assert_int_equal(condition(test, LOCAL), LB_UNKNOWN);
}

static void texts_are_whole_or_unknown(void **state)
{
    struct test *test = *state;
    struct lb_fact *region = &test->facts[0][REGION];
    static const char with_nul[] = "110101\0x";
    static const char sixty_four[] =
        "1101010000000000000000000000000000000000000000000000000000000000";
    region->text = lb_span_str("110102");
    assert_int_equal(condition(test, LOCAL), LB_FALSE);
    region->text = LB_SPAN_EMPTY;
    assert_int_equal(condition(test, LOCAL), LB_FALSE);
    region->text = lb_span_of(with_nul, sizeof(with_nul) - 1);
    assert_int_equal(condition(test, LOCAL), LB_UNKNOWN);
    region->text = lb_span_of(sixty_four, 64);
    assert_int_equal(condition(test, LOCAL), LB_UNKNOWN);
    region->text = lb_span_of(sixty_four, 63);
    assert_int_equal(condition(test, LOCAL), LB_FALSE);
    region->text = lb_span_of(sixty_four, 6);
    assert_int_equal(condition(test, LOCAL), LB_TRUE);
}

static struct lb_fact fact_of(enum lb_truth truth)
{
    return truth == LB_UNKNOWN ? lb_form_fixture_unknown()
                               : lb_form_fixture_truth(truth == LB_TRUE);
}

struct pair {
    enum lb_truth a, b, result;
};

static void folds_any(void **state)
{
    struct test *test = *state;
    static const struct pair table[] = {
        {LB_FALSE, LB_FALSE, LB_FALSE},     {LB_FALSE, LB_TRUE, LB_TRUE},
        {LB_FALSE, LB_UNKNOWN, LB_UNKNOWN}, {LB_TRUE, LB_TRUE, LB_TRUE},
        {LB_TRUE, LB_UNKNOWN, LB_TRUE},     {LB_UNKNOWN, LB_FALSE, LB_UNKNOWN},
        {LB_UNKNOWN, LB_TRUE, LB_TRUE},     {LB_UNKNOWN, LB_UNKNOWN, LB_UNKNOWN},
    };
    add(test, CHILD);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        test->facts[0][SEVERE] = fact_of(table[i].a);
        test->facts[1][SEVERE] = fact_of(table[i].b);
        assert_int_equal(condition(test, HARD), table[i].result);
    }
}

static void folds_all(void **state)
{
    struct test *test = *state;
    static const struct pair table[] = {
        {LB_FALSE, LB_FALSE, LB_FALSE},     {LB_FALSE, LB_TRUE, LB_FALSE},
        {LB_FALSE, LB_UNKNOWN, LB_FALSE},   {LB_TRUE, LB_TRUE, LB_TRUE},
        {LB_TRUE, LB_UNKNOWN, LB_UNKNOWN},  {LB_UNKNOWN, LB_FALSE, LB_FALSE},
        {LB_UNKNOWN, LB_TRUE, LB_UNKNOWN},  {LB_UNKNOWN, LB_UNKNOWN, LB_UNKNOWN},
    };
    add(test, CHILD);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        test->facts[0][NAME] = fact_of(table[i].a);
        test->facts[1][NAME] = fact_of(table[i].b);
        assert_int_equal(condition(test, IDENTIFIED), table[i].result);
    }
}

static void folds_count(void **state)
{
    struct test *test = *state;
    static const struct pair table[] = {
        {LB_FALSE, LB_FALSE, LB_FALSE},    {LB_FALSE, LB_TRUE, LB_FALSE},
        {LB_TRUE, LB_TRUE, LB_TRUE},       {LB_TRUE, LB_UNKNOWN, LB_UNKNOWN},
        {LB_UNKNOWN, LB_TRUE, LB_UNKNOWN}, {LB_FALSE, LB_UNKNOWN, LB_UNKNOWN},
    };
    /* any_severe stays in use and decides nothing */
    char *text = lb_form_fixture_replace(test->arena, lb_form_fixture_text(),
                                         "test: any_severe OR num_severe >= 2",
                                         "test: num_severe >= 2 AND (any_severe OR n > 0)");
    lb_form_free(test->form);
    test->form = lb_form_fixture_load(text, test->rules);
    add(test, CHILD);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        test->facts[0][SEVERE] = fact_of(table[i].a);
        test->facts[1][SEVERE] = fact_of(table[i].b);
        assert_int_equal(condition(test, HARD), table[i].result);
    }
}

static void folds_sum(void **state)
{
    struct test *test = *state;
    add(test, MEMBER);
    test->facts[0][WAGE] = lb_form_fixture_number(12000);
    test->facts[1][WAGE] = lb_form_fixture_number(11999);
    assert_int_equal(condition(test, POOR), LB_TRUE);
    test->facts[1][WAGE] = lb_form_fixture_number(12000);
    assert_int_equal(condition(test, POOR), LB_FALSE);
    test->facts[1][WAGE] = lb_form_fixture_unknown();
    assert_int_equal(condition(test, POOR), LB_UNKNOWN);
    test->facts[0][WAGE] = lb_form_fixture_number(INT64_MAX);
    test->facts[1][WAGE] = lb_form_fixture_number(1);
    assert_int_equal(condition(test, POOR), LB_UNKNOWN);
    test->facts[0][WAGE] = lb_form_fixture_number(INT64_MIN);
    test->facts[1][WAGE] = lb_form_fixture_number(-1);
    assert_int_equal(condition(test, POOR), LB_UNKNOWN);
}

/* The applicant's value counts wherever the applicant stands, and nobody else's. */
static void folds_applicant(void **state)
{
    struct test *test = *state;
    test->num_members = 0;
    add(test, CHILD);
    add(test, APPLICANT);
    test->facts[0][REGION] = lb_form_fixture_words("110102");
    assert_int_equal(condition(test, LOCAL), LB_TRUE);
    test->facts[0][REGION] = lb_form_fixture_unknown();
    assert_int_equal(condition(test, LOCAL), LB_TRUE);
    test->facts[1][REGION] = lb_form_fixture_words("110102");
    assert_int_equal(condition(test, LOCAL), LB_FALSE);
    test->facts[1][HOUSEHOLD] = lb_form_fixture_truth(false);
    assert_int_equal(condition(test, IDENTIFIED), LB_FALSE);
}

static void who_is_not_asked_takes_otherwise(void **state)
{
    struct test *test = *state;
    add(test, CHILD);
    test->facts[1][WAGE] = lb_form_fixture_unknown();
    test->facts[1][FIRMS].state = LB_FACT_DENIED;
    assert_string_equal(judge(test), "PART");
    test->facts[1][WAGE] = lb_form_fixture_number(1000000); /* was not asked, must not count */
    test->facts[1][FIRMS] = lb_form_fixture_number(2);
    assert_string_equal(judge(test), "PART");
    test->members[1].role = MEMBER;
    assert_string_equal(judge(test), "NONE");
}

static void otherwise_unknown_is_unknown(void **state)
{
    struct test *test = *state;
    char *text = lb_form_fixture_replace(test->arena, lb_form_fixture_text(),
                                         "otherwise: 0\n    saves",
                                         "otherwise: unknown\n    saves");
    lb_form_free(test->form);
    test->form = lb_form_fixture_load(text, test->rules);
    assert_string_equal(judge(test), "PART");
    add(test, CHILD);
    assert_int_equal(condition(test, POOR), LB_UNKNOWN);
    assert_string_equal(judge(test), "MANUAL");
}

/* `earner` compares each member's wage with the whole household's. */
static void later_values_see_earlier_ones(void **state)
{
    struct test *test = *state;
    add(test, MEMBER);
    test->facts[0][WAGE] = lb_form_fixture_number(1001);
    test->facts[1][WAGE] = lb_form_fixture_number(1001);
    assert_int_equal(condition(test, PLAIN), LB_TRUE);
    test->facts[1][WAGE] = lb_form_fixture_number(1002);
    assert_int_equal(condition(test, PLAIN), LB_FALSE);
    test->facts[0][WAGE] = lb_form_fixture_unknown(); /* 1002 may or may not be the most */
    assert_int_equal(condition(test, PLAIN), LB_UNKNOWN);
}

static void an_earlier_unknown_blocks_a_later_true(void **state)
{
    struct test *test = *state;
    test->facts[0][SEVERE] = lb_form_fixture_unknown();
    assert_string_equal(judge(test), "MANUAL");
    assert_int_equal(test->judgement.classes[0], LB_UNKNOWN);
    assert_int_equal(test->judgement.classes[1], LB_TRUE);
    /* and not the other way round */
    test->facts[0][SEVERE] = lb_form_fixture_truth(true);
    test->facts[0][REGION] = lb_form_fixture_unknown();
    assert_string_equal(judge(test), "FULL");
    assert_int_equal(test->judgement.classes[1], LB_UNKNOWN);
}

static void false_and_unknown_is_false(void **state)
{
    struct test *test = *state;
    test->facts[0][NAME] = lb_form_fixture_truth(false);
    test->facts[0][SEVERE] = lb_form_fixture_unknown();
    test->facts[0][WAGE] = lb_form_fixture_unknown();
    assert_string_equal(judge(test), "NONE");
    assert_int_equal(test->judgement.conditions[HARD], LB_UNKNOWN);
    assert_int_equal(test->judgement.classes[0], LB_FALSE);
    assert_int_equal(test->judgement.classes[1], LB_FALSE);
}

static void otherwise_wants_every_class_false(void **state)
{
    struct test *test = *state;
    test->facts[0][REGION] = lb_form_fixture_unknown();
    assert_string_equal(judge(test), "MANUAL");
    assert_int_equal(test->judgement.classes[0], LB_FALSE);
}

static enum lb_code refused(struct test *test)
{
    struct lb_form_judgement judgement = {.class_id = "untouched"};
    lb_status status =
        lb_form_judge(test->form, test->members, test->num_members, NULL, test->arena, &judgement);
    assert_string_equal(judgement.class_id, "untouched");
    return lb_status_code(status);
}

static void refuses_households_the_form_does_not_know(void **state)
{
    struct test *test = *state;
    test->num_members = 0;
    assert_int_equal(refused(test), LB_MALFORMED);
    add(test, MEMBER);
    assert_int_equal(refused(test), LB_MALFORMED); /* no applicant */
    add(test, APPLICANT);
    assert_string_equal(judge(test), "PART");
    add(test, APPLICANT);
    assert_int_equal(refused(test), LB_MALFORMED); /* two */
    test->members[2].role = 3;
    assert_int_equal(refused(test), LB_MALFORMED); /* no such role */
    test->members[2].role = MEMBER;
    add(test, MEMBER);
    assert_string_equal(judge(test), "PART");
    add(test, MEMBER); /* a fourth */
    assert_int_equal(refused(test), LB_MALFORMED);
    while (test->num_members <= LB_MAX_HOUSEHOLD)
        add(test, CHILD);
    assert_int_equal(refused(test), LB_MALFORMED);
}

static void says_when_memory_is_short(void **state)
{
    struct test *test = *state;
    struct lb_arena *whole = test->arena;
    test->arena = lb_arena_new(64);
    assert_int_equal(refused(test), LB_NO_MEMORY);
    lb_arena_free(test->arena);
    test->arena = whole;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gives_each_class),
        TEST(compares_with_thresholds_and_size),
        TEST(whatever_is_not_ok_is_unknown),
        TEST(a_value_of_another_kind_is_unknown),
        TEST(texts_are_whole_or_unknown),
        TEST(folds_any),
        TEST(folds_all),
        TEST(folds_count),
        TEST(folds_sum),
        TEST(folds_applicant),
        TEST(who_is_not_asked_takes_otherwise),
        TEST(otherwise_unknown_is_unknown),
        TEST(later_values_see_earlier_ones),
        TEST(an_earlier_unknown_blocks_a_later_true),
        TEST(false_and_unknown_is_false),
        TEST(otherwise_wants_every_class_false),
        TEST(refuses_households_the_form_does_not_know),
        TEST(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
