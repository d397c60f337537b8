#include <string.h>

#include "gateway/window/fixture.h"

/* A household's income, added up blindly by tax and finance. The line is 1,000.00 a month and
 * head. */

static const uint8_t no_run[16];

static void set_amounts(struct fixture *fx, int64_t tax, int64_t finance)
{
    fx->adapters[FX_TAX].share_value = tax;
    fx->adapters[FX_FINANCE].share_value = finance;
}

static const struct fx_asked *last_asked(const struct fixture *fx, enum fx_department department)
{
    const struct fx_adapter *adapter = &fx->adapters[department];
    assert_true(adapter->num_asked > 0);
    return &adapter->asked[adapter->num_asked - 1];
}

static const char *truth_of_poor(const Lianban__V1__CaseResult *result)
{
    for (size_t i = 0; i < result->n_reasons; i++) {
        if (strcmp(result->reasons[i]->condition, "poor") == 0)
            return result->reasons[i]->truth;
    }
    return "";
}

static void the_total_decides(void **state)
{
    struct fixture *fx = *state;
    /* Two adults and a child: 36,000.00 is the line; amounts are per adult. */
    static const struct {
        int64_t tax, finance;
        const char *poor;
    } cases[] = {{1000000, 799999, "TRUE"}, {1000000, 800000, "FALSE"}, {0, 0, "TRUE"},
                 {-1, 0, "UNKNOWN"}, {INT64_C(1) << 53, 0, "UNKNOWN"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fx_collected got;
        set_amounts(fx, cases[i].tax, cases[i].finance);
        const char *case_id = fx_open(fx, true);
        fx_agree(fx, case_id);
        fx_run(fx, case_id, &got);
        assert_ok(got.status);
        assert_string_equal(truth_of_poor(got.result), cases[i].poor);
        assert_int_equal(got.result->n_missing, 0);
    }
}

/* Nothing the window system is told has a share in it. */
static void no_share_is_shown(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    for (uint32_t member = 0; member < 2; member++) {
        assert_string_equal(fx_fact(&got, member, "wage12")->state, "ok");
        assert_string_equal(fx_fact(&got, member, "wage12")->shown, "");
        assert_string_equal(fx_fact(&got, member, "paid12")->shown, "");
    }
}

static void a_run_is_of_one_case(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    uint8_t first[16];
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    memcpy(first, last_asked(fx, FX_TAX)->run, sizeof(first));
    assert_memory_not_equal(first, no_run, sizeof(first));
    assert_memory_equal(last_asked(fx, FX_FINANCE)->run, first, sizeof(first));
    assert_memory_equal(fx->adapters[FX_TAX].asked[0].run, first, sizeof(first));
    assert_memory_equal(last_asked(fx, FX_POLICE)->run, no_run, sizeof(first));
    case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_memory_not_equal(last_asked(fx, FX_TAX)->run, first, sizeof(first));
}

/* A department that was down completes the same run, also after a restart and under mandates that
 * were issued anew meanwhile. */
static void a_late_department_completes_the_run(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    uint8_t first[16];
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx->adapters[FX_FINANCE].down = true;
    fx_run(fx, case_id, &got);
    assert_string_equal(truth_of_poor(got.result), "UNKNOWN");
    assert_string_equal(got.result->class_id, "MANUAL");
    memcpy(first, last_asked(fx, FX_TAX)->run, sizeof(first));
    size_t asked = fx->adapters[FX_TAX].num_asked;
    fx_restart(fx);
    fx->clock.now_unix_ms += 2 * 3600 * 1000;
    fx->adapters[FX_FINANCE].down = false;
    fx_run(fx, case_id, &got);
    assert_string_equal(truth_of_poor(got.result), "TRUE");
    assert_string_equal(got.result->class_id, "FULL");
    assert_memory_equal(last_asked(fx, FX_FINANCE)->run, first, sizeof(first));
    assert_int_equal(fx->adapters[FX_TAX].num_asked, asked);
}

/* A share key that was replaced between two answers: their shares do not add up, and the next
 * collect begins anew. */
static void shares_of_two_sets_are_not_added(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    uint8_t first[16], rid[16];
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx->adapters[FX_FINANCE].share_key = 1;
    fx_run(fx, case_id, &got);
    assert_string_equal(truth_of_poor(got.result), "UNKNOWN");
    memcpy(first, last_asked(fx, FX_TAX)->run, sizeof(first));
    memcpy(rid, last_asked(fx, FX_TAX)->rid, sizeof(rid));
    fx->adapters[FX_TAX].share_key = 1;
    fx_run(fx, case_id, &got);
    assert_string_equal(truth_of_poor(got.result), "TRUE");
    assert_memory_not_equal(last_asked(fx, FX_TAX)->run, first, sizeof(first));
    assert_memory_not_equal(last_asked(fx, FX_TAX)->rid, rid, sizeof(rid));
    assert_memory_equal(last_asked(fx, FX_TAX)->run, last_asked(fx, FX_FINANCE)->run, 16);
}

/* What says that the run is lost begins another, four times in all; what says that the persons may
 * not be added up does not. */
static void a_spoiled_run_is_begun_anew_within_the_budget(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    uint8_t seen[16] = {0};
    fx_agree(fx, case_id);
    fx->adapters[FX_FINANCE].inner = "SHARE_REPEATED";
    for (int i = 0; i < 6; i++) {
        size_t asked = fx->adapters[FX_TAX].num_asked;
        fx_run(fx, case_id, &got);
        assert_string_equal(truth_of_poor(got.result), "UNKNOWN");
        assert_string_equal(fx_get(fx, case_id)->class_id, "MANUAL");
        assert_int_equal(fx->adapters[FX_TAX].num_asked - asked, i < 4 ? 2 : 0);
        assert_int_equal(memcmp(last_asked(fx, FX_TAX)->run, seen, 16) != 0, i < 4);
        memcpy(seen, last_asked(fx, FX_TAX)->run, sizeof(seen));
    }
}

static void a_household_that_may_not_be_added_up_is_not_asked_again(void **state)
{
    static const char *const codes[] = {"SHARE_HOUSEHOLD", "SHARE_BUDGET"};
    struct fixture *fx = *state;
    for (size_t i = 0; i < 2; i++) {
        struct fx_collected got;
        const char *case_id = fx_open(fx, true);
        fx_agree(fx, case_id);
        fx->adapters[FX_FINANCE].inner = codes[i];
        fx_run(fx, case_id, &got);
        assert_string_equal(fx_fact(&got, 1, "paid12")->state, "denied");
        assert_string_equal(fx_fact(&got, 1, "paid12")->code, codes[i]);
        assert_string_equal(got.result->class_id, "MANUAL");
        size_t asked = fx->adapters[FX_FINANCE].num_asked;
        fx_run(fx, case_id, &got);
        assert_int_equal(fx->adapters[FX_FINANCE].num_asked, asked);
    }
}

/* A department that has no share key yet is asked for the same run later. */
static void a_missing_key_is_waited_for(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    uint8_t first[16];
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_FINANCE].refuse = "SHARE_PEER";
    fx->adapters[FX_FINANCE].refuse_times = 1;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "paid12")->state, "unavailable");
    memcpy(first, last_asked(fx, FX_TAX)->run, sizeof(first));
    fx_run(fx, case_id, &got);
    assert_memory_equal(last_asked(fx, FX_FINANCE)->run, first, sizeof(first));
    assert_string_equal(truth_of_poor(got.result), "TRUE");
}

static void a_run_that_grew_old_is_begun_anew(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    uint8_t first[16];
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_FINANCE].down = true;
    fx_run(fx, case_id, &got);
    memcpy(first, last_asked(fx, FX_TAX)->run, sizeof(first));
    fx->clock.now_unix_ms += (LB_SHARE_RUN_LIFE_S - 60) * INT64_C(1000);
    fx->adapters[FX_FINANCE].down = false;
    fx_run(fx, case_id, &got);
    assert_memory_not_equal(last_asked(fx, FX_FINANCE)->run, first, sizeof(first));
    assert_memory_equal(last_asked(fx, FX_FINANCE)->run, last_asked(fx, FX_TAX)->run, 16);
    assert_string_equal(truth_of_poor(got.result), "TRUE");
}

static void no_set(Lianban__V1__SealedAnswer *answer, struct lb_arena *arena)
{
    (void)arena;
    answer->share_set.len = 31;
}

static void a_share_without_its_set_is_none(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_FINANCE].change = no_set;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "paid12")->code, "RECEIPT_INVALID");
    assert_string_equal(truth_of_poor(got.result), "UNKNOWN");
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, fx_setup_share, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_total_decides),
        TEST(no_share_is_shown),
        TEST(a_run_is_of_one_case),
        TEST(a_late_department_completes_the_run),
        TEST(shares_of_two_sets_are_not_added),
        TEST(a_spoiled_run_is_begun_anew_within_the_budget),
        TEST(a_household_that_may_not_be_added_up_is_not_asked_again),
        TEST(a_missing_key_is_waited_for),
        TEST(a_run_that_grew_old_is_begun_anew),
        TEST(a_share_without_its_set_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
