#include "gateway/note/record.h"

#include <string.h>

#include "gateway/note/syntax.h"

static lb_status behind_header(struct lb_span text, struct lb_span *out_lines)
{
    size_t len = strlen(LB_RECORD_HEADER);
    LB_ENSURE(text.len > len && memcmp(text.ptr, LB_RECORD_HEADER, len) == 0, LB_MALFORMED,
              "a note that is no record");
    *out_lines = lb_span_of(text.ptr + len, text.len - len);
    return LB_OK;
}

lb_status lb_record_open(struct lb_span note, const struct lb_note_verifier *verifier,
                         struct lb_span *out_lines)
{
    struct lb_span text;
    uint32_t mask = 0;
    LB_TRY(lb_note_open(note, verifier, 1, &text, &mask));
    return behind_header(text, out_lines);
}

lb_status lb_record_signer(struct lb_span note, struct lb_arena *arena, const char **out_name)
{
    struct lb_span text, lines;
    struct lb_note_signature signature;
    LB_TRY(lb_note_split(note, &text, &lines));
    LB_TRY(lb_note_next_line(&lines, arena, &signature));
    *out_name = lb_arena_str(arena, signature.name);
    LB_ENSURE(*out_name != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_record_lines(struct lb_span note, struct lb_span *out_lines)
{
    struct lb_span text, signatures;
    LB_TRY(lb_note_split(note, &text, &signatures));
    return behind_header(text, out_lines);
}

bool lb_record_next(struct lb_span *lines, struct lb_span *out_key, struct lb_span *out_value)
{
    const uint8_t *end = lines->len == 0 ? NULL : memchr(lines->ptr, '\n', lines->len);
    if (end == NULL)
        return false;
    size_t len = (size_t)(end - lines->ptr);
    const uint8_t *blank = memchr(lines->ptr, ' ', len);
    if (blank == NULL)
        return false;
    size_t key = (size_t)(blank - lines->ptr);
    *out_key = lb_span_of(lines->ptr, key);
    *out_value = lb_span_of(blank + 1, len - key - 1);
    *lines = lb_span_of(end + 1, lines->len - len - 1);
    return true;
}

lb_status lb_record_get(struct lb_span lines, const char *key, struct lb_span *out_value)
{
    struct lb_span name, value;
    while (lb_record_next(&lines, &name, &value)) {
        if (!lb_span_is(name, key))
            continue;
        *out_value = value;
        return LB_OK;
    }
    LB_FAIL(LB_ABSENT, "a record lacks a line");
}
