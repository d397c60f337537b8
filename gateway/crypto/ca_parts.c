#include "gateway/crypto/ca_parts.h"

#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"

void lb_ca_cleanup(struct lb_ca *ca)
{
    X509_free(ca->cert);
    EVP_PKEY_free(ca->key);
    *ca = (struct lb_ca){NULL, NULL};
}

lb_status lb_ca_load(struct lb_span cert_pem, struct lb_span key_pem, struct lb_ca *out_ca)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_ca_cleanup) struct lb_ca ca = {NULL, NULL};
    LB_TRY(lb_pem_first_cert(cert_pem, &ca.cert));
    LB_TRY(lb_pem_private_key(key_pem, &ca.key));
    LB_ENSURE(X509_check_ca(ca.cert) == 1, LB_MALFORMED, "not a CA certificate");
    LB_ENSURE(X509_check_private_key(ca.cert, ca.key) == 1, LB_MALFORMED,
              "CA key belongs to another certificate");
    *out_ca = ca;
    ca = (struct lb_ca){NULL, NULL};
    return LB_OK;
}

AUTHORITY_KEYID *lb_ca_authority_key_id(X509 *issuer)
{
    const ASN1_OCTET_STRING *subject_id = X509_get0_subject_key_id(issuer);
    AUTHORITY_KEYID *id = subject_id == NULL ? NULL : AUTHORITY_KEYID_new();
    if (id == NULL)
        return NULL;
    id->keyid = ASN1_OCTET_STRING_dup(subject_id);
    if (id->keyid != NULL)
        return id;
    AUTHORITY_KEYID_free(id);
    return NULL;
}
