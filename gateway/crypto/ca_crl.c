#include <openssl/pem.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/ca_parts.h"
#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"

#define MAX_SERIAL_BYTES 20

static void revoked_freep(X509_REVOKED **entry)
{
    X509_REVOKED_free(*entry);
}

static void integer_freep(ASN1_INTEGER **value)
{
    ASN1_INTEGER_free(*value);
}

static void time_freep(ASN1_TIME **time)
{
    ASN1_TIME_free(*time);
}

static void authority_freep(AUTHORITY_KEYID **value)
{
    AUTHORITY_KEYID_free(*value);
}

static lb_status serial_parse(const char *text, ASN1_INTEGER **out_serial)
{
    /* The array may have come from a file of ours that lost its NUL. */
    struct lb_span digits = lb_span_of(text, strnlen(text, 2 * MAX_SERIAL_BYTES + 1));
    size_t len = digits.len / 2;
    uint8_t bytes[MAX_SERIAL_BYTES];
    LB_ENSURE(len > 0 && len <= sizeof(bytes), LB_MALFORMED, "serial length");
    LB_TRY(lb_hex_decode(digits, bytes, len));
    BIGNUM *number = BN_bin2bn(bytes, (int)len, NULL);
    ASN1_INTEGER *serial = number == NULL ? NULL : BN_to_ASN1_INTEGER(number, NULL);
    BN_free(number);
    LB_ENSURE(serial != NULL, LB_NO_MEMORY, "serial number");
    *out_serial = serial;
    return LB_OK;
}

static lb_status revoked_add(X509_CRL *crl, const struct lb_ca_revoked *revoked)
{
    LB_DEFER(integer_freep) ASN1_INTEGER *serial = NULL;
    LB_TRY(serial_parse(revoked->serial_hex, &serial));
    LB_DEFER(time_freep) ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)revoked->revoked_unix_s);
    LB_ENSURE(when != NULL, LB_MALFORMED, "time of revocation");
    LB_DEFER(revoked_freep) X509_REVOKED *entry = X509_REVOKED_new();
    LB_ENSURE(entry != NULL && X509_REVOKED_set_serialNumber(entry, serial) == 1 &&
                  X509_REVOKED_set_revocationDate(entry, when) == 1 &&
                  X509_CRL_add0_revoked(crl, entry) == 1,
              LB_NO_MEMORY, "revocation entry");
    entry = NULL;
    return LB_OK;
}

static lb_status times_set(X509_CRL *crl, int64_t this_update_unix_s, int64_t next_update_unix_s)
{
    LB_ENSURE(next_update_unix_s > this_update_unix_s, LB_MALFORMED, "nextUpdate");
    LB_DEFER(time_freep) ASN1_TIME *this_update = ASN1_TIME_set(NULL, (time_t)this_update_unix_s);
    LB_DEFER(time_freep) ASN1_TIME *next_update = ASN1_TIME_set(NULL, (time_t)next_update_unix_s);
    LB_ENSURE(this_update != NULL && next_update != NULL, LB_MALFORMED, "time of the list");
    LB_ENSURE(X509_CRL_set1_lastUpdate(crl, this_update) == 1 &&
                  X509_CRL_set1_nextUpdate(crl, next_update) == 1,
              LB_NO_MEMORY, "time of the list");
    return LB_OK;
}

static lb_status extensions_set(X509_CRL *crl, X509 *issuer, uint64_t number)
{
    LB_DEFER(integer_freep) ASN1_INTEGER *value = ASN1_INTEGER_new();
    LB_ENSURE(value != NULL && ASN1_INTEGER_set_uint64(value, number) == 1 &&
                  X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, X509V3_ADD_DEFAULT) == 1,
              LB_CRYPTO_FAILED, "number of the list");
    LB_DEFER(authority_freep) AUTHORITY_KEYID *authority = lb_ca_authority_key_id(issuer);
    if (authority == NULL)
        return LB_OK;
    LB_ENSURE(X509_CRL_add1_ext_i2d(crl, NID_authority_key_identifier, authority, 0,
                                    X509V3_ADD_DEFAULT) == 1,
              LB_CRYPTO_FAILED, "authority key identifier");
    return LB_OK;
}

static lb_status sign_and_write(X509_CRL *crl, EVP_PKEY *key, struct lb_arena *arena,
                                struct lb_span *out_pem)
{
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") == 1 ? NULL : lb_ossl()->sha256;
    LB_ENSURE(X509_CRL_sort(crl) == 1 && X509_CRL_sign(crl, key, digest) > 0, LB_CRYPTO_FAILED,
              "signature of the list");
    LB_DEFER(lb_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    LB_ENSURE(bio != NULL, LB_NO_MEMORY, "memory BIO");
    LB_ENSURE(PEM_write_bio_X509_CRL(bio, crl) == 1, LB_CRYPTO_FAILED, "encoding of the list");
    return lb_pem_from_bio(bio, arena, out_pem);
}

lb_status lb_ca_crl(struct lb_span ca_cert_pem, struct lb_span ca_key_pem,
                    const struct lb_ca_revoked *revoked, size_t num_revoked, uint64_t number,
                    int64_t this_update_unix_s, int64_t next_update_unix_s,
                    struct lb_arena *arena, struct lb_span *out_crl_pem)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_ca_cleanup) struct lb_ca ca = {NULL, NULL};
    LB_TRY(lb_ca_load(ca_cert_pem, ca_key_pem, &ca));
    LB_DEFER(lb_crl_freep) X509_CRL *crl = X509_CRL_new();
    LB_ENSURE(crl != NULL && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                  X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.cert)) == 1,
              LB_NO_MEMORY, "revocation list");
    LB_TRY(times_set(crl, this_update_unix_s, next_update_unix_s));
    for (size_t i = 0; i < num_revoked; i++)
        LB_TRY(revoked_add(crl, &revoked[i]));
    LB_TRY(extensions_set(crl, ca.cert, number));
    return sign_and_write(crl, ca.key, arena, out_crl_pem);
}
