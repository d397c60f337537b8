#include "bench/bare_work.h"

#include <stdlib.h>
#include <string.h>

#include "bench/call.h"

struct bare {
    grpc_completion_queue *queue;
    struct lb_bench_route route;
    size_t num_bytes;
    struct lb_bench_pool_options sizes;
    size_t next;
};

struct bare_lane {
    struct bare *bare;
    struct lb_bench_lane *lane;
    struct lb_bench_call call;
    uint8_t *request;
    uint32_t expected; /* bytes of the answer, at least */
    bool answered;
};

static void on_message(void *self, struct lb_span bytes)
{
    struct bare_lane *own = self;
    own->answered = bytes.len > 0 && bytes.len >= own->expected;
}

static void on_closed(void *self, grpc_status_code code, struct lb_span details)
{
    struct bare_lane *own = self;
    (void)details;
    bool well = code == GRPC_STATUS_OK && own->answered;
    lb_bench_lane_done(own->lane, well ? NULL : "a bare call failed");
}

static void *make_lane(void *ctx, struct lb_bench_lane *lane)
{
    struct bare_lane *own = calloc(1, sizeof(*own));
    if (own == NULL)
        lb_bench_die("out of memory");
    own->bare = ctx;
    own->lane = lane;
    own->request = malloc(own->bare->num_bytes);
    if (own->request == NULL)
        lb_bench_die("out of memory");
    memset(own->request, 'q', own->bare->num_bytes);
    lb_bench_call_init(&own->call, own->bare->queue, own, on_message, on_closed);
    return own;
}

static bool begin(void *work)
{
    struct bare_lane *own = work;
    struct bare *bare = own->bare;
    own->answered = false;
    if (bare->sizes.num_sizes > 0) {
        own->expected = lb_bench_size_of(&bare->sizes, bare->next++, 0);
        memcpy(own->request, &own->expected, sizeof(own->expected));
    }
    lb_bench_call_start(&own->call, &bare->route, lb_span_of(own->request, bare->num_bytes));
    return true;
}

struct lb_bench_work lb_bench_bare_work(grpc_completion_queue *queue, grpc_channel *channel,
                                        size_t num_bytes, const struct lb_bench_size *sizes,
                                        size_t num_sizes)
{
    struct bare *bare = calloc(1, sizeof(*bare));
    if (bare == NULL)
        lb_bench_die("out of memory");
    if (num_sizes > 0 && num_bytes < sizeof(uint32_t))
        lb_bench_die("--request-bytes is too few to name a size");
    bare->queue = queue;
    bare->route = lb_bench_route_to(channel, LB_BENCH_METHOD, false);
    bare->num_bytes = num_bytes;
    bare->sizes.num_sizes = num_sizes;
    if (num_sizes > 0)
        memcpy(bare->sizes.sizes, sizes, num_sizes * sizeof(sizes[0]));
    return (struct lb_bench_work){.ctx = bare, .lane = make_lane, .begin = begin};
}
