#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sodium.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/sign.h"

/* Ed25519 is libsodium's; here it is held against OpenSSL's, over what honest and hostile signers
 * make. */

#define ORDER "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
#define ROUNDS 200
#define MAX_MESSAGE 3000

/* Where y may lie beyond the field, p to 2^255 - 1, is told by one byte. */
#define NUM_NOT_CANONICAL 19

/* The points of small order, in their canonical form, without the sign of x. */
static const char *const small_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};
#define NUM_SMALL (sizeof(small_order) / sizeof(small_order[0]))

struct triple {
    uint8_t key[32];
    uint8_t signature[64];
    uint8_t message[MAX_MESSAGE];
    size_t len;
};

static void from_hex(const char *text, uint8_t *out)
{
    assert_true(lb_hex_decode(lb_span_str(text), out, strlen(text) / 2) == LB_OK);
}

static bool ours(const struct triple *in)
{
    struct lb_verify_key *key = NULL;
    assert_true(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(in->key, 32), &key) == LB_OK);
    lb_status status = lb_verify(key, lb_span_of(in->message, in->len),
                                 lb_span_of(in->signature, sizeof(in->signature)));
    if (status != LB_OK)
        assert_int_equal(lb_status_code(status), LB_SIGNATURE_INVALID);
    lb_verify_key_free(key);
    return status == LB_OK;
}

static bool theirs(const struct triple *in)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, in->key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_non_null(key);
    assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL), 1);
    bool good = EVP_DigestVerify(ctx, in->signature, 64, in->message, in->len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return good;
}

static bool both(const struct triple *in)
{
    bool good = ours(in);
    assert_int_equal(good, theirs(in));
    return good;
}

static void random_bytes(uint8_t *out, size_t len)
{
    assert_true(lb_crypto_random(out, len) == LB_OK);
}

/* A signature by a new key, which OpenSSL would have made alike. */
static void sign_new(struct triple *out, size_t len)
{
    uint8_t seed[32], by_openssl[64];
    uint8_t public_key[LB_P256_PUBLIC_BYTES];
    size_t signature_len = sizeof(by_openssl);
    struct lb_sign_key *key = NULL;
    random_bytes(seed, sizeof(seed));
    out->len = len;
    random_bytes(out->message, len);
    assert_true(lb_sign_key_from_seed(seed, &key) == LB_OK);
    assert_int_equal(lb_sign_key_public(key, public_key), 32);
    memcpy(out->key, public_key, 32);
    assert_true(lb_sign(key, lb_span_of(out->message, len), out->signature) == LB_OK);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, by_openssl, &signature_len, out->message, len), 1);
    assert_memory_equal(out->signature, by_openssl, 64);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    lb_sign_key_free(key);
}

static void both_sign_the_same_bytes_and_take_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct triple triple;
        sign_new(&triple, i < 20 ? i : i * 14);
        assert_true(both(&triple));
    }
}

static void both_refuse_what_was_changed(void **state)
{
    (void)state;
    struct triple triple;
    sign_new(&triple, 40);
    for (size_t bit = 0; bit < 512 + 256 + 320; bit++) {
        struct triple changed = triple;
        uint8_t *in = bit < 512 ? changed.signature : bit < 768 ? changed.key : changed.message;
        size_t at = bit < 512 ? bit : bit < 768 ? bit - 512 : bit - 768;
        in[at / 8] ^= (uint8_t)(1U << at % 8);
        assert_false(both(&changed));
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        struct triple noise = triple;
        random_bytes(noise.signature, i % 2 == 0 ? 64 : 32);
        assert_false(both(&noise));
        random_bytes(noise.key, 32);
        assert_false(both(&noise));
    }
}

/* S and S + L verify alike where nobody looks: one signature would have two texts. */
static void both_refuse_an_s_that_is_not_reduced(void **state)
{
    (void)state;
    uint8_t order[32];
    from_hex(ORDER, order);
    for (size_t i = 0; i < 20; i++) {
        struct triple triple;
        sign_new(&triple, 8);
        /* L is a little more than 2^252, so that fifteen of them fit beside. */
        for (size_t times = 1; times < 16; times++) {
            unsigned carry = 0;
            for (size_t at = 0; at < 32; at++) {
                carry += (unsigned)triple.signature[32 + at] + order[at];
                triple.signature[32 + at] = (uint8_t)carry;
                carry >>= 8;
            }
            assert_false(both(&triple));
        }
        memcpy(triple.signature + 32, order, 32);
        assert_false(both(&triple));
    }
}

/* An encoding that only a hostile key or R has, and which OpenSSL takes now and then. */
static bool next_hostile(size_t number, uint8_t out[32])
{
    size_t which = number / 2;
    if (which < NUM_SMALL) {
        from_hex(small_order[which], out);
    } else if (which < NUM_SMALL + NUM_NOT_CANONICAL) {
        memset(out, 0xff, 32);
        out[0] = (uint8_t)(0xed + which - NUM_SMALL);
        out[31] = 0x7f;
    } else {
        return false;
    }
    if (number % 2 == 1)
        out[31] |= 0x80;
    return true;
}

/* With a key of small order, S = 0 and R = -hA verifies for a good part of all messages: whoever
 * takes such a key takes signatures nobody made. */
static void hostile_keys_and_points_are_refused(void **state)
{
    (void)state;
    size_t taken_by_openssl = 0;
    struct triple triple;
    for (size_t a = 0; next_hostile(a, triple.key); a++) {
        for (size_t r = 0; next_hostile(r, triple.signature); r++) {
            memset(triple.signature + 32, 0, 32);
            for (triple.len = 1; triple.len <= 4; triple.len++) {
                memset(triple.message, (int)triple.len, triple.len);
                assert_false(ours(&triple));
                taken_by_openssl += theirs(&triple);
            }
        }
    }
    /* Else this shows nothing. */
    assert_true(taken_by_openssl > 0);
}

static void an_honest_key_with_a_hostile_r_is_refused_by_both(void **state)
{
    (void)state;
    struct triple triple;
    sign_new(&triple, 9);
    for (size_t r = 0; next_hostile(r, triple.signature); r++)
        assert_false(both(&triple));
    memset(triple.signature, 0, 64);
    assert_false(both(&triple));
    memset(triple.signature, 0xff, 64);
    assert_false(both(&triple));
}

static void challenge(const struct triple *in, uint8_t out[32])
{
    uint8_t digest[64];
    crypto_hash_sha512_state hash;
    (void)crypto_hash_sha512_init(&hash);
    (void)crypto_hash_sha512_update(&hash, in->signature, 32);
    (void)crypto_hash_sha512_update(&hash, in->key, 32);
    (void)crypto_hash_sha512_update(&hash, in->message, in->len);
    (void)crypto_hash_sha512_final(&hash, digest);
    crypto_core_ed25519_scalar_reduce(out, digest);
}

/* A key with a part of small order, A = aB + T, signs by S = r + ha: what holds is without a
 * cofactor, so only where hT vanishes; both must see that alike, or nodes of two versions would
 * disagree about a log. */
static void mixed_keys_are_judged_alike(void **state)
{
    (void)state;
    size_t good = 0;
    for (uint8_t i = 0; i < 64; i++) {
        struct triple triple = {.len = 1, .message = {i}};
        uint8_t a[32], r[32], h[32], product[32], point[32], small[32];
        crypto_core_ed25519_scalar_random(a);
        crypto_core_ed25519_scalar_random(r);
        from_hex(small_order[2], small); /* of order 8 */
        assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(point, a), 0);
        assert_int_equal(crypto_core_ed25519_add(triple.key, point, small), 0);
        assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(triple.signature, r), 0);
        challenge(&triple, h);
        crypto_core_ed25519_scalar_mul(product, h, a);
        crypto_core_ed25519_scalar_add(triple.signature + 32, product, r);
        bool verifies = both(&triple);
        assert_int_equal(verifies, h[0] % 8 == 0);
        good += verifies;
    }
    assert_true(good > 0 && good < 64);
}

static void keys_are_openssls_pem_in_both_directions(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(1 << 16);
    struct triple triple = {.len = 3, .message = {1, 2, 3}};
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    struct lb_sign_key *key = NULL;
    struct lb_span pem;
    size_t len = 32;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL), 1);
    size_t text_len = (size_t)BIO_get_mem_data(bio, &text);
    assert_true(lb_sign_key_from_pem(lb_span_of((uint8_t *)text, text_len), LB_SIGN_ED25519,
                                     &key) == LB_OK);
    assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, triple.key, &len), 1);
    assert_true(lb_sign(key, lb_span_of(triple.message, 3), triple.signature) == LB_OK);
    assert_true(both(&triple));
    assert_true(lb_sign_key_to_pem(key, arena, &pem) == LB_OK);
    assert_int_equal(pem.len, text_len);
    assert_memory_equal(pem.ptr, text, text_len);
    struct lb_verify_key *verify_key = NULL;
    assert_true(lb_verify_key_new(LB_SIGN_ED25519, lb_span_of(triple.key, 32), &verify_key) ==
                LB_OK);
    assert_true(lb_verify_key_to_pem(verify_key, arena, &pem) == LB_OK);
    BIO *public_bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *back = PEM_read_bio_PUBKEY(public_bio, NULL, NULL, NULL);
    assert_int_equal(EVP_PKEY_eq(back, pkey), 1);
    EVP_PKEY_free(back);
    BIO_free(public_bio);
    lb_verify_key_free(verify_key);
    lb_sign_key_free(key);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
}

int main(void)
{
    assert_true(sodium_init() >= 0);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sign_the_same_bytes_and_take_them),
        cmocka_unit_test(both_refuse_what_was_changed),
        cmocka_unit_test(both_refuse_an_s_that_is_not_reduced),
        cmocka_unit_test(hostile_keys_and_points_are_refused),
        cmocka_unit_test(an_honest_key_with_a_hostile_r_is_refused_by_both),
        cmocka_unit_test(mixed_keys_are_judged_alike),
        cmocka_unit_test(keys_are_openssls_pem_in_both_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
