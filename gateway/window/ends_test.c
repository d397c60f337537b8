#include <string.h>

#include "gateway/window/ends.h"
#include "gateway/window/post_steps.h"

/* Cases that end by themselves when all is over, and those that must not. */

#define DAY_S INT64_C(86400)
#define KEPT_DAYS (60 + LB_CASE_END_DAYS) /* the form's time to object first */

/* Both clocks go on, as they do. */
static void live(struct post *post, int64_t seconds)
{
    post->fx->clock.now_unix_ms += seconds * 1000;
    post->fx->clock.now_monotonic_ms += seconds * 1000;
    post_work(post);
}

/* Both departments have it and have decided. */
static void over(struct post *post)
{
    post_begin(post);
    post_deliver(post, FX_POLICE);
    post_deliver(post, FX_TAX);
    post_say(post, FX_POLICE, "register", 1, LIANBAN__V1__WORD__KIND__DECIDED);
    post_say(post, FX_TAX, "relief", 1, LIANBAN__V1__WORD__KIND__DECIDED);
}

static int64_t ends(struct post *post)
{
    return fx_get(post->fx, post->case_id)->ends_unix_s;
}

static bool is_there(struct post *post)
{
    Lianban__V1__CaseResult *result = NULL;
    lb_status status =
        lb_window_get(post->fx->window, post->case_id, post->fx->arena, &result);
    if (status != LB_OK)
        assert_code(status, LB_CASE_UNKNOWN);
    return status == LB_OK;
}

static void what_is_over_ends_by_itself(void **state)
{
    struct post *post = *state;
    struct lb_span note;
    over(post);
    assert_int_equal(ends(post), FX_NOW + KEPT_DAYS * DAY_S);
    post_restart(post); /* all of it is on disk */
    live(post, 1);
    live(post, KEPT_DAYS * DAY_S - 2);
    assert_true(is_there(post));
    live(post, 3600);
    assert_false(is_there(post));
    assert_ok(lb_window_attest(post->fx->window, post->case_id, post->fx->arena, &note));
    assert_non_null(strstr((const char *)note.ptr, post->case_id));
}

static void a_clock_that_jumps_ends_nothing(void **state)
{
    struct post *post = *state;
    over(post);
    live(post, 2 * 3600);
    post_later(post, 10 * 365 * DAY_S);
    post_work(post);
    assert_true(is_there(post));
    live(post, 3500); /* somebody has the time to set it right */
    post_later(post, -10 * 365 * DAY_S);
    live(post, 2 * 3600);
    live(post, 2 * 3600);
    assert_true(is_there(post));
}

static void nothing_open_ends(void **state)
{
    struct post *post = *state;
    Lianban__V1__ActResponse *act = NULL;
    post_begin(post);
    assert_int_equal(ends(post), 0); /* on its way */
    post_deliver(post, FX_POLICE);
    post_deliver(post, FX_TAX);
    post_say(post, FX_POLICE, "register", 1, LIANBAN__V1__WORD__KIND__DECIDED);
    assert_int_equal(ends(post), 0); /* one has not decided */
    post_say(post, FX_TAX, "relief", 1, LIANBAN__V1__WORD__KIND__RETURNED);
    assert_int_not_equal(ends(post), 0);
    assert_ok(fx_hear(post->fx, post->case_id, "2027-01-12", "我不同意", &act));
    assert_int_equal(ends(post), 0); /* heard, and not decided */
    assert_ok(fx_decide(post->fx, fx_decide_request(post->fx, post->case_id, "FULL"), &act));
    assert_int_not_equal(ends(post), 0);
    Lianban__V1__RequestCorrectionRequest request =
        LIANBAN__V1__REQUEST_CORRECTION_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)post->case_id;
    request.actor = fx_actor(post->fx, "B-0042", "窗口3");
    request.fact = (char *)(uintptr_t)"region";
    request.says = (char *)(uintptr_t)"已迁出";
    assert_ok(lb_window_request_correction(post->fx->window, &request, post->fx->arena, &act));
    assert_int_equal(ends(post), 0); /* a correction is asked for */
    live(post, 3600);
    live(post, 1000 * DAY_S);
    assert_true(is_there(post));
}

static void who_only_suggests_keeps_the_case(void **state)
{
    struct post *post = *state;
    Lianban__V1__ActResponse *act = NULL;
    (void)post_judge(post, false);
    assert_int_equal(ends(post), 0); /* neither decided nor handed over */
    assert_ok(fx_hear(post->fx, post->case_id, "2027-01-12", "我不同意", &act));
    assert_ok(fx_decide(post->fx, fx_decide_request(post->fx, post->case_id, "NONE"), &act));
    assert_int_equal(ends(post), FX_NOW + KEPT_DAYS * DAY_S); /* nothing is handed over */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_over_ends_by_itself, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_jumps_ends_nothing, post_setup,
                                        post_teardown),
        cmocka_unit_test_setup_teardown(nothing_open_ends, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(who_only_suggests_keeps_the_case, post_setup,
                                        post_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
