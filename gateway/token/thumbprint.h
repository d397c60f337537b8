#ifndef GATEWAY_TOKEN_THUMBPRINT_H
#define GATEWAY_TOKEN_THUMBPRINT_H

#include "gateway/base/arena.h"

/* Inside gateway/token. lb_jwk_thumbprint_okp is the RFC 7638 thumbprint of an RFC 8037 key of the
 * named curve: SHA-256 of {"crv":...,"kty":"OKP","x":...} without white space. NO_MEMORY. */
LB_MUST lb_status lb_jwk_thumbprint_okp(const char *crv, const uint8_t public_key[32],
                                        struct lb_arena *arena, uint8_t out_thumbprint[32]);

#endif
