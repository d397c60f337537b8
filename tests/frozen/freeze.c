#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "tests/frozen/frozen.h"
#include "tests/fuzz/fuzz.h"

/*
 * Keeps today's bytes as a new version: freeze tests/frozen/v<n>. A folder that is there already is
 * never touched: bytes that have been on a wire do not change.
 */

#define BYTES_PER_LINE 48U
#define ARENA_BYTES (64U << 20)

static struct lb_span hex_lines(struct lb_arena *arena, struct lb_span bytes)
{
    char *text = lb_arena_alloc(arena, bytes.len * 2 + bytes.len / BYTES_PER_LINE + 3);
    FUZZ_CHECK(text != NULL);
    size_t at = 0;
    for (size_t i = 0; i < bytes.len; i += BYTES_PER_LINE) {
        size_t left = bytes.len - i, len = left < BYTES_PER_LINE ? left : BYTES_PER_LINE;
        lb_hex_encode(lb_span_of(bytes.ptr + i, len), text + at);
        at += 2 * len;
        text[at++] = '\n';
    }
    return lb_span_of(text, at);
}

int main(int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-') {
        (void)fprintf(stderr, "usage: freeze FOLDER\n");
        return 2;
    }
    if (mkdir(argv[1], 0755) != 0) {
        (void)fprintf(stderr, "freeze: %s\n", errno == EEXIST
                                                  ? "this version is frozen; make the next one"
                                                  : "the folder cannot be made");
        return 1;
    }
    struct frozen_set set = {.arena = lb_arena_new(ARENA_BYTES)};
    for (size_t i = 0; i < frozen_num_objects; i++) {
        const struct frozen_object *object = &frozen_objects[i];
        set.bytes[i] = object->make(&set);
        object->accept(&set, set.bytes[i]);
        const char *path = lb_arena_printf(set.arena, "%s/%s", argv[1], object->name);
        FUZZ_CHECK(path != NULL);
        struct lb_span kept =
            object->is_text ? set.bytes[i] : hex_lines(set.arena, set.bytes[i]);
        FUZZ_OK(lb_file_write(path, kept, 0644));
    }
    lb_arena_free(set.arena);
    return 0;
}
