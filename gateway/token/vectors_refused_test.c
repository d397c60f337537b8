#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/forge.h"
#include "gateway/token/grant.h"
#include "gateway/token/jws.h"
#include "gateway/token/operator_token.h"
#include "gateway/token/sd_jwt.h"
#include "gateway/token/status_list.h"

/* Published tokens that are right by their own rules and must be refused by ours, and published
 * ES256 signatures with anything changed. RFC 7520 has no ES256 example: what it signs with other
 * algorithms is here. */

#define JOE                                                                                        \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"                             \
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define FRODO                                                                                      \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IH"                               \
    "lvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBk"                               \
    "b24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcm"                               \
    "UgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"

#define A3_SIGNATURE                                                                               \
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"                             \
    "pmWQxfKTUJqPP3-Kg6NU1Q"

static const char *const foreign_tokens[] = {
    /* RFC 7515 A.1: HS256 */
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." JOE
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    /* RFC 7515 A.3: ES256, but without our typ and kid */
    "eyJhbGciOiJFUzI1NiJ9." JOE "." A3_SIGNATURE,
    /* RFC 7515 A.5: unsecured */
    "eyJhbGciOiJub25lIn0." JOE ".",
    /* RFC 7520 section 4.3: ES512 */
    "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." FRODO
    ".AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvb"
    "u9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kv"
    "AD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2",
    /* RFC 7520 section 4.4: HS256 */
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9." FRODO
    ".s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0",
};
#define NUM_TOKENS (sizeof(foreign_tokens) / sizeof(foreign_tokens[0]))

static struct lb_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = lb_arena_new(1 << 20);
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    lb_arena_freep(&arena);
    return 0;
}

static struct lb_span b64url(const char *text)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_ok(lb_b64url_decode(arena, lb_span_str(text), &bytes));
    return bytes;
}

static struct lb_verify_key *p256(const char *x, const char *y)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    memcpy(raw, b64url(x).ptr, 32);
    memcpy(raw + 32, b64url(y).ptr, 32);
    struct lb_verify_key *key = NULL;
    assert_ok(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, sizeof(raw)), &key));
    return key;
}

/* RFC 7515 A.3's key. */
static struct lb_verify_key *joe_s_key(void)
{
    return p256("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
}

static void no_reader_takes_a_foreign_token(void **state)
{
    (void)state;
    struct lb_verify_key *key = joe_s_key();
    for (size_t i = 0; i < NUM_TOKENS; i++) {
        struct lb_span token = lb_span_str(foreign_tokens[i]);
        struct lb_jws jws;
        struct lb_grant grant;
        struct lb_operator claims;
        struct lb_status_list *list = NULL;
        assert_non_null(lb_jws_parse(token, "JWT", token.len, arena, &jws));
        assert_code(lb_grant_verify(token, key, arena, &grant), LB_GRANT_MALFORMED);
        assert_code(lb_operator_token_verify(token, key, 1300819000, arena, &claims),
                    LB_OPERATOR_TOKEN_INVALID);
        assert_code(lb_status_list_open(token, key, &list), LB_GRANT_MALFORMED);
        assert_null(list);
    }
    lb_verify_key_free(key);
}

/* RFC 7515 A.3 with every bit of the signature, every byte of the input, every length changed. */
static void an_altered_es256_signature_is_refused(void **state)
{
    (void)state;
    struct lb_verify_key *key = joe_s_key();
    struct lb_span input = lb_span_str("eyJhbGciOiJFUzI1NiJ9." JOE), changed = LB_SPAN_EMPTY;
    uint8_t raw[LB_SIGNATURE_BYTES];
    memcpy(raw, b64url(A3_SIGNATURE).ptr, sizeof(raw));
    assert_ok(lb_jws_check(input, lb_span_of(raw, sizeof(raw)), key));
    for (size_t bit = 0; bit < 8 * sizeof(raw); bit++) {
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_code(lb_jws_check(input, lb_span_of(raw, sizeof(raw)), key), LB_SIGNATURE_INVALID);
        raw[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t len = 0; len < sizeof(raw); len++)
        assert_code(lb_jws_check(input, lb_span_of(raw, len), key), LB_SIGNATURE_INVALID);
    assert_ok(lb_arena_copy(arena, input, &changed));
    for (size_t i = 0; i < input.len; i++) {
        uint8_t *byte = (uint8_t *)(uintptr_t)&changed.ptr[i];
        *byte ^= 1;
        assert_code(lb_jws_check(changed, lb_span_of(raw, sizeof(raw)), key),
                    LB_SIGNATURE_INVALID);
        *byte ^= 1;
    }
    lb_verify_key_free(key);
}

/* r and s of zero, and of the order of the curve, which some libraries took for a signature. */
static void degenerate_signatures_are_refused(void **state)
{
    (void)state;
    static const char order[] = "_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE";
    struct lb_verify_key *key = joe_s_key();
    struct lb_span input = lb_span_str("eyJhbGciOiJFUzI1NiJ9." JOE);
    uint8_t raw[LB_SIGNATURE_BYTES] = {0};
    assert_code(lb_jws_check(input, lb_span_of(raw, sizeof(raw)), key), LB_SIGNATURE_INVALID);
    memcpy(raw, b64url(order).ptr, 32);
    memcpy(raw + 32, b64url(order).ptr, 32);
    assert_code(lb_jws_check(input, lb_span_of(raw, sizeof(raw)), key), LB_SIGNATURE_INVALID);
    lb_verify_key_free(key);
}

/* RFC 7638 section 3.1: the SHA-256 of the members in their order. The thumbprints of our own keys
 * are RFC 8037's (vectors_test.c); the hash and its spelling are the same. */
static void rfc7638_3_1(void **state)
{
    (void)state;
    static const char canonical[] =
        "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2"
        "aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5"
        "JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgd"
        "AZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBni"
        "Iqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}";
    uint8_t digest[32];
    lb_sha256(lb_span_str(canonical), digest);
    assert_string_equal(lb_b64url_encode(arena, lb_span_of(digest, 32)),
                        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

/* RFC 9901 section 4.2.3's digest belongs to that one text: every changed character is another. */
static void an_altered_disclosure_has_another_digest(void **state)
{
    (void)state;
    char text[] = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
    struct lb_span want = b64url("X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0");
    uint8_t digest[32];
    lb_disclosure_digest(lb_span_str(text), digest);
    assert_memory_equal(digest, want.ptr, 32);
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        char was = text[i];
        text[i] = was == 'A' ? 'B' : 'A';
        lb_disclosure_digest(lb_span_str(text), digest);
        assert_memory_not_equal(digest, want.ptr, 32);
        text[i] = was;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_reader_takes_a_foreign_token, setup, teardown),
        cmocka_unit_test_setup_teardown(an_altered_es256_signature_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(degenerate_signatures_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(rfc7638_3_1, setup, teardown),
        cmocka_unit_test_setup_teardown(an_altered_disclosure_has_another_digest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
