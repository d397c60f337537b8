#include "gateway/base/log.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* The outcome of one read as its caller gets it: the code, the sealed answer, and the proofs of
 * both sides' entries. */

static struct routed_read *take_ready(struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&collect->lock);
    struct routed_read *read = collect->ready;
    if (read != NULL) {
        collect->ready = read->next_ready;
        if (collect->ready == NULL)
            collect->last_ready = &collect->ready;
    }
    (void)pthread_mutex_unlock(&collect->lock);
    return read;
}

static lb_status add_own(const struct routed_read *read, struct lb_arena *arena,
                         Lianban__V1__CollectEvent *event)
{
    struct lb_log *log = read->collect->exchange->options.log;
    uint64_t shown = 0, size = 0;
    if (!read->routed)
        return LB_OK;
    LB_TRY(lb_link_show(log, &shown, arena, &event->broker_log, &size));
    LB_TRY(lb_link_prove(log, read->route.index,
                         lb_span_of(read->route.leaf_bytes, read->route.leaf_len), size, arena,
                         &event->route));
    if (!read->closed)
        return LB_OK;
    return lb_link_prove(log, read->close.index,
                         lb_span_of(read->close.leaf_bytes, read->close.leaf_len), size, arena,
                         &event->deliver);
}

static lb_status add_adapter(const struct routed_read *read, struct lb_arena *arena,
                             Lianban__V1__CollectEvent *event)
{
    if (read->adapter_leaf.len == 0)
        return LB_OK;
    Lianban__V1__EntryProof *proof = lb_arena_alloc(arena, sizeof(*proof));
    Lianban__V1__LogProgress *progress = lb_arena_alloc(arena, sizeof(*progress));
    size_t num = read->adapter_path.len / LB_HASH_BYTES;
    ProtobufCBinaryData *path = lb_arena_array(arena, num, sizeof(*path));
    LB_ENSURE(proof != NULL && progress != NULL && path != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__entry_proof__init(proof);
    lianban__v1__log_progress__init(progress);
    for (size_t i = 0; i < num; i++)
        path[i] = lb_pb_bytes(
            lb_span_of(read->adapter_path.ptr + i * LB_HASH_BYTES, LB_HASH_BYTES));
    proof->leaf = lb_pb_bytes(lb_buf_span(&read->adapter_leaf));
    proof->index = read->adapter_index;
    proof->path = path;
    proof->n_path = num;
    progress->checkpoint = lb_pb_bytes(lb_buf_span(&read->adapter_checkpoint));
    event->adapter_entry = proof;
    event->adapter_log = progress;
    return LB_OK;
}

static lb_status pack_event(const struct routed_read *read, struct lb_arena *arena,
                            struct lb_span *out)
{
    Lianban__V1__CollectEvent event = LIANBAN__V1__COLLECT_EVENT__INIT;
    event.txn = read->request->txn;
    event.code = (char *)(uintptr_t)lb_code_name(read->code);
    event.sealed = lb_pb_bytes(lb_buf_span(&read->sealed));
    LB_TRY(add_own(read, arena, &event));
    LB_TRY(add_adapter(read, arena, &event));
    return lb_pb_pack(&event, arena, out);
}

bool lb_collect_fill(struct lb_collect *collect, struct lb_buf *out)
{
    struct routed_read *read = take_ready(collect);
    if (read == NULL)
        return false;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span event = LB_SPAN_EMPTY;
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "event")
                                     : pack_event(read, arena, &event);
    if (status == LB_OK) {
        lb_buf_put(out, event);
        status = lb_buf_check(out);
    }
    if (status == LB_OK)
        return true;
    /* An event that can't be made must not look like one that never was. */
    lb_log_failure("event_failed", status);
    lb_collect_fail(collect, status);
    return false;
}
