#ifndef GATEWAY_EVIDENCE_DETAIL_H
#define GATEWAY_EVIDENCE_DETAIL_H

#include "gateway/base/arena.h"
#include "gateway/crypto/aead.h"
#include "gateway/evidence/leaf.h"

/*
 * A detail: the erasable half of an entry. What the leaf commits to covers every byte that is
 * kept about it, so that whoever has the public key alone can tell a changed, missing or added
 * row, before an erasure and after it:
 *
 *   payload     = salt[32] || u32 len || fields || u32 len || detail
 *   ciphertext  = AES-256-GCM(data key, nonce, aad, payload)
 *   aad         = u16 len || origin || u64 index || txn[16]
 *   key_hash    = SHA-256("lianban key v1" || u64 kid || subject[32] || sealed data key[80])
 *   row_hash    = SHA-256("lianban row v1" || key_hash || nonce[12] || ciphertext)
 *   plain_hash  = SHA-256("lianban plain v1" || salt || detail)
 *   detail_hash = SHA-256("lianban detail v1" || row_hash || plain_hash)         in the leaf
 *   fields_hash = SHA-256("lianban fields v1" || salt || fields)                 in the leaf
 *
 * A sealed data key is enc[32] || ciphertext[48] of HPKE base mode (X25519, HKDF-SHA256,
 * AES-128-GCM) to the officer's key, info = "lianban detail key v2" || origin, AAD = u64 kid.
 * Many keys share a context, and so its enc: the kid is the sequence number. In version 1 each had
 * a context of its own: info = "lianban detail key v1" || origin, AAD = u64 kid || subject, and
 * sequence number 0. Whose a key is, key_hash says.
 *
 * Erasing a subject destroys its sealed data keys and its pseudonym and leaves key_hash in the
 * key's row; the ERASURE leaf's request_hash = SHA-256("lianban erasure v1" || (u64 kid ||
 * key_hash)...) by rising kid, so that no row can pass as erased without its leaf. The salt is
 * inside the ciphertext: once the key is gone nothing can be guessed against plain_hash or
 * fields_hash.
 */

#define LB_DETAIL_SALT_BYTES 32
#define LB_DETAIL_KEY_BYTES 32
#define LB_DETAIL_SEALED_KEY_BYTES (32 + LB_DETAIL_KEY_BYTES + LB_AEAD_TAG_BYTES)
#define LB_DETAIL_SUBJECT_BYTES 32
#define LB_DETAIL_MAX_PAYLOAD_BYTES (LB_DETAIL_SALT_BYTES + 8 + 2 * LB_MAX_DETAIL_BYTES)

/* One row of the detail table. */
struct lb_detail_row {
    uint64_t kid;
    uint8_t nonce[LB_AEAD_NONCE_BYTES];
    struct lb_span sealed;
    uint8_t plain_hash[32];
};

/* What binds a detail to its place. */
struct lb_detail_place {
    const char *origin;
    uint64_t index;
    const uint8_t *txn;       /* 16 bytes */
    const uint8_t *key_hash;  /* 32 bytes: the commitment of the data key's row */
};

/* lb_detail_key_hash computes key_hash from an active key's row. */
void lb_detail_key_hash(uint64_t kid, const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                        const uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES], uint8_t out[32]);
/* lb_detail_hash computes detail_hash from a row as it is stored. */
void lb_detail_hash(const struct lb_detail_row *row, const uint8_t key_hash[32], uint8_t out[32]);

/* What is sealed, and what must never be used twice: salt and nonce. */
struct lb_detail_text {
    struct lb_span fields;
    struct lb_span detail;
    uint8_t salt[LB_DETAIL_SALT_BYTES];
    uint8_t nonce[LB_AEAD_NONCE_BYTES];
};

/* lb_detail_seal encrypts into the arena, fills out_row but for its kid, and sets the leaf's
 * detail_hash and fields_hash (zero for no fields). TOO_LARGE for texts past
 * LB_MAX_DETAIL_BYTES. */
LB_MUST lb_status lb_detail_seal(const struct lb_detail_place *place,
                                 const uint8_t data_key[LB_DETAIL_KEY_BYTES],
                                 const struct lb_detail_text *text, struct lb_arena *arena,
                                 struct lb_detail_row *out_row, struct lb_leaf *leaf);
/* lb_detail_open decrypts into the arena and checks both commitments of the leaf. SEAL_BROKEN. */
LB_MUST lb_status lb_detail_open(const struct lb_detail_place *place,
                                 const uint8_t data_key[LB_DETAIL_KEY_BYTES],
                                 const struct lb_detail_row *row, const struct lb_leaf *leaf,
                                 struct lb_arena *arena, struct lb_span *out_detail);

#endif
