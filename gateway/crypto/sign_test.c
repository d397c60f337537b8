#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/sign.h"

/* RFC 6979 A.2.5: a P-256 key and its signature of "sample" with SHA-256. */
#define P256_PUBLIC                                                                                \
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"                             \
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define P256_R "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
#define P256_S "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

struct eddsa_case {
    const char *seed;
    const char *public_key;
    const char *message;
    const char *signature;
};

/* RFC 8032 §7.1, tests 1 to 3. */
static const struct eddsa_case eddsa[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

static struct lb_span hex(const char *text, uint8_t *out)
{
    size_t len = strlen(text) / 2;
    assert_true(lb_hex_decode(lb_span_str(text), out, len) == LB_OK);
    return lb_span_of(out, len);
}

static void ed25519_gives_the_values_of_rfc_8032(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(eddsa) / sizeof(eddsa[0]); i++) {
        uint8_t seed[32], public_key[32], message[2], signature[64], out[64];
        hex(eddsa[i].seed, seed);
        struct lb_span pub = hex(eddsa[i].public_key, public_key);
        struct lb_span msg = hex(eddsa[i].message, message);
        struct lb_span sig = hex(eddsa[i].signature, signature);
        struct lb_sign_key *key = NULL;
        assert_true(lb_sign_key_from_seed(seed, &key) == LB_OK);
        assert_int_equal(lb_sign_key_alg(key), LB_SIGN_ED25519);
        assert_int_equal(lb_sign_key_public(key, out), 32);
        assert_memory_equal(out, public_key, 32);
        assert_true(lb_sign(key, msg, out) == LB_OK);
        assert_memory_equal(out, signature, 64);
        struct lb_verify_key *verifier = NULL;
        assert_true(lb_verify_key_new(LB_SIGN_ED25519, pub, &verifier) == LB_OK);
        assert_true(lb_verify(verifier, msg, sig) == LB_OK);
        lb_verify_key_free(verifier);
        lb_sign_key_free(key);
    }
}

static struct lb_verify_key *rfc_6979_key(void)
{
    uint8_t raw[64];
    struct lb_verify_key *key = NULL;
    assert_true(lb_verify_key_new(LB_SIGN_ES256, hex(P256_PUBLIC, raw), &key) == LB_OK);
    return key;
}

static void es256_verifies_the_signature_of_rfc_6979(void **state)
{
    (void)state;
    struct lb_verify_key *key = rfc_6979_key();
    uint8_t signature[64], raw[64];
    struct lb_span sig = hex(P256_R P256_S, signature);
    assert_true(lb_verify(key, lb_span_str("sample"), sig) == LB_OK);
    assert_int_equal(lb_status_code(lb_verify(key, lb_span_str("samplf"), sig)),
                     LB_SIGNATURE_INVALID);
    assert_int_equal(lb_verify_key_alg(key), LB_SIGN_ES256);
    assert_int_equal(lb_verify_key_raw(key, raw), 64);
    uint8_t expected[64];
    hex(P256_PUBLIC, expected);
    assert_memory_equal(raw, expected, 64);
    lb_verify_key_free(key);
}

/* Zeros are what CVE-2022-21449 let through; r and s must be in 1..n-1. */
static void es256_refuses_halves_out_of_range(void **state)
{
    (void)state;
    static const char *const forged[] = {
        ZEROS ZEROS,  ZEROS P256_S,      P256_R ZEROS,      P256_ORDER P256_S,
        P256_R P256_ORDER, P256_ORDER P256_ORDER, P256_S P256_R,
    };
    struct lb_verify_key *key = rfc_6979_key();
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        uint8_t signature[64];
        lb_status status = lb_verify(key, lb_span_str("sample"), hex(forged[i], signature));
        assert_int_equal(lb_status_code(status), LB_SIGNATURE_INVALID);
    }
    lb_verify_key_free(key);
}

static void every_flipped_bit_or_other_length_is_refused(void **state)
{
    (void)state;
    static const enum lb_sign_alg algs[] = {LB_SIGN_ED25519, LB_SIGN_ES256};
    for (size_t a = 0; a < 2; a++) {
        struct lb_sign_key *key = NULL;
        struct lb_verify_key *verifier = NULL;
        uint8_t raw[64], signature[65] = {0};
        assert_true(lb_sign_key_generate(algs[a], &key) == LB_OK);
        size_t len = lb_sign_key_public(key, raw);
        assert_true(lb_verify_key_new(algs[a], lb_span_of(raw, len), &verifier) == LB_OK);
        struct lb_span msg = lb_span_str("message");
        assert_true(lb_sign(key, msg, signature) == LB_OK);
        assert_true(lb_verify(verifier, msg, lb_span_of(signature, 64)) == LB_OK);
        for (size_t bit = 0; bit < 512; bit++) {
            signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
            lb_status status = lb_verify(verifier, msg, lb_span_of(signature, 64));
            assert_int_equal(lb_status_code(status), LB_SIGNATURE_INVALID);
            signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        for (size_t cut = 0; cut <= 65; cut++) {
            lb_status status = lb_verify(verifier, msg, lb_span_of(signature, cut));
            assert_int_equal(lb_status_code(status), cut == 64 ? LB_CODE_OK : LB_SIGNATURE_INVALID);
        }
        lb_verify_key_free(verifier);
        lb_sign_key_free(key);
    }
}

static void one_key_signs_many_times(void **state)
{
    (void)state;
    struct lb_sign_key *key = NULL;
    struct lb_verify_key *verifier = NULL;
    uint8_t raw[64], signature[64];
    assert_true(lb_sign_key_generate(LB_SIGN_ES256, &key) == LB_OK);
    size_t len = lb_sign_key_public(key, raw);
    assert_true(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len), &verifier) == LB_OK);
    for (uint8_t i = 0; i < 50; i++) {
        struct lb_span msg = lb_span_of(&i, 1);
        assert_true(lb_sign(key, msg, signature) == LB_OK);
        assert_true(lb_verify(verifier, msg, lb_span_of(signature, 64)) == LB_OK);
    }
    lb_verify_key_free(verifier);
    lb_sign_key_free(key);
}

static void public_keys_of_wrong_shape_are_refused(void **state)
{
    (void)state;
    uint8_t raw[65];
    struct lb_verify_key *key = NULL;
    hex(P256_PUBLIC, raw);
    raw[64] = 0;
    for (size_t len = 0; len <= sizeof(raw); len++) {
        if (len != 64)
            assert_int_equal(
                lb_status_code(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len), &key)),
                LB_MALFORMED);
        if (len != 32)
            assert_int_equal(
                lb_status_code(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(raw, len), &key)),
                LB_MALFORMED);
    }
    raw[63] ^= 1;
    assert_int_equal(lb_status_code(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, 64), &key)),
                     LB_MALFORMED);
    memset(raw, 0, sizeof(raw));
    assert_int_equal(lb_status_code(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, 64), &key)),
                     LB_MALFORMED);
    assert_null(key);
}

static void private_keys_come_back_from_pem(void **state)
{
    (void)state;
    static const enum lb_sign_alg algs[] = {LB_SIGN_ED25519, LB_SIGN_ES256};
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    for (size_t a = 0; a < 2; a++) {
        struct lb_sign_key *key = NULL;
        struct lb_sign_key *back = NULL;
        struct lb_span pem;
        uint8_t before[64], after[64];
        assert_true(lb_sign_key_generate(algs[a], &key) == LB_OK);
        assert_true(lb_sign_key_to_pem(key, arena, &pem) == LB_OK);
        assert_true(lb_sign_key_from_pem(pem, algs[a], &back) == LB_OK);
        size_t len = lb_sign_key_public(key, before);
        assert_int_equal(lb_sign_key_public(back, after), len);
        assert_memory_equal(before, after, len);
        lb_sign_key_free(back);
        back = NULL;
        assert_int_equal(lb_status_code(lb_sign_key_from_pem(pem, algs[1 - a], &back)),
                         LB_MALFORMED);
        /* Cut inside its body or its end line, it is no key; the last newline alone may go. */
        for (size_t cut = 0; cut + 1 < pem.len; cut++)
            assert_int_equal(lb_status_code(lb_sign_key_from_pem(lb_span_of(pem.ptr, cut), algs[a],
                                                                 &back)),
                             LB_MALFORMED);
        assert_null(back);
        lb_sign_key_free(key);
    }
}

/* The RFC 6979 key in PKCS#8, its public half replaced by one of another key: made by hand as
 * SEQUENCE { 0, { ecPublicKey, P-256 }, OCTET STRING { SEQUENCE { 1, d, [1] point } } }. */
#define PKCS8_HEAD                                                                                 \
    "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"                     \
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a14403420004"
#define BASE_POINT                                                                                 \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                             \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

static struct lb_span pem_of(struct lb_arena *arena, const char *type, const char *der_hex)
{
    uint8_t der[256];
    char *body = lb_b64_encode(arena, hex(der_hex, der));
    size_t len = strlen(body);
    char *pem = lb_arena_printf(arena, "-----BEGIN %s-----\n", type);
    for (size_t at = 0; at < len; at += 64)
        pem = lb_arena_printf(arena, "%s%.64s\n", pem, body + at);
    return lb_span_str(lb_arena_printf(arena, "%s-----END %s-----\n", pem, type));
}

static void hostile_private_keys_are_refused(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    struct lb_sign_key *key = NULL;
    struct lb_span good = pem_of(arena, "PRIVATE KEY", PKCS8_HEAD P256_PUBLIC);
    assert_true(lb_sign_key_from_pem(good, LB_SIGN_ES256, &key) == LB_OK);
    lb_sign_key_free(key);
    key = NULL;
    const struct lb_span bad[] = {
        pem_of(arena, "PRIVATE KEY", PKCS8_HEAD BASE_POINT),
        pem_of(arena, "PRIVATE KEY", PKCS8_HEAD P256_PUBLIC "00"),
        pem_of(arena, "PUBLIC KEY", PKCS8_HEAD P256_PUBLIC),
        pem_of(arena, "EC PRIVATE KEY", PKCS8_HEAD P256_PUBLIC),
        pem_of(arena, "ENCRYPTED PRIVATE KEY", PKCS8_HEAD P256_PUBLIC),
        lb_span_str(lb_arena_printf(arena, "%s%s", (const char *)good.ptr,
                                    (const char *)good.ptr)),
        lb_span_str("-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                    "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\nAAAA\n"
                    "-----END PRIVATE KEY-----\n"),
        lb_span_str("no key at all"),
        LB_SPAN_EMPTY,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(lb_status_code(lb_sign_key_from_pem(bad[i], LB_SIGN_ES256, &key)),
                         LB_MALFORMED);
    assert_null(key);
}

static void public_pem_is_spki(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    struct lb_verify_key *key = rfc_6979_key();
    struct lb_span pem;
    assert_true(lb_verify_key_to_pem(key, arena, &pem) == LB_OK);
    struct lb_span expected =
        pem_of(arena, "PUBLIC KEY",
               "3059301306072a8648ce3d020106082a8648ce3d03010703420004" P256_PUBLIC);
    assert_true(lb_span_eq(pem, expected));
    lb_verify_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_gives_the_values_of_rfc_8032),
        cmocka_unit_test(es256_verifies_the_signature_of_rfc_6979),
        cmocka_unit_test(es256_refuses_halves_out_of_range),
        cmocka_unit_test(every_flipped_bit_or_other_length_is_refused),
        cmocka_unit_test(one_key_signs_many_times),
        cmocka_unit_test(public_keys_of_wrong_shape_are_refused),
        cmocka_unit_test(private_keys_come_back_from_pem),
        cmocka_unit_test(hostile_private_keys_are_refused),
        cmocka_unit_test(public_pem_is_spki),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
