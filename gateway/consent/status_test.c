#include "gateway/consent/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/base/limits.h"
#include "gateway/token/status_list.h"

/* The list's number never falls, whatever happens to clock and process; and who may hold the
 * store. */

static uint64_t seq_of(struct fixture *fx, struct lb_span *out_token)
{
    struct lb_status_list *list = NULL;
    assert_ok(lb_consent_status_list(fx->consent, fx->arena, out_token));
    assert_ok(lb_status_list_open(*out_token, fx->issuer_public, &list));
    assert_string_equal(lb_status_list_uri(list), FX_LIST);
    assert_string_equal(lb_status_list_issuer(list), "hall");
    assert_ok(lb_status_list_check(list, 0, fx->clock.now_unix_ms / 1000));
    uint64_t seq = lb_status_list_seq(list);
    lb_status_list_unref(list);
    return seq;
}

static void test_renewal(void **state)
{
    struct fixture *fx = *state;
    struct lb_span first, same, next;
    uint64_t seq = seq_of(fx, &first);
    assert_true(seq > 0);
    fx_advance(fx, LB_STATUS_TTL_S - 1);
    assert_int_equal(seq_of(fx, &same), seq);
    assert_true(lb_span_eq(first, same));
    fx_advance(fx, 1);
    assert_int_equal(seq_of(fx, &next), seq + 1);
}

/* One number, one list: what was handed out under it is never made anew with other content. */
static void test_restart(void **state)
{
    struct fixture *fx = *state;
    struct lb_span token;
    uint64_t seq = seq_of(fx, &token), revoked = 0;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    char *id = fx_agree(fx, fx_file(fx, &request));
    for (int i = 0; i < 3; i++) {
        fx_stop(fx);
        fx_start(fx);
        uint64_t next = seq_of(fx, &token);
        assert_true(next > seq);
        seq = next;
    }
    assert_ok(fx_revoke(fx, FX_DESK, id, fx->adult, &revoked, &token));
    assert_true(revoked > seq);
    fx_stop(fx);
    fx_start(fx);
    assert_true(seq_of(fx, &token) > revoked);
}

static void test_clock_back(void **state)
{
    struct fixture *fx = *state;
    struct lb_span token;
    uint64_t seq = seq_of(fx, &token);
    fx_advance(fx, -30); /* within what adapters allow */
    assert_int_equal(seq_of(fx, &token), seq);
    fx_advance(fx, -3600);
    assert_int_equal(seq_of(fx, &token), seq + 1);
}

/* A number that can't rise any more ends the lists; it does not begin again. */
static void test_fall(void **state)
{
    struct fixture *fx = *state;
    struct lb_span token;
    (void)seq_of(fx, &token);
    fx_stop(fx);
    fx_exec(fx, "UPDATE status_list SET seq = 9223372036854775807");
    fx_start(fx);
    assert_true(lb_consent_status_list(fx->consent, fx->arena, &token) != LB_OK);
}

static void fill(struct fixture *fx, int from, int num)
{
    char sql[1024];
    (void)snprintf(sql, sizeof(sql),
                   "WITH RECURSIVE n(i) AS (SELECT %d UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
                   " INSERT INTO grants(id, request, status_index, state, exp, requester, form,"
                   " form_version, form_sha256, case_id, role, has_guardian, subject, guardian)"
                   " SELECT 'g' || i, 'r' || i, i, i %% 3, %lld, 'o', 'f', 1, x'00', 'c', 'r', 0,"
                   " x'00', x'00' FROM n",
                   from, from + num - 1, (long long)FX_NOW + 86400 * 20);
    fx_stop(fx);
    fx_exec(fx, sql);
    fx_start(fx);
}

/* A list in an adapter's hands speaks for grants made long after it. */
static void test_growth(void **state)
{
    struct fixture *fx = *state;
    struct lb_span old, token;
    struct lb_status_list *list = NULL;
    (void)seq_of(fx, &old);
    fill(fx, 0, 512);
    (void)seq_of(fx, &token);
    const Lianban__V1__GrantRequest request = fx_request(fx);
    (void)fx_agree(fx, fx_file(fx, &request)); /* 513th: the capacity doubles */
    uint64_t seq = seq_of(fx, &token);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT capacity FROM office"), 2048);
    assert_true(fx_count(fx, "SELECT max(status_index) FROM grants") < 2048);
    assert_int_equal(fx_count(fx, "SELECT entries FROM status_list"), 8192);
    fx_start(fx);
    assert_true(seq >= 3);
    assert_ok(lb_status_list_open(old, fx->issuer_public, &list));
    assert_ok(lb_status_list_check(list, 4095, FX_NOW));
    assert_code(lb_status_list_check(list, 4096, FX_NOW), LB_GRANT_MALFORMED);
    lb_status_list_unref(list);
    assert_ok(lb_status_list_open(token, fx->issuer_public, &list));
    assert_ok(lb_status_list_check(list, 0, FX_NOW));
    assert_code(lb_status_list_check(list, 1, FX_NOW), LB_GRANT_REVOKED);
    assert_code(lb_status_list_check(list, 2, FX_NOW), LB_GRANT_SUSPENDED);
    assert_ok(lb_status_list_check(list, 8191, FX_NOW));
    lb_status_list_unref(list);
}

static void test_purge(void **state)
{
    struct fixture *fx = *state;
    struct lb_span token;
    fill(fx, 0, 100);
    fx_advance(fx, 21 * 86400 - 1);
    (void)seq_of(fx, &token);
    fx_advance(fx, 60);
    (void)seq_of(fx, &token);
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(*) FROM grants"), 0);
    fx_start(fx);
}

/* Every one of a handful of indexes is below the capacity, and they do not come in order. */
static void test_indexes(void **state)
{
    struct fixture *fx = *state;
    const Lianban__V1__GrantRequest request = fx_request(fx);
    for (int i = 0; i < 20; i++)
        (void)fx_agree(fx, fx_file(fx, &request));
    fx_stop(fx);
    assert_int_equal(fx_count(fx, "SELECT count(DISTINCT status_index) FROM grants"), 20);
    assert_true(fx_count(fx, "SELECT max(status_index) FROM grants") < 1024);
    assert_true(fx_count(fx, "SELECT count(*) FROM grants a JOIN grants b ON a.rowid < b.rowid"
                             " WHERE a.status_index > b.status_index") > 20);
    fx_start(fx);
}

/* --- opening --- */

static void refused(struct fixture *fx, const struct lb_consent_options *options,
                    enum lb_code code)
{
    struct lb_consent *second = NULL;
    fx->diag.text[0] = 0;
    assert_code(lb_consent_new(options, &fx->diag, &second), code);
    assert_null(second);
    assert_true(strlen(fx->diag.text) > 20);
}

static void test_opening(void **state)
{
    struct fixture *fx = *state;
    struct lb_consent_options options = fx_options(fx);
    refused(fx, &options, LB_STATE_LOCKED);
    options.store_path = "/nonexistent/consent.db";
    refused(fx, &options, LB_FILE_FAILED);
    char other[128];
    (void)snprintf(other, sizeof(other), "%s/other.db", fx->folder);
    assert_ok(lb_file_write(other, lb_span_str("not a database, and long enough to be read"),
                            0600));
    options.store_path = other;
    refused(fx, &options, LB_STORE_FAILED);
    (void)snprintf(other, sizeof(other), "%s/log/evidence.db", fx->folder);
    fx_stop(fx); /* another program's database */
    refused(fx, &options, LB_STORE_FAILED);
    fx_start(fx);
    options = fx_options(fx);
    options.status_uri = "";
    refused(fx, &options, LB_CONFIG_INVALID);
    options = fx_options(fx);
    options.status_life_s = 86401;
    refused(fx, &options, LB_CONFIG_INVALID);
    lb_consent_free(NULL);
}

static void test_newer_store(void **state)
{
    struct fixture *fx = *state;
    fx_stop(fx);
    fx_exec(fx, "PRAGMA user_version = 99");
    const struct lb_consent_options options = fx_options(fx);
    refused(fx, &options, LB_VERSION_UNSUPPORTED);
    fx_exec(fx, "PRAGMA user_version = 4");
    fx_start(fx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_renewal, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_restart, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_clock_back, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_fall, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_growth, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_purge, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_indexes, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_opening, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(test_newer_store, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
