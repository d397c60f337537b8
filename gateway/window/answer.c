#include "gateway/base/log.h"
#include "gateway/seal/exchange.h"
#include "gateway/seal/padded.h"
#include "gateway/window/run.h"
#include "gateway/wire/pb.h"

/* One event of the broker's stream: which read it is about, whether its receipt holds, and what it
 * says. */

#define SEALED_VERSION 1U
#define EVENT_ARENA_BYTES (4U * 1024 * 1024)

/* A code this agent does not know is a newer one's; it is never success. */
static enum lb_code code_of(const char *name)
{
    enum lb_code code = LB_INTERNAL;
    if (!lb_code_by_name(name, strlen(name), &code) || code == LB_CODE_OK)
        return LB_INTERNAL;
    return code;
}

/* Nobody on the way may tell what depends on the subject. */
static enum lb_code outer_code_of(const char *name)
{
    enum lb_code code = code_of(name);
    return lb_code_scope(code) == LB_SCOPE_OUTER ? code : LB_INTERNAL;
}

/* What an outer code means for the facts. Only what the department itself recorded can be final. */
static enum lb_fact_state state_of(enum lb_code code, bool recorded)
{
    switch (code) {
    case LB_DEADLINE:
        return LB_FACT_TIMEOUT;
    case LB_UNAVAILABLE:
    case LB_BUSY:
    case LB_STOPPING:
    case LB_CANCELLED:
    case LB_INTERNAL:
    case LB_CRL_STALE:
    case LB_STATUS_STALE:
    case LB_GRANT_SUSPENDED: /* it may be resumed */
    case LB_CONTEXT_UNKNOWN:
    case LB_KEY_RETIRED:
    case LB_REQUEST_STALE:
    case LB_BUDGET_EXHAUSTED:
    case LB_VIEW_CLOSED:
    case LB_SHARE_PEER:
    case LB_LOG_FULL:
    case LB_LOG_UNAVAILABLE:
    case LB_LOG_UNWITNESSED:
    case LB_LOG_FORK:
    case LB_LOG_BEHIND:
    case LB_RECEIPT_INVALID:
        return LB_FACT_UNAVAILABLE;
    default:
        return recorded ? LB_FACT_DENIED : LB_FACT_UNAVAILABLE;
    }
}

static enum lb_fact_state inner_state_of(enum lb_code code)
{
    switch (code) {
    case LB_NOT_FOUND:
        return LB_FACT_NOT_FOUND;
    case LB_AMBIGUOUS:
        return LB_FACT_AMBIGUOUS;
    case LB_STALE:
        return LB_FACT_STALE;
    case LB_SOURCE_UNAVAILABLE:
        return LB_FACT_UNAVAILABLE;
    case LB_SOURCE_TIMEOUT:
        return LB_FACT_TIMEOUT;
    default:
        return LB_FACT_DENIED;
    }
}

/* Sealed anew the same request may pass. */
static bool worth_again(enum lb_code code)
{
    return code == LB_CONTEXT_UNKNOWN || code == LB_KEY_RETIRED || code == LB_REQUEST_STALE;
}

static struct lb_collect_read *find_read(struct lb_collect_run *run, struct lb_span txn)
{
    for (size_t i = 0; i < run->num_reads; i++) {
        struct lb_collect_read *read = &run->reads[i];
        if (read->open && lb_span_eq(lb_pb_span(read->request->txn), txn))
            return read;
    }
    return NULL;
}

static lb_status open_answer(const struct lb_collect_read *read,
                             const Lianban__V1__CollectEvent *event, struct lb_arena *arena,
                             Lianban__V1__SealedAnswer **out)
{
    const Lianban__V1__ReadRequest *request = read->request;
    struct lb_span framed, plain;
    LB_ENSURE(event->sealed.len == request->answer_bytes, LB_SEAL_BROKEN,
              "answer has another size than declared");
    LB_TRY(lb_open_answer(&read->context.context, read->seq,
                          lb_pb_span(request->sealed->ciphertext), lb_pb_span(request->txn),
                          lb_pb_span(event->sealed), arena, &framed));
    LB_TRY(lb_padded_unwrap(framed, &plain));
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_answer__descriptor, plain, arena, out));
    LB_ENSURE((*out)->version == SEALED_VERSION, LB_VERSION_UNSUPPORTED,
              "sealed answer of another version");
    return LB_OK;
}

static lb_status refuse_receipt(struct lb_collect_run *run, const struct lb_collect_read *read)
{
    run->entry->receipts_failed++;
    lb_log_event(LB_LOG_ERROR, "receipt_invalid", "\"adapter\":\"%s\"", read->adapter->spiffe);
    return lb_collect_settle(run, read, LB_FACT_UNAVAILABLE, LB_RECEIPT_INVALID, false);
}

static lb_status take_answer(struct lb_collect_run *run, const struct lb_collect_read *read,
                             const Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    Lianban__V1__SealedAnswer *answer = NULL;
    lb_status status = open_answer(read, event, arena, &answer);
    if (lb_status_code(status) == LB_NO_MEMORY)
        return status;
    if (status != LB_OK) {
        /* Recorded as it stands, and yet it does not open: the department's fault. */
        lb_log_failure("answer_unreadable", status);
        return lb_collect_settle(run, read, LB_FACT_UNAVAILABLE, status->code, true);
    }
    if (strcmp(answer->code, lb_code_name(LB_CODE_OK)) != 0) {
        enum lb_code code = code_of(answer->code);
        return lb_collect_settle(run, read, inner_state_of(code), code, true);
    }
    status = lb_collect_facts(run, read, answer);
    if (lb_status_code(status) == LB_RECEIPT_INVALID)
        return refuse_receipt(run, read);
    return status;
}

/* A broker that could not record the delivery says so and shows nothing to check. */
static bool has_receipt(const Lianban__V1__CollectEvent *event, enum lb_code code)
{
    bool undelivered = code == LB_LOG_UNAVAILABLE || code == LB_LOG_FULL ||
                       (code == LB_BUSY && event->deliver == NULL);
    return code == LB_ANSWERED || (event->adapter_entry != NULL && !undelivered);
}

/* What a broker says of itself, or of its own way to the department, is asked elsewhere, and later
 * when the department is expected back in a moment; what the department has recorded and a broker
 * has delivered is not. */
static bool asked_again(struct lb_collect_run *run, struct lb_collect_read *read,
                        const Lianban__V1__CollectEvent *event, enum lb_code code)
{
    bool own_word = event->adapter_entry == NULL || !has_receipt(event, code);
    bool broken_link = code == LB_LOG_FORK || code == LB_LOG_BEHIND || code == LB_RECEIPT_INVALID;
    if (!own_word || code == LB_DEADLINE)
        return false;
    read->expected = read->expected || code == LB_STOPPING;
    if (!lb_collect_has_other(run) && !(read->expected && lb_collect_may_wait(run)))
        return false;
    return broken_link || lb_window_is_broker_trouble(code);
}

static lb_status take_outcome(struct lb_collect_run *run, struct lb_collect_read *read,
                              const Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    enum lb_code code = outer_code_of(event->code);
    bool recorded = has_receipt(event, code);
    if (asked_again(run, read, event, code)) {
        read->due = true;
        run->again = true;
        return LB_OK;
    }
    if (recorded) {
        lb_status receipt = lb_receipt_check(run, read, event);
        if (lb_status_code(receipt) == LB_NO_MEMORY)
            return receipt;
        run->entry->receipts_checked++;
        if (receipt != LB_OK)
            return refuse_receipt(run, read);
    }
    if (code == LB_ANSWERED)
        return take_answer(run, read, event, arena);
    /* The directory may list a key a moment before its node has looked for it. */
    bool early = code == LB_KEY_RETIRED && read->retried && lb_collect_may_wait(run);
    if (early || (worth_again(code) && !read->retried)) {
        lb_window_drop_context(run->window, read->context.enc);
        read->due = true;
        read->retried = true;
        run->again = run->again || early;
        return LB_OK;
    }
    return lb_collect_settle(run, read, state_of(code, recorded), code, recorded);
}

static lb_status take_event(struct lb_collect_run *run, const Lianban__V1__CollectEvent *event,
                            struct lb_arena *arena)
{
    struct lb_collect_read *read = find_read(run, lb_pb_span(event->txn));
    LB_ENSURE(read != NULL, LB_MALFORMED, "an event about no open read of ours");
    LB_TRY(take_outcome(run, read, event, arena));
    read->open = false;
    return LB_OK;
}

/* An outcome that came along, as if it had come alone. */
static Lianban__V1__CollectEvent event_of(const Lianban__V1__CollectOutcome *outcome,
                                          const Lianban__V1__CollectEvent *first)
{
    Lianban__V1__CollectEvent event = LIANBAN__V1__COLLECT_EVENT__INIT;
    event.txn = outcome->txn;
    event.code = outcome->code;
    event.sealed = outcome->sealed;
    event.adapter_entry = outcome->adapter_entry;
    event.adapter_log = outcome->adapter_log;
    event.route = outcome->route;
    event.deliver = outcome->deliver;
    event.broker_log = first->broker_log;
    return event;
}

/* What is wrong with one outcome is not held against those that came along. */
lb_status lb_collect_event(struct lb_collect_run *run, struct lb_span bytes)
{
    Lianban__V1__CollectEvent *event = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(EVENT_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "event arena");
    LB_TRY(lb_pb_unpack(&lianban__v1__collect_event__descriptor, bytes, arena, &event));
    lb_status first = take_event(run, event, arena);
    for (size_t i = 0; i < event->n_more; i++) {
        Lianban__V1__CollectEvent other = event_of(event->more[i], event);
        lb_status status = take_event(run, &other, arena);
        first = first == LB_OK ? status : first;
    }
    return first;
}
