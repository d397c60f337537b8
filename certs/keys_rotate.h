#ifndef CERTS_KEYS_ROTATE_H
#define CERTS_KEYS_ROTATE_H

#include "certs/tool.h"

/* Inside certs: the commands of `lianban keys` that replace keys in use. */
lb_status lb_keys_run_rotate(struct lb_tool *tool, int argc, char **argv);
lb_status lb_keys_run_handover(struct lb_tool *tool, int argc, char **argv);
lb_status lb_keys_run_use(struct lb_tool *tool, int argc, char **argv);
lb_status lb_keys_run_destroy(struct lb_tool *tool, int argc, char **argv);

extern const char lb_keys_help_rotate[];
extern const char lb_keys_help_handover[];
extern const char lb_keys_help_use[];
extern const char lb_keys_help_destroy[];

#endif
