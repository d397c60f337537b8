#include "gateway/ctl/fixture.h"

#include <string.h>

#include "gateway/base/file.h"
#include "gateway/ctl/command.h"
#include "gateway/note/record.h"
#include "gateway/wire/pb.h"

/* The commands of officers, and the records that anybody verifies. */

#define AGENT "spiffe://example.gov/window/street-office/one"
#define ORIGIN "example.gov/window/street-office/one"
#define RECORD LB_RECORD_HEADER "record DECIDED\nagent " AGENT "\ncase c-1\nclass FULL\n"
#define TEXT(literal_) ((char *)(uintptr_t)(literal_))

static void set_act_reply(struct test_cli *cli)
{
    Lianban__V1__ActResponse reply = LIANBAN__V1__ACT_RESPONSE__INIT;
    Lianban__V1__CaseRecord record = LIANBAN__V1__CASE_RECORD__INIT;
    Lianban__V1__CaseResult result = LIANBAN__V1__CASE_RESULT__INIT;
    Lianban__V1__CaseDecision decision = LIANBAN__V1__CASE_DECISION__INIT;
    record.number = 7;
    decision.record = 7;
    decision.class_id = TEXT("DIBAO");
    decision.class_en = TEXT("Minimum living allowance");
    result.case_id = TEXT("c-1");
    result.turn = TEXT("nobody");
    result.suggestion = 5;
    result.decision = &decision;
    reply.record = &record;
    reply.result = &result;
    test_agent_says(cli, &reply);
}

static void *asked(struct test_cli *cli, struct lb_arena *arena,
                   const ProtobufCMessageDescriptor *kind)
{
    void *message = NULL;
    assert_ok(lb_pb_unpack(kind, lb_span_of(cli->agent_request, cli->agent_request_len), arena,
                           &message));
    return message;
}

static void what_is_added_comes_from_a_file(void **state)
{
    static const char fact[] = "member: 2\nfact: wage12\nvalue: \"1200\"\ngrade: B\n"
                               "source: 单位收入证明\ndocument_sha256: "
                               "abababababababababababababababababababababababababababababababab\n"
                               "reason: 税务部门未答复\n";
    struct test_cli *cli = *state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    set_act_reply(cli);
    test_feed(cli, fact);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "fact", "--case", "c-1", "--operator",
                         "W-1", "--unit", "u", "--file", "-"),
                     LB_CTL_OK);
    assert_string_equal(cli->agent_method, "AddFact");
    const Lianban__V1__AddFactRequest *request =
        asked(cli, arena, &lianban__v1__add_fact_request__descriptor);
    assert_int_equal(request->member, 1);
    assert_string_equal(request->value, "1200");
    assert_string_equal(request->actor->badge, "W-1");
    assert_int_equal(request->document_sha256.len, 32);
    assert_int_equal(request->document_sha256.data[31], 0xab);
    assert_null(strstr(cli->out, "1200"));
    assert_null(strstr(cli->err, "1200"));
}

static void a_document_is_hashed_where_it_is(void **state)
{
    struct test_cli *cli = *state;
    char fact[600];
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    (void)snprintf(fact, sizeof(fact),
                   "{fact: f, value: \"1\", grade: C, source: s, reason: r, document: \"%s\"}\n",
                   test_file(cli, "scan.pdf", "abc"));
    set_act_reply(cli);
    test_feed(cli, fact);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "fact", "--case", "c-1", "--file", "-"),
                     LB_CTL_OK);
    const Lianban__V1__AddFactRequest *request =
        asked(cli, arena, &lianban__v1__add_fact_request__descriptor);
    assert_int_equal(request->document_sha256.data[0], 0xba); /* SHA-256 of "abc" */
    test_feed(cli, "{fact: f, value: \"1\", grade: C, source: s, reason: r, document: /no/such}\n");
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "fact", "--case", "c-1", "--file", "-"),
                     LB_CTL_FAILED);
}

static void a_decision_is_told(void **state)
{
    struct test_cli *cli = *state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    set_act_reply(cli);
    test_feed(cli, "{class: DIBAO, reason: because, law: [SAL45, SAL20], suggestion: 5}\n");
    assert_int_equal(
        RUN(cli, lb_ctl_case_command, "case", "decide", "--case", "c-1", "--file", "-"),
        LB_CTL_OK);
    const Lianban__V1__DecideCaseRequest *request =
        asked(cli, arena, &lianban__v1__decide_case_request__descriptor);
    assert_int_equal(request->n_law, 2);
    assert_int_equal(request->suggestion, 5);
    assert_non_null(strstr(cli->out, "Decided: DIBAO  Minimum living allowance  (record 7)"));
    cli->agent_code = LB_NOT_HEARD;
    test_feed(cli, "{class: NONE, reason: because, law: [SAL45], suggestion: 5}\n");
    assert_int_equal(
        RUN(cli, lb_ctl_case_command, "case", "decide", "--case", "c-1", "--file", "-"),
        LB_CTL_FAILED);
    assert_non_null(strstr(cli->err, "NOT_HEARD"));
}

static void a_file_without_its_words_is_refused(void **state)
{
    static const char *const files[] = {
        "{class: DIBAO}\n", "{class: DIBAO, reason: r, law: [], suggestion: 1}\n",
        "{class: DIBAO, reason: r, law: [A], suggestion: 0}\n", "[]\n",
        "{class: DIBAO, reason: r, law: [A], suggestion: 1, more: 1}\n"};
    struct test_cli *cli = *state;
    set_act_reply(cli);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        test_feed(cli, files[i]);
        assert_int_equal(
            RUN(cli, lb_ctl_case_command, "case", "decide", "--case", "c-1", "--file", "-"),
            LB_CTL_FAILED);
        assert_string_equal(cli->agent_method, "");
    }
}

static void the_list_is_printed(void **state)
{
    struct test_cli *cli = *state;
    Lianban__V1__ListCasesResponse reply = LIANBAN__V1__LIST_CASES_RESPONSE__INIT;
    Lianban__V1__CaseSummary one = LIANBAN__V1__CASE_SUMMARY__INIT, *all[] = {&one};
    char *missing[] = {TEXT("wage12"), TEXT("firms")};
    one.case_id = TEXT("c-1");
    one.class_id = TEXT("MANUAL");
    one.turn = TEXT("officer");
    one.num_missing = 3;
    one.missing = missing;
    one.n_missing = 2;
    reply.cases = all;
    reply.n_cases = 1;
    reply.next = TEXT("5.c-1");
    test_agent_says(cli, &reply);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "list", "--turn", "officer"),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "wage12 firms"));
    assert_non_null(strstr(cli->out, "--after 5.c-1"));
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "list", "--json"), LB_CTL_OK);
    struct lb_json *json = test_json(cli);
    const struct lb_json *cases = NULL;
    assert_ok(lb_json_get_array(json, "cases", &cases));
    assert_int_equal(lb_json_len(cases), 1);
    lb_json_free(json);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "list", "--limit", "201"),
                     LB_CTL_USAGE);
}

static void records_are_listed_and_handed_out(void **state)
{
    struct test_cli *cli = *state;
    Lianban__V1__GetRecordsResponse reply = LIANBAN__V1__GET_RECORDS_RESPONSE__INIT;
    Lianban__V1__CaseRecord one = LIANBAN__V1__CASE_RECORD__INIT, *all[] = {&one};
    one.number = 1;
    one.kind = TEXT("SUGGESTED");
    one.time_unix_s = 1800000000;
    one.note = TEXT("the note\n");
    reply.records = all;
    reply.n_records = 1;
    test_agent_says(cli, &reply);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "records", "--case", "c-1"), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "2027-01-15T08:00:00"));
    assert_int_equal(
        RUN(cli, lb_ctl_case_command, "case", "records", "--case", "c-1", "--number", "1"),
        LB_CTL_OK);
    assert_string_equal(cli->out, "the note\n");
    assert_int_equal(
        RUN(cli, lb_ctl_case_command, "case", "records", "--case", "c-1", "--number", "2"),
        LB_CTL_FAILED);
}

static void a_letter_is_printed_as_it_is(void **state)
{
    struct test_cli *cli = *state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    Lianban__V1__GetLetterResponse reply = LIANBAN__V1__GET_LETTER_RESPONSE__INIT;
    uint8_t digest[32] = {0xcd};
    reply.text = TEXT("决定书\n");
    reply.sha256 = (ProtobufCBinaryData){sizeof(digest), digest};
    test_agent_says(cli, &reply);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "letter", "--case", "c-1", "--variant",
                         "large", "--language", "zh"),
                     LB_CTL_OK);
    assert_string_equal(cli->out, "决定书\n");
    const Lianban__V1__GetLetterRequest *request =
        asked(cli, arena, &lianban__v1__get_letter_request__descriptor);
    assert_string_equal(request->language, "zh");
    assert_string_equal(request->variant, "large");
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "letter", "--case", "c-1", "--json"),
                     LB_CTL_OK);
    assert_non_null(strstr(cli->out, "cd00"));
}

static void figures_are_printed_without_small_ones(void **state)
{
    struct test_cli *cli = *state;
    Lianban__V1__GetFiguresResponse reply = LIANBAN__V1__GET_FIGURES_RESPONSE__INIT;
    Lianban__V1__Figures one = LIANBAN__V1__FIGURES__INIT, few = LIANBAN__V1__FIGURES__INIT;
    Lianban__V1__Figures *all[] = {&one, &few};
    Lianban__V1__FigureShare manual = LIANBAN__V1__FIGURE_SHARE__INIT;
    Lianban__V1__FigureShare decided = LIANBAN__V1__FIGURE_SHARE__INIT;
    manual.shown = decided.shown = true;
    manual.cases = 25;
    decided.cases = 100;
    one.form = TEXT("aid");
    one.shown = true;
    one.cases = 100;
    one.facts = 600;
    one.facts_prefilled = 540;
    one.manual = &manual;
    one.decided = &decided;
    one.days_to_decision = 350;
    few.form = TEXT("rare");
    reply.month = TEXT("2026-10");
    reply.forms = all;
    reply.n_forms = 2;
    test_agent_says(cli, &reply);
    assert_int_equal(RUN(cli, lb_ctl_case_command, "case", "figures", "--month", "2026-10"),
                     LB_CTL_OK);
    static const char *const said[] = {"90.0 %", "25.0 %", "3.5", "<10"};
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        assert_non_null(strstr(cli->out, said[i]));
    assert_int_equal(
        RUN(cli, lb_ctl_case_command, "case", "figures", "--month", "2026-10", "--json"),
        LB_CTL_OK);
    assert_non_null(strstr(cli->out, "\"departed\": null"));
}

/* --- verify --- */

static const char *sign(struct test_cli *cli, const char *text, const char *origin,
                        const struct lb_sign_key *key)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span note;
    assert_ok(lb_note_sign(lb_span_str(text), false, origin, key, arena, &note));
    return test_file(cli, "record.note", (const char *)note.ptr);
}

static int verify(struct test_cli *cli, const char *path, const char *vkey)
{
    char copy[600];
    (void)snprintf(copy, sizeof(copy), "%s", path);
    return RUN(cli, lb_ctl_case_command, "case", "verify", copy, "--vkey", vkey);
}

static void a_record_verifies_by_its_agent_s_key(void **state)
{
    struct test_cli *cli = *state;
    struct lb_sign_key *key = NULL, *other = NULL;
    struct lb_note_verifier verifier;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &other));
    (void)lb_sign_key_public(key, raw);
    assert_ok(lb_note_verifier_init(ORIGIN, raw, &verifier));
    const char *vkey = lb_note_verifier_format(&verifier, arena);
    assert_int_equal(verify(cli, sign(cli, RECORD, ORIGIN, key), vkey), LB_CTL_OK);
    assert_non_null(strstr(cli->out, "class FULL\n"));
    assert_int_equal(verify(cli, sign(cli, RECORD, ORIGIN, other), vkey), LB_CTL_FAILED);
    assert_string_equal(cli->out, "");
    assert_int_equal(verify(cli, sign(cli, RECORD, "example.gov/other", key), vkey),
                     LB_CTL_FAILED);
    /* A checkpoint is no record, and another agent's record is not this agent's to sign. */
    assert_int_equal(verify(cli, sign(cli, ORIGIN "\n5\nAAAA\n", ORIGIN, key), vkey),
                     LB_CTL_FAILED);
    assert_int_equal(verify(cli, sign(cli, LB_RECORD_HEADER "agent spiffe://example.gov/window/x\n",
                                      ORIGIN, key),
                            vkey),
                     LB_CTL_FAILED);
    assert_int_equal(verify(cli, test_file(cli, "no.note", RECORD), vkey), LB_CTL_FAILED);
    lb_note_verifier_cleanup(&verifier);
    lb_sign_key_free(key);
    lb_sign_key_free(other);
}

#define TEST(function_) cmocka_unit_test_setup_teardown(function_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_added_comes_from_a_file),
        TEST(a_document_is_hashed_where_it_is),
        TEST(a_decision_is_told),
        TEST(a_file_without_its_words_is_refused),
        TEST(the_list_is_printed),
        TEST(records_are_listed_and_handed_out),
        TEST(a_letter_is_printed_as_it_is),
        TEST(figures_are_printed_without_small_ones),
        TEST(a_record_verifies_by_its_agent_s_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
