#ifndef GATEWAY_SEAL_PARCEL_H
#define GATEWAY_SEAL_PARCEL_H

#include "gateway/base/arena.h"
#include "gateway/seal/hpke.h"

/*
 * HPKE as parcels use it (proto/lianban/v1/parcel.proto): one message under a context of its own,
 * in Auth mode, so that nobody on the way can read it or make one in another's name. Notation as in
 * exchange.h:
 *
 *   info       = "lianban parcel v1" || field16(sender) || field16(recipient) || field16(key_id)
 *   aad        = SHA-256("lianban parcel aad v1" || name (16 bytes) || u64(expires_unix_s))
 *   plaintext  = framed (padded.h) to a multiple of 4,096 bytes
 *   ciphertext = HPKE.Seal(aad, plaintext) with sequence number 0
 */

#define LB_PARCEL_NAME_BYTES 16
#define LB_PARCEL_STEP_BYTES 4096U

/* What the seal binds: the open part of a Parcel. Borrowed. */
struct lb_parcel_cover {
    const char *sender;                   /* SPIFFE ids */
    const char *recipient;
    const char *key_id;                   /* the recipient's key, as the directory names it */
    uint8_t name[LB_PARCEL_NAME_BYTES];
    int64_t expires_unix_s;
};

struct lb_parcel_sealed {
    uint8_t enc[LB_HPKE_ENC_BYTES];
    struct lb_span ciphertext;            /* in the arena */
};

/* lb_parcel_seal frames and seals a message to the recipient's public key, from the sender's key.
 * MALFORMED when an id is empty or too long or the end is negative; TOO_LARGE past
 * LB_MAX_PARCEL_BYTES of ciphertext; CRYPTO_FAILED for a public key of small order; NO_MEMORY. */
LB_MUST lb_status lb_parcel_seal(const struct lb_parcel_cover *cover,
                                 const uint8_t recipient_pub[LB_X25519_BYTES],
                                 const struct lb_x25519_key *sender, struct lb_span message,
                                 struct lb_arena *arena, struct lb_parcel_sealed *out);

/* lb_parcel_open opens it with the recipient's key, if it was sealed by the holder of sender_pub
 * under this very cover; the message is in the arena. MALFORMED as above, for a ciphertext that is
 * no whole number of steps, and when what opens is not framed as lb_parcel_seal does; TOO_LARGE;
 * SEAL_BROKEN when it does not open; NO_MEMORY. */
LB_MUST lb_status lb_parcel_open(const struct lb_parcel_cover *cover,
                                 const struct lb_x25519_key *recipient,
                                 const uint8_t sender_pub[LB_X25519_BYTES],
                                 const struct lb_parcel_sealed *sealed, struct lb_arena *arena,
                                 struct lb_span *out_message);

#endif
