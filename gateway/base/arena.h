#ifndef GATEWAY_BASE_ARENA_H
#define GATEWAY_BASE_ARENA_H

#include <stddef.h>

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * A region of memory that belongs to one call or one job and is released at once.
 *
 * Whatever has variable size and outlives a function is allocated here; no function returns fresh
 * heap memory of its own. The cap is the memory bound of the call: past it allocation fails with
 * NO_MEMORY and the call is refused. Everything is wiped on reset and free, because a call's arena
 * holds identities and answers. An arena is used by one thread at a time.
 */
struct lb_arena;

/* lb_arena_new makes an arena that will hold at most max_bytes; NULL when memory is exhausted. */
struct lb_arena *lb_arena_new(size_t max_bytes);

/* lb_arena_free wipes and releases the arena; NULL is allowed. */
void lb_arena_free(struct lb_arena *arena);

/* lb_arena_freep is lb_arena_free for LB_DEFER. */
void lb_arena_freep(struct lb_arena **arena);

/* lb_arena_reset wipes all that was allocated and keeps the first chunk for reuse. */
void lb_arena_reset(struct lb_arena *arena);

/* lb_arena_alloc returns size zeroed bytes aligned for any type, or NULL past the cap. size 0 gives
 * a valid unique pointer. */
void *lb_arena_alloc(struct lb_arena *arena, size_t size);

/* lb_arena_array is lb_arena_alloc of count elements of elem_size bytes, overflow checked. */
void *lb_arena_array(struct lb_arena *arena, size_t count, size_t elem_size);

/* lb_arena_copy copies bytes and sets *out to the copy, which is followed by a NUL that is not part
 * of its length. NO_MEMORY past the cap. */
LB_MUST lb_status lb_arena_copy(struct lb_arena *arena, struct lb_span bytes, struct lb_span *out);

/* lb_arena_str copies a span into a NUL-terminated string. Returns NULL past the cap, or when the
 * span has a NUL inside. */
char *lb_arena_str(struct lb_arena *arena, struct lb_span bytes);

/* lb_arena_printf formats into a new string; NULL past the cap. */
char *lb_arena_printf(struct lb_arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* lb_arena_used returns the bytes handed out since the last reset. */
size_t lb_arena_used(const struct lb_arena *arena);

#endif
