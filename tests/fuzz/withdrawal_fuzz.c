#include "gateway/crypto/b64.h"
#include "gateway/token/revocation.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* A citizen's own withdrawal. */

#define ARENA_BYTES (4U << 20)
#define NOW INT64_C(1800000000)

static const uint8_t salt[LB_REVOCATION_SALT_BYTES] = {1, 2, 3};

/* The grant that names the fixed key, as a verified one would be. */
static struct lb_grant sample_grant(struct lb_arena *arena)
{
    struct lb_grant grant = {.issuer = "hall", .kid = "hall-1", .jti = "01J8ZK4Q7T",
                             .requester = "street-office", .iat = NOW, .nbf = NOW,
                             .exp = NOW + 3600, .has_subject_key = true};
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fuzz_keys()->es256, raw);
    FUZZ_OK(lb_subject_key(salt, raw, arena, grant.subject_key));
    return grant;
}

/* 0: a token; 1: header LF payload, signed with the citizen's key. */
bool fuzz_withdrawal(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_grant grant = sample_grant(arena);
    bool is_signed_here = (fuzz_u8(&in) & 1) != 0;
    struct lb_span header = is_signed_here ? fuzz_line(&in) : LB_SPAN_EMPTY;
    struct lb_span token = is_signed_here ? fuzz_jws(arena, header, in) : in;
    if (lb_revocation_verify(token, &grant, NOW, arena) != LB_OK)
        return false;
    /* It holds for this grant alone, and for no key but the one that is named. */
    grant.jti = "01J8ZK4Q7U";
    FUZZ_CODE(lb_revocation_verify(token, &grant, NOW, arena), LB_GRANT_MALFORMED);
    grant = sample_grant(arena);
    grant.subject_key[0] ^= 1;
    FUZZ_CODE(lb_revocation_verify(token, &grant, NOW, arena), LB_SIGNATURE_INVALID);
    grant.has_subject_key = false;
    FUZZ_CODE(lb_revocation_verify(token, &grant, NOW, arena), LB_SIGNATURE_INVALID);
    return true;
}

static struct lb_span part_of(struct lb_arena *arena, struct lb_span *rest)
{
    const uint8_t *end = memchr(rest->ptr, '.', rest->len);
    struct lb_span text = LB_SPAN_EMPTY;
    FUZZ_CHECK(end != NULL);
    FUZZ_OK(lb_b64url_decode(arena, lb_span_of(rest->ptr, (size_t)(end - rest->ptr)), &text));
    *rest = lb_span_of(end + 1, rest->len - (size_t)(end + 1 - rest->ptr));
    return text;
}

void seed_withdrawal(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_grant grant = sample_grant(arena);
    struct lb_span token = LB_SPAN_EMPTY;
    FUZZ_OK(lb_revocation_sign(&grant, salt, NOW, fuzz_keys()->es256, arena, &token));
    fuzz_seed(sink, 0, token);
    struct lb_span header = part_of(arena, &token), payload = part_of(arena, &token);
    fuzz_seed(sink, 1,
              lb_span_str(lb_arena_printf(arena, "%.*s\n%.*s", (int)header.len,
                                          (const char *)header.ptr, (int)payload.len,
                                          (const char *)payload.ptr)));
}
