#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"
#include "gateway/crypto/x509_parts.h"

#define MAX_SERIAL_BYTES 20  /* RFC 5280 §4.1.2.2 */

lb_status lb_asn1_unix_s(const ASN1_TIME *time, int64_t *out_unix_s)
{
    struct tm parts;
    LB_ENSURE(time != NULL && ASN1_TIME_to_tm(time, &parts) == 1, LB_MALFORMED, "time");
    *out_unix_s = (int64_t)timegm(&parts);
    return LB_OK;
}

static lb_status serial_of(const X509 *cert, char out[2 * MAX_SERIAL_BYTES + 1])
{
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    uint8_t bytes[MAX_SERIAL_BYTES] = {0};
    int len = serial == NULL || BN_is_negative(serial) ? -1 : BN_num_bytes(serial);
    bool fits = len >= 0 && len <= MAX_SERIAL_BYTES && BN_bn2bin(serial, bytes) == len;
    BN_free(serial);
    LB_ENSURE(fits, LB_MALFORMED, "serial number");
    lb_hex_encode(lb_span_of(bytes, len == 0 ? 1 : (size_t)len), out);
    return LB_OK;
}

static void names_freep(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

/* A URI is compared byte by byte and printed in logs, so only visible ASCII is let in. */
static lb_status uri_copy(const ASN1_IA5STRING *uri, char out[LB_MAX_SPIFFE_BYTES])
{
    struct lb_span text = lb_span_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri));
    LB_ENSURE(text.len > 0 && text.len < LB_MAX_SPIFFE_BYTES, LB_MALFORMED, "URI SAN length");
    for (size_t i = 0; i < text.len; i++)
        LB_ENSURE(text.ptr[i] > ' ' && text.ptr[i] < 0x7f, LB_MALFORMED, "URI SAN character");
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return LB_OK;
}

static lb_status spiffe_of(const X509 *cert, char out[LB_MAX_SPIFFE_BYTES])
{
    int found = 0;
    LB_DEFER(names_freep) GENERAL_NAMES *names =
        X509_get_ext_d2i(cert, NID_subject_alt_name, &found, NULL);
    LB_ENSURE(names != NULL || found == -1, LB_MALFORMED, "subject alternative names");
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        LB_ENSURE(out[0] == '\0', LB_MALFORMED, "more than one URI SAN");
        LB_TRY(uri_copy(name->d.uniformResourceIdentifier, out));
    }
    return LB_OK;
}

lb_status lb_cert_pin(const X509 *cert, uint8_t out_pin[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    LB_ENSURE(len > 0, LB_CRYPTO_FAILED, "SPKI encoding");
    lb_sha256(lb_span_of(der, (size_t)len), out_pin);
    OPENSSL_free(der);
    return LB_OK;
}

static lb_status digest_of(X509 *cert, uint8_t out[32])
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    LB_ENSURE(len > 0, LB_CRYPTO_FAILED, "certificate encoding");
    lb_sha256(lb_span_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return LB_OK;
}

lb_status lb_cert_info_of(X509 *cert, struct lb_cert_info *out_info)
{
    LB_OSSL_BORDER();
    struct lb_cert_info info = {.is_ca = X509_check_ca(cert) == 1};
    LB_TRY(serial_of(cert, info.serial_hex));
    LB_TRY(spiffe_of(cert, info.spiffe));
    LB_TRY(lb_asn1_unix_s(X509_get0_notBefore(cert), &info.not_before_unix_s));
    LB_TRY(lb_asn1_unix_s(X509_get0_notAfter(cert), &info.not_after_unix_s));
    LB_TRY(digest_of(cert, info.sha256));
    LB_TRY(lb_cert_pin(cert, info.spki_sha256));
    *out_info = info;
    return LB_OK;
}

lb_status lb_x509_info(struct lb_span pem, struct lb_cert_info *out_info)
{
    LB_DEFER(lb_cert_freep) X509 *cert = NULL;
    LB_TRY(lb_pem_first_cert(pem, &cert));
    return lb_cert_info_of(cert, out_info);
}

lb_status lb_x509_ca_pin(struct lb_span pem, uint8_t out_pin[32])
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_cert_freep) X509 *cert = NULL;
    LB_TRY(lb_pem_first_cert(pem, &cert));
    return lb_cert_pin(cert, out_pin);
}
