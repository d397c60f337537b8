/* Many calls at once, too many, and a server that stops meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "gateway/rpc/ends.h"

struct caller {
    struct fixture *fixture;
    unsigned ok, deadline, cancelled, busy, other;
};

static void count(struct caller *caller, enum lb_code code)
{
    if (code == LB_CODE_OK)
        caller->ok++;
    else if (code == LB_DEADLINE)
        caller->deadline++;
    else if (code == LB_CANCELLED)
        caller->cancelled++;
    else if (code == LB_BUSY)
        caller->busy++;
    else
        caller->other++;
}

static void *call_some(void *arg)
{
    struct caller *caller = arg;
    for (unsigned i = 0; i < 10; i++) {
        struct recorder recorder;
        if (i % 5 == 4) {
            (void)recorder_open(&recorder, caller->fixture->channel, ENDS_SLOW, 5000);
            if (lb_rpc_stream_send(recorder.stream, lb_span_str("x")) != LB_OK)
                caller->other++;
            fixture_sleep_ms(i);
            lb_rpc_stream_cancel(recorder.stream, LB_OK);
            count(caller, recorder_end(&recorder));
        } else if (i % 5 == 3) {
            count(caller, fixture_call(caller->fixture->channel, ENDS_SLOW, "x", 20, NULL));
        } else {
            count(caller,
                  fixture_call(caller->fixture->channel, ENDS_ECHO, "xyz", 20000, "xyz"));
        }
    }
    return NULL;
}

static void two_hundred_at_once(void **state)
{
    (void)state;
    struct fixture fixture;
    pthread_t threads[20];
    struct caller callers[20];
    struct caller sum = {.ok = 0};
    ends_start(&fixture, 400);
    for (size_t i = 0; i < 20; i++) {
        callers[i] = (struct caller){.fixture = &fixture};
        assert_int_equal(pthread_create(&threads[i], NULL, call_some, &callers[i]), 0);
    }
    for (size_t i = 0; i < 20; i++) {
        (void)pthread_join(threads[i], NULL);
        sum.ok += callers[i].ok;
        sum.deadline += callers[i].deadline;
        sum.cancelled += callers[i].cancelled;
        sum.other += callers[i].other + callers[i].busy;
    }
    assert_int_equal(sum.ok, 120);
    assert_int_equal(sum.deadline, 40);
    assert_int_equal(sum.cancelled, 40);
    assert_int_equal(sum.other, 0);
    fixture_stop(&fixture, 20000);
}

static void more_than_max_calls_are_busy(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder held[2];
    ends_start(&fixture, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(recorder_open(&held[i], fixture.channel, ENDS_SLOW, 5000), 0);
        assert_null(lb_rpc_stream_send(held[i].stream, lb_span_str("x")));
    }
    while (atomic_load(&ends_seen.slow_running) < 2)
        fixture_sleep_ms(1);
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, "x", 5000, NULL), LB_BUSY);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(recorder_end(&held[i]), LB_CODE_OK);
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, "x", 5000, "x"), 0);
    fixture_stop(&fixture, 1000);
}

static void stop_cancels_what_outlives_the_grace(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 16);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_SLOW, 5000), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("x")));
    while (atomic_load(&ends_seen.slow_running) == 0)
        fixture_sleep_ms(1);
    lb_rpc_server_stop(fixture.server, 50);
    fixture.server = NULL;
    assert_int_equal(atomic_load(&ends_seen.slow_done), 1); /* the handler ran to its end */
    assert_int_equal(recorder_end(&recorder), LB_STOPPING);
    assert_int_equal(fixture_call(fixture.channel, ENDS_ECHO, "x", 2000, NULL),
                     LB_UNAVAILABLE);
    fixture_stop(&fixture, 0);
}

static void stop_waits_for_calls_within_the_grace(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 16);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_SLOW, 5000), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("x")));
    while (atomic_load(&ends_seen.slow_running) == 0)
        fixture_sleep_ms(1);
    lb_rpc_server_stop(fixture.server, 5000);
    fixture.server = NULL;
    assert_int_equal(recorder_end(&recorder), LB_CODE_OK);
    assert_int_equal(recorder.num_messages, 1);
    fixture_stop(&fixture, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_at_once),
        cmocka_unit_test(more_than_max_calls_are_busy),
        cmocka_unit_test(stop_cancels_what_outlives_the_grace),
        cmocka_unit_test(stop_waits_for_calls_within_the_grace),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
