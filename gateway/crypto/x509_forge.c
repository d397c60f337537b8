#include "gateway/crypto/x509_forge.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* A forgery that fails is a mistake of the test, not a finding. */
static void must(bool done)
{
    if (!done)
        abort();
}

static EVP_PKEY *new_key(const char *type)
{
    EVP_PKEY *key = NULL;
    if (strcmp(type, "ED25519") == 0)
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    else if (strncmp(type, "RSA:", 4) == 0)
        key = EVP_RSA_gen((unsigned)strtoul(type + 4, NULL, 10));
    else
        key = EVP_EC_gen(type);
    must(key != NULL);
    return key;
}

static const EVP_MD *digest_for(const EVP_PKEY *signer, const char *digest)
{
    if (EVP_PKEY_is_a(signer, "ED25519") == 1)
        return NULL;
    const EVP_MD *md = EVP_get_digestbyname(digest == NULL ? "SHA256" : digest);
    must(md != NULL);
    return md;
}

static void extend(X509 *cert, X509 *issuer, const char *const (*extensions)[2])
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; extensions != NULL && extensions[i][0] != NULL; i++) {
        X509_EXTENSION *ext = X509V3_EXT_conf(NULL, &ctx, extensions[i][0], extensions[i][1]);
        must(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
        X509_EXTENSION_free(ext);
    }
}

struct forged forge_cert(const struct forge_options *options)
{
    struct forged forged = {X509_new(), new_key(options->key_type)};
    X509 *cert = forged.cert;
    X509 *issuer = options->issuer == NULL ? cert : options->issuer->cert;
    EVP_PKEY *signer = options->issuer == NULL ? forged.key : options->issuer->key;
    must(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
         X509_set_pubkey(cert, forged.key) == 1);
    must(ASN1_INTEGER_set_int64(X509_get_serialNumber(cert), (int64_t)(random() + 1)) == 1);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                                    (const unsigned char *)options->common_name, -1, -1, 0) == 1);
    must(X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1);
    must(ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)options->from_unix_s) != NULL &&
         ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)options->to_unix_s) != NULL);
    extend(cert, issuer, options->extensions);
    must(X509_sign(cert, signer, digest_for(signer, options->digest)) > 0);
    return forged;
}

void forge_free(struct forged *forged)
{
    X509_free(forged->cert);
    EVP_PKEY_free(forged->key);
}

static struct lb_span take(BIO *bio, struct lb_arena *arena)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    struct lb_span pem = LB_SPAN_EMPTY;
    must(lb_arena_copy(arena, lb_span_of(text, (size_t)len), &pem) == LB_OK);
    BIO_free(bio);
    return pem;
}

struct lb_span forge_pem(const struct forged *forged, struct lb_arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio != NULL && PEM_write_bio_X509(bio, forged->cert) == 1);
    return take(bio, arena);
}

static void revoke(X509_CRL *crl, const X509 *cert, int64_t when_unix_s)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)when_unix_s);
    ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(cert));
    must(entry != NULL && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
         X509_REVOKED_set_revocationDate(entry, when) == 1 &&
         X509_CRL_add0_revoked(crl, entry) == 1);
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(when);
}

static void mark_delta(X509_CRL *crl)
{
    ASN1_INTEGER *base = ASN1_INTEGER_new();
    must(base != NULL && ASN1_INTEGER_set(base, 1) == 1 &&
         X509_CRL_add1_ext_i2d(crl, NID_delta_crl, base, 1, X509V3_ADD_DEFAULT) == 1);
    ASN1_INTEGER_free(base);
}

struct lb_span forge_crl(const struct forge_crl_options *options, struct lb_arena *arena)
{
    X509_CRL *crl = X509_CRL_new();
    EVP_PKEY *signer = options->issuer->key;
    ASN1_TIME *this_update = ASN1_TIME_set(NULL, (time_t)options->this_unix_s);
    ASN1_TIME *next_update = ASN1_TIME_set(NULL, (time_t)options->next_unix_s);
    must(crl != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
    must(X509_CRL_set_issuer_name(crl, X509_get_subject_name(options->issuer->cert)) == 1);
    must(X509_CRL_set1_lastUpdate(crl, this_update) == 1);
    if (options->next_unix_s != 0)
        must(X509_CRL_set1_nextUpdate(crl, next_update) == 1);
    if (options->revoked != NULL)
        revoke(crl, options->revoked, options->this_unix_s);
    if (options->delta)
        mark_delta(crl);
    must(X509_CRL_sign(crl, signer, digest_for(signer, options->digest)) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    must(bio != NULL && PEM_write_bio_X509_CRL(bio, crl) == 1);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    X509_CRL_free(crl);
    return take(bio, arena);
}
