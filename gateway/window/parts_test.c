#include <string.h>

#include "gateway/window/fixture.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/* From a class that stands to parts that are under way, and what a window system sees of them. */

static struct lb_courier *courier;

static int set_up(void **state)
{
    if (fx_setup(state) != 0)
        return -1;
    struct fixture *fx = *state;
    assert_ok(lb_courier_make(fx->window, &courier));
    return 0;
}

static int tear_down(void **state)
{
    lb_courier_free(courier);
    return fx_teardown(state);
}

static void restart(struct fixture *fx)
{
    lb_courier_free(courier);
    fx_restart(fx);
    assert_ok(lb_courier_make(fx->window, &courier));
}

static const char *judged(struct fixture *fx, bool family)
{
    struct fx_collected got;
    const char *case_id = fx_open(fx, family);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    return case_id;
}

static lb_status submit(struct fixture *fx, const char *case_id, bool emergency,
                        Lianban__V1__CaseParts **out)
{
    Lianban__V1__SubmitCaseRequest request = LIANBAN__V1__SUBMIT_CASE_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)case_id;
    request.emergency = emergency;
    return lb_window_submit(fx->window, &request, fx->arena, out);
}

static Lianban__V1__CasePart *part_of(struct fixture *fx, const char *case_id, const char *name)
{
    const Lianban__V1__CaseResult *result = fx_get(fx, case_id);
    Lianban__V1__CasePart *found = NULL;
    for (size_t i = 0; i < result->n_parts; i++)
        if (strcmp(result->parts[i]->part, name) == 0)
            found = result->parts[i];
    if (found == NULL)
        fail_msg("no part %s", name);
    return found;
}

#define assert_state(fx, case_id, part, expected)                                                  \
    assert_string_equal(part_of(fx, case_id, part)->state, expected)

static void deliver(struct fixture *fx, enum fx_department department)
{
    const struct fx_posted *posted = fx_posted_to(fx, department);
    struct lb_span news = fx_news(fx, fx_receipt(fx, posted, "DELIVERED"));
    assert_ok(lb_courier_event(courier, posted->broker, news));
    lb_courier_work(courier);
}

static void say(struct fixture *fx, enum fx_department department, const char *part,
                const char *case_id, uint32_t number, Lianban__V1__Word__Kind kind)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    word.about = part_of(fx, case_id, part)->name;
    word.number = number;
    word.kind = kind;
    word.reference = (char *)(uintptr_t) "2027-0001";
    word.outcome = kind == LIANBAN__V1__WORD__KIND__DECIDED
                       ? LIANBAN__V1__WORD__OUTCOME__GRANTED
                       : LIANBAN__V1__WORD__OUTCOME__OUTCOME_UNSPECIFIED;
    word.until = (char *)(uintptr_t) "2027-02-01";
    assert_ok(lb_courier_event(
        courier, 0, fx_word(fx, department, &word, (uint8_t)(16 * department + number))));
    lb_courier_work(courier);
    assert_string_equal(fx->taken_code, "DELIVERED");
}

/* --- submitting --- */

static void every_department_gets_its_part(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL, *again = NULL;
    const char *case_id = judged(fx, true);
    assert_ok(submit(fx, case_id, false, &parts));
    assert_int_equal(parts->n_parts, 2);
    assert_string_equal(parts->parts[0]->part, "register");
    assert_string_equal(parts->parts[0]->state, "PREPARED");
    assert_string_equal(parts->parts[0]->due, ""); /* no calendar */
    assert_int_equal(fx->num_posted, 0);           /* on disk, and nowhere else */
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, 2);
    assert_state(fx, case_id, "register", "HELD");
    assert_state(fx, case_id, "relief", "HELD");
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
    assert_ok(submit(fx, case_id, false, &again));
    lb_courier_work(courier);
    assert_int_equal(again->n_parts, 2);
    assert_memory_equal(again->parts[0]->name.data, parts->parts[0]->name.data, 16);
    assert_int_equal(fx->num_posted, 2);
}

static void nothing_goes_before_a_class_stands(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    assert_code(submit(fx, "c-00000000000000000000000000000000", false, &parts), LB_CASE_UNKNOWN);
    assert_code(submit(fx, case_id, false, &parts), LB_CASE_UNDECIDED);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].inner = "SUBJECT_MISMATCH";
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "MANUAL");
    assert_code(submit(fx, case_id, false, &parts), LB_CASE_UNDECIDED);
    assert_ok(submit(fx, case_id, true, &parts)); /* aid first */
    assert_int_equal(parts->n_parts, 1);
    lb_courier_work(courier);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_DISABLED));
    assert_true(part->emergency);
    assert_string_equal(part->part, "first-aid");
    assert_string_equal(part->class_id, "");
    assert_int_equal(fx->num_posted, 1);
}

/* --- dying and starting again --- */

static void goes_on_after_every_step(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = judged(fx, false);
    assert_ok(submit(fx, case_id, false, &parts));
    restart(fx);
    assert_state(fx, case_id, "register", "PREPARED");
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, 2);
    restart(fx);
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, 2); /* held: not due before its time */
    assert_state(fx, case_id, "register", "HELD");
    deliver(fx, FX_POLICE);
    assert_int_equal(fx->num_ended, 1);
    assert_state(fx, case_id, "register", "DELIVERED");
    assert_state(fx, case_id, "relief", "HELD");
    restart(fx);
    assert_state(fx, case_id, "register", "DELIVERED");
    say(fx, FX_POLICE, "register", case_id, 1, LIANBAN__V1__WORD__KIND__ACCEPTED);
    restart(fx);
    assert_state(fx, case_id, "register", "ACCEPTED");
    assert_string_equal(part_of(fx, case_id, "register")->reference, "2027-0001");
    say(fx, FX_POLICE, "register", case_id, 2, LIANBAN__V1__WORD__KIND__DECIDED);
    assert_string_equal(part_of(fx, case_id, "register")->outcome, "GRANTED");
    assert_state(fx, case_id, "register", "DECIDED");
    fx->clock.now_unix_ms += 3600 * INT64_C(1000);
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, 3); /* only what is still on its way */
    assert_string_equal(fx->posted[2].recipient, fx->adapters[FX_TAX].spiffe);
}

/* A listener who comes after a start gets how everything stands. */
static void parts_are_events(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    struct fx_listener watch;
    size_t told = 0;
    const char *case_id = judged(fx, false);
    assert_ok(submit(fx, case_id, false, &parts));
    lb_courier_work(courier);
    deliver(fx, FX_TAX);
    restart(fx);
    fx_listener_init(&watch);
    const struct lb_listener_port port = fx_listener_port(&watch);
    assert_ok(lb_window_watch(fx->window, case_id, &port, &watch.listener));
    say(fx, FX_TAX, "relief", case_id, 1, LIANBAN__V1__WORD__KIND__RETURNED);
    const char *expected[] = {"HELD", "DELIVERED", "RETURNED"};
    for (const Lianban__V1__CaseEvent *event = fx_listener_next(fx, &watch); event != NULL;
         event = fx_listener_next(fx, &watch)) {
        if (event->body_case == LIANBAN__V1__CASE_EVENT__BODY_PART)
            assert_string_equal(event->part->state, expected[told++]);
    }
    assert_int_equal(told, 3);
    fx_listener_close(&watch);
    assert_ok(submit(fx, case_id, false, &parts)); /* what was returned is made anew */
    assert_int_equal(parts->n_parts, 3);
    assert_string_equal(parts->parts[1]->state, "RETURNED");
    assert_string_equal(parts->parts[2]->part, "relief");
    assert_string_equal(parts->parts[2]->state, "PREPARED");
}

/* --- the way --- */

static void who_is_away_keeps_nobody_waiting(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = judged(fx, false);
    fx->hubs[0].post_away = "UNAVAILABLE";
    assert_ok(submit(fx, case_id, false, &parts));
    lb_courier_work(courier);
    const Lianban__V1__CasePart *part = part_of(fx, case_id, "register");
    assert_string_equal(part->state, "WAITING");
    assert_string_equal(part->code, "UNAVAILABLE");
    assert_int_equal(part->next_try_unix_s, FX_NOW + 30);
    deliver(fx, FX_TAX);
    assert_state(fx, case_id, "relief", "DELIVERED");
    assert_state(fx, case_id, "register", "WAITING");
}

static void no_broker_serves(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = judged(fx, false);
    fx->hubs[0].dead = true;
    assert_ok(submit(fx, case_id, false, &parts));
    lb_courier_work(courier);
    assert_state(fx, case_id, "register", "PREPARED");
    assert_string_equal(part_of(fx, case_id, "register")->code, "UNAVAILABLE");
    fx->hubs[0].dead = false;
    lb_courier_work(courier);
    lb_courier_work(courier);
    fx->clock.now_unix_ms += 2000;
    lb_courier_work(courier);
    assert_state(fx, case_id, "register", "HELD");
    assert_string_equal(part_of(fx, case_id, "register")->code, "");
}

/* A clock that goes back by hours makes nobody wait for hours. */
static void a_clock_that_goes_back(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = judged(fx, false);
    fx->clock.now_unix_ms += 3 * 3600 * INT64_C(1000);
    assert_ok(submit(fx, case_id, false, &parts));
    lb_courier_work(courier);
    size_t before = fx->num_posted;
    fx->clock.now_unix_ms -= 2 * 3600 * INT64_C(1000);
    lb_courier_work(courier);
    assert_true(fx->num_posted > before);
}

static void dead_letters_are_sent_again(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__RetryRequest retry = LIANBAN__V1__RETRY_REQUEST__INIT;
    Lianban__V1__ListOverdueRequest overdue = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    const char *case_id = judged(fx, false);
    retry.case_id = (char *)(uintptr_t)case_id;
    assert_ok(submit(fx, case_id, false, &parts));
    assert_code(lb_window_retry(fx->window, &retry, fx->arena, &parts), LB_PART_UNKNOWN);
    fx->hubs[0].post_says = "INTAKE_CLOSED";
    lb_courier_work(courier);
    assert_state(fx, case_id, "register", "DEAD");
    assert_string_equal(part_of(fx, case_id, "register")->code, "INTAKE_CLOSED");
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
    lb_courier_work(courier);
    const struct fx_posted *after = fx_posted_to(fx, FX_POLICE);
    assert_memory_equal(after->name, before->name, 16);
    assert_memory_not_equal(after->sha256, before->sha256, 32);
    const Lianban__V1__Part *second = fx_read(fx, after);
    assert_string_equal(second->operator_token, first->operator_token);
    assert_state(fx, case_id, "register", "HELD");
}

/* --- deadlines --- */

static void deadlines_are_worked_out(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__ListOverdueRequest request = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    lb_courier_free(courier);
    fx_calendar(fx);
    assert_ok(lb_courier_make(fx->window, &courier));
    const char *case_id = judged(fx, false);
    assert_ok(submit(fx, case_id, false, &parts));
    assert_string_equal(parts->parts[0]->due, "2027-01-22"); /* a working Saturday, a holiday */
    assert_string_equal(parts->parts[1]->due, "2027-01-29");
    assert_false(parts->parts[0]->due_provisional);
    lb_courier_work(courier);
    assert_string_equal(fx_read(fx, fx_posted_to(fx, FX_POLICE))->due, "2027-01-22");
    say(fx, FX_TAX, "relief", case_id, 1, LIANBAN__V1__WORD__KIND__DECIDED);
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
    assert_string_equal(part_of(fx, case_id, "register")->overdue, "OVERDUE");
    assert_string_equal(part_of(fx, case_id, "relief")->overdue, ""); /* it is decided */
}

/* --- what is sent after it --- */

static lb_status supplement(struct fixture *fx, const char *case_id, const char *note,
                            Lianban__V1__CaseParts **out)
{
    static uint8_t sha256[32];
    Lianban__V1__CasePaper paper = LIANBAN__V1__CASE_PAPER__INIT;
    Lianban__V1__CasePaper *papers[] = {&paper};
    Lianban__V1__SupplementRequest request = LIANBAN__V1__SUPPLEMENT_REQUEST__INIT;
    paper.title = (char *)(uintptr_t) "户口簿";
    paper.sha256 = lb_pb_bytes(lb_span_of(sha256, sizeof(sha256)));
    request.case_id = (char *)(uintptr_t)case_id;
    request.part = (char *)(uintptr_t) "register";
    request.note = (char *)(uintptr_t)note;
    request.papers = papers;
    request.n_papers = 1;
    return lb_window_supplement(fx->window, &request, fx->arena, out);
}

static void supplements_follow_their_submission(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = judged(fx, false);
    assert_code(supplement(fx, case_id, "a", &parts), LB_PART_UNKNOWN);
    assert_ok(submit(fx, case_id, false, &parts));
    lb_courier_work(courier);
    assert_code(supplement(fx, case_id, "a", &parts), LB_CASE_STATE); /* nobody wants any */
    say(fx, FX_POLICE, "register", case_id, 1, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    assert_string_equal(part_of(fx, case_id, "register")->until, "2027-02-01");
    assert_code(supplement(fx, case_id, "a\nb", &parts), LB_MALFORMED);
    assert_ok(supplement(fx, case_id, "补交", &parts));
    assert_ok(supplement(fx, case_id, "补交", &parts)); /* the same once more is one */
    assert_int_equal(parts->parts[0]->n_sent, 1);
    assert_string_equal(parts->parts[0]->state, "SUPPLEMENTED");
    size_t before = fx->num_posted;
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, before); /* the receipt for the submission is not there yet */
    deliver(fx, FX_POLICE);
    fx->clock.now_unix_ms += 6000;
    lb_courier_work(courier);
    const Lianban__V1__Part *part = fx_read(fx, fx_posted_to(fx, FX_POLICE));
    assert_int_equal(part->kind, LIANBAN__V1__PART__KIND__SUPPLEMENT);
    assert_memory_equal(part->about.data, parts->parts[0]->name.data, 16);
    assert_string_equal(part->part, "register");
    assert_string_equal(part->note, "补交");
    assert_int_equal(part->n_papers, 1);
    say(fx, FX_POLICE, "register", case_id, 2, LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED);
    assert_state(fx, case_id, "register", "SUPPLEMENT_WANTED");
}

static void withdrawing_is_asked_once(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__WithdrawRequest request = LIANBAN__V1__WITHDRAW_REQUEST__INIT;
    const char *case_id = judged(fx, false);
    request.case_id = (char *)(uintptr_t)case_id;
    assert_ok(submit(fx, case_id, false, &parts));
    lb_courier_work(courier);
    deliver(fx, FX_POLICE);
    deliver(fx, FX_TAX);
    say(fx, FX_TAX, "relief", case_id, 1, LIANBAN__V1__WORD__KIND__DECIDED);
    assert_ok(lb_window_withdraw(fx->window, &request, fx->arena, &parts));
    assert_ok(lb_window_withdraw(fx->window, &request, fx->arena, &parts));
    assert_int_equal(parts->parts[0]->n_sent, 1);
    assert_int_equal(parts->parts[1]->n_sent, 0); /* decided already */
    assert_string_equal(parts->parts[0]->state, "DELIVERED"); /* until the department says so */
    lb_courier_work(courier);
    assert_int_equal(fx_read(fx, fx_posted_to(fx, FX_POLICE))->kind,
                     LIANBAN__V1__PART__KIND__WITHDRAWAL);
    say(fx, FX_POLICE, "register", case_id, 1, LIANBAN__V1__WORD__KIND__WITHDRAWN);
    assert_state(fx, case_id, "register", "WITHDRAWN");
    request.part = (char *)(uintptr_t) "other";
    assert_code(lb_window_withdraw(fx->window, &request, fx->arena, &parts), LB_PART_UNKNOWN);
}

/* --- the end --- */

static void a_case_is_closed_once_all_has_arrived(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__CaseParts *parts = NULL;
    const char *case_id = judged(fx, false);
    assert_ok(submit(fx, case_id, false, &parts));
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_STATE);
    lb_courier_work(courier);
    assert_code(lb_window_close_case(fx->window, case_id), LB_CASE_STATE);
    deliver(fx, FX_POLICE);
    deliver(fx, FX_TAX);
    const struct fx_posted *posted = fx_posted_to(fx, FX_POLICE);
    struct lb_span late = fx_news(fx, fx_receipt(fx, posted, "DELIVERED"));
    assert_false(fx_in_files(fx, "张三丰", strlen("张三丰")));
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_false(fx_in_files(fx, posted->name, 16));
    size_t ended = fx->num_ended;
    assert_ok(lb_courier_event(courier, 0, late)); /* the broker may forget it all the same */
    lb_courier_work(courier);
    assert_int_equal(fx->num_ended, ended + 1);
    restart(fx);
    lb_courier_work(courier);
    assert_int_equal(fx->num_posted, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_department_gets_its_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_goes_before_a_class_stands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_after_every_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parts_are_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_away_keeps_nobody_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_broker_serves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dead_letters_are_sent_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deadlines_are_worked_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(supplements_follow_their_submission, set_up, tear_down),
        cmocka_unit_test_setup_teardown(withdrawing_is_asked_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_case_is_closed_once_all_has_arrived, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
