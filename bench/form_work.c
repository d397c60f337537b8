#include "bench/form_work.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/limits.h"

#define MAX_FAILURE_BYTES 160

static const char *const step_names[LB_BENCH_NUM_STEPS] = {
    "open", "notice", "grants", "confirm", "collect", "close",
};

/* --- a case's way through its steps --- */

static unsigned next_step(const struct lb_bench_forms *forms, unsigned step)
{
    while (step < LB_BENCH_NUM_STEPS && (forms->steps & LB_BENCH_BIT(step)) == 0)
        step++;
    return step;
}

static void fail(struct lb_bench_form_lane *own, const char *why, struct lb_span details)
{
    char text[MAX_FAILURE_BYTES];
    (void)snprintf(text, sizeof(text), "%s: %s: %.*s", step_names[own->step], why,
                   (int)(details.len < sizeof(text) ? details.len : sizeof(text)),
                   (const char *)details.ptr);
    lb_bench_lane_done(own->lane, text);
}

static void take_step(struct lb_bench_form_lane *own)
{
    struct lb_span request = LB_SPAN_EMPTY;
    lb_arena_reset(own->arena);
    own->complete = false;
    own->missing[0] = 0;
    own->status = lb_bench_form_calls[own->step].ask(own, &request);
    if (own->status != LB_OK)
        lb_bench_die("%s: %s", step_names[own->step], own->status->what);
    own->step_began_ns = lb_bench_now_ns();
    lb_bench_call_start(&own->call, &own->forms->routes[own->step], request);
}

static void on_message(void *self, struct lb_span bytes)
{
    struct lb_bench_form_lane *own = self;
    if (own->status == LB_OK)
        own->status = lb_bench_form_calls[own->step].take(own, bytes);
}

static void on_closed(void *self, grpc_status_code code, struct lb_span details)
{
    struct lb_bench_form_lane *own = self;
    own->lane->step_ns[own->step] = lb_bench_now_ns() - own->step_began_ns;
    if (code != GRPC_STATUS_OK) {
        fail(own, "refused", details);
        return;
    }
    if (own->status != LB_OK || !own->complete) {
        fail(own, own->status == LB_OK ? "the end is missing" : own->status->what,
             lb_span_str(own->missing));
        return;
    }
    own->step = next_step(own->forms, own->step + 1);
    if (own->step == LB_BENCH_NUM_STEPS)
        lb_bench_lane_done(own->lane, NULL);
    else
        take_step(own);
}

/* --- lanes --- */

static void *make_lane(void *ctx, struct lb_bench_lane *lane)
{
    struct lb_bench_form_lane *own = calloc(1, sizeof(*own));
    if (own == NULL)
        lb_bench_die("out of memory");
    own->forms = ctx;
    own->lane = lane;
    own->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    if (own->arena == NULL)
        lb_bench_die("out of memory");
    lb_bench_call_init(&own->call, own->forms->queue, own, on_message, on_closed);
    return own;
}

static bool begin(void *work)
{
    struct lb_bench_form_lane *own = work;
    struct lb_bench_forms *forms = own->forms;
    if (forms->num_cases > 0 && forms->next == forms->num_cases)
        return false;
    own->now = forms->cases == NULL ? &own->own : &forms->cases[forms->next];
    own->now->person = &forms->people.list[forms->next++ % forms->people.num];
    own->step = next_step(forms, 0);
    take_step(own);
    return true;
}

struct lb_bench_forms *lb_bench_forms_new(grpc_completion_queue *queue, grpc_channel *agent,
                                          grpc_channel *office)
{
    struct lb_bench_forms *forms = calloc(1, sizeof(*forms));
    if (forms == NULL)
        lb_bench_die("out of memory");
    forms->queue = queue;
    for (unsigned i = 0; i < LB_BENCH_NUM_STEPS; i++) {
        const struct lb_bench_form_call *call = &lb_bench_form_calls[i];
        forms->routes[i] = lb_bench_route_to(call->at_desk ? office : agent, call->method,
                                             i == LB_BENCH_COLLECT);
    }
    return forms;
}

struct lb_bench_work lb_bench_forms_work(struct lb_bench_forms *forms)
{
    forms->next = 0;
    return (struct lb_bench_work){
        .ctx = forms,
        .lane = make_lane,
        .begin = begin,
        .num_steps = LB_BENCH_NUM_STEPS,
        .step_names = step_names,
    };
}
