#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/record.h"
#include "gateway/register/proof.h"
#include "gateway/window/fixture.h"
#include "gateway/window/withdrawn.h"

/* Facts that officers add. */

static Lianban__V1__CaseFact *missing(Lianban__V1__CaseResult *result, const char *fact)
{
    for (size_t i = 0; i < result->n_missing; i++)
        if (strcmp(result->missing[i]->fact, fact) == 0)
            return result->missing[i];
    return NULL;
}

static void what_is_missing_can_be_added(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_int_equal(fx_get(fx, case_id)->n_missing, 2);
    assert_string_equal(fx_get(fx, case_id)->turn, "departments");
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "1199999", "B"), &act));
    assert_string_equal(act->record->kind, "FACT");
    assert_string_equal(act->result->class_id, "MANUAL");
    assert_null(missing(act->result, "wage12"));
    assert_non_null(missing(act->result, "firms"));
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "0", "A"), &act));
    assert_string_equal(act->result->class_id, "FULL");
    assert_string_equal(act->result->turn, "officer");
    assert_int_equal(act->result->facts_ok, 4); /* as the departments answered */
    assert_int_equal(act->result->n_added, 2);
    assert_string_equal(act->result->added[0]->fact, "wage12");
    assert_string_equal(act->result->added[0]->grade, "B");
    assert_true(act->result->added[0]->counts);
    assert_string_equal(act->result->added[0]->shown, ""); /* the form does not show wages */
    assert_string_equal(act->result->added[1]->shown, "0");
    /* suggested, two facts with a suggestion each, and all of it is on disk */
    fx_restart(fx);
    assert_int_equal(fx_records(fx, case_id)->n_records, 5);
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    assert_int_equal(fx->num_entered, 5);
}

static void grades_count_as_the_form_says(void **state)
{
    static const char *const low[] = {"C", "D"};
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "0", "B"), &act));
    for (size_t i = 0; i < 2; i++) {
        assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "5", low[i]), &act));
        assert_string_equal(act->result->class_id, "MANUAL");
        const Lianban__V1__CaseFact *wage = missing(act->result, "wage12");
        assert_string_equal(wage->grade, low[i]);
        assert_false(wage->counts);
        assert_int_equal(strlen(wage->added_by), 32);
        assert_string_equal(wage->shown, ""); /* the form does not show wages */
        assert_string_equal(wage->state, "unavailable");
    }
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "5", "B"), &act));
    assert_string_equal(act->result->class_id, "FULL");
}

static void the_department_s_answer_wins(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "2", "A"), &act));
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "5", "A"), &act));
    assert_string_equal(act->result->class_id, "NONE");
    fx_run(fx, case_id, &got); /* tax is back */
    assert_string_equal(got.result->class_id, "FULL");
    assert_string_equal(fx_fact(&got, 0, "firms")->grade, "");
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "firms", "2", "A"), &act),
                LB_FACT_ANSWERED);
}

static void what_the_citizen_keeps_back_stays_open(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    Lianban__V1__ActResponse *act = NULL;
    fx->department_refused = true;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "severe")->code, "PART_REFUSED");
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "severe", "true", "A"), &act),
                LB_PART_REFUSED);
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
}

static void withdrawing_takes_an_added_fact_back(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct lb_withdrawn *withdrawn = NULL;
    Lianban__V1__ActResponse *act = NULL;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->adapters[FX_DISABLED].silent = true;
    fx_run(fx, case_id, &got);
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "severe", "true", "A"), &act));
    assert_string_equal(act->result->class_id, "FULL");
    fx->list_seq = 1;
    fx->list_states[0] = 1;
    fx->record_fails = LB_FAULT(LB_LOG_UNAVAILABLE, "the disk is full");
    assert_ok(lb_withdrawn_new(fx->window, &withdrawn));
    assert_code(lb_withdrawn_look(withdrawn), LB_LOG_UNAVAILABLE);
    fx_restart(fx); /* erased all the same, and nothing is suggested by what is gone */
    assert_string_equal(fx_get(fx, case_id)->class_id, "");
    fx->record_fails = LB_OK;
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "severe", "true", "A"), &act),
                LB_PART_REFUSED);
    assert_string_equal(fx_get(fx, case_id)->class_id, "MANUAL");
    lb_withdrawn_free(withdrawn);
}

/* --- what is refused --- */

static void out_of_place_values_are_refused(void **state)
{
    static const char *const bad[][4] = {
        {"no_such", "1", "B", "s"},
        {"wage12", "", "B", "s"},
        {"wage12", "12.5", "B", "s"},
        {"wage12", "true", "B", "s"},
        {"wage12", "007", "B", "s"},
        {"wage12", "-", "B", "s"},
        {"wage12", "9223372036854775808", "B", "s"},
        {"wage12", "1 ", "B", "s"},
        {"wage12", "1", "E", "s"},
        {"wage12", "1", "", "s"},
        {"wage12", "1", "BB", "s"},
        {"wage12", "1", "B", ""},
        {"wage12", "1", "B", "a\nclass FULL"},
        {"wage12", "1", "B", "\x1b[31m"},
        {"wage12", "1", "B", "\xe2\x80\xae"},
        {"wage12", "1", "B", "\xff"},
    };
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    char longer[LB_MAX_SAID_BYTES + 2];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Lianban__V1__AddFactRequest *request =
            fx_fact_request(fx, case_id, bad[i][0], bad[i][1], bad[i][2]);
        request->source = (char *)(uintptr_t)bad[i][3];
        assert_code(fx_add(fx, request, &act), LB_MALFORMED);
    }
    Lianban__V1__AddFactRequest *request = fx_fact_request(fx, case_id, "wage12", "1", "B");
    request->reason = longer;
    assert_code(fx_add(fx, request, &act), LB_MALFORMED);
    request = fx_fact_request(fx, case_id, "wage12", "1", "C");
    request->document_sha256.len = 0;
    assert_code(fx_add(fx, request, &act), LB_MALFORMED);
    request = fx_fact_request(fx, case_id, "wage12", "1", "B");
    request->member = 1;
    assert_code(fx_add(fx, request, &act), LB_MALFORMED);
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
}

static void only_admitted_operators_act(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__AddFactRequest *request = fx_fact_request(fx, case_id, "wage12", "1", "B");
    request->actor = NULL;
    assert_code(fx_add(fx, request, &act), LB_MALFORMED);
    request->actor = fx_actor(fx, "B-1", "窗口3");
    assert_code(fx_add(fx, request, &act), LB_BADGE_UNKNOWN);
    request->actor = fx_actor(fx, "D-1", "unit");
    assert_code(fx_add(fx, request, &act), LB_DEVICE_UNPROVEN);
    request->actor = fx_actor(fx, "B-1", "unit");
    assert_ok(lb_register_suspend(fx->operators, "B-1", true, "test", FX_NOW));
    assert_code(fx_add(fx, request, &act), LB_BADGE_SUSPENDED);
    request->case_id = "c-00000000000000000000000000000000";
    assert_code(fx_add(fx, request, &act), LB_CASE_UNKNOWN);
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
}

/* The device signs this very act upon this very case, and that once. */
static void a_device_proves_one_act(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__AddFactRequest *request = fx_fact_request(fx, case_id, "wage12", "1", "D");
    request->document_sha256.len = 0;
    static const char content[] = "0\nwage12\n1\nD\n单位出具的收入证明\n\n税务部门未答复\n";
    struct lb_proof proof = {.agent = FX_WINDOW, .badge = "D-1", .unit = "unit",
                             .method = "AddFact", .case_id = case_id, .time_unix_s = FX_NOW,
                             .nonce = {1}};
    struct lb_span text;
    uint8_t signature[LB_SIGNATURE_BYTES];
    lb_sha256(lb_span_str(content), proof.content);
    assert_ok(lb_proof_text(&proof, fx->arena, &text));
    assert_ok(lb_sign(fx->device_key, text, signature));
    Lianban__V1__OperatorProof given = LIANBAN__V1__OPERATOR_PROOF__INIT;
    given.time_unix_s = FX_NOW;
    given.nonce = (ProtobufCBinaryData){sizeof(proof.nonce), proof.nonce};
    given.signature = (ProtobufCBinaryData){sizeof(signature), signature};
    request->actor = fx_actor(fx, "D-1", "unit");
    request->actor->proof = &given;
    request->value = "2";
    assert_code(fx_add(fx, request, &act), LB_DEVICE_UNPROVEN);
    request->value = "1";
    assert_ok(fx_add(fx, request, &act));
    assert_code(fx_add(fx, request, &act), LB_DEVICE_UNPROVEN); /* replayed */
}

static void a_case_at_another_step_takes_nothing(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ActResponse *act = NULL;
    const char *case_id = fx_open(fx, false);
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "1", "B"), &act), LB_CASE_STATE);
    case_id = fx_facing(fx, false);
    fx->record_fails = LB_FAULT(LB_LOG_UNAVAILABLE, "the disk is full");
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "1", "B"), &act),
                LB_LOG_UNAVAILABLE);
    fx->record_fails = LB_OK;
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
    fx_restart(fx);
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_code(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "1", "B"), &act),
                LB_CASE_UNKNOWN);
}

/* --- repeating --- */

static void copy_file(struct fixture *fx, const char *from, const char *to)
{
    struct lb_span content;
    struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
    assert_ok(lb_file_read(fx_path(fx, from), 32 * 1024 * 1024, arena, &content));
    assert_ok(lb_file_write(fx_path(fx, to), content, 0600));
    lb_arena_free(arena);
}

static void freeze(struct fixture *fx)
{
    if (fx->which++ > 0)
        return;
    copy_file(fx, "cases.db", "frozen.db");
    copy_file(fx, "cases.db-wal", "frozen.db-wal");
}

/* The agent dies when the log has the record and the case has not. */
static void a_crash_behind_the_log_is_caught_up(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__AddFactRequest *request = fx_fact_request(fx, case_id, "wage12", "1", "B");
    fx->on_entry = freeze;
    assert_ok(fx_add(fx, request, &act));
    const char *note = act->record->note;
    fx->on_entry = NULL;
    lb_window_free(fx->window);
    fx->window = NULL;
    (void)remove(fx_path(fx, "cases.db-wal"));
    (void)remove(fx_path(fx, "cases.db-shm"));
    copy_file(fx, "frozen.db", "cases.db");
    copy_file(fx, "frozen.db-wal", "cases.db-wal");
    fx_restart(fx); /* it is entered once more, and the case judged with it */
    assert_int_equal(fx_records(fx, case_id)->n_records, 3);
    fx->clock.now_unix_ms += 5000;
    assert_ok(fx_add(fx, request, &act));
    assert_string_equal(act->record->note, note); /* the same record, not another */
    assert_int_equal(fx_records(fx, case_id)->n_records, 3);
    size_t entered = fx->num_entered;
    assert_ok(fx_add(fx, request, &act));
    assert_string_equal(act->record->note, note);
    assert_int_equal(fx_records(fx, case_id)->n_records, 3);
    assert_int_equal(fx->num_entered, entered);
}

static void a_correction_follows_the_old_record(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    struct lb_span lines, value;
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "1", "B"), &act));
    uint32_t first = act->record->number;
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "99999999", "B"), &act));
    assert_ok(lb_record_lines(lb_span_str(act->record->note), &lines));
    assert_ok(lb_record_get(lines, "follows", &value));
    assert_int_equal(value.ptr[0] - '0', first);
    assert_ok(lb_record_lines(lb_span_str(fx_records(fx, case_id)->records[first - 1]->note),
                              &lines));
    assert_ok(lb_record_get(lines, "value", &value));
    assert_true(lb_span_is(value, "1"));
}

/* A department that is away in one way and then in another makes no other suggestion. */
static void being_away_is_recorded_once(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_facing(fx, false);
    fx->adapters[FX_TAX].down = true;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "unavailable");
    fx->adapters[FX_TAX].refuse = "DEADLINE";
    fx->adapters[FX_TAX].refuse_times = SIZE_MAX;
    fx->adapters[FX_TAX].down = false;
    fx_run(fx, case_id, &got);
    assert_string_equal(fx_fact(&got, 0, "wage12")->state, "timeout");
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_missing_can_be_added),
        TEST(grades_count_as_the_form_says),
        TEST(the_department_s_answer_wins),
        TEST(what_the_citizen_keeps_back_stays_open),
        TEST(withdrawing_takes_an_added_fact_back),
        TEST(out_of_place_values_are_refused),
        TEST(only_admitted_operators_act),
        TEST(a_device_proves_one_act),
        TEST(a_case_at_another_step_takes_nothing),
        TEST(a_crash_behind_the_log_is_caught_up),
        TEST(a_correction_follows_the_old_record),
        TEST(being_away_is_recorded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
