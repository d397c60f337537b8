#include "gateway/services/metrics_text.h"

#include <inttypes.h>

/* What the meter has counted. */

#define US_PER_S 1000000

void lb_metrics_head(struct lb_buf *out, const char *name, const char *type, const char *help)
{
    lb_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void lb_metrics_gauge(struct lb_buf *out, const char *name, const char *help, int64_t value)
{
    lb_metrics_head(out, name, "gauge", help);
    lb_buf_printf(out, "%s %" PRId64 "\n", name, value);
}

static void put_outcomes(const struct lb_meter *meter, struct lb_buf *out)
{
    lb_metrics_head(out, "lianban_outcomes_total", "counter",
                    "Outcomes by kind and outer code; what is inside sealed answers is not here.");
    for (int kind = 0; kind < LB_METER_NUM_KINDS; kind++) {
        for (int code = 0; code < LB_NUM_CODES; code++) {
            uint64_t num = lb_meter_counted(meter, (enum lb_meter_kind)kind, (enum lb_code)code);
            if (num > 0)
                lb_buf_printf(out, "lianban_outcomes_total{kind=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                              lb_meter_kind_name((enum lb_meter_kind)kind),
                              lb_code_name((enum lb_code)code), num);
        }
    }
}

void lb_metrics_put_counts(const struct lb_metrics_options *options, const char *const *paths,
                           struct lb_buf *out)
{
    put_outcomes(options->meter, out);
    lb_metrics_head(out, "lianban_calls_total", "counter", "gRPC calls by method and outer code.");
    for (size_t i = 0; i <= LB_METER_MAX_METHODS; i++) {
        bool named = i < LB_METER_MAX_METHODS && paths[i] != NULL;
        for (int code = 0; code < LB_NUM_CODES; code++) {
            uint64_t num = lb_meter_called(options->meter, i, (enum lb_code)code);
            if (num > 0)
                lb_buf_printf(out, "lianban_calls_total{method=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                              named ? paths[i] : "other", lb_code_name((enum lb_code)code), num);
        }
    }
}

static void put_seconds(struct lb_buf *out, uint64_t us)
{
    lb_buf_printf(out, "%" PRIu64 ".%06" PRIu64, us / US_PER_S, us % US_PER_S);
}

static void put_stage(const char *stage, const struct lb_meter_times *times, struct lb_buf *out)
{
    static const char name[] = "lianban_stage_seconds";
    uint64_t sum = 0;
    for (size_t i = 0; i < LB_METER_BUCKETS; i++) {
        sum += times->buckets[i];
        lb_buf_printf(out, "%s_bucket{stage=\"%s\",le=\"", name, stage);
        put_seconds(out, (uint64_t)lb_meter_bounds_us[i]);
        lb_buf_printf(out, "\"} %" PRIu64 "\n", sum);
    }
    sum += times->buckets[LB_METER_BUCKETS];
    lb_buf_printf(out, "%s_bucket{stage=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name, stage, sum);
    lb_buf_printf(out, "%s_sum{stage=\"%s\"} ", name, stage);
    put_seconds(out, times->sum_us);
    lb_buf_printf(out, "\n%s_count{stage=\"%s\"} %" PRIu64 "\n", name, stage, sum);
}

void lb_metrics_put_stages(const struct lb_metrics_options *options, struct lb_buf *out)
{
    lb_metrics_head(out, "lianban_stage_seconds", "histogram",
                    "How long the stages of requests take.");
    for (int stage = 0; stage < LB_METER_NUM_STAGES; stage++) {
        struct lb_meter_times times;
        bool any = false;
        lb_meter_times(options->meter, (enum lb_meter_stage)stage, &times);
        for (size_t i = 0; i <= LB_METER_BUCKETS; i++)
            any = any || times.buckets[i] > 0;
        if (any) /* a node has the stages of its own role only */
            put_stage(lb_meter_stage_name((enum lb_meter_stage)stage), &times, out);
    }
}

void lb_metrics_put_queues(const struct lb_metrics_options *options, struct lb_buf *out)
{
    lb_metrics_head(out, "lianban_queue_depth", "gauge", "Jobs that wait for a worker.");
    for (size_t i = 0; i < options->num_queues; i++) {
        struct lb_workers_load load;
        lb_workers_load(options->queues[i].workers, &load);
        lb_buf_printf(out, "lianban_queue_depth{queue=\"%s\"} %zu\n", options->queues[i].name,
                      load.num_queued);
    }
    lb_metrics_head(out, "lianban_queue_capacity", "gauge", "How many may wait; more are refused.");
    for (size_t i = 0; i < options->num_queues; i++) {
        struct lb_workers_load load;
        lb_workers_load(options->queues[i].workers, &load);
        lb_buf_printf(out, "lianban_queue_capacity{queue=\"%s\"} %zu\n", options->queues[i].name,
                      load.max_queued);
    }
}
