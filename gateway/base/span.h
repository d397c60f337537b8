#ifndef GATEWAY_BASE_SPAN_H
#define GATEWAY_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes; no NUL is assumed, ptr may be NULL when len is 0. */
struct lb_span {
    const uint8_t *ptr;
    size_t len;
};

#define LB_SPAN_EMPTY ((struct lb_span){NULL, 0})

/* lb_span_of makes a span of len bytes at ptr. */
static inline struct lb_span lb_span_of(const void *ptr, size_t len)
{
    return (struct lb_span){(const uint8_t *)ptr, len};
}

/* lb_span_str makes a span of a C string without its NUL; NULL gives the empty span. */
static inline struct lb_span lb_span_str(const char *text)
{
    return (struct lb_span){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

/* lb_span_eq compares public bytes. Secrets are compared by lb_crypto_equal. */
static inline bool lb_span_eq(struct lb_span a, struct lb_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* lb_span_is compares a span with a C string. */
static inline bool lb_span_is(struct lb_span a, const char *text)
{
    return lb_span_eq(a, lb_span_str(text));
}

#endif
