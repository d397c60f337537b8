#include <stdio.h>
#include <string.h>

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
    fx_log_entry(fx, fx->broker_log, &leaf, &out->route);
    if (adapter->down) {
        out->event.code = (char *)(uintptr_t) "UNAVAILABLE";
        leaf = fx_broker_leaf(read, LB_LEAF_FAILURE, "UNAVAILABLE");
    } else {
        fx_adapter_answer(fx, adapter, read, operator_token, &out->route.leaf_hash, arena,
                          &out->event, &adapter_leaf);
        leaf = fx_broker_leaf(read, LB_LEAF_DELIVER, out->event.code);
        memcpy(leaf.peer_leaf, adapter_leaf.bytes, 32);
        leaf.peer_leaf[0] ^= fx->wrong_deliver ? 1 : 0;
        if (out->event.sealed.len > 0)
            lb_sha256(lb_pb_span(out->event.sealed), leaf.answer_hash);
    }
    fx_log_entry(fx, fx->broker_log, &leaf, &out->close);
}

static void prove(struct fixture *fx, struct relayed *relayed, struct lb_arena *arena)
{
    Lianban__V1__CollectEvent *event = &relayed->event;
    fx_log_prove(fx->broker_log, &relayed->route, arena, &event->broker_log, &event->route);
    fx_log_prove(fx->broker_log, &relayed->close, arena, &event->broker_log, &event->deliver);
}

static void swap_sealed(struct relayed *a, struct relayed *b)
{
    ProtobufCBinaryData sealed = a->event.sealed;
    a->event.sealed = b->event.sealed;
    b->event.sealed = sealed;
}

lb_status fx_collect(void *ctx, struct lb_span operator_token, struct lb_span bytes,
                     int64_t timeout_ms, void (*on_event)(void *arg, struct lb_span event),
                     void *arg)
{
    struct fixture *fx = ctx;
    struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
    Lianban__V1__CollectRequest *request = NULL;
    assert_true(timeout_ms >= 5000);
    fx->num_collects++;
    assert_ok(lb_pb_unpack(&lianban__v1__collect_request__descriptor, bytes, arena, &request));
    assert_string_equal(request->form, "test-aid");
    assert_int_equal(request->form_version, 3);
    assert_memory_equal(request->form_sha256.data, lb_form_of(fx->form)->sha256, 32);
    struct relayed *relayed = lb_arena_array(arena, request->n_reads, sizeof(*relayed));
    assert_true(request->n_reads >= 1);
    for (size_t i = 0; i < request->n_reads; i++)
        relay(fx, request->reads[i], operator_token, arena, &relayed[i]);
    if (fx->swap_answers)
        swap_sealed(&relayed[0], &relayed[1]);
    for (size_t i = 0; i < request->n_reads; i++) {
        struct lb_span event;
        prove(fx, &relayed[i], arena);
        fx->last_read = request->reads[i];
        if (fx->tamper != NULL)
            fx->tamper(fx, &relayed[i].event, arena);
        assert_ok(lb_pb_pack(&relayed[i].event, arena, &event));
        for (int times = relayed[i].silent ? 0 : fx->twice ? 2 : 1; times > 0; times--)
            on_event(arg, event);
    }
    lb_arena_free(arena);
    return fx->collect_fails;
}
