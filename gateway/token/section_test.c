#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/token/forge.h"
#include "gateway/token/grant.h"
#include "gateway/token/sd_jwt.h"

static struct lb_arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    return arena == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    lb_arena_freep(&arena);
    return 0;
}

#define ZEROS64 "0000000000000000000000000000000000000000000000000000000000000000"
#define SALT "AAAAAAAAAAAAAAAAAAAAAA"

static const char good[] =
    "{\"provider\":\"tax\",\"aud\":\"spiffe://example.gov/adapter/tax/one\","
    "\"form\":\"social-assistance\",\"form_version\":2,\"form_sha256\":\"" ZEROS64 "\","
    "\"purpose\":\"social-assistance\",\"case\":\"2026-1\",\"basis\":\"consent\",\"law\":["
    "\"SAL40\"],"
    "\"role\":\"applicant\",\"act\":\"00112233445566778899aabbccddeeff\",\"notice\":\"" ZEROS64
    "\","
    "\"method\":\"face\",\"level\":3,\"uses\":3,\"answer_bytes\":4096,"
    "\"sub\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
    "\"views\":[{\"view\":\"tax.income\",\"version\":1,"
    "\"fields\":[{\"field\":\"income\",\"op\":\"SUM(12)\"}]}]}";

/* Opens a disclosure against a grant that holds its digest, so that only the content is judged. */
static lb_status open_text(const char *array_text, struct lb_section *out)
{
    char *disclosure = lb_b64url_encode(arena, lb_span_str(array_text));
    assert_non_null(disclosure);
    uint8_t digests[2][32] = {{0}};
    lb_disclosure_digest(lb_span_str(disclosure), digests[1]);
    struct lb_grant grant = {.num_digests = 2, .digests = (const uint8_t (*)[32])digests};
    return lb_section_open(&grant, lb_span_str(disclosure), arena, out);
}

static lb_status open_section(const char *section, struct lb_section *out)
{
    return open_text(lb_arena_printf(arena, "[\"" SALT "\",\"section\",%s]", section), out);
}

static void names_an_approver(void **state)
{
    (void)state;
    struct lb_section section;
    char text[2048];
    size_t at = (size_t)(strstr(good, "\"notice\"") - good);
    assert_true(open_section(good, &section) == LB_OK);
    assert_null(section.approver);
    (void)snprintf(text, sizeof(text), "%.*s\"approver\":\"ffeeddccbbaa99887766554433221100\",%s",
                   (int)at, good, good + at);
    assert_true(open_section(text, &section) == LB_OK);
    assert_string_equal(section.approver, "ffeeddccbbaa99887766554433221100");
    (void)snprintf(text, sizeof(text), "%.*s\"approver\":\"\",%s", (int)at, good, good + at);
    assert_int_equal(lb_status_code(open_section(text, &section)), LB_SECTION_INVALID);
    (void)snprintf(text, sizeof(text), "%.*s\"approver\":7,%s", (int)at, good, good + at);
    assert_int_equal(lb_status_code(open_section(text, &section)), LB_SECTION_INVALID);
}

static void test_good(void **state)
{
    (void)state;
    struct lb_section section;
    assert_ok(open_section(good, &section));
    assert_string_equal(section.views[0].fields[0].name, "income");
    assert_null(section.guardian);
}

#define AGENT                                                                                      \
    "\"agent\":{\"relation\":\"neighbour\",\"until\":1800000000,"                                  \
    "\"document\":\"" ZEROS64 "\",\"scope\":[\"tax.income\"]}"
#define RELATIVE "\"relative\":{\"relation\":\"child\",\"interest\":\"burial\"}"

/* The good section with more members in it. */
static lb_status open_with(const char *members, struct lb_section *out)
{
    const char *text = lb_arena_printf(arena, "{%s,%s", members, good + 1);
    return open_section(text, out);
}

static void test_who_agreed(void **state)
{
    (void)state;
    struct lb_section section;
    assert_ok(open_with(AGENT, &section));
    assert_string_equal(section.agent, "neighbour");
    assert_int_equal(section.agent_until, 1800000000);
    assert_int_equal(section.num_agent_views, 1);
    assert_string_equal(section.agent_views[0], "tax.income");
    assert_null(section.relative);
    assert_ok(open_with(RELATIVE, &section));
    assert_string_equal(section.relative, "child");
    assert_string_equal(section.interest, "burial");
    assert_null(section.agent);
}

static void test_hostile_givers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        AGENT "," RELATIVE,
        AGENT ",\"guardian\":\"mother\"",
        RELATIVE ",\"guardian\":\"mother\"",
        "\"agent\":null",
        "\"agent\":\"neighbour\"",
        "\"agent\":{}",
        "\"agent\":{\"relation\":\"n\",\"until\":1,\"document\":\"" ZEROS64 "\",\"scope\":[]}",
        "\"agent\":{\"relation\":\"n\",\"until\":0,\"document\":\"" ZEROS64 "\",\"scope\":[\"v\"]}",
        "\"agent\":{\"relation\":\"\",\"until\":1,\"document\":\"" ZEROS64 "\",\"scope\":[\"v\"]}",
        "\"agent\":{\"relation\":\"n\",\"until\":1,\"document\":\"00\",\"scope\":[\"v\"]}",
        "\"agent\":{\"relation\":\"n\",\"until\":1,\"document\":\"" ZEROS64 "\",\"scope\":[\"\"]}",
        "\"agent\":{\"relation\":\"n\",\"until\":1,\"document\":\"" ZEROS64 "\",\"scope\":[1]}",
        "\"agent\":{\"relation\":\"n\",\"until\":1,\"document\":\"" ZEROS64
        "\",\"scope\":[\"v\"],\"x\":1}",
        "\"agent\":{\"relation\":\"n\",\"until\":1,\"document\":\"" ZEROS64
        "\",\"scope\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}",
        "\"relative\":{\"relation\":\"child\"}",
        "\"relative\":{\"relation\":\"child\",\"interest\":\"\"}",
        "\"relative\":{\"relation\":\"child\",\"interest\":\"burial\",\"name\":\"x\"}",
        "\"relative\":[]",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lb_section section;
        if (lb_status_code(open_with(bad[i], &section)) != LB_SECTION_INVALID)
            fail_msg("%zu was taken", i);
    }
}

static void test_hostile_members(void **state)
{
    (void)state;
    static const char *const swaps[][2] = {
        {"\"provider\"", "\"extra\":1,\"provider\""},
        {"\"provider\"", "\"provider\":\"x\",\"provider\""},
        {"\"provider\":\"tax\",", ""},
        {"\"provider\":\"tax\"", "\"provider\":\"\""},
        {"\"provider\":\"tax\"", "\"provider\":null"},
        {"\"aud\":\"spiffe://example.gov/adapter/tax/one\"", "\"aud\":[\"a\",\"b\"]"},
        {"\"form_version\":2", "\"form_version\":0"},
        {"\"form_version\":2", "\"form_version\":4294967296"},
        {"\"form_version\":2", "\"form_version\":-1"},
        {"\"form_sha256\":\"0", "\"form_sha256\":\""},
        {"\"form_sha256\":\"0", "\"form_sha256\":\"A"},
        {"\"form_sha256\":\"0", "\"form_sha256\":\"g"},
        {"\"notice\":\"", "\"notice\":\"0"},
        {"\"law\":[\"SAL40\"]", "\"law\":\"SAL40\""},
        {"\"law\":[\"SAL40\"]", "\"law\":[7]"},
        {"\"law\":[\"SAL40\"]", "\"law\":[\"\"]"},
        {"\"role\":\"applicant\"", "\"role\":\"a\\u001fb\""},
        {"\"act\":\"00112233445566778899aabbccddeeff\"", "\"act\":\"\""},
        {"\"method\":\"face\"", "\"method\":\"hearsay\""},
        {"\"method\":\"face\"", "\"method\":\"face\",\"guardian\":\"\""},
        {"\"method\":\"face\"", "\"method\":\"face\",\"guardian\":null"},
        {"\"level\":3", "\"level\":0"},
        {"\"level\":3", "\"level\":5"},
        {"\"level\":3", "\"level\":\"3\""},
        {"\"uses\":3", "\"uses\":0"},
        {"\"uses\":3", "\"uses\":1000001"},
        {"\"answer_bytes\":4096", "\"answer_bytes\":0"},
        {"\"answer_bytes\":4096", "\"answer_bytes\":32769"},
        {"\"sub\":\"A", "\"sub\":\""},
        {"\"views\":[", "\"views\":[[],"},
        {"\"views\":[", "\"views\":{},\"Views\":["},
        {"\"version\":1", "\"version\":0"},
        {"\"view\":\"tax.income\"", "\"view\":\"tax.income\",\"sql\":\"x\""},
        {"\"op\":\"SUM(12)\"", "\"op\":\"\""},
        {"\"op\":\"SUM(12)\"", "\"op\":\"SUM(12)\",\"arg\":1"},
        {",\"op\":\"SUM(12)\"", ""},
        {"{\"field\":\"income\",\"op\":\"SUM(12)\"}", ""},
        {"\"fields\":[", "\"fields\":[{\"field\":\"income\",\"op\":\"SUM(12)\"},"},
    };
    for (size_t i = 0; i < sizeof(swaps) / sizeof(swaps[0]); i++) {
        struct lb_section got = {.provider = "untouched"};
        assert_code(open_section(forge_swap(arena, good, swaps[i][0], swaps[i][1]), &got),
                    LB_SECTION_INVALID);
        assert_string_equal(got.provider, "untouched");
    }
}

static void test_no_case(void **state)
{
    (void)state;
    struct lb_section got;
    assert_code(open_section(forge_swap(arena, good, "\"case\":\"2026-1\",", ""), &got),
                LB_NO_CASE);
    assert_code(open_section(forge_swap(arena, good, "\"2026-1\"", "\"\""), &got), LB_NO_CASE);
    assert_code(open_section(forge_swap(arena, good, "\"2026-1\"", "7"), &got),
                LB_SECTION_INVALID);
}

static void test_too_many(void **state)
{
    (void)state;
    struct lb_section got;
    char *views = lb_arena_alloc(arena, 4096);
    size_t at = 0;
    for (int i = 0; i < LB_MAX_VIEWS_PER_SECTION; i++)
        at += (size_t)snprintf(
            views + at, 128,
            "%s{\"view\":\"v%d\",\"version\":1,\"fields\":[{\"field\":\"a\",\"op\":\"PASS\"}]}",
            i == 0 ? "" : ",", i);
    size_t start = (size_t)(strstr(good, "\"views\":[") + strlen("\"views\":[") - good);
    assert_ok(open_section(lb_arena_printf(arena, "%.*s%s]}", (int)start, good, views), &got));
    const char *more = lb_arena_printf(arena, "%.*s%s,%s", (int)start, good, views, good + start);
    assert_code(open_section(more, &got), LB_SECTION_INVALID);
    /* One view twice, though in two versions. */
    const char *twice = forge_swap(arena, good, "\"views\":[",
                                   "\"views\":[{\"view\":\"tax.income\",\"version\":2,"
                                   "\"fields\":[{\"field\":\"a\",\"op\":\"PASS\"}]},");
    assert_code(open_section(twice, &got), LB_SECTION_INVALID);
}

static void test_hostile_disclosures(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[\"" SALT "\",\"section\"]",
        "[\"" SALT "\",\"section\",{},{}]",
        "[\"" SALT "\",\"sections\",{}]",
        "[\"" SALT "\",7,{}]",
        "[\"" SALT "\",\"section\",[]]",
        "[\"" SALT "\",\"section\",\"x\"]",
        "[\"\",\"section\",{}]",
        "[1,\"section\",{}]",
        "[\"AAAA\",\"section\",{}]",
        "{\"0\":\"" SALT "\"}",
        "[",
        "",
        "null",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct lb_section got = {.provider = "untouched"};
        assert_code(open_text(texts[i], &got), LB_SECTION_INVALID);
        assert_string_equal(got.provider, "untouched");
    }
    /* The same with a good body, so that it is the salt that is judged. */
    struct lb_section got;
    assert_ok(open_text(lb_arena_printf(arena, "[\"" SALT "\",\"section\",%s]", good), &got));
    static const char *const salts[] = {"", "AAAA", SALT "AA", "AAAAAAAAAAAAAAAAAAAAAB"};
    for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
        char *text = lb_arena_printf(arena, "[\"%s\",\"section\",%s]", salts[i], good);
        assert_code(open_text(text, &got), LB_SECTION_INVALID);
    }
}

static void test_of_another_grant(void **state)
{
    (void)state;
    struct lb_sign_key *key = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    struct lb_section section;
    assert_ok(open_section(good, &section));
    struct lb_grant grant = {.issuer = "hall", .kid = "1", .jti = "a", .requester = "office",
                             .iat = 1, .nbf = 1, .exp = 2};
    struct lb_grant first;
    struct lb_grant second;
    struct lb_span jwt;
    struct lb_span mine;
    struct lb_span theirs;
    assert_ok(lb_grant_issue(&grant, &section, 1, key, arena, &jwt, &mine));
    assert_ok(lb_grant_peek(jwt, arena, &first));
    assert_ok(lb_grant_issue(&grant, &section, 1, key, arena, &jwt, &theirs));
    assert_ok(lb_grant_peek(jwt, arena, &second));
    assert_ok(lb_section_open(&first, mine, arena, &section));
    assert_code(lb_section_open(&first, theirs, arena, &section), LB_SECTION_INVALID);
    assert_code(lb_section_open(&second, mine, arena, &section), LB_SECTION_INVALID);
    assert_code(lb_section_open(&first, LB_SPAN_EMPTY, arena, &section), LB_SECTION_INVALID);
    assert_code(lb_section_open(&first, lb_span_of(mine.ptr, mine.len - 1), arena, &section),
                LB_SECTION_INVALID);
    lb_sign_key_free(key);
}

/* What a reader would refuse is not issued either. */
static void test_issue_refuses(void **state)
{
    (void)state;
    struct lb_sign_key *key = NULL;
    assert_ok(lb_sign_key_generate(LB_SIGN_ES256, &key));
    struct lb_section section;
    assert_ok(open_section(good, &section));
    struct lb_grant grant = {.issuer = "hall", .kid = "1", .jti = "a", .requester = "office",
                             .iat = 1, .nbf = 1, .exp = 2};
    struct lb_span jwt = LB_SPAN_EMPTY;
    struct lb_span out[65];
    assert_code(lb_grant_issue(&grant, &section, 0, key, arena, &jwt, out), LB_SECTION_INVALID);
    assert_code(lb_grant_issue(&grant, &section, 65, key, arena, &jwt, out), LB_SECTION_INVALID);
    struct lb_section bad = section;
    bad.case_id = "";
    assert_code(lb_grant_issue(&grant, &bad, 1, key, arena, &jwt, out), LB_NO_CASE);
    bad = section;
    bad.role = "\xff\xfe";
    assert_true(lb_grant_issue(&grant, &bad, 1, key, arena, &jwt, out) != LB_OK);
    bad = section;
    bad.level = 9;
    assert_code(lb_grant_issue(&grant, &bad, 1, key, arena, &jwt, out), LB_SECTION_INVALID);
    grant.exp = 1;
    assert_code(lb_grant_issue(&grant, &section, 1, key, arena, &jwt, out), LB_GRANT_MALFORMED);
    grant.exp = 2;
    grant.issuer = NULL;
    assert_code(lb_grant_issue(&grant, &section, 1, key, arena, &jwt, out), LB_GRANT_MALFORMED);
    assert_int_equal(jwt.len, 0);
    lb_sign_key_free(key);
}

static void test_split_refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {"",    "~",      "a",     "a~b",  "a~~",
                                        "~b~", "a~b~b~", "a~b~c", "a~b~~"};
    struct lb_span jwt = LB_SPAN_EMPTY;
    struct lb_span *parts = NULL;
    size_t num = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_code(lb_sd_jwt_split(lb_span_str(texts[i]), arena, &jwt, &parts, &num),
                    LB_GRANT_MALFORMED);
    assert_null(parts);
    assert_ok(lb_sd_jwt_split(lb_span_str("a~"), arena, &jwt, &parts, &num));
    assert_int_equal(num, 0);
    assert_ok(lb_sd_jwt_split(lb_span_str("a~b~c~"), arena, &jwt, &parts, &num));
    assert_int_equal(num, 2);
    assert_true(lb_span_is(parts[1], "c"));
}

static void test_split_too_many(void **state)
{
    (void)state;
    struct lb_span texts[LB_MAX_DISCLOSURES + 1];
    for (size_t i = 0; i <= LB_MAX_DISCLOSURES; i++)
        texts[i] = lb_span_str(lb_arena_printf(arena, "d%zu", i));
    struct lb_span joined;
    struct lb_span jwt;
    struct lb_span *parts = NULL;
    size_t num = 0;
    assert_ok(lb_sd_jwt_join(lb_span_str("j"), texts, LB_MAX_DISCLOSURES, arena, &joined));
    assert_ok(lb_sd_jwt_split(joined, arena, &jwt, &parts, &num));
    assert_int_equal(num, LB_MAX_DISCLOSURES);
    assert_code(lb_sd_jwt_join(lb_span_str("j"), texts, LB_MAX_DISCLOSURES + 1, arena, &joined),
                LB_GRANT_MALFORMED);
    const char *more =
        lb_arena_printf(arena, "%.*sextra~", (int)joined.len, (const char *)joined.ptr);
    assert_code(lb_sd_jwt_split(lb_span_str(more), arena, &jwt, &parts, &num), LB_GRANT_MALFORMED);
    struct lb_span bad = lb_span_str("a~b");
    assert_code(lb_sd_jwt_join(bad, texts, 1, arena, &joined), LB_GRANT_MALFORMED);
    assert_code(lb_sd_jwt_join(lb_span_str("j"), &bad, 1, arena, &joined), LB_GRANT_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_good, setup, teardown),
        cmocka_unit_test_setup_teardown(names_an_approver, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_agreed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_givers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_case, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_disclosures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_another_grant, setup, teardown),
        cmocka_unit_test_setup_teardown(test_issue_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_split_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_split_too_many, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
