#include "gateway/token/thumbprint.h"

#include "gateway/crypto/b64.h"
#include "gateway/crypto/hash.h"
#include "gateway/token/grant.h"

lb_status lb_jwk_thumbprint_okp(const char *crv, const uint8_t public_key[32],
                                struct lb_arena *arena, uint8_t out_thumbprint[32])
{
    char *x = lb_b64url_encode(arena, lb_span_of(public_key, 32));
    LB_ENSURE(x != NULL, LB_NO_MEMORY, "arena is full");
    /* RFC 7638 section 3.2: required members only, in lexicographic order. */
    char *text = lb_arena_printf(arena, "{\"crv\":\"%s\",\"kty\":\"OKP\",\"x\":\"%s\"}", crv, x);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    lb_sha256(lb_span_str(text), out_thumbprint);
    return LB_OK;
}

lb_status lb_jwk_thumbprint_x25519(const uint8_t public_key[32], struct lb_arena *arena,
                                   uint8_t out_thumbprint[32])
{
    return lb_jwk_thumbprint_okp("X25519", public_key, arena, out_thumbprint);
}

lb_status lb_jwk_thumbprint_ed25519(const uint8_t public_key[32], struct lb_arena *arena,
                                    uint8_t out_thumbprint[32])
{
    return lb_jwk_thumbprint_okp("Ed25519", public_key, arena, out_thumbprint);
}
