#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "gateway/base/file.h"
#include "gateway/token/status_list.h"

/* The issuers' status lists: whose they are, in which order, and how old they may be. */

static void lists_prove_themselves_and_never_go_back(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_ack first, again;
    struct lb_span token = fx_list(fx, 10, LB_STATE_INVALID, 900, 0);
    assert_ok(lb_serve_status_update(fx->serve, token, fx->arena, &first));
    assert_string_equal(first.uri, FX_STATUS_URI);
    assert_int_equal(first.seq, 10);
    assert_string_equal(fx_leaf(fx, first.index).code, "STATUS_LIST");
    assert_memory_equal(fx_leaf(fx, first.index).request_hash, first.sha256, 32);
    /* Sent again it is the same entry; after a restart a new one, and no older list gets in. */
    assert_ok(lb_serve_status_update(fx->serve, token, fx->arena, &again));
    assert_int_equal(again.index, first.index);
    fx_restart(fx);
    assert_code(lb_status_code(fx_status(fx, 9, LB_STATE_VALID, 900)), LB_STATUS_STALE);
    assert_code(lb_status_code(fx_status(fx, 10, LB_STATE_VALID, 900)), LB_STATUS_FORK);
    assert_ok(lb_serve_status_update(fx->serve, token, fx->arena, &again));
    assert_true(again.index > first.index);
    struct fx_ask ask;
    fx_ask_consent(fx, &ask);
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
    assert_ok(fx_status(fx, 11, LB_STATE_VALID, 900));
}

/* Signed by an issuer nobody accepted, under another URI, by an issuer that has no list, by a
 * stranger's key; and out of order. */
static void other_lists_change_nothing(void **state)
{
    static const struct {
        const char *issuer, *kid, *uri;
        enum lb_code code;
    } lists[] = {
        {"stranger", "x1", "https://stranger.test/1", LB_ISSUER_INERT},
        {"stranger", "x1", FX_STATUS_URI, LB_ISSUER_INERT},
        {"nobody", "x1", FX_STATUS_URI, LB_ISSUER_UNKNOWN},
        {"consent-hall", "h1", "https://hall.test.gov/status/2", LB_GRANT_MALFORMED},
        {"street-office", "m1", FX_STATUS_URI, LB_GRANT_MALFORMED},
        {"consent-hall", "h2", FX_STATUS_URI, LB_ISSUER_UNKNOWN},
    };
    static const uint8_t states[16] = {0};
    struct fixture *fx = *state;
    const struct lb_sign_key *keys[] = {fx->stranger.issuer_key, fx->stranger.issuer_key,
                                        fx->stranger.issuer_key, fx->hall.issuer_key,
                                        fx->window.issuer_key,   fx->hall.issuer_key};
    struct lb_serve_ack ack;
    struct lb_span token = LB_SPAN_EMPTY;
    struct fx_ask ask;
    fx_ask_consent(fx, &ask);
    ask.section.max_uses = 100;
    assert_ok(fx_status(fx, 20, LB_STATE_INVALID, 900));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_ok(lb_status_list_sign(lists[i].issuer, lists[i].kid, lists[i].uri, 1000,
                                      lb_clock_unix_s(lb_clock_system()), 900,
                                      lb_span_of(states, sizeof(states)), keys[i], fx->arena,
                                      &token));
        assert_code(lb_status_code(lb_serve_status_update(fx->serve, token, fx->arena, &ack)),
                    lists[i].code);
        assert_int_equal(ack.leaf_len, 0);
    }
    struct lb_span newer = fx_list(fx, 22, LB_STATE_INVALID, 900, 0);
    struct lb_span older = fx_list(fx, 21, LB_STATE_VALID, 900, 0);
    assert_ok(lb_serve_status_update(fx->serve, newer, fx->arena, &ack));
    assert_code(lb_status_code(lb_serve_status_update(fx->serve, older, fx->arena, &ack)),
                LB_STATUS_STALE);
    assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
}

static void set_class(struct fixture *fx, int data_class)
{
    const struct lb_view *view = lb_serve_policy_view(fx->policy, "tax.business");
    struct lb_view_field *fields = (struct lb_view_field *)(uintptr_t)view->fields;
    for (size_t i = 0; i < view->num_fields; i++)
        fields[i].data_class = data_class;
}

static void sensitive_fields_need_a_fresh_list(void **state)
{
    struct fixture *fx = *state;
    struct fx_ask ask;
    struct lb_serve_ack ack;
    int64_t bound = LB_STATUS_MAX_TTLS * LB_STATUS_TTL_S;
    fx_ask_consent(fx, &ask);
    ask.section.max_uses = 100;
    uint64_t seq = 100;
    for (int data_class = 1; data_class <= 4; data_class++) {
        set_class(fx, data_class);
        bool sensitive = data_class >= 3;
        assert_ok(lb_serve_status_update(
            fx->serve, fx_list(fx, seq++, LB_STATE_VALID, 900, bound - 5), fx->arena, &ack));
        assert_code(fx_ask_again(fx, &ask), LB_ANSWERED);
        assert_ok(lb_serve_status_update(
            fx->serve, fx_list(fx, seq++, LB_STATE_VALID, 900, bound + 1), fx->arena, &ack));
        assert_code(fx_ask_again(fx, &ask), sensitive ? LB_STATUS_STALE : LB_ANSWERED);
        /* Revoked is revoked, however old the news; and past its end a list serves nobody. */
        assert_ok(lb_serve_status_update(
            fx->serve, fx_list(fx, seq++, LB_STATE_INVALID, 900, bound + 1), fx->arena, &ack));
        assert_code(fx_ask_again(fx, &ask), LB_GRANT_REVOKED);
        assert_ok(lb_serve_status_update(
            fx->serve, fx_list(fx, seq++, LB_STATE_VALID, 900, 900), fx->arena, &ack));
        assert_code(fx_ask_again(fx, &ask), LB_STATUS_STALE);
    }
    set_class(fx, 3);
}

static void a_policy_can_only_be_stricter(void **state)
{
    struct fixture *fx = *state;
    struct lb_serve_policy policy = *fx->policy;
    assert_int_equal(lb_serve_policy_status_age(&policy, 4, 60), 180);
    assert_int_equal(lb_serve_policy_status_age(&policy, 3, 60), 180);
    assert_int_equal(lb_serve_policy_status_age(&policy, 2, 60), INT64_MAX);
    assert_int_equal(lb_serve_policy_status_age(&policy, 0, 60), INT64_MAX);
    assert_int_equal(lb_serve_policy_status_age(&policy, 4, INT64_MAX), INT64_MAX);
    policy.status_max_age_s[4] = 30;
    policy.status_max_age_s[3] = 1000;
    policy.status_max_age_s[1] = 400;
    assert_int_equal(lb_serve_policy_status_age(&policy, 4, 60), 30);
    assert_int_equal(lb_serve_policy_status_age(&policy, 3, 60), 180);
    assert_int_equal(lb_serve_policy_status_age(&policy, 2, 60), INT64_MAX);
    assert_int_equal(lb_serve_policy_status_age(&policy, 1, 60), 400);
}

static enum lb_code load_with(struct fixture *fx, const char *line, struct lb_serve_policy **out)
{
    struct lb_span text;
    struct lb_diag diag = {""};
    assert_ok(lb_file_read(fed_path(&fx->fed, "policy.yaml"), LB_MAX_CONFIG_FILE_BYTES, fx->arena,
                           &text));
    const char *changed = lb_arena_printf(fx->arena, "%.*s\n%s\n", (int)text.len,
                                          (const char *)text.ptr, line);
    fed_write(&fx->fed, "changed.yaml", lb_span_str(changed));
    return lb_status_code(lb_serve_policy_load(fed_path(&fx->fed, "changed.yaml"), &diag, out));
}

static void the_file_says_how_strict(void **state)
{
    static const char *const bad[] = {
        "status_max_age_s: {G4: 0}",    "status_max_age_s: {G4: -1}", "status_max_age_s: {G5: 30}",
        "status_max_age_s: {G4: 86401}", "status_max_age_s: 30",      "status_max_age_s: {G4: x}",
    };
    struct fixture *fx = *state;
    struct lb_serve_policy *policy = NULL;
    assert_code(load_with(fx, "status_max_age_s: {G1: 400, G4: 30}", &policy), LB_CODE_OK);
    assert_int_equal(lb_serve_policy_status_age(policy, 1, 60), 400);
    assert_int_equal(lb_serve_policy_status_age(policy, 3, 60), 180);
    assert_int_equal(lb_serve_policy_status_age(policy, 4, 60), 30);
    lb_serve_policy_free(policy);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_code(load_with(fx, bad[i], &policy), LB_CONFIG_INVALID);
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
        CASE(lists_prove_themselves_and_never_go_back),
        CASE(other_lists_change_nothing),
        CASE(sensitive_fields_need_a_fresh_list),
        CASE(a_policy_can_only_be_stricter),
        CASE(the_file_says_how_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
