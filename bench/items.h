#ifndef BENCH_ITEMS_H
#define BENCH_ITEMS_H

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Several numbered items in one message of a stream: the number and the length as 32 bits each in
 * the machine's own order, then the bytes; again and again. Bytes are referred to, never copied.
 */
#define LB_BENCH_MAX_COALESCED_BYTES (1024 * 1024)

/* What waits to be sent. All zeros is an empty one. */
struct lb_bench_items {
    grpc_slice *slices;
    size_t first; /* of what was not taken yet */
    size_t num;
    size_t room;
};

/* lb_bench_items_put appends an item and takes over the reference to its bytes. */
void lb_bench_items_put(struct lb_bench_items *items, uint32_t number, grpc_slice bytes);

/* lb_bench_items_take makes one message of what waits, of at most LB_BENCH_MAX_COALESCED_BYTES but
 * one item at least; NULL when nothing waits. The caller destroys it. */
grpc_byte_buffer *lb_bench_items_take(struct lb_bench_items *items);

/* lb_bench_items_read makes one slice of a message and destroys the message. */
grpc_slice lb_bench_items_read(grpc_byte_buffer *message);

/* lb_bench_items_next gives the item at *at, a reference of the caller's, and goes on to the next;
 * false at the end. A message that is cut off ends the program. */
bool lb_bench_items_next(grpc_slice message, size_t *at, uint32_t *out_number,
                         grpc_slice *out_bytes);

#endif
