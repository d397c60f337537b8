#include "adapters/serve/serve.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/serve/gate.h"
#include "adapters/serve/intake_state.h"
#include "gateway/base/log.h"
#include "gateway/base/trace.h"
#include "gateway/base/wipe.h"
#include "gateway/wire/pb.h"

#define MAX_CONTEXTS 4096
#define DRILL_CONNECTIONS 2

static bool has_views(const struct lb_serve_policy *policy, enum lb_view_source source)
{
    bool found = false;
    for (size_t i = 0; i < policy->num_views; i++)
        found = found || policy->views[i]->source == source;
    return found;
}

static lb_status open_drill(struct lb_serve *serve, struct lb_diag *diag)
{
    const struct lb_serve_options *options = &serve->options;
    const struct lb_serve_pool_options drill = {
        options->drill_plugin, options->drill_database, DRILL_CONNECTIONS, options->policy,
        LB_VIEW_DRILL};
    if (!has_views(options->policy, LB_VIEW_DRILL))
        return LB_OK;
    LB_ENSURE(options->drill_plugin != NULL, LB_CONFIG_INVALID, "views of no drill's database");
    return lb_serve_pool_new(&drill, diag, &serve->drill);
}

static lb_status open_pools(struct lb_serve *serve, struct lb_diag *diag)
{
    const struct lb_serve_options *options = &serve->options;
    const struct lb_serve_pool_options database = {
        options->plugin, options->database, options->num_connections, options->policy,
        LB_VIEW_DATABASE};
    const struct lb_serve_pool_options officer = {
        options->officer, {.location = ""}, options->num_officer, options->policy, LB_VIEW_OFFICER};
    LB_TRY(lb_serve_pool_new(&database, diag, &serve->pool));
    LB_TRY(open_drill(serve, diag));
    if (!has_views(options->policy, LB_VIEW_OFFICER))
        return LB_OK;
    LB_ENSURE(options->officer != NULL, LB_CONFIG_INVALID, "views of an officer who is not there");
    return lb_serve_pool_new(&officer, diag, &serve->officer);
}

void lb_serve_drain(struct lb_serve *serve, int64_t timeout_ms)
{
    if (serve == NULL)
        return;
    lb_serve_gate_shut(serve->gate);
    lb_serve_gate_wait_ms(serve->gate, timeout_ms);
}

void lb_serve_stop_sources(struct lb_serve *serve)
{
    if (serve == NULL)
        return;
    lb_serve_pool_stop(serve->pool);
    lb_serve_pool_stop(serve->officer);
    lb_serve_pool_stop(serve->drill);
}

lb_status lb_serve_new(const struct lb_serve_options *options, struct lb_diag *diag,
                       struct lb_serve **out_serve)
{
    struct lb_serve *serve = calloc(1, sizeof(*serve));
    LB_ENSURE(serve != NULL, LB_NO_MEMORY, "serve");
    serve->options = *options;
    lb_share_memory_init(&serve->shares);
    lb_status status = lb_serve_check_shares(options, diag);
    if (status == LB_OK)
        status = open_pools(serve, diag);
    if (status == LB_OK)
        status = lb_seal_contexts_new(MAX_CONTEXTS, options->clock, &serve->contexts);
    if (status == LB_OK)
        status = lb_serve_memory_new(&serve->memory);
    if (status == LB_OK)
        status = lb_share_pairs_new(&serve->share_pairs);
    if (status == LB_OK)
        status = lb_serve_status_new(&serve->status);
    if (status == LB_OK)
        status = lb_serve_gate_new(&serve->gate);
    if (status == LB_OK)
        status = lb_operator_cache_new(&serve->operators);
    if (status == LB_OK)
        status = lb_serve_grants_new(&serve->grants);
    lb_serve_budgets_init(&serve->budgets);
    lb_serve_events_init(&serve->events);
    lb_serve_erasures_init(&serve->erasures);
    if (status == LB_OK)
        status = lb_serve_epochs_new(options->pseudonym_key, options->pseudonym_folder, diag,
                                     &serve->epochs);
    lb_serve_probes_init(&serve->probes, serve->epochs);
    if (status == LB_OK)
        status = lb_serve_closure_new(&serve->options, serve->epochs, diag, &serve->closure);
    if (status == LB_OK)
        status = lb_intake_new(serve, diag, &serve->intake);
    if (status != LB_OK) {
        lb_serve_free(serve);
        return status;
    }
    *out_serve = serve;
    return LB_OK;
}

void lb_serve_free(struct lb_serve *serve)
{
    if (serve == NULL)
        return;
    if (serve->gate != NULL)
        lb_serve_gate_wait(serve->gate);
    lb_intake_free(serve->intake);
    lb_serve_gate_free(serve->gate);
    lb_serve_closure_free(serve->closure);
    lb_operator_cache_free(serve->operators);
    lb_serve_grants_free(serve->grants);
    lb_serve_status_free(serve->status);
    lb_serve_memory_free(serve->memory);
    lb_share_pairs_free(serve->share_pairs);
    lb_seal_contexts_free(serve->contexts);
    lb_serve_pool_free(serve->pool);
    lb_serve_pool_free(serve->officer);
    lb_serve_pool_free(serve->drill);
    lb_serve_epochs_free(serve->epochs);
    lb_wipe(&serve->options, sizeof(serve->options));
    free(serve);
}

struct lb_intake *lb_serve_intake(struct lb_serve *serve)
{
    return serve->intake;
}

const char *lb_serve_self(const struct lb_serve *serve)
{
    return serve->options.self;
}

/* For who looks at one request through all hops, and only when its caller asked for it. The code
 * is the outer one. */
static void log_read(const struct lb_read_job *job, enum lb_code code)
{
    struct lb_trace from, own;
    if (!lb_trace_parse(lb_span_str(job->request->traceparent), &from) || !from.sampled)
        return;
    lb_trace_step(&from, &own);
    lb_log_event(LB_LOG_INFO, "read_answered",
                 "\"trace\":\"%s\",\"span\":\"%s\",\"parent\":\"%s\",\"code\":\"%s\",\"ms\":%lld",
                 own.id, own.span, from.span, lb_code_name(code),
                 (long long)(lb_clock_monotonic_ms(job->serve->options.clock) - job->begun_ms));
}

void lb_read_finish(struct lb_read_job *job, const struct lb_serve_answer *answer)
{
    struct lb_serve_gate *gate = job->serve->gate;
    lb_meter_count(job->serve->options.meter, LB_METER_READ, answer->code);
    log_read(job, lb_code_outer(answer->code));
    job->done(job->ctx, answer);
    if (job->directory != NULL)
        lb_directory_unref(job->directory);
    lb_hpke_context_wipe(&job->context);
    struct lb_arena *arena = job->arena;
    lb_wipe(job, sizeof(*job));
    free(job);
    lb_arena_free(arena);
    lb_serve_gate_leave(gate);
}

void lb_serve_tick(struct lb_serve *serve)
{
    lb_seal_contexts_sweep(serve->contexts);
    lb_serve_closure_look(serve->closure);
    lb_serve_epochs_look(serve->epochs, serve->options.log);
}

static void free_job(struct lb_read_job *job)
{
    lb_arena_free(job->arena);
    free(job);
}

static lb_status copy_request(struct lb_read_job *job, const Lianban__V1__ReadRequest *request)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(request, job->arena, &bytes));
    return lb_pb_unpack(&lianban__v1__read_request__descriptor, bytes, job->arena, &job->request);
}

static lb_status new_job(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                         const struct lb_hash *route_leaf, lb_serve_done done, void *ctx,
                         struct lb_read_job **out_job)
{
    struct lb_read_job *job = calloc(1, sizeof(*job));
    LB_ENSURE(job != NULL, LB_NO_MEMORY, "read");
    *job = (struct lb_read_job){
        .job = {.run = lb_read_work},
        .serve = serve,
        .route_leaf = *route_leaf,
        .done = done,
        .ctx = ctx,
        .arena = lb_arena_new(LB_CALL_ARENA_BYTES),
        .begun_ms = lb_clock_monotonic_ms(serve->options.clock),
    };
    lb_status status = job->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "read arena")
                                          : copy_request(job, request);
    if (status != LB_OK) {
        free_job(job);
        return status;
    }
    *out_job = job;
    return LB_OK;
}

lb_status lb_serve_submit(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                          const struct lb_hash *route_leaf, lb_serve_done done, void *ctx)
{
    struct lb_read_job *job = NULL;
    LB_TRY(lb_serve_gate_enter(serve->gate));
    lb_status status = new_job(serve, request, route_leaf, done, ctx, &job);
    if (status == LB_OK) {
        status = lb_workers_submit(serve->options.workers, &job->job);
        if (status != LB_OK)
            free_job(job);
    }
    if (status != LB_OK)
        lb_serve_gate_leave(serve->gate);
    return status;
}

void lb_serve_batch_init(struct lb_serve_batch *batch)
{
    batch->first = NULL;
    batch->last = &batch->first;
}

lb_status lb_serve_add(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                       const struct lb_serve_route *route, lb_serve_done done, void *ctx,
                       struct lb_serve_batch *batch)
{
    struct lb_read_job *job = NULL;
    LB_TRY(lb_serve_gate_enter(serve->gate));
    lb_status status = new_job(serve, request, &route->leaf, done, ctx, &job);
    if (status != LB_OK) {
        lb_serve_gate_leave(serve->gate);
        return status;
    }
    memcpy(job->entry.leaf.request_hash, route->request_sha256, sizeof(route->request_sha256));
    job->is_hashed = true;
    job->job.next = NULL;
    *batch->last = &job->job;
    batch->last = &job->job.next;
    return LB_OK;
}

void lb_serve_submit_all(struct lb_serve *serve, struct lb_serve_batch *batch)
{
    struct lb_job *left = NULL;
    lb_status status = lb_workers_submit_all(serve->options.workers, batch->first, &left);
    while (left != NULL) {
        struct lb_read_job *job = (struct lb_read_job *)left;
        const struct lb_serve_answer answer = {
            .txn = job->request->txn.data,
            .code = lb_status_code(status),
        };
        left = left->next;
        lb_read_finish(job, &answer);
    }
    lb_serve_batch_init(batch);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool finished;
    struct lb_arena *arena;
    lb_status status;
    struct lb_serve_answer answer;
};

static lb_status copy_answer(struct waiter *waiter, const struct lb_serve_answer *answer)
{
    struct lb_span txn = LB_SPAN_EMPTY;
    LB_TRY(lb_arena_copy(waiter->arena, lb_span_of(answer->txn, 16), &txn));
    waiter->answer = *answer;
    waiter->answer.txn = txn.ptr;
    LB_TRY(lb_arena_copy(waiter->arena, answer->sealed, &waiter->answer.sealed));
    return lb_arena_copy(waiter->arena, answer->leaf, &waiter->answer.leaf);
}

static void wake(void *ctx, const struct lb_serve_answer *answer)
{
    struct waiter *waiter = ctx;
    (void)pthread_mutex_lock(&waiter->lock);
    waiter->status = copy_answer(waiter, answer);
    waiter->finished = true;
    (void)pthread_cond_signal(&waiter->done);
    (void)pthread_mutex_unlock(&waiter->lock);
}

lb_status lb_serve_read(struct lb_serve *serve, const Lianban__V1__ReadRequest *request,
                        const struct lb_hash *route_leaf, struct lb_arena *arena,
                        struct lb_serve_answer *out_answer)
{
    LB_ENSURE(request->txn.len == 16, LB_MALFORMED, "txn is not 16 bytes");
    struct waiter waiter = {.arena = arena};
    (void)pthread_mutex_init(&waiter.lock, NULL);
    (void)pthread_cond_init(&waiter.done, NULL);
    lb_status status = lb_serve_submit(serve, request, route_leaf, wake, &waiter);
    if (status == LB_OK) {
        (void)pthread_mutex_lock(&waiter.lock);
        while (!waiter.finished)
            (void)pthread_cond_wait(&waiter.done, &waiter.lock);
        (void)pthread_mutex_unlock(&waiter.lock);
        status = waiter.status;
    }
    (void)pthread_cond_destroy(&waiter.done);
    (void)pthread_mutex_destroy(&waiter.lock);
    if (status == LB_OK)
        *out_answer = waiter.answer;
    return status;
}
