#include "gateway/trust/reader.h"

#include <stdarg.h>
#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"

lb_status lb_reader_fail(struct lb_reader *reader, const char *format, ...)
{
    char message[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (reader->where[0] == 0)
        lb_diag_set(reader->diag, "%s: %s", reader->what, message);
    else
        lb_diag_set(reader->diag, "%s: %s: %s", reader->what, reader->where, message);
    LB_FAIL(LB_DIRECTORY_INVALID, "directory does not follow its format");
}

static lb_status no_memory(struct lb_reader *reader)
{
    lb_diag_set(reader->diag, "%s: larger than this node's memory bound", reader->what);
    LB_FAIL(LB_NO_MEMORY, "arena is full");
}

static bool is_known(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0)
            return true;
    }
    return false;
}

lb_status lb_reader_only(struct lb_reader *reader, const struct lb_json *json,
                         const char *const *keys)
{
    if (!lb_json_is_object(json))
        return lb_reader_fail(reader, "is not an object");
    const char *key = NULL;
    for (size_t i = 0; lb_json_member(json, i, &key) != NULL; i++) {
        if (!is_known(key, keys))
            return lb_reader_fail(reader, "unknown member \"%.64s\"; remove it", key);
    }
    return LB_OK;
}

static bool has_control(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    }
    return false;
}

static lb_status get_str(struct lb_reader *reader, const struct lb_json *object, const char *key,
                         struct lb_span *out)
{
    if (lb_json_get_str(object, key, out) != LB_OK)
        return lb_reader_fail(reader, "\"%s\" is missing or not a text", key);
    return LB_OK;
}

lb_status lb_reader_text(struct lb_reader *reader, const struct lb_json *object, const char *key,
                         size_t max, const char **out)
{
    struct lb_span text;
    LB_TRY(get_str(reader, object, key, &text));
    if (text.len > max || has_control(text))
        return lb_reader_fail(reader, "\"%s\" is longer than %zu bytes or has control characters",
                              key, max);
    const char *copy = lb_arena_str(reader->arena, text);
    if (copy == NULL)
        return no_memory(reader);
    *out = copy;
    return LB_OK;
}

bool lb_reader_name_ok(const char *text)
{
    static const char charset[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789._-";
    size_t len = strnlen(text, LB_MAX_NAME_BYTES + 1);
    return len >= 1 && len <= LB_MAX_NAME_BYTES && strspn(text, charset) == len;
}

lb_status lb_reader_name(struct lb_reader *reader, const struct lb_json *object, const char *key,
                         const char **out)
{
    const char *text = NULL;
    LB_TRY(lb_reader_text(reader, object, key, LB_MAX_NAME_BYTES, &text));
    if (!lb_reader_name_ok(text))
        return lb_reader_fail(reader, "\"%s\" must be 1 to %d of A-Z a-z 0-9 . _ -", key,
                              LB_MAX_NAME_BYTES);
    *out = text;
    return LB_OK;
}

lb_status lb_reader_int(struct lb_reader *reader, const struct lb_json *object, const char *key,
                        int64_t min, int64_t max, int64_t *out)
{
    int64_t value = 0;
    if (lb_json_get_int(object, key, &value) != LB_OK)
        return lb_reader_fail(reader, "\"%s\" is missing or not a whole number", key);
    if (value < min || value > max)
        return lb_reader_fail(reader, "\"%s\" is out of range", key);
    *out = value;
    return LB_OK;
}

lb_status lb_reader_bytes(struct lb_reader *reader, const struct lb_json *object, const char *key,
                          uint8_t *out, size_t len)
{
    struct lb_span text;
    struct lb_span bytes;
    LB_TRY(get_str(reader, object, key, &text));
    lb_status status = lb_b64url_decode(reader->arena, text, &bytes);
    if (lb_status_code(status) == LB_NO_MEMORY)
        return no_memory(reader);
    if (status != LB_OK || bytes.len != len)
        return lb_reader_fail(reader, "\"%s\" is not %zu bytes in base64url", key, len);
    memcpy(out, bytes.ptr, len);
    return LB_OK;
}

lb_status lb_reader_hex32(struct lb_reader *reader, const struct lb_json *json, const char *key,
                          uint8_t out[32])
{
    struct lb_span text = lb_json_str(json);
    if (key != NULL)
        LB_TRY(get_str(reader, json, key, &text));
    if (lb_hex_decode(text, out, 32) != LB_OK)
        return lb_reader_fail(reader, "%s is not 64 hex digits", key == NULL ? "it" : key);
    return LB_OK;
}

lb_status lb_reader_list(struct lb_reader *reader, const struct lb_json *object, const char *key,
                         size_t item_size, lb_reader_item read, void *context, void **out_items,
                         size_t *out_num)
{
    const struct lb_json *list = NULL;
    if (lb_json_get_array(object, key, &list) != LB_OK)
        return lb_reader_fail(reader, "\"%s\" is missing or not a list", key);
    size_t num = lb_json_len(list);
    if (num > LB_READER_MAX_ITEMS)
        return lb_reader_fail(reader, "\"%s\" has more than %d items", key, LB_READER_MAX_ITEMS);
    uint8_t *items = lb_arena_array(reader->arena, num, item_size);
    if (items == NULL)
        return no_memory(reader);
    size_t base = strlen(reader->where);
    for (size_t i = 0; i < num; i++) {
        (void)snprintf(reader->where + base, sizeof(reader->where) - base, "%s%s[%zu]",
                       base == 0 ? "" : ".", key, i);
        LB_TRY(read(reader, lb_json_at(list, i), items + i * item_size, context));
    }
    reader->where[base] = 0;
    *out_items = items;
    *out_num = num;
    return LB_OK;
}
