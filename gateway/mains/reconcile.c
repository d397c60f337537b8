#include "gateway/mains/reconcile.h"

#include <stdlib.h>

#include "gateway/base/file.h"
#include "gateway/services/digest_service.h"
#include "gateway/services/reconciler.h"

#define DEFAULT_MINUTES 5
#define MAX_MINUTES 1440

struct lb_node_reconcile {
    struct lb_digest_service service;
    struct lb_reconciler *reconciler;
};

lb_status lb_node_reconcile_configure(struct lb_node_program *node)
{
    static const char *const keys[] = {"every_minutes", NULL};
    const struct lb_yaml_node *map = lb_yaml_get(node->root, "reconcile");
    node->reconcile_minutes = DEFAULT_MINUTES;
    if (map == NULL)
        return LB_OK;
    if (!node->role->keeps_log)
        return lb_yaml_fail(map, &node->diag, "this node keeps no log to reconcile");
    LB_TRY(lb_yaml_only(map, keys, &node->diag));
    return lb_yaml_opt_int(map, "every_minutes", 0, MAX_MINUTES, DEFAULT_MINUTES, &node->diag,
                           &node->reconcile_minutes);
}

lb_status lb_node_reconcile_methods(struct lb_node_program *node, struct lb_rpc_method *methods,
                                    size_t *num)
{
    struct lb_node_reconcile *reconcile = calloc(1, sizeof(*reconcile));
    LB_ENSURE(reconcile != NULL, LB_NO_MEMORY, "reconciling");
    reconcile->service = (struct lb_digest_service){
        .self = node->spiffe,
        .folder = node->state,
        .trust = node->trust,
        .log = node->log,
        .clock = lb_clock_system(),
    };
    lb_digest_service_init(&reconcile->service);
    lb_digest_service_methods(&reconcile->service, methods + *num);
    *num += LB_DIGEST_METHODS;
    node->reconcile = reconcile;
    return LB_OK;
}

lb_status lb_node_reconcile_start(struct lb_node_program *node)
{
    bool has_counterparts =
        node->role->kind == LB_NODE_BROKER || node->role->kind == LB_NODE_ADAPTER;
    if (node->reconcile == NULL || !has_counterparts || node->reconcile_minutes == 0)
        return LB_OK;
    const char *marks = lb_arena_printf(node->arena, "%s/reconciled", node->state);
    LB_ENSURE(marks != NULL, LB_NO_MEMORY, "configuration is too large");
    LB_TRY(lb_file_mkdirs(marks));
    const struct lb_reconciler_options options = {
        .self = node->spiffe,
        .is_broker = node->role->kind == LB_NODE_BROKER,
        .folder = node->state,
        .marks = marks,
        .trust = node->trust,
        .log = node->log,
        .clock = lb_clock_system(),
        .every_ms = node->reconcile_minutes * 60000,
        .runtime = node->runtime,
        .identity = node->identity,
        .verifier = lb_access_counting_verifier(&node->access),
    };
    return lb_reconciler_new(&options, &node->reconcile->reconciler);
}

void lb_node_reconcile_stop(struct lb_node_program *node)
{
    if (node->reconcile == NULL)
        return;
    lb_reconciler_free(node->reconcile->reconciler);
    node->reconcile->reconciler = NULL;
}

void lb_node_reconcile_free(struct lb_node_program *node)
{
    if (node->reconcile == NULL)
        return;
    lb_node_reconcile_stop(node);
    lb_digest_service_cleanup(&node->reconcile->service);
    free(node->reconcile);
    node->reconcile = NULL;
}
