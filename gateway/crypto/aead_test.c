#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/aead.h"

/* The AES-GCM submission to NIST (McGrew, Viega), test cases 4 and 16: one plaintext and AAD. */
#define PLAIN                                                                                      \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                             \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"
#define NONCE "cafebabefacedbaddecaf888"

struct gcm_case {
    const char *key;
    const char *sealed;
};

static const struct gcm_case cases[] = {
    {"feffe9928665731c6d6a8f9467308308",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static struct lb_span hex(const char *text, uint8_t *out)
{
    size_t len = strlen(text) / 2;
    assert_true(lb_hex_decode(lb_span_str(text), out, len) == LB_OK);
    return lb_span_of(out, len);
}

static void seals_and_opens_the_published_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t key[32], nonce[12], aad[20], plain[60], expected[76], out[76], back[60];
        struct lb_span k = hex(cases[i].key, key);
        struct lb_span p = hex(PLAIN, plain);
        struct lb_span a = hex(AAD, aad);
        struct lb_span e = hex(cases[i].sealed, expected);
        hex(NONCE, nonce);
        assert_true(lb_aead_seal(k, nonce, a, p, out) == LB_OK);
        assert_memory_equal(out, e.ptr, e.len);
        assert_true(lb_aead_open(k, nonce, a, e, back) == LB_OK);
        assert_memory_equal(back, p.ptr, p.len);
    }
}

static void every_flipped_bit_breaks_the_seal_and_shows_nothing(void **state)
{
    (void)state;
    const uint8_t key[16] = {1};
    const uint8_t nonce[12] = {2};
    const uint8_t zeros[5] = {0};
    uint8_t sealed[5 + LB_AEAD_TAG_BYTES];
    uint8_t back[5];
    struct lb_span k = lb_span_of(key, sizeof(key));
    assert_true(lb_aead_seal(k, nonce, LB_SPAN_EMPTY, lb_span_str("hello"), sealed) == LB_OK);
    for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        memset(back, 0xff, sizeof(back));
        lb_status status =
            lb_aead_open(k, nonce, LB_SPAN_EMPTY, lb_span_of(sealed, sizeof(sealed)), back);
        assert_int_equal(lb_status_code(status), LB_SEAL_BROKEN);
        assert_memory_equal(back, zeros, sizeof(back));
        sealed[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(lb_aead_open(k, nonce, LB_SPAN_EMPTY, lb_span_of(sealed, sizeof(sealed)), back) ==
                LB_OK);
    assert_memory_equal(back, "hello", 5);
}

static void truncated_wrong_key_nonce_or_aad_do_not_open(void **state)
{
    (void)state;
    const uint8_t key[32] = {1};
    const uint8_t other_key[32] = {9};
    const uint8_t nonce[12] = {2};
    const uint8_t other_nonce[12] = {3};
    uint8_t sealed[5 + LB_AEAD_TAG_BYTES];
    uint8_t back[sizeof(sealed)];
    struct lb_span k = lb_span_of(key, sizeof(key));
    struct lb_span aad = lb_span_str("aad");
    assert_true(lb_aead_seal(k, nonce, aad, lb_span_str("hello"), sealed) == LB_OK);
    for (size_t len = 0; len < sizeof(sealed); len++)
        assert_int_equal(
            lb_status_code(lb_aead_open(k, nonce, aad, lb_span_of(sealed, len), back)),
            LB_SEAL_BROKEN);
    struct lb_span whole = lb_span_of(sealed, sizeof(sealed));
    assert_int_equal(lb_status_code(lb_aead_open(lb_span_of(other_key, 32), nonce, aad, whole,
                                                 back)), LB_SEAL_BROKEN);
    assert_int_equal(lb_status_code(lb_aead_open(k, other_nonce, aad, whole, back)),
                     LB_SEAL_BROKEN);
    assert_int_equal(lb_status_code(lb_aead_open(k, nonce, LB_SPAN_EMPTY, whole, back)),
                     LB_SEAL_BROKEN);
}

static void keys_of_other_lengths_are_refused(void **state)
{
    (void)state;
    const uint8_t key[33] = {0};
    const uint8_t nonce[12] = {0};
    uint8_t out[32];
    for (size_t len = 0; len <= sizeof(key); len++) {
        lb_status status =
            lb_aead_seal(lb_span_of(key, len), nonce, LB_SPAN_EMPTY, LB_SPAN_EMPTY, out);
        assert_int_equal(lb_status_code(status),
                         len == 16 || len == 32 ? LB_CODE_OK : LB_CRYPTO_FAILED);
    }
}

static void an_empty_text_is_sealed_as_its_tag(void **state)
{
    (void)state;
    /* Test case 1 of the same paper: all zeros, nothing to encrypt. */
    const uint8_t key[16] = {0};
    const uint8_t nonce[12] = {0};
    uint8_t expected[16], out[16];
    struct lb_span e = hex("58e2fccefa7e3061367f1d57a4e7455a", expected);
    assert_true(lb_aead_seal(lb_span_of(key, 16), nonce, LB_SPAN_EMPTY, LB_SPAN_EMPTY, out) ==
                LB_OK);
    assert_memory_equal(out, expected, sizeof(out));
    assert_true(lb_aead_open(lb_span_of(key, 16), nonce, LB_SPAN_EMPTY, e, NULL) == LB_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seals_and_opens_the_published_cases),
        cmocka_unit_test(every_flipped_bit_breaks_the_seal_and_shows_nothing),
        cmocka_unit_test(truncated_wrong_key_nonce_or_aad_do_not_open),
        cmocka_unit_test(keys_of_other_lengths_are_refused),
        cmocka_unit_test(an_empty_text_is_sealed_as_its_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
