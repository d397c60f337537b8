#include "gateway/window/fixture.h"

/* The work list. */

static Lianban__V1__ListCasesResponse *list(struct fixture *fx, const char *turn,
                                            const char *after, uint32_t limit)
{
    Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
    Lianban__V1__ListCasesResponse *page = NULL;
    request.turn = (char *)(uintptr_t)turn;
    request.after = (char *)(uintptr_t)after;
    request.limit = limit;
    assert_ok(lb_window_list(fx->window, &request, fx->arena, &page));
    return page;
}

static void the_list_is_paged_by_age(void **state)
{
    struct fixture *fx = *state;
    const char *ids[5];
    for (size_t i = 0; i < 5; i++) {
        ids[i] = fx_open(fx, i == 4);
        fx->clock.now_unix_ms += 1000;
    }
    const char *after = "";
    for (size_t i = 0; i < 5; i += 2) {
        Lianban__V1__ListCasesResponse *page = list(fx, "", after, 2);
        assert_int_equal(page->n_cases, i == 4 ? 1 : 2);
        assert_string_equal(page->cases[0]->case_id, ids[i]);
        assert_int_equal(page->cases[0]->opened_unix_s, FX_NOW + (int64_t)i);
        assert_string_equal(page->cases[0]->unit, "窗口3");
        assert_string_equal(page->cases[0]->state, "OPEN");
        after = page->next;
        fx_restart(fx);
    }
    assert_string_equal(after, "");
}

static void the_list_tells_what_is_missing_and_whose_turn_it_is(void **state)
{
    struct fixture *fx = *state;
    const char *open = fx_open(fx, false);
    const char *case_id = fx_facing(fx, true);
    Lianban__V1__ListCasesResponse *page = list(fx, "departments", "", 0);
    assert_int_equal(page->n_cases, 1);
    const Lianban__V1__CaseSummary *one = page->cases[0];
    assert_string_equal(one->case_id, case_id);
    assert_string_equal(one->class_id, "MANUAL");
    assert_int_equal(one->num_missing, 4);
    assert_int_equal(one->n_missing, 2);
    assert_string_equal(one->missing[0], "wage12");
    page = list(fx, "officer", "", 0);
    assert_int_equal(page->n_cases, 1);
    assert_string_equal(page->cases[0]->case_id, open);
    assert_int_equal(list(fx, "citizen", "", 0)->n_cases, 0);
}

static void a_list_refuses_what_it_does_not_know(void **state)
{
    static const char *const places[] = {"1", "x.", ".c-1", "1.c-1", "-1.c-1", "1e9.c-1"};
    struct fixture *fx = *state;
    Lianban__V1__ListCasesResponse *page = NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
        request.after = (char *)(uintptr_t)places[i];
        assert_code(lb_window_list(fx->window, &request, fx->arena, &page), LB_MALFORMED);
    }
    Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
    request.turn = "mine";
    assert_code(lb_window_list(fx->window, &request, fx->arena, &page), LB_MALFORMED);
    request.turn = "";
    request.limit = 201;
    assert_code(lb_window_list(fx->window, &request, fx->arena, &page), LB_MALFORMED);
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_is_paged_by_age),
        TEST(the_list_tells_what_is_missing_and_whose_turn_it_is),
        TEST(a_list_refuses_what_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
