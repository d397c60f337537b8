#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/consent/records.h"

/* What the store refuses by itself, whatever its callers have judged before. */

#define assert_code(status_, code_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(code_))
#define assert_ok(status_) assert_string_equal(lb_code_name(lb_status_code(status_)), "OK")

struct fixture {
    struct lb_arena *arena;
    struct lb_consent_store *store;
};

static int setup(void **state)
{
    struct lb_diag diag;
    static struct fixture fixture;
    fixture.arena = lb_arena_new(1024 * 1024);
    assert_ok(lb_consent_store_open(":memory:", &diag, &fixture.store));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    lb_consent_store_close(fixture->store);
    lb_arena_free(fixture->arena);
    return 0;
}

static void test_list_rises(void **state)
{
    struct fixture *fixture = *state;
    struct lb_consent_list_row row = {.seq = 7, .iat = 1, .entries = 8, .token = lb_span_str("a")};
    struct lb_consent_list_row got;
    assert_ok(lb_consent_list_find(fixture->store, "u", fixture->arena, &got));
    assert_int_equal(got.seq, 0);
    assert_ok(lb_consent_list_set(fixture->store, "u", &row));
    row.token = lb_span_str("b");
    assert_code(lb_consent_list_set(fixture->store, "u", &row), LB_STORE_CONFLICT);
    row.seq = 6;
    assert_code(lb_consent_list_set(fixture->store, "u", &row), LB_STORE_CONFLICT);
    assert_ok(lb_consent_list_find(fixture->store, "u", fixture->arena, &got));
    assert_int_equal(got.seq, 7);
    assert_true(lb_span_is(got.token, "a"));
    assert_ok(lb_consent_list_set(fixture->store, "v", &row)); /* another list of its own */
    row.seq = 8;
    assert_ok(lb_consent_list_set(fixture->store, "u", &row));
}

static struct lb_consent_request_row pending(void)
{
    return (struct lb_consent_request_row){
        .id = "r-1",
        .keep_until_unix_s = 100,
        .caller = "w",
        .form = "f",
        .form_version = 1,
        .case_id = "c",
        .role = "applicant",
        .operator_hash = "o",
    };
}

static void test_decided_once(void **state)
{
    struct fixture *fixture = *state;
    struct lb_consent_request_row row = pending(), got;
    assert_ok(lb_consent_request_add(fixture->store, &row));
    assert_code(lb_consent_request_add(fixture->store, &row), LB_STORE_CONFLICT);
    row.state = LB_REQUEST_REFUSED;
    assert_ok(lb_consent_request_decide(fixture->store, &row));
    row.state = LB_REQUEST_GRANTED;
    row.grant_id = "g-1";
    row.sd_jwt = "x";
    assert_code(lb_consent_request_decide(fixture->store, &row), LB_CASE_STATE);
    assert_ok(lb_consent_request_find(fixture->store, "r-1", 99, fixture->arena, &got));
    assert_int_equal(got.state, LB_REQUEST_REFUSED);
    assert_null(got.sd_jwt);
    assert_code(lb_consent_request_find(fixture->store, "r-1", 100, fixture->arena, &got),
                LB_ABSENT);
}

static void test_time_only_shortens(void **state)
{
    struct fixture *fixture = *state;
    struct lb_consent_request_row row = pending(), got;
    assert_ok(lb_consent_request_add(fixture->store, &row));
    assert_ok(lb_consent_request_shorten(fixture->store, "r-1", 200));
    assert_code(lb_consent_request_find(fixture->store, "r-1", 150, fixture->arena, &got),
                LB_ABSENT);
    assert_ok(lb_consent_request_shorten(fixture->store, "r-1", 50));
    assert_code(lb_consent_request_find(fixture->store, "r-1", 50, fixture->arena, &got),
                LB_ABSENT);
    assert_ok(lb_consent_request_find(fixture->store, "r-1", 49, fixture->arena, &got));
}

static void test_index_once(void **state)
{
    struct fixture *fixture = *state;
    bool taken = true;
    struct lb_consent_grant_row row = {
        .id = "g-1",
        .request = "r-1",
        .status_index = 5,
        .exp = 100,
        .requester = "o",
        .form = "f",
        .form_version = 1,
        .case_id = "c",
        .role = "applicant",
    };
    assert_ok(lb_consent_grant_index_taken(fixture->store, 5, &taken));
    assert_false(taken);
    assert_ok(lb_consent_grant_add(fixture->store, &row));
    assert_ok(lb_consent_grant_index_taken(fixture->store, 5, &taken));
    assert_true(taken);
    row.id = "g-2";
    row.request = "r-2";
    assert_code(lb_consent_grant_add(fixture->store, &row), LB_STORE_CONFLICT);
    row.status_index = 6;
    row.request = "r-1"; /* nor two grants for one request */
    assert_code(lb_consent_grant_add(fixture->store, &row), LB_STORE_CONFLICT);
}

/* A state outside the list's length is never silently left out. */
static void test_states_fit(void **state)
{
    struct fixture *fixture = *state;
    uint8_t states[8] = {0};
    const struct lb_consent_grant_row row = {
        .id = "g-1",
        .request = "r-1",
        .status_index = 7,
        .exp = 100,
        .requester = "o",
        .form = "f",
        .form_version = 1,
        .case_id = "c",
        .role = "applicant",
    };
    assert_ok(lb_consent_grant_add(fixture->store, &row));
    assert_ok(lb_consent_grant_states(fixture->store, states, 8));
    assert_int_equal(states[7], 0);
    for (int64_t to = 3; to > 0; to--) {
        struct lb_consent_grant_row changed = row;
        changed.state = to;
        assert_ok(lb_consent_grant_change(fixture->store, &changed));
        assert_ok(lb_consent_grant_states(fixture->store, states, 8));
        assert_int_equal(states[7], to);
    }
    assert_code(lb_consent_grant_states(fixture->store, states, 7), LB_STORE_FAILED);
}

static void test_changes(void **state)
{
    struct fixture *fixture = *state;
    struct lb_consent_grant_row row = {.id = "g", .request = "r", .requester = "o", .form = "f",
                                       .form_version = 1, .case_id = "c", .role = "applicant"};
    uint64_t seq = 9;
    int64_t until = 9;
    assert_ok(lb_consent_last_change(fixture->store, &seq));
    assert_int_equal(seq, 0);
    assert_ok(lb_consent_grant_add(fixture->store, &row));
    row.changed_seq = 12;
    row.stops_by = 99;
    assert_ok(lb_consent_grant_mark(fixture->store, &row));
    assert_ok(lb_consent_last_change(fixture->store, &seq));
    assert_int_equal(seq, 12);
    assert_ok(lb_consent_listed_until(fixture->store, &until));
    assert_int_equal(until, 0);
    assert_ok(lb_consent_list_until(fixture->store, 50));
    assert_ok(lb_consent_list_until(fixture->store, 40)); /* never back */
    assert_ok(lb_consent_listed_until(fixture->store, &until));
    assert_int_equal(until, 50);
    assert_ok(lb_consent_proved_seq(fixture->store, "a", &seq));
    assert_int_equal(seq, 0);
    assert_ok(lb_consent_set_proved(fixture->store, "a", 7));
    assert_ok(lb_consent_set_proved(fixture->store, "a", 6));
    assert_ok(lb_consent_proved_seq(fixture->store, "a", &seq));
    assert_int_equal(seq, 7);
}

/* --- a store of the first version --- */

static const char *const first_version[] = {
    "CREATE TABLE request(id TEXT PRIMARY KEY, state INTEGER NOT NULL, keep_until INTEGER NOT NULL,"
    " caller TEXT NOT NULL, form TEXT NOT NULL, form_version INTEGER NOT NULL,"
    " form_sha256 BLOB NOT NULL, case_id TEXT NOT NULL, requester_key BLOB NOT NULL,"
    " role TEXT NOT NULL, operator TEXT NOT NULL, relation TEXT, subject BLOB NOT NULL,"
    " guardian BLOB NOT NULL, commitment BLOB NOT NULL, grant_id TEXT, sd_jwt TEXT) STRICT;"
    "CREATE INDEX request_pending ON request(caller) WHERE state = 0;"
    "CREATE INDEX request_end ON request(keep_until);"
    "CREATE TABLE grants(id TEXT PRIMARY KEY, request TEXT NOT NULL UNIQUE,"
    " status_index INTEGER NOT NULL UNIQUE, state INTEGER NOT NULL, exp INTEGER NOT NULL,"
    " requester TEXT NOT NULL, form TEXT NOT NULL, form_version INTEGER NOT NULL,"
    " form_sha256 BLOB NOT NULL, case_id TEXT NOT NULL, role TEXT NOT NULL,"
    " has_guardian INTEGER NOT NULL, subject BLOB NOT NULL, guardian BLOB NOT NULL) STRICT;"
    "CREATE INDEX grants_end ON grants(exp);"
    "CREATE INDEX grants_withdrawn ON grants(state) WHERE state != 0;"
    "CREATE TABLE status_list(uri TEXT PRIMARY KEY, seq INTEGER NOT NULL, iat INTEGER NOT NULL,"
    " entries INTEGER NOT NULL, token BLOB NOT NULL) STRICT;"
    "CREATE TABLE office(id INTEGER PRIMARY KEY CHECK (id = 1), capacity INTEGER NOT NULL) STRICT;"
    "INSERT INTO office(id, capacity) VALUES (1, 1024);"
    "CREATE TABLE consent_record(id TEXT PRIMARY KEY, request TEXT NOT NULL, at INTEGER NOT NULL,"
    " keep_until INTEGER NOT NULL, record TEXT NOT NULL) STRICT;"
    "CREATE INDEX record_request ON consent_record(request);"
    "CREATE INDEX record_end ON consent_record(keep_until);",
    NULL,
};

#define BLOB32 "zeroblob(32)"
static const char old_rows[] =
    "INSERT INTO request VALUES ('r-self', 0, 100, 'w', 'f', 1, " BLOB32 ", 'c', " BLOB32
    ", 'applicant', 'o', NULL, " BLOB32 ", " BLOB32 ", " BLOB32 ", NULL, NULL);"
    "INSERT INTO request VALUES ('r-child', 1, 100, 'w', 'f', 1, " BLOB32 ", 'c', " BLOB32
    ", 'child', 'o', 'mother', " BLOB32 ", " BLOB32 ", " BLOB32 ", 'g-1', 'x');"
    "INSERT INTO grants VALUES ('g-1', 'r-child', 3, 0, 100, 'o', 'f', 1, " BLOB32
    ", 'c', 'child', 1, " BLOB32 ", " BLOB32 ");";

static void make_old(const char *path)
{
    const struct lb_store_options options = {.path = path, .migrations = first_version,
                                             .application_id = 0x4C42434FU, .create = true,
                                             .busy_timeout_ms = 1000};
    struct lb_store *store = NULL;
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_store_exec(store, old_rows));
    lb_store_close(store);
}

/* What an older version left goes on: who had a guardian still has, and slips come when printed. */
static void test_older_store(void **state)
{
    struct fixture *fixture = *state;
    char folder[] = "/tmp/lianban-records-XXXXXX", path[64];
    struct lb_consent_store *store = NULL;
    struct lb_consent_request_row row;
    struct lb_consent_grant_row grant;
    struct lb_diag diag;
    uint8_t slip[32] = {9};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/consent.db", folder);
    make_old(path);
    assert_ok(lb_consent_store_open(path, &diag, &store));
    assert_ok(lb_consent_request_find(store, "r-self", 1, fixture->arena, &row));
    assert_int_equal(row.party, LB_PARTY_SELF);
    assert_null(row.scope);
    assert_ok(lb_consent_request_find(store, "r-child", 1, fixture->arena, &row));
    assert_int_equal(row.party, LB_PARTY_GUARDIAN);
    assert_null(row.decided_by);
    assert_ok(lb_consent_grant_find(store, "g-1", fixture->arena, &grant));
    assert_code(lb_consent_grant_by_slip(store, slip, fixture->arena, &grant), LB_ABSENT);
    memcpy(grant.slip, slip, sizeof(slip));
    assert_ok(lb_consent_grant_set_slip(store, &grant));
    assert_ok(lb_consent_grant_by_slip(store, slip, fixture->arena, &grant));
    lb_consent_store_close(store);
    assert_int_equal(unlink(path), 0);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_list_rises, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decided_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_only_shortens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_index_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_states_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_older_store, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
