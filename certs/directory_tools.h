#ifndef CERTS_DIRECTORY_TOOLS_H
#define CERTS_DIRECTORY_TOOLS_H

#include "certs/tool.h"

/* Inside certs: the commands behind lb_directory_command. */
extern const struct lb_tool_set lb_directory_tools;

/* lb_directory_run_build makes the unsigned text of a directory. */
lb_status lb_directory_run_build(struct lb_tool *tool, int argc, char **argv);
/* lb_directory_run_seal_key and lb_directory_run_share_key are run at a node. */
lb_status lb_directory_run_seal_key(struct lb_tool *tool, int argc, char **argv);
lb_status lb_directory_run_share_key(struct lb_tool *tool, int argc, char **argv);

#endif
