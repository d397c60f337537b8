#ifndef GATEWAY_CRYPTO_B64_H
#define GATEWAY_CRYPTO_B64_H

#include "gateway/base/arena.h"

/* RFC 4648 §4 (padded) and §5 (url, unpadded). Decoding is strict: wrong alphabet, length, padding
 * or non-zero trailing bits are MALFORMED, so every value has one encoding. */

/* lb_b64_encode returns a NUL-terminated string in the arena, NULL past its cap. */
char *lb_b64_encode(struct lb_arena *arena, struct lb_span bytes);
char *lb_b64url_encode(struct lb_arena *arena, struct lb_span bytes);

/* lb_b64_decode and lb_b64url_decode write the bytes into the arena; MALFORMED, NO_MEMORY. */
LB_MUST lb_status lb_b64_decode(struct lb_arena *arena, struct lb_span text, struct lb_span *out);
LB_MUST lb_status lb_b64url_decode(struct lb_arena *arena, struct lb_span text,
                                   struct lb_span *out);

#endif
