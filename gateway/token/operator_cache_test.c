#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/token/forge.h"
#include "gateway/token/operator_cache.h"

static struct lb_span issue(struct lb_arena *arena, const struct lb_sign_key *key, int64_t exp)
{
    const struct lb_operator claims = {
        .organization = "street-office", .kid = "m1", .unit = "desk",
        .person = "00112233445566778899aabbccddeeff", .jti = "t", .iat = FORGE_NOW, .exp = exp};
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_operator_token_issue(&claims, key, arena, &token));
    return token;
}

static void what_is_remembered_still_expires_and_binds_the_key(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(1 << 20);
    struct lb_operator_cache *cache = NULL;
    struct lb_sign_key *key = NULL, *other = NULL;
    struct lb_operator out = {0};
    assert_ok(lb_operator_cache_new(&cache));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &other));
    struct lb_verify_key *public_key = forge_verify_key(key);
    struct lb_verify_key *other_public = forge_verify_key(other);
    struct lb_span token = issue(arena, key, FORGE_NOW + 600);

    for (int i = 0; i < 3; i++) {
        assert_ok(lb_operator_cache_verify(cache, token, public_key, FORGE_NOW + i, arena, &out));
        assert_string_equal(out.organization, "street-office");
    }
    /* The directory has another key now. */
    assert_code(lb_operator_cache_verify(cache, token, other_public, FORGE_NOW,
                                                        arena, &out),
                LB_OPERATOR_TOKEN_INVALID);
    assert_code(lb_operator_cache_verify(cache, token, public_key, FORGE_NOW + 600,
                                                        arena, &out),
                LB_OPERATOR_TOKEN_EXPIRED);
    /* One changed byte is another token. */
    struct lb_span copy = LB_SPAN_EMPTY;
    assert_ok(lb_arena_copy(arena, token, &copy));
    uint8_t *bytes = (uint8_t *)(uintptr_t)copy.ptr;
    bytes[copy.len - 10] = bytes[copy.len - 10] == 'A' ? 'B' : 'A';
    assert_code(lb_operator_cache_verify(cache, copy, public_key, FORGE_NOW, arena,
                                                        &out),
                LB_OPERATOR_TOKEN_INVALID);
    lb_verify_key_free(public_key);
    lb_verify_key_free(other_public);
    lb_sign_key_free(key);
    lb_sign_key_free(other);
    lb_operator_cache_free(cache);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_remembered_still_expires_and_binds_the_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
