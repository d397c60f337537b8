#ifndef GATEWAY_BASE_UTF8_H
#define GATEWAY_BASE_UTF8_H

#include <stdint.h>

#include "gateway/base/span.h"

/* lb_utf8_next decodes one code point at *offset and moves past it. Returns -1 at the end and -2 on
 * bytes that are not well-formed UTF-8 (overlong forms and surrogates included). */
int32_t lb_utf8_next(struct lb_span text, size_t *offset);

/* lb_utf8_valid says whether the whole span is well-formed UTF-8. */
bool lb_utf8_valid(struct lb_span text);

/* lb_utf8_line says whether a text is one line for people to read: 1 to max_bytes bytes of
 * well-formed UTF-8 without control characters. */
bool lb_utf8_line(const char *text, size_t max_bytes);

/* lb_utf8_put writes one code point (0..0x10FFFF, no surrogate) to out[4] and returns its
 * length. */
size_t lb_utf8_put(uint32_t code_point, uint8_t *out);

#endif
