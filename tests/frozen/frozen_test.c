#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "tests/frozen/frozen.h"

/* Every version that was ever kept, read by today's code. */

#define FOLDER "tests/frozen"
#define MAX_VERSIONS 100
#define ARENA_BYTES (64U << 20)

static struct lb_span unhex(struct lb_arena *arena, struct lb_span lines)
{
    char *digits = lb_arena_alloc(arena, lines.len + 1);
    uint8_t *bytes = lb_arena_alloc(arena, lines.len / 2 + 1);
    size_t len = 0;
    assert_non_null(digits);
    assert_non_null(bytes);
    for (size_t i = 0; i < lines.len; i++)
        if (lines.ptr[i] != '\n')
            digits[len++] = (char)lines.ptr[i];
    assert_true(lb_hex_decode(lb_span_of(digits, len), bytes, len / 2) == LB_OK);
    return lb_span_of(bytes, len / 2);
}

/* Loads what a version has; the number of objects found. */
static size_t load(const char *folder, struct frozen_set *set)
{
    size_t num = 0;
    for (size_t i = 0; i < frozen_num_objects; i++) {
        const char *path =
            lb_arena_printf(set->arena, "%s/%s", folder, frozen_objects[i].name);
        struct lb_span content = LB_SPAN_EMPTY;
        assert_non_null(path);
        if (lb_file_read(path, 1U << 20, set->arena, &content) != LB_OK)
            continue;
        set->bytes[i] = frozen_objects[i].is_text ? content : unhex(set->arena, content);
        num++;
    }
    return num;
}

static int no_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* A file that nobody reads would be kept for nothing. */
static size_t count_files(const char *folder)
{
    struct dirent **names = NULL;
    int num = scandir(folder, &names, no_dots, alphasort);
    for (int i = 0; i < num; i++)
        free(names[i]);
    free(names);
    return num < 0 ? 0 : (size_t)num;
}

static void check_version(const char *folder, bool seen[FROZEN_MAX])
{
    struct frozen_set set = {.arena = lb_arena_new(ARENA_BYTES)};
    size_t num = load(folder, &set);
    assert_true(num > 0);
    assert_int_equal(num, count_files(folder));
    for (size_t i = 0; i < frozen_num_objects; i++) {
        const struct frozen_object *object = &frozen_objects[i];
        if (set.bytes[i].len == 0)
            continue;
        print_message("%s/%s\n", folder, object->name);
        seen[i] = true;
        object->accept(&set, set.bytes[i]);
        if (!object->is_fixed)
            continue;
        struct lb_span again = object->make(&set);
        assert_int_equal(again.len, set.bytes[i].len);
        assert_memory_equal(again.ptr, set.bytes[i].ptr, again.len);
    }
    lb_arena_free(set.arena);
}

static void every_version_is_read_and_made_again(void **state)
{
    (void)state;
    bool seen[FROZEN_MAX] = {false};
    size_t num = 0;
    for (int version = 1; version <= MAX_VERSIONS; version++) {
        char folder[64];
        (void)snprintf(folder, sizeof(folder), FOLDER "/v%d", version);
        if (count_files(folder) == 0)
            continue;
        check_version(folder, seen);
        num++;
    }
    assert_true(num > 0);
    /* What is new has to be frozen too: `freeze tests/frozen/v<n>`. */
    for (size_t i = 0; i < frozen_num_objects; i++)
        assert_true(seen[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version_is_read_and_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
