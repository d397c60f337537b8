#include "gateway/mains/node_metrics.h"

#include "gateway/base/log.h"
#include "gateway/base/loopback.h"
#include "gateway/mains/version.h"

lb_status lb_node_metrics_read(struct lb_node_program *node)
{
    struct lb_loopback loopback;
    const char *listen = NULL;
    LB_TRY(lb_yaml_opt_text(node->root, "metrics", NULL, &node->diag, &listen));
    if (listen == NULL)
        return LB_OK;
    if (lb_loopback_parse(listen, &loopback) != LB_OK)
        return lb_yaml_fail(lb_yaml_get(node->root, "metrics"), &node->diag,
                            "metrics go over plain HTTP and stay on this machine; say "
                            "127.0.0.1:PORT");
    node->metrics_listen = lb_arena_str(node->arena, lb_span_str(listen));
    LB_ENSURE(node->metrics_listen != NULL, LB_NO_MEMORY, "configuration is too large");
    return LB_OK;
}

lb_status lb_node_metrics_begin(struct lb_node_program *node)
{
    if (node->notes_peers) {
        node->sightings = lb_sightings_new(lb_clock_system());
        LB_ENSURE(node->sightings != NULL, LB_NO_MEMORY, "sightings");
    }
    if (node->metrics_listen == NULL)
        return LB_OK;
    node->meter = lb_meter_new();
    LB_ENSURE(node->meter != NULL, LB_NO_MEMORY, "meter");
    return LB_OK;
}

void lb_node_metrics_queue(struct lb_node_program *node, const char *name,
                           struct lb_workers *workers)
{
    if (node->num_queues < LB_METRICS_QUEUES)
        node->queues[node->num_queues++] = (struct lb_metrics_queue){name, workers};
}

lb_status lb_node_metrics_serve(struct lb_node_program *node,
                                const struct lb_rpc_method *methods, size_t num_methods)
{
    struct lb_metrics_options options = {
        .listen = node->metrics_listen,
        .version = LB_VERSION,
        .node = node->spiffe,
        .cert_path = node->identity.cert_path,
        .meter = node->meter,
        .log = node->log,
        .trust = node->trust,
        .clock = lb_clock_system(),
        .methods = methods,
        .num_methods = num_methods,
        .lists = node->lists,
        .links = node->links,
        .links_ctx = node->links_ctx,
        .outbox = node->outbox,
    };
    if (node->metrics_listen == NULL)
        return LB_OK;
    lb_node_metrics_queue(node, "calls", node->workers);
    options.num_queues = node->num_queues;
    for (size_t i = 0; i < node->num_queues; i++)
        options.queues[i] = node->queues[i];
    LB_TRY(lb_metrics_new(&options, &node->diag, &node->metrics));
    lb_log_event(LB_LOG_INFO, "metrics", "\"port\":%u",
                 (unsigned)lb_metrics_port(node->metrics));
    return LB_OK;
}

void lb_node_metrics_stop(struct lb_node_program *node)
{
    lb_metrics_free(node->metrics);
    node->metrics = NULL;
}

void lb_node_metrics_free(struct lb_node_program *node)
{
    lb_sightings_free(node->sightings);
    lb_meter_free(node->meter);
    node->meter = NULL;
}
