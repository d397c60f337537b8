#include "gateway/services/message_json.h"

#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"

/* Reading: a text becomes the message's struct by what its descriptor says. */

#define MAX_DIGITS 20

static lb_status read_object(const ProtobufCMessageDescriptor *type, const struct lb_json *json,
                             struct lb_arena *arena, ProtobufCMessage **out);

/* 64-bit numbers travel as strings, since a JSON reader may take them for doubles. */
static lb_status read_decimal(const struct lb_json *json, bool is_signed, uint64_t *out)
{
    struct lb_span text = lb_json_str(json);
    uint64_t value = 0;
    bool minus = is_signed && text.len > 1 && text.ptr[0] == '-';
    size_t at = minus ? 1 : 0;
    LB_ENSURE(lb_json_is_string(json) && text.len > at && text.len <= MAX_DIGITS, LB_MALFORMED,
              "a 64-bit number is a string of digits");
    for (; at < text.len; at++) {
        LB_ENSURE(text.ptr[at] >= '0' && text.ptr[at] <= '9' &&
                      !__builtin_mul_overflow(value, 10U, &value) &&
                      !__builtin_add_overflow(value, (uint64_t)(text.ptr[at] - '0'), &value),
                  LB_MALFORMED, "a 64-bit number is a string of digits");
    }
    LB_ENSURE(!is_signed || value <= (uint64_t)INT64_MAX + (minus ? 1 : 0), LB_MALFORMED,
              "a number out of range");
    *out = minus ? 0 - value : value;
    return LB_OK;
}

static lb_status read_number(const ProtobufCFieldDescriptor *field, const struct lb_json *json,
                             uint8_t *place)
{
    bool is_signed = field->type == PROTOBUF_C_TYPE_INT32;
    LB_ENSURE(lb_json_is_int(json), LB_MALFORMED, "not a number");
    int64_t value = lb_json_int(json);
    int64_t least = is_signed ? INT32_MIN : 0, most = is_signed ? INT32_MAX : UINT32_MAX;
    LB_ENSURE(value >= least && value <= most, LB_MALFORMED, "a number out of range");
    uint32_t number = (uint32_t)value;
    memcpy(place, &number, sizeof(number));
    return LB_OK;
}

static lb_status read_text(const struct lb_json *json, struct lb_arena *arena, uint8_t *place)
{
    LB_ENSURE(lb_json_is_string(json), LB_MALFORMED, "not a text");
    char *text = lb_arena_str(arena, lb_json_str(json));
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    memcpy(place, &text, sizeof(text));
    return LB_OK;
}

static lb_status read_bytes(const struct lb_json *json, struct lb_arena *arena, uint8_t *place)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_ENSURE(lb_json_is_string(json), LB_MALFORMED, "bytes are a text in base64");
    LB_TRY(lb_b64_decode(arena, lb_json_str(json), &bytes));
    ProtobufCBinaryData data = lb_pb_bytes(bytes);
    memcpy(place, &data, sizeof(data));
    return LB_OK;
}

static lb_status read_enum(const ProtobufCFieldDescriptor *field, const struct lb_json *json,
                           struct lb_arena *arena, uint8_t *place)
{
    LB_ENSURE(lb_json_is_string(json), LB_MALFORMED, "an enumeration is a name");
    const char *name = lb_arena_str(arena, lb_json_str(json));
    LB_ENSURE(name != NULL, LB_NO_MEMORY, "arena is full");
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, name);
    LB_ENSURE(value != NULL, LB_MALFORMED, "no such name in the enumeration");
    memcpy(place, &value->value, sizeof(value->value));
    return LB_OK;
}

static lb_status read_truth(const struct lb_json *json, uint8_t *place)
{
    LB_ENSURE(lb_json_is_bool(json), LB_MALFORMED, "not true or false");
    protobuf_c_boolean truth = lb_json_bool(json);
    memcpy(place, &truth, sizeof(truth));
    return LB_OK;
}

static lb_status read_value(const ProtobufCFieldDescriptor *field, const struct lb_json *json,
                            struct lb_arena *arena, uint8_t *place)
{
    ProtobufCMessage *message = NULL;
    uint64_t wide = 0;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return read_text(json, arena, place);
    case PROTOBUF_C_TYPE_BYTES:
        return read_bytes(json, arena, place);
    case PROTOBUF_C_TYPE_BOOL:
        return read_truth(json, place);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(field, json, arena, place);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32:
        return read_number(field, json, place);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        LB_TRY(read_decimal(json, field->type == PROTOBUF_C_TYPE_INT64, &wide));
        memcpy(place, &wide, sizeof(wide));
        return LB_OK;
    case PROTOBUF_C_TYPE_MESSAGE:
        LB_TRY(read_object(field->descriptor, json, arena, &message));
        memcpy(place, &message, sizeof(message));
        return LB_OK;
    default:
        LB_FAIL(LB_INTERNAL, "the contract has no such type");
    }
}

static size_t size_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(uint64_t);
    default:
        return sizeof(uint32_t); /* int32, uint32, enumerations and booleans */
    }
}

static lb_status read_list(const ProtobufCFieldDescriptor *field, const struct lb_json *json,
                           struct lb_arena *arena, uint8_t *message)
{
    size_t num = lb_json_len(json), size = size_of(field->type);
    LB_ENSURE(lb_json_is_array(json), LB_MALFORMED, "not a list");
    uint8_t *items = lb_arena_array(arena, num, size);
    LB_ENSURE(items != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(read_value(field, lb_json_at(json, i), arena, items + i * size));
    memcpy(message + field->quantifier_offset, &num, sizeof(num));
    memcpy(message + field->offset, &items, sizeof(items));
    return LB_OK;
}

static lb_status read_member(const ProtobufCFieldDescriptor *field, const struct lb_json *json,
                             struct lb_arena *arena, uint8_t *message)
{
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return read_list(field, json, arena, message);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t chosen = 0;
        memcpy(&chosen, message + field->quantifier_offset, sizeof(chosen));
        LB_ENSURE(chosen == 0, LB_MALFORMED, "two members where one may stand");
        memcpy(message + field->quantifier_offset, &field->id, sizeof(field->id));
    }
    return read_value(field, json, arena, message + field->offset);
}

static lb_status read_object(const ProtobufCMessageDescriptor *type, const struct lb_json *json,
                             struct lb_arena *arena, ProtobufCMessage **out)
{
    LB_ENSURE(lb_json_is_object(json), LB_MALFORMED, "not an object");
    ProtobufCMessage *message = lb_arena_alloc(arena, type->sizeof_message);
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    protobuf_c_message_init(type, message);
    for (size_t i = 0; i < lb_json_len(json); i++) {
        const char *name = NULL;
        const struct lb_json *value = lb_json_member(json, i, &name);
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(type, name);
        LB_ENSURE(field != NULL, LB_MALFORMED, "an unknown member");
        LB_TRY(read_member(field, value, arena, (uint8_t *)message));
    }
    *out = message;
    return LB_OK;
}

lb_status lb_message_of_json(const ProtobufCMessageDescriptor *type, struct lb_span text,
                             struct lb_arena *arena, void *out_message)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    LB_TRY(lb_json_parse(text, &json));
    return read_object(type, json, arena, out_message);
}
