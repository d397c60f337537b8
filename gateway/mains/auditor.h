#ifndef GATEWAY_MAINS_AUDITOR_H
#define GATEWAY_MAINS_AUDITOR_H

#include "gateway/mains/node.h"

/*
 * An audit office's node: lianban-adapter under a SPIFFE id of kind auditor. It has no view, no
 * database and no policy; it cosigns the logs its configuration names, and its own log says which
 * sizes it cosigned and what it refused.
 */
extern const struct lb_node_role lb_auditor_role;

#endif
