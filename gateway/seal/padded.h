#ifndef GATEWAY_SEAL_PADDED_H
#define GATEWAY_SEAL_PADDED_H

#include "gateway/base/arena.h"

/* Plaintexts are framed before sealing so that their length tells nothing: u32 big-endian length,
 * the message, zero bytes. */

/* lb_padded_wrap frames to exactly `size` bytes; TOO_LARGE when it does not fit. */
LB_MUST lb_status lb_padded_wrap(struct lb_span message, size_t size, struct lb_arena *arena,
                                 struct lb_span *out);
/* lb_padded_unwrap borrows the message; MALFORMED for an impossible length or padding other than
 * zero (so that every message has one framing). */
LB_MUST lb_status lb_padded_unwrap(struct lb_span framed, struct lb_span *out);
/* lb_padded_size is the next multiple of `step` that holds a message of len bytes. */
size_t lb_padded_size(size_t len, size_t step);

#endif
