#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/crypto/hash.h"
#include "gateway/exchange/fixture.h"
#include "gateway/wire/pb.h"
#include "tests/fuzz/fuzz.h"

/*
 * The broker's end of a link, and an adapter that sends what it likes with its real log key: any
 * bytes for a frame, greetings, answers to the reads that were routed to it, right or spoilt, and
 * acknowledgements. The link is new for every input; who lied is asked again only after the broker
 * was started anew.
 */

#define ARENA_BYTES (16U << 20)
#define MAX_STEPS 16
#define MAX_READS 3U
#define DEADLINE_MS 20000
#define WAIT_STEPS 20000
#define WAIT_STEP_US 100
#define MAX_INPUTS 3000 /* before everything begins anew, so that nothing grows for ever */

struct played {
    struct fixture fx;
    unsigned num_inputs;
    /* of one input */
    struct fx_call call;
    bool called;
    bool greeted, ended;
    const Lianban__V1__RoutedRead *reads[MAX_READS];
    size_t num_asked, num_reads;
    size_t num_honest;  /* answers that nothing is wrong with */
};

static struct played *played;

static void begin(void)
{
    played = calloc(1, sizeof(*played));
    FUZZ_CHECK(played != NULL);
    fx_setup(&played->fx);
}

static void end(void)
{
    if (played == NULL)
        return;
    fx_teardown(&played->fx);
    free(played);
    played = NULL;
}

/* --- one link --- */

static void ignore_kick(void *ctx)
{
    (void)ctx;
}

static void note_failure(void *ctx, lb_status status)
{
    ((struct fixture *)ctx)->failed = status;
}

static void open_link(void)
{
    struct fixture *fx = &played->fx;
    const struct lb_broker_port port = {fx, ignore_kick, note_failure, false};
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    (void)lb_sign_key_public(fx->broker.log_key, raw);
    FUZZ_OK(lb_session_init(&fx->session, fx->adapter_log, lb_spiffe_log_origin(FX_BROKER), raw,
                            fx->adapter_seen));
    if (lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &fx->link) == LB_OK)
        return;
    fx_restart(fx); /* it was in quarantine */
    FUZZ_OK(lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &fx->link));
}

/* What the broker sends: its greeting, then batches of reads that it was given; no answers. */
static void take_frame(const Lianban__V1__Frame *frame)
{
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_HELLO) {
        FUZZ_OK(lb_session_greet(&played->fx.session, frame->hello));
        return;
    }
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_PARCELS)
        return; /* why a parcel of the input's was not taken */
    FUZZ_CHECK(frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH && played->greeted);
    FUZZ_CHECK(frame->batch->log != NULL && frame->batch->n_answers == 0);
    for (size_t i = 0; i < frame->batch->n_reads; i++) {
        FUZZ_CHECK(played->num_reads < played->num_asked);
        played->reads[played->num_reads++] = frame->batch->reads[i];
    }
}

static bool take_one(void)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    Lianban__V1__Frame *frame = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    if (!lb_broker_link_fill(played->fx.link, &buf))
        return false;
    FUZZ_OK(lb_pb_unpack(&lianban__v1__frame__descriptor, lb_buf_span(&buf), played->fx.arena,
                         &frame));
    take_frame(frame);
    return true;
}

/* --- what the adapter sends --- */

static bool receive(struct lb_span bytes)
{
    Lianban__V1__Frame *frame = NULL;
    bool parsed =
        lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, played->fx.arena, &frame) == LB_OK;
    played->ended = lb_broker_link_receive(played->fx.link, bytes) != LB_OK;
    if (played->ended)
        return false;
    FUZZ_CHECK(parsed);
    bool hello = frame->body_case == LIANBAN__V1__FRAME__BODY_HELLO;
    FUZZ_CHECK(!hello || !played->greeted);
    FUZZ_CHECK(hello || played->greeted ||
               frame->body_case == LIANBAN__V1__FRAME__BODY_STATUS_ACK);
    played->greeted = played->greeted || hello;
    return true;
}

static bool send_frame(Lianban__V1__Frame *frame)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    FUZZ_OK(lb_pb_pack(frame, played->fx.arena, &bytes));
    return receive(bytes);
}

static bool send_hello(struct lb_span *in)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    hello.version_min = fuzz_u8(in);
    hello.version_max = fuzz_u8(in);
    hello.seen_size = fuzz_u8(in);
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    return send_frame(&frame);
}

/* A case of the window's: reads are routed to this adapter, if it is there. */
static bool ask(struct lb_span *in)
{
    struct fixture *fx = &played->fx;
    if (played->called)
        return false;
    played->called = true;
    played->num_asked = fuzz_u8(in) % MAX_READS + 1;
    fx_collect(fx, &played->call, fx_operator_token(fx),
               fx_request(fx, played->num_asked, 1, DEADLINE_MS));
    bool up = lb_exchange_linked(fx->exchange, FX_ADAPTER);
    for (int i = 0; up && i < WAIT_STEPS && played->num_reads < played->num_asked; i++) {
        if (!take_one())
            (void)usleep(WAIT_STEP_US);
    }
    FUZZ_CHECK(!up || played->num_reads == played->num_asked);
    return true;
}

/* Bits of what is wrong with an answer; none for an honest one. */
enum {
    OTHER_TXN = 1,
    OTHER_ANSWER = 2,
    NO_ENTRY = 4,
    OTHER_CODE = 8,
    NOT_LINKED = 16,
    SHORTER = 32,
    OTHER_KIND = 64,
    OPEN_CODE = 128,
};

static void spoil(struct fx_reply *reply, unsigned wrong, struct lb_span *in)
{
    reply->leave_out_entry = (wrong & NO_ENTRY) != 0;
    reply->leaf.txn[3] ^= (wrong & OTHER_TXN) != 0;
    reply->leaf.answer_hash[3] ^= (wrong & OTHER_ANSWER) != 0;
    reply->leaf.peer_leaf[3] ^= (wrong & NOT_LINKED) != 0;
    reply->sealed.len -= (wrong & SHORTER) != 0 ? 1 : 0;
    if ((wrong & OTHER_KIND) != 0)
        reply->leaf.type = LB_LEAF_CANARY;
    if ((wrong & OTHER_CODE) != 0)
        memcpy(reply->leaf.code, "REPLAY", 7);
    if ((wrong & OPEN_CODE) != 0) {
        char *text = lb_arena_str(played->fx.arena, fuzz_field(in));
        reply->code = text == NULL ? "" : text;
    }
}

static bool answer(struct lb_span *in)
{
    struct fx_reply reply;
    unsigned wrong = fuzz_u8(in);
    size_t which = fuzz_u8(in);
    if (played->num_reads == 0)
        return false;
    which %= played->num_reads;
    fx_reply_honest(&played->fx, played->reads[which], &reply);
    spoil(&reply, wrong, in);
    bool honest = wrong == 0 || (wrong == OPEN_CODE && strcmp(reply.code, "ANSWERED") == 0);
    played->ended = fx_send(&played->fx, &reply) != LB_OK;
    FUZZ_CHECK(!honest || !played->ended || played->num_honest > 0);
    played->num_honest += honest;
    return !played->ended;
}

static bool acknowledge(struct lb_span *in)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__StatusAck ack = LIANBAN__V1__STATUS_ACK__INIT;
    uint64_t size = 0;
    unsigned parts = fuzz_u8(in);
    char *code = lb_arena_str(played->fx.arena, fuzz_field(in));
    ack.code = code == NULL ? (char *)(uintptr_t)"OK" : code;
    ack.sha256 = lb_pb_bytes(fuzz_field(in));
    ack.seq = fuzz_u8(in);
    if ((parts & 1) != 0)
        FUZZ_OK(lb_session_show(&played->fx.session, played->fx.arena, &ack.log, &size));
    if ((parts & 2) != 0 &&
        lb_pb_unpack(&lianban__v1__entry_proof__descriptor, fuzz_field(in), played->fx.arena,
                     &ack.entry) != LB_OK)
        ack.entry = NULL;
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_ACK;
    frame.status_ack = &ack;
    return send_frame(&frame);
}

static bool step(struct lb_span *in)
{
    switch (fuzz_u8(in) % 6) {
    case 0:
        return receive(fuzz_field(in));
    case 1:
        return send_hello(in);
    case 2:
        return ask(in);
    case 3:
        return answer(in);
    case 4:
        return acknowledge(in);
    default:
        while (take_one())
            continue;
        return true;
    }
}

/* Every read comes to one end, and none to an answer that the adapter did not give. */
static void finish_call(void)
{
    size_t num_events = 0, num_answered = 0;
    Lianban__V1__CollectEvent *event;
    if (!played->called)
        return;
    while ((event = fx_event(&played->fx, &played->call)) != NULL) {
        bool answered = strcmp(event->code, "ANSWERED") == 0;
        FUZZ_CHECK(answered == (event->sealed.len == FX_ANSWER_BYTES));
        FUZZ_CHECK(answered || event->sealed.len == 0);
        num_events++;
        num_answered += answered;
    }
    FUZZ_CHECK(!played->call.failed && played->call.status == LB_OK);
    FUZZ_CHECK(num_events == played->num_asked && num_answered <= played->num_honest);
    fx_close(&played->call);
}

static void begin_input(void)
{
    static bool ends;
    if (played != NULL && played->num_inputs > MAX_INPUTS)
        end();
    if (played == NULL)
        begin();
    if (!ends)
        ends = atexit(end) == 0;
    const unsigned before = played->num_inputs;
    struct fixture fx = played->fx;
    *played = (struct played){.fx = fx, .num_inputs = before + 1};
    played->fx.arena = fuzz_arena(ARENA_BYTES);
}

/* Steps until one is refused, which ends a link. */
bool fuzz_broker_link(struct lb_span in)
{
    begin_input();
    open_link();
    bool accepted = true;
    for (int i = 0; i < MAX_STEPS && in.len > 0 && accepted; i++)
        accepted = step(&in);
    fx_unlink(&played->fx);
    finish_call();
    lb_arena_free(played->fx.arena);
    played->fx.arena = played->fx.fed.arena;
    return accepted;
}

void seed_broker_link(const struct fuzz_sink *sink)
{
    static const uint8_t whole[] = {
        5, 1, 1, 1, 0, 5,             /* its greeting, ours, its log */
        2, 2, 3, 0, 2, 3, 0, 0,       /* three reads, two answers */
        4, 0, 0, 4, 'B', 'U', 'S', 'Y', 0, 0, 0,
        3, 128, 1, 0, 8, 'A', 'N', 'S', 'W', 'E', 'R', 'E', 'D',
    };
    static const uint8_t silent[] = {1, 1, 1, 0, 2, 0, 5};
    fuzz_seed_plain(sink, lb_span_of(whole, sizeof(whole)));
    fuzz_seed_plain(sink, lb_span_of(silent, sizeof(silent)));
}
