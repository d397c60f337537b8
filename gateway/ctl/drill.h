#ifndef GATEWAY_CTL_DRILL_H
#define GATEWAY_CTL_DRILL_H

#include "gateway/ctl/sheet.h"
#include "policy/engine/drill.h"

/* Inside gateway/ctl: `drill report`, in a file of its own. */
int lb_ctl_drill_report(struct lb_ctl_env *env, int argc, char **argv);

#endif
