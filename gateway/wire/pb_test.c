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

/* What is kept has a maximum of its own, in both directions. */
static void a_maximum_is_the_callers(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(4 * LB_MAX_MESSAGE_BYTES);
    Lianban__V1__ReadRequest request = LIANBAN__V1__READ_REQUEST__INIT, *back = NULL;
    const ProtobufCMessageDescriptor *of = &lianban__v1__read_request__descriptor;
    struct lb_span bytes = LB_SPAN_EMPTY, none = LB_SPAN_EMPTY;
    uint8_t *long_txn = lb_arena_alloc(arena, LB_MAX_MESSAGE_BYTES);
    request.txn = lb_pb_bytes(lb_span_of(long_txn, LB_MAX_MESSAGE_BYTES));
    assert_int_equal(lb_status_code(lb_pb_pack(&request, arena, &none)), LB_TOO_LARGE);
    assert_true(lb_pb_pack_within(&request, LB_MAX_MESSAGE_BYTES + 16, arena, &bytes) == LB_OK);
    assert_in_range(bytes.len, LB_MAX_MESSAGE_BYTES + 1, LB_MAX_MESSAGE_BYTES + 16);
    assert_int_equal(lb_status_code(lb_pb_pack_within(&request, bytes.len - 1, arena, &none)),
                     LB_TOO_LARGE);
    assert_int_equal(lb_status_code(lb_pb_unpack(of, bytes, arena, &back)), LB_TOO_LARGE);
    assert_int_equal(
        lb_status_code(lb_pb_unpack_within(of, bytes, bytes.len - 1, arena, &back)), LB_TOO_LARGE);
    assert_true(lb_pb_unpack_within(of, bytes, bytes.len, arena, &back) == LB_OK);
    assert_int_equal(back->txn.len, LB_MAX_MESSAGE_BYTES);
    lb_arena_free(arena);
}

static void messages_are_made_empty(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(4096);
    const ProtobufCMessageDescriptor *of = &lianban__v1__read_request__descriptor;
    Lianban__V1__ReadRequest *one = lb_pb_make(of, arena);
    Lianban__V1__ReadRequest **list = lb_pb_make_list(of, 3, arena);
    assert_true(one != NULL && list != NULL && lb_pb_make_list(of, 0, arena) != NULL);
    assert_string_equal(one->audience, "");
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(list[i]->base.descriptor, of);
    assert_true(list[0] != list[1] && list[1] != list[2] && list[0] != one);
    assert_null(lb_pb_make_list(of, 4096, arena));
    lb_arena_free(arena);
}

static lb_status unpack(const uint8_t *bytes, size_t len, struct lb_arena *arena)
{
    Lianban__V1__SealedRequest *request = NULL;
    return lb_pb_unpack(&lianban__v1__sealed_request__descriptor, lb_span_of(bytes, len), arena,
                        &request);
}

/* SealedRequest: 3 is a text, 5 is bytes, 9 is a message whose 5 is a text; 99 is unknown. */
static void texts_are_utf8_without_a_zero_byte(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    static const uint8_t good[] = {0x1A, 3, 0xE5, 0xBC, 0xA0, 0x2A, 2, 0, 0xFF, 0x4A, 3, 0x2A, 1,
                                   'a', 0x9A, 6, 1, 0xFF, 0x40, 0x96, 1};
    static const uint8_t overlong[] = {0x1A, 2, 0xC0, 0xAF};
    static const uint8_t zero[] = {0x1A, 3, 'a', 0, 'b'};
    static const uint8_t replaced[] = {0x1A, 1, 0xFF, 0x1A, 1, 'a'};
    static const uint8_t inside[] = {0x4A, 4, 0x2A, 2, 'a', 0};
    assert_int_equal(lb_status_code(unpack(good, sizeof(good), arena)), LB_CODE_OK);
    assert_int_equal(lb_status_code(unpack(NULL, 0, arena)), LB_CODE_OK);
    assert_int_equal(lb_status_code(unpack(overlong, sizeof(overlong), arena)), LB_MALFORMED);
    assert_int_equal(lb_status_code(unpack(zero, sizeof(zero), arena)), LB_MALFORMED);
    assert_int_equal(lb_status_code(unpack(replaced, sizeof(replaced), arena)), LB_MALFORMED);
    assert_int_equal(lb_status_code(unpack(inside, sizeof(inside), arena)), LB_MALFORMED);
    lb_arena_free(arena);
}

/* protobuf-c takes field 0 when its number is written long, passes it on short, and then refuses
 * it: what one node has accepted the next would not. */
static void there_is_no_field_0(void **state)
{
    (void)state;
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    static const uint8_t plain[] = {0x00, 6}, long_one[] = {0x80, 0x00, 6};
    static const uint8_t text[] = {0x82, 0x00, 0}, inside[] = {0x4A, 3, 0x80, 0x00, 6};
    assert_int_equal(lb_status_code(unpack(plain, sizeof(plain), arena)), LB_MALFORMED);
    assert_int_equal(lb_status_code(unpack(long_one, sizeof(long_one), arena)), LB_MALFORMED);
    assert_int_equal(lb_status_code(unpack(text, sizeof(text), arena)), LB_MALFORMED);
    assert_int_equal(lb_status_code(unpack(inside, sizeof(inside), arena)), LB_MALFORMED);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_bytes_are_refused),
        cmocka_unit_test(a_message_past_the_arena_is_too_large),
        cmocka_unit_test(what_is_packed_unpacks),
        cmocka_unit_test(a_maximum_is_the_callers),
        cmocka_unit_test(messages_are_made_empty),
        cmocka_unit_test(texts_are_utf8_without_a_zero_byte),
        cmocka_unit_test(there_is_no_field_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
