#include "gateway/crypto/p256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/hex.h"

#define assert_code(status_, want_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(want_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

#define DST "QUUX-V01-CS02-with-P256_XMD:SHA-256_SSWU_RO_"
#define GENERATOR                                                                                  \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                             \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

static int set_up(void **state)
{
    struct lb_p256 *p256 = NULL;
    assert_ok(lb_p256_new(&p256));
    *state = p256;
    return 0;
}

static int tear_down(void **state)
{
    lb_p256_free(*state);
    return 0;
}

static void point_of(const char *text, uint8_t out[LB_P256_POINT_BYTES])
{
    assert_ok(lb_hex_decode(lb_span_str(text), out, LB_P256_POINT_BYTES));
}

/* RFC 9380, appendix J.1.1: a prefix, and one character repeated behind it. */
static const struct vector {
    const char *prefix;
    char filler;
    size_t num_filler;
    const char *point;
} vectors[] = {
    {"", 0, 0,
     "2c15230b26dbc6fc9a37051158c95b79656e17a1a920b11394ca91c44247d3e4"
     "8a7a74985cc5c776cdfe4b1f19884970453912e9d31528c060be9ab5c43e8415"},
    {"abc", 0, 0,
     "0bb8b87485551aa43ed54f009230450b492fead5f1cc91658775dac4a3388a0f"
     "5c41b3d0731a27a7b14bc0bf0ccded2d8751f83493404c84a88e71ffd424212e"},
    {"abcdef0123456789", 0, 0,
     "65038ac8f2b1def042a5df0b33b1f4eca6bff7cb0f9c6c1526811864e544ed80"
     "cad44d40a656e7aff4002a8de287abc8ae0482b5ae825822bb870d6df9b56ca3"},
    {"q128_", 'q', 128,
     "4be61ee205094282ba8a2042bcb48d88dfbb609301c49aa8b078533dc65a0b5d"
     "98f8df449a072c4721d241a3b1236d3caccba603f916ca680f4539d2bfb3c29e"},
    {"a512_", 'a', 512,
     "457ae2981f70ca85d8e24c308b14db22f3e3862c5ea0f652ca38b5e49cd64bc5"
     "ecb9f0eadc9aeed232dabc53235368c1394c78de05dd96893eefa62b0f4757dc"},
};

static void hashes_as_rfc_9380(void **state)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t message[600], want[LB_P256_POINT_BYTES], got[LB_P256_POINT_BYTES];
        size_t len = strlen(vectors[i].prefix);
        memcpy(message, vectors[i].prefix, len);
        memset(message + len, vectors[i].filler, vectors[i].num_filler);
        point_of(vectors[i].point, want);
        assert_ok(lb_p256_hash(*state, lb_span_str(DST),
                               lb_span_of(message, len + vectors[i].num_filler), got));
        assert_memory_equal(got, want, sizeof(want));
    }
}

static void the_tag_separates_and_has_a_length(void **state)
{
    uint8_t one[LB_P256_POINT_BYTES], other[LB_P256_POINT_BYTES], dst[256] = {1};
    assert_ok(lb_p256_hash(*state, lb_span_str("a"), lb_span_str("x"), one));
    assert_ok(lb_p256_hash(*state, lb_span_str("b"), lb_span_str("x"), other));
    assert_memory_not_equal(one, other, sizeof(one));
    assert_ok(lb_p256_hash(*state, lb_span_of(dst, 255), lb_span_str("x"), one));
    assert_code(lb_p256_hash(*state, lb_span_of(dst, 256), lb_span_str("x"), one), LB_INTERNAL);
    assert_code(lb_p256_hash(*state, LB_SPAN_EMPTY, lb_span_str("x"), one), LB_INTERNAL);
}

/* NIST's published multiples of the generator: 2 G and (order - 1) G. */
static void multiplies(void **state)
{
    uint8_t generator[LB_P256_POINT_BYTES], want[LB_P256_POINT_BYTES], got[LB_P256_POINT_BYTES];
    uint8_t scalar[LB_P256_SCALAR_BYTES] = {0};
    point_of(GENERATOR, generator);
    point_of("7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
             "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1",
             want);
    scalar[31] = 2;
    assert_ok(lb_p256_multiply(*state, scalar, generator, got));
    assert_memory_equal(got, want, sizeof(want));
    assert_ok(lb_hex_decode(lb_span_str(ORDER), scalar, sizeof(scalar)));
    scalar[31]--;
    assert_ok(lb_p256_multiply(*state, scalar, generator, got));
    assert_memory_equal(got, generator, 32);
    assert_memory_not_equal(got + 32, generator + 32, 32);
}

static void the_order_does_not_matter(void **state)
{
    uint8_t seed[LB_P256_SCALAR_SEED_BYTES] = {7}, a[32], b[32];
    uint8_t point[LB_P256_POINT_BYTES], ab[LB_P256_POINT_BYTES], ba[LB_P256_POINT_BYTES];
    assert_ok(lb_p256_scalar(*state, seed, a));
    seed[47] = 1;
    assert_ok(lb_p256_scalar(*state, seed, b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_ok(lb_p256_hash(*state, lb_span_str(DST), lb_span_str("x"), point));
    assert_ok(lb_p256_multiply(*state, a, point, ab));
    assert_ok(lb_p256_multiply(*state, b, ab, ab));
    assert_ok(lb_p256_multiply(*state, b, point, ba));
    assert_ok(lb_p256_multiply(*state, a, ba, ba));
    assert_memory_equal(ab, ba, sizeof(ab));
}

static void what_is_no_point_is_refused(void **state)
{
    static const char *const bad[] = {
        /* zeros, as some write infinity; not on the curve by one bit; x is the prime; x + prime */
        "0000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
        "ffffffff00000001000000000000000000000001000000000000000000000004"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    };
    uint8_t scalar[LB_P256_SCALAR_BYTES] = {[31] = 3}, out[LB_P256_POINT_BYTES] = {9};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t point[LB_P256_POINT_BYTES];
        point_of(bad[i], point);
        assert_code(lb_p256_check(*state, point), LB_MALFORMED);
        assert_code(lb_p256_multiply(*state, scalar, point, out), LB_MALFORMED);
    }
    assert_int_equal(out[0], 9);
}

static void numbers_out_of_range_are_refused(void **state)
{
    uint8_t scalar[LB_P256_SCALAR_BYTES] = {0}, generator[LB_P256_POINT_BYTES];
    uint8_t seed[LB_P256_SCALAR_SEED_BYTES] = {0}, out[LB_P256_POINT_BYTES];
    point_of(GENERATOR, generator);
    assert_code(lb_p256_multiply(*state, scalar, generator, out), LB_MALFORMED);
    assert_ok(lb_hex_decode(lb_span_str(ORDER), scalar, sizeof(scalar)));
    assert_code(lb_p256_multiply(*state, scalar, generator, out), LB_MALFORMED);
    assert_ok(lb_p256_scalar(*state, seed, scalar)); /* zeros give one */
    assert_ok(lb_p256_multiply(*state, scalar, generator, out));
    assert_memory_equal(out, generator, sizeof(out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_as_rfc_9380),
        cmocka_unit_test(the_tag_separates_and_has_a_length),
        cmocka_unit_test(multiplies),
        cmocka_unit_test(the_order_does_not_matter),
        cmocka_unit_test(what_is_no_point_is_refused),
        cmocka_unit_test(numbers_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
