#ifndef BENCH_FORM_WORK_H
#define BENCH_FORM_WORK_H

#include "bench/call.h"
#include "bench/people.h"
#include "bench/run.h"

/*
 * One case after another through the window agent, as a window system and a consent desk do it: the
 * agent over its Unix socket, the desk over mutual TLS at the consent office.
 */
enum lb_bench_step {
    LB_BENCH_OPEN,
    LB_BENCH_NOTICE, /* once before all: a desk has the notice of its form at hand */
    LB_BENCH_GRANTS,
    LB_BENCH_CONFIRM,
    LB_BENCH_COLLECT,
    LB_BENCH_CLOSE,
    LB_BENCH_NUM_STEPS,
};
#define LB_BENCH_BIT(step_) (1U << (step_))

#define LB_BENCH_MAX_ID_BYTES 128
#define LB_BENCH_SHA256_BYTES 32

/* One application on its way. */
struct lb_bench_case {
    const struct lb_bench_person *person;
    char case_id[LB_BENCH_MAX_ID_BYTES];
    char request_id[LB_BENCH_MAX_ID_BYTES];
};

struct lb_bench_forms {
    grpc_completion_queue *queue;
    const char *form;
    struct lb_bench_people people;
    struct lb_bench_route routes[LB_BENCH_NUM_STEPS];
    uint8_t notice[LB_BENCH_SHA256_BYTES];
    unsigned steps; /* LB_BENCH_BITs of those taken now */
    /* Cases that go through their steps in several runs; NULL when each is one run. */
    struct lb_bench_case *cases;
    size_t num_cases; /* 0: no end */
    size_t next;
};

/* lb_bench_forms_new makes the work; it lives until the process ends. */
struct lb_bench_forms *lb_bench_forms_new(grpc_completion_queue *queue, grpc_channel *agent,
                                          grpc_channel *office);

/* lb_bench_forms_work is the work of one run over the steps that are set. */
struct lb_bench_work lb_bench_forms_work(struct lb_bench_forms *forms);

/* --- between form_work.c and form_calls.c --- */

struct lb_bench_form_lane {
    struct lb_bench_forms *forms;
    struct lb_bench_lane *lane;
    struct lb_bench_call call;
    struct lb_arena *arena; /* of one step */
    struct lb_bench_case own;
    struct lb_bench_case *now;
    unsigned step;
    int64_t step_began_ns;
    lb_status status; /* of what came so far in this step */
    char missing[LB_BENCH_MAX_ID_BYTES]; /* department, state and code of what a case lacks */
    bool complete;    /* the step's last message came */
};

/* Whom a step calls, what it sends, and what it takes from each message that comes back. */
struct lb_bench_form_call {
    const char *method;
    bool at_desk;
    lb_status (*ask)(struct lb_bench_form_lane *own, struct lb_span *out);
    lb_status (*take)(struct lb_bench_form_lane *own, struct lb_span reply);
};

/* lb_bench_form_calls has one entry for each step. */
extern const struct lb_bench_form_call lb_bench_form_calls[LB_BENCH_NUM_STEPS];

#endif
