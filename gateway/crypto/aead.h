#ifndef GATEWAY_CRYPTO_AEAD_H
#define GATEWAY_CRYPTO_AEAD_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

#define LB_AEAD_NONCE_BYTES 12
#define LB_AEAD_TAG_BYTES 16

/* lb_aead_seal is AES-GCM with a 16- or 32-byte key; out takes plain.len + 16 bytes. */
LB_MUST lb_status lb_aead_seal(struct lb_span key, const uint8_t nonce[LB_AEAD_NONCE_BYTES],
                               struct lb_span aad, struct lb_span plain, uint8_t *out);
/* lb_aead_open checks and decrypts; out takes sealed.len - 16 bytes. SEAL_BROKEN when it does not
 * open, and then out holds zeros. */
LB_MUST lb_status lb_aead_open(struct lb_span key, const uint8_t nonce[LB_AEAD_NONCE_BYTES],
                               struct lb_span aad, struct lb_span sealed, uint8_t *out);

#endif
