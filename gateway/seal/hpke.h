#ifndef GATEWAY_SEAL_HPKE_H
#define GATEWAY_SEAL_HPKE_H

#include "gateway/crypto/aead.h"
#include "gateway/crypto/x25519.h"

/*
 * HPKE (RFC 9180), one suite: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001, AES-128-GCM
 * 0x0001; modes Base (0) and Auth (2).
 *
 * The sequence number is the caller's: messages of one context open in any order, which RFC 9180
 * §9.8 leaves to the application. The sender must never use a number twice in a context, because
 * that repeats an AES-GCM nonce.
 */

#define LB_HPKE_ENC_BYTES 32
#define LB_HPKE_TAG_BYTES LB_AEAD_TAG_BYTES
/* What one-shot sealing adds: enc and the tag. */
#define LB_HPKE_BASE_OVERHEAD (LB_HPKE_ENC_BYTES + LB_HPKE_TAG_BYTES)

/* The keys of one context (RFC 9180 §5.1), both sides the same. A plain value; its holder wipes
 * it. */
struct lb_hpke_context {
    uint8_t key[16];
    uint8_t base_nonce[LB_AEAD_NONCE_BYTES];
    uint8_t exporter_secret[32];
};

/* lb_hpke_setup_sender is SetupAuthS when `sender_or_NULL` is given, SetupBaseS otherwise, with a
 * fresh ephemeral key. CRYPTO_FAILED when recipient_pub is of small order or the library fails. */
LB_MUST lb_status lb_hpke_setup_sender(const uint8_t recipient_pub[LB_X25519_BYTES],
                                       struct lb_span info,
                                       const struct lb_x25519_key *sender_or_NULL,
                                       uint8_t out_enc[LB_HPKE_ENC_BYTES],
                                       struct lb_hpke_context *out_context);

/* lb_hpke_setup_sender_with is lb_hpke_setup_sender with a given ephemeral key; for test vectors
 * only, since an ephemeral key used twice gives the same context twice. */
LB_MUST lb_status lb_hpke_setup_sender_with(const struct lb_x25519_key *ephemeral,
                                            const uint8_t recipient_pub[LB_X25519_BYTES],
                                            struct lb_span info,
                                            const struct lb_x25519_key *sender_or_NULL,
                                            uint8_t out_enc[LB_HPKE_ENC_BYTES],
                                            struct lb_hpke_context *out_context);

/* lb_hpke_setup_recipient is SetupAuthR when `sender_pub_or_NULL` is given, SetupBaseR otherwise.
 * SEAL_BROKEN when enc or the sender's key is of small order. Wrong keys or info are not seen here:
 * nothing will open. */
LB_MUST lb_status lb_hpke_setup_recipient(const struct lb_x25519_key *recipient,
                                          const uint8_t enc[LB_HPKE_ENC_BYTES],
                                          struct lb_span info, const uint8_t *sender_pub_or_NULL,
                                          struct lb_hpke_context *out_context);

/* lb_hpke_seal writes plain.len + 16 bytes; out must not overlap plain. TOO_LARGE past 2 GiB,
 * NO_MEMORY, CRYPTO_FAILED. */
LB_MUST lb_status lb_hpke_seal(const struct lb_hpke_context *context, uint64_t seq,
                               struct lb_span aad, struct lb_span plain, uint8_t *out);

/* lb_hpke_open writes sealed.len - 16 bytes. SEAL_BROKEN when it does not open (wrong context, seq,
 * aad; cut or changed), and then out holds zeros. */
LB_MUST lb_status lb_hpke_open(const struct lb_hpke_context *context, uint64_t seq,
                               struct lb_span aad, struct lb_span sealed, uint8_t *out);

/* lb_hpke_export is Context.Export (§5.3); at most 255 * 32 bytes, asking for more stops the
 * process. */
void lb_hpke_export(const struct lb_hpke_context *context, struct lb_span exporter_context,
                    uint8_t *out, size_t out_len);

/* lb_hpke_context_wipe fits LB_DEFER. */
void lb_hpke_context_wipe(struct lb_hpke_context *context);

/* lb_hpke_seal_base seals one small secret to a public key: out takes enc || ciphertext, that is
 * plain.len + LB_HPKE_BASE_OVERHEAD bytes. It says nothing about who sealed. CRYPTO_FAILED,
 * TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_hpke_seal_base(const uint8_t recipient_pub[LB_X25519_BYTES],
                                    struct lb_span info, struct lb_span aad, struct lb_span plain,
                                    uint8_t *out);

/* lb_hpke_open_base writes sealed.len - LB_HPKE_BASE_OVERHEAD bytes; SEAL_BROKEN as lb_hpke_open,
 * or when sealed is shorter than the overhead. */
LB_MUST lb_status lb_hpke_open_base(const struct lb_x25519_key *recipient, struct lb_span info,
                                    struct lb_span aad, struct lb_span sealed, uint8_t *out);

#endif
