#include "gateway/base/log.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* The outcome of a read as its caller gets it: the code, the sealed answer, and the proofs of both
 * sides' entries. */

/* A message stays far below the maximum: what one outcome has besides its sealed answer. */
#define OUTCOME_BYTES 8192U
#define MAX_TOGETHER 64U
#define MAX_TOGETHER_BYTES (512U * 1024)

/* What is ready, as many as fit into one message if the caller takes that; a list by next_ready. */
static struct routed_read *take_ready(struct lb_collect *collect)
{
    size_t num = 0, bytes = 0;
    (void)pthread_mutex_lock(&collect->lock);
    struct routed_read *first = collect->ready;
    struct routed_read **end = &collect->ready;
    size_t most = first != NULL && collect->request->together ? MAX_TOGETHER : 1;
    for (; *end != NULL && num < most; num++) {
        bytes += (*end)->sealed.len + OUTCOME_BYTES;
        if (num > 0 && bytes > MAX_TOGETHER_BYTES)
            break;
        end = &(*end)->next_ready;
    }
    collect->ready = *end;
    collect->num_ready -= num;
    if (num > 0)
        *end = NULL;
    if (collect->ready == NULL)
        collect->last_ready = &collect->ready;
    (void)pthread_mutex_unlock(&collect->lock);
    return num == 0 ? NULL : first;
}

/* The broker's entries, proved against a tree of `size`. */
static lb_status add_own(const struct routed_read *read, uint64_t size, struct lb_arena *arena,
                         Lianban__V1__CollectOutcome *outcome)
{
    struct lb_log *log = read->collect->exchange->options.log;
    if (!read->routed)
        return LB_OK;
    LB_TRY(lb_link_prove(log, read->route.index,
                         lb_span_of(read->route.leaf_bytes, read->route.leaf_len), size, arena,
                         &outcome->route));
    if (!read->closed)
        return LB_OK;
    return lb_link_prove(log, read->close.index,
                         lb_span_of(read->close.leaf_bytes, read->close.leaf_len), size, arena,
                         &outcome->deliver);
}

static lb_status add_adapter(const struct routed_read *read, struct lb_arena *arena,
                             Lianban__V1__CollectOutcome *outcome)
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
    outcome->adapter_entry = proof;
    outcome->adapter_log = progress;
    return LB_OK;
}

static lb_status fill_outcome(const struct routed_read *read, uint64_t size,
                              struct lb_arena *arena, Lianban__V1__CollectOutcome *outcome)
{
    lianban__v1__collect_outcome__init(outcome);
    outcome->txn = read->request->txn;
    outcome->code = (char *)(uintptr_t)lb_code_name(read->code);
    outcome->sealed = lb_pb_bytes(lb_buf_span(&read->sealed));
    LB_TRY(add_own(read, size, arena, outcome));
    return add_adapter(read, arena, outcome);
}

static lb_status add_outcome(const struct routed_read *read, uint64_t size, struct lb_arena *arena,
                             Lianban__V1__CollectOutcome **out)
{
    Lianban__V1__CollectOutcome *outcome = lb_arena_alloc(arena, sizeof(*outcome));
    LB_ENSURE(outcome != NULL, LB_NO_MEMORY, "arena is full");
    *out = outcome;
    return fill_outcome(read, size, arena, outcome);
}

static void put_first(const Lianban__V1__CollectOutcome *outcome, Lianban__V1__CollectEvent *event)
{
    event->txn = outcome->txn;
    event->code = outcome->code;
    event->sealed = outcome->sealed;
    event->adapter_entry = outcome->adapter_entry;
    event->adapter_log = outcome->adapter_log;
    event->route = outcome->route;
    event->deliver = outcome->deliver;
}

static bool any_routed(const struct routed_read *read)
{
    while (read != NULL && !read->routed)
        read = read->next_ready;
    return read != NULL;
}

static lb_status pack_event(const struct routed_read *first, struct lb_arena *arena,
                            struct lb_span *out)
{
    Lianban__V1__CollectEvent event = LIANBAN__V1__COLLECT_EVENT__INIT;
    Lianban__V1__CollectOutcome outcome;
    uint64_t shown = 0, size = 0;
    if (any_routed(first))
        LB_TRY(lb_link_show(first->collect->exchange->options.log, &shown, arena,
                            &event.broker_log, &size));
    LB_TRY(fill_outcome(first, size, arena, &outcome));
    put_first(&outcome, &event);
    event.more = lb_arena_array(arena, MAX_TOGETHER, sizeof(event.more[0]));
    LB_ENSURE(event.more != NULL, LB_NO_MEMORY, "arena is full");
    for (const struct routed_read *read = first->next_ready; read != NULL; read = read->next_ready)
        LB_TRY(add_outcome(read, size, arena, &event.more[event.n_more++]));
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
