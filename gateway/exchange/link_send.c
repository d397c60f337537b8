#include "gateway/base/log.h"
#include "gateway/exchange/inside.h"
#include "gateway/wire/pb.h"

/* What a link sends: greeting, what ends grants, reads with the proofs of their ROUTE entries, and
 * parcels when no read waits. */

/* What queues while a frame is being written goes together into the next, up to this. */
#define MAX_FRAME_READS 64
#define MAX_FRAME_BYTES (512U * 1024)
/* After so many frames with reads comes one with parcels, or a busy adapter would never get any. */
#define MAX_READS_IN_A_ROW 32

static struct routed_read *take_queued(struct lb_broker_link *link, bool *out_show)
{
    struct routed_read *first = NULL, **last = &first;
    size_t num = 0, bytes = 0;
    (void)pthread_mutex_lock(&link->lock);
    while (link->queue != NULL && num < MAX_FRAME_READS && bytes < MAX_FRAME_BYTES) {
        struct routed_read *read = link->queue;
        bytes += protobuf_c_message_get_packed_size(&read->request->base);
        if (num > 0 && bytes >= MAX_FRAME_BYTES)
            break;
        link->queue = read->next;
        if (link->queue == NULL)
            link->last_queued = &link->queue;
        read->next = NULL;
        if (!lb_read_hold_sent(read)) /* until the frame is packed; one that was ended stays here */
            continue;
        *last = read;
        last = &read->next;
        num++;
    }
    *out_show = link->show_log;
    link->show_log = false;
    (void)pthread_mutex_unlock(&link->lock);
    return first;
}

static lb_status add_read(struct lb_broker_link *link, const struct routed_read *read,
                          uint64_t size, struct lb_arena *arena, Lianban__V1__RoutedRead **out)
{
    Lianban__V1__RoutedRead *routed = lb_arena_alloc(arena, sizeof(*routed));
    LB_ENSURE(routed != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__routed_read__init(routed);
    routed->request = (Lianban__V1__ReadRequest *)(uintptr_t)read->request;
    LB_TRY(lb_link_prove(link->exchange->options.log, read->route.index,
                         lb_span_of(read->route.leaf_bytes, read->route.leaf_len), size, arena,
                         &routed->route));
    *out = routed;
    return LB_OK;
}

static lb_status pack_batch(struct lb_broker_link *link, const struct routed_read *first,
                            struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    uint64_t size = 0;
    LB_TRY(lb_session_show(&link->session, arena, &batch.log, &size));
    batch.reads = lb_arena_array(arena, MAX_FRAME_READS, sizeof(batch.reads[0]));
    LB_ENSURE(batch.reads != NULL, LB_NO_MEMORY, "arena is full");
    for (const struct routed_read *read = first; read != NULL; read = read->next)
        LB_TRY(add_read(link, read, size, arena, &batch.reads[batch.n_reads++]));
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    return lb_pb_pack(&frame, arena, out);
}

static lb_status next_reads(struct lb_broker_link *link, struct lb_arena *arena,
                            struct lb_span *out)
{
    bool show = false;
    struct routed_read *reads = take_queued(link, &show);
    lb_status status = LB_OK;
    if (reads != NULL || show)
        status = pack_batch(link, reads, arena, out);
    while (reads != NULL) {
        struct routed_read *read = reads;
        reads = read->next;
        lb_collect_release(read->collect);
    }
    link->reads_in_a_row++;
    return status;
}

static lb_status next_frame(struct lb_broker_link *link, struct lb_arena *arena,
                            struct lb_span *out)
{
    *out = LB_SPAN_EMPTY;
    if (lb_broker_link_is_over(link))
        return LB_OK;
    if (!link->hello_sent) {
        link->hello_sent = true;
        return lb_session_hello(&link->session, arena, out);
    }
    if (!link->session.greeted)
        return LB_OK;
    LB_TRY(lb_ending_next(link, arena, out));
    if (out->len > 0 || !lb_ending_settled(link))
        return LB_OK;
    if (link->reads_in_a_row >= MAX_READS_IN_A_ROW)
        LB_TRY(lb_broker_link_next_parcels(link, arena, out));
    if (out->len == 0)
        LB_TRY(next_reads(link, arena, out));
    return out->len > 0 ? LB_OK : lb_broker_link_next_parcels(link, arena, out);
}

bool lb_broker_link_fill(struct lb_broker_link *link, struct lb_buf *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span frame = LB_SPAN_EMPTY;
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "frame")
                                     : next_frame(link, arena, &frame);
    if (status == LB_OK && frame.len > 0) {
        lb_buf_put(out, frame);
        status = lb_buf_check(out);
    }
    if (status == LB_OK)
        return frame.len > 0;
    lb_log_failure("link_frame_failed", status);
    (void)pthread_mutex_lock(&link->lock);
    if (!link->detached)
        link->port.fail(link->port.ctx, status);
    (void)pthread_mutex_unlock(&link->lock);
    return false;
}
