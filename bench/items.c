#include "bench/items.h"

#include <grpc/byte_buffer_reader.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ends.h"

#define HEAD_BYTES 8 /* small enough for the core to keep inside of the slice */

static void append(struct lb_bench_items *items, grpc_slice slice)
{
    if (items->num == items->room) {
        items->room = items->room == 0 ? 256 : 2 * items->room;
        items->slices = realloc(items->slices, items->room * sizeof(items->slices[0]));
        if (items->slices == NULL)
            lb_bench_die("out of memory");
    }
    items->slices[items->num++] = slice;
}

void lb_bench_items_put(struct lb_bench_items *items, uint32_t number, grpc_slice bytes)
{
    const uint32_t words[2] = {number, (uint32_t)GRPC_SLICE_LENGTH(bytes)};
    grpc_slice head = grpc_slice_malloc(HEAD_BYTES);
    memcpy(GRPC_SLICE_START_PTR(head), words, HEAD_BYTES);
    append(items, head);
    append(items, bytes);
}

grpc_byte_buffer *lb_bench_items_take(struct lb_bench_items *items)
{
    size_t from = items->first, to = from, bytes = 0;
    if (from == items->num)
        return NULL;
    while (to < items->num &&
           (to == from || bytes + GRPC_SLICE_LENGTH(items->slices[to + 1]) <=
                              LB_BENCH_MAX_COALESCED_BYTES)) {
        bytes += HEAD_BYTES + GRPC_SLICE_LENGTH(items->slices[to + 1]);
        to += 2;
    }
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(items->slices + from, to - from);
    for (size_t i = from; i < to; i++)
        grpc_slice_unref(items->slices[i]);
    items->first = to;
    if (items->first == items->num)
        items->first = items->num = 0;
    return message;
}

grpc_slice lb_bench_items_read(grpc_byte_buffer *message)
{
    grpc_byte_buffer_reader reader;
    if (!grpc_byte_buffer_reader_init(&reader, message))
        lb_bench_die("a message cannot be read");
    grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);
    grpc_byte_buffer_reader_destroy(&reader);
    grpc_byte_buffer_destroy(message);
    return bytes;
}

bool lb_bench_items_next(grpc_slice message, size_t *at, uint32_t *out_number,
                         grpc_slice *out_bytes)
{
    uint32_t words[2];
    size_t left = GRPC_SLICE_LENGTH(message) - *at;
    if (left == 0)
        return false;
    if (left < HEAD_BYTES)
        lb_bench_die("an item is cut off");
    memcpy(words, GRPC_SLICE_START_PTR(message) + *at, HEAD_BYTES);
    if (words[1] > left - HEAD_BYTES)
        lb_bench_die("an item is cut off");
    size_t from = *at + HEAD_BYTES;
    *out_number = words[0];
    *out_bytes = grpc_slice_sub(message, from, from + words[1]);
    *at = from + words[1];
    return true;
}
