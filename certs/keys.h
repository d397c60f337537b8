#ifndef CERTS_KEYS_H
#define CERTS_KEYS_H

/* lb_keys_command is `lianban keys log|seal|issuer|officer|secret`: makes a node's key and prints
 * its public form. argv[0] is "keys". Returns 0 done, 1 failed, 2 wrong command line; an existing
 * key is never replaced. */
int lb_keys_command(int argc, char **argv);

#endif
