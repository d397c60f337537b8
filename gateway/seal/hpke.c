#include "gateway/seal/hpke.h"

#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"

#define SECRET_BYTES LB_SHA256_BYTES
#define MODE_BASE 0x00
#define MODE_AUTH 0x02

/* RFC 9180 §4: every derivation is bound to the version and to the suite of its half. */
static const uint8_t kem_suite[] = {'K', 'E', 'M', 0x00, 0x20};
static const uint8_t hpke_suite[] = {'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x01};

#define KEM_SUITE lb_span_of(kem_suite, sizeof(kem_suite))
#define HPKE_SUITE lb_span_of(hpke_suite, sizeof(hpke_suite))
#define VERSION lb_span_str("HPKE-v1")

static void labeled_extract(struct lb_span suite, struct lb_span salt, const char *label,
                            struct lb_span ikm, uint8_t out[SECRET_BYTES])
{
    const struct lb_span parts[] = {VERSION, suite, lb_span_str(label), ikm};
    lb_hkdf_extract_parts(salt, parts, 4, out);
}

struct expand_input {
    struct lb_span suite;
    const char *label;
    struct lb_span info;
};

static void labeled_expand(const uint8_t prk[SECRET_BYTES], struct expand_input input,
                           uint8_t *out, size_t out_len)
{
    const uint8_t length[2] = {(uint8_t)(out_len >> 8), (uint8_t)out_len};
    const struct lb_span parts[] = {
        lb_span_of(length, sizeof(length)), VERSION, input.suite, lb_span_str(input.label),
        input.info,
    };
    lb_hkdf_expand_parts(prk, parts, 5, out, out_len);
}

/* What both sides of the KEM agree on (§4.1): one or two DH results, and the keys they came
 * from. */
struct kem_input {
    uint8_t dh[2 * LB_X25519_BYTES];
    uint8_t context[3 * LB_X25519_BYTES];  /* enc || pkR, or enc || pkR || pkS */
    bool auth;
};

static void kem_input_wipe(struct kem_input *input)
{
    lb_wipe(input, sizeof(*input));
}

static void kem_context_set(struct kem_input *input, const uint8_t *enc, const uint8_t *recipient,
                            const uint8_t *sender_or_NULL)
{
    memcpy(input->context, enc, LB_X25519_BYTES);
    memcpy(input->context + LB_X25519_BYTES, recipient, LB_X25519_BYTES);
    input->auth = sender_or_NULL != NULL;
    if (input->auth)
        memcpy(input->context + 2 * LB_X25519_BYTES, sender_or_NULL, LB_X25519_BYTES);
}

/* ExtractAndExpand of §4.1. */
static void shared_secret(const struct kem_input *input, uint8_t out[SECRET_BYTES])
{
    uint8_t prk[SECRET_BYTES];
    const size_t num_dh = input->auth ? 2 : 1;
    const size_t num_keys = input->auth ? 3 : 2;
    labeled_extract(KEM_SUITE, LB_SPAN_EMPTY, "eae_prk",
                    lb_span_of(input->dh, num_dh * LB_X25519_BYTES), prk);
    labeled_expand(prk,
                   (struct expand_input){KEM_SUITE, "shared_secret",
                                         lb_span_of(input->context, num_keys * LB_X25519_BYTES)},
                   out, SECRET_BYTES);
    lb_wipe(prk, sizeof(prk));
}

/* KeySchedule of §5.1 without a pre-shared key. */
static void key_schedule(const struct kem_input *input, struct lb_span info,
                         struct lb_hpke_context *out_context)
{
    uint8_t context[1 + 2 * SECRET_BYTES] = {input->auth ? MODE_AUTH : MODE_BASE};
    labeled_extract(HPKE_SUITE, LB_SPAN_EMPTY, "psk_id_hash", LB_SPAN_EMPTY, context + 1);
    labeled_extract(HPKE_SUITE, LB_SPAN_EMPTY, "info_hash", info, context + 1 + SECRET_BYTES);
    uint8_t shared[SECRET_BYTES];
    uint8_t secret[SECRET_BYTES];
    shared_secret(input, shared);
    labeled_extract(HPKE_SUITE, lb_span_of(shared, sizeof(shared)), "secret", LB_SPAN_EMPTY,
                    secret);
    const struct lb_span schedule = lb_span_of(context, sizeof(context));
    labeled_expand(secret, (struct expand_input){HPKE_SUITE, "key", schedule}, out_context->key,
                   sizeof(out_context->key));
    labeled_expand(secret, (struct expand_input){HPKE_SUITE, "base_nonce", schedule},
                   out_context->base_nonce, sizeof(out_context->base_nonce));
    labeled_expand(secret, (struct expand_input){HPKE_SUITE, "exp", schedule},
                   out_context->exporter_secret, sizeof(out_context->exporter_secret));
    lb_wipe(shared, sizeof(shared));
    lb_wipe(secret, sizeof(secret));
}

lb_status lb_hpke_setup_sender_with(const struct lb_x25519_key *ephemeral,
                                    const uint8_t recipient_pub[LB_X25519_BYTES],
                                    struct lb_span info,
                                    const struct lb_x25519_key *sender_or_NULL,
                                    uint8_t out_enc[LB_HPKE_ENC_BYTES],
                                    struct lb_hpke_context *out_context)
{
    LB_DEFER(kem_input_wipe) struct kem_input input = {.auth = false};
    LB_TRY(lb_x25519_dh(ephemeral->private_key, recipient_pub, input.dh));
    if (sender_or_NULL != NULL)
        LB_TRY(lb_x25519_dh(sender_or_NULL->private_key, recipient_pub,
                            input.dh + LB_X25519_BYTES));
    kem_context_set(&input, ephemeral->public_key, recipient_pub,
                    sender_or_NULL == NULL ? NULL : sender_or_NULL->public_key);
    key_schedule(&input, info, out_context);
    memcpy(out_enc, ephemeral->public_key, LB_HPKE_ENC_BYTES);
    return LB_OK;
}

static void key_wipe(struct lb_x25519_key *key)
{
    lb_wipe(key, sizeof(*key));
}

lb_status lb_hpke_setup_sender(const uint8_t recipient_pub[LB_X25519_BYTES], struct lb_span info,
                               const struct lb_x25519_key *sender_or_NULL,
                               uint8_t out_enc[LB_HPKE_ENC_BYTES],
                               struct lb_hpke_context *out_context)
{
    LB_DEFER(key_wipe) struct lb_x25519_key ephemeral = {.private_key = {0}};
    LB_TRY(lb_x25519_generate(&ephemeral));
    return lb_hpke_setup_sender_with(&ephemeral, recipient_pub, info, sender_or_NULL, out_enc,
                                     out_context);
}

lb_status lb_hpke_setup_recipient(const struct lb_x25519_key *recipient,
                                  const uint8_t enc[LB_HPKE_ENC_BYTES], struct lb_span info,
                                  const uint8_t *sender_pub_or_NULL,
                                  struct lb_hpke_context *out_context)
{
    LB_DEFER(kem_input_wipe) struct kem_input input = {.auth = false};
    LB_ENSURE(lb_x25519_dh(recipient->private_key, enc, input.dh) == LB_OK, LB_SEAL_BROKEN,
              "encapsulated key");
    if (sender_pub_or_NULL != NULL)
        LB_ENSURE(lb_x25519_dh(recipient->private_key, sender_pub_or_NULL,
                               input.dh + LB_X25519_BYTES) == LB_OK,
                  LB_SEAL_BROKEN, "sender's key");
    kem_context_set(&input, enc, recipient->public_key, sender_pub_or_NULL);
    key_schedule(&input, info, out_context);
    return LB_OK;
}

/* ComputeNonce of §5.2. */
static void nonce_of(const struct lb_hpke_context *context, uint64_t seq,
                     uint8_t out[LB_AEAD_NONCE_BYTES])
{
    memcpy(out, context->base_nonce, LB_AEAD_NONCE_BYTES);
    for (size_t i = 0; i < sizeof(seq); i++)
        out[LB_AEAD_NONCE_BYTES - 1 - i] ^= (uint8_t)(seq >> (8 * i));
}

lb_status lb_hpke_seal(const struct lb_hpke_context *context, uint64_t seq, struct lb_span aad,
                       struct lb_span plain, uint8_t *out)
{
    uint8_t nonce[LB_AEAD_NONCE_BYTES];
    nonce_of(context, seq, nonce);
    return lb_aead_seal(lb_span_of(context->key, sizeof(context->key)), nonce, aad, plain, out);
}

lb_status lb_hpke_open(const struct lb_hpke_context *context, uint64_t seq, struct lb_span aad,
                       struct lb_span sealed, uint8_t *out)
{
    uint8_t nonce[LB_AEAD_NONCE_BYTES];
    nonce_of(context, seq, nonce);
    return lb_aead_open(lb_span_of(context->key, sizeof(context->key)), nonce, aad, sealed, out);
}

void lb_hpke_export(const struct lb_hpke_context *context, struct lb_span exporter_context,
                    uint8_t *out, size_t out_len)
{
    labeled_expand(context->exporter_secret,
                   (struct expand_input){HPKE_SUITE, "sec", exporter_context}, out, out_len);
}

void lb_hpke_context_wipe(struct lb_hpke_context *context)
{
    lb_wipe(context, sizeof(*context));
}

lb_status lb_hpke_seal_base(const uint8_t recipient_pub[LB_X25519_BYTES], struct lb_span info,
                            struct lb_span aad, struct lb_span plain, uint8_t *out)
{
    LB_DEFER(lb_hpke_context_wipe) struct lb_hpke_context context = {.key = {0}};
    LB_TRY(lb_hpke_setup_sender(recipient_pub, info, NULL, out, &context));
    return lb_hpke_seal(&context, 0, aad, plain, out + LB_HPKE_ENC_BYTES);
}

lb_status lb_hpke_open_base(const struct lb_x25519_key *recipient, struct lb_span info,
                            struct lb_span aad, struct lb_span sealed, uint8_t *out)
{
    LB_ENSURE(sealed.len >= LB_HPKE_BASE_OVERHEAD, LB_SEAL_BROKEN, "sealed length");
    LB_DEFER(lb_hpke_context_wipe) struct lb_hpke_context context = {.key = {0}};
    LB_TRY(lb_hpke_setup_recipient(recipient, sealed.ptr, info, NULL, &context));
    return lb_hpke_open(
        &context, 0, aad,
        lb_span_of(sealed.ptr + LB_HPKE_ENC_BYTES, sealed.len - LB_HPKE_ENC_BYTES), out);
}
