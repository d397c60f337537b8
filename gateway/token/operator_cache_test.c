#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/token/forge.h"
#include "gateway/token/operator_cache.h"

static struct lb_arena *arena;
static struct lb_operator_cache *cache;
static struct lb_sign_key *key;
static struct lb_verify_key *public_key, *other_public;

static int set_up(void **state)
{
    struct lb_sign_key *other = NULL;
    (void)state;
    arena = lb_arena_new(1 << 22);
    assert_ok(lb_operator_cache_new(&cache));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &other));
    public_key = forge_verify_key(key);
    other_public = forge_verify_key(other);
    lb_sign_key_free(other);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lb_verify_key_free(public_key);
    lb_verify_key_free(other_public);
    lb_sign_key_free(key);
    lb_operator_cache_free(cache);
    lb_arena_freep(&arena);
    return 0;
}

static struct lb_operator sample(const char *jti, int64_t exp)
{
    return (struct lb_operator){
        .organization = "street-office", .kid = "m1", .unit = "desk",
        .person = "00112233445566778899aabbccddeeff", .jti = jti, .iat = FORGE_NOW, .exp = exp};
}

static struct lb_span issue(const char *jti, int64_t exp)
{
    const struct lb_operator claims = sample(jti, exp);
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_operator_token_issue(&claims, key, arena, &token));
    return token;
}

static struct lb_operator_read read_at(struct lb_span token, int64_t now)
{
    struct lb_operator_read read = {.is_known = false};
    assert_ok(lb_operator_cache_read(cache, token, now, arena, &read));
    return read;
}

static lb_status check(const struct lb_operator_read *read, const struct lb_verify_key *by,
                       int64_t now)
{
    return lb_operator_cache_check(cache, read, by, now, arena);
}

static void assert_says(const struct lb_operator_read *read, const struct lb_operator *want)
{
    assert_string_equal(read->claims.organization, want->organization);
    assert_string_equal(read->claims.kid, want->kid);
    assert_string_equal(read->claims.unit, want->unit);
    assert_string_equal(read->claims.person, want->person);
    assert_string_equal(read->claims.jti, want->jti);
    assert_int_equal(read->claims.iat, want->iat);
    assert_int_equal(read->claims.exp, want->exp);
}

/* The second time nothing is taken apart, and it says the same, the longest names included. */
static void what_was_verified_is_known(void **state)
{
    char name[LB_MAX_NAME_BYTES + 1] = {0};
    (void)state;
    memset(name, 'x', LB_MAX_NAME_BYTES);
    struct lb_operator want = sample(name, FORGE_NOW + 600);
    want.organization = want.kid = want.unit = name;
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_operator_token_issue(&want, key, arena, &token));
    struct lb_operator_read read = read_at(token, FORGE_NOW);
    assert_false(read.is_known);
    assert_says(&read, &want);
    assert_ok(check(&read, public_key, FORGE_NOW));
    for (int i = 0; i < 3; i++) {
        read = read_at(token, FORGE_NOW + i);
        assert_true(read.is_known);
        assert_says(&read, &want);
        assert_ok(check(&read, public_key, FORGE_NOW + i));
    }
}

/* Reading alone, or a signature that does not hold, leaves nothing behind. */
static void what_was_not_verified_is_not_known(void **state)
{
    (void)state;
    struct lb_span token = issue("t", FORGE_NOW + 600);
    struct lb_operator_read read = read_at(token, FORGE_NOW);
    assert_code(check(&read, other_public, FORGE_NOW), LB_OPERATOR_TOKEN_INVALID);
    assert_false(read_at(token, FORGE_NOW).is_known);
}

/* A forged token is not known for the one it was made of, nor takes its place. */
static void one_changed_byte_is_another_token(void **state)
{
    (void)state;
    struct lb_span token = issue("t", FORGE_NOW + 600);
    struct lb_operator_read read = read_at(token, FORGE_NOW);
    assert_ok(check(&read, public_key, FORGE_NOW));
    struct lb_span copy = LB_SPAN_EMPTY;
    assert_ok(lb_arena_copy(arena, token, &copy));
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.ptr;
    bytes[copy.len - 10] = bytes[copy.len - 10] == 'A' ? 'B' : 'A';
    read = read_at(copy, FORGE_NOW);
    assert_false(read.is_known);
    assert_code(check(&read, public_key, FORGE_NOW), LB_OPERATOR_TOKEN_INVALID);
    assert_true(read_at(token, FORGE_NOW).is_known);
}

/* The directory has another key now: also what was read before it changed is refused. */
static void another_key_finds_nothing(void **state)
{
    (void)state;
    struct lb_span token = issue("t", FORGE_NOW + 600);
    struct lb_operator_read read = read_at(token, FORGE_NOW);
    assert_ok(check(&read, public_key, FORGE_NOW));
    read = read_at(token, FORGE_NOW);
    assert_true(read.is_known);
    assert_code(check(&read, other_public, FORGE_NOW), LB_OPERATOR_TOKEN_INVALID);
    assert_ok(check(&read, public_key, FORGE_NOW));
}

static void what_is_known_still_expires(void **state)
{
    (void)state;
    struct lb_span token = issue("t", FORGE_NOW + 600);
    struct lb_operator_read read = read_at(token, FORGE_NOW);
    assert_ok(check(&read, public_key, FORGE_NOW));
    read = read_at(token, FORGE_NOW + 599);
    assert_true(read.is_known);
    assert_code(check(&read, public_key, FORGE_NOW + 600), LB_OPERATOR_TOKEN_EXPIRED);
    read = read_at(token, FORGE_NOW + 600);
    assert_false(read.is_known);
    assert_code(check(&read, public_key, FORGE_NOW + 600), LB_OPERATOR_TOKEN_EXPIRED);
}

/* Two tokens of one place: the later one is known with what it says itself, the former one is no
 * more, and what was read of it stays what it was. */
static void tokens_of_one_place_are_told_apart(void **state)
{
    char jti[16] = "first";
    (void)state;
    struct lb_span first = issue(jti, FORGE_NOW + 600);
    struct lb_operator_read read = read_at(first, FORGE_NOW), later = read;
    assert_ok(check(&read, public_key, FORGE_NOW));
    read = read_at(first, FORGE_NOW);
    for (unsigned i = 0; later.digest[1] != read.digest[1] ||
                         ((later.digest[0] ^ read.digest[0]) & 3) != 0 || i == 0; i++) {
        assert_true(i < 100000);
        (void)snprintf(jti, sizeof(jti), "t%u", i);
        LB_DEFER(lb_arena_freep) struct lb_arena *own = lb_arena_new(1 << 16);
        const struct lb_operator claims = sample(jti, FORGE_NOW + 500);
        struct lb_span token = LB_SPAN_EMPTY;
        assert_ok(lb_operator_token_issue(&claims, key, own, &token));
        lb_sha256(token, later.digest);
        if (later.digest[1] == read.digest[1] && ((later.digest[0] ^ read.digest[0]) & 3) == 0)
            assert_ok(lb_arena_copy(arena, token, &later.token));
    }
    struct lb_operator_read second = read_at(later.token, FORGE_NOW);
    assert_false(second.is_known);
    assert_ok(check(&second, public_key, FORGE_NOW));
    second = read_at(later.token, FORGE_NOW);
    assert_true(second.is_known);
    assert_string_equal(second.claims.jti, jti);
    assert_false(read_at(first, FORGE_NOW).is_known);
    assert_string_equal(read.claims.jti, "first");
}

#define CACHE_TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CACHE_TEST(what_was_verified_is_known),
        CACHE_TEST(what_was_not_verified_is_not_known),
        CACHE_TEST(one_changed_byte_is_another_token),
        CACHE_TEST(another_key_finds_nothing),
        CACHE_TEST(what_is_known_still_expires),
        CACHE_TEST(tokens_of_one_place_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
