#include "gateway/services/metrics.h"

#include <stdlib.h>

#include "gateway/services/metrics_text.h"

#define CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define MAX_TEXT_BYTES (1024 * 1024)

struct lb_metrics {
    struct lb_metrics_options options;
    const char *paths[LB_METER_MAX_METHODS];
    struct lb_http_method method;
    struct lb_http_server *server;
};

lb_status lb_metrics_put(const struct lb_metrics *metrics, struct lb_arena *arena,
                         struct lb_buf *out)
{
    const struct lb_metrics_options *options = &metrics->options;
    lb_metrics_put_node(options, arena, out);
    lb_metrics_put_counts(options, metrics->paths, out);
    lb_metrics_put_stages(options, out);
    lb_metrics_put_queues(options, out);
    if (options->log != NULL)
        lb_metrics_put_log(options, arena, out);
    LB_TRY(lb_metrics_put_lists(options, arena, out));
    LB_TRY(lb_metrics_put_links(options, arena, out));
    LB_TRY(lb_metrics_put_outbox(options, arena, out));
    lb_metrics_put_process(out);
    return lb_buf_check(out);
}

static lb_status serve(void *ctx, const struct lb_http_request *request, struct lb_arena *arena,
                       struct lb_http_reply *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    (void)request;
    lb_buf_init(&text, MAX_TEXT_BYTES);
    LB_TRY(lb_metrics_put(ctx, arena, &text));
    return lb_arena_copy(arena, lb_buf_span(&text), &out->json);
}

lb_status lb_metrics_new(const struct lb_metrics_options *options, struct lb_diag *diag,
                         struct lb_metrics **out_metrics)
{
    struct lb_metrics *metrics = calloc(1, sizeof(*metrics));
    LB_ENSURE(metrics != NULL, LB_NO_MEMORY, "metrics");
    metrics->options = *options;
    metrics->options.methods = NULL; /* the table is gone once the server is up; its paths stay */
    for (size_t i = 0; i < options->num_methods && i < LB_METER_MAX_METHODS; i++)
        metrics->paths[i] = options->methods[i].path;
    metrics->method = (struct lb_http_method){
        .path = LB_METRICS_PATH, .serve = serve, .ctx = metrics, .get_type = CONTENT_TYPE};
    const struct lb_http_options http = {
        .listen = options->listen, .methods = &metrics->method, .num_methods = 1};
    lb_status status = lb_http_server_new(&http, diag, &metrics->server);
    if (status != LB_OK) {
        free(metrics);
        return status;
    }
    *out_metrics = metrics;
    return LB_OK;
}

uint16_t lb_metrics_port(const struct lb_metrics *metrics)
{
    return lb_http_server_port(metrics->server);
}

void lb_metrics_free(struct lb_metrics *metrics)
{
    if (metrics == NULL)
        return;
    lb_http_server_stop(metrics->server);
    free(metrics);
}
