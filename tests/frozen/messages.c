#include "tests/frozen/messages.h"

#include "gateway/wire/pb.h"
#include "lianban/v1/broker.pb-c.h"
#include "lianban/v1/link.pb-c.h"
#include "tests/frozen/parts.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* The messages around what is sealed: reads, frames, collects. */

struct messages {
    Lianban__V1__ReadRequest read;
    Lianban__V1__Sealed sealed;
    Lianban__V1__LogProgress progress;
    Lianban__V1__EntryProof proof;
    ProtobufCBinaryData hash;
    char *views[1];
};

static void fill(struct frozen_set *set, struct messages *out)
{
    static const uint8_t path[32] = {0xD0};
    struct lb_hpke_context context;
    uint8_t *enc = lb_arena_alloc(set->arena, 32);
    FUZZ_CHECK(enc != NULL);
    frozen_sender(set, &context, enc);
    lianban__v1__read_request__init(&out->read);
    lianban__v1__sealed__init(&out->sealed);
    lianban__v1__log_progress__init(&out->progress);
    lianban__v1__entry_proof__init(&out->proof);
    out->views[0] = frozen_text("tax.wage");
    out->sealed.key_id = frozen_text(FROZEN_KEY_ID);
    out->sealed.enc = lb_pb_bytes(lb_span_of(enc, 32));
    out->sealed.sender_key = lb_pb_bytes(lb_span_of(fuzz_keys()->sender.public_key, 32));
    out->sealed.seq = FROZEN_SEQ;
    out->sealed.ciphertext = lb_pb_bytes(frozen_get(set, "sealed-request.hex"));
    out->read.txn = lb_pb_bytes(lb_span_of(frozen_txn, sizeof(frozen_txn)));
    out->read.audience = frozen_text(FROZEN_AUDIENCE);
    out->read.requester = frozen_text(FROZEN_REQUESTER);
    out->read.grant = lb_arena_str(set->arena, frozen_get(set, "grant.jwt"));
    out->read.n_views = 1;
    out->read.views = out->views;
    out->read.deadline_unix_ms = FROZEN_DEADLINE_MS;
    out->read.answer_bytes = FROZEN_ANSWER_BYTES;
    out->read.sealed = &out->sealed;
    out->hash = lb_pb_bytes(lb_span_of(path, sizeof(path)));
    out->progress.checkpoint = lb_pb_bytes(frozen_get(set, "checkpoint.note"));
    out->progress.from_size = 12;
    out->progress.n_consistency = 1;
    out->progress.consistency = &out->hash;
    out->proof.leaf = lb_pb_bytes(frozen_get(set, "leaf.hex"));
    out->proof.index = 3;
    out->proof.n_path = 1;
    out->proof.path = &out->hash;
}

struct lb_span make_read_request(struct frozen_set *set)
{
    struct messages messages;
    fill(set, &messages);
    return frozen_pack(&messages.read, set->arena);
}

static void check_read(struct frozen_set *set, const Lianban__V1__ReadRequest *read)
{
    FUZZ_CHECK(lb_span_eq(lb_pb_span(read->txn), lb_span_of(frozen_txn, sizeof(frozen_txn))));
    FUZZ_CHECK(strcmp(read->audience, FROZEN_AUDIENCE) == 0);
    FUZZ_CHECK(read->answer_bytes == FROZEN_ANSWER_BYTES);
    FUZZ_CHECK(strcmp(read->requester, FROZEN_REQUESTER) == 0 && read->n_views == 1);
    FUZZ_CHECK(read->deadline_unix_ms == FROZEN_DEADLINE_MS && read->sealed->seq == FROZEN_SEQ);
    FUZZ_CHECK(lb_span_is(frozen_get(set, "grant.jwt"), read->grant));
    FUZZ_CHECK(lb_span_eq(lb_pb_span(read->sealed->ciphertext),
                          frozen_get(set, "sealed-request.hex")));
}

void accept_read_request(struct frozen_set *set, struct lb_span bytes)
{
    check_read(set, frozen_unpack(&lianban__v1__read_request__descriptor, bytes, set->arena));
}

struct lb_span make_hello(struct frozen_set *set)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    char *capabilities[] = {frozen_text("a-capability")};
    hello.version_min = 1;
    hello.version_max = 1;
    hello.n_capabilities = 1;
    hello.capabilities = capabilities;
    hello.seen_size = 99;
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    return frozen_pack(&frame, set->arena);
}

static const Lianban__V1__Frame *frame_of(struct frozen_set *set, struct lb_span bytes,
                                          Lianban__V1__Frame__BodyCase body)
{
    const Lianban__V1__Frame *frame =
        frozen_unpack(&lianban__v1__frame__descriptor, bytes, set->arena);
    FUZZ_CHECK(frame->body_case == body);
    return frame;
}

void accept_hello(struct frozen_set *set, struct lb_span bytes)
{
    const Lianban__V1__Frame *frame = frame_of(set, bytes, LIANBAN__V1__FRAME__BODY_HELLO);
    FUZZ_CHECK(frame->hello->version_min == 1 && frame->hello->version_max == 1);
    FUZZ_CHECK(frame->hello->seen_size == 99 && frame->hello->n_capabilities == 1);
}

struct lb_span make_batch(struct frozen_set *set)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__RoutedRead routed = LIANBAN__V1__ROUTED_READ__INIT, *reads = &routed;
    struct messages messages;
    fill(set, &messages);
    routed.request = &messages.read;
    routed.route = &messages.proof;
    batch.log = &messages.progress;
    batch.n_reads = 1;
    batch.reads = &reads;
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    return frozen_pack(&frame, set->arena);
}

void accept_batch(struct frozen_set *set, struct lb_span bytes)
{
    const Lianban__V1__Frame *frame = frame_of(set, bytes, LIANBAN__V1__FRAME__BODY_BATCH);
    FUZZ_CHECK(frame->batch->n_reads == 1 && frame->batch->log->from_size == 12);
    FUZZ_CHECK(frame->batch->reads[0]->route->index == 3);
    check_read(set, frame->batch->reads[0]->request);
}

struct lb_span make_answers(struct frozen_set *set)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__ReadAnswer answer = LIANBAN__V1__READ_ANSWER__INIT, *answers = &answer;
    struct messages messages;
    fill(set, &messages);
    answer.txn = messages.read.txn;
    answer.code = frozen_text(FROZEN_RETURN_CODE);
    answer.sealed = lb_pb_bytes(frozen_get(set, "sealed-answer.hex"));
    answer.entry = &messages.proof;
    batch.log = &messages.progress;
    batch.n_answers = 1;
    batch.answers = &answers;
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    return frozen_pack(&frame, set->arena);
}

void accept_answers(struct frozen_set *set, struct lb_span bytes)
{
    const Lianban__V1__Frame *frame = frame_of(set, bytes, LIANBAN__V1__FRAME__BODY_BATCH);
    FUZZ_CHECK(frame->batch->n_answers == 1);
    FUZZ_CHECK(strcmp(frame->batch->answers[0]->code, FROZEN_RETURN_CODE) == 0);
    FUZZ_CHECK(lb_span_eq(lb_pb_span(frame->batch->answers[0]->sealed),
                          frozen_get(set, "sealed-answer.hex")));
}

/* A status list does not change when it is relayed: only its place in the frame is frozen here. */
struct lb_span make_status_update(struct frozen_set *set)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    update.token = lb_arena_str(set->arena, frozen_get(set, "status-list.jwt"));
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
    frame.status_update = &update;
    return frozen_pack(&frame, set->arena);
}

void accept_status_update(struct frozen_set *set, struct lb_span bytes)
{
    const Lianban__V1__Frame *frame =
        frame_of(set, bytes, LIANBAN__V1__FRAME__BODY_STATUS_UPDATE);
    accept_status_list(set, lb_span_str(frame->status_update->token));
}

struct lb_span make_collect_request(struct frozen_set *set)
{
    static const uint8_t sha256[32] = {0xE0};
    Lianban__V1__CollectRequest request = LIANBAN__V1__COLLECT_REQUEST__INIT;
    struct messages messages;
    fill(set, &messages);
    Lianban__V1__ReadRequest *reads = &messages.read;
    request.form = frozen_text("aid");
    request.form_version = 1;
    request.form_sha256 = lb_pb_bytes(lb_span_of(sha256, sizeof(sha256)));
    request.n_reads = 1;
    request.reads = &reads;
    return frozen_pack(&request, set->arena);
}

void accept_collect_request(struct frozen_set *set, struct lb_span bytes)
{
    const Lianban__V1__CollectRequest *request =
        frozen_unpack(&lianban__v1__collect_request__descriptor, bytes, set->arena);
    FUZZ_CHECK(strcmp(request->form, "aid") == 0 && request->form_version == 1);
    FUZZ_CHECK(request->form_sha256.len == 32 && request->n_reads == 1);
    check_read(set, request->reads[0]);
}

struct lb_span make_collect_event(struct frozen_set *set)
{
    Lianban__V1__CollectEvent event = LIANBAN__V1__COLLECT_EVENT__INIT;
    struct messages messages;
    fill(set, &messages);
    event.txn = messages.read.txn;
    event.code = frozen_text(FROZEN_RETURN_CODE);
    event.sealed = lb_pb_bytes(frozen_get(set, "sealed-answer.hex"));
    event.adapter_entry = &messages.proof;
    event.adapter_log = &messages.progress;
    event.route = &messages.proof;
    event.deliver = &messages.proof;
    event.broker_log = &messages.progress;
    return frozen_pack(&event, set->arena);
}

void accept_collect_event(struct frozen_set *set, struct lb_span bytes)
{
    const Lianban__V1__CollectEvent *event =
        frozen_unpack(&lianban__v1__collect_event__descriptor, bytes, set->arena);
    FUZZ_CHECK(strcmp(event->code, FROZEN_RETURN_CODE) == 0);
    FUZZ_CHECK(event->sealed.len == FROZEN_ANSWER_BYTES);
    FUZZ_CHECK(event->adapter_entry != NULL && event->route != NULL && event->deliver != NULL);
    accept_leaf(set, lb_pb_span(event->adapter_entry->leaf));
    accept_checkpoint(set, lb_pb_span(event->broker_log->checkpoint));
}
