#ifndef GATEWAY_EVIDENCE_KEY_SEAL_H
#define GATEWAY_EVIDENCE_KEY_SEAL_H

#include "gateway/crypto/x25519.h"
#include "gateway/evidence/detail.h"
#include "gateway/seal/hpke.h"

/*
 * Data keys, each sealed to the officer, so that the node itself can't open them later. They are
 * made ahead by a thread, before it is known whose they will be: a new key costs the sequencer no
 * more than its row, and who is asked about for the first time is not told by time. One HPKE
 * context serves for LB_KEY_SEAL_KEYS of them, as many as the keyring holds in memory besides.
 */
struct lb_key_seal;

#define LB_KEY_SEAL_KEYS 1024U

/* A key that nobody has used. Its holder wipes it. */
struct lb_fresh_key {
    uint64_t kid;
    uint8_t key[LB_DETAIL_KEY_BYTES];
    uint8_t sealed[LB_DETAIL_SEALED_KEY_BYTES];
};

/* lb_key_seal_new makes keys from number next_kid on, sealed to an officer's X25519 public key.
 * NO_MEMORY, CRYPTO_FAILED; TOO_LARGE for an origin that does not fit. */
LB_MUST lb_status lb_key_seal_new(const uint8_t officer[32], const char *origin, uint64_t next_kid,
                                  struct lb_key_seal **out_seal);
/* lb_key_seal_free wipes all it holds; NULL is allowed. */
void lb_key_seal_free(struct lb_key_seal *seal);
/* lb_key_seal_change seals to another officer from here on. */
void lb_key_seal_change(struct lb_key_seal *seal, const uint8_t officer[32]);

/* lb_key_seal_take hands out the next key; their numbers have no gap. CRYPTO_FAILED. */
LB_MUST lb_status lb_key_seal_take(struct lb_key_seal *seal, struct lb_fresh_key *out_key);

/* A data key as its row has it. */
struct lb_sealed_key {
    uint64_t kid;
    const uint8_t *subject;  /* LB_DETAIL_SUBJECT_BYTES */
    const uint8_t *sealed;   /* LB_DETAIL_SEALED_KEY_BYTES */
};

/* What opening one key leaves for the next of the same log, since many share a context: zeros at
 * first, and wiped by its holder. */
struct lb_key_memo {
    bool is_set;
    uint8_t enc[LB_HPKE_ENC_BYTES];
    struct lb_hpke_context context;
};

/* lb_key_seal_open opens a data key with the officer's private key, also one of version 1. The memo
 * may be NULL. SEAL_BROKEN. */
LB_MUST lb_status lb_key_seal_open(const struct lb_x25519_key *officer, const char *origin,
                                   const struct lb_sealed_key *key, struct lb_key_memo *memo,
                                   uint8_t out_key[LB_DETAIL_KEY_BYTES]);

#endif
