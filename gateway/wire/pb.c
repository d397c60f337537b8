#include "gateway/wire/pb.h"

#include "gateway/base/limits.h"
#include "gateway/wire/text.h"

struct bounded {
    ProtobufCAllocator allocator;
    struct lb_arena *arena;
    bool full;
};

static void *bounded_alloc(void *data, size_t size)
{
    struct bounded *bounded = data;
    void *block = lb_arena_alloc(bounded->arena, size);
    if (block == NULL)
        bounded->full = true;
    return block;
}

static void bounded_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

lb_status lb_pb_unpack_within(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes,
                              size_t max_bytes, struct lb_arena *arena, void *out_message)
{
    LB_ENSURE(bytes.len <= max_bytes, LB_TOO_LARGE, "message is larger than allowed");
    struct bounded bounded = {{bounded_alloc, bounded_free, NULL}, arena, false};
    bounded.allocator.allocator_data = &bounded;
    /* protobuf-c reads from the pointer even when there is nothing to read. */
    const uint8_t *data = bytes.len == 0 ? (const uint8_t *)"" : bytes.ptr;
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, &bounded.allocator, bytes.len, data);
    LB_ENSURE(!bounded.full, LB_TOO_LARGE, "message passes the call's memory");
    LB_ENSURE(message != NULL, LB_MALFORMED, "message does not decode");
    LB_ENSURE(lb_pb_texts_ok(descriptor, lb_span_of(data, bytes.len)), LB_MALFORMED,
              "a text is not UTF-8");
    *(ProtobufCMessage **)out_message = message;
    return LB_OK;
}

lb_status lb_pb_unpack(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes,
                       struct lb_arena *arena, void *out_message)
{
    return lb_pb_unpack_within(descriptor, bytes, LB_MAX_MESSAGE_BYTES, arena, out_message);
}

lb_status lb_pb_pack_within(const void *message, size_t max_bytes, struct lb_arena *arena,
                            struct lb_span *out)
{
    const ProtobufCMessage *base = message;
    size_t size = protobuf_c_message_get_packed_size(base);
    LB_ENSURE(size <= max_bytes, LB_TOO_LARGE, "message is larger than allowed");
    uint8_t *bytes = lb_arena_alloc(arena, size);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    size_t packed = protobuf_c_message_pack(base, bytes);
    *out = lb_span_of(bytes, packed);
    return LB_OK;
}

lb_status lb_pb_pack(const void *message, struct lb_arena *arena, struct lb_span *out)
{
    return lb_pb_pack_within(message, LB_MAX_MESSAGE_BYTES, arena, out);
}

void *lb_pb_make(const ProtobufCMessageDescriptor *of, struct lb_arena *arena)
{
    void *message = lb_arena_alloc(arena, of->sizeof_message);
    if (message != NULL)
        protobuf_c_message_init(of, message);
    return message;
}

void *lb_pb_make_list(const ProtobufCMessageDescriptor *of, size_t num, struct lb_arena *arena)
{
    void **list = lb_arena_array(arena, num, sizeof(*list));
    uint8_t *messages = lb_arena_array(arena, num, of->sizeof_message);
    if (list == NULL || messages == NULL)
        return NULL;
    for (size_t i = 0; i < num; i++) {
        list[i] = messages + i * of->sizeof_message;
        protobuf_c_message_init(of, list[i]);
    }
    return list;
}
