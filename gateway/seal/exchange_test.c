#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/exchange.h"

#define REQUESTER "spiffe://f/window/hall"
#define AUDIENCE "spiffe://f/adapter/tax/1"
#define KEY_ID "k1"
#define DEADLINE INT64_C(1790000000123)
#define ANSWER_BYTES 4096

static struct lb_arena *arena_of(void **state)
{
    return *state;
}

static int begin(void **state)
{
    *state = lb_arena_new(1 << 20);
    return *state == NULL ? -1 : 0;
}

static int end(void **state)
{
    lb_arena_free(*state);
    return 0;
}

static struct lb_span txn_of(char c)
{
    static uint8_t txn[LB_SEAL_TXN_BYTES];
    memset(txn, c, sizeof(txn));
    return lb_span_of(txn, sizeof(txn));
}

/* The bytes as docs/PROTOCOL.md gives them, written out by hand. */
static void info_has_the_documented_bytes(void **state)
{
    static const char expected[] = "lianban read v1"
                                   "\x00\x16" REQUESTER "\x00\x18" AUDIENCE "\x00\x02" KEY_ID;
    struct lb_span info;
    assert_true(lb_seal_info(REQUESTER, AUDIENCE, KEY_ID, arena_of(state), &info) == LB_OK);
    assert_true(lb_span_eq(info, lb_span_of(expected, sizeof(expected) - 1)));
}

static void info_separates_and_bounds_its_fields(void **state)
{
    struct lb_arena *arena = arena_of(state);
    struct lb_span a;
    struct lb_span b;
    assert_true(lb_seal_info("ab", "c", "d", arena, &a) == LB_OK);
    assert_true(lb_seal_info("a", "bc", "d", arena, &b) == LB_OK);
    assert_false(lb_span_eq(a, b));
    char longest[LB_MAX_SPIFFE_BYTES + 2];
    memset(longest, 'a', sizeof(longest));
    longest[LB_MAX_SPIFFE_BYTES + 1] = '\0';
    assert_int_equal(lb_status_code(lb_seal_info(longest, "b", "c", arena, &a)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_info("a", longest, "c", arena, &a)), LB_MALFORMED);
    longest[LB_MAX_SPIFFE_BYTES] = '\0';
    assert_true(lb_seal_info(longest, longest, "c", arena, &a) == LB_OK);
    longest[LB_MAX_NAME_BYTES + 1] = '\0';
    assert_int_equal(lb_status_code(lb_seal_info("a", "b", longest, arena, &a)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_info("", "b", "c", arena, &a)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_info("a", "", "c", arena, &a)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_info("a", "b", "", arena, &a)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_info(NULL, "b", "c", arena, &a)), LB_MALFORMED);
}

static void aad_has_the_documented_bytes(void **state)
{
    (void)state;
    static const char expected_input[] = "lianban aad v1"
                                         "\x00\x00\x00\x05grant"
                                         "\x00\x10tttttttttttttttt"
                                         "\x00\x02"
                                         "\x00\x06tax.v1"
                                         "\x00\x07tax.biz"
                                         "\x00\x00\x01\xa0\xc4\x44\x78\x7b"
                                         "\x00\x00\x10\x00";
    const struct lb_span views[] = {lb_span_str("tax.v1"), lb_span_str("tax.biz")};
    uint8_t expected[LB_SEAL_AAD_BYTES];
    uint8_t aad[LB_SEAL_AAD_BYTES];
    lb_sha256(lb_span_of(expected_input, sizeof(expected_input) - 1), expected);
    assert_true(lb_seal_aad(lb_span_str("grant"), txn_of('t'), views, 2,
                            INT64_C(0x1a0c444787b), ANSWER_BYTES, aad) == LB_OK);
    assert_memory_equal(aad, expected, sizeof(aad));
}

struct request {
    const char *grant;
    char txn;
    struct lb_span views[2];
    size_t num_views;
    int64_t deadline_unix_ms;
    uint32_t answer_bytes;
};

static void aad_of(const struct request *r, uint8_t out[LB_SEAL_AAD_BYTES])
{
    assert_true(lb_seal_aad(lb_span_str(r->grant), txn_of(r->txn), r->views, r->num_views,
                            r->deadline_unix_ms, r->answer_bytes, out) == LB_OK);
}

static void aad_depends_on_every_field(void **state)
{
    (void)state;
    const struct lb_span one = lb_span_str("v1");
    const struct lb_span two = lb_span_str("v2");
    const struct request requests[] = {
        {"grant", 't', {one, two}, 2, DEADLINE, ANSWER_BYTES},
        {"grand", 't', {one, two}, 2, DEADLINE, ANSWER_BYTES},
        {"grant", 'u', {one, two}, 2, DEADLINE, ANSWER_BYTES},
        {"grant", 't', {two, one}, 2, DEADLINE, ANSWER_BYTES},
        {"grant", 't', {one, one}, 2, DEADLINE, ANSWER_BYTES},
        {"grant", 't', {one, two}, 1, DEADLINE, ANSWER_BYTES},
        {"grant", 't', {lb_span_str("v1v2"), two}, 1, DEADLINE, ANSWER_BYTES},
        {"grant", 't', {one, two}, 2, DEADLINE + 1, ANSWER_BYTES},
        {"grant", 't', {one, two}, 2, DEADLINE, ANSWER_BYTES + 1},
    };
    enum { NUM = sizeof(requests) / sizeof(requests[0]) };
    uint8_t aads[NUM][LB_SEAL_AAD_BYTES];
    for (size_t i = 0; i < NUM; i++) {
        aad_of(&requests[i], aads[i]);
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(aads[i], aads[k], LB_SEAL_AAD_BYTES);
    }
}

static void aad_bounds_its_fields(void **state)
{
    uint8_t out[LB_SEAL_AAD_BYTES];
    struct lb_span views[LB_MAX_VIEWS_PER_SECTION + 1];
    for (size_t i = 0; i <= LB_MAX_VIEWS_PER_SECTION; i++)
        views[i] = lb_span_str("v");
    struct lb_span g = lb_span_str("g");
    struct lb_span t = txn_of('t');
    uint8_t *big = lb_arena_alloc(arena_of(state), LB_MAX_GRANT_BYTES + 1);
    assert_int_equal(lb_status_code(lb_seal_aad(LB_SPAN_EMPTY, t, views, 1, 1, 1, out)),
                     LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_aad(lb_span_of(big, LB_MAX_GRANT_BYTES + 1), t, views,
                                                1, 1, 1, out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_aad(g, lb_span_of(t.ptr, 15), views, 1, 1, 1, out)),
                     LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_aad(g, t, views, 0, 1, 1, out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_aad(g, t, views, LB_MAX_VIEWS_PER_SECTION + 1, 1, 1,
                                                out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_seal_aad(g, t, views, 1, -1, 1, out)), LB_MALFORMED);
    views[0] = lb_span_of(big, LB_MAX_NAME_BYTES + 1);
    assert_int_equal(lb_status_code(lb_seal_aad(g, t, views, 1, 1, 1, out)), LB_MALFORMED);
    /* All at their longest. */
    for (size_t i = 0; i < LB_MAX_VIEWS_PER_SECTION; i++)
        views[i] = lb_span_of(big, LB_MAX_NAME_BYTES);
    assert_true(lb_seal_aad(lb_span_of(big, LB_MAX_GRANT_BYTES), t, views,
                            LB_MAX_VIEWS_PER_SECTION, INT64_MAX, UINT32_MAX, out) == LB_OK);
}

struct sides {
    struct lb_hpke_context requester;
    struct lb_hpke_context adapter;
    uint8_t sealed[4 + LB_HPKE_TAG_BYTES];
};

/* A context as requester and adapter each derive it, and request number 3 sealed in it. */
static struct sides make_sides(struct lb_arena *arena)
{
    struct sides s;
    struct lb_x25519_key requester;
    struct lb_x25519_key adapter;
    struct lb_span info;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    assert_true(lb_x25519_generate(&requester) == LB_OK);
    assert_true(lb_x25519_generate(&adapter) == LB_OK);
    assert_true(lb_seal_info(REQUESTER, AUDIENCE, KEY_ID, arena, &info) == LB_OK);
    assert_true(lb_hpke_setup_sender(adapter.public_key, info, &requester, enc, &s.requester) ==
                LB_OK);
    assert_true(lb_hpke_setup_recipient(&adapter, enc, info, requester.public_key, &s.adapter) ==
                LB_OK);
    assert_true(lb_hpke_seal(&s.requester, 3, lb_span_str("aad"), lb_span_str("read"), s.sealed) ==
                LB_OK);
    return s;
}

static void the_answer_key_is_the_documented_export(void **state)
{
    struct sides s = make_sides(arena_of(state));
    struct lb_span ciphertext = lb_span_of(s.sealed, sizeof(s.sealed));
    uint8_t exporter[14 + 8 + 32] = "lianban answer\x01\x02\x03\x04\x05\x06\x07\x08";
    uint8_t expected[LB_SEAL_ANSWER_KEY_BYTES];
    uint8_t key[LB_SEAL_ANSWER_KEY_BYTES];
    lb_sha256(ciphertext, exporter + 22);
    lb_hpke_export(&s.requester, lb_span_of(exporter, sizeof(exporter)), expected,
                   sizeof(expected));
    lb_seal_answer_key(&s.adapter, UINT64_C(0x0102030405060708), ciphertext, key);
    assert_memory_equal(key, expected, sizeof(key));
    lb_seal_answer_key(&s.adapter, UINT64_C(0x0102030405060709), ciphertext, key);
    assert_memory_not_equal(key, expected, sizeof(key));
}

static enum lb_code open_answer(const struct sides *s, uint64_t seq, struct lb_span ciphertext,
                                struct lb_span sealed, struct lb_arena *arena)
{
    struct lb_span plain = LB_SPAN_EMPTY;
    lb_status status =
        lb_open_answer(&s->requester, seq, ciphertext, txn_of('t'), sealed, arena, &plain);
    if (status == LB_OK)
        assert_true(lb_span_is(plain, "an answer"));
    return lb_status_code(status);
}

static void an_answer_opens_for_its_own_request_only(void **state)
{
    struct lb_arena *arena = arena_of(state);
    struct sides s = make_sides(arena);
    struct sides other = make_sides(arena);
    struct lb_span request = lb_span_of(s.sealed, sizeof(s.sealed));
    struct lb_span sealed;
    assert_true(lb_seal_answer(&s.adapter, 3, request, txn_of('t'), lb_span_str("an answer"),
                               arena, &sealed) == LB_OK);
    assert_int_equal(sealed.len, 9 + LB_AEAD_TAG_BYTES);
    assert_int_equal(open_answer(&s, 3, request, sealed, arena), LB_CODE_OK);
    assert_int_equal(open_answer(&s, 4, request, sealed, arena), LB_SEAL_BROKEN);
    assert_int_equal(open_answer(&other, 3, request, sealed, arena), LB_SEAL_BROKEN);
    s.sealed[0] ^= 1;
    assert_int_equal(open_answer(&s, 3, request, sealed, arena), LB_SEAL_BROKEN);
    s.sealed[0] ^= 1;
    struct lb_span plain;
    assert_int_equal(lb_status_code(lb_open_answer(&s.requester, 3, request, txn_of('u'), sealed,
                                                   arena, &plain)), LB_SEAL_BROKEN);
    for (size_t len = 0; len < sealed.len; len++)
        assert_int_equal(open_answer(&s, 3, request, lb_span_of(sealed.ptr, len), arena),
                         LB_SEAL_BROKEN);
    uint8_t changed[9 + LB_AEAD_TAG_BYTES];
    for (size_t i = 0; i < sizeof(changed); i++) {
        memcpy(changed, sealed.ptr, sizeof(changed));
        changed[i] ^= 0x80;
        assert_int_equal(open_answer(&s, 3, request, lb_span_of(changed, sizeof(changed)), arena),
                         LB_SEAL_BROKEN);
    }
}

static void a_txn_has_sixteen_bytes(void **state)
{
    struct lb_arena *arena = arena_of(state);
    struct sides s = make_sides(arena);
    struct lb_span request = lb_span_of(s.sealed, sizeof(s.sealed));
    struct lb_span short_txn = lb_span_of(txn_of('t').ptr, 15);
    struct lb_span out;
    assert_int_equal(lb_status_code(lb_seal_answer(&s.adapter, 3, request, short_txn, request,
                                                   arena, &out)), LB_MALFORMED);
    assert_int_equal(lb_status_code(lb_open_answer(&s.requester, 3, request, short_txn, request,
                                                   arena, &out)), LB_SEAL_BROKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(info_has_the_documented_bytes, begin, end),
        cmocka_unit_test_setup_teardown(info_separates_and_bounds_its_fields, begin, end),
        cmocka_unit_test_setup_teardown(aad_has_the_documented_bytes, begin, end),
        cmocka_unit_test_setup_teardown(aad_depends_on_every_field, begin, end),
        cmocka_unit_test_setup_teardown(aad_bounds_its_fields, begin, end),
        cmocka_unit_test_setup_teardown(the_answer_key_is_the_documented_export, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_opens_for_its_own_request_only, begin, end),
        cmocka_unit_test_setup_teardown(a_txn_has_sixteen_bytes, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
