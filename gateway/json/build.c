#include <jansson.h>
#include <stdlib.h>

#include "gateway/base/buf.h"
#include "gateway/json/json.h"

/* A text that is not UTF-8: no caller can put one in, and jansson refuses to write one as a value
 * (as a key it would write half of it). */
#define MARK "\xff"
#define MAX_TEXT_BYTES (64U * 1024 * 1024) /* of what we write ourselves */

/* A failure must reach lb_json_dump through whatever the container is put into. When there is no
 * memory even for the mark, stopping is the only way left not to write a document with a hole. */
static void mark(json_t *container)
{
    json_t *text = json_stringn_nocheck(MARK, 1);
    int failed = json_is_object(container) ? json_object_set_new_nocheck(container, MARK, text)
                                           : json_array_append_new(container, text);
    if (failed != 0)
        abort();
}

/* NUL would pass as UTF-8 but our own parser refuses it. */
static json_t *new_string(struct lb_span value)
{
    if (value.len == 0)
        return json_string("");
    if (memchr(value.ptr, 0, value.len) != NULL)
        return NULL;
    return json_stringn((const char *)value.ptr, value.len);
}

/* Takes over the value; a container that is NULL is a failure already seen. */
static void put(struct lb_json *object, const char *key, json_t *value)
{
    json_t *into = (json_t *)object;
    if (into == NULL || json_object_set_new(into, key, value) == 0) {
        if (into == NULL)
            json_decref(value);
        return;
    }
    mark(into);
}

static void add(struct lb_json *array, json_t *value)
{
    json_t *into = (json_t *)array;
    if (into == NULL || json_array_append_new(into, value) == 0) {
        if (into == NULL)
            json_decref(value);
        return;
    }
    mark(into);
}

struct lb_json *lb_json_object(void)
{
    return (struct lb_json *)json_object();
}

struct lb_json *lb_json_array(void)
{
    return (struct lb_json *)json_array();
}

void lb_json_set_str(struct lb_json *object, const char *key, struct lb_span value)
{
    put(object, key, new_string(value));
}

void lb_json_set_cstr(struct lb_json *object, const char *key, const char *value)
{
    put(object, key, value == NULL ? NULL : json_string(value));
}

void lb_json_set_int(struct lb_json *object, const char *key, int64_t value)
{
    put(object, key, json_integer(value));
}

void lb_json_set_bool(struct lb_json *object, const char *key, bool value)
{
    put(object, key, json_boolean(value));
}

void lb_json_set_null(struct lb_json *object, const char *key)
{
    put(object, key, json_null());
}

void lb_json_set(struct lb_json *object, const char *key, struct lb_json *child)
{
    put(object, key, (json_t *)child);
}

void lb_json_append(struct lb_json *array, struct lb_json *child)
{
    add(array, (json_t *)child);
}

void lb_json_append_str(struct lb_json *array, struct lb_span value)
{
    add(array, new_string(value));
}

struct lb_json *lb_json_copy(const struct lb_json *json)
{
    return (struct lb_json *)json_deep_copy((const json_t *)json);
}

static int put_text(const char *text, size_t len, void *ctx)
{
    lb_buf_put(ctx, lb_span_of(text, len));
    return 0;
}

lb_status lb_json_dump(const struct lb_json *json, enum lb_json_style style, struct lb_arena *arena,
                       struct lb_span *out_text)
{
    LB_ENSURE(json != NULL, LB_MALFORMED, "JSON could not be built");
    size_t flags = JSON_ENCODE_ANY | JSON_PRESERVE_ORDER |
                   (style == LB_JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT);
    struct lb_buf text LB_DEFER(lb_buf_cleanup);
    lb_buf_init(&text, MAX_TEXT_BYTES);
    LB_ENSURE(json_dump_callback((const json_t *)json, put_text, &text, flags) == 0, LB_MALFORMED,
              "JSON could not be built");
    LB_ENSURE(!text.failed, LB_NO_MEMORY, "JSON is too long");
    return lb_arena_copy(arena, lb_buf_span(&text), out_text);
}
