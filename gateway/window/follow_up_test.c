#include <string.h>

#include "gateway/window/post_steps.h"
#include "gateway/wire/pb.h"

/* What comes after a submission: deadlines, supplements, withdrawal, and what was refused. */

static void dead_letters_are_sent_again(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__RetryRequest retry = LIANBAN__V1__RETRY_REQUEST__INIT;
    Lianban__V1__ListOverdueRequest overdue = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    const char *case_id = post_judge(post, false);
    retry.case_id = (char *)(uintptr_t)case_id;
    assert_ok(post_submit(post, false, &parts));
    assert_code(lb_window_retry(fx->window, &retry, fx->arena, &parts), LB_PART_UNKNOWN);
    fx->hubs[0].post_says = "INTAKE_CLOSED";
    post_work(post);
    assert_state(post, "register", "DEAD");
    assert_string_equal(post_part(post, "register")->code, "INTAKE_CLOSED");
    assert_ok(lb_window_overdue(fx->window, &overdue, fx->arena, &late));
    assert_int_equal(late->n_parts, 2);
    const Lianban__V1__Part *first = fx_read(fx, fx_posted_to(fx, FX_POLICE));
    const struct fx_posted *before = fx_posted_to(fx, FX_POLICE);
    fx->hubs[0].post_says = NULL;
    fx->clock.now_unix_ms += 60 * 1000;
    retry.part = (char *)(uintptr_t) "register";
    assert_ok(lb_window_retry(fx->window, &retry, fx->arena, &parts));
    assert_string_equal(parts->parts[0]->state, "PREPARED");
    assert_string_equal(parts->parts[1]->state, "DEAD");
    post_work(post);
    const struct fx_posted *after = fx_posted_to(fx, FX_POLICE);
    assert_memory_equal(after->name, before->name, 16);
    assert_memory_not_equal(after->sha256, before->sha256, 32);
    const Lianban__V1__Part *second = fx_read(fx, after);
    assert_string_equal(second->operator_token, first->operator_token);
    assert_state(post, "register", "HELD");
}

static void deadlines_are_worked_out(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__ListOverdueRequest request = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    fx_calendar(fx);
    post_restart(post);
    const char *case_id = post_judge(post, false);
    assert_ok(post_submit(post, false, &parts));
    assert_string_equal(parts->parts[0]->due, "2027-01-22"); /* a working Saturday, a holiday */
    assert_string_equal(parts->parts[1]->due, "2027-01-29");
    assert_false(parts->parts[0]->due_provisional);
    post_work(post);
    assert_string_equal(fx_read(fx, fx_posted_to(fx, FX_POLICE))->due, "2027-01-22");
    post_say(post, FX_TAX, "relief", 1, LIANBAN__V1__WORD__KIND__DECIDED);
    assert_ok(lb_window_overdue(fx->window, &request, fx->arena, &late));
    assert_int_equal(late->n_parts, 0);
    fx->clock.now_unix_ms += 8 * 86400 * INT64_C(1000);
    assert_ok(lb_window_overdue(fx->window, &request, fx->arena, &late));
    assert_int_equal(late->n_parts, 1);
    assert_string_equal(late->parts[0]->case_id, case_id);
    assert_string_equal(late->parts[0]->part->overdue, "OVERDUE");
    assert_string_equal(late->parts[0]->part->escalate_en, "section head");
    request.department = (char *)(uintptr_t) "tax";
    assert_ok(lb_window_overdue(fx->window, &request, fx->arena, &late));
    assert_int_equal(late->n_parts, 0);
    fx->clock.now_unix_ms += 300 * 86400 * INT64_C(1000);
    assert_string_equal(post_part(post, "register")->overdue, "OVERDUE");
    assert_string_equal(post_part(post, "relief")->overdue, ""); /* it is decided */
}

static lb_status supplement(struct post *post, const char *note,
                            Lianban__V1__CaseParts **out)
{
    static uint8_t sha256[32];
    Lianban__V1__CasePaper paper = LIANBAN__V1__CASE_PAPER__INIT;
    Lianban__V1__CasePaper *papers[] = {&paper};
    Lianban__V1__SupplementRequest request = LIANBAN__V1__SUPPLEMENT_REQUEST__INIT;
    paper.title = (char *)(uintptr_t) "户口簿";
    paper.sha256 = lb_pb_bytes(lb_span_of(sha256, sizeof(sha256)));
    request.case_id = (char *)(uintptr_t)post->case_id;
    request.part = (char *)(uintptr_t) "register";
    request.note = (char *)(uintptr_t)note;
    request.papers = papers;
    request.n_papers = 1;
    return lb_window_supplement(post->fx->window, &request, post->fx->arena, out);
}

static void supplements_follow_their_submission(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    (void)post_judge(post, false);
    assert_code(supplement(post, "a", &parts), LB_PART_UNKNOWN);
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    assert_code(supplement(post, "a", &parts), LB_CASE_STATE); /* nobody wants any */
    post_say(post, FX_POLICE, "register", 1, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    assert_string_equal(post_part(post, "register")->until, "2027-02-01");
    assert_code(supplement(post, "a\nb", &parts), LB_MALFORMED);
    assert_ok(supplement(post, "补交", &parts));
    assert_ok(supplement(post, "补交", &parts)); /* the same once more is one */
    assert_int_equal(parts->parts[0]->n_sent, 1);
    assert_string_equal(parts->parts[0]->state, "SUPPLEMENTED");
    size_t before = fx->num_posted;
    post_work(post);
    assert_int_equal(fx->num_posted, before); /* the receipt for the submission is not there yet */
    post_deliver(post, FX_POLICE);
    fx->clock.now_unix_ms += 6000;
    post_work(post);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_POLICE));
    assert_int_equal(part->kind, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    assert_memory_equal(part->about.data, parts->parts[0]->name.data, 16);
    assert_string_equal(part->part, "register");
    assert_string_equal(part->note, "补交");
    assert_int_equal(part->n_papers, 1);
    post_say(post, FX_POLICE, "register", 2, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    assert_state(post, "register", "SUPPLEMENT_WANTED");
}

static void withdrawing_is_asked_once(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__WithdrawRequest request = LIANBAN__V1__WITHDRAW_REQUEST__INIT;
    const char *case_id = post_judge(post, false);
    request.case_id = (char *)(uintptr_t)case_id;
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    post_deliver(post, FX_POLICE);
    post_deliver(post, FX_TAX);
    post_say(post, FX_TAX, "relief", 1, LIANBAN__V1__WORD__KIND__DECIDED);
    assert_ok(lb_window_withdraw(fx->window, &request, fx->arena, &parts));
    assert_ok(lb_window_withdraw(fx->window, &request, fx->arena, &parts));
    assert_int_equal(parts->parts[0]->n_sent, 1);
    assert_int_equal(parts->parts[1]->n_sent, 0); /* decided already */
    assert_string_equal(parts->parts[0]->state, "DELIVERED"); /* until the department says so */
    post_work(post);
    assert_int_equal(fx_read(fx, fx_posted_to(fx, FX_POLICE))->kind,
                     LIANBAN__V1__PART__KIND__WITHDRAWAL);
    post_say(post, FX_POLICE, "register", 1, LIANBAN__V1__WORD__KIND__WITHDRAWN);
    assert_state(post, "register", "WITHDRAWN");
    request.part = (char *)(uintptr_t) "other";
    assert_code(lb_window_withdraw(fx->window, &request, fx->arena, &parts), LB_PART_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dead_letters_are_sent_again, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(deadlines_are_worked_out, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(supplements_follow_their_submission,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(withdrawing_is_asked_once, post_setup, post_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
