#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/record.h"
#include "gateway/trust/keys.h"
#include "gateway/window/fixture.h"

/* Suggestions and decisions: separate signed records, and who may decide what. */

/* A case of one adult with this class suggested by what B-0042 added. */
static const char *suggested(struct fixture *fx, const char *class_id)
{
    const char *case_id = fx_facing(fx, false);
    Lianban__V1__ActResponse *act = NULL;
    const char *firms = strcmp(class_id, "NONE") == 0 ? "2" : "0";
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "5", "B"), &act));
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", firms, "B"), &act));
    assert_string_equal(act->result->class_id, class_id);
    return case_id;
}

static struct lb_span line(const char *note, const char *key)
{
    struct lb_span lines, value;
    assert_ok(lb_record_lines(lb_span_str(note), &lines));
    assert_ok(lb_record_get(lines, key, &value));
    return value;
}

#define assert_line(note, key, text) assert_true(lb_span_is(line(note, key), text))

static void a_decision_follows_the_suggestion(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    Lianban__V1__ActResponse *act = NULL;
    assert_null(fx_get(fx, case_id)->decision);
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    assert_string_equal(act->record->kind, "DECIDED");
    assert_string_equal(act->result->decision->class_id, "FULL");
    assert_string_equal(act->result->decision->departs, "no");
    assert_string_equal(act->result->turn, "nobody");
    assert_line(act->record->note, "class", "FULL");
    assert_line(act->record->note, "law", "SAL45");
    assert_line(act->record->note, "departs", "no");
    fx_restart(fx);
    const Lianban__V1__CaseResult *kept = fx_get(fx, case_id);
    assert_string_equal(kept->decision->class_en, "full");
    assert_false(kept->decision->outdated);
}

/* Every record verifies by the log's key, and names the one before it. */
static void records_are_signed_and_chained(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    const Lianban__V1__GetRecordsResponse *page = fx_records(fx, case_id);
    struct lb_note_verifier verifier;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    char previous[65];
    memset(previous, '0', 64);
    previous[64] = 0;
    assert_int_equal(lb_sign_key_public(fx->window_key, raw), 32);
    assert_ok(lb_note_verifier_init(lb_spiffe_log_origin(FX_WINDOW), raw, &verifier));
    assert_int_equal(page->n_records, 6);
    for (size_t i = 0; i < page->n_records; i++) {
        struct lb_span lines, text;
        uint32_t mask = 0;
        uint8_t digest[32];
        assert_ok(lb_record_open(lb_span_str(page->records[i]->note), &verifier, &lines));
        assert_line(page->records[i]->note, "previous", previous);
        assert_line(page->records[i]->note, "case", case_id);
        assert_ok(lb_note_open(lb_span_str(page->records[i]->note), &verifier, 1, &text, &mask));
        lb_sha256(text, digest);
        lb_hex_encode(lb_span_of(digest, 32), previous);
    }
    char *note = page->records[5]->note;
    char *at = strstr(note, "class FULL");
    memcpy(at, "class NONE", 10);
    struct lb_span lines;
    assert_code(lb_record_open(lb_span_str(note), &verifier, &lines), LB_SIGNATURE_INVALID);
    lb_note_verifier_cleanup(&verifier);
}

static void who_added_a_fact_does_not_decide(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__DecideCaseRequest *request = fx_decide_request(fx, case_id, "FULL");
    request->actor = fx_actor(fx, "B-0042", "窗口3");
    assert_code(fx_decide(fx, request, &act), LB_OTHER_DECIDER);
    /* Where the departments answered themselves, who opened the case may decide. */
    struct fx_collected got;
    fx_run(fx, case_id, &got);
    request = fx_decide_request(fx, case_id, "FULL");
    request->actor = fx_actor(fx, "B-0042", "窗口3");
    assert_ok(fx_decide(fx, request, &act));
}

static void an_adverse_decision_needs_a_hearing(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    Lianban__V1__ActResponse *act = NULL;
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "PART"), &act), LB_NOT_HEARD);
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "NONE"), &act), LB_NOT_HEARD);
    assert_code(fx_hear(fx, case_id, "2027-02-01", "later", &act), LB_MALFORMED);
    assert_code(fx_hear(fx, case_id, "2027-01-32", "x", &act), LB_MALFORMED);
    assert_code(fx_hear(fx, case_id, "2027-01-10", "", &act), LB_MALFORMED);
    assert_ok(fx_hear(fx, case_id, "2027-01-10", "本人认为收入有误", &act));
    assert_ok(fx_hear(fx, case_id, "2027-01-10", "本人认为收入有误", &act));
    assert_int_equal(act->record->number, 6); /* once */
    /* Judged anew: what was said was said to another suggestion. */
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "wage12", "6", "B"), &act));
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "PART"), &act), LB_NOT_HEARD);
    assert_ok(fx_hear(fx, case_id, "2027-01-10", "本人认为收入有误", &act));
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "PART"), &act));
    assert_line(act->record->note, "departs", "yes");
    assert_string_equal(act->result->decision->departs, "yes");
}

/* Refusing is adverse also where it is what the rules suggest, or where they suggest nothing. */
static void a_refusal_needs_a_hearing_always(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__ActResponse *act = NULL;
    const char *case_id = suggested(fx, "NONE");
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "NONE"), &act), LB_NOT_HEARD);
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "PART"), &act));
    case_id = fx_facing(fx, false);
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "NONE"), &act), LB_NOT_HEARD);
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    assert_line(act->record->note, "departs", "open");
}

static void out_of_place_decisions_are_refused(void **state)
{
    static char *laws[] = {"SAL 45"};
    struct fixture *fx = *state;
    Lianban__V1__ActResponse *act = NULL;
    const char *case_id = fx_open(fx, false);
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act), LB_CASE_STATE);
    case_id = suggested(fx, "FULL");
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, "MANUAL"), &act), LB_MALFORMED);
    assert_code(fx_decide(fx, fx_decide_request(fx, case_id, ""), &act), LB_MALFORMED);
    Lianban__V1__DecideCaseRequest *request = fx_decide_request(fx, case_id, "FULL");
    request->n_law = 0;
    assert_code(fx_decide(fx, request, &act), LB_MALFORMED);
    request->n_law = 1;
    request->law = laws;
    assert_code(fx_decide(fx, request, &act), LB_MALFORMED);
    request = fx_decide_request(fx, case_id, "FULL");
    request->reason = "";
    assert_code(fx_decide(fx, request, &act), LB_MALFORMED);
    request = fx_decide_request(fx, case_id, "FULL");
    request->suggestion--;
    assert_code(fx_decide(fx, request, &act), LB_CASE_STATE);
    assert_null(fx_get(fx, case_id)->decision);
}

/* Two deciders: the second is told, and corrects only what they have seen. */
static void a_decision_is_replaced_not_changed(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    Lianban__V1__ActResponse *act = NULL;
    Lianban__V1__DecideCaseRequest *second = fx_decide_request(fx, case_id, "FULL");
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    uint32_t first = act->record->number;
    second->reason = "another reason";
    assert_code(fx_decide(fx, second, &act), LB_CASE_STATE);
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act)); /* the same again */
    assert_int_equal(act->record->number, first);
    second->replaces = first;
    assert_ok(fx_decide(fx, second, &act));
    assert_int_equal(act->record->number, first + 1);
    assert_line(act->record->note, "reason", "another reason");
    /* Less than was decided before is adverse, though nobody suggested more. */
    second = fx_decide_request(fx, case_id, "PART");
    second->replaces = first + 1;
    assert_code(fx_decide(fx, second, &act), LB_NOT_HEARD);
}

struct race {
    struct fixture *fx;
    const Lianban__V1__DecideCaseRequest *request;
    struct lb_arena *arena;
    lb_status status;
};

static void *run(void *arg)
{
    struct race *race = arg;
    Lianban__V1__ActResponse *act = NULL;
    race->status = lb_window_decide(race->fx->window, race->request, race->arena, &act);
    return NULL;
}

static void of_two_at_once_one_decides(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    struct race races[2];
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        Lianban__V1__DecideCaseRequest *request = fx_decide_request(fx, case_id, "FULL");
        request->reason = i == 0 ? "one" : "other";
        races[i] = (struct race){fx, request, lb_arena_new(LB_CALL_ARENA_BYTES), LB_OK};
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &races[i]), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true((races[0].status == LB_OK) != (races[1].status == LB_OK));
    assert_code(races[races[0].status == LB_OK ? 1 : 0].status, LB_CASE_STATE);
    assert_int_equal(fx_records(fx, case_id)->n_records, 6);
    for (size_t i = 0; i < 2; i++)
        lb_arena_free(races[i].arena);
}

/* A decision stays what it was when the case is judged anew; somebody has to look. */
static void a_new_outcome_is_told(void **state)
{
    struct fixture *fx = *state;
    const char *case_id = suggested(fx, "FULL");
    Lianban__V1__ActResponse *act = NULL;
    assert_ok(fx_decide(fx, fx_decide_request(fx, case_id, "FULL"), &act));
    assert_ok(fx_add(fx, fx_fact_request(fx, case_id, "firms", "2", "B"), &act));
    assert_string_equal(act->result->class_id, "NONE");
    assert_string_equal(act->result->decision->class_id, "FULL");
    assert_true(act->result->decision->outdated);
    assert_string_equal(act->result->turn, "officer");
}

/* Collecting again, with nothing new, is no new suggestion. */
static void the_same_outcome_is_recorded_once(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, true);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    fx_run(fx, case_id, &got);
    assert_int_equal(got.result->suggestion, 1);
    assert_int_equal(fx->num_entered, 1);
    fx->record_fails = LB_FAULT(LB_LOG_UNAVAILABLE, "the disk is full");
    case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, &got);
    assert_code(got.status, LB_LOG_UNAVAILABLE); /* no evidence, no suggestion */
    assert_string_equal(fx_get(fx, case_id)->class_id, "");
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, fx_setup, fx_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_decision_follows_the_suggestion),
        TEST(records_are_signed_and_chained),
        TEST(who_added_a_fact_does_not_decide),
        TEST(an_adverse_decision_needs_a_hearing),
        TEST(a_refusal_needs_a_hearing_always),
        TEST(out_of_place_decisions_are_refused),
        TEST(a_decision_is_replaced_not_changed),
        TEST(of_two_at_once_one_decides),
        TEST(a_new_outcome_is_told),
        TEST(the_same_outcome_is_recorded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
