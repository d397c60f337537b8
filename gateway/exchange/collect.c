#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/exchange/gather.h"
#include "gateway/exchange/inside.h"
#include "gateway/json/json.h"
#include "gateway/wire/pb.h"

/* A household of twelve at ten departments fits many times over; see LB_MAX_READS_PER_COLLECT. */
#define COLLECT_ARENA_BYTES (8U * 1024 * 1024)

void lb_collect_hold(struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&collect->lock);
    collect->refs++;
    (void)pthread_mutex_unlock(&collect->lock);
}

static void free_collect(struct lb_collect *collect)
{
    struct lb_exchange *exchange = collect->exchange;
    lb_exchange_remove_collect(exchange, collect);
    for (size_t i = 0; i < collect->num_reads; i++) {
        struct routed_read *read = &collect->reads[i];
        lb_buf_cleanup(&read->sealed);
        lb_buf_cleanup(&read->adapter_leaf);
        lb_buf_cleanup(&read->adapter_path);
        lb_buf_cleanup(&read->adapter_checkpoint);
    }
    (void)pthread_mutex_destroy(&collect->lock);
    free(collect->reads);
    lb_arena_free(collect->arena);
    free(collect);
    lb_exchange_forget_collect(exchange);
}

void lb_collect_release(struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&collect->lock);
    bool last = --collect->refs == 0;
    (void)pthread_mutex_unlock(&collect->lock);
    if (!last)
        return;
    free_collect(collect);
}

void lb_collect_fail(struct lb_collect *collect, lb_status status)
{
    (void)pthread_mutex_lock(&collect->lock);
    if (!collect->detached)
        collect->port.fail(collect->port.ctx, status);
    (void)pthread_mutex_unlock(&collect->lock);
}

static void finish(struct lb_collect *collect, lb_status status)
{
    (void)pthread_mutex_lock(&collect->lock);
    if (!collect->detached)
        collect->port.finish(collect->port.ctx, status);
    (void)pthread_mutex_unlock(&collect->lock);
}

void lb_collect_refuse(struct lb_collect *collect, lb_status status)
{
    lb_exchange_refused(collect->exchange, collect->caller, status);
    finish(collect, status);
}

/* A refusal of the whole request is an entry of its own. */
static void deny(struct lb_collect *collect, lb_status reason)
{
    enum lb_code outer = lb_code_outer(reason->code);
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    lb_status status = entry == NULL ? LB_FAULT(LB_NO_MEMORY, "entry") : LB_OK;
    lb_json_set_cstr(detail, "requester", collect->caller);
    if (status == LB_OK)
        status = lb_json_dump(detail, LB_JSON_COMPACT, collect->arena, &entry->detail);
    if (status == LB_OK) {
        entry->leaf.type = LB_LEAF_DENY;
        entry->leaf.count = 1;
        (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", lb_code_name(outer));
        status = lb_log_append_wait(collect->exchange->options.log, entry);
    }
    free(entry);
    lb_log_failure("denial_not_recorded", status);
    lb_meter_count(collect->exchange->options.meter, LB_METER_COLLECT, reason->code);
    finish(collect, reason);
}

/* What goes on is of the right form and names our step, whatever came. */
static lb_status take_trace(struct routed_read *read, Lianban__V1__ReadRequest *request)
{
    const struct lb_trace *call = &read->collect->trace;
    struct lb_trace from;
    char text[LB_TRACE_BYTES];
    if (!lb_trace_parse(lb_span_str(request->traceparent), &from)) {
        from = *call;
        if (call->id[0] == 0)
            lb_trace_begin(&from);
    }
    lb_trace_step(&from, &read->trace);
    lb_trace_format(&read->trace, text);
    request->traceparent = lb_arena_str(read->collect->arena, lb_span_str(text));
    LB_ENSURE(request->traceparent != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status make_reads(struct lb_collect *collect)
{
    size_t num = collect->request->n_reads;
    LB_TRY(lb_exchange_add_reads(collect->exchange, num));
    collect->num_reserved = num;
    collect->reads = calloc(num, sizeof(collect->reads[0]));
    LB_ENSURE(collect->reads != NULL, LB_NO_MEMORY, "reads");
    for (size_t i = 0; i < num; i++) {
        struct routed_read *read = &collect->reads[i];
        read->collect = collect;
        read->request = collect->request->reads[i];
        read->begun_ms = lb_clock_monotonic_ms(collect->exchange->options.clock);
        LB_TRY(take_trace(read, collect->request->reads[i]));
        if (read->request->deadline_unix_ms < collect->deadline_unix_ms)
            collect->deadline_unix_ms = read->request->deadline_unix_ms;
        lb_buf_init(&read->sealed, LB_MAX_SEALED_BYTES);
        lb_buf_init(&read->adapter_leaf, LB_MAX_LEAF_BYTES);
        lb_buf_init(&read->adapter_path, LB_MAX_PROOF_HASHES * LB_HASH_BYTES);
        lb_buf_init(&read->adapter_checkpoint, LB_MAX_LEAF_BYTES);
    }
    collect->num_reads = num;
    collect->num_open = collect->num_unanswered = num;
    collect->routes = lb_arena_array(collect->arena, num, sizeof(collect->routes[0]));
    LB_ENSURE(collect->routes != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static void route_all(struct lb_collect *collect)
{
    struct lb_exchange *exchange = collect->exchange;
    lb_exchange_case_begins(exchange);
    lb_exchange_add_collect(exchange, collect);
    for (size_t i = 0; i < collect->num_reads; i++)
        collect->routes[i] = lb_read_route(&collect->reads[i]);
    lb_gather_add(exchange->gather, collect->routes, collect->num_reads,
                  lb_exchange_pace_us(exchange));
}

static void start(struct lb_job *job)
{
    struct lb_collect *collect = (struct lb_collect *)job;
    lb_status status = lb_collect_check(collect);
    if (status == LB_OK)
        status = make_reads(collect);
    if (status != LB_OK) {
        lb_collect_yield(collect, false);
        deny(collect, status);
        lb_collect_release(collect);
        return;
    }
    lb_meter_count(collect->exchange->options.meter, LB_METER_COLLECT, LB_CODE_OK);
    route_all(collect);
    lb_collect_release(collect);
}

static lb_status copy_inputs(struct lb_collect *collect, const char *caller,
                             struct lb_span operator_token, struct lb_span request)
{
    collect->caller = lb_arena_str(collect->arena, lb_span_str(caller));
    LB_ENSURE(collect->caller != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_arena_copy(collect->arena, operator_token, &collect->operator_token));
    return lb_arena_copy(collect->arena, request, &collect->request_bytes);
}

lb_status lb_exchange_collect(struct lb_exchange *exchange, const char *caller,
                              struct lb_span operator_token, struct lb_span request,
                              int64_t deadline_unix_ms, const struct lb_collect_port *port,
                              struct lb_collect **out_collect)
{
    struct lb_collect *collect = calloc(1, sizeof(*collect));
    LB_ENSURE(collect != NULL, LB_NO_MEMORY, "collect");
    *collect = (struct lb_collect){
        .job = {.run = start},
        .exchange = exchange,
        .arena = lb_arena_new(COLLECT_ARENA_BYTES),
        .refs = 2, /* the caller's and the worker's */
        .port = *port,
        .deadline_unix_ms = deadline_unix_ms,
    };
    collect->last_ready = &collect->ready;
    if (!lb_trace_parse(port->traceparent, &collect->trace))
        collect->trace = (struct lb_trace){.sampled = false};
    collect->port.traceparent = LB_SPAN_EMPTY;
    lb_exchange_count_collect(exchange);
    (void)pthread_mutex_init(&collect->lock, NULL);
    lb_status status = collect->arena == NULL
                           ? LB_FAULT(LB_NO_MEMORY, "collect arena")
                           : copy_inputs(collect, caller, operator_token, request);
    if (status == LB_OK)
        status = lb_collect_ask(collect);
    if (status != LB_OK) {
        free_collect(collect);
        return status;
    }
    *out_collect = collect;
    return LB_OK;
}

void lb_collect_close(struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&collect->lock);
    collect->detached = true;
    (void)pthread_mutex_unlock(&collect->lock);
    lb_collect_release(collect);
}
