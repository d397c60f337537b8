#ifndef CERTS_PKI_H
#define CERTS_PKI_H

/* lb_pki_command is `lianban pki init|issue|renew|revoke|crl|show`: the embedded CA. argv[0] is
 * "pki". Returns 0 done, 1 failed, 2 wrong command line. */
int lb_pki_command(int argc, char **argv);

#endif
