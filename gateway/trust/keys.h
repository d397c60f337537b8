#ifndef GATEWAY_TRUST_KEYS_H
#define GATEWAY_TRUST_KEYS_H

#include "gateway/crypto/sign.h"
#include "gateway/crypto/x25519.h"

/*
 * A node's private keys in files. Signing keys are unencrypted PKCS#8 PEM; an X25519 key is the one
 * line "lianban-x25519-private <base64url>". Either must be readable by its owner alone (mode
 * 0600), because whoever reads it speaks for the node.
 */

/* lb_keys_load_sign reads a signing key. FILE_FAILED when it cannot be read or is open to others;
 * MALFORMED when it is not a key of that algorithm. */
LB_MUST lb_status lb_keys_load_sign(const char *path, enum lb_sign_alg alg,
                                    struct lb_sign_key **out_key);
/* lb_keys_load_x25519 reads a sealing key; the holder wipes it when done. FILE_FAILED,
 * MALFORMED. */
LB_MUST lb_status lb_keys_load_x25519(const char *path, struct lb_x25519_key *out_key);

/* lb_keys_save_sign and lb_keys_save_x25519 write a key with mode 0600, replacing the file at once.
 * FILE_FAILED. */
LB_MUST lb_status lb_keys_save_sign(const char *path, const struct lb_sign_key *key);
LB_MUST lb_status lb_keys_save_x25519(const char *path, const struct lb_x25519_key *key);

#endif
