#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>

#include "gateway/crypto/hash.h"
#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"
#include "gateway/crypto/x509_parts.h"

#define MAX_PRESENTED 5       /* a leaf and its intermediates */
#define MAX_INTERMEDIATES 3
#define MIN_RSA_BITS 2048
#define SECURITY_LEVEL 2      /* 112 bits: no SHA-1, no RSA below 2048 */

static void store_freep(X509_STORE **store)
{
    X509_STORE_free(*store);
}

static void store_ctx_freep(X509_STORE_CTX **ctx)
{
    X509_STORE_CTX_free(*ctx);
}

static bool key_allowed(const X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    if (key == NULL)
        return false;
    if (EVP_PKEY_is_a(key, "RSA") == 1)
        return EVP_PKEY_get_bits(key) >= MIN_RSA_BITS;
    if (EVP_PKEY_is_a(key, "ED25519") == 1)
        return true;
    char group[32] = "";
    return EVP_PKEY_is_a(key, "EC") == 1 &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           (strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0);
}

/* Every member is server and client in turn, so a certificate for one half is refused; an absent
 * extended key usage would mean "anything" and is refused as well. */
static lb_status leaf_usage(X509 *leaf)
{
    const uint32_t both = XKU_SSL_SERVER | XKU_SSL_CLIENT;
    LB_ENSURE(X509_check_ca(leaf) == 0, LB_PEER_UNVERIFIED, "a CA presents itself as a member");
    uint32_t flags = X509_get_extension_flags(leaf);
    LB_ENSURE((flags & EXFLAG_INVALID) == 0 && (flags & EXFLAG_XKUSAGE) != 0, LB_PEER_UNVERIFIED,
              "extensions of the certificate");
    LB_ENSURE((X509_get_extended_key_usage(leaf) & both) == both, LB_PEER_UNVERIFIED,
              "extended key usage");
    LB_ENSURE((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0, LB_PEER_UNVERIFIED,
              "key usage");
    return LB_OK;
}

static lb_status store_of(struct lb_span ca_pem, X509_STORE **out_store)
{
    LB_DEFER(lb_certs_freep) STACK_OF(X509) *cas = NULL;
    LB_ENSURE(lb_pem_certs(ca_pem, LB_MAX_DIRECTORY_BYTES, LB_X509_MAX_CAS, &cas) == LB_OK,
              LB_PEER_UNVERIFIED, "CA certificates are missing or unreadable");
    LB_DEFER(store_freep) X509_STORE *store = X509_STORE_new();
    LB_ENSURE(store != NULL, LB_NO_MEMORY, "certificate store");
    for (int i = 0; i < sk_X509_num(cas); i++) {
        X509 *ca = sk_X509_value(cas, i);
        LB_ENSURE(X509_check_ca(ca) == 1, LB_PEER_UNVERIFIED, "an anchor is not a CA");
        LB_ENSURE(X509_STORE_add_cert(store, ca) == 1, LB_NO_MEMORY, "certificate store");
    }
    *out_store = store;
    store = NULL;
    return LB_OK;
}

/* An anchor may itself be issued by somebody outside: what stands in our CA file ends the chain. */
static bool parameters(X509_STORE_CTX *ctx, int64_t now_unix_s)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)now_unix_s);
    X509_VERIFY_PARAM_set_depth(param, MAX_INTERMEDIATES);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
           X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) == 1;
}

/* *out_chain: leaf first, anchor last, at least two. */
static lb_status build_chain(struct lb_span ca_pem, STACK_OF(X509) *presented, int64_t now_unix_s,
                             STACK_OF(X509) **out_chain)
{
    LB_DEFER(store_freep) X509_STORE *store = NULL;
    LB_TRY(store_of(ca_pem, &store));
    LB_DEFER(store_ctx_freep) X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    LB_ENSURE(ctx != NULL &&
                  X509_STORE_CTX_init(ctx, store, sk_X509_value(presented, 0), presented) == 1 &&
                  parameters(ctx, now_unix_s),
              LB_NO_MEMORY, "verification context");
    if (X509_verify_cert(ctx) != 1) {
        LB_ENSURE(X509_STORE_CTX_get_error(ctx) != X509_V_ERR_CERT_HAS_EXPIRED, LB_PEER_EXPIRED,
                  "certificate has expired");
        LB_FAIL(LB_PEER_UNVERIFIED, "no chain to a CA of the federation");
    }
    LB_DEFER(lb_certs_freep) STACK_OF(X509) *chain = X509_STORE_CTX_get1_chain(ctx);
    LB_ENSURE(chain != NULL, LB_NO_MEMORY, "chain");
    LB_ENSURE(sk_X509_num(chain) >= 2, LB_PEER_UNVERIFIED, "no issuer");
    *out_chain = chain;
    chain = NULL;
    return LB_OK;
}

/* What the library's check for the client half leaves open: kinds of keys, and the server half. */
static lb_status check_chain(STACK_OF(X509) *chain, int64_t *until_unix_s)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *cert = sk_X509_value(chain, i);
        LB_ENSURE(key_allowed(cert), LB_PEER_UNVERIFIED, "kind or size of a key");
        LB_ENSURE(X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, i > 0) == 1,
                  LB_PEER_UNVERIFIED, "purpose");
        int64_t not_after = 0;
        LB_ENSURE(lb_asn1_unix_s(X509_get0_notAfter(cert), &not_after) == LB_OK,
                  LB_PEER_UNVERIFIED, "validity");
        if (not_after < *until_unix_s)
            *until_unix_s = not_after;
    }
    return LB_OK;
}

static lb_status check_pin(const struct lb_x509_anchors *anchors, const X509 *issuer)
{
    uint8_t pin[32];
    LB_TRY(lb_cert_pin(issuer, pin));
    for (size_t i = 0; i < anchors->num_pins; i++) {
        if (lb_span_eq(lb_span_of(anchors->ca_spki_pins[i], 32), lb_span_of(pin, sizeof(pin))))
            return LB_OK;
    }
    LB_FAIL(LB_PEER_UNVERIFIED, "issuing CA is not pinned");
}

lb_status lb_x509_verify_until(const struct lb_x509_anchors *anchors, struct lb_span chain_pem,
                               int64_t now_unix_s, struct lb_cert_info *out_leaf,
                               int64_t *out_until_unix_s)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_certs_freep) STACK_OF(X509) *presented = NULL;
    LB_ENSURE(lb_pem_certs(chain_pem, LB_MAX_PEM_BYTES, MAX_PRESENTED, &presented) == LB_OK,
              LB_PEER_UNVERIFIED, "presented chain is unreadable");
    X509 *leaf = sk_X509_value(presented, 0);
    struct lb_cert_info info;
    LB_ENSURE(lb_cert_info_of(leaf, &info) == LB_OK, LB_PEER_UNVERIFIED, "certificate names");
    LB_TRY(leaf_usage(leaf));
    LB_DEFER(lb_certs_freep) STACK_OF(X509) *chain = NULL;
    LB_TRY(build_chain(anchors->ca_pem, presented, now_unix_s, &chain));
    int64_t until = INT64_MAX;
    LB_TRY(check_chain(chain, &until));
    LB_TRY(check_pin(anchors, sk_X509_value(chain, 1)));
    LB_TRY(lb_crl_check(anchors->crl_pem, chain, now_unix_s, &until));
    *out_leaf = info;
    *out_until_unix_s = until;
    return LB_OK;
}

lb_status lb_x509_verify(const struct lb_x509_anchors *anchors, struct lb_span chain_pem,
                         int64_t now_unix_s, struct lb_cert_info *out_leaf)
{
    int64_t until = 0;
    return lb_x509_verify_until(anchors, chain_pem, now_unix_s, out_leaf, &until);
}
