#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/x25519.h"

#define ALICE_PRIVATE "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
#define ALICE_PUBLIC "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define BOB_PRIVATE "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
#define BOB_PUBLIC "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
#define SHARED "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"

static void hex32(const char *text, uint8_t out[32])
{
    assert_true(lb_hex_decode(lb_span_str(text), out, 32) == LB_OK);
}

static void gives_the_values_of_rfc_7748(void **state)
{
    (void)state;
    uint8_t private_a[32], private_b[32], public_a[32], public_b[32], shared[32], out[32];
    hex32(ALICE_PRIVATE, private_a);
    hex32(ALICE_PUBLIC, public_a);
    hex32(BOB_PRIVATE, private_b);
    hex32(BOB_PUBLIC, public_b);
    hex32(SHARED, shared);
    struct lb_x25519_key alice;
    struct lb_x25519_key bob;
    assert_true(lb_x25519_from_private(private_a, &alice) == LB_OK);
    assert_true(lb_x25519_from_private(private_b, &bob) == LB_OK);
    assert_memory_equal(alice.public_key, public_a, 32);
    assert_memory_equal(bob.public_key, public_b, 32);
    assert_memory_equal(alice.private_key, private_a, 32);
    assert_true(lb_x25519_dh(private_a, public_b, out) == LB_OK);
    assert_memory_equal(out, shared, 32);
    assert_true(lb_x25519_dh(private_b, public_a, out) == LB_OK);
    assert_memory_equal(out, shared, 32);
}

static void points_of_small_order_are_refused(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t private_key[32], point[32];
    uint8_t out[32];
    uint8_t untouched[32];
    hex32(ALICE_PRIVATE, private_key);
    memset(out, 0xaa, sizeof(out));
    memset(untouched, 0xaa, sizeof(untouched));
    for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
        hex32(points[i], point);
        assert_int_equal(lb_status_code(lb_x25519_dh(private_key, point, out)), LB_CRYPTO_FAILED);
        assert_memory_equal(out, untouched, sizeof(out));
    }
}

static bool openssl_dh(const uint8_t private_key[32], const uint8_t peer[32], uint8_t out[32])
{
    size_t len = 32;
    EVP_PKEY *ours = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private_key, 32);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer, 32);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, ours, NULL);
    bool done = EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
                EVP_PKEY_derive(ctx, out, &len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(ours);
    return done;
}

/* Any 32 bytes are a key and a point, also beyond the field and with the top bit, which does not
 * count. */
static void gives_what_openssl_gives(void **state)
{
    (void)state;
    for (size_t i = 0; i < 300; i++) {
        uint8_t private_key[32], peer[32], expected[32], out[32];
        assert_true(lb_crypto_random(private_key, 32) == LB_OK);
        assert_true(lb_crypto_random(peer, 32) == LB_OK);
        if (i < 40) {
            memset(peer, 0xff, 32);
            peer[0] = (uint8_t)(0xe8 + i / 2);
            peer[31] = i % 2 == 0 ? 0x7f : 0xff;
        }
        bool done = openssl_dh(private_key, peer, expected);
        lb_status status = lb_x25519_dh(private_key, peer, out);
        assert_int_equal(lb_status_code(status), done ? LB_CODE_OK : LB_CRYPTO_FAILED);
        if (done)
            assert_memory_equal(out, expected, 32);
    }
}

static void fresh_keys_differ_and_agree(void **state)
{
    (void)state;
    struct lb_x25519_key a;
    struct lb_x25519_key b;
    uint8_t ab[32];
    uint8_t ba[32];
    assert_true(lb_x25519_generate(&a) == LB_OK);
    assert_true(lb_x25519_generate(&b) == LB_OK);
    assert_memory_not_equal(a.public_key, b.public_key, 32);
    assert_true(lb_x25519_dh(a.private_key, b.public_key, ab) == LB_OK);
    assert_true(lb_x25519_dh(b.private_key, a.public_key, ba) == LB_OK);
    assert_memory_equal(ab, ba, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_values_of_rfc_7748),
        cmocka_unit_test(points_of_small_order_are_refused),
        cmocka_unit_test(gives_what_openssl_gives),
        cmocka_unit_test(fresh_keys_differ_and_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
