#ifndef GATEWAY_SERVICES_METRICS_H
#define GATEWAY_SERVICES_METRICS_H

#include "gateway/base/meter.h"
#include "gateway/base/workers.h"
#include "gateway/evidence/log.h"
#include "gateway/exchange/outbox.h"
#include "gateway/http/http.h"
#include "gateway/rpc/server.h"
#include "gateway/services/node_service.h"
#include "gateway/trust/trust.h"

/*
 * A node's numbers for Prometheus: GET /metrics on a loopback port, text format 0.0.4
 * (docs/OPERATIONS.md, "Metrics"). Labels are codes, our own methods and queues, and members of the
 * directory: nothing a peer chooses, and nothing about a person.
 */
#define LB_METRICS_QUEUES 4
#define LB_METRICS_PATH "/metrics"

struct lb_metrics_queue {
    const char *name;
    struct lb_workers *workers;
};

/* A link to another member. */
struct lb_metrics_link {
    char peer[LB_MAX_SPIFFE_BYTES];
    bool up;
    int circuit;  /* 0 it is asked, 1 it is not, 2 a few reads try */
};

struct lb_metrics_options {
    const char *listen;               /* 127.0.0.1:PORT or [::1]:PORT */
    const char *version;
    const char *node;                 /* SPIFFE id */
    const char *cert_path;
    struct lb_meter *meter;
    struct lb_log *log;               /* NULL when the node keeps none */
    struct lb_trust *trust;
    const struct lb_clock *clock;
    const struct lb_rpc_method *methods;  /* of its server; the paths are borrowed */
    size_t num_methods;
    struct lb_metrics_queue queues[LB_METRICS_QUEUES];
    size_t num_queues;
    struct lb_held_lists lists;
    /* The links there are, at most max; NULL for a node without. */
    size_t (*links)(void *ctx, struct lb_metrics_link *out, size_t max);
    void *links_ctx;
    struct lb_outbox *outbox;  /* NULL for a node that holds no parcels */
};

struct lb_metrics;

/* lb_metrics_new serves them; what the options point at outlives it. CONFIG_INVALID with a sentence
 * in diag as lb_http_server_new; NO_MEMORY. */
LB_MUST lb_status lb_metrics_new(const struct lb_metrics_options *options, struct lb_diag *diag,
                                 struct lb_metrics **out_metrics);
/* lb_metrics_port returns the bound port. */
uint16_t lb_metrics_port(const struct lb_metrics *metrics);
/* lb_metrics_free stops serving. NULL is allowed. */
void lb_metrics_free(struct lb_metrics *metrics);

/* lb_metrics_put writes them all. */
LB_MUST lb_status lb_metrics_put(const struct lb_metrics *metrics, struct lb_arena *arena,
                                 struct lb_buf *out);

#endif
