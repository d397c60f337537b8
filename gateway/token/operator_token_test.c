#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/forge.h"
#include "gateway/token/operator_token.h"

#define NOW INT64_C(1800000000)

static struct lb_arena *arena;
static struct lb_sign_key *key;
static struct lb_verify_key *public_key;

static int setup(void **state)
{
    (void)state;
    arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    public_key = forge_verify_key(key);
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    lb_verify_key_free(public_key);
    lb_sign_key_free(key);
    lb_arena_freep(&arena);
    return 0;
}

static struct lb_operator sample(void)
{
    return (struct lb_operator){
        .organization = "street-office",
        .kid = "office-1",
        .unit = "窗口 3",
        .person = "00112233445566778899aabbccddeeff",
        .jti = "01J8ZK4Q7T",
        .iat = NOW,
        .exp = NOW + 600,
    };
}

static struct lb_span issue(void)
{
    struct lb_operator claims = sample();
    struct lb_span token;
    assert_ok(lb_operator_token_issue(&claims, key, arena, &token));
    return token;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct lb_operator want = sample();
    struct lb_operator got;
    struct lb_span token = issue();
    assert_ok(lb_operator_token_verify(token, public_key, NOW, arena, &got));
    assert_string_equal(got.organization, want.organization);
    assert_string_equal(got.kid, want.kid);
    assert_string_equal(got.unit, want.unit);
    assert_string_equal(got.person, want.person);
    assert_string_equal(got.jti, want.jti);
    assert_int_equal(got.iat, want.iat);
    assert_int_equal(got.exp, want.exp);
    assert_ok(lb_operator_token_peek(token, arena, &got));
    assert_string_equal(got.kid, want.kid);
}

static void assert_refused(struct lb_span token, enum lb_code code)
{
    struct lb_operator got = {.organization = "untouched"};
    assert_code(lb_operator_token_verify(token, public_key, NOW, arena, &got), code);
    assert_string_equal(got.organization, "untouched");
}

static void test_times(void **state)
{
    (void)state;
    struct lb_operator got;
    struct lb_span token = issue();
    assert_ok(lb_operator_token_verify(token, public_key, NOW + 599, arena, &got));
    assert_code(lb_operator_token_verify(token, public_key, NOW + 600, arena, &got),
                LB_OPERATOR_TOKEN_EXPIRED);
    assert_ok(lb_operator_token_verify(token, public_key, NOW - LB_CLOCK_SKEW_S, arena, &got));
    assert_code(lb_operator_token_verify(token, public_key, NOW - LB_CLOCK_SKEW_S - 1, arena, &got),
                LB_OPERATOR_TOKEN_INVALID);
}

#define HEADER(alg) "{\"alg\":\"" alg "\",\"typ\":\"JWT\",\"kid\":\"office-1\"}"

static struct lb_span hmac_token(const char *header, const char *payload, struct lb_span secret)
{
    char *input = lb_arena_printf(arena, "%s.%s", lb_b64url_encode(arena, lb_span_str(header)),
                                  lb_b64url_encode(arena, lb_span_str(payload)));
    uint8_t mac[32];
    lb_hmac_sha256(secret, lb_span_str(input), mac);
    return forge_join(arena, header, payload, lb_b64url_encode(arena, lb_span_of(mac, 32)));
}

/* The classic: the public key's text as the secret of an HMAC. Then no signature at all, then
 * rubbish of the right length under another algorithm. */
static void test_algorithm_confusion(void **state)
{
    (void)state;
    const char *payload = forge_payload(arena, issue());
    struct lb_span pem;
    assert_ok(lb_verify_key_to_pem(public_key, arena, &pem));
    assert_refused(hmac_token(HEADER("HS256"), payload, pem), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(hmac_token(HEADER("ES256"), payload, pem), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(hmac_token("{\"alg\":\"HS256\",\"typ\":\"JWT\"}", payload, pem),
                   LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_join(arena, HEADER("none"), payload, ""), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_join(arena, "{\"alg\":\"none\"}", payload, ""), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_join(arena, HEADER("ES256"), payload, ""), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_token(arena, HEADER("none"), payload, key), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_token(arena, HEADER("ES384"), payload, key), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_token(arena, HEADER("RS256"), payload, key), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(forge_token(arena,
                               "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"a\"}",
                               payload, key),
                   LB_OPERATOR_TOKEN_INVALID);
    const uint8_t zeros[64] = {0};
    assert_refused(forge_join(arena, HEADER("ES256"), payload,
                              lb_b64url_encode(arena, lb_span_of(zeros, sizeof(zeros)))),
                   LB_OPERATOR_TOKEN_INVALID);
    /* The control: our forge with the right header passes. */
    struct lb_operator got;
    assert_ok(lb_operator_token_verify(forge_token(arena, HEADER("ES256"), payload, key),
                                       public_key, NOW, arena, &got));
}

static void test_keys(void **state)
{
    (void)state;
    struct lb_span token = issue();
    struct lb_operator got;
    assert_code(lb_operator_token_verify(token, NULL, NOW, arena, &got),
                LB_OPERATOR_TOKEN_INVALID);
    struct lb_sign_key *other = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &other));
    struct lb_verify_key *other_public = forge_verify_key(other);
    assert_code(lb_operator_token_verify(token, other_public, NOW, arena, &got),
                LB_OPERATOR_TOKEN_INVALID);
    lb_verify_key_free(other_public);
    lb_sign_key_free(other);
    struct lb_sign_key *edwards = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &edwards));
    struct lb_verify_key *edwards_public = forge_verify_key(edwards);
    assert_code(lb_operator_token_verify(token, edwards_public, NOW, arena, &got),
                LB_OPERATOR_TOKEN_INVALID);
    struct lb_operator claims = sample();
    assert_code(lb_operator_token_issue(&claims, edwards, arena, &token), LB_CRYPTO_FAILED);
    assert_code(lb_operator_token_issue(&claims, NULL, arena, &token), LB_CRYPTO_FAILED);
    lb_verify_key_free(edwards_public);
    lb_sign_key_free(edwards);
}

static void test_hostile_claims(void **state)
{
    (void)state;
    static const char *const swaps[][2] = {
        {"\"iss\":", "\"admin\":true,\"iss\":"},
        {"\"iss\":", "\"iss\":\"other\",\"iss\":"},
        {"\"iss\":\"street-office\"", "\"iss\":\"\""},
        {"\"iss\":\"street-office\"", "\"iss\":null"},
        {"\"sub\":\"0", "\"sub\":\""},
        {"\"sub\":\"0", "\"sub\":\"G"},
        {"\"sub\":\"00112233445566778899aabbccddeeff\"",
         "\"sub\":\"00112233445566778899AABBCCDDEEFF\""},
        {"\"exp\":1800000600", "\"exp\":\"1800000600\""},
        {"\"exp\":1800000600", "\"exp\":1800000000"},
        {"\"exp\":1800000600", "\"exp\":1800000901"},
        {"\"exp\":1800000600", "\"exp\":1e12"},
        {"\"iat\":1800000000", "\"iat\":-1"},
        {"\"jti\":\"01J8ZK4Q7T\"", "\"jti\":7"},
        {"\"unit\":", "\"Unit\":"},
        {"\"use\":\"lianban-operator\"", "\"use\":\"lianban-officer\""},
        {",\"use\":\"lianban-operator\"", ""},
    };
    const char *payload = forge_payload(arena, issue());
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++)
        assert_refused(forge_token(arena, HEADER("ES256"),
                                   forge_swap(arena, payload, swaps[i][0], swaps[i][1]), key),
                       LB_OPERATOR_TOKEN_INVALID);
}

static void test_every_byte(void **state)
{
    (void)state;
    struct lb_span token = issue();
    LB_DEFER(lb_arena_freep) struct lb_arena *copies = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_operator got;
    for (size_t i = 0; i < token.len; i++) {
        struct lb_span changed;
        assert_ok(lb_arena_copy(copies, token, &changed));
        uint8_t *at = (uint8_t *)(uintptr_t)changed.ptr + i;
        *at = *at == 'A' ? 'B' : 'A';
        assert_code(lb_operator_token_verify(changed, public_key, NOW, copies, &got),
                    LB_OPERATOR_TOKEN_INVALID);
        assert_code(
            lb_operator_token_verify(lb_span_of(token.ptr, i), public_key, NOW, copies, &got),
            LB_OPERATOR_TOKEN_INVALID);
        lb_arena_reset(copies);
    }
    uint8_t *huge = lb_arena_alloc(arena, LB_MAX_TOKEN_BYTES + 1);
    memset(huge, 'A', LB_MAX_TOKEN_BYTES + 1);
    assert_refused(lb_span_of(huge, LB_MAX_TOKEN_BYTES + 1), LB_OPERATOR_TOKEN_INVALID);
    assert_refused(LB_SPAN_EMPTY, LB_OPERATOR_TOKEN_INVALID);
}

static void test_issue_refuses(void **state)
{
    (void)state;
    struct lb_span token = LB_SPAN_EMPTY;
    struct lb_operator bad = sample();
    bad.person = "330102199001011234";
    assert_code(lb_operator_token_issue(&bad, key, arena, &token), LB_OPERATOR_TOKEN_INVALID);
    bad = sample();
    bad.exp = bad.iat + LB_OPERATOR_TOKEN_MAX_S + 1;
    assert_code(lb_operator_token_issue(&bad, key, arena, &token), LB_OPERATOR_TOKEN_INVALID);
    bad = sample();
    bad.kid = NULL;
    assert_code(lb_operator_token_issue(&bad, key, arena, &token), LB_OPERATOR_TOKEN_INVALID);
    bad = sample();
    bad.unit = "";
    assert_code(lb_operator_token_issue(&bad, key, arena, &token), LB_OPERATOR_TOKEN_INVALID);
    assert_int_equal(token.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times, setup, teardown),
        cmocka_unit_test_setup_teardown(test_algorithm_confusion, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_issue_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
