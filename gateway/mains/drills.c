#include "gateway/mains/drills.h"

lb_status lb_node_drills_allow(struct lb_node_program *node, struct lb_node_drills *drills)
{
    drills->path = lb_arena_printf(node->arena, "%s/drill.yaml", node->state);
    LB_ENSURE(drills->path != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

lb_status lb_node_drills_start(struct lb_node_program *node, struct lb_node_drills *drills)
{
    const struct lb_drill_watch_options options = {
        .path = drills->path,
        .at_broker = node->role->kind == LB_NODE_BROKER,
        .log = node->log,
        .clock = lb_clock_system(),
    };
    if (drills->path == NULL)
        return LB_OK;
    LB_TRY(lb_drill_watch_new(&options, &drills->watch));
    node->drill = drills->watch;
    return LB_OK;
}

void lb_node_drills_stop(struct lb_node_drills *drills)
{
    lb_drill_watch_free(drills->watch);
    drills->watch = NULL;
}
