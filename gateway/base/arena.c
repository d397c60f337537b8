#include "gateway/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/wipe.h"

#define FIRST_CHUNK_BYTES 4096U
#define ALIGNMENT _Alignof(max_align_t)

struct chunk {
    struct chunk *next;
    size_t cap;
    size_t used;
    max_align_t data[];
};

struct lb_arena {
    struct chunk *head;  /* the chunk being filled; older ones behind it */
    size_t max_bytes;
    size_t used;
};

static struct chunk *chunk_new(size_t cap)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + cap);
    if (chunk != NULL)
        chunk->cap = cap;
    return chunk;
}

static void chunk_free(struct chunk *chunk)
{
    lb_wipe(chunk->data, chunk->used);
    free(chunk);
}

struct lb_arena *lb_arena_new(size_t max_bytes)
{
    struct lb_arena *arena = calloc(1, sizeof(*arena));
    if (arena != NULL)
        arena->max_bytes = max_bytes;
    return arena;
}

void lb_arena_free(struct lb_arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->head != NULL) {
        struct chunk *chunk = arena->head;
        arena->head = chunk->next;
        chunk_free(chunk);
    }
    free(arena);
}

void lb_arena_freep(struct lb_arena **arena)
{
    lb_arena_free(*arena);
    *arena = NULL;
}

void lb_arena_reset(struct lb_arena *arena)
{
    while (arena->head != NULL && arena->head->next != NULL) {
        struct chunk *chunk = arena->head;
        arena->head = chunk->next;
        chunk_free(chunk);
    }
    if (arena->head != NULL) {
        lb_wipe(arena->head->data, arena->head->used);
        arena->head->used = 0;
    }
    arena->used = 0;
}

static struct chunk *chunk_for(struct lb_arena *arena, size_t size)
{
    if (arena->head != NULL && arena->head->cap - arena->head->used >= size)
        return arena->head;
    size_t cap = arena->head == NULL ? FIRST_CHUNK_BYTES : arena->head->cap * 2;
    if (cap > arena->max_bytes)
        cap = arena->max_bytes;
    if (cap < size)
        cap = size;
    struct chunk *chunk = chunk_new(cap);
    if (chunk == NULL)
        return NULL;
    chunk->next = arena->head;
    arena->head = chunk;
    return chunk;
}

void *lb_arena_alloc(struct lb_arena *arena, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (rounded == 0)
        rounded = ALIGNMENT;
    if (rounded > arena->max_bytes - arena->used || arena->used > arena->max_bytes)
        return NULL;
    struct chunk *chunk = chunk_for(arena, rounded);
    if (chunk == NULL)
        return NULL;
    void *block = (uint8_t *)chunk->data + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return block;
}

void *lb_arena_array(struct lb_arena *arena, size_t count, size_t elem_size)
{
    if (elem_size != 0 && count > SIZE_MAX / elem_size)
        return NULL;
    return lb_arena_alloc(arena, count * elem_size);
}

lb_status lb_arena_copy(struct lb_arena *arena, struct lb_span bytes, struct lb_span *out)
{
    LB_ENSURE(bytes.len < SIZE_MAX, LB_NO_MEMORY, "length overflow");
    uint8_t *copy = lb_arena_alloc(arena, bytes.len + 1);
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "arena is full");
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = 0;
    *out = lb_span_of(copy, bytes.len);
    return LB_OK;
}

char *lb_arena_str(struct lb_arena *arena, struct lb_span bytes)
{
    if (bytes.len > 0 && memchr(bytes.ptr, 0, bytes.len) != NULL)
        return NULL;
    char *copy = lb_arena_alloc(arena, bytes.len + 1);
    if (copy == NULL)
        return NULL;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = 0;
    return copy;
}

char *lb_arena_printf(struct lb_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0)
        return NULL;
    char *text = lb_arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return text;
}

size_t lb_arena_used(const struct lb_arena *arena)
{
    return arena->used;
}
