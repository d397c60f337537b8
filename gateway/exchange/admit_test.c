#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/exchange/fixture.h"
#include "gateway/exchange/overview.h"
#include "gateway/wire/pb.h"

/* Places at the broker: who waits for one, who gives his back, and who is told to come later. */

static struct lb_admission_view load_of(struct fixture *fx)
{
    struct lb_admission_view view;
    lb_exchange_load(fx->exchange, &view);
    return view;
}

static void no_kick(void *ctx)
{
    (void)ctx;
}

static void no_end(void *ctx, lb_status status)
{
    (void)ctx;
    lb_status_ignore(status);
}

/* What is under way takes places by its reads, and the next waits until one is given back. */
static void forms_wait_for_their_place_and_get_it(void **state)
{
    struct fixture *fx = *state;
    struct fx_call first, second, third;
    fx_link(fx);
    fx_collect(fx, &first, fx_operator_token(fx), fx_request(fx, 100, 0, FX_PATIENT_MS));
    fx_collect(fx, &second, fx_operator_token(fx), fx_request(fx, 100, 100, FX_PATIENT_MS));
    fx_collect(fx, &third, fx_operator_token(fx), fx_request(fx, 40, 200, FX_PATIENT_MS));
    assert_int_equal(load_of(fx).in_hand, 240);
    struct fx_call fourth;
    struct lb_span request = fx_request(fx, 30, 0, FX_PATIENT_MS);
    fx_collect(fx, &fourth, fx_operator_token(fx), request);
    assert_false(__atomic_load_n(&fourth.finished, __ATOMIC_ACQUIRE));
    fx_unlink(fx); /* all that was sent is over, and the fourth comes */
    fx_close(&first);
    fx_close(&second);
    fx_close(&third);
    fx_close(&fourth);
    assert_ok(fourth.status);
    assert_int_equal(load_of(fx).in_hand + load_of(fx).num_waiting, 0);
}

/* A silent department: places are given back long before the deadline of those who wait for it. */
static void who_waits_for_a_department_holds_no_place(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 100, 0, FX_PATIENT_MS));
    assert_int_equal(load_of(fx).in_hand, 100);
    for (int i = 0; i < FX_WAIT_STEPS && load_of(fx).in_hand > 0; i++)
        (void)usleep(FX_WAIT_STEP_US);
    assert_int_equal(load_of(fx).in_hand, 0);
    assert_false(__atomic_load_n(&call.finished, __ATOMIC_ACQUIRE));
    fx_unlink(fx);
    fx_close(&call);
}

/* More than can be done in time is refused before anything of it was looked at: no token, no grant
 * and no disk, but one entry that counts. What is refused has never held memory for its reads. */
static void too_much_is_told_when_to_come_again(void **state)
{
    struct fixture *fx = *state;
    static struct lb_collect *collects[64];
    const struct lb_collect_port port = {NULL, no_kick, no_end, no_end, LB_SPAN_EMPTY};
    struct lb_span request = fx_request(fx, 100, 0, 3000);
    int64_t deadline = lb_clock_unix_ms(lb_clock_system()) + 3000;
    size_t taken = 0, refused = 0;
    fx_link(fx);
    for (size_t i = 0; i < 64; i++) {
        lb_status status =
            lb_exchange_collect(fx->exchange, FX_WINDOW, lb_span_str("garbage"), request, deadline,
                                &port, &collects[taken]);
        taken += status == LB_OK;
        refused += status != LB_OK;
        if (status != LB_OK) {
            assert_code(lb_status_code(status), LB_BUSY);
            assert_true(lb_later_ms(status) > 0);
        }
    }
    assert_true(taken > 0);
    for (size_t i = 0; i < taken; i++)
        lb_collect_close(collects[i]);
    fx_unlink(fx);
    assert_int_equal(load_of(fx).num_refused, refused);
}

/* Nobody is asked for who has gone while he waited. */
static void a_caller_that_left_while_waiting_is_not_begun(void **state)
{
    struct fixture *fx = *state;
    struct fx_call first, second, gone;
    struct lb_log_head before, after;
    fx_link(fx);
    fx_collect(fx, &first, fx_operator_token(fx), fx_request(fx, 120, 0, FX_PATIENT_MS));
    fx_collect(fx, &second, fx_operator_token(fx), fx_request(fx, 120, 120, FX_PATIENT_MS));
    struct lb_span request = fx_request(fx, 100, 0, FX_PATIENT_MS);
    fx_collect(fx, &gone, fx_operator_token(fx), request);
    fx_leave(&gone);
    fx_unlink(fx);
    fx_close(&first);
    fx_close(&second);
    for (int i = 0; i < FX_WAIT_STEPS && load_of(fx).in_hand + load_of(fx).num_waiting > 0; i++)
        (void)usleep(FX_WAIT_STEP_US);
    assert_ok(lb_log_head(fx->log, fx->arena, &before));
    (void)usleep(200000);
    assert_ok(lb_log_head(fx->log, fx->arena, &after));
    assert_int_equal(before.size, after.size);
    assert_true(after.size < 3 * 240); /* two entries for each read of those who stayed */
}

static int setup(void **state)
{
    static struct fixture fx;
    fx_setup(&fx);
    fx.max_reads = 600; /* what waits for a place is to meet no other bound */
    fx.min_places = 256;
    fx_restart(&fx);
    *state = &fx;
    return 0;
}

static int teardown(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forms_wait_for_their_place_and_get_it, setup, teardown),
        cmocka_unit_test_setup_teardown(who_waits_for_a_department_holds_no_place, setup, teardown),
        cmocka_unit_test_setup_teardown(too_much_is_told_when_to_come_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_caller_that_left_while_waiting_is_not_begun, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
