#ifndef GATEWAY_MAINS_DRILLS_H
#define GATEWAY_MAINS_DRILLS_H

#include "gateway/drill/watch.h"
#include "gateway/mains/node.h"

/*
 * A node's part in drills (docs/DRILLS.md). Configuration, may be missing: then nothing is ever
 * made believe there.
 *
 *   drills: true                                        # a broker
 *   drills: {source: {plugin: sqlite, location: FILE}}  # an adapter: the made-up people's database
 */
struct lb_node_drills {
    const char *path;              /* of what is run; NULL for a node that takes no part */
    struct lb_drill_watch *watch;  /* likewise, once started */
};

/* lb_node_drills_allow makes a node take part, while its configuration is read. */
LB_MUST lb_status lb_node_drills_allow(struct lb_node_program *node, struct lb_node_drills *drills);
/* lb_node_drills_start begins to look, once the log is open, and lets the node tell of it. */
LB_MUST lb_status lb_node_drills_start(struct lb_node_program *node, struct lb_node_drills *drills);
/* lb_node_drills_stop ends it. */
void lb_node_drills_stop(struct lb_node_drills *drills);

#endif
