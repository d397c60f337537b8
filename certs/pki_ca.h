#ifndef CERTS_PKI_CA_H
#define CERTS_PKI_CA_H

#include "certs/pki_index.h"
#include "certs/tool.h"

/*
 * Inside certs: the CA in a folder.
 *
 *   ca.pem      the certificate (give it to every node)
 *   ca-key.pem  its key, mode 0600
 *   crl.pem     the current revocation list (every node needs the newest)
 *   index.db    what was issued and revoked
 *   lock        held while a command works
 */
struct lb_pki_ca {
    const char *folder;
    struct lb_span cert_pem;
    struct lb_span key_pem;
    struct lb_cert_info info;
    struct lb_store *index;
    int lock_fd;
};

#define LB_PKI_CRL_DAYS 30

/* lb_pki_ca_open opens an existing CA and locks it; lb_pki_ca_close releases it (also after a
 * failure of open, and when it was never opened but zeroed with lock_fd -1). */
LB_MUST lb_status lb_pki_ca_open(struct lb_tool *tool, const char *folder, struct lb_pki_ca *ca);
void lb_pki_ca_close(struct lb_pki_ca *ca);

/* lb_pki_ca_init makes a CA in a folder that has none, with an empty first list. */
LB_MUST lb_status lb_pki_ca_init(struct lb_tool *tool, const char *folder,
                                 const char *organization, int64_t days);

struct lb_pki_request {
    const char *spiffe;
    const char *const *names;
    size_t num_names;
    int64_t lifetime_s;
};

struct lb_pki_issued {
    struct lb_span cert_pem;
    struct lb_span key_pem;
    struct lb_cert_info info;
};

/* lb_pki_ca_issue makes and records a certificate. */
LB_MUST lb_status lb_pki_ca_issue(struct lb_tool *tool, struct lb_pki_ca *ca,
                                  const struct lb_pki_request *request,
                                  struct lb_pki_issued *out_issued);

/* lb_pki_ca_sign_crl signs the next list and puts it in place. */
LB_MUST lb_status lb_pki_ca_sign_crl(struct lb_tool *tool, struct lb_pki_ca *ca, int64_t days,
                                     struct lb_pki_crl *out_crl);

#endif
