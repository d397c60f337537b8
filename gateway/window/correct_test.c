#include <string.h>

#include "gateway/note/record.h"
#include "gateway/window/post_steps.h"
#include "gateway/wire/pb.h"

/* What citizens hold to be wrong in a department's answer, and what becomes of it. */

static lb_status ask(struct fixture *fx, const char *case_id, const char *fact, const char *says,
                     Lianban__V1__ActResponse **out)
{
    Lianban__V1__RequestCorrectionRequest request = LIANBAN__V1__REQUEST_CORRECTION_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)case_id;
    request.actor = fx_actor(fx, "B-0042", "窗口3");
    request.fact = (char *)(uintptr_t)fact;
    request.says = (char *)(uintptr_t)says;
    return lb_window_request_correction(fx->window, &request, fx->arena, out);
}

static lb_status close_one(struct fixture *fx, const char *case_id, uint32_t correction,
                           const char *outcome, Lianban__V1__ActResponse **out)
{
    Lianban__V1__CloseCorrectionRequest request = LIANBAN__V1__CLOSE_CORRECTION_REQUEST__INIT;
    request.case_id = (char *)(uintptr_t)case_id;
    request.actor = fx_actor(fx, "B-0042", "窗口3");
    request.correction = correction;
    request.outcome = (char *)(uintptr_t)outcome;
    request.answer = "已核实";
    return lb_window_close_correction(fx->window, &request, fx->arena, out);
}

static const Lianban__V1__CaseSummary *summary(struct fixture *fx)
{
    Lianban__V1__ListCasesRequest request = LIANBAN__V1__LIST_CASES_REQUEST__INIT;
    Lianban__V1__ListCasesResponse *page = NULL;
    assert_ok(lb_window_list(fx->window, &request, fx->arena, &page));
    assert_int_equal(page->n_cases, 1);
    return page->cases[0];
}

static void a_request_has_its_day_and_its_answer(void **state)
{
    struct fixture *fx = *state;
    fx_calendar(fx);
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(ask(fx, case_id, "region", "已迁出", &act));
    assert_int_equal(act->result->n_corrections, 1);
    const Lianban__V1__CaseCorrection *one = act->result->corrections[0];
    assert_string_equal(one->department, "public-security");
    /* twenty working days, with a Saturday that is one and a Wednesday that is none */
    assert_string_equal(one->due, "2027-02-12");
    assert_string_equal(one->state, "WAITING");
    assert_string_equal(one->way, "PREPARED");
    uint32_t number = one->record;
    fx_restart(fx);
    fx->clock.now_unix_ms += 86400 * INT64_C(1000);
    assert_ok(ask(fx, case_id, "region", "已迁出", &act)); /* the same again, and its day stays */
    assert_int_equal(act->record->number, number);
    assert_code(ask(fx, case_id, "region", "another", &act), LB_CASE_STATE);
    fx->clock.now_unix_ms += 27 * 86400 * INT64_C(1000);
    assert_int_equal(summary(fx)->corrections_open, 1);
    assert_int_equal(summary(fx)->corrections_overdue, 0); /* the last day */
    fx->clock.now_unix_ms += 86400 * INT64_C(1000);
    assert_int_equal(summary(fx)->corrections_overdue, 1);
    assert_string_equal(fx_get(fx, case_id)->corrections[0]->state, "OVERDUE");
    assert_ok(close_one(fx, case_id, number, "kept", &act));
    assert_string_equal(act->result->corrections[0]->state, "KEPT");
    assert_ok(close_one(fx, case_id, number, "kept", &act));
    assert_code(close_one(fx, case_id, number, "corrected", &act), LB_CASE_STATE);
    assert_int_equal(summary(fx)->corrections_open, 0);
    assert_ok(ask(fx, case_id, "region", "another", &act)); /* a new one */
    assert_int_equal(act->result->n_corrections, 2);
}

/* --- on its way, and back --- */

/* Police have the registration, which has the fact; then the citizen says that it is wrong. */
static const struct fx_posted *asked(struct post *post)
{
    Lianban__V1__ActResponse *act = NULL;
    post_begin(post);
    post_deliver(post, FX_POLICE);
    assert_ok(ask(post->fx, post->case_id, "region", "已迁出", &act));
    post_work(post);
    assert_int_equal(post->fx->num_posted, 3);
    return fx_posted_to(post->fx, FX_POLICE);
}

static Lianban__V1__Word answer(const struct fx_posted *request, uint32_t number,
                                Lianban__V1__Word__Outcome outcome)
{
    Lianban__V1__Word word = LIANBAN__V1__WORD__INIT;
    word.about = lb_pb_bytes(lb_span_of(request->name, 16));
    word.number = number;
    word.kind = number == 1 ? LIANBAN__V1__WORD__KIND__DECIDED : LIANBAN__V1__WORD__KIND__CORRECTED;
    word.outcome = outcome;
    word.text_zh = (char *)(uintptr_t)"已核实";
    return word;
}

static const Lianban__V1__CaseCorrection *correction(struct post *post)
{
    const Lianban__V1__CaseResult *result = fx_get(post->fx, post->case_id);
    assert_int_equal(result->n_corrections, 1);
    return result->corrections[0];
}

static const char *letter(struct post *post, uint32_t number, const char *language)
{
    Lianban__V1__GetLetterRequest request = LIANBAN__V1__GET_LETTER_REQUEST__INIT;
    Lianban__V1__GetLetterResponse *response = NULL;
    request.case_id = (char *)(uintptr_t)post->case_id;
    request.language = (char *)(uintptr_t)language;
    request.correction = number;
    lb_status status = lb_window_letter(post->fx->window, &request, post->fx->arena, &response);
    return status == LB_OK ? response->text : lb_code_name(status->code);
}

static void assert_has(const char *text, const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("`%s` is missing in:\n%s", words, text);
}

static void a_request_goes_to_the_department(void **state)
{
    struct post *post = *state;
    const struct fx_posted *request = asked(post);
    const Lianban__V1__Part *part = fx_read(post->fx, request);
    assert_int_equal(part->kind, LIANBAN__V1__PART__KIND__CORRECTION_REQUEST);
    assert_int_equal(part->about.len, 0);
    assert_string_equal(part->part, "");
    assert_string_equal(part->note, "已迁出");
    assert_int_equal(part->n_people, 1);
    assert_int_equal(part->n_facts, 1);
    assert_string_equal(part->facts[0]->fact, "region");
    assert_int_equal(part->facts[0]->txn.len, 16); /* the read that said so */
    assert_string_equal(correction(post)->way, "HELD");
    assert_memory_equal(correction(post)->name.data, request->name, 16);
    assert_code(lb_window_close_case(post->fx->window, post->case_id), LB_CASE_STATE);
    post_deliver(post, FX_POLICE);
    assert_string_equal(correction(post)->way, "DELIVERED");
    assert_string_equal(letter(post, correction(post)->record, "zh"), "CASE_STATE");
    assert_string_equal(letter(post, 1, "zh"), "MALFORMED"); /* a suggestion */
}

static void what_was_corrected_is_to_be_judged_again(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    const struct fx_posted *request = asked(post);
    Lianban__V1__CaseParts *parts = NULL;
    Lianban__V1__ActResponse *act = NULL;
    const size_t before = fx_records(fx, post->case_id)->n_records;
    Lianban__V1__Word word =
        answer(request, 1, LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED);
    post_hear(post, &word, 1, "DELIVERED");
    post_hear(post, &word, 1, "DELIVERED"); /* nobody had heard that it was taken */
    const Lianban__V1__GetRecordsResponse *records = fx_records(fx, post->case_id);
    assert_int_equal(records->n_records, before + 1);
    assert_has(records->records[before]->note, "outcome corrected\nanswer 已核实\nfrom spiffe://");
    assert_has(records->records[before]->note, "follows 2\n");
    assert_string_equal(correction(post)->state, "CORRECTED");
    assert_true(fx_get(fx, post->case_id)->judge_again);
    assert_true(summary(fx)->judge_again);
    assert_string_equal(summary(fx)->turn, "officer");
    assert_string_equal(fx_get(fx, post->case_id)->class_id, "FULL"); /* nothing is rewritten */
    assert_code(post_submit(post, false, &parts), LB_CASE_UNDECIDED);
    /* Who has the fact in a submission is told. */
    post_work(post);
    assert_int_equal(fx->num_posted, 4);
    const Lianban__V1__Part *behind = fx_read(fx, fx_posted_to(fx, FX_POLICE));
    assert_int_equal(behind->kind, LIANBAN__V1__PART__KIND__CORRECTION);
    assert_memory_equal(behind->about.data, post_part(post, "register")->name.data, 16);
    assert_string_equal(behind->facts[0]->fact, "region");
    assert_string_equal(post_part(post, "register")->sent[0]->kind, "CORRECTION");
    assert_has(letter(post, 2, "zh"), "已经更正");
    assert_has(letter(post, 2, "zh"), "投诉、举报（《个人信息保护法》第65条）");
    assert_has(letter(post, 2, "en"), "a person will decide upon it again");
    assert_ok(fx_decide(fx, fx_decide_request(fx, post->case_id, "FULL"), &act));
    assert_false(act->result->judge_again);
    assert_string_equal(act->result->turn, "nobody");
    assert_ok(post_submit(post, false, &parts));
}

static void what_was_decided_is_decided_again(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    const struct fx_posted *request = asked(post);
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__DecideCaseRequest *decide = fx_decide_request(fx, post->case_id, "FULL");
    assert_ok(fx_decide(fx, decide, &act));
    const uint32_t decided = act->record->number;
    Lianban__V1__Word word =
        answer(request, 1, LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED);
    post_hear(post, &word, 1, "DELIVERED");
    assert_string_equal(fx_get(fx, post->case_id)->decision->class_id, "FULL");
    assert_string_equal(fx_get(fx, post->case_id)->turn, "officer");
    assert_code(fx_decide(fx, decide, &act), LB_CASE_STATE); /* it replaces none */
    decide->replaces = decided;
    assert_ok(fx_decide(fx, decide, &act)); /* the same class, by other data */
    assert_int_not_equal(act->record->number, decided);
    assert_string_equal(act->result->turn, "nobody");
}

static void a_department_may_keep_forward_and_correct_itself(void **state)
{
    struct post *post = *state;
    const struct fx_posted *request = asked(post);
    Lianban__V1__Word word =
        answer(request, 1, LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED);
    word.forwarded_to = (char *)(uintptr_t)"housing";
    post_hear(post, &word, 1, "DELIVERED");
    assert_string_equal(correction(post)->state, "FORWARDED");
    assert_string_equal(correction(post)->forwarded_to, "housing");
    assert_int_equal(summary(post->fx)->corrections_open, 1);
    assert_false(fx_get(post->fx, post->case_id)->judge_again);
    assert_has(letter(post, 2, "zh"), "转送有权处理的部门：住房和城乡建设部门");
    word = answer(request, 2, LIANBAN__V1__WORD__OUTCOME__DATA_KEPT);
    word.text_en = (char *)(uintptr_t)"it is right as it is";
    post_hear(post, &word, 2, "DELIVERED");
    assert_string_equal(correction(post)->state, "KEPT");
    assert_has(letter(post, 2, "en"), "it is right as it is");
    assert_has(letter(post, 2, "en"), "you may go to court");
    word = answer(request, 3, LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED); /* its own error */
    post_hear(post, &word, 3, "DELIVERED");
    assert_string_equal(correction(post)->state, "CORRECTED");
    assert_true(fx_get(post->fx, post->case_id)->judge_again);
    for (uint32_t i = 4; i < 8; i++) { /* no department fills a case */
        word = answer(request, i, LIANBAN__V1__WORD__OUTCOME__DATA_KEPT);
        post_hear(post, &word, (uint8_t)i, "DELIVERED");
    }
    assert_int_equal(fx_records(post->fx, post->case_id)->n_records, 6);
}

static void an_answer_is_of_the_kind_that_was_asked(void **state)
{
    struct post *post = *state;
    const struct fx_posted *request = asked(post);
    Lianban__V1__Word word = answer(request, 1, LIANBAN__V1__WORD__OUTCOME__GRANTED);
    post_hear(post, &word, 1, "MALFORMED");
    word.outcome = LIANBAN__V1__WORD__OUTCOME__DATA_FORWARDED; /* to nobody */
    post_hear(post, &word, 2, "MALFORMED");
    word.outcome = LIANBAN__V1__WORD__OUTCOME__DATA_KEPT;
    word.forwarded_to = (char *)(uintptr_t)"housing";
    post_hear(post, &word, 3, "MALFORMED");
    word.forwarded_to = (char *)(uintptr_t)"";
    post_tell(post, 0, fx_word(post->fx, FX_TAX, &word, 4)); /* another department */
    assert_string_equal(post->fx->taken_code, "MALFORMED");
    word = post_word(post, 1, LIANBAN__V1__WORD__KIND__DECIDED);
    word.outcome = LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED; /* of a submission */
    post_hear(post, &word, 5, "MALFORMED");
    assert_string_equal(correction(post)->state, "WAITING");
}

/* Dead between the record and its parcel, and between the word and its record. */
static void what_a_crash_left_out_is_made_up_for(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    const struct fx_posted *request = asked(post);
    assert_ok(lb_store_exec(fx->window->store->store,
                            "DELETE FROM parcel WHERE rowid = (SELECT max(rowid) FROM parcel)"));
    post_restart(post);
    post_work(post);
    assert_int_equal(fx->num_posted, 4);
    assert_memory_equal(fx_posted_to(fx, FX_POLICE)->name, request->name, 16);
    Lianban__V1__Word word = answer(request, 1, LIANBAN__V1__WORD__OUTCOME__DATA_KEPT);
    fx->record_fails = LB_FAULT(LB_LOG_UNAVAILABLE, "test");
    post_hear(post, &word, 1, ""); /* it is not said to be here */
    assert_string_equal(correction(post)->state, "WAITING");
    fx->record_fails = LB_OK;
    post_hear(post, &word, 1, "DELIVERED");
    assert_string_equal(correction(post)->state, "KEPT");
}

/* The answer stands, though nobody at the window may answer for telling others. */
static void who_may_not_serve_holds_up_no_answer(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    const struct fx_posted *request = asked(post);
    assert_ok(lb_register_suspend(fx->operators, "B-0042", true, "test", FX_NOW));
    Lianban__V1__Word word =
        answer(request, 1, LIANBAN__V1__WORD__OUTCOME__DATA_CORRECTED);
    post_hear(post, &word, 1, "DELIVERED");
    assert_string_equal(correction(post)->state, "CORRECTED");
    post_work(post);
    assert_int_equal(fx->num_posted, 3);
    assert_ok(lb_register_suspend(fx->operators, "B-0042", false, "test", FX_NOW));
    post_restart(post);
    post_work(post);
    assert_int_equal(fx->num_posted, 4); /* they are told once somebody may */
}

static void nobody_to_take_it_is_seen(void **state)
{
    struct post *post = *state;
    struct fixture *fx = post->fx;
    const struct fx_posted *request = asked(post);
    Lianban__V1__ListOverdueRequest ask_late = LIANBAN__V1__LIST_OVERDUE_REQUEST__INIT;
    Lianban__V1__ListOverdueResponse *late = NULL;
    assert_ok(lb_window_overdue(fx->window, &ask_late, fx->arena, &late));
    assert_int_equal(late->n_corrections, 0);
    post_tell(post, request->broker, fx_news(fx, fx_receipt(fx, request, "INTAKE_CLOSED")));
    assert_string_equal(correction(post)->way, "DEAD");
    assert_string_equal(correction(post)->code, "INTAKE_CLOSED");
    assert_ok(lb_window_overdue(fx->window, &ask_late, fx->arena, &late));
    assert_int_equal(late->n_corrections, 1);
    assert_string_equal(late->corrections[0]->correction->fact, "region");
    ask_late.department = (char *)(uintptr_t)"tax";
    assert_ok(lb_window_overdue(fx->window, &ask_late, fx->arena, &late));
    assert_int_equal(late->n_corrections, 0);
    Lianban__V1__RetryRequest retry = LIANBAN__V1__RETRY_REQUEST__INIT;
    Lianban__V1__CaseParts *parts = NULL;
    retry.case_id = (char *)(uintptr_t)post->case_id;
    assert_ok(lb_window_retry(fx->window, &retry, fx->arena, &parts));
    post_work(post);
    assert_int_equal(fx->num_posted, 4);
    assert_string_equal(correction(post)->way, "HELD");
}

static void out_of_place_requests_are_refused(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_code(ask(fx, case_id, "wage12", "x", &act), LB_MALFORMED); /* nobody said anything */
    assert_code(ask(fx, case_id, "no_such", "x", &act), LB_MALFORMED);
    assert_code(ask(fx, case_id, "region", "", &act), LB_MALFORMED);
    assert_code(ask(fx, case_id, "region", "a\nby x", &act), LB_MALFORMED);
    assert_ok(ask(fx, case_id, "region", "x", &act));
    uint32_t number = act->record->number;
    assert_code(close_one(fx, case_id, 1, "kept", &act), LB_MALFORMED); /* a suggestion */
    assert_code(close_one(fx, case_id, number + 1, "kept", &act), LB_MALFORMED);
    assert_code(close_one(fx, case_id, 0, "kept", &act), LB_MALFORMED);
    assert_code(close_one(fx, case_id, number, "maybe", &act), LB_MALFORMED);
    assert_int_equal(fx_records(fx, case_id)->n_records, 2);
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)
#define POSTED(function_)                                                                          \
    cmocka_unit_test_setup_teardown(function_, post_setup, post_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_has_its_day_and_its_answer),
        TEST(out_of_place_requests_are_refused),
        POSTED(a_request_goes_to_the_department),
        POSTED(what_was_corrected_is_to_be_judged_again),
        POSTED(what_was_decided_is_decided_again),
        POSTED(a_department_may_keep_forward_and_correct_itself),
        POSTED(an_answer_is_of_the_kind_that_was_asked),
        POSTED(what_a_crash_left_out_is_made_up_for),
        POSTED(who_may_not_serve_holds_up_no_answer),
        POSTED(nobody_to_take_it_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
