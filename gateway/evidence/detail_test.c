#include "gateway/crypto/hash.h"
#include "gateway/evidence/detail.h"
#include "gateway/evidence/test_util.h"

static const uint8_t KEY[LB_DETAIL_KEY_BYTES] = {1, 2, 3};
static const uint8_t KEY_HASH[32] = {4, 5, 6};
static const uint8_t TXN[16] = {7, 8, 9};

/* One sealed detail and where it belongs. */
struct sealed {
    struct lb_arena *arena;
    struct lb_detail_place place;
    struct lb_detail_row row;
    struct lb_leaf leaf;
};

static struct sealed seal(const char *fields, const char *detail)
{
    struct sealed sealed = {
        .arena = lb_arena_new(1024 * 1024),
        .place = {"example/adapter/tax", 17, TXN, KEY_HASH},
        .row = {.kid = 3},
    };
    struct lb_detail_text text = {lb_span_str(fields), lb_span_str(detail), {0}, {0}};
    assert_ok(lb_crypto_random(text.salt, sizeof(text.salt)));
    assert_ok(lb_crypto_random(text.nonce, sizeof(text.nonce)));
    assert_ok(lb_detail_seal(&sealed.place, KEY, &text, sealed.arena, &sealed.row, &sealed.leaf));
    return sealed;
}

static lb_status open_it(struct sealed *sealed, struct lb_span *out_detail)
{
    return lb_detail_open(&sealed->place, KEY, &sealed->row, &sealed->leaf, sealed->arena,
                          out_detail);
}

static void a_detail_opens_where_it_belongs(void **state)
{
    (void)state;
    static const uint8_t zeros[32];
    struct lb_span detail;
    struct sealed sealed = seal("a=PASS", "{}");
    assert_ok(open_it(&sealed, &detail));
    assert_true(lb_span_is(detail, "{}"));
    assert_memory_not_equal(sealed.leaf.fields_hash, zeros, 32);
    sealed.place.index = 18;
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    sealed.place.index = 17;
    sealed.place.origin = "example/adapter/tay";
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    sealed.place.origin = "example/adapter/tax";
    sealed.place.txn = KEY;
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    sealed.place.txn = TXN;
    sealed.place.key_hash = KEY;
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    sealed.place.key_hash = KEY_HASH;
    assert_ok(open_it(&sealed, &detail));
    lb_arena_free(sealed.arena);
}

static void no_fields_have_no_commitment(void **state)
{
    (void)state;
    static const uint8_t zeros[32];
    struct lb_span detail;
    struct sealed sealed = seal("", "{}");
    assert_memory_equal(sealed.leaf.fields_hash, zeros, 32);
    assert_ok(open_it(&sealed, &detail));
    lb_arena_free(sealed.arena);
}

static void equal_details_look_different(void **state)
{
    (void)state;
    struct sealed one = seal("a=PASS", "{}");
    struct sealed two = seal("a=PASS", "{}");
    assert_memory_not_equal(one.row.plain_hash, two.row.plain_hash, 32);
    assert_memory_not_equal(one.leaf.fields_hash, two.leaf.fields_hash, 32);
    assert_memory_not_equal(one.row.nonce, two.row.nonce, sizeof(one.row.nonce));
    lb_arena_free(one.arena);
    lb_arena_free(two.arena);
}

/* A row and leaf that agree with each other but not with what is inside. */
static void a_commitment_to_something_else_is_told(void **state)
{
    (void)state;
    struct lb_span detail;
    struct sealed sealed = seal("a=PASS", "{}");
    sealed.leaf.fields_hash[0] ^= 1;
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    sealed.leaf.fields_hash[0] ^= 1;
    sealed.row.plain_hash[0] ^= 1;
    lb_detail_hash(&sealed.row, KEY_HASH, sealed.leaf.detail_hash);
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    lb_arena_free(sealed.arena);
}

static void impossible_lengths_are_refused(void **state)
{
    (void)state;
    struct lb_span detail;
    struct sealed sealed = seal("a=PASS", "{}");
    struct lb_span whole = sealed.row.sealed;
    for (size_t len = 0; len < whole.len; len++) {
        sealed.row.sealed.len = len;
        lb_detail_hash(&sealed.row, KEY_HASH, sealed.leaf.detail_hash);
        assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    }
    static const uint8_t big[LB_DETAIL_MAX_PAYLOAD_BYTES + LB_AEAD_TAG_BYTES + 1];
    sealed.row.sealed = lb_span_of(big, sizeof(big));
    lb_detail_hash(&sealed.row, KEY_HASH, sealed.leaf.detail_hash);
    assert_code(open_it(&sealed, &detail), LB_SEAL_BROKEN);
    lb_arena_free(sealed.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_detail_opens_where_it_belongs),
        cmocka_unit_test(no_fields_have_no_commitment),
        cmocka_unit_test(equal_details_look_different),
        cmocka_unit_test(a_commitment_to_something_else_is_told),
        cmocka_unit_test(impossible_lengths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
