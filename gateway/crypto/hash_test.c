#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/random_pool.h"
#include "gateway/crypto/stream.h"

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
    char text[256];
    assert_true(len < sizeof(text) / 2);
    lb_hex_encode(lb_span_of(bytes, len), text);
    assert_string_equal(text, expected);
}

static void sha256_gives_the_published_values(void **state)
{
    (void)state;
    uint8_t out[LB_SHA256_BYTES];
    lb_sha256(LB_SPAN_EMPTY, out);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    lb_sha256(lb_span_str("abc"), out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    lb_sha256(lb_span_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), out);
    assert_hex(out, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void parts_hash_like_their_concatenation(void **state)
{
    (void)state;
    const struct lb_span parts[] = {lb_span_str("a"), LB_SPAN_EMPTY, lb_span_str("bc")};
    uint8_t out[LB_SHA256_BYTES];
    lb_sha256_parts(parts, 3, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    lb_sha256_parts(NULL, 0, out);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_stream_hashes_like_the_whole(void **state)
{
    (void)state;
    uint8_t out[LB_SHA256_BYTES];
    struct lb_sha256_stream *stream = lb_sha256_begin();
    struct lb_sha256_stream *other = lb_sha256_begin();
    lb_sha256_add(stream, lb_span_str("a"));
    lb_sha256_add(other, lb_span_str("x"));
    lb_sha256_add(stream, LB_SPAN_EMPTY);
    lb_sha256(lb_span_str("between"), out);
    lb_sha256_add(stream, lb_span_str("bc"));
    lb_sha256_end(stream, out);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    lb_sha256_end(other, out);
    lb_sha256_end(lb_sha256_begin(), out);
    assert_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_gives_the_values_of_rfc_4231(void **state)
{
    (void)state;
    uint8_t out[LB_SHA256_BYTES];
    uint8_t key[131];
    memset(key, 0x0b, 20);
    lb_hmac_sha256(lb_span_of(key, 20), lb_span_str("Hi There"), out);
    assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    lb_hmac_sha256(lb_span_str("Jefe"), lb_span_str("what do ya want for nothing?"), out);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    lb_hmac_sha256(lb_span_of(key, sizeof(key)),
                   lb_span_str("Test Using Larger Than Block-Size Key - Hash Key First"), out);
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    lb_hmac_sha256(LB_SPAN_EMPTY, LB_SPAN_EMPTY, out);
    assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

/* Keys and texts of every length about a block. */
static void hmac_gives_what_openssl_gives(void **state)
{
    (void)state;
    uint8_t key[200], text[200], expected[32], out[32];
    for (size_t i = 0; i < sizeof(key); i++) {
        key[i] = (uint8_t)(i * 7);
        text[i] = (uint8_t)(i * 13);
    }
    for (size_t key_len = 0; key_len <= sizeof(key); key_len++) {
        const size_t len = key_len * 37 % (sizeof(text) + 1);
        lb_hmac_sha256(lb_span_of(key, key_len), lb_span_of(text, len), out);
        assert_non_null(HMAC(EVP_sha256(), key, (int)key_len, text, len, expected, NULL));
        assert_memory_equal(out, expected, sizeof(out));
    }
}

static void hkdf_gives_the_values_of_rfc_5869(void **state)
{
    (void)state;
    uint8_t ikm[22];
    uint8_t salt[13];
    uint8_t info[10];
    memset(ikm, 0x0b, sizeof(ikm));
    for (uint8_t i = 0; i < sizeof(salt); i++)
        salt[i] = i;
    for (uint8_t i = 0; i < sizeof(info); i++)
        info[i] = (uint8_t)(0xf0 + i);
    uint8_t prk[LB_SHA256_BYTES];
    uint8_t okm[42];
    lb_hkdf_extract(lb_span_of(salt, sizeof(salt)), lb_span_of(ikm, sizeof(ikm)), prk);
    assert_hex(prk, 32, "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
    lb_hkdf_expand(prk, lb_span_of(info, sizeof(info)), okm, sizeof(okm));
    assert_hex(okm, sizeof(okm),
               "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
               "34007208d5b887185865");
    /* A.3: neither salt nor info. */
    lb_hkdf_extract(LB_SPAN_EMPTY, lb_span_of(ikm, sizeof(ikm)), prk);
    assert_hex(prk, 32, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
    lb_hkdf_expand(prk, LB_SPAN_EMPTY, okm, sizeof(okm));
    assert_hex(okm, sizeof(okm),
               "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
               "9d201395faa4b61a96c8");
}

static void expand_reaches_its_longest_output(void **state)
{
    (void)state;
    const uint8_t prk[LB_SHA256_BYTES] = {1};
    uint8_t longest[255 * LB_SHA256_BYTES];
    uint8_t shorter[100];
    lb_hkdf_expand(prk, LB_SPAN_EMPTY, longest, sizeof(longest));
    lb_hkdf_expand(prk, LB_SPAN_EMPTY, shorter, sizeof(shorter));
    assert_memory_equal(longest, shorter, sizeof(shorter));
}

static void random_bytes_differ(void **state)
{
    (void)state;
    uint8_t first[32];
    uint8_t second[32];
    assert_true(lb_crypto_random(first, sizeof(first)) == LB_OK);
    assert_true(lb_crypto_random(second, sizeof(second)) == LB_OK);
    assert_memory_not_equal(first, second, sizeof(first));
    assert_int_equal(lb_status_code(lb_crypto_random(first, SIZE_MAX)), LB_CRYPTO_FAILED);
}

/* Through many refills, and never the same bytes twice. */
static void a_pool_hands_out_each_byte_once(void **state)
{
    (void)state;
    static struct lb_random_pool pool;
    static uint8_t seen[1000][16];
    uint8_t much[sizeof(pool.bytes)];
    for (size_t i = 0; i < 1000; i++) {
        assert_true(lb_random_pool_take(&pool, seen[i], 16) == LB_OK);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(seen[i], seen[j], 16);
        for (size_t at = pool.left; at < sizeof(pool.bytes); at++)
            assert_int_equal(pool.bytes[at], 0);
    }
    assert_true(lb_random_pool_take(&pool, much, sizeof(much)) == LB_OK);
    assert_int_equal(pool.left, 0);
    assert_int_equal(lb_status_code(lb_random_pool_take(&pool, much, sizeof(much) + 1)),
                     LB_CRYPTO_FAILED);
}

static void *hash_on_a_thread(void *arg)
{
    uint8_t hash[LB_SHA256_BYTES];
    for (int i = 0; i < 2000; i++) {
        lb_sha256(lb_span_str("abc"), hash);
        if (memcmp(hash, arg, sizeof(hash)) != 0)
            return arg;
    }
    return NULL;
}

static void threads_hash_side_by_side(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint8_t expected[LB_SHA256_BYTES];
    lb_sha256(lb_span_str("abc"), expected);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_on_a_thread, expected), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong = expected;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

static void equal_looks_at_length_and_every_byte(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    uint8_t other[32] = {0};
    assert_true(lb_crypto_equal(lb_span_of(bytes, 32), lb_span_of(other, 32)));
    assert_true(lb_crypto_equal(LB_SPAN_EMPTY, LB_SPAN_EMPTY));
    assert_false(lb_crypto_equal(lb_span_of(bytes, 32), lb_span_of(other, 31)));
    for (size_t i = 0; i < sizeof(other); i++) {
        other[i] = 1;
        assert_false(lb_crypto_equal(lb_span_of(bytes, 32), lb_span_of(other, 32)));
        other[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_values),
        cmocka_unit_test(parts_hash_like_their_concatenation),
        cmocka_unit_test(a_stream_hashes_like_the_whole),
        cmocka_unit_test(hmac_gives_the_values_of_rfc_4231),
        cmocka_unit_test(hmac_gives_what_openssl_gives),
        cmocka_unit_test(hkdf_gives_the_values_of_rfc_5869),
        cmocka_unit_test(expand_reaches_its_longest_output),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(a_pool_hands_out_each_byte_once),
        cmocka_unit_test(threads_hash_side_by_side),
        cmocka_unit_test(equal_looks_at_length_and_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
