#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/meter.h"

#define NUM_THREADS 4
#define NUM_EACH 10000U

static void test_nobody_counts(void **state)
{
    (void)state;
    lb_meter_count(NULL, LB_METER_READ, LB_CODE_OK);
    lb_meter_call(NULL, 0, LB_CODE_OK);
    assert_int_equal(lb_meter_now(NULL), 0);
    assert_int_equal(lb_meter_took(NULL, LB_METER_OPEN, 5), 0);
    lb_meter_free(NULL);
}

static void test_only_outer_codes(void **state)
{
    struct lb_meter *meter = lb_meter_new();
    (void)state;
    assert_non_null(meter);
    lb_meter_count(meter, LB_METER_READ, LB_NOT_FOUND);
    lb_meter_count(meter, LB_METER_READ, LB_SUBJECT_MISMATCH);
    lb_meter_count(meter, LB_METER_READ, LB_STORE_FAILED);
    assert_int_equal(lb_meter_counted(meter, LB_METER_READ, LB_NOT_FOUND), 0);
    assert_int_equal(lb_meter_counted(meter, LB_METER_READ, LB_ANSWERED), 2);
    assert_int_equal(lb_meter_counted(meter, LB_METER_READ, LB_INTERNAL), 1);
    lb_meter_call(meter, 3, LB_BUSY);
    lb_meter_call(meter, LB_METER_MAX_METHODS, LB_NO_METHOD);
    lb_meter_call(meter, SIZE_MAX, LB_NO_METHOD);
    assert_int_equal(lb_meter_called(meter, 3, LB_BUSY), 1);
    assert_int_equal(lb_meter_called(meter, LB_METER_MAX_METHODS, LB_NO_METHOD), 2);
    lb_meter_free(meter);
}

static void test_times(void **state)
{
    struct lb_meter *meter = lb_meter_new();
    struct lb_meter_times times;
    (void)state;
    int64_t now = lb_meter_now(meter);
    assert_int_equal(lb_meter_took(meter, LB_METER_QUERY, 0), 0);
    assert_true(lb_meter_took(meter, LB_METER_QUERY, now) >= now);
    (void)lb_meter_took(meter, LB_METER_QUERY, now - INT64_C(3600) * 1000000);
    lb_meter_times(meter, LB_METER_QUERY, &times);
    uint64_t sum = 0;
    for (size_t i = 0; i <= LB_METER_BUCKETS; i++)
        sum += times.buckets[i];
    assert_int_equal(sum, 2);
    assert_int_equal(times.buckets[LB_METER_BUCKETS], 1);
    assert_true(times.sum_us >= UINT64_C(3600) * 1000000);
    for (size_t i = 1; i < LB_METER_BUCKETS; i++)
        assert_true(lb_meter_bounds_us[i - 1] < lb_meter_bounds_us[i]);
    lb_meter_free(meter);
}

static void *count_much(void *arg)
{
    for (size_t i = 0; i < NUM_EACH; i++) {
        lb_meter_count(arg, LB_METER_ROUTED, LB_ANSWERED);
        (void)lb_meter_took(arg, LB_METER_ROUTE, lb_meter_now(arg));
    }
    return NULL;
}

static void test_from_many_threads(void **state)
{
    struct lb_meter *meter = lb_meter_new();
    pthread_t threads[NUM_THREADS];
    struct lb_meter_times times;
    uint64_t sum = 0;
    (void)state;
    for (size_t i = 0; i < NUM_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, meter), 0);
    for (size_t i = 0; i < NUM_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(lb_meter_counted(meter, LB_METER_ROUTED, LB_ANSWERED),
                     NUM_THREADS * NUM_EACH);
    lb_meter_times(meter, LB_METER_ROUTE, &times);
    for (size_t i = 0; i <= LB_METER_BUCKETS; i++)
        sum += times.buckets[i];
    assert_int_equal(sum, NUM_THREADS * NUM_EACH);
    lb_meter_free(meter);
}

static void test_names(void **state)
{
    (void)state;
    for (int kind = 0; kind < LB_METER_NUM_KINDS; kind++)
        assert_non_null(lb_meter_kind_name((enum lb_meter_kind)kind));
    for (int stage = 0; stage < LB_METER_NUM_STAGES; stage++)
        assert_non_null(lb_meter_stage_name((enum lb_meter_stage)stage));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_counts),     cmocka_unit_test(test_only_outer_codes),
        cmocka_unit_test(test_times),             cmocka_unit_test(test_from_many_threads),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
