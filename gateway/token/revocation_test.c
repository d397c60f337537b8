#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/token/forge.h"
#include "gateway/token/revocation.h"

/* A citizen's own withdrawal: only the key the grant names can make one. */

static const uint8_t nonce[LB_REVOCATION_SALT_BYTES] = {1, 2, 3};

static struct lb_arena *arena;
static struct lb_sign_key *own, *stranger, *office;
static struct lb_grant grant;

static void commit_to(const uint8_t salt[LB_REVOCATION_SALT_BYTES], const struct lb_sign_key *key,
                      struct lb_grant *out)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(key, raw);
    out->has_subject_key = true;
    assert_ok(lb_subject_key(salt, raw, arena, out->subject_key));
}

static int setup(void **state)
{
    (void)state;
    arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &own));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &stranger));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &office));
    grant = forge_grant();
    commit_to(nonce, own, &grant);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lb_sign_key_free(own);
    lb_sign_key_free(stranger);
    lb_sign_key_free(office);
    lb_arena_freep(&arena);
    return 0;
}

static struct lb_span sign(const struct lb_sign_key *key)
{
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_revocation_sign(&grant, nonce, FORGE_NOW + 5, key, arena, &token));
    return token;
}

static lb_status verify(struct lb_span token, const struct lb_grant *against)
{
    return lb_revocation_verify(token, against, FORGE_NOW + 5, arena);
}

static void the_key_that_the_grant_names_may(void **state)
{
    (void)state;
    assert_ok(verify(sign(own), &grant));
    /* A withdrawal stays one. */
    assert_ok(lb_revocation_verify(sign(own), &grant, FORGE_NOW + 86400, arena));
}

static void nobody_else_may(void **state)
{
    (void)state;
    struct lb_grant other = grant;
    assert_code(verify(sign(stranger), &grant), LB_SIGNATURE_INVALID);
    assert_code(verify(sign(office), &grant), LB_SIGNATURE_INVALID);
    other.has_subject_key = false;
    assert_code(verify(sign(own), &other), LB_SIGNATURE_INVALID);
    /* The same key under another salt is another commitment. */
    static const uint8_t second[LB_REVOCATION_SALT_BYTES] = {9};
    other = grant;
    commit_to(second, own, &other);
    assert_memory_not_equal(other.subject_key, grant.subject_key, 32);
    assert_code(verify(sign(own), &other), LB_SIGNATURE_INVALID);
}

static void of_this_grant_only(void **state)
{
    (void)state;
    struct lb_grant other = grant;
    other.jti = "g-another";
    assert_code(verify(sign(own), &other), LB_GRANT_MALFORMED);
    other = grant;
    other.issuer = "another-hall";
    assert_code(verify(sign(own), &other), LB_GRANT_MALFORMED);
    assert_code(lb_revocation_verify(sign(own), &grant, FORGE_NOW - LB_CLOCK_SKEW_S, arena),
                LB_GRANT_MALFORMED);
}

static void a_spoilt_one_is_refused(void **state)
{
    (void)state;
    static const char *const swaps[][2] = {
        {"\"crv\":\"P-256\"", "\"crv\":\"P-384\""}, {"\"kty\":\"EC\"", "\"kty\":\"OKP\""},
        {"\"iat\":", "\"iat\":-"},                  {"\"jti\":", "\"extra\":1,\"jti\":"},
        {"\"salt\":\"", "\"salt\":\"AAAA"},         {"\"jwk\":", "\"jwk2\":"},
    };
    struct lb_span token = sign(own);
    const char *payload = forge_payload(arena, token);
    char *header = lb_arena_printf(arena, "{\"alg\":\"ES256\",\"typ\":\"lianban-revoke+jwt\","
                                          "\"kid\":\"k\"}");
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
        const char *spoilt = forge_swap(arena, payload, swaps[i][0], swaps[i][1]);
        assert_code(verify(forge_token(arena, header, spoilt, own), &grant), LB_GRANT_MALFORMED);
    }
    /* A kid that is not the key's own, another kind of token, no signature, one byte too few. */
    assert_code(verify(forge_token(arena, header, payload, own), &grant), LB_GRANT_MALFORMED);
    const char *grant_header = forge_swap(arena, header, "lianban-revoke+jwt",
                                          "lianban-grant+sd-jwt");
    assert_code(verify(forge_token(arena, grant_header, payload, own), &grant),
                LB_GRANT_MALFORMED);
    const char *none = forge_swap(arena, header, "ES256", "none");
    assert_code(verify(forge_token(arena, none, payload, own), &grant), LB_GRANT_MALFORMED);
    assert_code(verify(lb_span_of(token.ptr, token.len - 1), &grant), LB_GRANT_MALFORMED);
    assert_code(verify(LB_SPAN_EMPTY, &grant), LB_GRANT_MALFORMED);
    char *large = lb_arena_alloc(arena, LB_MAX_TOKEN_BYTES + 1);
    memset(large, 'a', LB_MAX_TOKEN_BYTES + 1);
    assert_code(verify(lb_span_of(large, LB_MAX_TOKEN_BYTES + 1), &grant), LB_TOO_LARGE);
}

/* The claim survives issuing and reading, and a grant without it has none. */
static void grants_carry_the_commitment(void **state)
{
    (void)state;
    struct lb_section section = forge_section();
    struct lb_grant read;
    struct lb_span jwt, disclosure;
    struct lb_verify_key *key = forge_verify_key(office);
    assert_ok(lb_grant_issue(&grant, &section, 1, office, arena, &jwt, &disclosure));
    assert_ok(lb_grant_verify(jwt, key, arena, &read));
    assert_true(read.has_subject_key);
    assert_memory_equal(read.subject_key, grant.subject_key, 32);
    assert_ok(verify(sign(own), &read));
    struct lb_grant plain = forge_grant();
    assert_ok(lb_grant_issue(&plain, &section, 1, office, arena, &jwt, &disclosure));
    assert_ok(lb_grant_verify(jwt, key, arena, &read));
    assert_false(read.has_subject_key);
    lb_verify_key_free(key);
}

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_key_that_the_grant_names_may), CASE(nobody_else_may),
        CASE(of_this_grant_only),               CASE(a_spoilt_one_is_refused),
        CASE(grants_carry_the_commitment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
