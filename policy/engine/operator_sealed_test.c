#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/engine/operator_fixture.h"

/* Pseudonyms and tokens: what the asker holds and can't read. */

#define ID "11010519491231002X"
#define DAY_S 86400
#define TOKEN_CHARS 258

static void apply_text(struct fixture *fixture, const char *call, char out[LB_MAX_VALUE_BYTES + 1])
{
    struct lb_fact fact = {0};
    assert_int_equal(fixture_apply(fixture, call, &fact), LB_CODE_OK);
    assert_int_equal(fact.kind, LB_FACT_TEXT);
    memcpy(out, fact.text.ptr, fact.text.len);
    out[fact.text.len] = '\0';
}

/* From another implementation of HMAC-SHA256 over the documented bytes. */
static void pseudonyms_are_as_documented(void **state)
{
    struct fixture *fixture = *state;
    fixture_cell(fixture, LB_FIELD_ID, CELL_TEXT(ID));
    expect_text(fixture, "PSEUDO", "4Hsa8AxACfaChVR9YaxrUg");
    fixture_cell(fixture, LB_FIELD_ID, CELL_TEXT("110105491231002"));
    expect_text(fixture, "PSEUDO", "4Hsa8AxACfaChVR9YaxrUg");
    fixture_cell(fixture, LB_FIELD_ID, CELL_TEXT("110105194912310021"));
    expect_unknown(fixture, "PSEUDO");
}

static void another_key_gives_another_pseudonym(void **state)
{
    struct fixture *fixture = *state;
    char one[LB_MAX_VALUE_BYTES + 1];
    char other[LB_MAX_VALUE_BYTES + 1];
    static const uint8_t key[LB_OP_KEY_BYTES] = "another requester";
    struct lb_fact fact = {0};
    fixture_cell(fixture, LB_FIELD_ID, CELL_TEXT(ID));
    apply_text(fixture, "PSEUDO", one);
    fixture->secrets.pseudo_key = key;
    apply_text(fixture, "PSEUDO", other);
    assert_string_not_equal(one, other);
    fixture->secrets.pseudo_key = NULL;
    assert_int_equal(fixture_apply(fixture, "PSEUDO", &fact), LB_INTERNAL);
    fixture->input.secrets = NULL;
    assert_int_equal(fixture_apply(fixture, "PSEUDO", &fact), LB_INTERNAL);
}

static enum lb_code open_token(struct fixture *fixture, const char *token, const char *value)
{
    struct lb_span out = LB_SPAN_EMPTY;
    lb_status status =
        lb_op_token_open(lb_span_str(token), &fixture->secrets, fixture->arena, &out);
    if (status == LB_OK)
        assert_true(lb_span_is(out, value));
    else
        assert_null(out.ptr);
    return lb_status_code(status);
}

static void a_token_opens_for_its_maker_until_its_day(void **state)
{
    struct fixture *fixture = *state;
    char token[LB_MAX_VALUE_BYTES + 1];
    fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT(" 6222 0212 3456 7890 123"));
    apply_text(fixture, "TOKEN(30)", token);
    assert_int_equal(strlen(token), TOKEN_CHARS);
    assert_null(strstr(token, "6222"));
    assert_int_equal(open_token(fixture, token, "6222 0212 3456 7890 123"), LB_CODE_OK);
    fixture->secrets.now_unix_s = NOW_S + 30 * DAY_S - 1;
    assert_int_equal(open_token(fixture, token, "6222 0212 3456 7890 123"), LB_CODE_OK);
    fixture->secrets.now_unix_s = NOW_S + 30 * DAY_S;
    assert_int_equal(open_token(fixture, token, NULL), LB_TOKEN_EXPIRED);
    fixture->secrets.now_unix_s = INT64_MAX;
    assert_int_equal(open_token(fixture, token, NULL), LB_TOKEN_EXPIRED);
}

static void a_token_opens_under_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    char token[LB_MAX_VALUE_BYTES + 1];
    static const uint8_t key[LB_OP_KEY_BYTES] = "another department";
    fixture_cell(fixture, LB_FIELD_CODE, CELL_TEXT("6222"));
    apply_text(fixture, "TOKEN(1)", token);
    const uint8_t *own = fixture->secrets.token_key;
    fixture->secrets.token_key = key;
    assert_int_equal(open_token(fixture, token, NULL), LB_SEAL_BROKEN);
    fixture->secrets.token_key = own;
    fixture->secrets.token_bind = lb_span_str("one use ");
    assert_int_equal(open_token(fixture, token, NULL), LB_SEAL_BROKEN);
    fixture->secrets.token_bind = LB_SPAN_EMPTY;
    assert_int_equal(open_token(fixture, token, NULL), LB_SEAL_BROKEN);
    fixture->secrets.token_bind = lb_span_str("one use");
    assert_int_equal(open_token(fixture, token, "6222"), LB_CODE_OK);
    fixture->secrets.token_key = NULL;
    assert_int_equal(open_token(fixture, token, NULL), LB_INTERNAL);
}

static void who_pays_opens_the_tokens_of_one_use(void **state)
{
    struct fixture *fixture = *state;
    char token[LB_MAX_VALUE_BYTES + 1];
    char other[LB_MAX_VALUE_BYTES + 1];
    uint8_t use_key[LB_OP_KEY_BYTES];
    fixture_cell(fixture, LB_FIELD_CODE, CELL_TEXT("6222"));
    const uint8_t *own = fixture->secrets.token_key;
    apply_text(fixture, "TOKEN(1)", token);
    lb_op_token_use_key(own, fixture->secrets.token_bind, use_key);
    assert_memory_not_equal(use_key, own, sizeof(use_key));
    fixture->secrets.token_bind = lb_span_str("another use");
    apply_text(fixture, "TOKEN(1)", other);
    fixture->secrets.token_key = NULL;
    fixture->secrets.token_use_key = use_key;
    /* whatever the binding says */
    assert_int_equal(open_token(fixture, token, "6222"), LB_CODE_OK);
    assert_int_equal(open_token(fixture, other, NULL), LB_SEAL_BROKEN);
    fixture->secrets.now_unix_s = NOW_S + DAY_S;
    assert_int_equal(open_token(fixture, token, NULL), LB_TOKEN_EXPIRED);
    use_key[31] ^= 1;
    assert_int_equal(open_token(fixture, token, NULL), LB_SEAL_BROKEN);
    /* nobody seals with it */
    struct lb_fact fact = {0};
    assert_int_equal(fixture_apply(fixture, "TOKEN(1)", &fact), LB_INTERNAL);
}

static void every_changed_character_is_caught(void **state)
{
    struct fixture *fixture = *state;
    char token[LB_MAX_VALUE_BYTES + 1];
    fixture_cell(fixture, LB_FIELD_CODE, CELL_TEXT("6222"));
    apply_text(fixture, "TOKEN(1)", token);
    for (size_t i = 0; i < TOKEN_CHARS; i++) {
        char kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        assert_int_not_equal(open_token(fixture, token, NULL), LB_CODE_OK);
        token[i] = kept;
    }
    token[TOKEN_CHARS - 1] = '\0';
    assert_int_equal(open_token(fixture, token, NULL), LB_MALFORMED);
    static const char *const none[] = {"", "A", "AQ", "====", "not a token", "AQAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(open_token(fixture, none[i], NULL), LB_MALFORMED);
    char longest[LB_MAX_VALUE_BYTES + 2];
    memset(longest, 'A', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(open_token(fixture, longest, NULL), LB_MALFORMED);
}

static void tokens_do_not_tell_two_values_apart(void **state)
{
    struct fixture *fixture = *state;
    char one[LB_MAX_VALUE_BYTES + 1];
    char other[LB_MAX_VALUE_BYTES + 1];
    char longest[152] = "";
    static const uint8_t fresh[LB_OP_NONCE_BYTES] = {9};
    struct lb_fact fact = {0};
    memset(longest, 'a', 150);
    fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT("1"));
    apply_text(fixture, "TOKEN(1)", one);
    fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT(longest));
    apply_text(fixture, "TOKEN(1)", other);
    assert_int_equal(strlen(one), strlen(other));
    fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT("1"));
    fixture->secrets.token_nonce = fresh;
    apply_text(fixture, "TOKEN(1)", other);
    assert_string_not_equal(one, other);
    longest[150] = 'a';
    fixture_cell(fixture, LB_FIELD_TEXT, CELL_TEXT(longest));
    expect_unknown(fixture, "TOKEN(1)");
    fixture_cell(fixture, LB_FIELD_ID, CELL_TEXT("110105491231002"));
    apply_text(fixture, "TOKEN(1)", one);
    assert_int_equal(open_token(fixture, one, ID), LB_CODE_OK);
    fixture->secrets.token_nonce = NULL;
    assert_int_equal(fixture_apply(fixture, "TOKEN(1)", &fact), LB_INTERNAL);
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(pseudonyms_are_as_documented),
        WITH_FIXTURE(another_key_gives_another_pseudonym),
        WITH_FIXTURE(a_token_opens_for_its_maker_until_its_day),
        WITH_FIXTURE(a_token_opens_under_nothing_else),
        WITH_FIXTURE(who_pays_opens_the_tokens_of_one_use),
        WITH_FIXTURE(every_changed_character_is_caught),
        WITH_FIXTURE(tokens_do_not_tell_two_values_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
