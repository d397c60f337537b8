#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/token/forge.h"
#include "gateway/token/grant.h"
#include "gateway/token/sd_jwt.h"

/* A standing grant says how often it may be used, and nothing else about it may stand there. */

struct test {
    struct lb_arena *arena;
    struct lb_sign_key *key;
    struct lb_span jwt, disclosure;
};

static lb_status issue(struct test *test, int64_t days)
{
    const struct lb_grant grant = forge_grant();
    struct lb_section section = forge_section();
    section.event_days = days;
    return lb_grant_issue(&grant, &section, 1, test->key, test->arena, &test->jwt,
                          &test->disclosure);
}

static int setup(void **state)
{
    static struct test test;
    test.arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &test.key));
    *state = &test;
    return 0;
}

static int teardown(void **state)
{
    struct test *test = *state;
    lb_sign_key_free(test->key);
    lb_arena_freep(&test->arena);
    return 0;
}

/* Opens a disclosure against a grant that holds its digest, so that only the content is judged. */
static lb_status open_text(struct test *test, const char *array, struct lb_section *out)
{
    char *disclosure = lb_b64url_encode(test->arena, lb_span_str(array));
    uint8_t digests[2][32] = {{0}};
    assert_non_null(disclosure);
    lb_disclosure_digest(lb_span_str(disclosure), digests[1]);
    struct lb_grant grant = {.num_digests = 2, .digests = (const uint8_t (*)[32])digests};
    return lb_section_open(&grant, lb_span_str(disclosure), test->arena, out);
}

static const char *text_of(struct test *test)
{
    struct lb_span text;
    assert_ok(lb_b64url_decode(test->arena, test->disclosure, &text));
    return lb_arena_str(test->arena, text);
}

static void stands_as_it_was_issued(void **state)
{
    struct test *test = *state;
    static const int64_t days[] = {0, 1, 30, 366};
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        struct lb_section section = {.event_days = -1};
        assert_ok(issue(test, days[i]));
        const char *text = text_of(test);
        assert_ok(open_text(test, text, &section));
        assert_int_equal(section.event_days, days[i]);
        assert_true((strstr(text, "\"event\"") != NULL) == (days[i] > 0));
    }
    assert_code(issue(test, -1), LB_SECTION_INVALID);
    assert_code(issue(test, LB_EVENT_MAX_DAYS + 1), LB_SECTION_INVALID);
}

static void anything_else_is_refused(void **state)
{
    struct test *test = *state;
    static const char *const bad[] = {
        "{}", "null", "30", "true", "[30]", "\"30\"", "{\"every_days\":0}", "{\"every_days\":-30}",
        "{\"every_days\":367}", "{\"every_days\":4294967326}", "{\"every_days\":1e1}",
        "{\"every_days\":30.0}", "{\"every_days\":\"30\"}", "{\"every_days\":null}",
        "{\"every_days\":30,\"every_days\":1}", "{\"every_days\":30,\"trigger\":\"x\"}",
        "{\"Every_days\":30}", "{\"every_days\":30},\"event\":{\"every_days\":30}",
        "{\"every_days\":30},\"events\":{\"every_days\":30}",
    };
    assert_ok(issue(test, 0));
    const char *text = text_of(test);
    const char *at = strchr(text, '{') + 1;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_section section = {.event_days = -1};
        const char *spoilt = lb_arena_printf(test->arena, "%.*s\"event\":%s,%s", (int)(at - text),
                                             text, bad[i], at);
        assert_code(open_text(test, spoilt, &section), LB_SECTION_INVALID);
        assert_int_equal(section.event_days, -1);
    }
}

/* The holder's thumbprints of both kinds never meet: the curve is in them. */
static void keys_of_two_kinds_have_two_thumbprints(void **state)
{
    struct test *test = *state;
    const uint8_t key[32] = {7};
    uint8_t sealing[32], log[32];
    assert_ok(lb_jwk_thumbprint_x25519(key, test->arena, sealing));
    assert_ok(lb_jwk_thumbprint_ed25519(key, test->arena, log));
    assert_memory_not_equal(sealing, log, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_as_it_was_issued),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(keys_of_two_kinds_have_two_thumbprints),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
