#include "gateway/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/wipe.h"

#define FIRST_CAP 256U

void lb_buf_init(struct lb_buf *buf, size_t max)
{
    *buf = (struct lb_buf){.max = max};
}

void lb_buf_over(struct lb_buf *buf, uint8_t *bytes, size_t size)
{
    *buf = (struct lb_buf){.ptr = bytes, .cap = size, .max = size, .lent = true};
}

void lb_buf_cleanup(struct lb_buf *buf)
{
    lb_wipe(buf->ptr, buf->len);
    if (!buf->lent)
        free(buf->ptr);
    *buf = (struct lb_buf){.max = buf->max};
}

/* Growing by malloc and wipe instead of realloc: realloc would leave a copy of secrets behind. */
static bool grow(struct lb_buf *buf, size_t need)
{
    size_t cap = buf->cap == 0 ? FIRST_CAP : buf->cap;
    while (cap < need)
        cap *= 2;
    if (cap > buf->max)
        cap = buf->max;
    uint8_t *bigger = malloc(cap);
    if (bigger == NULL)
        return false;
    if (buf->len > 0)
        memcpy(bigger, buf->ptr, buf->len);
    lb_wipe(buf->ptr, buf->len);
    free(buf->ptr);
    buf->ptr = bigger;
    buf->cap = cap;
    return true;
}

static bool make_room(struct lb_buf *buf, size_t len)
{
    buf->failed = buf->failed || len > buf->max || buf->len > buf->max - len ||
                  !grow(buf, buf->len + len);
    return !buf->failed;
}

/* What was put once stays whole: the room is never larger than the maximum. */
static inline uint8_t *extend(struct lb_buf *buf, size_t len)
{
    if ((len > buf->cap - buf->len || buf->failed) && !make_room(buf, len))
        return NULL;
    uint8_t *at = buf->ptr + buf->len;
    buf->len += len;
    return at;
}

void lb_buf_put(struct lb_buf *buf, struct lb_span bytes)
{
    if (bytes.len == 0)
        return;
    uint8_t *at = extend(buf, bytes.len);
    if (at != NULL)
        memcpy(at, bytes.ptr, bytes.len);
}

void lb_buf_put_str(struct lb_buf *buf, const char *text)
{
    lb_buf_put(buf, lb_span_str(text));
}

static void put_be(struct lb_buf *buf, uint64_t value, size_t width)
{
    uint8_t *at = extend(buf, width);
    if (at == NULL)
        return;
    for (size_t i = 0; i < width; i++)
        at[i] = (uint8_t)(value >> (8 * (width - 1 - i)));
}

void lb_buf_put_u8(struct lb_buf *buf, uint8_t value)
{
    put_be(buf, value, 1);
}

void lb_buf_put_u16(struct lb_buf *buf, uint16_t value)
{
    put_be(buf, value, 2);
}

void lb_buf_put_u32(struct lb_buf *buf, uint32_t value)
{
    put_be(buf, value, 4);
}

void lb_buf_put_u64(struct lb_buf *buf, uint64_t value)
{
    put_be(buf, value, 8);
}

void lb_buf_put_field16(struct lb_buf *buf, struct lb_span bytes)
{
    if (bytes.len > UINT16_MAX) {
        buf->failed = true;
        return;
    }
    lb_buf_put_u16(buf, (uint16_t)bytes.len);
    lb_buf_put(buf, bytes);
}

void lb_buf_put_field32(struct lb_buf *buf, struct lb_span bytes)
{
    if (bytes.len > UINT32_MAX) {
        buf->failed = true;
        return;
    }
    lb_buf_put_u32(buf, (uint32_t)bytes.len);
    lb_buf_put(buf, bytes);
}

void lb_buf_printf(struct lb_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    /* vsnprintf needs room for its NUL, which is then cut off again. */
    uint8_t *at = extend(buf, (size_t)len + 1);
    if (at == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf((char *)at, (size_t)len + 1, format, args);
    va_end(args);
    buf->len--;
}

lb_status lb_buf_check(const struct lb_buf *buf)
{
    LB_ENSURE(!buf->failed, LB_TOO_LARGE, "buffer passed its maximum");
    return LB_OK;
}

struct lb_span lb_buf_span(const struct lb_buf *buf)
{
    return lb_span_of(buf->ptr, buf->len);
}

struct lb_cursor lb_cursor_of(struct lb_span bytes)
{
    return (struct lb_cursor){bytes.ptr, bytes.len, false};
}

struct lb_span lb_cursor_bytes(struct lb_cursor *cur, size_t len)
{
    if (cur->failed || len > cur->left) {
        cur->failed = true;
        return LB_SPAN_EMPTY;
    }
    struct lb_span bytes = lb_span_of(cur->ptr, len);
    if (len > 0)
        cur->ptr += len;
    cur->left -= len;
    return bytes;
}

static uint64_t get_be(struct lb_cursor *cur, size_t width)
{
    struct lb_span bytes = lb_cursor_bytes(cur, width);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.len; i++)
        value = value << 8 | bytes.ptr[i];
    return value;
}

uint8_t lb_cursor_u8(struct lb_cursor *cur)
{
    return (uint8_t)get_be(cur, 1);
}

uint16_t lb_cursor_u16(struct lb_cursor *cur)
{
    return (uint16_t)get_be(cur, 2);
}

uint32_t lb_cursor_u32(struct lb_cursor *cur)
{
    return (uint32_t)get_be(cur, 4);
}

uint64_t lb_cursor_u64(struct lb_cursor *cur)
{
    return get_be(cur, 8);
}

void lb_cursor_copy(struct lb_cursor *cur, uint8_t *out, size_t len)
{
    struct lb_span bytes = lb_cursor_bytes(cur, len);
    if (bytes.len == len && len > 0)
        memcpy(out, bytes.ptr, len);
    else
        memset(out, 0, len);
}

struct lb_span lb_cursor_field16(struct lb_cursor *cur)
{
    return lb_cursor_bytes(cur, lb_cursor_u16(cur));
}

struct lb_span lb_cursor_field32(struct lb_cursor *cur)
{
    return lb_cursor_bytes(cur, lb_cursor_u32(cur));
}

lb_status lb_cursor_end(const struct lb_cursor *cur)
{
    LB_ENSURE(!cur->failed, LB_MALFORMED, "a field passes the end");
    LB_ENSURE(cur->left == 0, LB_MALFORMED, "bytes are left over");
    return LB_OK;
}
