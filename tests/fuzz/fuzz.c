#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_broken(const char *file, int line, const char *property)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, property);
    abort();
}

struct lb_arena *fuzz_arena(size_t max_bytes)
{
    struct lb_arena *arena = lb_arena_new(max_bytes);
    FUZZ_CHECK(arena != NULL);
    return arena;
}

const char *fuzz_text(struct lb_arena *arena, struct lb_span bytes)
{
    return lb_arena_str(arena, bytes);
}

uint8_t fuzz_u8(struct lb_span *in)
{
    struct lb_span byte = fuzz_bytes(in, 1);
    return byte.len == 0 ? 0 : byte.ptr[0];
}

uint64_t fuzz_u64(struct lb_span *in)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | fuzz_u8(in);
    return number;
}

struct lb_span fuzz_bytes(struct lb_span *in, size_t len)
{
    size_t taken = len < in->len ? len : in->len;
    struct lb_span front = lb_span_of(in->ptr, taken);
    if (taken > 0)
        *in = lb_span_of(in->ptr + taken, in->len - taken);
    return front;
}

struct lb_span fuzz_field(struct lb_span *in)
{
    size_t len = (size_t)fuzz_u8(in) << 8;
    len |= fuzz_u8(in);
    return fuzz_bytes(in, len);
}

struct lb_span fuzz_line(struct lb_span *in)
{
    const uint8_t *end = in->len == 0 ? NULL : memchr(in->ptr, '\n', in->len);
    struct lb_span line = fuzz_bytes(in, end == NULL ? in->len : (size_t)(end - in->ptr));
    (void)fuzz_u8(in);
    return line;
}

void fuzz_seed(const struct fuzz_sink *sink, uint8_t which, struct lb_span bytes)
{
    uint8_t *seed = malloc(bytes.len + 1);
    FUZZ_CHECK(seed != NULL);
    seed[0] = which;
    if (bytes.len > 0)
        memcpy(seed + 1, bytes.ptr, bytes.len);
    sink->put(sink->ctx, lb_span_of(seed, bytes.len + 1));
    free(seed);
}

void fuzz_seed_plain(const struct fuzz_sink *sink, struct lb_span bytes)
{
    sink->put(sink->ctx, bytes);
}

void fuzz_seed_text(const struct fuzz_sink *sink, const char *text)
{
    sink->put(sink->ctx, lb_span_str(text));
}
