#include "gateway/token/status_bits.h"

#include <zlib.h>

lb_status lb_status_bits_pack(struct lb_span states, unsigned bits, uint8_t filler,
                              struct lb_arena *arena, struct lb_span *out_packed)
{
    unsigned per_byte = 8 / bits;
    unsigned highest = (1U << bits) - 1;
    size_t len = (states.len + per_byte - 1) / per_byte;
    uint8_t *packed = lb_arena_alloc(arena, len);
    LB_ENSURE(packed != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < len * per_byte; i++) {
        unsigned state = i < states.len ? states.ptr[i] : filler;
        LB_ENSURE(state <= highest, LB_MALFORMED, "status does not fit");
        packed[i / per_byte] |= (uint8_t)(state << (i % per_byte * bits));
    }
    *out_packed = lb_span_of(packed, len);
    return LB_OK;
}

bool lb_status_bits_get(struct lb_span packed, unsigned bits, uint64_t index, uint8_t *out_state)
{
    unsigned per_byte = 8 / bits;
    if (index / per_byte >= packed.len)
        return false;
    unsigned shift = (unsigned)(index % per_byte) * bits;
    *out_state = (uint8_t)(((unsigned)packed.ptr[index / per_byte] >> shift) & ((1U << bits) - 1));
    return true;
}

lb_status lb_status_deflate(struct lb_span packed, struct lb_arena *arena,
                            struct lb_span *out_zlib)
{
    uLongf len = compressBound(packed.len);
    uint8_t *zlib = lb_arena_alloc(arena, len);
    LB_ENSURE(zlib != NULL, LB_NO_MEMORY, "arena is full");
    int done = compress2(zlib, &len, packed.ptr, packed.len, Z_BEST_COMPRESSION);
    LB_ENSURE(done == Z_OK, LB_NO_MEMORY, "zlib has no memory");
    *out_zlib = lb_span_of(zlib, len);
    return LB_OK;
}

/* One call with all input and a fixed output does it: the output can't grow. */
static lb_status inflate_all(z_stream *stream, size_t max_bytes)
{
    int done = inflate(stream, Z_FINISH);
    LB_ENSURE(done != Z_MEM_ERROR, LB_NO_MEMORY, "zlib has no memory");
    LB_ENSURE(stream->total_out <= max_bytes, LB_TOO_LARGE, "list is larger than allowed");
    LB_ENSURE(done == Z_STREAM_END, LB_MALFORMED, "list is damaged or cut");
    LB_ENSURE(stream->avail_in == 0, LB_MALFORMED, "bytes behind the list");
    LB_ENSURE(stream->total_out > 0, LB_MALFORMED, "list is empty");
    return LB_OK;
}

lb_status lb_status_inflate(struct lb_span zlib, size_t max_bytes, struct lb_arena *arena,
                            struct lb_span *out_packed)
{
    LB_ENSURE(zlib.len <= UINT32_MAX && max_bytes < UINT32_MAX, LB_TOO_LARGE,
              "list is larger than allowed");
    /* A byte more than allowed: if it is written, the list is too large. */
    uint8_t *packed = lb_arena_alloc(arena, max_bytes + 1);
    uint8_t *input = lb_arena_alloc(arena, zlib.len);
    LB_ENSURE(packed != NULL && input != NULL, LB_NO_MEMORY, "arena is full");
    if (zlib.len > 0)
        memcpy(input, zlib.ptr, zlib.len);  /* zlib's input pointer is not const */
    z_stream stream = {
        .next_in = input,
        .avail_in = (uInt)zlib.len,
        .next_out = packed,
        .avail_out = (uInt)(max_bytes + 1),
    };
    LB_ENSURE(inflateInit(&stream) == Z_OK, LB_NO_MEMORY, "zlib has no memory");
    lb_status status = inflate_all(&stream, max_bytes);
    size_t len = stream.total_out;
    (void)inflateEnd(&stream);
    LB_TRY(status);
    *out_packed = lb_span_of(packed, len);
    return LB_OK;
}
