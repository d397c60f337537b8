#include "gateway/crypto/b64.h"
#include "gateway/services/message_json.h"

/* Writing. Failures of memory mark the JSON that is being built, and lb_json_dump finds them. */

static lb_status write_object(const ProtobufCMessage *message, struct lb_arena *arena,
                              struct lb_json *out);

static struct lb_span text_at(const uint8_t *place)
{
    const char *text = NULL;
    memcpy(&text, place, sizeof(text));
    return lb_span_str(text);
}

static struct lb_span base64_at(const uint8_t *place, struct lb_arena *arena)
{
    ProtobufCBinaryData data;
    memcpy(&data, place, sizeof(data));
    return lb_span_str(lb_b64_encode(arena, lb_pb_span(data)));
}

static struct lb_span decimal_at(const uint8_t *place, bool is_signed, struct lb_arena *arena)
{
    uint64_t value = 0;
    memcpy(&value, place, sizeof(value));
    return lb_span_str(is_signed ? lb_arena_printf(arena, "%lld", (long long)value)
                                 : lb_arena_printf(arena, "%llu", (unsigned long long)value));
}

static struct lb_span name_at(const uint8_t *place, const ProtobufCEnumDescriptor *type)
{
    int value = 0;
    memcpy(&value, place, sizeof(value));
    const ProtobufCEnumValue *named = protobuf_c_enum_descriptor_get_value(type, value);
    return lb_span_str(named == NULL ? "" : named->name);
}

/* What is a string in JSON; false for other types. */
static bool string_of(const ProtobufCFieldDescriptor *field, const uint8_t *place,
                      struct lb_arena *arena, struct lb_span *out)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *out = text_at(place);
        return true;
    case PROTOBUF_C_TYPE_BYTES:
        *out = base64_at(place, arena);
        return true;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *out = decimal_at(place, field->type == PROTOBUF_C_TYPE_INT64, arena);
        return true;
    case PROTOBUF_C_TYPE_ENUM:
        *out = name_at(place, field->descriptor);
        return true;
    default:
        return false;
    }
}

static lb_status message_at(const uint8_t *place, struct lb_arena *arena, struct lb_json **out)
{
    const ProtobufCMessage *message = NULL;
    memcpy(&message, place, sizeof(message));
    *out = lb_json_object();
    lb_status status = write_object(message, arena, *out);
    if (status != LB_OK)
        lb_json_free(*out);
    return status;
}

static lb_status write_items(const ProtobufCFieldDescriptor *field, const uint8_t *message,
                             struct lb_arena *arena, struct lb_json *list)
{
    const uint8_t *items = NULL;
    struct lb_json *child = NULL;
    size_t num = 0;
    memcpy(&items, message + field->offset, sizeof(items));
    memcpy(&num, message + field->quantifier_offset, sizeof(num));
    for (size_t i = 0; i < num; i++) {
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
            LB_TRY(message_at(items + i * sizeof(void *), arena, &child));
            lb_json_append(list, child);
        } else {
            LB_ENSURE(field->type == PROTOBUF_C_TYPE_STRING, LB_INTERNAL,
                      "the contract has lists of texts and messages only");
            lb_json_append_str(list, text_at(items + i * sizeof(void *)));
        }
    }
    return LB_OK;
}

static lb_status write_list(const ProtobufCFieldDescriptor *field, const uint8_t *message,
                            struct lb_arena *arena, struct lb_json *out)
{
    struct lb_json *list = lb_json_array();
    lb_status status = write_items(field, message, arena, list);
    lb_json_set(out, field->name, list);
    return status;
}

static lb_status write_message(const ProtobufCFieldDescriptor *field, const uint8_t *place,
                               struct lb_arena *arena, struct lb_json *out)
{
    const void *set = NULL;
    struct lb_json *child = NULL;
    memcpy(&set, place, sizeof(set));
    if (set == NULL)
        return LB_OK;
    LB_TRY(message_at(place, arena, &child));
    lb_json_set(out, field->name, child);
    return LB_OK;
}

static lb_status write_scalar(const ProtobufCFieldDescriptor *field, const uint8_t *place,
                              struct lb_json *out)
{
    uint32_t value = 0;
    memcpy(&value, place, sizeof(value));
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        lb_json_set_bool(out, field->name, value != 0);
    else if (field->type == PROTOBUF_C_TYPE_UINT32)
        lb_json_set_int(out, field->name, value);
    else if (field->type == PROTOBUF_C_TYPE_INT32)
        lb_json_set_int(out, field->name, (int32_t)value);
    else
        LB_FAIL(LB_INTERNAL, "the contract has no such type");
    return LB_OK;
}

static bool is_set(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
    uint32_t chosen = 0;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
        return true;
    memcpy(&chosen, message + field->quantifier_offset, sizeof(chosen));
    return chosen == field->id;
}

static lb_status write_field(const ProtobufCFieldDescriptor *field, const uint8_t *message,
                             struct lb_arena *arena, struct lb_json *out)
{
    struct lb_span text = LB_SPAN_EMPTY;
    if (!is_set(field, message))
        return LB_OK;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return write_list(field, message, arena, out);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return write_message(field, message + field->offset, arena, out);
    if (!string_of(field, message + field->offset, arena, &text))
        return write_scalar(field, message + field->offset, out);
    LB_ENSURE(text.ptr != NULL, LB_NO_MEMORY, "arena is full");
    lb_json_set_str(out, field->name, text);
    return LB_OK;
}

static lb_status write_object(const ProtobufCMessage *message, struct lb_arena *arena,
                              struct lb_json *out)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    for (unsigned i = 0; i < type->n_fields; i++)
        LB_TRY(write_field(&type->fields[i], (const uint8_t *)message, arena, out));
    return LB_OK;
}

lb_status lb_message_to_json(const void *message, struct lb_arena *arena, struct lb_span *out_text)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    LB_TRY(write_object(message, arena, json));
    return lb_json_dump(json, LB_JSON_COMPACT, arena, out_text);
}
