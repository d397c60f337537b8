#ifndef CERTS_KEYS_TOOLS_H
#define CERTS_KEYS_TOOLS_H

#include "certs/tool.h"

/* Inside certs: the commands behind lb_keys_command. */
extern const struct lb_tool_set lb_keys_tools;

#endif
