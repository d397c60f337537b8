#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "adapters/odbc/lane.h"

/* Calls that never return: as many threads as there may be, and not one more. */

#define MAX_LEFT 16

static atomic_bool hangs;
static atomic_int num_freed;

static lb_status hang(void *own)
{
    (void)own;
    while (atomic_load(&hangs))
        (void)usleep(1000);
    return LB_OK;
}

static void count_freed(void *own)
{
    (void)own;
    (void)atomic_fetch_add(&num_freed, 1);
}

static lb_status new_lane(struct lb_odbc_lane **out)
{
    return lb_odbc_lane_new(NULL, count_freed, NULL, out);
}

static void *release(void *lane)
{
    lb_odbc_lane_release(lane);
    return NULL;
}

static void leave_hanging(size_t num)
{
    pthread_t threads[MAX_LEFT];
    for (size_t i = 0; i < num; i++) {
        struct lb_odbc_lane *lane = NULL;
        assert_null(new_lane(&lane));
        lb_status status = lb_odbc_lane_run(lane, hang, lb_odbc_now_ms() + 5);
        assert_int_equal(lb_status_code(status), LB_SOURCE_TIMEOUT);
        assert_int_equal(pthread_create(&threads[i], NULL, release, lane), 0);
    }
    for (size_t i = 0; i < num; i++)
        (void)pthread_join(threads[i], NULL);
}

static void what_hangs_takes_no_more_threads(void **state)
{
    struct lb_odbc_lane *lane = NULL;
    (void)state;
    atomic_store(&hangs, true);
    leave_hanging(MAX_LEFT);
    assert_int_equal(atomic_load(&num_freed), 0);
    assert_int_equal(lb_status_code(new_lane(&lane)), LB_SOURCE_UNAVAILABLE);
    atomic_store(&hangs, false);
    int64_t until_ms = lb_odbc_now_ms() + 30000;
    while (atomic_load(&num_freed) < MAX_LEFT && lb_odbc_now_ms() < until_ms)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&num_freed), MAX_LEFT);
    assert_null(new_lane(&lane));
    assert_null(lb_odbc_lane_run(lane, hang, lb_odbc_now_ms() + 30000));
    lb_odbc_lane_release(lane);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_hangs_takes_no_more_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
