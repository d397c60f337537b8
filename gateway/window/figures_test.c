#include <string.h>

#include "gateway/window/case_key.h"
#include "gateway/window/figures.h"
#include "gateway/window/fixture.h"

/* Leaders' figures: they survive the cases, and tell nothing of few. */

#define MONTH "2027-01"

static void next_month(struct fixture *fx)
{
    fx->clock.now_unix_ms += 20 * 86400 * INT64_C(1000);
}

static lb_status ask(struct fixture *fx, const char *month, Lianban__V1__GetFiguresResponse **out)
{
    Lianban__V1__GetFiguresRequest request = LIANBAN__V1__GET_FIGURES_REQUEST__INIT;
    request.month = (char *)(uintptr_t)month;
    return lb_window_figures(fx->window, &request, fx->arena, out);
}

static struct lb_figures kept(struct fixture *fx, size_t *out_num)
{
    struct lb_figures_row *rows = NULL;
    assert_ok(lb_case_store_figures(fx->window->store, MONTH, fx->arena, &rows, out_num));
    return *out_num > 0 ? rows[0].figures : (struct lb_figures){0};
}

static void a_closed_case_is_counted_once(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__GetFiguresResponse *got = NULL;
    size_t num = 0;
    assert_ok(lb_window_close_case(fx->window, fx_open(fx, false))); /* never judged */
    (void)kept(fx, &num);
    assert_int_equal(num, 0);
    const char *case_id = fx_facing(fx, false);
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "5", "B"), &act));
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "0", "B"), &act));
    fx->clock.now_unix_ms += 3 * 86400 * INT64_C(1000);
    assert_ok(fx_hear(fx, case_id, "2027-01-16", "x", &act));
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "PART"), &act));
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_UNKNOWN);
    fx_restart(fx);
    const struct lb_figures f = kept(fx, &num);
    assert_int_equal(num, 1);
    assert_int_equal(f.cases, 1);
    assert_int_equal(f.facts, 6);
    assert_int_equal(f.prefilled, 4);
    assert_int_equal(f.saved, 2);
    assert_int_equal(f.manual, 1);
    assert_int_equal(f.decided, 1);
    assert_int_equal(f.departed, 1);
    assert_int_equal(f.days, 3);
    next_month(fx);
    assert_ok(ask(fx, MONTH, &got)); /* one case is nobody's business */
    assert_int_equal(got->n_forms, 1);
    assert_false(got->forms[0]->shown);
    assert_int_equal(got->forms[0]->cases, 0);
    assert_null(got->total);
}

static void a_month_that_runs_is_not_told(void **state)
{
    static const char *const bad[] = {"2027-01", "2027-02", "2027", "", "2027-13", "2027-01-01"};
    struct fixture *fx = *state;
    Lianban__V1__GetFiguresResponse *got = NULL;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_code(ask(fx, bad[i], &got), LB_MALFORMED);
    assert_ok(ask(fx, "2026-12", &got));
    assert_int_equal(got->n_forms, 0);
    assert_null(got->total);
}

/* --- small cells --- */

static void add(struct fixture *fx, const char *form, int64_t cases, int64_t manual,
                int64_t decided, int64_t departed)
{
    const struct lb_case_figures figures = {
        .month = MONTH, .form = form,
        .figures = {cases, cases * 6, cases * 5, cases * 2, manual, decided, departed, decided}};
    assert_ok(lb_figures_add(fx->window->store->store, &figures));
}

static Lianban__V1__GetFiguresResponse *january(struct fixture *fx)
{
    Lianban__V1__GetFiguresResponse *got = NULL;
    next_month(fx);
    assert_ok(ask(fx, MONTH, &got));
    return got;
}

static void large_cells_are_told(void **state)
{
    struct fixture *fx = *state;
    add(fx, "a", 100, 20, 90, 15);
    add(fx, "b", 40, 12, 40, 10);
    const Lianban__V1__GetFiguresResponse *got = january(fx);
    assert_int_equal(got->n_forms, 2);
    assert_int_equal(got->forms[0]->cases, 100);
    assert_int_equal(got->forms[0]->facts_prefilled, 500);
    assert_int_equal(got->forms[0]->manual->cases, 20);
    assert_int_equal(got->forms[0]->departed->cases, 15);
    assert_true(got->forms[1]->decided->shown); /* all of them */
    assert_int_equal(got->total->cases, 140);
    assert_int_equal(got->total->days_to_decision, 130);
}

/* Nine manual cases, or all but nine: both tell of nine people. */
static void small_shares_are_left_out(void **state)
{
    struct fixture *fx = *state;
    add(fx, "a", 100, 9, 95, 15);
    add(fx, "b", 100, 91, 100, 95);
    const Lianban__V1__GetFiguresResponse *got = january(fx);
    assert_false(got->forms[0]->manual->shown);
    assert_false(got->forms[0]->decided->shown); /* five were not */
    assert_false(got->forms[0]->departed->shown);
    assert_int_equal(got->forms[0]->days_to_decision, 0);
    assert_false(got->forms[1]->manual->shown);
    assert_false(got->forms[1]->departed->shown);
    /* Of the manual ones both are hidden, a hundred together; of the decided ones a row alone. */
    assert_true(got->total->manual->shown);
    assert_false(got->total->decided->shown);
    assert_int_equal(got->total->days_to_decision, 0);
}

/* A total less what is shown would be the row that is not. */
static void a_total_that_gives_a_row_away_is_left_out(void **state)
{
    struct fixture *fx = *state;
    add(fx, "a", 100, 20, 90, 15);
    add(fx, "b", 5, 1, 1, 0);
    const Lianban__V1__GetFiguresResponse *got = january(fx);
    assert_true(got->forms[0]->shown);
    assert_false(got->forms[1]->shown);
    assert_null(got->forms[1]->manual);
    assert_null(got->total);
}

static void two_small_rows_hide_in_each_other_when_they_are_enough(void **state)
{
    struct fixture *fx = *state;
    add(fx, "a", 100, 20, 90, 15);
    add(fx, "b", 4, 1, 1, 0);
    add(fx, "c", 5, 1, 1, 0);
    Lianban__V1__GetFiguresResponse *got = january(fx);
    assert_null(got->total); /* nine together */
    add(fx, "c", 1, 0, 0, 0);
    assert_ok(ask(fx, MONTH, &got));
    assert_int_equal(got->total->cases, 110);
    assert_false(got->total->manual->shown); /* two of them */
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_closed_case_is_counted_once),
        TEST(a_month_that_runs_is_not_told),
        TEST(large_cells_are_told),
        TEST(small_shares_are_left_out),
        TEST(a_total_that_gives_a_row_away_is_left_out),
        TEST(two_small_rows_hide_in_each_other_when_they_are_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
