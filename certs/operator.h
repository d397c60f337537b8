#ifndef CERTS_OPERATOR_H
#define CERTS_OPERATOR_H

/* lb_operator_command is `lianban operator ...`: the register of a window's operators. Returns the
 * exit code. */
int lb_operator_command(int argc, char **argv);

#endif
