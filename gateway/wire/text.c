#include "gateway/wire/text.h"

#include <string.h>

#include "gateway/base/utf8.h"

#define MAX_DEPTH 16
#define MAX_VARINT_BYTES 10

/* The wire types of protocol buffers; groups (3, 4) are not taken. */
enum wire_type { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static bool take_varint(struct lb_span *rest, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < rest->len && i < MAX_VARINT_BYTES; i++) {
        value |= (uint64_t)(rest->ptr[i] & 0x7F) << (7 * i);
        if (rest->ptr[i] < 0x80) {
            *rest = lb_span_of(rest->ptr + i + 1, rest->len - i - 1);
            *out = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct lb_span *rest, uint64_t len, struct lb_span *out)
{
    if (len > rest->len)
        return false;
    *out = lb_span_of(rest->ptr, (size_t)len);
    *rest = lb_span_of(rest->ptr + len, rest->len - (size_t)len);
    return true;
}

/* The content of one field: empty unless it has a length of its own. */
static bool take_content(struct lb_span *rest, unsigned type, struct lb_span *out)
{
    uint64_t len = 0;
    struct lb_span passed;
    *out = LB_SPAN_EMPTY;
    switch (type) {
    case VARINT:
        return take_varint(rest, &len);
    case FIXED64:
        return take_bytes(rest, 8, &passed);
    case FIXED32:
        return take_bytes(rest, 4, &passed);
    case BYTES:
        return take_varint(rest, &len) && take_bytes(rest, len, out);
    default:
        return false;
    }
}

static bool is_text(struct lb_span bytes)
{
    return bytes.len == 0 || (memchr(bytes.ptr, 0, bytes.len) == NULL && lb_utf8_valid(bytes));
}

static bool texts_ok(const ProtobufCMessageDescriptor *descriptor, struct lb_span rest,
                     unsigned depth)
{
    while (rest.len > 0) {
        uint64_t tag = 0;
        struct lb_span content;
        if (!take_varint(&rest, &tag) || !take_content(&rest, (unsigned)(tag & 7), &content))
            return false;
        /* There is no field 0, and protobuf-c takes it in one spelling and refuses the other. */
        if (tag >> 3 == 0)
            return false;
        const ProtobufCFieldDescriptor *field =
            (tag & 7) == BYTES && tag >> 3 <= UINT32_MAX
                ? protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3))
                : NULL;
        if (field == NULL)
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING && !is_text(content))
            return false;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            (depth == MAX_DEPTH || !texts_ok(field->descriptor, content, depth + 1)))
            return false;
    }
    return true;
}

bool lb_pb_texts_ok(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes)
{
    return texts_ok(descriptor, bytes, 0);
}
