#ifndef GATEWAY_CRYPTO_SIGN_H
#define GATEWAY_CRYPTO_SIGN_H

#include "gateway/base/arena.h"

#define LB_SIGNATURE_BYTES 64  /* Ed25519, and ES256 as r || s */
#define LB_ED25519_PUBLIC_BYTES 32
#define LB_P256_PUBLIC_BYTES 64  /* x || y */

enum lb_sign_alg { LB_SIGN_ED25519, LB_SIGN_ES256 };

/* A private key; wiped when freed. */
struct lb_sign_key;
/* A public key, parsed once and used from any thread. */
struct lb_verify_key;

/* lb_sign_key_generate makes a new key, freed by lb_sign_key_free; CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_sign_key_generate(enum lb_sign_alg alg, struct lb_sign_key **out_key);
/* lb_sign_key_from_seed makes an Ed25519 key from its 32-byte seed (RFC 8032). */
LB_MUST lb_status lb_sign_key_from_seed(const uint8_t seed[32], struct lb_sign_key **out_key);
/* lb_sign_key_from_pem reads an unencrypted PKCS#8 key; MALFORMED if it is not one of `alg`. */
LB_MUST lb_status lb_sign_key_from_pem(struct lb_span pem, enum lb_sign_alg alg,
                                       struct lb_sign_key **out_key);
/* lb_sign_key_to_pem writes PKCS#8 PEM into the arena. */
LB_MUST lb_status lb_sign_key_to_pem(const struct lb_sign_key *key, struct lb_arena *arena,
                                     struct lb_span *out_pem);
void lb_sign_key_free(struct lb_sign_key *key);
enum lb_sign_alg lb_sign_key_alg(const struct lb_sign_key *key);
/* lb_sign_key_public writes 32 (Ed25519) or 64 (P-256 x || y) bytes to out[64], returns the
 * count. */
size_t lb_sign_key_public(const struct lb_sign_key *key, uint8_t out[LB_P256_PUBLIC_BYTES]);
/* lb_sign signs a message; ES256 hashes it with SHA-256 and gives r || s. Thread-safe. */
LB_MUST lb_status lb_sign(const struct lb_sign_key *key, struct lb_span message,
                          uint8_t out[LB_SIGNATURE_BYTES]);

/* lb_verify_key_new parses a raw public key: 32 bytes for Ed25519, 64 (x || y, on the curve) for
 * ES256; MALFORMED otherwise. */
LB_MUST lb_status lb_verify_key_new(enum lb_sign_alg alg, struct lb_span raw,
                                    struct lb_verify_key **out_key);
void lb_verify_key_free(struct lb_verify_key *key);
enum lb_sign_alg lb_verify_key_alg(const struct lb_verify_key *key);
/* lb_verify_key_raw writes the raw key as lb_sign_key_public does. */
size_t lb_verify_key_raw(const struct lb_verify_key *key, uint8_t out[LB_P256_PUBLIC_BYTES]);
/* lb_verify checks a 64-byte signature; SIGNATURE_INVALID when it does not verify. Thread-safe. */
LB_MUST lb_status lb_verify(const struct lb_verify_key *key, struct lb_span message,
                            struct lb_span signature);
/* lb_verify_key_to_pem writes the SubjectPublicKeyInfo PEM into the arena (for libjwt). */
LB_MUST lb_status lb_verify_key_to_pem(const struct lb_verify_key *key, struct lb_arena *arena,
                                       struct lb_span *out_pem);

#endif
