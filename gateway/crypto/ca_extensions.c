#include "gateway/crypto/ca_extensions.h"

#include "gateway/crypto/ca_parts.h"
#include "gateway/crypto/hash.h"

#define MAX_DNS_BYTES 253

static lb_status add(X509 *cert, int nid, void *value, bool critical)
{
    LB_ENSURE(X509_add1_ext_i2d(cert, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1,
              LB_CRYPTO_FAILED, "certificate extension");
    return LB_OK;
}

static void constraints_freep(BASIC_CONSTRAINTS **value)
{
    BASIC_CONSTRAINTS_free(*value);
}

lb_status lb_ext_constraints(X509 *cert, bool is_ca)
{
    LB_DEFER(constraints_freep) BASIC_CONSTRAINTS *value = BASIC_CONSTRAINTS_new();
    LB_ENSURE(value != NULL, LB_NO_MEMORY, "basic constraints");
    if (is_ca) {
        value->ca = 1;
        value->pathlen = ASN1_INTEGER_new();
        LB_ENSURE(value->pathlen != NULL && ASN1_INTEGER_set(value->pathlen, 0) == 1, LB_NO_MEMORY,
                  "path length");
    }
    return add(cert, NID_basic_constraints, value, true);
}

static void bits_freep(ASN1_BIT_STRING **value)
{
    ASN1_BIT_STRING_free(*value);
}

lb_status lb_ext_key_usage(X509 *cert, uint8_t bits)
{
    LB_DEFER(bits_freep) ASN1_BIT_STRING *value = ASN1_BIT_STRING_new();
    LB_ENSURE(value != NULL, LB_NO_MEMORY, "key usage");
    /* KU_DIGITAL_SIGNATURE is 0x80 and stands for bit 0 of the string. */
    for (int bit = 0; bit < 8; bit++) {
        if ((bits & 0x80U >> bit) != 0)
            LB_ENSURE(ASN1_BIT_STRING_set_bit(value, bit, 1) == 1, LB_NO_MEMORY, "key usage");
    }
    return add(cert, NID_key_usage, value, true);
}

static void usages_freep(EXTENDED_KEY_USAGE **value)
{
    EXTENDED_KEY_USAGE_free(*value);
}

lb_status lb_ext_both_halves(X509 *cert)
{
    LB_DEFER(usages_freep) EXTENDED_KEY_USAGE *value = EXTENDED_KEY_USAGE_new();
    LB_ENSURE(value != NULL && sk_ASN1_OBJECT_push(value, OBJ_nid2obj(NID_server_auth)) > 0 &&
                  sk_ASN1_OBJECT_push(value, OBJ_nid2obj(NID_client_auth)) > 0,
              LB_NO_MEMORY, "extended key usage");
    return add(cert, NID_ext_key_usage, value, false);
}

static void octets_freep(ASN1_OCTET_STRING **value)
{
    ASN1_OCTET_STRING_free(*value);
}

static void authority_freep(AUTHORITY_KEYID **value)
{
    AUTHORITY_KEYID_free(*value);
}

lb_status lb_ext_key_ids(X509 *cert, X509 *issuer)
{
    /* RFC 7093 §2 method 1: the first 160 bits of SHA-256 over the public key. */
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(cert);
    LB_ENSURE(key != NULL, LB_CRYPTO_FAILED, "public key");
    uint8_t digest[LB_SHA256_BYTES];
    lb_sha256(lb_span_of(key->data, (size_t)key->length), digest);
    LB_DEFER(octets_freep) ASN1_OCTET_STRING *subject = ASN1_OCTET_STRING_new();
    LB_ENSURE(subject != NULL && ASN1_OCTET_STRING_set(subject, digest, 20) == 1, LB_NO_MEMORY,
              "subject key identifier");
    LB_TRY(add(cert, NID_subject_key_identifier, subject, false));
    LB_DEFER(authority_freep) AUTHORITY_KEYID *authority = lb_ca_authority_key_id(issuer);
    if (authority == NULL)
        return LB_OK;
    return add(cert, NID_authority_key_identifier, authority, false);
}

static void names_freep(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

/* Takes value over. */
static lb_status push(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (name == NULL || value == NULL || sk_GENERAL_NAME_push(names, name) <= 0) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        LB_FAIL(LB_NO_MEMORY, "subject alternative name");
    }
    GENERAL_NAME_set0_value(name, type, value);
    return LB_OK;
}

static ASN1_STRING *ia5(const char *text)
{
    ASN1_STRING *value = ASN1_IA5STRING_new();
    if (value != NULL && ASN1_STRING_set(value, text, (int)strlen(text)) == 1)
        return value;
    ASN1_STRING_free(value);
    return NULL;
}

static bool is_spiffe(const char *text)
{
    size_t len = strlen(text);
    if (len >= LB_MAX_SPIFFE_BYTES || strncmp(text, "spiffe://", 9) != 0 || len == 9)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    }
    return true;
}

static bool is_dns(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";
    size_t len = strlen(text);
    return len > 0 && len <= MAX_DNS_BYTES && strspn(text, allowed) == len;
}

static lb_status push_host(GENERAL_NAMES *names, const char *text)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(text);
    if (address != NULL)
        return push(names, GEN_IPADD, address);
    LB_ENSURE(is_dns(text), LB_MALFORMED, "neither an IP address nor a DNS name");
    return push(names, GEN_DNS, ia5(text));
}

lb_status lb_ext_names(X509 *cert, const struct lb_ca_issue_options *options)
{
    LB_ENSURE(options->spiffe != NULL && is_spiffe(options->spiffe), LB_MALFORMED, "SPIFFE id");
    LB_DEFER(names_freep) GENERAL_NAMES *names = GENERAL_NAMES_new();
    LB_ENSURE(names != NULL, LB_NO_MEMORY, "subject alternative names");
    LB_TRY(push(names, GEN_URI, ia5(options->spiffe)));
    for (size_t i = 0; i < options->num_names; i++)
        LB_TRY(push_host(names, options->names[i]));
    return add(cert, NID_subject_alt_name, names, false);
}
