#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/sources/contract.h"

/* What goes wrong at the server, and what becomes of it here. */

#define ENOUGH lb_source_all(4096, 30000)
#define SOON_MS 15000  /* generous: a slow machine is no failure */

static void nap(long ms)
{
    const struct timespec wait = {ms / 1000, ms % 1000 * 1000000L};
    (void)nanosleep(&wait, NULL);
}

static void expect_idle(const struct contract *contract)
{
    int64_t until_ms = case_now_ms() + SOON_MS;
    if (contract->running == NULL)
        return;
    while (contract->running(contract->server) > 0) {
        if (case_now_ms() > until_ms)
            fail_msg("%s: the server still works on what nobody waits for", contract->name);
        nap(50);
    }
}

/* Waits until the server works: a word to it that comes before the query does is lost, and the
 * query goes on until its time is over. Also from threads, so nothing fails here. */
static void await_busy(const struct contract *contract)
{
    int64_t until_ms = case_now_ms() + SOON_MS;
    nap(200);
    if (contract->running == NULL)
        return;
    while (contract->running(contract->server) == 0 && case_now_ms() < until_ms)
        nap(50);
}

static enum lb_code read_wage(struct contract_case *one)
{
    struct lb_source_result result = {0};
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    return case_read(one, stmt, "a", ENOUGH, &result);
}

static void time_out(const struct contract *contract)
{
    struct contract_case one;
    struct lb_source_result result = {.num_rows = 77};
    case_open(&one, contract);
    struct lb_source_stmt *slow = case_prepare(&one, contract->endless, NULL, 0);
    struct lb_source_stmt *quick =
        case_prepare(&one, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    int64_t start_ms = case_now_ms();
    assert_int_equal(case_read(&one, slow, "a", lb_source_all(10, 200), &result),
                     LB_SOURCE_TIMEOUT);
    assert_true(case_now_ms() - start_ms >= 200);
    assert_true(case_now_ms() - start_ms < SOON_MS);
    assert_int_equal(result.num_rows, 77);
    expect_idle(contract);
    assert_int_equal(case_read(&one, quick, "a", ENOUGH, &result),
                     contract->spent_by_timeout ? LB_SOURCE_UNAVAILABLE : LB_CODE_OK);
    case_close(&one);
}

void contract_timeout_ends_the_query(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_result result = {.num_rows = 77};
    time_out(one->contract);
    time_out(one->contract);
    struct lb_source_stmt *quick =
        case_prepare(one, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    assert_int_equal(case_read(one, quick, "a", lb_source_all(10, 0), &result),
                     LB_SOURCE_TIMEOUT);
    assert_int_equal(case_read(one, quick, "a", lb_source_all(10, -5), &result),
                     LB_SOURCE_TIMEOUT);
    assert_int_equal(case_read(one, quick, "a", ENOUGH, &result), LB_CODE_OK);
    assert_int_equal(result.num_rows, 2);
}

/* One connection that waits for its server does not hold another. */
struct slow_read {
    struct contract_case one;
    struct lb_source_stmt *stmt;
    enum lb_code code;
};

static void *read_slowly(void *arg)
{
    struct slow_read *slow = arg;
    struct lb_source_result result = {0};
    slow->code = case_read(&slow->one, slow->stmt, "a", lb_source_all(10, 60000),
                           &result);
    return NULL;
}

void contract_others_go_on(void **state)
{
    struct contract_case *one = *state;
    struct slow_read slow = {.code = LB_CODE_OK};
    pthread_t thread;
    case_open(&slow.one, one->contract);
    slow.stmt = case_prepare(&slow.one, one->contract->endless, NULL, 0);
    assert_int_equal(pthread_create(&thread, NULL, read_slowly, &slow), 0);
    await_busy(one->contract);
    int64_t start_ms = case_now_ms();
    for (int i = 0; i < 10; i++)
        assert_int_equal(read_wage(one), LB_CODE_OK);
    assert_true(case_now_ms() - start_ms < SOON_MS);
    one->contract->plugin->cancel(slow.one.source);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(slow.code, LB_SOURCE_TIMEOUT);
    expect_idle(one->contract);
    case_close(&slow.one);
}

static void *cancel_soon(void *arg)
{
    struct contract_case *one = arg;
    await_busy(one->contract);
    one->contract->plugin->cancel(one->source);
    return NULL;
}

void contract_cancel(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_result result = {0};
    struct lb_source_stmt *slow = case_prepare(one, one->contract->endless, NULL, 0);
    pthread_t thread;
    one->contract->plugin->cancel(one->source);  /* nothing is being read: no effect */
    assert_int_equal(read_wage(one), LB_CODE_OK);
    int64_t start_ms = case_now_ms();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, one), 0);
    assert_int_equal(case_read(one, slow, "a", lb_source_all(10, 60000), &result),
                     LB_SOURCE_TIMEOUT);
    assert_true(case_now_ms() - start_ms < SOON_MS);
    assert_int_equal(pthread_join(thread, NULL), 0);
    expect_idle(one->contract);
}

/* A read after a change either says so or is right; it never gives other data. */
static void change(struct contract_case *one, const char *alter, const char *back)
{
    struct lb_source_result result = {0};
    const struct contract *contract = one->contract;
    struct lb_source_stmt *stmt = case_prepare(
        one, "SELECT yuan FROM money WHERE id_no = :id_no", "yuan", LB_SOURCE_WANT_CENTS);
    assert_int_equal(case_cell(one, stmt, "a").number, 123456);
    contract->sql(contract->server, alter);
    enum lb_code code = case_read(one, stmt, "a", ENOUGH, &result);
    contract->sql(contract->server, back);
    if (code != LB_SOURCE_CHANGED)
        fail_msg("%s: %s: %s", contract->name, alter, lb_code_name(code));
}

void contract_changed_table(void **state)
{
    struct contract_case *one = *state;
    struct contract_case other;
    if (one->contract->sql == NULL)
        return;
    change(one, "ALTER TABLE money RENAME COLUMN yuan TO gone",
           "ALTER TABLE money RENAME COLUMN gone TO yuan");
    case_open(&other, one->contract);
    change(&other, "ALTER TABLE money RENAME TO moved", "ALTER TABLE moved RENAME TO money");
    case_close(&other);
}

void contract_refusals(void **state)
{
    const struct contract *contract = ((struct contract_case *)*state)->contract;
    for (size_t i = 0; i < contract->num_refusals; i++) {
        const struct contract_refusal *refusal = &contract->refusals[i];
        const struct lb_source_options options = {.location = refusal->location,
                                                  .timeout_ms = 30000};
        struct lb_source *source = NULL;
        struct lb_diag diag = {""};
        enum lb_code code = lb_status_code(
            contract->plugin->open(contract->plugin->ctx, &options, &diag, &source));
        if (code != refusal->code || diag.text[0] == 0)
            fail_msg("%s: %s: %s", refusal->location, lb_code_name(code), diag.text);
    }
}

void contract_session_killed(void **state)
{
    struct contract_case *one = *state;
    const struct contract *contract = one->contract;
    struct lb_source_result result = {0};
    struct contract_case again;
    if (contract->kill_sessions == NULL)
        return;
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    contract->kill_sessions(contract->server);
    assert_int_equal(case_read(one, stmt, "a", ENOUGH, &result), LB_SOURCE_UNAVAILABLE);
    assert_int_equal(case_read(one, stmt, "a", ENOUGH, &result), LB_SOURCE_UNAVAILABLE);
    case_open(&again, contract);
    assert_int_equal(read_wage(&again), LB_CODE_OK);
    case_close(&again);
}

static void expect_no_opening(const struct contract *contract)
{
    struct lb_source_options options = contract->options;
    struct lb_source *source = NULL;
    struct lb_diag diag = {""};
    options.timeout_ms = 300;
    int64_t start_ms = case_now_ms();
    assert_int_equal(lb_status_code(contract->plugin->open(contract->plugin->ctx, &options, &diag,
                                                           &source)),
                     LB_SOURCE_UNAVAILABLE);
    assert_true(case_now_ms() - start_ms < SOON_MS);
    assert_true(diag.text[0] != 0);
}

/* Nothing that waits for a server that hangs waits longer than it was told to, closing included. */
void contract_server_hangs(void **state)
{
    struct contract_case *one = *state;
    const struct contract *contract = one->contract;
    struct lb_source_result result = {0};
    struct contract_case hung;
    if (contract->hang == NULL)
        return;
    case_open(&hung, contract);
    struct lb_source_stmt *stmt =
        case_prepare(&hung, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    contract->hang(contract->server, true);
    int64_t start_ms = case_now_ms();
    enum lb_code code = case_read(&hung, stmt, "a", lb_source_all(10, 300), &result);
    int64_t took_ms = case_now_ms() - start_ms;
    case_close(&hung);
    int64_t closed_ms = case_now_ms() - start_ms;
    expect_no_opening(contract);
    contract->hang(contract->server, false);
    assert_int_equal(code, LB_SOURCE_TIMEOUT);
    assert_true(took_ms >= 300 && took_ms < SOON_MS && closed_ms < SOON_MS);
    case_open(&hung, contract);
    assert_int_equal(read_wage(&hung), LB_CODE_OK);
    case_close(&hung);
}

void contract_server_killed(void **state)
{
    struct contract_case *one = *state;
    const struct contract *contract = one->contract;
    struct lb_source_result result = {0};
    struct contract_case again;
    if (contract->restart == NULL)
        return;
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT cents FROM wage WHERE id_no = :id_no", NULL, 0);
    contract->restart(contract->server);
    assert_int_equal(case_read(one, stmt, "a", ENOUGH, &result), LB_SOURCE_UNAVAILABLE);
    case_open(&again, contract);
    assert_int_equal(read_wage(&again), LB_CODE_OK);
    case_close(&again);
}
