#include <openssl/ec.h>
#include <openssl/pem.h>

#include "gateway/crypto/ca_extensions.h"
#include "gateway/crypto/ca_parts.h"
#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"

#define SERIAL_BITS 159
#define DAY_S 86400
#define MAX_CN_BYTES 64  /* RFC 5280 ub-common-name */

static lb_status serial_set(X509 *cert)
{
    BIGNUM *serial = BN_new();
    bool done = serial != NULL &&
                BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL;
    BN_free(serial);
    LB_ENSURE(done, LB_CRYPTO_FAILED, "serial number");
    return LB_OK;
}

static lb_status validity_set(X509 *cert, int64_t from_unix_s, int64_t to_unix_s)
{
    LB_ENSURE(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)from_unix_s) != NULL &&
                  ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)to_unix_s) != NULL,
              LB_MALFORMED, "validity");
    return LB_OK;
}

static lb_status name_add(X509_NAME *name, const char *field, struct lb_span text)
{
    LB_ENSURE(text.len > 0 && text.len <= MAX_CN_BYTES, LB_MALFORMED, "length of a name");
    LB_ENSURE(X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, text.ptr, (int)text.len, -1,
                                         0) == 1,
              LB_MALFORMED, "name");
    return LB_OK;
}

static lb_status write_cert(X509 *cert, struct lb_arena *arena, struct lb_span *out_pem)
{
    LB_DEFER(lb_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    LB_ENSURE(bio != NULL, LB_NO_MEMORY, "memory BIO");
    LB_ENSURE(PEM_write_bio_X509(bio, cert) == 1, LB_CRYPTO_FAILED, "certificate encoding");
    return lb_pem_from_bio(bio, arena, out_pem);
}

static lb_status write_key(const EVP_PKEY *key, struct lb_arena *arena, struct lb_span *out_pem)
{
    LB_DEFER(lb_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    LB_ENSURE(bio != NULL, LB_NO_MEMORY, "memory BIO");
    LB_ENSURE(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1,
              LB_CRYPTO_FAILED, "key encoding");
    return lb_pem_from_bio(bio, arena, out_pem);
}

/* A v3 certificate for a fresh P-256 key, without names and extensions. */
static lb_status blank_cert(X509 **out_cert, EVP_PKEY **out_key)
{
    LB_DEFER(lb_pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    LB_DEFER(lb_cert_freep) X509 *cert = X509_new();
    LB_ENSURE(key != NULL && cert != NULL, LB_CRYPTO_FAILED, "key generation");
    LB_ENSURE(X509_set_version(cert, X509_VERSION_3) == 1 && X509_set_pubkey(cert, key) == 1,
              LB_CRYPTO_FAILED, "certificate fields");
    LB_TRY(serial_set(cert));
    *out_cert = cert;
    *out_key = key;
    cert = NULL;
    key = NULL;
    return LB_OK;
}

static lb_status sign_and_write(X509 *cert, EVP_PKEY *own_key, EVP_PKEY *issuer_key,
                                struct lb_arena *arena, struct lb_span out[2])
{
    /* Ed25519 names no digest of its own choosing. */
    const EVP_MD *digest = EVP_PKEY_is_a(issuer_key, "ED25519") == 1 ? NULL : lb_ossl()->sha256;
    LB_ENSURE(X509_sign(cert, issuer_key, digest) > 0, LB_CRYPTO_FAILED, "certificate signature");
    LB_TRY(write_cert(cert, arena, &out[0]));
    return write_key(own_key, arena, &out[1]);
}

static lb_status ca_fields(X509 *cert, const struct lb_ca_name *name, int64_t now_unix_s,
                           unsigned days)
{
    X509_NAME *subject = X509_get_subject_name(cert);
    LB_TRY(name_add(subject, "O", lb_span_str(name->organization)));
    LB_TRY(name_add(subject, "CN", lb_span_str(name->common_name)));
    LB_ENSURE(X509_set_issuer_name(cert, subject) == 1, LB_NO_MEMORY, "issuer name");
    LB_TRY(validity_set(cert, now_unix_s - LB_CLOCK_SKEW_S, now_unix_s + (int64_t)days * DAY_S));
    LB_TRY(lb_ext_constraints(cert, true));
    LB_TRY(lb_ext_key_usage(cert, KU_KEY_CERT_SIGN | KU_CRL_SIGN));
    return lb_ext_key_ids(cert, cert);
}

lb_status lb_ca_create(const struct lb_ca_name *name, int64_t now_unix_s, unsigned days,
                       struct lb_arena *arena, struct lb_span *out_cert_pem,
                       struct lb_span *out_key_pem)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_cert_freep) X509 *cert = NULL;
    LB_DEFER(lb_pkey_freep) EVP_PKEY *key = NULL;
    LB_TRY(blank_cert(&cert, &key));
    LB_TRY(ca_fields(cert, name, now_unix_s, days));
    struct lb_span pems[2];
    LB_TRY(sign_and_write(cert, key, key, arena, pems));
    *out_cert_pem = pems[0];
    *out_key_pem = pems[1];
    return LB_OK;
}

/* The identity is the URI alone; the common name only tells a person which certificate this is, so
 * the path of the URI, cut to what fits, will do. */
static struct lb_span readable_name(const char *spiffe)
{
    struct lb_span text = lb_span_str(spiffe);
    const size_t scheme = sizeof("spiffe://") - 1;
    const char *slash = text.len > scheme ? strchr(spiffe + scheme, '/') : NULL;
    if (slash != NULL && slash[1] != '\0')
        text = lb_span_str(slash + 1);
    if (text.len > MAX_CN_BYTES)
        text.len = MAX_CN_BYTES;
    return text;
}

static lb_status leaf_fields(X509 *cert, X509 *issuer, const struct lb_ca_issue_options *options)
{
    LB_TRY(lb_ext_names(cert, options));
    LB_TRY(name_add(X509_get_subject_name(cert), "CN", readable_name(options->spiffe)));
    LB_ENSURE(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1, LB_NO_MEMORY,
              "issuer name");
    int64_t not_after = options->now_unix_s + options->lifetime_s;
    int64_t from = not_after < options->now_unix_s ? not_after : options->now_unix_s;
    LB_TRY(validity_set(cert, from - LB_CLOCK_SKEW_S, not_after));
    LB_TRY(lb_ext_constraints(cert, false));
    LB_TRY(lb_ext_key_usage(cert, KU_DIGITAL_SIGNATURE));
    LB_TRY(lb_ext_both_halves(cert));
    return lb_ext_key_ids(cert, issuer);
}

lb_status lb_ca_issue(struct lb_span ca_cert_pem, struct lb_span ca_key_pem,
                      const struct lb_ca_issue_options *options, struct lb_arena *arena,
                      struct lb_span *out_cert_pem, struct lb_span *out_key_pem)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_ca_cleanup) struct lb_ca ca = {NULL, NULL};
    LB_TRY(lb_ca_load(ca_cert_pem, ca_key_pem, &ca));
    LB_DEFER(lb_cert_freep) X509 *cert = NULL;
    LB_DEFER(lb_pkey_freep) EVP_PKEY *key = NULL;
    LB_TRY(blank_cert(&cert, &key));
    LB_TRY(leaf_fields(cert, ca.cert, options));
    struct lb_span pems[2];
    LB_TRY(sign_and_write(cert, key, ca.key, arena, pems));
    *out_cert_pem = pems[0];
    *out_key_pem = pems[1];
    return LB_OK;
}
