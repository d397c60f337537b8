#include "gateway/exchange/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/wire/pb.h"

static struct lb_log *open_log(struct fixture *fx, const char *folder, const char *spiffe,
                               const struct fed_party *party, const char *const *migrations)
{
    const struct lb_log_options options = {
        .folder = fed_path(&fx->fed, folder),
        .origin = lb_spiffe_log_origin(spiffe),
        .key = party->log_key,
        .clock = lb_clock_system(),
        .create = true,
        .migrations = migrations,
    };
    struct lb_diag diag = {""};
    struct lb_log *log = NULL;
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &log));
    return log;
}

static void open_federation(struct fixture *fx)
{
    static const char *const organizations[] = {"tax", "hub", "street-office", "consent-hall",
                                                NULL};
    const struct fed_node nodes[] = {
        {FX_BROKER, &fx->broker}, {FX_ADAPTER, &fx->adapter}, {FX_WINDOW, &fx->window}};
    const struct fed_issuer issuers[] = {
        {"consent-hall", "h1", &fx->hall, {"consent"}, FX_STATUS_URI},
        {"street-office", "m1", &fx->window, {"mandate", "operator"}, ""},
    };
    const struct fed_options options = {
        .nodes = nodes,
        .num_nodes = 3,
        .issuers = issuers,
        .num_issuers = 2,
        .organizations = organizations,
    };
    fed_open(&fx->fed, &options);
}

static void start_exchange(struct fixture *fx)
{
    const struct lb_outbox_options outbox = {
        .trust = fx->fed.trust,
        .log = fx->log,
        .store_path = fed_path(&fx->fed, "broker/evidence.db"),
        .clock = lb_clock_system(),
    };
    assert_ok(lb_outbox_new(&outbox, &fx->outbox));
    const struct lb_exchange_options options = {
        .self = FX_BROKER,
        .trust = fx->fed.trust,
        .log = fx->log,
        .workers = fx->workers,
        .clock = lb_clock_system(),
        .outbox = fx->outbox,
        .forms = &fx->form,
        .num_forms = 1,
        .seen_folder = fed_path(&fx->fed, "seen"),
        .kept_path = fed_path(&fx->fed, "withdrawals.db"),
        .min_places = fx->min_places,
        .max_reads = fx->max_reads > 0 ? fx->max_reads : FX_MAX_READS,
    };
    assert_ok(lb_exchange_new(&options, &fx->exchange));
}

void fx_restart(struct fixture *fx)
{
    lb_exchange_free(fx->exchange);
    lb_outbox_free(fx->outbox);
    start_exchange(fx);
}

void fx_setup(struct fixture *fx)
{
    memset(fx, 0, sizeof(*fx));
    fed_setup(&fx->fed, "exchange");
    fx->arena = fx->fed.arena;
    struct fed_party *parties[] = {&fx->broker, &fx->adapter, &fx->window, &fx->hall};
    for (size_t i = 0; i < 4; i++)
        fed_party_make(parties[i]);
    open_federation(fx);
    fx->log = open_log(fx, "broker", FX_BROKER, &fx->broker, lb_outbox_migrations);
    fx->adapter_log = open_log(fx, "adapter", FX_ADAPTER, &fx->adapter, NULL);
    assert_ok(lb_workers_new(2, 100, &fx->workers));
    fx->form = (struct lb_offered_form){.id = "social-assistance", .version = 1};
    lb_sha256(lb_span_str("form"), fx->form.sha256);
    assert_ok(lb_file_mkdirs(fed_path(&fx->fed, "seen")));
    assert_ok(lb_file_mkdirs(fed_path(&fx->fed, "adapter-seen")));
    assert_ok(lb_seen_new(fed_path(&fx->fed, "adapter-seen"), &fx->adapter_seen));
    start_exchange(fx);
}

void fx_teardown(struct fixture *fx)
{
    if (fx->link != NULL)
        fx_unlink(fx);
    lb_workers_free(fx->workers);
    lb_exchange_free(fx->exchange);
    lb_outbox_free(fx->outbox);
    lb_seen_free(fx->adapter_seen);
    lb_log_close(fx->log);
    lb_log_close(fx->adapter_log);
    struct fed_party *parties[] = {&fx->broker, &fx->adapter, &fx->window, &fx->hall};
    for (size_t i = 0; i < 4; i++)
        fed_party_free(parties[i]);
    fed_teardown(&fx->fed);
}

/* --- the played adapter --- */

static void link_kick(void *ctx)
{
    (void)ctx;
}

static void link_fail(void *ctx, lb_status status)
{
    ((struct fixture *)ctx)->failed = status;
}

/* The next frame; NULL as well once a call has ended, if there is one, and nothing more comes. */
static Lianban__V1__Frame *frame_for(struct fixture *fx, const struct fx_call *call)
{
    struct lb_buf buf;
    Lianban__V1__Frame *frame = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    for (int i = 0; i < FX_WAIT_STEPS && frame == NULL; i++) {
        bool ended = call != NULL && __atomic_load_n(&call->finished, __ATOMIC_ACQUIRE);
        if (lb_broker_link_fill(fx->link, &buf))
            assert_ok(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&buf), fx->arena,
                                   &frame));
        else if (ended)
            break;
        else
            (void)usleep(FX_WAIT_STEP_US);
    }
    lb_buf_cleanup(&buf);
    return frame;
}

Lianban__V1__Frame *fx_frame(struct fixture *fx)
{
    return frame_for(fx, NULL);
}

lb_status fx_send_frame(struct fixture *fx, Lianban__V1__Frame *frame)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_ok(lb_pb_pack(frame, fx->arena, &bytes));
    return lb_broker_link_receive(fx->link, bytes);
}

void fx_link(struct fixture *fx)
{
    const struct lb_broker_port port = {fx, link_kick, link_fail, false};
    struct lb_span hello = LB_SPAN_EMPTY;
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fx->broker.log_key, raw);
    assert_ok(lb_session_init(&fx->session, fx->adapter_log, lb_spiffe_log_origin(FX_BROKER), raw,
                              fx->adapter_seen));
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &fx->link));
    Lianban__V1__Frame *frame = fx_frame(fx);
    assert_non_null(frame);
    assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_HELLO);
    assert_ok(lb_session_greet(&fx->session, frame->hello));
    assert_ok(lb_session_hello(&fx->session, fx->arena, &hello));
    assert_ok(lb_broker_link_receive(fx->link, hello));
}

void fx_link_in_vain(struct fixture *fx)
{
    const struct lb_broker_port port = {fx, link_kick, link_fail, false};
    struct lb_broker_link *link = NULL;
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &link));
    lb_broker_link_close(link);
}

void fx_unlink(struct fixture *fx)
{
    lb_broker_link_close(fx->link);
    lb_session_cleanup(&fx->session);
    fx->link = NULL;
}

static Lianban__V1__Batch *reads_for(struct fixture *fx, const struct fx_call *call)
{
    Lianban__V1__Frame *frame;
    while ((frame = frame_for(fx, call)) != NULL) {
        struct lb_checkpoint checkpoint;
        assert_int_equal(frame->body_case, LIANBAN__V1__FRAME__BODY_BATCH);
        assert_ok(lb_session_watch(&fx->session, frame->batch->log, &checkpoint));
        if (frame->batch->n_reads > 0)
            return frame->batch;
    }
    return NULL;
}

Lianban__V1__Batch *fx_reads(struct fixture *fx)
{
    return reads_for(fx, NULL);
}

Lianban__V1__Batch *fx_collect_briefly(struct fixture *fx, struct fx_call *call, size_t num,
                                       uint8_t first_txn)
{
    for (int64_t ms = 2000; ms < 60000; ms *= 2) {
        Lianban__V1__Batch *batch = NULL;
        size_t sent = 0;
        fx_collect(fx, call, fx_operator_token(fx), fx_request(fx, num, first_txn, ms));
        while (sent < num && (batch = reads_for(fx, call)) != NULL)
            sent += batch->n_reads;
        if (sent == num)
            return batch;
        fx_close(call);
    }
    return NULL;
}

void fx_reply_honest(struct fixture *fx, const Lianban__V1__RoutedRead *read,
                     struct fx_reply *reply)
{
    static uint8_t sealed[FX_ANSWER_BYTES];
    struct lb_hash route;
    (void)fx;
    memset(reply, 0, sizeof(*reply));
    reply->read = read;
    reply->code = "ANSWERED";
    reply->sealed = lb_span_of(sealed, sizeof(sealed));
    reply->leaf = (struct lb_leaf){.type = LB_LEAF_READ, .code = "ANSWERED", .count = 1};
    memcpy(reply->leaf.txn, read->request->txn.data, 16);
    lb_sha256(lb_pb_span(read->request->sealed->ciphertext), reply->leaf.request_hash);
    lb_sha256(reply->sealed, reply->leaf.answer_hash);
    lb_merkle_leaf(lb_pb_span(read->route->leaf), &route);
    memcpy(reply->leaf.peer_leaf, route.bytes, 32);
}

lb_status fx_send(struct fixture *fx, const struct fx_reply *reply)
{
    struct lb_log_entry *entry = calloc(1, sizeof(*entry));
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__ReadAnswer answer = LIANBAN__V1__READ_ANSWER__INIT;
    Lianban__V1__ReadAnswer *answers[] = {&answer};
    uint64_t size = 0;
    assert_non_null(entry);
    entry->leaf = reply->leaf;
    assert_ok(lb_log_append_wait(fx->adapter_log, entry));
    assert_ok(lb_session_show(&fx->session, fx->arena, &batch.log, &size));
    answer.txn = reply->read->request->txn;
    answer.code = (char *)(uintptr_t)reply->code;
    answer.sealed = lb_pb_bytes(reply->sealed);
    if (!reply->leave_out_entry)
        assert_ok(lb_link_prove(fx->adapter_log, entry->index,
                                lb_span_of(entry->leaf_bytes, entry->leaf_len), size, fx->arena,
                                &answer.entry));
    batch.answers = answers;
    batch.n_answers = 1;
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    lb_status status = fx_send_frame(fx, &frame);
    free(entry);
    return status;
}
