#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/forge.h"
#include "gateway/token/status_bits.h"
#include "gateway/token/status_list.h"

#define NOW INT64_C(1800000000)
#define ISSUER "service-hall"
#define URI "https://hall.example/status/1"

static struct lb_arena *arena;
static struct lb_sign_key *key;
static struct lb_verify_key *public_key;

static int setup(void **state)
{
    (void)state;
    arena = lb_arena_new(LB_FILE_ARENA_BYTES);
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

/* --- the examples of draft-ietf-oauth-status-list --- */

static struct lb_span inflate_text(const char *lst, size_t max_bytes)
{
    struct lb_span zlib;
    struct lb_span packed;
    assert_ok(lb_b64url_decode(arena, lb_span_str(lst), &zlib));
    assert_ok(lb_status_inflate(zlib, max_bytes, arena, &packed));
    return packed;
}

static void assert_states(struct lb_span packed, unsigned bits, const uint8_t *want, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        uint8_t state = 255;
        assert_true(lb_status_bits_get(packed, bits, i, &state));
        assert_int_equal(state, want[i]);
    }
    uint8_t state = 255;
    assert_false(lb_status_bits_get(packed, bits, num, &state));
    assert_false(lb_status_bits_get(packed, bits, UINT64_MAX, &state));
    assert_int_equal(state, 255);
}

static void test_draft_one_bit(void **state)
{
    (void)state;
    static const uint8_t want[] = {1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1};
    static const uint8_t bytes[] = {0xb9, 0xa3};
    struct lb_span packed = inflate_text("eNrbuRgAAhcBXQ", 2);
    assert_int_equal(packed.len, 2);
    assert_memory_equal(packed.ptr, bytes, 2);
    assert_states(packed, 1, want, sizeof(want));
    assert_ok(lb_status_bits_pack(lb_span_of(want, sizeof(want)), 1, 0, arena, &packed));
    assert_memory_equal(packed.ptr, bytes, 2);
}

static void test_draft_two_bits(void **state)
{
    (void)state;
    static const uint8_t want[] = {1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3};
    static const uint8_t bytes[] = {0xc9, 0x44, 0xf9};
    struct lb_span packed = inflate_text("eNo76fITAAPfAgc", 3);
    assert_int_equal(packed.len, 3);
    assert_memory_equal(packed.ptr, bytes, 3);
    assert_states(packed, 2, want, sizeof(want));
    assert_ok(lb_status_bits_pack(lb_span_of(want, sizeof(want)), 2, 0, arena, &packed));
    assert_memory_equal(packed.ptr, bytes, 3);
    struct lb_span zlib;
    assert_ok(lb_status_deflate(packed, arena, &zlib));
    assert_string_equal(lb_b64url_encode(arena, zlib), "eNo76fITAAPfAgc");
}

/* The draft's test vector of 2^20 entries with 2 bits. */
static void test_draft_two_bits_long(void **state)
{
    (void)state;
    static const char lst[] =
        "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQA"
        "AAAAAAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAA"
        "AAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAwJEuAQAAAAAAAAAAAAAA"
        "AAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw";
    static const struct {
        uint64_t index;
        uint8_t state;
    } set[] = {{0, 1},      {1993, 2},   {25460, 1},  {159495, 3}, {495669, 1}, {554353, 1},
               {645645, 2}, {723232, 1}, {854545, 1}, {934534, 2}, {1000345, 3}};
    struct lb_span packed = inflate_text(lst, LB_MAX_STATUS_ENTRIES / 4);
    assert_int_equal(packed.len, LB_MAX_STATUS_ENTRIES / 4);
    size_t next = 0;
    for (uint64_t i = 0; i < LB_MAX_STATUS_ENTRIES; i++) {
        uint8_t want = 0;
        if (next < sizeof(set) / sizeof(set[0]) && set[next].index == i)
            want = set[next++].state;
        uint8_t got = 255;
        assert_true(lb_status_bits_get(packed, 2, i, &got));
        assert_int_equal(got, want);
    }
    struct lb_span zlib;
    assert_ok(lb_b64url_decode(arena, lb_span_str(lst), &zlib));
    assert_code(lb_status_inflate(zlib, LB_MAX_STATUS_ENTRIES / 4 - 1, arena, &packed),
                LB_TOO_LARGE);
}

/* --- our lists --- */

static const uint8_t sample_states[] = {
    LB_STATE_VALID, LB_STATE_INVALID, LB_STATE_SUSPENDED, LB_STATE_EXHAUSTED, LB_STATE_VALID,
};

static struct lb_span sign_states(struct lb_span states)
{
    struct lb_span token;
    assert_ok(lb_status_list_sign(ISSUER, "k1", URI, 9, NOW, 900, states, key, arena, &token));
    return token;
}

static struct lb_span sample_token(void)
{
    return sign_states(lb_span_of(sample_states, sizeof(sample_states)));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct lb_span token = sample_token();
    const char *issuer = NULL;
    const char *kid = NULL;
    assert_ok(lb_status_list_peek(token, arena, &issuer, &kid));
    assert_string_equal(issuer, ISSUER);
    assert_string_equal(kid, "k1");
    struct lb_status_list *list = NULL;
    assert_ok(lb_status_list_open(token, public_key, &list));
    assert_string_equal(lb_status_list_issuer(list), ISSUER);
    assert_string_equal(lb_status_list_uri(list), URI);
    assert_int_equal(lb_status_list_seq(list), 9);
    uint8_t sha256[32];
    lb_sha256(token, sha256);
    assert_memory_equal(lb_status_list_sha256(list), sha256, 32);
    lb_status_list_ref(list);
    lb_status_list_unref(list);
    lb_status_list_unref(list);
    lb_status_list_unref(NULL);
}

static void test_check(void **state)
{
    (void)state;
    struct lb_status_list *list = NULL;
    assert_ok(lb_status_list_open(sample_token(), public_key, &list));
    assert_ok(lb_status_list_check(list, 0, NOW));
    assert_code(lb_status_list_check(list, 1, NOW), LB_GRANT_REVOKED);
    assert_code(lb_status_list_check(list, 2, NOW), LB_GRANT_SUSPENDED);
    assert_code(lb_status_list_check(list, 3, NOW), LB_USE_EXHAUSTED);
    assert_ok(lb_status_list_check(list, 4, NOW));
    /* The rest of the last byte was given to nobody. */
    assert_code(lb_status_list_check(list, 5, NOW), LB_GRANT_REVOKED);
    assert_code(lb_status_list_check(list, 7, NOW), LB_GRANT_REVOKED);
    assert_code(lb_status_list_check(list, 8, NOW), LB_GRANT_MALFORMED);
    assert_code(lb_status_list_check(list, UINT64_MAX, NOW), LB_GRANT_MALFORMED);
    assert_ok(lb_status_list_check(list, 0, NOW + 899));
    assert_code(lb_status_list_check(list, 0, NOW + 900), LB_STATUS_STALE);
    assert_ok(lb_status_list_check(list, 0, NOW - LB_CLOCK_SKEW_S));
    assert_code(lb_status_list_check(list, 0, NOW - LB_CLOCK_SKEW_S - 1), LB_STATUS_STALE);
    /* A stale list is stale for a revoked grant too. */
    assert_code(lb_status_list_check(list, 1, NOW + 900), LB_STATUS_STALE);
    lb_status_list_unref(list);
}

static void test_largest(void **state)
{
    (void)state;
    uint8_t *states = lb_arena_alloc(arena, LB_MAX_STATUS_ENTRIES + 1);
    for (size_t i = 0; i < LB_MAX_STATUS_ENTRIES; i += 101)
        states[i] = LB_STATE_INVALID;
    struct lb_span token = sign_states(lb_span_of(states, LB_MAX_STATUS_ENTRIES));
    struct lb_status_list *list = NULL;
    assert_ok(lb_status_list_open(token, public_key, &list));
    assert_code(lb_status_list_check(list, 101, NOW), LB_GRANT_REVOKED);
    assert_ok(lb_status_list_check(list, LB_MAX_STATUS_ENTRIES - 1, NOW));
    assert_code(lb_status_list_check(list, LB_MAX_STATUS_ENTRIES, NOW), LB_GRANT_MALFORMED);
    lb_status_list_unref(list);
    assert_code(lb_status_list_sign(ISSUER, "k1", URI, 9, NOW, 900,
                                    lb_span_of(states, LB_MAX_STATUS_ENTRIES + 1), key, arena,
                                    &token),
                LB_TOO_LARGE);
}

static void test_sign_refuses(void **state)
{
    (void)state;
    struct lb_span token = LB_SPAN_EMPTY;
    const uint8_t four = 4;
    struct lb_span one = lb_span_of(sample_states, 1);
    assert_true(lb_status_list_sign(ISSUER, "k1", URI, 9, NOW, 900, lb_span_of(&four, 1), key,
                                    arena, &token) != LB_OK);
    assert_true(lb_status_list_sign(ISSUER, "k1", URI, 9, NOW, 900, LB_SPAN_EMPTY, key, arena,
                                    &token) != LB_OK);
    assert_true(lb_status_list_sign("", "k1", URI, 9, NOW, 900, one, key, arena, &token) != LB_OK);
    assert_true(lb_status_list_sign(ISSUER, "", URI, 9, NOW, 900, one, key, arena, &token) !=
                LB_OK);
    assert_true(lb_status_list_sign(ISSUER, "k1", URI, 9, NOW, 0, one, key, arena, &token) !=
                LB_OK);
    assert_true(lb_status_list_sign(ISSUER, "k1", URI, UINT64_MAX, NOW, 900, one, key, arena,
                                    &token) != LB_OK);
    assert_int_equal(token.len, 0);
}

/* --- lists that must be refused --- */

static void assert_refused(struct lb_span token, enum lb_code code)
{
    struct lb_status_list *list = NULL;
    assert_code(lb_status_list_open(token, public_key, &list), code);
    assert_null(list);
}

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"statuslist+jwt\",\"kid\":\"k1\"}"

static void test_hostile_claims(void **state)
{
    (void)state;
    static const char *const swaps[][2] = {
        {"\"iss\"", "\"aud\":\"x\",\"iss\""},
        {"\"iss\"", "\"iss\":\"x\",\"iss\""},
        {"\"iss\":\"" ISSUER "\",", ""},
        {"\"sub\":\"" URI "\"", "\"sub\":\"\""},
        {"\"seq\":9", "\"seq\":-1"},
        {"\"seq\":9", "\"seq\":\"9\""},
        {"\"seq\":9,", ""},
        {"\"exp\":1800000900", "\"exp\":1800000000"},
        {"\"ttl\":60", "\"ttl\":0"},
        {"\"bits\":2", "\"bits\":1"},
        {"\"bits\":2", "\"bits\":8"},
        {"\"bits\":2", "\"bits\":2,\"aggregation_uri\":\"x\""},
        {"\"lst\":\"", "\"lst\":\"="},
        {"\"lst\":\"", "\"lst\":\"AAAA"},
        {"\"lst\":\"", "\"lst\":\"\",\"LST\":\""},
        {"\"status_list\":{", "\"status_list\":[],\"x\":{"},
    };
    const char *payload = forge_payload(arena, sample_token());
    struct lb_status_list *list = NULL;
    assert_ok(lb_status_list_open(forge_token(arena, HEADER, payload, key), public_key, &list));
    lb_status_list_unref(list);
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++)
        assert_refused(forge_token(arena, HEADER,
                                   forge_swap(arena, payload, swaps[i][0], swaps[i][1]), key),
                       LB_GRANT_MALFORMED);
    const char *grant = forge_swap(arena, HEADER, "statuslist+jwt", "lianban-grant+sd-jwt");
    assert_refused(forge_token(arena, grant, payload, key), LB_GRANT_MALFORMED);
}

static struct lb_span token_around(struct lb_span zlib)
{
    const char *payload = lb_arena_printf(
        arena,
        "{\"iss\":\"a\",\"sub\":\"u\",\"iat\":1800000000,\"exp\":1800000900,\"ttl\":60,\"seq\":1,"
        "\"status_list\":{\"bits\":2,\"lst\":\"%s\"}}",
        lb_b64url_encode(arena, zlib));
    return forge_token(arena, HEADER, payload, key);
}

/* A stream that would inflate to 64 MB is stopped at the limit. */
static void test_zip_bomb(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *large = lb_arena_new(200U << 20);
    uint8_t *zeros = lb_arena_alloc(large, 64U << 20);
    assert_non_null(zeros);
    struct lb_span zlib;
    assert_ok(lb_status_deflate(lb_span_of(zeros, 64U << 20), large, &zlib));
    assert_true(zlib.len < 100000);
    assert_refused(token_around(zlib), LB_TOO_LARGE);
    assert_ok(lb_status_deflate(lb_span_of(zeros, LB_MAX_STATUS_ENTRIES / 4 + 1), large, &zlib));
    assert_refused(token_around(zlib), LB_TOO_LARGE);
}

static void test_hostile_streams(void **state)
{
    (void)state;
    struct lb_span zlib;
    assert_ok(lb_status_deflate(lb_span_of("some bytes of a list", 20), arena, &zlib));
    for (size_t len = 0; len < zlib.len; len++)
        assert_refused(token_around(lb_span_of(zlib.ptr, len)), LB_GRANT_MALFORMED);
    uint8_t *longer = lb_arena_alloc(arena, zlib.len + 1);
    memcpy(longer, zlib.ptr, zlib.len);
    assert_refused(token_around(lb_span_of(longer, zlib.len + 1)), LB_GRANT_MALFORMED);
    longer[zlib.len - 1] ^= 1;  /* its checksum */
    assert_refused(token_around(lb_span_of(longer, zlib.len)), LB_GRANT_MALFORMED);
    static const uint8_t dictionary[] = {0x78, 0xbb, 0, 0, 0, 1, 0, 0};
    assert_refused(token_around(lb_span_of(dictionary, sizeof(dictionary))), LB_GRANT_MALFORMED);
    static const uint8_t gzip[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                   3,    0,    0, 0, 0, 0, 0, 0, 0, 0};
    assert_refused(token_around(lb_span_of(gzip, sizeof(gzip))), LB_GRANT_MALFORMED);
    assert_ok(lb_status_deflate(LB_SPAN_EMPTY, arena, &zlib));
    assert_refused(token_around(zlib), LB_GRANT_MALFORMED);
}

static void test_wrong_key(void **state)
{
    (void)state;
    struct lb_sign_key *other = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &other));
    struct lb_verify_key *other_public = forge_verify_key(other);
    struct lb_status_list *list = NULL;
    struct lb_span token = sample_token();
    assert_code(lb_status_list_open(token, other_public, &list), LB_SIGNATURE_INVALID);
    assert_code(lb_status_list_open(token, NULL, &list), LB_SIGNATURE_INVALID);
    assert_null(list);
    for (size_t len = 0; len < token.len; len++)
        assert_true(lb_status_list_open(lb_span_of(token.ptr, len), public_key, &list) != LB_OK);
    uint8_t *huge = lb_arena_alloc(arena, LB_MAX_STATUS_LIST_BYTES + 1);
    memset(huge, 'A', LB_MAX_STATUS_LIST_BYTES + 1);
    assert_refused(lb_span_of(huge, LB_MAX_STATUS_LIST_BYTES + 1), LB_TOO_LARGE);
    assert_refused(lb_span_of(huge, LB_MAX_STATUS_LIST_BYTES), LB_GRANT_MALFORMED);
    lb_verify_key_free(other_public);
    lb_sign_key_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_draft_one_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_draft_two_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_draft_two_bits_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sign_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zip_bomb, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_streams, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_key, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
