#ifndef GATEWAY_BASE_HEX_H
#define GATEWAY_BASE_HEX_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/* lb_hex_encode writes 2 * bytes.len lower-case digits and a NUL to out. */
void lb_hex_encode(struct lb_span bytes, char *out);

/* lb_hex_decode reads exactly 2 * out_len digits of either case; MALFORMED otherwise. */
LB_MUST lb_status lb_hex_decode(struct lb_span text, uint8_t *out, size_t out_len);

#endif
