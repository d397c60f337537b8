#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/token/forge.h"
#include "gateway/token/grant.h"
#include "gateway/token/jws.h"
#include "gateway/token/sd_jwt.h"
#include "gateway/token/thumbprint.h"

/* Published vectors: RFC 7515, 8037 and 9901. */

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
    struct lb_span bytes;
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

/* RFC 7515 appendix A.3: an ES256 signature of somebody else. */
static void test_rfc7515_a3(void **state)
{
    (void)state;
    static const char input[] = "eyJhbGciOiJFUzI1NiJ9."
                                "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                                "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char signature[] =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
        "pmWQxfKTUJqPP3-Kg6NU1Q";
    struct lb_verify_key *key = p256("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                                     "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    assert_ok(lb_jws_check(lb_span_str(input), b64url(signature), key));
    /* One bit of the input, one bit of the signature. */
    struct lb_span changed;
    assert_ok(lb_arena_copy(arena, lb_span_str(input), &changed));
    ((uint8_t *)(uintptr_t)changed.ptr)[30] ^= 1;
    assert_code(lb_jws_check(changed, b64url(signature), key), LB_SIGNATURE_INVALID);
    struct lb_span bad = b64url(signature);
    ((uint8_t *)(uintptr_t)bad.ptr)[63] ^= 1;
    assert_code(lb_jws_check(lb_span_str(input), bad, key), LB_SIGNATURE_INVALID);
    assert_code(lb_jws_check(lb_span_str(input), b64url(signature), NULL), LB_SIGNATURE_INVALID);
    lb_verify_key_free(key);
}

/* RFC 8037 appendix A.3: the thumbprint of an OKP key. */
static void test_rfc8037_a3(void **state)
{
    (void)state;
    struct lb_span x = b64url("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    struct lb_span want = b64url("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    uint8_t thumbprint[32];
    assert_ok(lb_jwk_thumbprint_okp("Ed25519", x.ptr, arena, thumbprint));
    assert_memory_equal(thumbprint, want.ptr, 32);
    /* The curve is part of it. */
    assert_ok(lb_jwk_thumbprint_x25519(x.ptr, arena, thumbprint));
    assert_memory_not_equal(thumbprint, want.ptr, 32);
}

/* RFC 9901 section 5.1: the issuer-signed JWT and the ten disclosures of its claims. */
static const char rfc9901_input[] =
    "eyJhbGciOiAiRVMyNTYiLCAidHlwIjogImV4YW1wbGUrc2Qtand0In0.eyJfc2QiOiBbIkNy"
    "UWU3UzVrcUJBSHQtbk1ZWGdjNmJkdDJTSDVhVFkxc1VfTS1QZ2tqUEkiLCAiSnpZakg0c3Zs"
    "aUgwUjNQeUVNZmVadTZKdDY5dTVxZWhabzdGN0VQWWxTRSIsICJQb3JGYnBLdVZ1Nnh5bUph"
    "Z3ZrRnNGWEFiUm9jMkpHbEFVQTJCQTRvN2NJIiwgIlRHZjRvTGJnd2Q1SlFhSHlLVlFaVTlV"
    "ZEdFMHc1cnREc3JaemZVYW9tTG8iLCAiWFFfM2tQS3QxWHlYN0tBTmtxVlI2eVoyVmE1TnJQ"
    "SXZQWWJ5TXZSS0JNTSIsICJYekZyendzY002R242Q0pEYzZ2Vks4QmtNbmZHOHZPU0tmcFBJ"
    "WmRBZmRFIiwgImdiT3NJNEVkcTJ4Mkt3LXc1d1BFemFrb2I5aFYxY1JEMEFUTjNvUUw5Sk0i"
    "LCAianN1OXlWdWx3UVFsaEZsTV8zSmx6TWFTRnpnbGhRRzBEcGZheVF3TFVLNCJdLCAiaXNz"
    "IjogImh0dHBzOi8vaXNzdWVyLmV4YW1wbGUuY29tIiwgImlhdCI6IDE2ODMwMDAwMDAsICJl"
    "eHAiOiAxODgzMDAwMDAwLCAic3ViIjogInVzZXJfNDIiLCAibmF0aW9uYWxpdGllcyI6IFt7"
    "Ii4uLiI6ICJwRm5kamtaX1ZDem15VGE2VWpsWm8zZGgta284YUlLUWM5RGxHemhhVllvIn0s"
    "IHsiLi4uIjogIjdDZjZKa1B1ZHJ5M2xjYndIZ2VaOGtoQXYxVTFPU2xlclAwVmtCSnJXWjAi"
    "fV0sICJfc2RfYWxnIjogInNoYS0yNTYiLCAiY25mIjogeyJqd2siOiB7Imt0eSI6ICJFQyIs"
    "ICJjcnYiOiAiUC0yNTYiLCAieCI6ICJUQ0FFUjE5WnZ1M09IRjRqNFc0dmZTVm9ISVAxSUxp"
    "bERsczd2Q2VHZW1jIiwgInkiOiAiWnhqaVdXYlpNUUdIVldLVlE0aGJTSWlyc1ZmdWVjQ0U2"
    "dDRqVDlGMkhaUSJ9fX0";
static const char rfc9901_signature[] =
    "MczwjBFGtzf-6WMT-hIvYbkb11NrV1WMO-jTijpMPNbswNzZ87wY2uHz-CXo6R04b7jYrpj9"
    "mNRAvVssXou1iw";

static const struct {
    const char *disclosure;
    const char *digest;
    const char *name;  /* NULL for an array element, which has none */
} rfc9901_claims[] = {
    {"WyIyR0xDNDJzS1F2ZUNmR2ZyeU5STjl3IiwgImdpdmVuX25hbWUiLCAiSm9obiJd",
     "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4", "given_name"},
    {"WyJlbHVWNU9nM2dTTklJOEVZbnN4QV9BIiwgImZhbWlseV9uYW1lIiwgIkRvZSJd",
     "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo", "family_name"},
    {"WyI2SWo3dE0tYTVpVlBHYm9TNXRtdlZBIiwgImVtYWlsIiwgImpvaG5kb2VAZXhhbXBsZS5jb20iXQ",
     "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE", "email"},
    {"WyJlSThaV205UW5LUHBOUGVOZW5IZGhRIiwgInBob25lX251bWJlciIsICIrMS0yMDItNTU1LTAxMDEiXQ",
     "PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI", "phone_number"},
    {"WyJRZ19PNjR6cUF4ZTQxMmExMDhpcm9BIiwgInBob25lX251bWJlcl92ZXJpZmllZCIsIHRydWVd",
     "XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM", "phone_number_verified"},
    {"WyJBSngtMDk1VlBycFR0TjRRTU9xUk9BIiwgImFkZHJlc3MiLCB7InN0cmVldF9hZGRyZXNzIjogIjEyMyBNYWlu"
     "IFN0IiwgImxvY2FsaXR5IjogIkFueXRvd24iLCAicmVnaW9uIjogIkFueXN0YXRlIiwgImNvdW50cnkiOiAiVVMi"
     "fV0",
     "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE", "address"},
    {"WyJQYzMzSk0yTGNoY1VfbEhnZ3ZfdWZRIiwgImJpcnRoZGF0ZSIsICIxOTQwLTAxLTAxIl0",
     "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM", "birthdate"},
    {"WyJHMDJOU3JRZmpGWFE3SW8wOXN5YWpBIiwgInVwZGF0ZWRfYXQiLCAxNTcwMDAwMDAwXQ",
     "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI", "updated_at"},
    {"WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIlVTIl0",
     "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo", NULL},
    {"WyJuUHVvUW5rUkZxM0JJZUFtN0FuWEZBIiwgIkRFIl0",
     "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0", NULL},
};
#define NUM_CLAIMS (sizeof(rfc9901_claims) / sizeof(rfc9901_claims[0]))

static void test_rfc9901_signature(void **state)
{
    (void)state;
    struct lb_verify_key *key = p256("b28d4MwZMjw8-00CG4xfnn9SLMVMM19SlqZpVb_uNtQ",
                                     "Xv5zWwuoaTgdS6hV43yI6gBwTnjukmFQQnJ_kCxzqk8");
    assert_ok(lb_jws_check(lb_span_str(rfc9901_input), b64url(rfc9901_signature), key));
    lb_verify_key_free(key);
}

static void test_rfc9901_digests(void **state)
{
    (void)state;
    const char *payload = lb_arena_str(arena, b64url(strchr(rfc9901_input, '.') + 1));
    assert_non_null(payload);
    for (size_t i = 0; i < NUM_CLAIMS; i++) {
        uint8_t digest[32];
        lb_disclosure_digest(lb_span_str(rfc9901_claims[i].disclosure), digest);
        assert_memory_equal(digest, b64url(rfc9901_claims[i].digest).ptr, 32);
        /* And the signed payload names it. */
        assert_non_null(strstr(payload, rfc9901_claims[i].digest));
    }
}

static void test_rfc9901_disclosures(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_CLAIMS; i++) {
        LB_DEFER(lb_json_freep) struct lb_json *root = NULL;
        const struct lb_json *value = NULL;
        struct lb_span disclosure = lb_span_str(rfc9901_claims[i].disclosure);
        const char *name = rfc9901_claims[i].name;
        if (name == NULL) {
            assert_code(lb_disclosure_read(disclosure, "nationalities", arena, &root, &value),
                        LB_MALFORMED);
            assert_null(root);
            continue;
        }
        assert_ok(lb_disclosure_read(disclosure, name, arena, &root, &value));
        assert_non_null(value);
        if (i == 0)
            assert_true(lb_span_is(lb_json_str(value), "John"));
        struct lb_json *other = NULL;
        assert_code(lb_disclosure_read(disclosure, "sub", arena, &other, &value), LB_MALFORMED);
        assert_null(other);
    }
}

/* RFC 9901 section 4.2.1 and 4.2.3: three encodings of one claim have three digests. */
static void test_rfc9901_no_reencoding(void **state)
{
    (void)state;
    uint8_t first[32];
    uint8_t second[32];
    lb_disclosure_digest(
        lb_span_str("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"),
        first);
    lb_disclosure_digest(
        lb_span_str("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd"),
        second);
    assert_memory_equal(first, b64url("X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0").ptr, 32);
    assert_memory_not_equal(first, second, 32);
}

static void test_rfc9901_split(void **state)
{
    (void)state;
    struct lb_span disclosures[NUM_CLAIMS];
    for (size_t i = 0; i < NUM_CLAIMS; i++)
        disclosures[i] = lb_span_str(rfc9901_claims[i].disclosure);
    char *jwt = lb_arena_printf(arena, "%s.%s", rfc9901_input, rfc9901_signature);
    assert_non_null(jwt);
    struct lb_span text;
    assert_ok(lb_sd_jwt_join(lb_span_str(jwt), disclosures, NUM_CLAIMS, arena, &text));
    assert_int_equal(text.ptr[text.len - 1], '~');
    struct lb_span got_jwt;
    struct lb_span *got = NULL;
    size_t num = 0;
    assert_ok(lb_sd_jwt_split(text, arena, &got_jwt, &got, &num));
    assert_true(lb_span_is(got_jwt, jwt));
    assert_int_equal(num, NUM_CLAIMS);
    for (size_t i = 0; i < num; i++)
        assert_true(lb_span_eq(got[i], disclosures[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rfc7515_a3, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rfc8037_a3, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rfc9901_signature, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rfc9901_digests, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rfc9901_disclosures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rfc9901_no_reencoding, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rfc9901_split, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
