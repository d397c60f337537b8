#ifndef GATEWAY_BASE_BUF_H
#define GATEWAY_BASE_BUF_H

#include <stdint.h>

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * A growable run of bytes on the heap with a stated maximum, and the big-endian, length-prefixed
 * fields of our canonical binary forms (leaf, detail, AAD inputs). A failed append leaves the
 * content as it was and marks the buffer, so a run of appends may be checked once at its end.
 */
struct lb_buf {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;  /* an append passed max or memory ran out */
    bool lent;    /* ptr is the owner's */
};

/* lb_buf_init makes an empty buffer that will never hold more than max bytes. */
void lb_buf_init(struct lb_buf *buf, size_t max);

/* lb_buf_over makes an empty buffer that writes into the owner's own bytes, which stay the
 * owner's. */
void lb_buf_over(struct lb_buf *buf, uint8_t *bytes, size_t size);

/* lb_buf_cleanup wipes and releases; fits LB_DEFER. */
void lb_buf_cleanup(struct lb_buf *buf);

/* lb_buf_put appends bytes. */
void lb_buf_put(struct lb_buf *buf, struct lb_span bytes);
void lb_buf_put_str(struct lb_buf *buf, const char *text);
void lb_buf_put_u8(struct lb_buf *buf, uint8_t value);
void lb_buf_put_u16(struct lb_buf *buf, uint16_t value);
void lb_buf_put_u32(struct lb_buf *buf, uint32_t value);
void lb_buf_put_u64(struct lb_buf *buf, uint64_t value);
/* lb_buf_put_field16 and _field32 append a big-endian length, then the bytes. */
void lb_buf_put_field16(struct lb_buf *buf, struct lb_span bytes);
void lb_buf_put_field32(struct lb_buf *buf, struct lb_span bytes);
/* lb_buf_printf appends formatted text. */
void lb_buf_printf(struct lb_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* lb_buf_check returns TOO_LARGE if any append since init failed. */
LB_MUST lb_status lb_buf_check(const struct lb_buf *buf);

/* lb_buf_span borrows the content; valid until the next append. */
struct lb_span lb_buf_span(const struct lb_buf *buf);

/*
 * The reading side: a cursor that can't pass the end. A failed read marks the cursor and yields
 * zeros or the empty span, so a run of reads may be checked once at its end.
 */
struct lb_cursor {
    const uint8_t *ptr;
    size_t left;
    bool failed;
};

/* lb_cursor_of starts at the first of bytes, which are borrowed; the others take a big-endian
 * number off the front. */
struct lb_cursor lb_cursor_of(struct lb_span bytes);
uint8_t lb_cursor_u8(struct lb_cursor *cur);
uint16_t lb_cursor_u16(struct lb_cursor *cur);
uint32_t lb_cursor_u32(struct lb_cursor *cur);
uint64_t lb_cursor_u64(struct lb_cursor *cur);
/* lb_cursor_bytes borrows exactly len bytes. */
struct lb_span lb_cursor_bytes(struct lb_cursor *cur, size_t len);
/* lb_cursor_copy fills a fixed array. */
void lb_cursor_copy(struct lb_cursor *cur, uint8_t *out, size_t len);
struct lb_span lb_cursor_field16(struct lb_cursor *cur);
struct lb_span lb_cursor_field32(struct lb_cursor *cur);
/* lb_cursor_end returns MALFORMED unless every read succeeded and nothing is left over. */
LB_MUST lb_status lb_cursor_end(const struct lb_cursor *cur);

#endif
