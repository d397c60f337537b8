#include "gateway/crypto/pem.h"

#include <openssl/pem.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/ossl.h"

void lb_bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

void lb_pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

void lb_cert_freep(X509 **cert)
{
    X509_free(*cert);
}

void lb_certs_freep(STACK_OF(X509) **certs)
{
    sk_X509_pop_free(*certs, X509_free);
}

void lb_crl_freep(X509_CRL **crl)
{
    X509_CRL_free(*crl);
}

void lb_crls_freep(STACK_OF(X509_CRL) **crls)
{
    sk_X509_CRL_pop_free(*crls, X509_CRL_free);
}

void lb_pem_block_cleanup(struct lb_pem_block *block)
{
    OPENSSL_clear_free(block->der, block->len);
    *block = (struct lb_pem_block){NULL, 0};
}

BIO *lb_pem_bio(struct lb_span pem, size_t max_bytes)
{
    if (pem.len > max_bytes || pem.len > INT_MAX)
        return NULL;
    return BIO_new_mem_buf(pem.len == 0 ? "" : (const char *)pem.ptr, (int)pem.len);
}

lb_status lb_pem_next(BIO *bio, const char *type, struct lb_pem_block *out_block)
{
    LB_OSSL_BORDER();
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    if (PEM_read_bio(bio, &name, &header, &der, &len) != 1) {
        bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        LB_ENSURE(!at_end, LB_ABSENT, "no PEM block left");
        LB_FAIL(LB_MALFORMED, "broken PEM block");
    }
    bool wanted = strcmp(name, type) == 0 && header[0] == '\0' && len > 0;
    OPENSSL_free(name);
    OPENSSL_free(header);
    struct lb_pem_block block = {der, (size_t)len};
    if (!wanted) {
        lb_pem_block_cleanup(&block);
        LB_FAIL(LB_MALFORMED, "PEM block of another type or encrypted");
    }
    *out_block = block;
    return LB_OK;
}

static lb_status next_cert(BIO *bio, X509 **out_cert)
{
    LB_DEFER(lb_pem_block_cleanup) struct lb_pem_block block = {NULL, 0};
    LB_TRY(lb_pem_next(bio, PEM_STRING_X509, &block));
    const unsigned char *at = block.der;
    LB_DEFER(lb_cert_freep) X509 *cert = d2i_X509(NULL, &at, (long)block.len);
    LB_ENSURE(cert != NULL && at == block.der + block.len, LB_MALFORMED, "not a certificate");
    *out_cert = cert;
    cert = NULL;
    return LB_OK;
}

static lb_status next_crl(BIO *bio, X509_CRL **out_crl)
{
    LB_DEFER(lb_pem_block_cleanup) struct lb_pem_block block = {NULL, 0};
    LB_TRY(lb_pem_next(bio, PEM_STRING_X509_CRL, &block));
    const unsigned char *at = block.der;
    LB_DEFER(lb_crl_freep) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)block.len);
    LB_ENSURE(crl != NULL && at == block.der + block.len, LB_MALFORMED, "not a revocation list");
    *out_crl = crl;
    crl = NULL;
    return LB_OK;
}

lb_status lb_pem_first_cert(struct lb_span pem, X509 **out_cert)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_bio_freep) BIO *bio = lb_pem_bio(pem, LB_MAX_PEM_BYTES);
    LB_ENSURE(bio != NULL, LB_MALFORMED, "PEM text is too long");
    lb_status status = next_cert(bio, out_cert);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_MALFORMED, "no certificate");
    return status;
}

lb_status lb_pem_certs(struct lb_span pem, size_t max_bytes, int max_num,
                       STACK_OF(X509) **out_certs)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_bio_freep) BIO *bio = lb_pem_bio(pem, max_bytes);
    LB_ENSURE(bio != NULL, LB_MALFORMED, "PEM text is too long");
    LB_DEFER(lb_certs_freep) STACK_OF(X509) *certs = sk_X509_new_null();
    LB_ENSURE(certs != NULL, LB_NO_MEMORY, "list of certificates");
    for (;;) {
        LB_DEFER(lb_cert_freep) X509 *cert = NULL;
        lb_status status = next_cert(bio, &cert);
        if (lb_status_code(status) == LB_ABSENT)
            break;
        LB_TRY(status);
        LB_ENSURE(sk_X509_num(certs) < max_num, LB_MALFORMED, "too many certificates");
        LB_ENSURE(sk_X509_push(certs, cert) > 0, LB_NO_MEMORY, "list of certificates");
        cert = NULL;
    }
    LB_ENSURE(sk_X509_num(certs) > 0, LB_MALFORMED, "no certificate");
    *out_certs = certs;
    certs = NULL;
    return LB_OK;
}

lb_status lb_pem_crls(struct lb_span pem, size_t max_bytes, int max_num,
                      STACK_OF(X509_CRL) **out_crls)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_bio_freep) BIO *bio = lb_pem_bio(pem, max_bytes);
    LB_ENSURE(bio != NULL, LB_MALFORMED, "PEM text is too long");
    LB_DEFER(lb_crls_freep) STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    LB_ENSURE(crls != NULL, LB_NO_MEMORY, "list of CRLs");
    for (;;) {
        LB_DEFER(lb_crl_freep) X509_CRL *crl = NULL;
        lb_status status = next_crl(bio, &crl);
        if (lb_status_code(status) == LB_ABSENT)
            break;
        LB_TRY(status);
        LB_ENSURE(sk_X509_CRL_num(crls) < max_num, LB_MALFORMED, "too many CRLs");
        LB_ENSURE(sk_X509_CRL_push(crls, crl) > 0, LB_NO_MEMORY, "list of CRLs");
        crl = NULL;
    }
    LB_ENSURE(sk_X509_CRL_num(crls) > 0, LB_MALFORMED, "no CRL");
    *out_crls = crls;
    crls = NULL;
    return LB_OK;
}

static void pkcs8_freep(PKCS8_PRIV_KEY_INFO **info)
{
    PKCS8_PRIV_KEY_INFO_free(*info);
}

lb_status lb_pem_private_key(struct lb_span pem, EVP_PKEY **out_key)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_bio_freep) BIO *bio = lb_pem_bio(pem, LB_MAX_PEM_BYTES);
    LB_ENSURE(bio != NULL, LB_MALFORMED, "PEM text is too long");
    LB_DEFER(lb_pem_block_cleanup) struct lb_pem_block block = {NULL, 0};
    lb_status status = lb_pem_next(bio, PEM_STRING_PKCS8INF, &block);
    LB_ENSURE(status == LB_OK, LB_MALFORMED, "no unencrypted PKCS#8 key");
    const unsigned char *at = block.der;
    LB_DEFER(pkcs8_freep) PKCS8_PRIV_KEY_INFO *info =
        d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)block.len);
    LB_ENSURE(info != NULL && at == block.der + block.len, LB_MALFORMED, "not PKCS#8");
    LB_DEFER(lb_pem_block_cleanup) struct lb_pem_block extra = {NULL, 0};
    LB_ENSURE(lb_status_code(lb_pem_next(bio, PEM_STRING_PKCS8INF, &extra)) == LB_ABSENT,
              LB_MALFORMED, "more than one key");
    EVP_PKEY *key = EVP_PKCS82PKEY_ex(info, NULL, NULL);
    LB_ENSURE(key != NULL, LB_MALFORMED, "key of an unknown kind");
    *out_key = key;
    return LB_OK;
}

lb_status lb_pem_from_bio(BIO *bio, struct lb_arena *arena, struct lb_span *out_pem)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    LB_ENSURE(len > 0, LB_CRYPTO_FAILED, "nothing was written");
    return lb_arena_copy(arena, lb_span_of(text, (size_t)len), out_pem);
}
