#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <grpc/grpc.h>

#include "gateway/base/later.h"
#include "gateway/rpc/wire_status.h"

/* The time to come again, as it travels. */

static lb_status there_and_back(lb_status status)
{
    struct lb_rpc_wire_status wire;
    lb_rpc_wire_status_of(status, &wire);
    grpc_metadata_array trailing = {
        .count = wire.num_details, .capacity = 1, .metadata = &wire.detail};
    lb_status back = lb_rpc_wire_status_read(wire.code, wire.message, &trailing);
    lb_rpc_wire_status_cleanup(&wire);
    return back;
}

static void a_time_to_come_again_travels(void **state)
{
    (void)state;
    lb_status back = there_and_back(lb_later(300));
    assert_int_equal(lb_status_code(back), LB_BUSY);
    assert_int_equal(lb_later_ms(back), 300);
    assert_int_equal(lb_later_ms(there_and_back(lb_later(INT64_MAX))), 60000);
}

static void what_says_none_has_none(void **state)
{
    (void)state;
    lb_status back = there_and_back(lb_status_of(LB_BUSY));
    assert_int_equal(lb_status_code(back), LB_BUSY);
    assert_int_equal(lb_later_ms(back), 0);
    assert_int_equal(lb_later_ms(there_and_back(lb_status_of(LB_UNAVAILABLE))), 0);
}

int main(void)
{
    grpc_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_to_come_again_travels),
        cmocka_unit_test(what_says_none_has_none),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    grpc_shutdown();
    return failed;
}
