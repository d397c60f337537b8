#include "gateway/services/message_json.h"
#include "lianban/v1/read.pb-c.h"
#include "lianban/v1/window.pb-c.h"
#include "tests/fuzz/fuzz.h"

/* Messages as JSON, as a window system sends them. */

#define ARENA_BYTES (16U << 20)

/* The window's requests, and answers that have every kind of field. */
static const ProtobufCMessageDescriptor *const types[] = {
    &lianban__v1__open_case_request__descriptor, &lianban__v1__get_notice_request__descriptor,
    &lianban__v1__case_request__descriptor,      &lianban__v1__case_event__descriptor,
    &lianban__v1__fact__descriptor,              &lianban__v1__read_request__descriptor,
};
#define NUM_TYPES (sizeof(types) / sizeof(types[0]))

/* Written out and read again it is the same message and the same text. */
static void check_again(const ProtobufCMessageDescriptor *type, const void *message,
                        struct lb_arena *arena)
{
    struct lb_span packed, text, packed_again, text_again;
    void *again = NULL;
    FUZZ_OK(lb_pb_pack(message, arena, &packed));
    FUZZ_OK(lb_message_to_json(message, arena, &text));
    FUZZ_OK(lb_message_of_json(type, text, arena, &again));
    FUZZ_OK(lb_pb_pack(again, arena, &packed_again));
    FUZZ_OK(lb_message_to_json(again, arena, &text_again));
    FUZZ_CHECK(lb_span_eq(packed, packed_again) && lb_span_eq(text, text_again));
}

bool fuzz_message_json(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const ProtobufCMessageDescriptor *type = types[fuzz_u8(&in) % NUM_TYPES];
    struct lb_span packed;
    void *message = NULL;
    lb_status status = lb_message_of_json(type, in, arena, &message);
    if (status != LB_OK) {
        FUZZ_CHECK(status->code == LB_MALFORMED || status->code == LB_NO_MEMORY);
        return false;
    }
    /* What fits into a text may be too much for a message, and the other way round. */
    if (lb_pb_pack(message, arena, &packed) == LB_OK && packed.len < LB_MAX_JSON_BYTES / 64)
        check_again(type, message, arena);
    return true;
}

void seed_message_json(const struct fuzz_sink *sink)
{
    static const char *const texts[NUM_TYPES][2] = {
        {"{}",
         "{\"form\":\"f\",\"members\":[{\"role\":\"child\",\"id_no\":\"1\",\"name\":\"n\"},{}]}"},
        {"{\"case_id\":\"c\",\"language\":\"zh\"}", "{\"language\":\"\"}"},
        {"{\"case_id\":\"c-1\"}", "{}"},
        {"{\"fact\":{\"member\":1,\"args\":[\"a\",\"b\"],\"receipt_ok\":true,\"txn\":\"AAEC\"}}",
         "{\"result\":{\"reasons\":[{\"truth\":\"TRUE\"}],\"millis\":4294967295}}"},
        {"{\"state\":\"OK\",\"kind\":\"NUMBER\",\"number\":\"-9223372036854775808\"}",
         "{\"truth\":false,\"number\":\"9223372036854775807\",\"rules_version\":0}"},
        {"{\"views\":[\"a.b\"],\"deadline_unix_ms\":\"1\","
         "\"sealed\":{\"seq\":\"18446744073709551615\"}}",
         "{\"txn\":\"\",\"sealed\":{\"enc\":\"/+8=\"}}"},
    };
    for (uint8_t i = 0; i < NUM_TYPES; i++)
        for (size_t k = 0; k < 2; k++)
            fuzz_seed(sink, i, lb_span_str(texts[i][k]));
}
