#include "bench/bare_work.h"

#include <stdlib.h>
#include <string.h>

#include "bench/call.h"

struct bare {
    grpc_completion_queue *queue;
    struct lb_bench_route route;
    struct lb_span request;
};

struct bare_lane {
    const struct bare *bare;
    struct lb_bench_lane *lane;
    struct lb_bench_call call;
    bool answered;
};

static void on_message(void *self, struct lb_span bytes)
{
    struct bare_lane *own = self;
    own->answered = bytes.len > 0;
}

static void on_closed(void *self, grpc_status_code code, struct lb_span details)
{
    struct bare_lane *own = self;
    (void)details;
    bool well = code == GRPC_STATUS_OK && own->answered;
    lb_bench_lane_done(own->lane, well ? NULL : "the bare fan-out failed");
}

static void *make_lane(void *ctx, struct lb_bench_lane *lane)
{
    struct bare_lane *own = calloc(1, sizeof(*own));
    if (own == NULL)
        lb_bench_die("out of memory");
    own->bare = ctx;
    own->lane = lane;
    lb_bench_call_init(&own->call, own->bare->queue, own, on_message, on_closed);
    return own;
}

static bool begin(void *work)
{
    struct bare_lane *own = work;
    own->answered = false;
    lb_bench_call_start(&own->call, &own->bare->route, own->bare->request);
    return true;
}

struct lb_bench_work lb_bench_bare_work(grpc_completion_queue *queue, grpc_channel *channel,
                                        size_t num_bytes)
{
    struct bare *bare = calloc(1, sizeof(*bare));
    uint8_t *bytes = malloc(num_bytes);
    if (bare == NULL || bytes == NULL)
        lb_bench_die("out of memory");
    memset(bytes, 'q', num_bytes);
    bare->queue = queue;
    bare->route = lb_bench_route_to(channel, LB_BENCH_METHOD, false);
    bare->request = lb_span_of(bytes, num_bytes);
    return (struct lb_bench_work){.ctx = bare, .lane = make_lane, .begin = begin};
}
