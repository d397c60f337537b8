#include "gateway/json/json.h"

#include <jansson.h>
#include <malloc.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"

/* struct lb_json is never defined: a pointer to it is jansson's own, so that a value costs nothing
 * extra and what is borrowed from a tree needs no owner of its own. */
static const json_t *inner(const struct lb_json *json)
{
    return (const json_t *)json;
}

static const struct lb_json *outer(const json_t *value)
{
    return (const struct lb_json *)value;
}

static void wipe_and_free(void *ptr)
{
    if (ptr == NULL)
        return;
    lb_wipe(ptr, malloc_usable_size(ptr));
    free(ptr);
}

/* Trees and the parser's scratch hold identities; jansson itself never wipes. malloc stays the
 * allocator, so blocks that cross to code using plain free() are still right. This must come before
 * jansson's first use, and so before main. */
__attribute__((constructor)) static void wipe_what_jansson_frees(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

/* Where a scan of the text stands: it reads strings as jansson does, up to jansson's first
 * error. */
struct scan {
    bool in_string;
    bool escaped;
    size_t levels;
    size_t values;
};

static void scan_in_string(struct scan *scan, uint8_t byte)
{
    if (scan->escaped)
        scan->escaped = false;
    else if (byte == '\\')
        scan->escaped = true;
    else if (byte == '"')
        scan->in_string = false;
}

static void scan_outside(struct scan *scan, uint8_t byte)
{
    if (byte == '"')
        scan->in_string = true;
    if (byte == '[' || byte == '{')
        scan->levels++;
    if ((byte == ']' || byte == '}') && scan->levels > 0)
        scan->levels--;
    if (byte == '[' || byte == '{' || byte == ',')
        scan->values++;
}

/* Depth and number of values are bounded on the text, before jansson recurses or allocates. */
static lb_status check_shape(struct lb_span text)
{
    struct scan scan = {.values = 1};
    for (size_t i = 0; i < text.len; i++) {
        if (scan.in_string)
            scan_in_string(&scan, text.ptr[i]);
        else
            scan_outside(&scan, text.ptr[i]);
        LB_ENSURE(scan.levels <= LB_MAX_JSON_LEVELS, LB_MALFORMED, "JSON is nested too deeply");
        LB_ENSURE(scan.values <= LB_MAX_JSON_VALUES, LB_MALFORMED, "JSON has too many values");
    }
    return LB_OK;
}

/* Recursion is bounded by check_shape. */
static lb_status check_values(const json_t *value)
{
    LB_ENSURE(!json_is_real(value), LB_MALFORMED, "JSON has a number that is not an integer");
    LB_ENSURE(json_object_size(value) <= LB_MAX_JSON_MEMBERS, LB_MALFORMED,
              "a JSON object has too many members");
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)value, key, child)
        LB_TRY(check_values(child));
    size_t index;
    json_array_foreach(value, index, child)
        LB_TRY(check_values(child));
    return LB_OK;
}

lb_status lb_json_parse(struct lb_span text, struct lb_json **out_json)
{
    LB_ENSURE(text.len > 0, LB_MALFORMED, "JSON text is empty");
    LB_ENSURE(text.len <= LB_MAX_JSON_BYTES, LB_MALFORMED, "JSON text is too long");
    /* jansson swallows one behind a number: the same value would have two texts. */
    LB_ENSURE(memchr(text.ptr, 0, text.len) == NULL, LB_MALFORMED, "JSON text has a NUL byte");
    LB_TRY(check_shape(text));
    json_error_t error;
    json_t *root = json_loadb((const char *)text.ptr, text.len,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    LB_ENSURE(root != NULL, LB_MALFORMED, "not one well-formed JSON value");
    lb_status status = check_values(root);
    if (status != LB_OK) {
        json_decref(root);
        return status;
    }
    *out_json = (struct lb_json *)root;
    return LB_OK;
}

void lb_json_free(struct lb_json *json)
{
    json_decref((json_t *)json);
}

void lb_json_freep(struct lb_json **json)
{
    lb_json_free(*json);
    *json = NULL;
}

bool lb_json_is_object(const struct lb_json *json)
{
    return json_is_object(inner(json));
}

bool lb_json_is_array(const struct lb_json *json)
{
    return json_is_array(inner(json));
}

bool lb_json_is_string(const struct lb_json *json)
{
    return json_is_string(inner(json));
}

bool lb_json_is_int(const struct lb_json *json)
{
    return json_is_integer(inner(json));
}

bool lb_json_is_bool(const struct lb_json *json)
{
    return json_is_boolean(inner(json));
}

static bool is_listed(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

lb_status lb_json_only(const struct lb_json *object, const char *const *keys)
{
    LB_ENSURE(lb_json_is_object(object), LB_MALFORMED, "JSON value is no object");
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)object, key, child)
        LB_ENSURE(is_listed(key, keys), LB_MALFORMED, "JSON object has an unknown key");
    return LB_OK;
}

static lb_status member(const struct lb_json *object, const char *key, const json_t **out)
{
    LB_ENSURE(lb_json_is_object(object), LB_MALFORMED, "JSON value is no object");
    const json_t *found = json_object_get(inner(object), key);
    LB_ENSURE(found != NULL, LB_ABSENT, "JSON object lacks a key");
    *out = found;
    return LB_OK;
}

lb_status lb_json_get_str(const struct lb_json *object, const char *key, struct lb_span *out)
{
    const json_t *found;
    LB_TRY(member(object, key, &found));
    LB_ENSURE(json_is_string(found), LB_MALFORMED, "JSON member is no string");
    *out = lb_json_str(outer(found));
    return LB_OK;
}

lb_status lb_json_get_int(const struct lb_json *object, const char *key, int64_t *out)
{
    const json_t *found;
    LB_TRY(member(object, key, &found));
    LB_ENSURE(json_is_integer(found), LB_MALFORMED, "JSON member is no integer");
    *out = json_integer_value(found);
    return LB_OK;
}

lb_status lb_json_get_bool(const struct lb_json *object, const char *key, bool *out)
{
    const json_t *found;
    LB_TRY(member(object, key, &found));
    LB_ENSURE(json_is_boolean(found), LB_MALFORMED, "JSON member is neither true nor false");
    *out = json_is_true(found);
    return LB_OK;
}

lb_status lb_json_get_object(const struct lb_json *object, const char *key,
                             const struct lb_json **out)
{
    const json_t *found;
    LB_TRY(member(object, key, &found));
    LB_ENSURE(json_is_object(found), LB_MALFORMED, "JSON member is no object");
    *out = outer(found);
    return LB_OK;
}

lb_status lb_json_get_array(const struct lb_json *object, const char *key,
                            const struct lb_json **out)
{
    const json_t *found;
    LB_TRY(member(object, key, &found));
    LB_ENSURE(json_is_array(found), LB_MALFORMED, "JSON member is no array");
    *out = outer(found);
    return LB_OK;
}

size_t lb_json_len(const struct lb_json *json)
{
    return lb_json_is_array(json) ? json_array_size(inner(json)) : json_object_size(inner(json));
}

const struct lb_json *lb_json_at(const struct lb_json *array, size_t index)
{
    return outer(json_array_get(inner(array), index));
}

const struct lb_json *lb_json_member(const struct lb_json *object, size_t index,
                                     const char **out_key)
{
    json_t *at = (json_t *)object;
    void *iter = json_object_iter(at);
    for (; iter != NULL && index > 0; index--)
        iter = json_object_iter_next(at, iter);
    if (iter == NULL)
        return NULL;
    *out_key = json_object_iter_key(iter);
    return outer(json_object_iter_value(iter));
}

struct lb_span lb_json_str(const struct lb_json *string)
{
    return lb_span_of(json_string_value(inner(string)), json_string_length(inner(string)));
}

int64_t lb_json_int(const struct lb_json *integer)
{
    return json_integer_value(inner(integer));
}

bool lb_json_bool(const struct lb_json *truth)
{
    return json_is_true(inner(truth));
}
