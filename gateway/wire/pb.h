#ifndef GATEWAY_WIRE_PB_H
#define GATEWAY_WIRE_PB_H

#include <protobuf-c/protobuf-c.h>

#include "gateway/base/arena.h"

/*
 * protobuf-c over arenas, so that there is no free_unpacked anywhere and an oversized message fails
 * cleanly at the arena's cap.
 */

/* lb_pb_unpack decodes a message into the arena; MALFORMED when it does not decode or a text
 * is not UTF-8 or holds a zero byte, TOO_LARGE above LB_MAX_MESSAGE_BYTES or past the arena's cap.
 * The bytes are copied. */
LB_MUST lb_status lb_pb_unpack(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes,
                               struct lb_arena *arena, void *out_message);

/* lb_pb_pack encodes a message into the arena; TOO_LARGE past LB_MAX_MESSAGE_BYTES. */
LB_MUST lb_status lb_pb_pack(const void *message, struct lb_arena *arena, struct lb_span *out);

/* The same for what is kept on our own disk, with a maximum of its own. */
LB_MUST lb_status lb_pb_unpack_within(const ProtobufCMessageDescriptor *descriptor,
                                      struct lb_span bytes, size_t max_bytes,
                                      struct lb_arena *arena, void *out_message);
LB_MUST lb_status lb_pb_pack_within(const void *message, size_t max_bytes, struct lb_arena *arena,
                                    struct lb_span *out);

/* lb_pb_make makes an empty message, lb_pb_make_list a list of `num` pointers to as many; NULL when
 * the arena is full. */
void *lb_pb_make(const ProtobufCMessageDescriptor *of, struct lb_arena *arena);
void *lb_pb_make_list(const ProtobufCMessageDescriptor *of, size_t num, struct lb_arena *arena);

/* lb_pb_bytes and lb_pb_span convert without copying. */
static inline ProtobufCBinaryData lb_pb_bytes(struct lb_span bytes)
{
    return (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
}

static inline struct lb_span lb_pb_span(ProtobufCBinaryData data)
{
    return lb_span_of(data.data, data.len);
}

#endif
