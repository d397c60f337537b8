#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "gateway/crypto/ossl.h"
#include "gateway/crypto/pem.h"
#include "gateway/crypto/x509_parts.h"

/* An extension marked critical narrows a list (delta, indirect, only some reasons); such a list may
 * pass over our certificate, so it does not count as one (RFC 5280 §5.2). */
static bool is_complete(const X509_CRL *crl)
{
    return X509_CRL_get_ext_by_critical(crl, 1, -1) < 0;
}

static bool digest_is_strong(const X509_CRL *crl)
{
    int digest = NID_undef;
    int key = NID_undef;
    if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &digest, &key) != 1)
        return false;
    return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512 ||
           (digest == NID_undef && key == NID_ED25519);
}

/* *out_next is when the list says something else by itself: its nextUpdate, or the time from which
 * it counts at all. */
static bool is_current(const X509_CRL *crl, int64_t now_unix_s, int64_t *out_next)
{
    *out_next = INT64_MAX;
    int64_t this_update = 0;
    int64_t next_update = 0;
    if (lb_asn1_unix_s(X509_CRL_get0_lastUpdate(crl), &this_update) != LB_OK ||
        lb_asn1_unix_s(X509_CRL_get0_nextUpdate(crl), &next_update) != LB_OK)
        return false;
    bool begun = this_update <= now_unix_s + LB_CLOCK_SKEW_S;
    if (next_update <= now_unix_s)
        return false;
    *out_next = begun ? next_update : this_update - LB_CLOCK_SKEW_S;
    return begun;
}

static bool is_by(X509_CRL *crl, X509 *issuer)
{
    return X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(issuer)) == 0 &&
           (X509_get_key_usage(issuer) & KU_CRL_SIGN) != 0 && digest_is_strong(crl) &&
           X509_CRL_verify(crl, X509_get0_pubkey(issuer)) == 1;
}

/* Every usable list of the issuer is asked, so an older list that still runs can't hide a newer
 * revocation behind itself. */
static lb_status check_one(STACK_OF(X509_CRL) *crls, X509 *cert, X509 *issuer, int64_t now_unix_s,
                           int64_t *until_unix_s)
{
    bool covered = false;
    for (int i = 0; i < sk_X509_CRL_num(crls); i++) {
        X509_CRL *crl = sk_X509_CRL_value(crls, i);
        int64_t next = 0;
        bool current = is_current(crl, now_unix_s, &next);
        if (next < *until_unix_s)
            *until_unix_s = next;
        if (!current || !is_complete(crl) || !is_by(crl, issuer))
            continue;
        X509_REVOKED *entry = NULL;
        LB_ENSURE(X509_CRL_get0_by_cert(crl, &entry, cert) == 0, LB_PEER_REVOKED,
                  "certificate is on the revocation list");
        covered = true;
    }
    LB_ENSURE(covered, LB_CRL_STALE, "no current revocation list of the issuer");
    return LB_OK;
}

lb_status lb_crl_check(struct lb_span crl_pem, STACK_OF(X509) *chain, int64_t now_unix_s,
                       int64_t *until_unix_s)
{
    LB_OSSL_BORDER();
    LB_DEFER(lb_crls_freep) STACK_OF(X509_CRL) *crls = NULL;
    LB_ENSURE(lb_pem_crls(crl_pem, LB_MAX_CRL_BYTES, LB_X509_MAX_CAS, &crls) == LB_OK,
              LB_CRL_STALE, "revocation lists are missing or unreadable");
    for (int i = 0; i + 1 < sk_X509_num(chain); i++)
        LB_TRY(check_one(crls, sk_X509_value(chain, i), sk_X509_value(chain, i + 1), now_unix_s,
                         until_unix_s));
    return LB_OK;
}
