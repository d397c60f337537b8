#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/token/forge.h"
#include "gateway/token/grant.h"
#include "gateway/token/sd_jwt.h"

#define NOW FORGE_NOW

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

static struct lb_span issue(const struct lb_grant *grant, size_t num, struct lb_span *disclosures)
{
    struct lb_section sections[LB_MAX_DISCLOSURES];
    for (size_t i = 0; i < num; i++)
        sections[i] = forge_section();
    struct lb_span jwt;
    assert_ok(lb_grant_issue(grant, sections, num, key, arena, &jwt, disclosures));
    return jwt;
}

/* --- grants that must be refused --- */

static void assert_refused(struct lb_span jwt, enum lb_code code)
{
    struct lb_grant got = {.issuer = "untouched"};
    assert_code(lb_grant_verify(jwt, public_key, arena, &got), code);
    assert_string_equal(got.issuer, "untouched");
}

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}"

static void test_hostile_headers(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{\"alg\":\"none\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}",
        "{\"alg\":\"HS256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}",
        "{\"alg\":\"es256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}",
        "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"hall-1\"}",
        "{\"alg\":\"ES256\",\"typ\":\"statuslist+jwt\",\"kid\":\"hall-1\"}",
        "{\"alg\":\"ES256\",\"kid\":\"hall-1\"}",
        "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\"}",
        "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"\"}",
        "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":7}",
        "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"a\\u0007\"}",
        "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\",\"crit\":[]}",
        "{\"alg\":\"ES256\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\",\"jwk\":{}}",
        "{\"alg\":\"ES256\",\"alg\":\"none\",\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}",
        "{\"alg\":[\"ES256\"],\"typ\":\"lianban-grant+sd-jwt\",\"kid\":\"hall-1\"}",
        "[]",
        "\"ES256\"",
        "{",
    };
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    const char *payload = forge_payload(arena, issue(&grant, 1, &disclosure));
    struct lb_grant got;
    assert_ok(lb_grant_verify(forge_token(arena, HEADER, payload, key), public_key, arena, &got));
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
        assert_refused(forge_token(arena, headers[i], payload, key), LB_GRANT_MALFORMED);
}

static void test_hostile_payloads(void **state)
{
    (void)state;
    static const char *const swaps[][2] = {
        {"\"jti\"", "\"sub\":\"x\",\"jti\""},           /* an extra claim */
        {"\"jti\"", "\"jti\":\"a\",\"jti\""},           /* a claim twice */
        {"\"iss\":\"service-hall\",", ""},              /* one missing */
        {"\"iss\":\"service-hall\"", "\"iss\":\"\""},   /* empty */
        {"\"iss\":\"service-hall\"", "\"iss\":17"},     /* of another type */
        {"\"iss\":\"service-hall\"", "\"iss\":\"a\\u0000b\""},
        {"\"iss\":\"service-hall\"", "\"iss\":\"a\\nb\""},
        {"\"iat\":1800000000", "\"iat\":\"1800000000\""},
        {"\"iat\":1800000000", "\"iat\":1800000000.5"},
        {"\"iat\":1800000000", "\"iat\":1.8e9"},
        {"\"iat\":1800000000", "\"iat\":-1"},
        {"\"iat\":1800000000", "\"iat\":99999999999999999999"},
        {"\"exp\":1800003600", "\"exp\":1800000000"},   /* exp == nbf */
        {"\"exp\":1800003600", "\"exp\":253402300800"}, /* past year 9999 */
        {"\"jkt\":\"", "\"jkt\":\"A"},                  /* 33 bytes */
        {"\"cnf\":{", "\"cnf\":{\"jwk\":1,"},
        {"\"cnf\":{", "\"cnf\":[],\"status\":{"},
        {"\"idx\":77", "\"idx\":-1"},
        {"\"idx\":77", "\"idx\":1048576"},
        {"\"status_list\":{", "\"status_list\":{\"extra\":1,"},
        {"\"uri\":\"https://hall.example/status/1\"", "\"uri\":\"\""},
        {"\"uri\":\"https://hall.example/status/1\"", "\"uri\":null"},
        {"sha-256", "sha-512"},
        {"\"_sd_alg\":\"sha-256\",", ""},
        {"\"_sd\":[", "\"_sd\":[\"\","},
        {"\"_sd\":[", "\"_sd\":[1,"},
        {"\"_sd\":[", "\"_sd\":[],\"_SD\":["},
    };
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    const char *payload = forge_payload(arena, issue(&grant, 1, &disclosure));
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
        const char *forged = forge_swap(arena, payload, swaps[i][0], swaps[i][1]);
        assert_refused(forge_token(arena, HEADER, forged, key), LB_GRANT_MALFORMED);
    }
    const char *newer = forge_swap(arena, payload, "lianban-1", "lianban-2");
    assert_refused(forge_token(arena, HEADER, newer, key), LB_VERSION_UNSUPPORTED);
}

static const char *digest_list(size_t num, bool rising, bool twice)
{
    char *list = lb_arena_alloc(arena, num * 48 + 16);
    size_t at = 0;
    for (size_t i = 0; i < num; i++) {
        uint8_t digest[32] = {(uint8_t)(rising ? i : num - i)};
        if (twice && i == num - 1)
            digest[0] = (uint8_t)(i - 1);
        at += (size_t)snprintf(list + at, 48, "%s\"%s\"", i == 0 ? "" : ",",
                               lb_b64url_encode(arena, lb_span_of(digest, 32)));
    }
    return list;
}

static void test_hostile_digests(void **state)
{
    (void)state;
    static const struct {
        size_t num;
        bool rising, twice;
        enum lb_code code;
    } cases[] = {
        {16, true, false, LB_CODE_OK},          {128, true, false, LB_CODE_OK},
        {15, true, false, LB_GRANT_MALFORMED},  {129, true, false, LB_GRANT_MALFORMED},
        {16, false, false, LB_GRANT_MALFORMED}, {16, true, true, LB_GRANT_MALFORMED},
        {0, true, false, LB_GRANT_MALFORMED},
    };
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    const char *payload = forge_payload(arena, issue(&grant, 1, &disclosure));
    const char *list = strstr(payload, "\"_sd\":[");
    assert_non_null(list);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *forged = lb_arena_printf(arena, "%.*s\"_sd\":[%s]}", (int)(list - payload), payload,
                                       digest_list(cases[i].num, cases[i].rising, cases[i].twice));
        struct lb_grant got;
        assert_code(
            lb_grant_verify(forge_token(arena, HEADER, forged, key), public_key, arena, &got),
            cases[i].code);
    }
}

static void test_wrong_key_and_bits(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    struct lb_grant got;
    struct lb_span disclosure;
    struct lb_span jwt = issue(&grant, 1, &disclosure);
    struct lb_sign_key *other = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &other));
    struct lb_verify_key *other_public = forge_verify_key(other);
    assert_code(lb_grant_verify(jwt, other_public, arena, &got), LB_SIGNATURE_INVALID);
    assert_code(lb_grant_verify(jwt, NULL, arena, &got), LB_SIGNATURE_INVALID);
    assert_ok(lb_grant_peek(jwt, arena, &got));
    assert_ok(lb_grant_check_signature(&got, public_key));
    assert_code(lb_grant_check_signature(&got, other_public), LB_SIGNATURE_INVALID);
    assert_code(lb_grant_check_signature(&got, NULL), LB_SIGNATURE_INVALID);
    /* Claims that nobody read from a token have no signature, whatever they say. */
    assert_code(lb_grant_check_signature(&grant, public_key), LB_SIGNATURE_INVALID);
    lb_verify_key_free(other_public);
    lb_sign_key_free(other);
    struct lb_sign_key *edwards = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ED25519, &edwards));
    struct lb_verify_key *edwards_public = forge_verify_key(edwards);
    assert_code(lb_grant_verify(jwt, edwards_public, arena, &got), LB_SIGNATURE_INVALID);
    struct lb_section section = forge_section();
    assert_code(lb_grant_issue(&grant, &section, 1, edwards, arena, &jwt, &disclosure),
                LB_CRYPTO_FAILED);
    lb_verify_key_free(edwards_public);
    lb_sign_key_free(edwards);
}

/* Every truncation and every changed character is refused. */
static void test_every_byte(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    struct lb_span jwt = issue(&grant, 1, &disclosure);
    LB_DEFER(lb_arena_freep) struct lb_arena *copies = lb_arena_new(LB_CALL_ARENA_BYTES);
    for (size_t i = 0; i < jwt.len; i++) {
        struct lb_grant got;
        assert_true(lb_grant_verify(lb_span_of(jwt.ptr, i), public_key, copies, &got) != LB_OK);
        struct lb_span changed;
        assert_ok(lb_arena_copy(copies, jwt, &changed));
        uint8_t *at = (uint8_t *)(uintptr_t)changed.ptr + i;
        *at = *at == 'A' ? 'B' : 'A';
        assert_true(lb_grant_verify(changed, public_key, copies, &got) != LB_OK);
        if (lb_grant_peek(changed, copies, &got) == LB_OK)
            assert_code(lb_grant_check_signature(&got, public_key), LB_SIGNATURE_INVALID);
        lb_arena_reset(copies);
    }
}

static void test_not_canonical(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    const char *jwt = lb_arena_str(arena, issue(&grant, 1, &disclosure));
    static const char *const tails[] = {"=", "A", ".", ".AAAA", "~", " ", "\n"};
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
        assert_refused(lb_span_str(lb_arena_printf(arena, "%s%s", jwt, tails[i])),
                       LB_GRANT_MALFORMED);
    assert_refused(lb_span_str(lb_arena_printf(arena, " %s", jwt)), LB_GRANT_MALFORMED);
    assert_refused(lb_span_str(lb_arena_printf(arena, ".%s", jwt)), LB_GRANT_MALFORMED);
    assert_refused(LB_SPAN_EMPTY, LB_GRANT_MALFORMED);
    assert_refused(lb_span_str(".."), LB_GRANT_MALFORMED);
    assert_refused(lb_span_str("..."), LB_GRANT_MALFORMED);
    /* The last digit of a 64-byte signature carries four spare bits; they must be zero. */
    size_t len = strlen(jwt);
    char *loose = lb_arena_printf(arena, "%s", jwt);
    loose[len - 1] = (char)(loose[len - 1] + 1);
    assert_refused(lb_span_str(loose), LB_GRANT_MALFORMED);
}

static void test_huge(void **state)
{
    (void)state;
    char *filler = lb_arena_alloc(arena, LB_MAX_GRANT_BYTES + 1);
    memset(filler, 'A', LB_MAX_GRANT_BYTES);
    assert_refused(lb_span_of(filler, LB_MAX_GRANT_BYTES + 1), LB_GRANT_MALFORMED);
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    const char *payload = forge_payload(arena, issue(&grant, 1, &disclosure));
    filler[LB_MAX_NAME_BYTES + 1] = 0;
    const char *name = lb_arena_printf(arena, "\"iss\":\"%s\"", filler);
    assert_refused(forge_token(arena, HEADER,
                               forge_swap(arena, payload, "\"iss\":\"service-hall\"", name), key),
                   LB_GRANT_MALFORMED);
    /* Deep nesting. */
    char *deep = lb_arena_alloc(arena, 10001);
    memset(deep, '[', 10000);
    assert_refused(forge_token(arena, HEADER, deep, key), LB_GRANT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hostile_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_payloads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_digests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_key_and_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_canonical, setup, teardown),
        cmocka_unit_test_setup_teardown(test_huge, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
