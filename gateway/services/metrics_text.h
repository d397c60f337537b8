#ifndef GATEWAY_SERVICES_METRICS_TEXT_H
#define GATEWAY_SERVICES_METRICS_TEXT_H

#include "gateway/services/metrics.h"

/* Inside gateway/services: the families of a node's metrics, each written whole. */
void lb_metrics_put_node(const struct lb_metrics_options *options, struct lb_arena *arena,
                         struct lb_buf *out);
void lb_metrics_put_counts(const struct lb_metrics_options *options, const char *const *paths,
                           struct lb_buf *out);
void lb_metrics_put_stages(const struct lb_metrics_options *options, struct lb_buf *out);
void lb_metrics_put_queues(const struct lb_metrics_options *options, struct lb_buf *out);
void lb_metrics_put_log(const struct lb_metrics_options *options, struct lb_arena *arena,
                        struct lb_buf *out);
LB_MUST lb_status lb_metrics_put_lists(const struct lb_metrics_options *options,
                                       struct lb_arena *arena, struct lb_buf *out);
LB_MUST lb_status lb_metrics_put_links(const struct lb_metrics_options *options,
                                       struct lb_arena *arena, struct lb_buf *out);
LB_MUST lb_status lb_metrics_put_outbox(const struct lb_metrics_options *options,
                                        struct lb_arena *arena, struct lb_buf *out);
void lb_metrics_put_process(struct lb_buf *out);

/* lb_metrics_head begins a family. */
void lb_metrics_head(struct lb_buf *out, const char *name, const char *type, const char *help);
/* lb_metrics_gauge writes a family of one number. */
void lb_metrics_gauge(struct lb_buf *out, const char *name, const char *help, int64_t value);

#endif
