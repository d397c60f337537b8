#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "adapters/serve/grants.h"
#include "adapters/serve/job.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/status_list.h"

/* A grant that is remembered is judged as if it came for the first time. */

static void ask_often(struct fixture *fx, struct fx_ask *ask, bool consent)
{
    if (consent)
        fx_ask_consent(fx, ask);
    else
        fx_ask_honest(fx, ask);
    ask->section.max_uses = 100;
}

static void one_place_serves_all_reads_of_a_grant(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    ask_often(fx, &ask, false);
    size_t before = lb_serve_grants_count(fx->serve->grants);
    for (int i = 0; i < 3; i++) {
        assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
        assert_int_equal(lb_serve_grants_count(fx->serve->grants), before + 1);
    }
}

static void a_status_list_ends_it(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    ask_often(fx, &ask, true);
    assert_ok(fx_status(fx, 30, LB_STATE_VALID, 900));
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    assert_ok(fx_status(fx, 31, LB_STATE_INVALID, 900));
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    assert_ok(fx_status(fx, 32, LB_STATE_SUSPENDED, 900));
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_SUSPENDED);
}

static void the_departments_officer_ends_it(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct lb_serve_ack ack;
    Lianban__V1__StopGrantRequest stop = LIANBAN__V1__STOP_GRANT_REQUEST__INIT;
    ask_often(fx, &ask, false);
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    stop.issuer = (char *)(uintptr_t)ask.grant.issuer;
    stop.grant_id = (char *)(uintptr_t)ask.grant.jti;
    stop.reason = (char *)(uintptr_t)"a test";
    assert_ok(lb_serve_stop(fx->serve, "spiffe://test.gov/officer/tax/li", &stop, fx->arena, &ack));
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
}

static struct lb_verify_key *public_half(const struct lb_sign_key *key)
{
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_verify_key *made = NULL;
    size_t len = lb_sign_key_public(key, raw);
    assert_ok(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(raw, len), &made));
    return made;
}

/* The directory and the policy as they would be read anew. */
static void who_withdraws_a_key_wins(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    uint8_t raw[LB_P256_PUBLIC_BYTES], accepted_before[32];
    struct lb_directory *directory = lb_trust_directory(fx->fed.trust);
    struct lb_issuer *issuer = (struct lb_issuer *)(uintptr_t)lb_directory_issuer(
        directory, "street-office", "m1");
    struct lb_accepted_issuer *accepted = (struct lb_accepted_issuer *)(uintptr_t)
        lb_serve_policy_issuer(fx->policy, "street-office", "m1");
    struct lb_verify_key *before = (struct lb_verify_key *)(uintptr_t)issuer->key;
    struct lb_verify_key *other = public_half(fx->stranger.issuer_key);
    ask_often(fx, &ask, false);
    ask.token = fx_operator_token(fx, &ask);
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);

    const char *kid = issuer->kid;
    issuer->kid = "m2";
    assert_code(fx_ask_again(fx, &ask), LB_ISSUER_UNKNOWN);
    issuer->kid = kid;
    issuer->key = other;
    assert_code(fx_ask_again(fx, &ask), LB_ISSUER_INERT);
    memcpy(accepted_before, accepted->key_sha256, 32);
    lb_sha256(lb_span_of(raw, lb_verify_key_raw(other, raw)), accepted->key_sha256);
    assert_code(fx_ask_again(fx, &ask), LB_SIGNATURE_INVALID);
    issuer->key = before;
    assert_code(fx_ask_again(fx, &ask), LB_ISSUER_INERT);
    memcpy(accepted->key_sha256, accepted_before, 32);
    assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
    lb_verify_key_free(other);
    lb_directory_unref(directory);
}

/* --- the memory by itself --- */

static struct lb_span issue(struct fixture *fx, struct lb_arena *arena, const char *jti)
{
    struct fx_ask ask;
    struct lb_span jwt = LB_SPAN_EMPTY, disclosure = LB_SPAN_EMPTY;
    fx_ask_honest(fx, &ask);
    ask.grant.jti = jti;
    assert_ok(lb_grant_issue(&ask.grant, &ask.section, 1, fx->window.issuer_key, arena, &jwt,
                             &disclosure));
    return jwt;
}

static lb_status ask_memory(struct lb_serve_grants *grants, struct lb_span jwt, int64_t now,
                            const struct lb_verify_key *key, struct lb_arena *arena,
                            bool *out_known)
{
    struct lb_grant grant;
    struct lb_read_grant read;
    LB_TRY(lb_serve_grants_read(grants, jwt, now, arena, &grant, &read));
    *out_known = read.is_known;
    return lb_serve_grants_check(grants, &read, &grant, key, arena);
}

static void only_these_very_bytes_are_known(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_grants *grants = NULL;
    struct lb_verify_key *key = public_half(fx->window.issuer_key);
    struct lb_verify_key *other = public_half(fx->stranger.issuer_key);
    int64_t now = lb_clock_unix_s(lb_clock_system());
    bool known = true;
    assert_ok(lb_serve_grants_new(&grants));
    struct lb_span jwt = issue(fx, fx->arena, "one"), changed = LB_SPAN_EMPTY;
    assert_ok(ask_memory(grants, jwt, now, key, fx->arena, &known));
    assert_false(known);
    assert_ok(ask_memory(grants, jwt, now, key, fx->arena, &known));
    assert_true(known);
    /* Another key has not signed it, and does not take its place. */
    assert_code(lb_status_code(ask_memory(grants, jwt, now, other, fx->arena, &known)),
                LB_SIGNATURE_INVALID);
    assert_ok(ask_memory(grants, jwt, now, key, fx->arena, &known));
    assert_true(known);
    /* Whatever byte is another, in the claims or in the signature. */
    known = false;
    for (size_t i = 0; i < jwt.len; i += 7) {
        assert_ok(lb_arena_copy(fx->arena, jwt, &changed));
        uint8_t *at = (uint8_t *)(uintptr_t)changed.ptr + i;
        *at = *at == 'A' ? 'B' : 'A';
        assert_true(ask_memory(grants, changed, now, key, fx->arena, &known) != LB_OK);
        assert_false(known);
    }
    assert_true(ask_memory(grants, lb_span_of(jwt.ptr, jwt.len - 1), now, key, fx->arena, &known) !=
                LB_OK);
    lb_verify_key_free(key);
    lb_verify_key_free(other);
    lb_serve_grants_free(grants);
}

static void what_has_expired_is_not_known(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_grants *grants = NULL;
    struct lb_verify_key *key = public_half(fx->window.issuer_key);
    int64_t now = lb_clock_unix_s(lb_clock_system());
    struct fx_ask ask;
    bool known = false;
    fx_ask_honest(fx, &ask);
    assert_ok(lb_serve_grants_new(&grants));
    struct lb_span jwt = issue(fx, fx->arena, "one");
    assert_ok(ask_memory(grants, jwt, now, key, fx->arena, &known));
    assert_ok(ask_memory(grants, jwt, ask.grant.exp - 1, key, fx->arena, &known));
    assert_true(known);
    assert_ok(ask_memory(grants, jwt, ask.grant.exp, key, fx->arena, &known));
    assert_false(known);
    lb_verify_key_free(key);
    lb_serve_grants_free(grants);
}

static void a_flood_takes_no_more_room(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_grants *grants = NULL;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_verify_key *key = public_half(fx->window.issuer_key);
    int64_t now = lb_clock_unix_s(lb_clock_system());
    bool known = false;
    assert_ok(lb_serve_grants_new(&grants));
    for (unsigned i = 0; i < 3 * LB_SERVE_GRANTS; i++) {
        char jti[16];
        (void)snprintf(jti, sizeof(jti), "flood-%u", i);
        lb_arena_reset(arena);
        assert_ok(ask_memory(grants, issue(fx, arena, jti), now, key, arena, &known));
        assert_true(lb_serve_grants_count(grants) <= LB_SERVE_GRANTS);
    }
    assert_true(lb_serve_grants_count(grants) > LB_SERVE_GRANTS / 2);
    lb_verify_key_free(key);
    lb_serve_grants_free(grants);
    lb_arena_free(arena);
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

#define CASE(test_) cmocka_unit_test_setup_teardown(test_, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_place_serves_all_reads_of_a_grant),
        CASE(a_status_list_ends_it),
        CASE(the_departments_officer_ends_it),
        CASE(who_withdraws_a_key_wins),
        CASE(only_these_very_bytes_are_known),
        CASE(what_has_expired_is_not_known),
        CASE(a_flood_takes_no_more_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
