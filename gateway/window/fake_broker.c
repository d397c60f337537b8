#include <stdio.h>
#include <string.h>

#include "gateway/base/later.h"
#include "gateway/crypto/hash.h"
#include "gateway/window/fixture.h"
#include "gateway/wire/pb.h"

/* The broker: an entry before each read goes on, an entry before each answer is relayed. */

void fx_log_entry(struct fixture *fx, struct lb_log *log, const struct lb_leaf *leaf,
                  struct lb_log_entry *out_entry)
{
    memset(out_entry, 0, sizeof(*out_entry));
    out_entry->leaf = *leaf;
    if (fx->falsify != NULL)
        fx->falsify(fx, &out_entry->leaf);
    assert_ok(lb_log_append_wait(log, out_entry));
}

void fx_log_prove(struct lb_log *log, const struct lb_log_entry *entry, struct lb_arena *arena,
                  Lianban__V1__LogProgress **out_progress, Lianban__V1__EntryProof **out_proof)
{
    uint64_t shown = 0, size = 0;
    assert_ok(lb_link_show(log, &shown, arena, out_progress, &size));
    assert_ok(lb_link_prove(log, entry->index, lb_span_of(entry->leaf_bytes, entry->leaf_len), size,
                            arena, out_proof));
}

struct lb_leaf fx_broker_leaf(const Lianban__V1__ReadRequest *read, enum lb_leaf_type type,
                              const char *code)
{
    struct lb_leaf leaf = {.type = type, .count = 1};
    size_t used = 0;
    memcpy(leaf.txn, read->txn.data, 16);
    (void)snprintf(leaf.code, sizeof(leaf.code), "%s", code);
    for (size_t i = 0; i < read->n_views; i++)
        used += (size_t)snprintf(leaf.views + used, sizeof(leaf.views) - used, "%s%s",
                                 i == 0 ? "" : ",", read->views[i]);
    lb_sha256(lb_pb_span(read->sealed->ciphertext), leaf.request_hash);
    return leaf;
}

static struct fx_adapter *find_adapter(struct fixture *fx, const char *spiffe)
{
    for (size_t i = 0; i < FX_ADAPTERS; i++) {
        if (strcmp(fx->adapters[i].spiffe, spiffe) == 0)
            return &fx->adapters[i];
    }
    fail_msg("no such adapter");
    return NULL;
}

struct relayed {
    struct fx_hub *hub;
    struct lb_log *log;
    Lianban__V1__CollectEvent event;
    struct lb_log_entry route, close;
    bool silent;
};

static void relay(struct fixture *fx, const Lianban__V1__ReadRequest *read,
                  struct lb_span operator_token, struct lb_arena *arena, struct relayed *out)
{
    struct fx_adapter *adapter = find_adapter(fx, read->audience);
    struct lb_leaf leaf = fx_broker_leaf(read, LB_LEAF_ROUTE, "ROUTED");
    struct lb_hash adapter_leaf;
    assert_int_equal(read->deadline_unix_ms, lb_clock_unix_ms(&fx->clock.clock) + 5000);
    assert_string_equal(read->requester, FX_WINDOW);
    lianban__v1__collect_event__init(&out->event);
    out->event.txn = read->txn;
    out->silent = adapter->silent;
    fx_log_entry(fx, out->log, &leaf, &out->route);
    if (adapter->down || (out->hub->unlinked & 1U << (adapter - fx->adapters)) != 0) {
        const char *why = out->hub->leaving > 0 ? "STOPPING" : "UNAVAILABLE";
        out->event.code = (char *)(uintptr_t)why;
        leaf = fx_broker_leaf(read, LB_LEAF_FAILURE, why);
    } else {
        fx_adapter_answer(fx, adapter, read, operator_token, &out->route.leaf_hash, arena,
                          &out->event, &adapter_leaf);
        leaf = fx_broker_leaf(read, LB_LEAF_DELIVER, out->event.code);
        memcpy(leaf.peer_leaf, adapter_leaf.bytes, 32);
        leaf.peer_leaf[0] ^= fx->wrong_deliver ? 1 : 0;
        if (out->event.sealed.len > 0)
            lb_sha256(lb_pb_span(out->event.sealed), leaf.answer_hash);
    }
    fx_log_entry(fx, out->log, &leaf, &out->close);
}

static void prove(struct relayed *relayed, struct lb_arena *arena)
{
    Lianban__V1__CollectEvent *event = &relayed->event;
    fx_log_prove(relayed->log, &relayed->route, arena, &event->broker_log, &event->route);
    fx_log_prove(relayed->log, &relayed->close, arena, &event->broker_log, &event->deliver);
}

static void swap_sealed(struct relayed *a, struct relayed *b)
{
    ProtobufCBinaryData sealed = a->event.sealed;
    a->event.sealed = b->event.sealed;
    b->event.sealed = sealed;
}

static void relay_all(struct fixture *fx, const struct lb_window_collect_call *call,
                      const Lianban__V1__CollectRequest *request, struct lb_arena *arena,
                      struct relayed *relayed)
{
    struct fx_hub *hub = &fx->hubs[call->broker];
    bool own = (call->broker == 0) != hub->lends_log;
    assert_true(request->n_reads >= 1);
    for (size_t i = 0; i < request->n_reads; i++) {
        relayed[i].hub = hub;
        relayed[i].log = own ? fx->broker_log : fx->second_log;
        relay(fx, request->reads[i], call->operator_token, arena, &relayed[i]);
    }
    if (fx->swap_answers)
        swap_sealed(&relayed[0], &relayed[1]);
}

static Lianban__V1__CollectOutcome *outcome_of(const Lianban__V1__CollectEvent *event,
                                               struct lb_arena *arena)
{
    Lianban__V1__CollectOutcome *outcome = lb_arena_alloc(arena, sizeof(*outcome));
    assert_non_null(outcome);
    lianban__v1__collect_outcome__init(outcome);
    outcome->txn = event->txn;
    outcome->code = event->code;
    outcome->sealed = event->sealed;
    outcome->adapter_entry = event->adapter_entry;
    outcome->adapter_log = event->adapter_log;
    outcome->route = event->route;
    outcome->deliver = event->deliver;
    return outcome;
}

/* The last one is the event itself, so that the checkpoint is the newest. */
static void tell_together(const struct fixture *fx, const struct lb_window_collect_call *call,
                          struct relayed *relayed, size_t num, struct lb_arena *arena)
{
    Lianban__V1__CollectEvent *event = &relayed[num - 1].event;
    struct lb_span bytes;
    event->more = lb_arena_array(arena, 2 * num, sizeof(event->more[0]));
    assert_non_null(event->more);
    for (size_t i = 0; i + 1 < num; i++) {
        for (int times = relayed[i].silent ? 0 : fx->twice ? 2 : 1; times > 0; times--)
            event->more[event->n_more++] = outcome_of(&relayed[i].event, arena);
    }
    assert_ok(lb_pb_pack(event, arena, &bytes));
    call->on_event(call->arg, bytes);
}

static void tell_all(struct fixture *fx, const struct lb_window_collect_call *call,
                     const Lianban__V1__CollectRequest *request, struct lb_arena *arena,
                     struct relayed *relayed)
{
    const struct fx_hub *hub = &fx->hubs[call->broker];
    for (size_t i = 0; i < request->n_reads && !(hub->cut && i >= hub->cut_after); i++) {
        struct lb_span event;
        prove(&relayed[i], arena);
        fx->last_read = request->reads[i];
        if (fx->tamper != NULL)
            fx->tamper(fx, &relayed[i].event, arena);
        if (fx->together && i + 1 == request->n_reads)
            tell_together(fx, call, relayed, request->n_reads, arena);
        if (fx->together)
            continue;
        assert_ok(lb_pb_pack(&relayed[i].event, arena, &event));
        for (int times = relayed[i].silent ? 0 : fx->twice ? 2 : 1; times > 0; times--)
            call->on_event(call->arg, event);
    }
}

lb_status fx_collect(void *ctx, const struct lb_window_collect_call *call)
{
    struct fixture *fx = ctx;
    struct fx_hub *hub = &fx->hubs[call->broker];
    assert_true(call->timeout_ms >= 5000);
    assert_true(call->broker < fx->num_brokers);
    fx->num_collects++;
    if (hub->dead || hub->dead_for > 0) {
        hub->dead_for -= hub->dead_for > 0 ? 1 : 0;
        LB_FAIL(LB_UNAVAILABLE, "test");
    }
    hub->num_asked++;
    if (hub->refuses != LB_CODE_OK)
        return lb_status_of(hub->refuses);
    if (hub->full_for > 0) {
        hub->full_for--;
        return lb_later(hub->later_ms);
    }
    struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
    Lianban__V1__CollectRequest *request = NULL;
    assert_ok(lb_pb_unpack(&lianban__v1__collect_request__descriptor, call->request, arena,
                           &request));
    assert_string_equal(request->form, "test-aid");
    assert_true(request->together);
    assert_int_equal(request->form_version, 3);
    assert_memory_equal(request->form_sha256.data, lb_form_of(fx->form)->sha256, 32);
    struct relayed *relayed = lb_arena_array(arena, request->n_reads, sizeof(*relayed));
    relay_all(fx, call, request, arena, relayed);
    tell_all(fx, call, request, arena, relayed);
    lb_arena_free(arena);
    if (hub->leaving > 0 && --hub->leaving == 0)
        hub->unlinked = 0;
    return hub->cut ? LB_FAULT(LB_UNAVAILABLE, "test") : fx->collect_fails;
}

lb_status fx_probe(void *ctx, size_t broker)
{
    struct fixture *fx = ctx;
    fx->hubs[broker].num_probes++;
    LB_ENSURE(fx->hubs[broker].well, LB_UNAVAILABLE, "test");
    return LB_OK;
}
