#ifndef TESTS_FUZZ_KEYS_H
#define TESTS_FUZZ_KEYS_H

#include "gateway/crypto/sign.h"
#include "gateway/crypto/x25519.h"

/* Keys that never change, so that what they sign stays right in the corpus. */
struct fuzz_keys {
    struct lb_sign_key *es256;
    struct lb_verify_key *es256_public;
    struct lb_sign_key *ed25519;
    struct lb_verify_key *ed25519_public;
    struct lb_x25519_key x25519;
    struct lb_x25519_key sender;
};

const struct fuzz_keys *fuzz_keys(void);

/* A CA, a leaf of it (spiffe://test.gov/adapter/tax/1), its list without the leaf and with it. */
extern const char fuzz_ca_pem[];
extern const char fuzz_leaf_pem[];
extern const char fuzz_crl_pem[];
extern const char fuzz_crl_revoked_pem[];
#define FUZZ_CERT_NOW INT64_C(1800000000)

/* fuzz_jws signs any header and payload with ES256. */
struct lb_span fuzz_jws(struct lb_arena *arena, struct lb_span header, struct lb_span payload);

#endif
