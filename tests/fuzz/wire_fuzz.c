#include "gateway/base/utf8.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/adapter.pb-c.h"
#include "lianban/v1/broker.pb-c.h"
#include "lianban/v1/consent.pb-c.h"
#include "lianban/v1/error.pb-c.h"
#include "lianban/v1/link.pb-c.h"
#include "lianban/v1/window.pb-c.h"
#include "tests/fuzz/fuzz.h"

/* Every message of every service. The services of a file and their methods are found by reflection,
 * so a new method is fuzzed without a line here. */

#define ARENA_BYTES (4U << 20)
#define MAX_MESSAGES 128U

static const ProtobufCServiceDescriptor *const services[] = {
    &lianban__v1__adapter__descriptor, &lianban__v1__broker__descriptor,
    &lianban__v1__consent_office__descriptor, &lianban__v1__evidence__descriptor,
    &lianban__v1__window__descriptor,
};

static const ProtobufCMessageDescriptor *const others[] = {
    &lianban__v1__error_detail__descriptor,
    &lianban__v1__sealed_request__descriptor,
    &lianban__v1__sealed_answer__descriptor,
};

struct messages {
    const ProtobufCMessageDescriptor *list[MAX_MESSAGES];
    size_t num;
};

static void add(struct messages *messages, const ProtobufCMessageDescriptor *descriptor)
{
    for (size_t i = 0; i < messages->num; i++)
        if (messages->list[i] == descriptor)
            return;
    FUZZ_CHECK(messages->num < MAX_MESSAGES);
    messages->list[messages->num++] = descriptor;
}

static const struct messages *all_messages(void)
{
    static struct messages messages;
    if (messages.num > 0)
        return &messages;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        add(&messages, others[i]);
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        for (unsigned k = 0; k < services[i]->n_methods; k++) {
            add(&messages, services[i]->methods[k].input);
            add(&messages, services[i]->methods[k].output);
        }
    }
    return &messages;
}

static void check_texts(const ProtobufCMessage *message);

/* Where a field's values are: one, or an array. */
static void check_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    const uint8_t *base = (const uint8_t *)message;
    bool many = field->label == PROTOBUF_C_LABEL_REPEATED;
    size_t num = many ? *(const size_t *)(const void *)(base + field->quantifier_offset) : 1;
    /* The member of a oneof that is set, and no other, is there. */
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
        *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
        return;
    const void *at = base + field->offset;
    const void *const *values = many ? *(const void *const *const *)at : (const void *const *)at;
    for (size_t i = 0; i < num; i++) {
        if (field->type == PROTOBUF_C_TYPE_STRING)
            FUZZ_CHECK(values[i] != NULL && lb_utf8_valid(lb_span_str(values[i])));
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && values[i] != NULL)
            check_texts(values[i]);
    }
}

static void check_texts(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        check_field(message, &message->descriptor->fields[i]);
}

/* Written out it is the same message, and keeps one form from then on. */
static void check_form(const ProtobufCMessageDescriptor *descriptor, struct lb_span once)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(4 * ARENA_BYTES);
    ProtobufCMessage *back = NULL;
    struct lb_span twice;
    FUZZ_OK(lb_pb_unpack(descriptor, once, arena, &back));
    FUZZ_OK(lb_pb_pack(back, arena, &twice));
    FUZZ_CHECK(lb_span_eq(once, twice));
}

bool fuzz_messages(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct messages *messages = all_messages();
    const ProtobufCMessageDescriptor *descriptor = messages->list[fuzz_u8(&in) % messages->num];
    ProtobufCMessage *message = NULL;
    struct lb_span once;
    if (lb_pb_unpack(descriptor, in, arena, &message) != LB_OK)
        return false;
    check_texts(message);
    lb_status status = lb_pb_pack(message, arena, &once);
    if (status == LB_OK)
        check_form(descriptor, once);
    else
        FUZZ_CODE(status, LB_NO_MEMORY);
    return true;
}

/* A value for every field that one can be written for without knowing what it means: fields one to
 * four as texts, as numbers, and as messages. */
void seed_messages(const struct fuzz_sink *sink)
{
    static const char *const bodies[] = {
        "",
        "\x0a\x03" "abc\x12\x03" "def\x1a\x03" "ghi\x22\x03" "jkl",
        "\x08\x01\x10\x02\x18\x03\x20\x04",
        "\x0a\x03" "abc\x10\x02\x1a\x03" "ghi\x20\x04\x2a\x02" "mn",
        "\x0a\x05\x0a\x03" "abc\x12\x05\x0a\x03" "def",
    };
    for (uint8_t i = 0; i < all_messages()->num; i++)
        for (size_t k = 0; k < sizeof(bodies) / sizeof(bodies[0]); k++) {
            struct lb_span body = lb_span_str(bodies[k]);
            LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
            ProtobufCMessage *message = NULL;
            if (lb_pb_unpack(all_messages()->list[i], body, arena, &message) == LB_OK)
                fuzz_seed(sink, i, body);
        }
}
