#ifndef GATEWAY_TOKEN_SLIP_H
#define GATEWAY_TOKEN_SLIP_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * The code on the citizen's slip: 90 bits and ten of checksum as twenty characters of Crockford's
 * base 32 (no I, L, O or U), in groups of four that a person can read out:
 * 7K2M-....-....-....-QX4D. It says nothing by itself; the office finds the grant by it, identity
 * proved again.
 */
#define LB_SLIP_SECRET_BYTES 12 /* of which 90 bits are used */
#define LB_SLIP_CODE_BYTES 25   /* twenty characters, four hyphens and a NUL */

/* lb_slip_code writes the code of a secret. */
void lb_slip_code(const uint8_t secret[LB_SLIP_SECRET_BYTES], char out[LB_SLIP_CODE_BYTES]);

/* lb_slip_normalise takes a code as people type it: either case, with or without hyphens and
 * spaces, O for 0, I and L for 1. MALFORMED for anything else, or when the checksum does not fit:
 * then a character was mistaken, and nobody needs to be asked. */
LB_MUST lb_status lb_slip_normalise(struct lb_span typed, char out[LB_SLIP_CODE_BYTES]);

#endif
