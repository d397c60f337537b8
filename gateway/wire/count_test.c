#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/wire/count.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/broker.pb-c.h"

#define ARENA_BYTES (256 * 1024)
#define NUM_READS 37

static struct lb_span make_request(struct lb_arena *arena, size_t num)
{
    static Lianban__V1__ReadRequest reads[NUM_READS];
    static Lianban__V1__ReadRequest *list[NUM_READS];
    Lianban__V1__CollectRequest request = LIANBAN__V1__COLLECT_REQUEST__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    for (size_t i = 0; i < num; i++) {
        lianban__v1__read_request__init(&reads[i]);
        reads[i].grant = (char *)(uintptr_t)"\"\"\"\"\"\"\"\"a text with the tag of a read in it";
        list[i] = &reads[i];
    }
    request.form = (char *)(uintptr_t)"social-assistance";
    request.form_version = 300;
    request.reads = list;
    request.n_reads = num;
    assert_null(lb_pb_pack(&request, arena, &bytes));
    return bytes;
}

static void reads_are_counted(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    assert_int_equal(lb_pb_count(make_request(arena, NUM_READS), 4), NUM_READS);
    assert_int_equal(lb_pb_count(make_request(arena, 1), 4), 1);
    assert_int_equal(lb_pb_count(make_request(arena, 0), 4), 0);
    assert_int_equal(lb_pb_count(make_request(arena, 3), 1), 1);
}

/* Whatever comes: no byte behind the end, no loop, no more than there are bytes. */
static void anything_is_counted_within_its_bytes(void **state)
{
    (void)state;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_span whole = make_request(arena, 3);
    uint8_t bytes[4096];
    assert_true(whole.len <= sizeof(bytes));
    for (size_t len = 0; len <= whole.len; len++)
        assert_true(lb_pb_count(lb_span_of(whole.ptr, len), 4) <= 3);
    uint32_t seed = 1;
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < 64; i++)
            bytes[i] = (uint8_t)((seed = seed * 1664525U + 1013904223U) >> 24);
        assert_true(lb_pb_count(lb_span_of(bytes, 64), 4) <= 32);
    }
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(lb_pb_count(lb_span_of(bytes, sizeof(bytes)), 4), 0);
    assert_int_equal(lb_pb_count(lb_span_str("\x22\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 4), 0);
    assert_int_equal(lb_pb_count(LB_SPAN_EMPTY, 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_are_counted),
        cmocka_unit_test(anything_is_counted_within_its_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
