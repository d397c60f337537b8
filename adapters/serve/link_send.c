#include "adapters/serve/link_state.h"
#include "gateway/base/log.h"
#include "gateway/wire/pb.h"

/* What a link sends: greeting, answers and acknowledgements with their proofs. */

/* A frame's size is bounded well below the message maximum: an answer has at most
 * LB_MAX_ANSWER_BYTES and its proof at most a few KiB, and nothing is added behind that many. */
#define MAX_FRAME_ANSWERS 64
#define ENOUGH_FRAME_BYTES ((size_t)512 * 1024)
#define PROOF_BYTES ((size_t)4096)

static struct outgoing *take_answers(struct lb_adapter_link *link, size_t *out_num, bool *out_show)
{
    struct outgoing *first = NULL, **last = &first;
    size_t num = 0, bytes = 0;
    (void)pthread_mutex_lock(&link->lock);
    while (link->first != NULL && num < MAX_FRAME_ANSWERS && bytes < ENOUGH_FRAME_BYTES) {
        struct outgoing *item = link->first;
        if (item->ack != NULL && num > 0)
            break; /* an acknowledgement is a frame of its own */
        link->first = item->next;
        if (link->first == NULL)
            link->last = &link->first;
        item->next = NULL;
        *last = item;
        last = &item->next;
        num++;
        bytes += item->sealed.len + PROOF_BYTES;
        link->num_unsent -= item->ack != NULL ? 0 : 1;
        if (item->ack != NULL)
            break;
    }
    *out_show = link->show_log;
    link->show_log = link->show_log && first != NULL && first->ack != NULL;
    (void)pthread_mutex_unlock(&link->lock);
    *out_num = num;
    return first;
}

static lb_status pack_ack(struct lb_adapter_link *link, const struct outgoing *item,
                          struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__StatusAck ack = LIANBAN__V1__STATUS_ACK__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    uint64_t size = 0;
    ack.code = (char *)(uintptr_t)lb_code_name(item->code);
    ack.sha256 = lb_pb_bytes(lb_span_of(item->ack->sha256, sizeof(item->ack->sha256)));
    if (item->code == LB_CODE_OK) {
        ack.uri = item->ack->uri;
        ack.seq = item->ack->seq;
        LB_TRY(lb_session_show(&link->session, arena, &ack.log, &size));
        LB_TRY(lb_link_prove(link->options.log, item->ack->index,
                             lb_span_of(item->ack->leaf, item->ack->leaf_len), size, arena,
                             &ack.entry));
    }
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_ACK;
    frame.status_ack = &ack;
    return lb_pb_pack(&frame, arena, out);
}

static lb_status fill_answer(struct lb_adapter_link *link, const struct outgoing *item,
                             uint64_t size, struct lb_arena *arena, Lianban__V1__ReadAnswer **out)
{
    Lianban__V1__ReadAnswer *answer = lb_arena_alloc(arena, sizeof(*answer));
    LB_ENSURE(answer != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__read_answer__init(answer);
    answer->txn = lb_pb_bytes(lb_span_of(item->txn, sizeof(item->txn)));
    answer->code = (char *)(uintptr_t)lb_code_name(item->code);
    answer->sealed = lb_pb_bytes(lb_buf_span(&item->sealed));
    if (item->recorded)
        LB_TRY(lb_link_prove(link->options.log, item->index, lb_buf_span(&item->leaf), size,
                             arena, &answer->entry));
    *out = answer;
    return LB_OK;
}

static lb_status pack_batch(struct lb_adapter_link *link, const struct outgoing *first, size_t num,
                            struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    uint64_t size = 0;
    LB_TRY(lb_session_show(&link->session, arena, &batch.log, &size));
    batch.answers = lb_arena_array(arena, num, sizeof(batch.answers[0]));
    LB_ENSURE(batch.answers != NULL, LB_NO_MEMORY, "arena is full");
    for (const struct outgoing *item = first; item != NULL; item = item->next)
        LB_TRY(fill_answer(link, item, size, arena, &batch.answers[batch.n_answers++]));
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    return lb_pb_pack(&frame, arena, out);
}

static lb_status next_frame(struct lb_adapter_link *link, struct lb_arena *arena,
                            struct lb_span *out)
{
    if (!link->hello_sent) {
        link->hello_sent = true;
        return lb_session_hello(&link->session, arena, out);
    }
    *out = LB_SPAN_EMPTY;
    if (!link->session.greeted)
        return LB_OK;
    bool turn = link->parcels_next;
    link->parcels_next = !turn;
    if (turn)
        LB_TRY(lb_link_pack_parcels(link, arena, out));
    if (out->len > 0)
        return LB_OK;
    size_t num = 0;
    bool show = false;
    struct outgoing *items = take_answers(link, &num, &show);
    lb_status status = LB_OK;
    if (items != NULL && items->ack != NULL)
        status = pack_ack(link, items, arena, out);
    else if (items != NULL || show)
        status = pack_batch(link, items, num, arena, out);
    while (items != NULL) {
        struct outgoing *item = items;
        items = item->next;
        lb_outgoing_free(item);
    }
    if (status == LB_OK && out->len == 0)
        status = lb_link_pack_parcels(link, arena, out);
    return status;
}

bool lb_adapter_link_fill(struct lb_adapter_link *link, struct lb_buf *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct lb_span frame = LB_SPAN_EMPTY;
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "frame")
                                     : next_frame(link, arena, &frame);
    if (status == LB_OK && frame.len > 0) {
        lb_buf_put(out, frame);
        status = lb_buf_check(out);
    }
    if (status != LB_OK) {
        lb_log_failure("link_frame_failed", status);
        (void)pthread_mutex_lock(&link->lock);
        if (!link->closed)
            link->options.port.fail(link->options.port.ctx, status);
        (void)pthread_mutex_unlock(&link->lock);
        return false;
    }
    return frame.len > 0;
}
