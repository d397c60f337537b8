#include <string.h>

#include "gateway/window/post_steps.h"
#include "gateway/wire/pb.h"

/* From a class that stands to parts that are under way, and what a window system sees of them. */

static void every_department_gets_its_part(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL, *again = NULL;
    const char *case_id = post_judge(post, true);
    assert_ok(post_submit(post, false, &parts));
    assert_int_equal(parts->n_parts, 2);
    assert_string_equal(parts->parts[0]->part, "register");
    assert_string_equal(parts->parts[0]->state, "PREPARED");
    assert_string_equal(parts->parts[0]->due, ""); /* no calendar */
    assert_int_equal(fx->num_posted, 0);           /* on disk, and nowhere else */
    post_work(post);
    assert_int_equal(fx->num_posted, 2);
    assert_state(post, "register", "HELD");
    assert_state(post, "relief", "HELD");
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_POLICE));
    assert_int_equal(part->kind, LIANBAN__V1__PART__KIND__SUBMISSION);
    assert_string_equal(part->part, "register");
    assert_string_equal(part->case_id, case_id);
    assert_string_equal(part->class_id, "FULL");
    assert_int_equal(part->thresholds_version, 7);
    assert_int_equal(part->n_people, 2); /* not the spouse */
    assert_string_equal(part->people[0]->name, "张三丰");
    assert_string_equal(part->people[1]->role, "child");
    assert_int_equal(part->n_facts, 3); /* the name of both, the area of one */
    assert_string_equal(part->facts[0]->shown, "true");
    assert_string_equal(part->facts[0]->grade, "A");
    assert_int_equal(part->facts[1]->person, 1);
    assert_string_equal(part->facts[2]->fact, "region");
    assert_string_equal(part->due, "");
    assert_true(strlen(part->operator_token) > 100);
    part = fx_read(fx, fx_posted_to(fx, FX_TAX));
    assert_int_equal(part->n_people, 1);
    assert_int_equal(part->n_facts, 1);
    assert_ok(post_submit(post, false, &again));
    post_work(post);
    assert_int_equal(again->n_parts, 2);
    assert_memory_equal(again->parts[0]->name.data, parts->parts[0]->name.data, 16);
    assert_int_equal(fx->num_posted, 2);
}

static void nothing_goes_before_a_class_stands(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    struct fx_collected got;
    post->case_id = "c-00000000000000000000000000000000";
    assert_code(post_submit(post, false, &parts), LB_CASE_UNKNOWN);
    const char *case_id = post->case_id = fx_open(fx, false);
    assert_code(post_submit(post, false, &parts), LB_CASE_UNDECIDED);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].inner = "SUBJECT_MISMATCH";
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_code(post_submit(post, false, &parts), LB_CASE_UNDECIDED);
    assert_ok(post_submit(post, true, &parts)); /* aid first */
    assert_int_equal(parts->n_parts, 1);
    post_work(post);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_DISABLED));
    assert_true(part->emergency);
    assert_string_equal(part->part, "first-aid");
    assert_string_equal(part->class_id, "");
    assert_int_equal(fx->num_posted, 1);
}

/* A person's decision goes before MANUAL, and goes along with what an officer added. */
static void a_person_decides_first(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__ActResponse *act = NULL;
    const char *case_id = post->case_id = fx_facing(fx, false);
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "0", "B"), &act));
    assert_string_equal(act->result->class_id, "MANUAL");
    assert_code(post_submit(post, false, &parts), LB_CASE_UNDECIDED);
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_TAX));
    assert_string_equal(part->class_id, "MANUAL");
    assert_string_equal(part->decided_class, "FULL");
    assert_string_equal(part->decided_reason, "经核对材料，符合条件。");
    assert_string_equal(part->facts[0]->fact, "firms");
    assert_string_equal(part->facts[0]->shown, "0");
    assert_string_equal(part->facts[0]->grade, "B");
    assert_int_equal(part->facts[0]->state, LIANBAN__V1__FACT__STATE__OK);
    assert_int_equal(part->facts[0]->txn.len, 0);
}

static void goes_on_after_every_step(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    (void)post_judge(post, false);
    assert_ok(post_submit(post, false, &parts));
    post_restart(post);
    assert_state(post, "register", "PREPARED");
    post_work(post);
    assert_int_equal(fx->num_posted, 2);
    post_restart(post);
    post_work(post);
    assert_int_equal(fx->num_posted, 2); /* held: not due before its time */
    assert_state(post, "register", "HELD");
    post_deliver(post, FX_POLICE);
    assert_int_equal(fx->num_ended, 1);
    assert_state(post, "register", "DELIVERED");
    assert_state(post, "relief", "HELD");
    post_restart(post);
    assert_state(post, "register", "DELIVERED");
    post_say(post, FX_POLICE, "register", 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    post_restart(post);
    assert_state(post, "register", "ACCEPTED");
    assert_string_equal(post_part(post, "register")->reference, "2027-0001");
    post_say(post, FX_POLICE, "register", 2, LIANBAN__V1__WORD__KIND__DECIDED);
    assert_string_equal(post_part(post, "register")->outcome, "GRANTED");
    assert_state(post, "register", "DECIDED");
    fx->clock.now_unix_ms += 3600 * INT64_C(1000);
    post_work(post);
    assert_int_equal(fx->num_posted, 3); /* only what is still on its way */
    assert_string_equal(fx->posted[2].recipient, fx->adapters[FX_TAX].spiffe);
}

/* A listener who comes after a start gets how everything stands. */
static void parts_are_events(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    struct fx_listener watch;
    size_t told = 0;
    const char *case_id = post_judge(post, false);
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    post_deliver(post, FX_TAX);
    post_restart(post);
    fx_listener_init(&watch);
    const struct lb_listener_port port = fx_listener_port(&watch);
    assert_ok(lb_window_watch(fx->window, case_id, &port, &watch.listener));
    post_say(post, FX_TAX, "relief", 1, LIANBAN__V1__WORD__KIND__RETURNED);
    const char *expected[] = {"HELD", "DELIVERED", "RETURNED"};
    for (const Lianban__V1__CaseEvent *event = fx_listener_next(fx, &watch); event != NULL;
         event = fx_listener_next(fx, &watch)) {
        if (event->body_case == LIANBAN__V1__CASE_EVENT__BODY_PART)
            assert_string_equal(event->part->state, expected[told++]);
    }
    assert_int_equal(told, 3);
    fx_listener_close(&watch);
    assert_ok(post_submit(post, false, &parts)); /* what was returned is made anew */
    assert_int_equal(parts->n_parts, 3);
    assert_string_equal(parts->parts[1]->state, "RETURNED");
    assert_string_equal(parts->parts[2]->part, "relief");
    assert_string_equal(parts->parts[2]->state, "PREPARED");
}

static void who_is_away_keeps_nobody_waiting(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    (void)post_judge(post, false);
    fx->hubs[0].post_away = "UNAVAILABLE";
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    const Lianban__V1__CasePart *part = post_part(post, "register");
    assert_string_equal(part->state, "WAITING");
    assert_string_equal(part->code, "UNAVAILABLE");
    assert_int_equal(part->next_try_unix_s, FX_NOW + 30);
    post_deliver(post, FX_TAX);
    assert_state(post, "relief", "DELIVERED");
    assert_state(post, "register", "WAITING");
}

static void no_broker_serves(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    (void)post_judge(post, false);
    fx->hubs[0].dead = true;
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    assert_state(post, "register", "PREPARED");
    assert_string_equal(post_part(post, "register")->code, "UNAVAILABLE");
    fx->hubs[0].dead = false;
    post_work(post);
    post_work(post);
    fx->clock.now_unix_ms += 2000;
    post_work(post);
    assert_state(post, "register", "HELD");
    assert_string_equal(post_part(post, "register")->code, "");
}

/* A clock that goes back by hours makes nobody wait for hours. */
static void a_clock_that_goes_back(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    (void)post_judge(post, false);
    fx->clock.now_unix_ms += 3 * 3600 * INT64_C(1000);
    assert_ok(post_submit(post, false, &parts));
    post_work(post);
    size_t before = fx->num_posted;
    fx->clock.now_unix_ms -= 2 * 3600 * INT64_C(1000);
    post_work(post);
    assert_true(fx->num_posted > before);
}

static void a_case_is_closed_once_all_has_arrived(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = post_judge(post, false);
    assert_ok(post_submit(post, false, &parts));
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_STATE);
    post_work(post);
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_STATE);
    post_deliver(post, FX_POLICE);
    post_deliver(post, FX_TAX);
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    struct lb_span late = fx_news(fx, fx_receipt(fx, posted, "DELIVERED"));
    assert_false(fx_in_files(fx, "张三丰", strlen("张三丰")));
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_false(fx_in_files(fx, posted->name, 16));
    size_t ended = fx->num_ended;
    post_tell(post, 0, late); /* the broker may forget it all the same */
    assert_int_equal(fx->num_ended, ended + 1);
    post_restart(post);
    post_work(post);
    assert_int_equal(fx->num_posted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_department_gets_its_part, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(nothing_goes_before_a_class_stands,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(a_person_decides_first, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(goes_on_after_every_step, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(parts_are_events, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(who_is_away_keeps_nobody_waiting,
                                        post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(no_broker_serves, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back, post_setup, post_teardown),
        cmocka_unit_test_setup_teardown(a_case_is_closed_once_all_has_arrived,
                                        post_setup, post_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
