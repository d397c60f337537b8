#include "gateway/register/proof.h"

#include <inttypes.h>

#include "gateway/base/hex.h"

static void free_key(struct lb_verify_key **key)
{
    lb_verify_key_free(*key);
}

lb_status lb_proof_text(const struct lb_proof *proof, struct lb_arena *arena,
                        struct lb_span *out_text)
{
    char content[65], nonce[2 * LB_PROOF_NONCE_BYTES + 1];
    bool opens = proof->form != NULL;
    lb_hex_encode(lb_span_of(proof->content, sizeof(proof->content)), content);
    lb_hex_encode(lb_span_of(proof->nonce, sizeof(proof->nonce)), nonce);
    char *text = lb_arena_printf(arena,
                                 "lianban operator %s v1\n%s\n%s\n%s\n%s\n%s%s%s\n%" PRId64
                                 "\n%s\n",
                                 opens ? "proof" : "act", proof->agent, proof->badge, proof->unit,
                                 opens ? proof->form : proof->method, opens ? "" : proof->case_id,
                                 opens ? "" : "\n", content, proof->time_unix_s, nonce);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    *out_text = lb_span_str(text);
    return LB_OK;
}

lb_status lb_proof_check(const struct lb_proof *proof, const struct lb_register_entry *entry,
                         struct lb_span signature, int64_t now_unix_s, struct lb_arena *arena)
{
    LB_DEFER(free_key) struct lb_verify_key *key = NULL;
    struct lb_span text;
    LB_ENSURE(entry->has_device && signature.len == LB_SIGNATURE_BYTES, LB_DEVICE_UNPROVEN,
              "no signature, or no key to check it with");
    LB_ENSURE(proof->time_unix_s >= now_unix_s - LB_PROOF_MAX_AGE_S &&
                  proof->time_unix_s <= now_unix_s + LB_PROOF_MAX_AGE_S,
              LB_DEVICE_UNPROVEN, "proof is of another time");
    LB_ENSURE(lb_verify_key_new(LB_SIGN_ES256, lb_span_of(entry->device, sizeof(entry->device)),
                                &key) == LB_OK,
              LB_DEVICE_UNPROVEN, "registered device key is no key");
    LB_TRY(lb_proof_text(proof, arena, &text));
    LB_ENSURE(lb_verify(key, text, signature) == LB_OK, LB_DEVICE_UNPROVEN,
              "signature does not verify");
    return LB_OK;
}
