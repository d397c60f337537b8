#include "gateway/base/limits.h"
#include "gateway/crypto/b64.h"
#include "gateway/token/revocation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Citizens' own withdrawals. Their key stands inside and is only believed when the grant commits to
 * it, so the grant here commits to ours and the signature is made here. */

#define ARENA_BYTES (1U << 20)
#define NOW INT64_C(1800000000)

static const uint8_t nonce[LB_REVOCATION_SALT_BYTES] = {1, 2, 3};

static struct lb_grant grant_of(struct lb_arena *arena)
{
    struct lb_grant grant = {.issuer = "service-hall", .jti = "01J8ZK4Q7T",
                             .has_subject_key = true};
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->es256, raw);
    FUZZ_OK(lb_subject_key(nonce, raw, arena, grant.subject_key));
    return grant;
}

/* A token as it is, or header LF payload, signed. */
static struct lb_span token_of(struct lb_span in, struct lb_arena *arena)
{
    if (fuzz_u8(&in) % 2 == 0)
        return in;
    struct lb_span header = fuzz_line(&in);
    return fuzz_jws(arena, header, in);
}

bool fuzz_revocation(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_grant grant = grant_of(arena), other = grant;
    struct lb_span token = token_of(in, arena);
    if (lb_revocation_verify(token, &grant, NOW, arena) != LB_OK)
        return false;
    /* It ends this grant under this key, and no other. */
    other.jti = "another";
    FUZZ_CHECK(lb_revocation_verify(token, &other, NOW, arena) != LB_OK);
    other = grant;
    other.subject_key[0] ^= 1;
    FUZZ_CODE(lb_revocation_verify(token, &other, NOW, arena), LB_SIGNATURE_INVALID);
    other.has_subject_key = false;
    FUZZ_CODE(lb_revocation_verify(token, &other, NOW, arena), LB_SIGNATURE_INVALID);
    return true;
}

void seed_revocation(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_grant grant = grant_of(arena);
    struct lb_span token, payload, header;
    FUZZ_OK(lb_revocation_sign(&grant, nonce, NOW, fuzz_keys()->es256, arena, &token));
    fuzz_seed(sink, 0, token);
    struct lb_span rest = token;
    const uint8_t *dot = memchr(rest.ptr, '.', rest.len);
    struct lb_span first = lb_span_of(rest.ptr, (size_t)(dot - rest.ptr));
    rest = lb_span_of(dot + 1, rest.len - first.len - 1);
    dot = memchr(rest.ptr, '.', rest.len);
    FUZZ_OK(lb_b64url_decode(arena, first, &header));
    FUZZ_OK(lb_b64url_decode(arena, lb_span_of(rest.ptr, (size_t)(dot - rest.ptr)), &payload));
    const char *both = lb_arena_printf(arena, "%.*s\n%.*s", (int)header.len,
                                       (const char *)header.ptr, (int)payload.len,
                                       (const char *)payload.ptr);
    FUZZ_CHECK(both != NULL);
    fuzz_seed(sink, 1, lb_span_str(both));
}
