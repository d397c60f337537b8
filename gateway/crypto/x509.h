#ifndef GATEWAY_CRYPTO_X509_H
#define GATEWAY_CRYPTO_X509_H

#include "gateway/base/arena.h"
#include "gateway/base/limits.h"

struct lb_cert_info {
    char spiffe[LB_MAX_SPIFFE_BYTES];  /* the only URI SAN; "" if there is none */
    char serial_hex[41];               /* lower case */
    int64_t not_before_unix_s;
    int64_t not_after_unix_s;
    uint8_t sha256[32];                /* of the DER */
    uint8_t spki_sha256[32];
    bool is_ca;
};

/* lb_x509_info reads the first certificate of a PEM text. MALFORMED if there is none, if it has
 * more than one URI SAN, or one that is longer than LB_MAX_SPIFFE_BYTES - 1 or has a NUL. */
LB_MUST lb_status lb_x509_info(struct lb_span pem, struct lb_cert_info *out_info);

/* What a chain is checked against. */
struct lb_x509_anchors {
    struct lb_span ca_pem;     /* one or more CA certificates */
    struct lb_span crl_pem;    /* one or more CRLs; one current CRL per CA is required */
    /* SHA-256 pins of CA public keys (SPKI); the issuing CA must be one of them. */
    const uint8_t (*ca_spki_pins)[32];
    size_t num_pins;
};

/*
 * lb_x509_verify checks leaf (first in chain_pem, intermediates behind it) at now_unix_s: chain to
 * a pinned CA, validity, key usage, CRL signature and freshness, revocation. Statuses:
 * PEER_UNVERIFIED (chain, pin, usage, algorithm: RSA below 2048 or other than
 * RSA/P-256/P-384/Ed25519; not yet valid; unreadable), PEER_EXPIRED, PEER_REVOKED, CRL_STALE (none,
 * unparsable, wrong signer or past nextUpdate), NO_MEMORY. Usage means: no CA, digitalSignature,
 * and an extended key usage with both server and client authentication. The issuer of the leaf must
 * be pinned; every certificate of ca_pem ends a chain, its own issuer is not looked for. A CRL with
 * a critical extension (delta, indirect, partial) does not count as one.
 */
LB_MUST lb_status lb_x509_verify(const struct lb_x509_anchors *anchors, struct lb_span chain_pem,
                                 int64_t now_unix_s, struct lb_cert_info *out_leaf);

/* lb_x509_verify_until is lb_x509_verify that also says how long its answer holds: until the first
 * notAfter or nextUpdate, or a list begins to count, as long as the anchors stay the same bytes.
 * Whoever is checked per message keeps the two instead of verifying again. */
LB_MUST lb_status lb_x509_verify_until(const struct lb_x509_anchors *anchors,
                                       struct lb_span chain_pem, int64_t now_unix_s,
                                       struct lb_cert_info *out_leaf, int64_t *out_until_unix_s);

/* lb_x509_ca_pin computes the SPKI pin of the first certificate of a PEM text; MALFORMED if there
 * is none. */
LB_MUST lb_status lb_x509_ca_pin(struct lb_span pem, uint8_t out_pin[32]);

/* --- the issuing side, for certs/ --- */

struct lb_ca_name {
    const char *organization;
    const char *common_name;
};

/* lb_ca_create makes a P-256 key (PKCS#8) and a self-signed CA certificate (pathlen 0), valid from
 * LB_CLOCK_SKEW_S before now. MALFORMED for an empty or over-long name or a time past year 9999,
 * CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_ca_create(const struct lb_ca_name *name, int64_t now_unix_s, unsigned days,
                               struct lb_arena *arena, struct lb_span *out_cert_pem,
                               struct lb_span *out_key_pem);

struct lb_ca_issue_options {
    const char *spiffe;        /* the URI SAN */
    const char *const *names;  /* DNS names or IP addresses, may be none */
    size_t num_names;
    int64_t now_unix_s;
    int64_t lifetime_s;        /* not_after = now + lifetime; may be negative in tests */
};

/* lb_ca_issue makes a P-256 key and a leaf certificate for both server and client use, with a
 * random 159-bit serial, valid from LB_CLOCK_SKEW_S before now (before its end, if that is
 * earlier). MALFORMED for a CA certificate or key that does not parse or do not belong together, a
 * SPIFFE id that does not start with spiffe://, is too long or not visible ASCII, a name that is
 * neither an IP address nor made of DNS characters. CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_ca_issue(struct lb_span ca_cert_pem, struct lb_span ca_key_pem,
                              const struct lb_ca_issue_options *options, struct lb_arena *arena,
                              struct lb_span *out_cert_pem, struct lb_span *out_key_pem);

struct lb_ca_revoked {
    char serial_hex[41];
    int64_t revoked_unix_s;
};

/* lb_ca_crl signs a CRL with the given number. MALFORMED for CA material as in lb_ca_issue, a
 * serial that is not 2 to 40 hexadecimal digits, or nextUpdate not after thisUpdate. CRYPTO_FAILED,
 * NO_MEMORY. */
LB_MUST lb_status lb_ca_crl(struct lb_span ca_cert_pem, struct lb_span ca_key_pem,
                            const struct lb_ca_revoked *revoked, size_t num_revoked,
                            uint64_t number, int64_t this_update_unix_s,
                            int64_t next_update_unix_s, struct lb_arena *arena,
                            struct lb_span *out_crl_pem);

#endif
