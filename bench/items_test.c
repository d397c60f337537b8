#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/items.h"

/* What queues while a write is in flight goes into one message, in order, up to a bound. */

static void put(struct lb_bench_items *items, uint32_t number, size_t len)
{
    grpc_slice bytes = grpc_slice_malloc(len);
    memset(GRPC_SLICE_START_PTR(bytes), (int)number, len);
    lb_bench_items_put(items, number, bytes);
}

/* Takes one message and looks at its items: from `first`, each of len bytes. */
static size_t take(struct lb_bench_items *items, uint32_t first, size_t len)
{
    grpc_byte_buffer *message = lb_bench_items_take(items);
    grpc_slice bytes, item;
    uint32_t number = 0;
    size_t at = 0, num = 0;
    if (message == NULL)
        return 0;
    bytes = lb_bench_items_read(message);
    while (lb_bench_items_next(bytes, &at, &number, &item)) {
        assert_int_equal(number, first + num++);
        assert_int_equal(GRPC_SLICE_LENGTH(item), len);
        if (len > 0)
            assert_int_equal(GRPC_SLICE_START_PTR(item)[len - 1], (uint8_t)number);
        grpc_slice_unref(item);
    }
    grpc_slice_unref(bytes);
    return num;
}

static void test_all_that_waits_is_one_message(void **state)
{
    struct lb_bench_items items = {.num = 0};
    (void)state;
    assert_int_equal(take(&items, 0, 0), 0);
    for (uint32_t i = 0; i < 300; i++)
        put(&items, i, 100);
    assert_int_equal(take(&items, 0, 100), 300);
    assert_int_equal(take(&items, 0, 100), 0);
    put(&items, 7, 0);
    assert_int_equal(take(&items, 7, 0), 1);
    free(items.slices);
}

static void test_a_message_is_bounded_but_never_empty(void **state)
{
    struct lb_bench_items items = {.num = 0};
    const size_t half = LB_BENCH_MAX_COALESCED_BYTES / 2 - 64;
    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        put(&items, i, half);
    assert_int_equal(take(&items, 0, half), 2);
    put(&items, 3, half);
    assert_int_equal(take(&items, 2, half), 2);
    put(&items, 9, 2 * (size_t)LB_BENCH_MAX_COALESCED_BYTES);
    put(&items, 10, 2 * (size_t)LB_BENCH_MAX_COALESCED_BYTES);
    assert_int_equal(take(&items, 9, 2 * (size_t)LB_BENCH_MAX_COALESCED_BYTES), 1);
    assert_int_equal(take(&items, 10, 2 * (size_t)LB_BENCH_MAX_COALESCED_BYTES), 1);
    assert_int_equal(take(&items, 0, 0), 0);
    free(items.slices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_waits_is_one_message),
        cmocka_unit_test(test_a_message_is_bounded_but_never_empty),
    };
    grpc_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    grpc_shutdown();
    return failed;
}
