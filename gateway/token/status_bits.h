#ifndef GATEWAY_TOKEN_STATUS_BITS_H
#define GATEWAY_TOKEN_STATUS_BITS_H

#include "gateway/base/arena.h"

/*
 * Inside gateway/token: the byte array of a Token Status List (draft-ietf-oauth-status-list section
 * 4.1) and its zlib form (RFC 1950). `bits` is 1, 2, 4 or 8; our own tokens use 2.
 */

/* lb_status_bits_pack packs one status a byte into bytes, least significant bits first. What is
 * left of the last byte is filled with `filler`, so that an index nobody was given is not taken for
 * valid. MALFORMED when a status does not fit; NO_MEMORY. */
LB_MUST lb_status lb_status_bits_pack(struct lb_span states, unsigned bits, uint8_t filler,
                                      struct lb_arena *arena, struct lb_span *out_packed);
/* lb_status_bits_get reads one status; false past the end. */
bool lb_status_bits_get(struct lb_span packed, unsigned bits, uint64_t index,
                        uint8_t *out_state);

/* lb_status_deflate compresses with zlib's best level. NO_MEMORY. */
LB_MUST lb_status lb_status_deflate(struct lb_span packed, struct lb_arena *arena,
                                    struct lb_span *out_zlib);
/* lb_status_inflate decompresses one whole zlib stream into at most max_bytes. TOO_LARGE as soon as
 * it would pass them; MALFORMED for damage, a preset dictionary, or bytes behind the stream. */
LB_MUST lb_status lb_status_inflate(struct lb_span zlib, size_t max_bytes,
                                    struct lb_arena *arena, struct lb_span *out_packed);

#endif
