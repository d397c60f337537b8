#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/read.pb-c.h"

static void hostile_bytes_are_refused(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    Lianban__V1__ReadRequest *request = NULL;
    static const uint8_t truncated[] = {0x0A, 0x10, 1, 2};
    lb_status status = lb_pb_unpack(&lianban__v1__read_request__descriptor,
                                    lb_span_of(truncated, sizeof(truncated)), arena, &request);
    assert_int_equal(lb_status_code(status), LB_MALFORMED);
    assert_null(request);
    lb_arena_free(arena);
}

static void a_message_past_the_arena_is_too_large(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(512);
    Lianban__V1__ReadRequest *request = NULL;
    uint8_t many[600];
    for (size_t i = 0; i < sizeof(many); i += 2) {
        many[i] = 0x2A; /* views: an empty string each */
        many[i + 1] = 0;
    }
    lb_status status = lb_pb_unpack(&lianban__v1__read_request__descriptor,
                                    lb_span_of(many, sizeof(many)), arena, &request);
    assert_int_equal(lb_status_code(status), LB_TOO_LARGE);
    lb_arena_free(arena);
}

static void what_is_packed_unpacks(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    Lianban__V1__ReadRequest request = LIANBAN__V1__READ_REQUEST__INIT;
    request.txn = lb_pb_bytes(lb_span_str("0123456789abcdef"));
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_true(lb_pb_pack(&request, arena, &bytes) == LB_OK);
    Lianban__V1__ReadRequest *back = NULL;
    assert_true(lb_pb_unpack(&lianban__v1__read_request__descriptor, bytes, arena, &back) ==
                LB_OK);
    assert_true(lb_span_is(lb_pb_span(back->txn), "0123456789abcdef"));
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(a_message_past_the_arena_is_too_large),
        cmocka_unit_test(what_is_packed_unpacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
