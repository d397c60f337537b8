#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/memory.h"
#include "adapters/serve/serve.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"

/* What an adapter remembers of messages, uses and stops, over time. */

#define NOW INT64_C(1800000000)
#define DAY (24 * 3600)
#define NUM 600      /* uses, which fill every slice */
#define SLICES 256

#define assert_code(status_, want_)                                                                \
    assert_string_equal(lb_code_name(lb_status_code(status_)), lb_code_name(want_))
#define assert_ok(status_) assert_code(status_, LB_CODE_OK)

struct test {
    struct lb_store *store;
    struct lb_serve_memory *memory;
};

static int setup(void **state)
{
    static struct test test;
    const struct lb_store_options options = {
        .path = ":memory:", .migrations = lb_serve_migrations, .create = true};
    assert_ok(lb_store_open(&options, &test.store));
    assert_ok(lb_serve_memory_new(&test.memory));
    *state = &test;
    return 0;
}

static int teardown(void **state)
{
    struct test *test = *state;
    lb_serve_memory_free(test->memory);
    lb_store_close(test->store);
    return 0;
}

static void name(const char *what, uint32_t number, uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str(what), lb_span_of(&number, sizeof(number))};
    lb_sha256_parts(parts, 2, out);
}

/* A use of grant `number`, which ends in an hour, by a message of its own. */
static lb_status take(struct test *test, int64_t now, uint32_t number)
{
    struct lb_memory_use use = {.max_uses = 1, .expires_unix_s = NOW + 3600};
    name("message", number, use.replay_id);
    name("grant", number, use.grant_id);
    name("rid", number, use.rid_id);
    name("digest", number, use.rid_digest);
    return lb_serve_memory_take(test->memory, test->store, now, &use);
}

/* A stop of a grant that nobody uses, with the same end. */
static void stop(struct test *test, uint32_t number)
{
    uint8_t grant[32];
    name("stopped", number, grant);
    assert_ok(lb_serve_memory_stop(test->memory, test->store, grant, NOW + 3600));
}

static int64_t count(struct test *test, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    assert_ok(lb_stmt_prepare(test->store, sql, &stmt));
    assert_ok(lb_stmt_step(stmt, &found));
    int64_t num = lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return num;
}

static int64_t num_rows(struct test *test)
{
    return count(test, "SELECT (SELECT count(*) FROM replay) + (SELECT count(*) FROM use)"
                       " + (SELECT count(*) FROM rid) + (SELECT count(*) FROM stop)");
}

static void fill(struct test *test)
{
    for (uint32_t i = 0; i < NUM; i++) {
        assert_ok(take(test, NOW, i));
        stop(test, i);
    }
    assert_int_equal(num_rows(test), 4 * NUM);
}

static void nothing_goes_before_its_time(void **state)
{
    struct test *test = *state;
    fill(test);
    for (uint32_t s = 0; s <= SLICES; s++)
        assert_ok(take(test, NOW + 3600 + s / SLICES, NUM + s));
    assert_code(take(test, NOW + 3600, 5), LB_REPLAY);
    assert_code(take(test, NOW + DAY, 7), LB_REPLAY);
    assert_int_equal(count(test, "SELECT count(*) FROM replay"), NUM + SLICES + 1);
    assert_int_equal(count(test, "SELECT count(*) FROM rid"), NUM + SLICES + 1);
}

/* After so many seconds with a read each, all of it has gone, and what is new is there. */
static void what_is_over_goes_bit_by_bit(void **state)
{
    struct test *test = *state;
    fill(test);
    int64_t late = NOW + DAY + 3600, before = num_rows(test);
    for (uint32_t s = 0; s < SLICES; s++) {
        assert_ok(take(test, late + s, NUM + s));
        int64_t left = num_rows(test) - 3; /* its own */
        assert_true(before - left < 4 * NUM / 8);
        before = num_rows(test);
    }
    /* Their grants have ended too, so some of the newest uses have gone with the slice. */
    assert_int_equal(count(test, "SELECT count(*) FROM replay"), SLICES);
    assert_int_equal(count(test, "SELECT count(*) FROM rid"), SLICES);
    assert_int_equal(count(test, "SELECT count(*) FROM stop"), 0);
    assert_true(count(test, "SELECT count(*) FROM use") <= SLICES);
}

static void a_night_is_not_made_up_for_at_once(void **state)
{
    struct test *test = *state;
    fill(test);
    assert_ok(take(test, NOW + 2 * DAY, NUM));
    int64_t gone = 4 * NUM + 3 - num_rows(test);
    assert_true(gone > 0 && gone < 4 * NUM * 4 * LB_MEMORY_SLICES_AT_ONCE / SLICES);
}

/* A clock that is set back, and forward again, neither stops it nor hurries it. */
static void a_clock_may_jump(void **state)
{
    struct test *test = *state;
    fill(test);
    assert_ok(take(test, NOW - 400 * DAY, NUM));
    assert_int_equal(num_rows(test), 4 * NUM + 3);
    assert_ok(take(test, NOW + 400 * DAY, NUM + 1));
    assert_true(num_rows(test) > 4 * NUM * 7 / 8);
    for (uint32_t s = 1; s <= SLICES; s++)
        assert_ok(take(test, NOW + 400 * DAY + s, NUM + 1 + s));
    assert_int_equal(count(test, "SELECT count(*) FROM stop"), 0);
    assert_int_equal(count(test, "SELECT count(*) FROM replay"), SLICES + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_goes_before_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_over_goes_bit_by_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_night_is_not_made_up_for_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_may_jump, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
