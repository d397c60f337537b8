#ifndef CERTS_PKI_TOOLS_H
#define CERTS_PKI_TOOLS_H

#include "certs/tool.h"
#include "gateway/crypto/x509.h"

/* Inside certs: the commands behind lb_pki_command. */
extern const struct lb_tool_set lb_pki_tools;

/* lb_pki_run_issue makes a node's first certificate. */
lb_status lb_pki_run_issue(struct lb_tool *tool, int argc, char **argv);
/* lb_pki_run_renew replaces a node's certificate and key. */
lb_status lb_pki_run_renew(struct lb_tool *tool, int argc, char **argv);

/* lb_pki_read_cert reads the first certificate of a file. */
LB_MUST lb_status lb_pki_read_cert(struct lb_tool *tool, const char *path,
                                   struct lb_cert_info *out_info);
/* lb_pki_set_cert adds what a certificate says to a result. */
void lb_pki_set_cert(struct lb_json *result, const struct lb_cert_info *info);

#endif
