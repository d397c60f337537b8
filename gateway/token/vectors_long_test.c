#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/token/forge.h"
#include "gateway/token/status_bits.h"

/* The test vectors of draft-ietf-oauth-status-list, appendix "Test vectors for Status List
 * encoding": 2^20 entries of 1 and of 4 bits (2 bits: status_list_test.c). */

struct set {
    uint64_t index;
    uint8_t state;
};

struct vector {
    unsigned bits;
    const char *lst;
    const struct set *set;  /* by rising index; all others are 0 */
    size_t num_set;
};

static const char one_bit[] =
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAA"
    "AAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "XG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAA"
    "AAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb";

static const struct set one_bit_set[] = {
    {0, 1},      {1993, 1},   {25460, 1},  {159495, 1}, {495669, 1},  {554353, 1},
    {645645, 1}, {723232, 1}, {854545, 1}, {934534, 1}, {1000345, 1},
};

static const char four_bits[] =
    "eNrt0EENgDAQADAIHwImkIIEJEwCUpCEBBQRHOy35Li1EjoOQGabAgAAAAAAAAAA"
    "AAAAAAAAACC1SQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAABADrsCAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADoxaEA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIIoCgAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACArpwKAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAGhqVkAzlwIAAAAAiGVRAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAABx3AoAgLpVAQAAAAAAAAAAAAAAwM89rwMAAAAAAAAA"
    "AAjsA9xMBMA";

static const struct set four_bits_set[] = {
    {0, 1},       {1993, 2},     {35460, 3},    {459495, 4},   {595669, 5},
    {754353, 6},  {845645, 7},   {923232, 8},   {924445, 9},   {934534, 10},
    {1000345, 12}, {1004534, 11}, {1030203, 13}, {1030204, 14}, {1030205, 15},
};

#define COUNT(array_) (sizeof(array_) / sizeof((array_)[0]))

static const struct vector vectors[] = {
    {1, one_bit, one_bit_set, COUNT(one_bit_set)},
    {4, four_bits, four_bits_set, COUNT(four_bits_set)},
};

static void check_entries(const struct vector *vector, struct lb_span packed)
{
    size_t next = 0;
    for (uint64_t i = 0; i < LB_MAX_STATUS_ENTRIES; i++) {
        uint8_t want = 0, got = 255;
        if (next < vector->num_set && vector->set[next].index == i)
            want = vector->set[next++].state;
        assert_true(lb_status_bits_get(packed, vector->bits, i, &got));
        assert_int_equal(got, want);
    }
    assert_int_equal(next, vector->num_set);
}

/* Both ways: every entry is read as the draft says, and packing them gives the same bytes. */
static void check(const struct vector *vector)
{
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_span zlib = LB_SPAN_EMPTY, packed = LB_SPAN_EMPTY, own = LB_SPAN_EMPTY;
    size_t bytes = LB_MAX_STATUS_ENTRIES / 8 * vector->bits;
    assert_ok(lb_b64url_decode(arena, lb_span_str(vector->lst), &zlib));
    assert_ok(lb_status_inflate(zlib, bytes, arena, &packed));
    assert_int_equal(packed.len, bytes);
    check_entries(vector, packed);
    uint8_t *states = lb_arena_alloc(arena, LB_MAX_STATUS_ENTRIES);
    assert_non_null(states);
    for (size_t i = 0; i < vector->num_set; i++)
        states[vector->set[i].index] = vector->set[i].state;
    assert_ok(lb_status_bits_pack(lb_span_of(states, LB_MAX_STATUS_ENTRIES), vector->bits, 0,
                                  arena, &own));
    assert_true(lb_span_eq(own, packed));
    assert_code(lb_status_inflate(zlib, bytes - 1, arena, &own), LB_TOO_LARGE);
    lb_arena_free(arena);
}

static void the_draft_s_vectors_are_read_and_packed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++)
        check(&vectors[i]);
}

/* One changed character of the text: zlib's checksum, or a stream of another length. */
static void an_altered_vector_is_refused(void **state)
{
    (void)state;
    char text[sizeof(one_bit)];
    for (size_t i = 0; i + 1 < sizeof(one_bit); i++) {
        struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
        struct lb_span zlib = LB_SPAN_EMPTY, packed = LB_SPAN_EMPTY, good = LB_SPAN_EMPTY;
        memcpy(text, one_bit, sizeof(text));
        text[i] = text[i] == 'A' ? 'Q' : 'A';
        if (lb_b64url_decode(arena, lb_span_str(text), &zlib) == LB_OK &&
            lb_status_inflate(zlib, LB_MAX_STATUS_ENTRIES / 8, arena, &packed) == LB_OK) {
            /* The two bytes of the header may say another window: the content is the same. */
            assert_ok(lb_b64url_decode(arena, lb_span_str(one_bit), &zlib));
            assert_ok(lb_status_inflate(zlib, LB_MAX_STATUS_ENTRIES / 8, arena, &good));
            assert_true(lb_span_eq(packed, good));
        }
        lb_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_draft_s_vectors_are_read_and_packed),
        cmocka_unit_test(an_altered_vector_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
