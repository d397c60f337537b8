#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/forge.h"
#include "gateway/token/grant.h"
#include "gateway/token/sd_jwt.h"

#define NOW FORGE_NOW

static struct lb_arena *arena;
static struct lb_sign_key *key;
static struct lb_verify_key *public_key;

static int setup(void **state)
{
    (void)state;
    arena = lb_arena_new(LB_CALL_ARENA_BYTES);
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

static struct lb_span issue(const struct lb_grant *grant, size_t num, struct lb_span *disclosures)
{
    struct lb_section sections[LB_MAX_DISCLOSURES];
    for (size_t i = 0; i < num; i++)
        sections[i] = forge_section();
    struct lb_span jwt;
    assert_ok(lb_grant_issue(grant, sections, num, key, arena, &jwt, disclosures));
    return jwt;
}

/* --- the good path --- */

static void test_round_trip(void **state)
{
    (void)state;
    struct lb_grant want = forge_grant();
    struct lb_span disclosures[10];
    struct lb_span jwt = issue(&want, 10, disclosures);
    struct lb_grant got;
    assert_ok(lb_grant_verify(jwt, public_key, arena, &got));
    assert_string_equal(got.issuer, want.issuer);
    assert_string_equal(got.kid, want.kid);
    assert_string_equal(got.jti, want.jti);
    assert_string_equal(got.requester, want.requester);
    assert_int_equal(got.iat, want.iat);
    assert_int_equal(got.nbf, want.nbf);
    assert_int_equal(got.exp, want.exp);
    assert_memory_equal(got.cnf_jkt, want.cnf_jkt, 32);
    assert_string_equal(got.status_uri, want.status_uri);
    assert_int_equal(got.status_index, 77);
    assert_int_equal(got.num_digests, 16);
    struct lb_section section;
    for (size_t i = 0; i < 10; i++)
        assert_ok(lb_section_open(&got, disclosures[i], arena, &section));
    assert_ok(lb_grant_check_time(&got, NOW));
}

static void assert_sections_equal(const struct lb_section *got, const struct lb_section *want)
{
    assert_string_equal(got->provider, want->provider);
    assert_string_equal(got->audience, want->audience);
    assert_string_equal(got->form, want->form);
    assert_int_equal(got->form_version, want->form_version);
    assert_memory_equal(got->form_sha256, want->form_sha256, 32);
    assert_string_equal(got->purpose, want->purpose);
    assert_string_equal(got->case_id, want->case_id);
    assert_string_equal(got->basis, want->basis);
    assert_int_equal(got->num_laws, 2);
    assert_string_equal(got->laws[1], "社会救助法 41");
    assert_string_equal(got->role, want->role);
    assert_string_equal(got->operator_hash, want->operator_hash);
    assert_memory_equal(got->notice_sha256, want->notice_sha256, 32);
    assert_string_equal(got->method, want->method);
    assert_int_equal(got->level, want->level);
    assert_int_equal(got->max_uses, want->max_uses);
    assert_int_equal(got->answer_bytes, want->answer_bytes);
    assert_memory_equal(got->subject, want->subject, 32);
    assert_int_equal(got->num_views, 2);
    assert_string_equal(got->views[1].id, "housing.titles");
    assert_int_equal(got->views[1].version, 3);
    assert_int_equal(got->views[0].num_fields, 2);
    assert_string_equal(got->views[0].fields[0].operator_text, "SUM(12)");
}

static void test_section_round_trip(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    struct lb_section want = forge_section();
    struct lb_span jwt;
    struct lb_span disclosure;
    for (int guarded = 0; guarded < 2; guarded++) {
        want.guardian = guarded ? "mother" : NULL;
        assert_ok(lb_grant_issue(&grant, &want, 1, key, arena, &jwt, &disclosure));
        struct lb_grant got_grant;
        struct lb_section got;
        assert_ok(lb_grant_verify(jwt, public_key, arena, &got_grant));
        assert_ok(lb_section_open(&got_grant, disclosure, arena, &got));
        assert_sections_equal(&got, &want);
        if (guarded)
            assert_string_equal(got.guardian, "mother");
        else
            assert_null(got.guardian);
    }
}

static void test_mandate_has_no_status(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    grant.status_uri = NULL;
    struct lb_span disclosure;
    struct lb_span jwt = issue(&grant, 1, &disclosure);
    assert_null(strstr(forge_payload(arena, jwt), "status"));
    struct lb_grant got;
    assert_ok(lb_grant_verify(jwt, public_key, arena, &got));
    assert_null(got.status_uri);
}

/* Neither count nor order of the digests says what was asked, and salts make equal sections
 * differ. */
static void test_decoys(void **state)
{
    (void)state;
    static const struct {
        size_t sections, digests;
    } cases[] = {{1, 16}, {15, 16}, {16, 32}, {17, 32}, {64, 80}};
    struct lb_grant grant = forge_grant();
    struct lb_span disclosures[LB_MAX_DISCLOSURES];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lb_span jwt = issue(&grant, cases[i].sections, disclosures);
        struct lb_grant got;
        assert_ok(lb_grant_verify(jwt, public_key, arena, &got));
        assert_int_equal(got.num_digests, cases[i].digests);
        for (size_t j = 1; j < got.num_digests; j++)
            assert_true(memcmp(got.digests[j - 1], got.digests[j], 32) < 0);
        lb_arena_reset(arena);
    }
}

static void test_small_arena(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    struct lb_span disclosure;
    struct lb_span jwt = issue(&grant, 1, &disclosure);
    bool done = false;
    for (size_t size = 256; size < 65536 && !done; size += 256) {
        LB_DEFER(lb_arena_freep) struct lb_arena *small = lb_arena_new(size);
        struct lb_grant got;
        lb_status status = lb_grant_verify(jwt, public_key, small, &got);
        done = status == LB_OK;
        if (!done)
            assert_code(status, LB_NO_MEMORY);
    }
    assert_true(done);
}

static void test_times(void **state)
{
    (void)state;
    struct lb_grant grant = forge_grant();
    assert_ok(lb_grant_check_time(&grant, NOW));
    assert_ok(lb_grant_check_time(&grant, NOW - LB_CLOCK_SKEW_S));
    assert_code(lb_grant_check_time(&grant, NOW - LB_CLOCK_SKEW_S - 1), LB_GRANT_NOT_YET_VALID);
    assert_ok(lb_grant_check_time(&grant, grant.exp - 1));
    assert_code(lb_grant_check_time(&grant, grant.exp), LB_GRANT_EXPIRED);
    grant.nbf = NOW - 1000;
    assert_code(lb_grant_check_time(&grant, NOW - LB_CLOCK_SKEW_S - 1), LB_GRANT_NOT_YET_VALID);
    grant.iat = NOW - 1000;
    grant.nbf = NOW + LB_CLOCK_SKEW_S + 1;
    assert_code(lb_grant_check_time(&grant, NOW), LB_GRANT_NOT_YET_VALID);
}

static void test_commitment(void **state)
{
    (void)state;
    const uint8_t salt[16] = {1, 2, 3};
    uint8_t got[32];
    uint8_t want[32];
    uint8_t text[18 + 16 + 18];
    memcpy(text, "lianban subject v1", 18);
    memcpy(text + 18, salt, 16);
    memcpy(text + 34, "990101200001010017", 18);
    lb_sha256(lb_span_of(text, sizeof(text)), want);
    lb_subject_commitment(salt, "990101200001010017", got);
    assert_memory_equal(got, want, 32);
    lb_subject_commitment(salt, "990101200001010018", got);
    assert_memory_not_equal(got, want, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_section_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mandate_has_no_status, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decoys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_arena, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times, setup, teardown),
        cmocka_unit_test(test_commitment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
