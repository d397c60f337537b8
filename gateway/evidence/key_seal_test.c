#include "gateway/crypto/hash.h"
#include "gateway/evidence/key_seal.h"
#include "gateway/evidence/test_util.h"
#include "gateway/seal/hpke.h"

#define ORIGIN "example/adapter/tax"
#define NUM_KEYS (3 * LB_KEY_SEAL_KEYS + 50)

static const uint8_t SUBJECT[LB_DETAIL_SUBJECT_BYTES] = {7};

struct bench {
    struct lb_x25519_key officer;
    struct lb_key_seal *seal;
};

static int set_up(void **state)
{
    static struct bench bench;
    assert_ok(lb_x25519_generate(&bench.officer));
    assert_ok(lb_key_seal_new(bench.officer.public_key, ORIGIN, 1, &bench.seal));
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    lb_key_seal_free(bench->seal);
    return 0;
}

static lb_status open_as(const struct lb_x25519_key *officer, const char *origin, uint64_t kid,
                         const uint8_t *sealed, uint8_t *out_key)
{
    const struct lb_sealed_key key = {kid, SUBJECT, sealed};
    return lb_key_seal_open(officer, origin, &key, NULL, out_key);
}

static lb_status open_it(const struct bench *bench, const struct lb_fresh_key *key)
{
    uint8_t opened[LB_DETAIL_KEY_BYTES];
    LB_TRY(open_as(&bench->officer, ORIGIN, key->kid, key->sealed, opened));
    assert_memory_equal(opened, key->key, sizeof(opened));
    return LB_OK;
}

/* However fast they are taken, and wherever one context ends and the next begins. */
static void keys_are_numbered_and_open(void **state)
{
    const struct bench *bench = *state;
    static struct lb_fresh_key before;
    size_t num_contexts = 0;
    for (uint64_t kid = 1; kid <= NUM_KEYS; kid++) {
        struct lb_fresh_key key;
        assert_ok(lb_key_seal_take(bench->seal, &key));
        assert_int_equal(key.kid, kid);
        assert_memory_not_equal(key.key, before.key, sizeof(key.key));
        num_contexts += memcmp(key.sealed, before.sealed, LB_HPKE_ENC_BYTES) != 0;
        if (kid % 37 == 0)
            assert_ok(open_it(bench, &key));
        before = key;
    }
    assert_in_range(num_contexts, 2, 4);
}

static void a_key_opens_only_as_it_was_sealed(void **state)
{
    struct bench *bench = *state;
    struct lb_fresh_key key;
    uint8_t opened[LB_DETAIL_KEY_BYTES];
    assert_ok(lb_key_seal_take(bench->seal, &key));
    assert_code(open_as(&bench->officer, ORIGIN "2", key.kid, key.sealed, opened),
                LB_SEAL_BROKEN);
    assert_code(open_as(&bench->officer, ORIGIN, key.kid + 1, key.sealed, opened),
                LB_SEAL_BROKEN);
    for (size_t i = 0; i < sizeof(key.sealed); i++) {
        key.sealed[i] ^= 1;
        assert_code(open_it(bench, &key), LB_SEAL_BROKEN);
        key.sealed[i] ^= 1;
    }
    assert_ok(open_it(bench, &key));
    struct lb_x25519_key other;
    assert_ok(lb_x25519_generate(&other));
    assert_code(open_as(&other, ORIGIN, key.kid, key.sealed, opened),
                LB_SEAL_BROKEN);
}

/* What was made ahead for the officer before is thrown away, and its numbers come again. */
static void after_a_change_only_the_new_officer_opens(void **state)
{
    struct bench *bench = *state;
    struct lb_x25519_key before = bench->officer;
    struct lb_fresh_key key;
    uint8_t opened[LB_DETAIL_KEY_BYTES];
    assert_ok(lb_key_seal_take(bench->seal, &key));
    uint64_t last = key.kid;
    assert_ok(lb_x25519_generate(&bench->officer));
    lb_key_seal_change(bench->seal, bench->officer.public_key);
    for (uint64_t i = 1; i <= 200; i++) {
        assert_ok(lb_key_seal_take(bench->seal, &key));
        assert_int_equal(key.kid, last + i);
        assert_code(open_as(&before, ORIGIN, key.kid, key.sealed, opened),
                    LB_SEAL_BROKEN);
        assert_ok(open_it(bench, &key));
    }
}

/* With a memo the next of a context opens without its private key, and a changed one never. */
static void a_memo_opens_what_shares_its_context(void **state)
{
    struct bench *bench = *state;
    struct lb_key_memo memo = {.is_set = false};
    struct lb_x25519_key other;
    struct lb_fresh_key key;
    uint8_t opened[LB_DETAIL_KEY_BYTES];
    const struct lb_sealed_key sealed = {1, SUBJECT, key.sealed};
    assert_ok(lb_x25519_generate(&other));
    assert_ok(lb_key_seal_take(bench->seal, &key));
    assert_code(lb_key_seal_open(&other, ORIGIN, &sealed, &memo, opened), LB_SEAL_BROKEN);
    assert_false(memo.is_set);
    assert_ok(lb_key_seal_open(&bench->officer, ORIGIN, &sealed, &memo, opened));
    assert_memory_equal(opened, key.key, sizeof(opened));
    for (uint64_t kid = 2; kid <= NUM_KEYS; kid++) {
        const struct lb_sealed_key next = {kid, SUBJECT, key.sealed};
        assert_ok(lb_key_seal_take(bench->seal, &key));
        bool shared = memcmp(memo.enc, key.sealed, sizeof(memo.enc)) == 0;
        lb_status status = lb_key_seal_open(&other, ORIGIN, &next, &memo, opened);
        assert_code(status, shared ? LB_CODE_OK : LB_SEAL_BROKEN);
        if (!shared)
            assert_ok(lb_key_seal_open(&bench->officer, ORIGIN, &next, &memo, opened));
        assert_memory_equal(opened, key.key, sizeof(opened));
        key.sealed[40] ^= 1;
        if (kid % 50 == 0)
            assert_code(lb_key_seal_open(&bench->officer, ORIGIN, &next, &memo, opened),
                        LB_SEAL_BROKEN);
    }
}

static void a_key_of_version_1_opens(void **state)
{
    const struct bench *bench = *state;
    struct lb_fresh_key key = {.kid = 9, .key = {1, 2, 3}};
    uint8_t aad[8 + LB_DETAIL_SUBJECT_BYTES] = {0, 0, 0, 0, 0, 0, 0, 9, 7};
    assert_ok(lb_hpke_seal_base(bench->officer.public_key,
                                lb_span_str("lianban detail key v1" ORIGIN),
                                lb_span_of(aad, sizeof(aad)),
                                lb_span_of(key.key, sizeof(key.key)), key.sealed));
    assert_ok(open_it(bench, &key));
    key.kid = 8;
    assert_code(open_it(bench, &key), LB_SEAL_BROKEN);
}

#define SEAL_TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SEAL_TEST(keys_are_numbered_and_open),
        SEAL_TEST(a_key_opens_only_as_it_was_sealed),
        SEAL_TEST(after_a_change_only_the_new_officer_opens),
        SEAL_TEST(a_memo_opens_what_shares_its_context),
        SEAL_TEST(a_key_of_version_1_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
