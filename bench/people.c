#include "bench/people.h"

#include "gateway/base/file.h"
#include "gateway/base/limits.h"

/* Cuts the text up to a mark off the front of rest. */
static lb_status cut(struct lb_span *rest, char mark, struct lb_arena *arena, const char **out)
{
    const uint8_t *end = memchr(rest->ptr, mark, rest->len);
    LB_ENSURE(end != NULL && end != rest->ptr, LB_MALFORMED, "a line is id_no, name and class");
    size_t len = (size_t)(end - rest->ptr);
    *out = lb_arena_str(arena, lb_span_of(rest->ptr, len));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    *rest = lb_span_of(end + 1, rest->len - len - 1);
    return LB_OK;
}

static size_t count_lines(struct lb_span text)
{
    size_t num = 0;
    for (size_t i = 0; i < text.len; i++)
        num += text.ptr[i] == '\n';
    return num;
}

lb_status lb_bench_people_read(const char *path, struct lb_arena *arena,
                               struct lb_bench_people *out)
{
    struct lb_span rest;
    LB_TRY(lb_file_read(path, LB_MAX_CONFIG_FILE_BYTES, arena, &rest));
    struct lb_bench_people people = {.num = count_lines(rest)};
    LB_ENSURE(people.num > 0, LB_MALFORMED, "nobody applies");
    people.list = lb_arena_array(arena, people.num, sizeof(people.list[0]));
    LB_ENSURE(people.list != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < people.num; i++) {
        LB_TRY(cut(&rest, '\t', arena, &people.list[i].id_no));
        LB_TRY(cut(&rest, '\t', arena, &people.list[i].name));
        LB_TRY(cut(&rest, '\n', arena, &people.list[i].class_id));
    }
    *out = people;
    return LB_OK;
}
