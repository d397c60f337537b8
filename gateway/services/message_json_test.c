#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/services/message_json.h"
#include "lianban/v1/read.pb-c.h"
#include "lianban/v1/window.pb-c.h"

#define ARENA_BYTES (1024 * 1024)

static int setup(void **state)
{
    *state = lb_arena_new(ARENA_BYTES);
    return *state == NULL;
}

static int teardown(void **state)
{
    lb_arena_free(*state);
    return 0;
}

static enum lb_code read_code(struct lb_arena *arena, const ProtobufCMessageDescriptor *type,
                              const char *text)
{
    void *message = NULL;
    return lb_status_code(lb_message_of_json(type, lb_span_str(text), arena, &message));
}

static void a_request_is_read(void **state)
{
    static const char text[] =
        "{\"form\":\"social-assistance\",\"members\":[{\"role\":\"applicant\",\"id_no\":\"1\","
        "\"name\":\"古丽娜·热合曼\"},{\"role\":\"child\"}],\"operator_unit\":\"u\"}";
    Lianban__V1__OpenCaseRequest *request = NULL;
    assert_true(lb_message_of_json(&lianban__v1__open_case_request__descriptor, lb_span_str(text),
                                   *state, &request) == LB_OK);
    assert_string_equal(request->form, "social-assistance");
    assert_int_equal(request->n_members, 2);
    assert_string_equal(request->members[0]->name, "古丽娜·热合曼");
    assert_string_equal(request->members[1]->role, "child");
    assert_string_equal(request->members[1]->id_no, "");
    assert_string_equal(request->operator_unit, "u");
    assert_string_equal(request->operator_badge, "");
}

/* What is written is read back as the same bytes. */
static void expect_round_trip(struct lb_arena *arena, const void *message, const char *text)
{
    const ProtobufCMessage *base = message;
    struct lb_span written = LB_SPAN_EMPTY, before = LB_SPAN_EMPTY, after = LB_SPAN_EMPTY;
    void *again = NULL;
    assert_true(lb_message_to_json(message, arena, &written) == LB_OK);
    assert_string_equal((const char *)written.ptr, text);
    assert_true(lb_message_of_json(base->descriptor, written, arena, &again) == LB_OK);
    assert_true(lb_pb_pack(message, arena, &before) == LB_OK);
    assert_true(lb_pb_pack(again, arena, &after) == LB_OK);
    assert_true(lb_span_eq(before, after));
}

static void every_kind_of_field_goes_both_ways(void **state)
{
    static char first[] = "<", second[] = "area.mean", view[] = "tax.wage", empty[] = "";
    static char *args[] = {first, second};
    Lianban__V1__Fact fact = LIANBAN__V1__FACT__INIT;
    fact.view = view;
    fact.field = fact.operator_ = fact.text = fact.as_of = empty;
    fact.n_args = 2;
    fact.args = args;
    fact.state = LIANBAN__V1__FACT__STATE__OK;
    fact.kind = LIANBAN__V1__FACT__KIND__NUMBER;
    fact.truth = 1;
    fact.number = INT64_MIN;
    fact.rules_version = UINT32_MAX;
    fact.why = LIANBAN__V1__FACT__WHY__MAINTENANCE;
    fact.again_unix_s = 1900000000;
    expect_round_trip(*state, &fact,
                      "{\"view\":\"tax.wage\",\"field\":\"\",\"operator\":\"\","
                      "\"args\":[\"<\",\"area.mean\"],\"state\":\"OK\",\"kind\":\"NUMBER\","
                      "\"truth\":true,\"number\":\"-9223372036854775808\",\"text\":\"\","
                      "\"as_of\":\"\",\"rules_version\":4294967295,\"why\":\"MAINTENANCE\","
                      "\"again_unix_s\":\"1900000000\"}");
}

static void bytes_are_base64_and_wide_numbers_strings(void **state)
{
    static uint8_t enc[] = {0xFF, 0xFE, 0}, bytes[] = {1};
    static char key[] = "s1";
    Lianban__V1__Sealed sealed = LIANBAN__V1__SEALED__INIT;
    sealed.key_id = key;
    sealed.enc = (ProtobufCBinaryData){sizeof(enc), enc};
    sealed.ciphertext = (ProtobufCBinaryData){sizeof(bytes), bytes};
    sealed.seq = UINT64_MAX;
    expect_round_trip(*state, &sealed,
                      "{\"key_id\":\"s1\",\"enc\":\"//4A\",\"sender_key\":\"\","
                      "\"seq\":\"18446744073709551615\",\"ciphertext\":\"AQ==\"}");
}

static void an_event_has_what_is_set(void **state)
{
    Lianban__V1__CaseEvent event = LIANBAN__V1__CASE_EVENT__INIT;
    Lianban__V1__MemberTicket ticket = LIANBAN__V1__MEMBER_TICKET__INIT;
    Lianban__V1__MemberTicket *list[] = {&ticket};
    Lianban__V1__RequestGrantsResponse tickets = LIANBAN__V1__REQUEST_GRANTS_RESPONSE__INIT;
    Lianban__V1__Reason reason = LIANBAN__V1__REASON__INIT;
    expect_round_trip(*state, &event, "{}");
    tickets.n_tickets = 1;
    tickets.tickets = list;
    expect_round_trip(*state, &tickets,
                      "{\"tickets\":[{\"member\":0,\"request_id\":\"\",\"code\":\"\"}]}");
    expect_round_trip(*state, &reason,
                      "{\"condition\":\"\",\"truth\":\"\",\"text_zh\":\"\",\"text_en\":\"\","
                      "\"source\":\"\"}");
    Lianban__V1__CaseFact fact = LIANBAN__V1__CASE_FACT__INIT;
    struct lb_span text = LB_SPAN_EMPTY;
    event.body_case = LIANBAN__V1__CASE_EVENT__BODY_FACT;
    event.fact = &fact;
    assert_true(lb_message_to_json(&event, *state, &text) == LB_OK);
    assert_non_null(strstr((const char *)text.ptr, "{\"fact\":{\"member\":0,"));
    assert_null(strstr((const char *)text.ptr, "result"));
}

static void what_is_not_the_message_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "x", "[]", "\"\"", "null", "1", "{\"case_id\":\"a\"", "{\"case_id\":\"a\"} {}",
        "{\"case_id\":\"a\",\"case_id\":\"a\"}", "{\"caseId\":\"a\"}",
        "{\"case_id\":\"a\",\"x\":1}",
        "{\"case_id\":null}", "{\"case_id\":1}", "{\"case_id\":[\"a\"]}", "{\"case_id\":{}}",
        "{\"case_id\":\"a\\u0000b\"}", "{\"case_id\":\"\xC0\x80\"}", "{'case_id':'a'}",
        "{\"case_id\":\"a\",}", "{\"case_id\":true}", "// x\n{}", "\xEF\xBB\xBF{}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(read_code(*state, &lianban__v1__case_request__descriptor, texts[i]),
                         LB_MALFORMED);
    assert_int_equal(read_code(*state, &lianban__v1__case_request__descriptor, "{}"), LB_CODE_OK);
}

static void values_of_other_kinds_are_refused(void **state)
{
    static const char *const facts[] = {
        "{\"number\":1}", "{\"number\":\"\"}", "{\"number\":\"-\"}", "{\"number\":\"1.0\"}",
        "{\"number\":\"9223372036854775808\"}", "{\"number\":\"-9223372036854775809\"}",
        "{\"number\":\"99999999999999999999999\"}", "{\"number\":\" 1\"}", "{\"truth\":1}",
        "{\"truth\":\"true\"}", "{\"state\":\"ok\"}", "{\"state\":1}", "{\"args\":\"a\"}",
        "{\"args\":[1]}", "{\"args\":{}}", "{\"rules_version\":-1}",
        "{\"rules_version\":4294967296}", "{\"rules_version\":\"1\"}", "{\"rules_version\":1.5}",
    };
    static const char *const others[] = {
        "{\"fact\":{},\"result\":{}}", "{\"fact\":[]}", "{\"fact\":null}",
        "{\"fact\":{\"txn\":\"*\"}}",
        "{\"fact\":{\"txn\":1}}",
    };
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        assert_int_equal(read_code(*state, &lianban__v1__fact__descriptor, facts[i]), LB_MALFORMED);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(read_code(*state, &lianban__v1__case_event__descriptor, others[i]),
                         LB_MALFORMED);
}

static void memory_is_bounded(void **state)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *small = lb_arena_new(256);
    char text[2048];
    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "{\"case_id\":\"", 12);
    memcpy(text + sizeof(text) - 3, "\"}", 3);
    assert_int_equal(read_code(small, &lianban__v1__case_request__descriptor, text), LB_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_read, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_of_field_goes_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_are_base64_and_wide_numbers_strings, setup, teardown),
        cmocka_unit_test_setup_teardown(an_event_has_what_is_set, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_the_message_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(values_of_other_kinds_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
