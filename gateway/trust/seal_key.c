#include "gateway/trust/seal_key.h"

#include <inttypes.h>

#include "gateway/crypto/b64.h"

static lb_status make_statement(enum lb_key_use use, const char *spiffe,
                                const struct lb_seal_key_entry *entry, struct lb_arena *arena,
                                struct lb_span *out_text)
{
    bool from_ever = use == LB_KEY_SEAL || entry->not_before == 0;
    char *key = lb_b64url_encode(arena, lb_span_of(entry->public_key, sizeof(entry->public_key)));
    LB_ENSURE(key != NULL, LB_NO_MEMORY, "arena is full");
    char *text =
        from_ever ? lb_arena_printf(arena, "lianban %s key v1\n%s\n%s\n%s\n%" PRId64 "\n",
                                    use == LB_KEY_SEAL ? "sealing" : "share", spiffe, entry->id,
                                    key, entry->not_after)
                  : lb_arena_printf(arena, "lianban share key v2\n%s\n%s\n%s\n%" PRId64
                                           "\n%" PRId64 "\n",
                                    spiffe, entry->id, key, entry->not_before, entry->not_after);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out_text = lb_span_str(text);
    return LB_OK;
}

static lb_status sign(enum lb_key_use use, const char *spiffe,
                      const struct lb_seal_key_entry *entry, const struct lb_sign_key *log_key,
                      struct lb_arena *arena, struct lb_span *out_signature_b64url)
{
    LB_ENSURE(lb_sign_key_alg(log_key) == LB_SIGN_ED25519, LB_CRYPTO_FAILED,
              "a log key is one of Ed25519");
    struct lb_span text;
    LB_TRY(make_statement(use, spiffe, entry, arena, &text));
    uint8_t raw[LB_SIGNATURE_BYTES];
    LB_TRY(lb_sign(log_key, text, raw));
    char *signature = lb_b64url_encode(arena, lb_span_of(raw, sizeof(raw)));
    LB_ENSURE(signature != NULL, LB_NO_MEMORY, "arena is full");
    *out_signature_b64url = lb_span_str(signature);
    return LB_OK;
}

lb_status lb_seal_key_sign(const char *spiffe, const struct lb_seal_key_entry *entry,
                           const struct lb_sign_key *log_key, struct lb_arena *arena,
                           struct lb_span *out_signature_b64url)
{
    return sign(LB_KEY_SEAL, spiffe, entry, log_key, arena, out_signature_b64url);
}

lb_status lb_share_key_sign(const char *spiffe, const struct lb_seal_key_entry *entry,
                            const struct lb_sign_key *log_key, struct lb_arena *arena,
                            struct lb_span *out_signature_b64url)
{
    return sign(LB_KEY_SHARE, spiffe, entry, log_key, arena, out_signature_b64url);
}

lb_status lb_key_check(enum lb_key_use use, const char *spiffe,
                       const struct lb_seal_key_entry *entry, const struct lb_verify_key *log_key,
                       struct lb_span signature, struct lb_arena *arena)
{
    struct lb_span text;
    LB_TRY(make_statement(use, spiffe, entry, arena, &text));
    return lb_verify(log_key, text, signature);
}
