#ifndef CERTS_DIRECTORY_COMMAND_H
#define CERTS_DIRECTORY_COMMAND_H

/* lb_directory_command is `lianban directory build|seal-key|sign|verify|show`. argv[0] is
 * "directory". Returns 0 done, 1 failed, 2 wrong command line. */
int lb_directory_command(int argc, char **argv);

#endif
