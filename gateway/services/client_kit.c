#include "gateway/services/client_kit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/evidence/link.h"
#include "gateway/evidence/session.h"
#include "gateway/rpc/client.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"

/* The conformance kit's way to an adapter. */

#define CALL_TIMEOUT_MS 20000

struct kit {
    struct lb_log *log;
    struct lb_rpc_runtime *runtime;
    struct lb_rpc_channel *channels[LB_CTL_KIT_NUM_MEMBERS];
};

static void close_kit(void *ctx)
{
    struct kit *kit = ctx;
    if (kit == NULL)
        return;
    for (size_t i = 0; i < LB_CTL_KIT_NUM_MEMBERS; i++)
        lb_rpc_channel_free(kit->channels[i]);
    lb_rpc_runtime_free(kit->runtime);
    free(kit);
}

static void close_kitp(struct kit **kit)
{
    close_kit(*kit);
}

static lb_status call(void *ctx, enum lb_ctl_kit_member as, const char *method,
                      struct lb_span request, struct lb_arena *arena, struct lb_span *out_reply)
{
    const struct kit *kit = ctx;
    return lb_rpc_call(kit->channels[as], method, NULL, 0, request, CALL_TIMEOUT_MS, arena,
                       out_reply);
}

/* --- one link, for one status list --- */

struct link {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct lb_arena *arena;          /* what came */
    Lianban__V1__Hello *hello;       /* NULL until it came */
    Lianban__V1__StatusAck *ack;     /* likewise */
    bool shown;                      /* a batch came */
    bool closed;
    lb_status outcome;               /* once closed, or of a frame that can't be read */
};

static void take_frame(struct link *link, struct lb_span bytes)
{
    Lianban__V1__Frame *frame = NULL;
    lb_status status = lb_pb_unpack(&lianban__v1__frame__descriptor, bytes, link->arena, &frame);
    if (status != LB_OK) {
        link->outcome = status;
        link->closed = true;
        return;
    }
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_HELLO)
        link->hello = frame->hello;
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_BATCH)
        link->shown = true;
    if (frame->body_case == LIANBAN__V1__FRAME__BODY_STATUS_ACK)
        link->ack = frame->status_ack;
}

static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    struct link *link = self;
    (void)stream;
    (void)pthread_mutex_lock(&link->lock);
    take_frame(link, bytes);
    (void)pthread_cond_broadcast(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    struct link *link = self;
    (void)stream;
    (void)pthread_mutex_lock(&link->lock);
    link->closed = true;
    if (link->outcome == LB_OK)
        link->outcome = status;
    (void)pthread_cond_broadcast(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
}

static bool has_hello(const struct link *link)
{
    return link->hello != NULL;
}

static bool is_shown(const struct link *link)
{
    return link->shown;
}

static bool has_ack(const struct link *link)
{
    return link->ack != NULL;
}

static bool is_over(const struct link *link)
{
    return link->closed;
}

static lb_status wait_for(struct link *link, bool (*came)(const struct link *link))
{
    struct timespec until;
    int waited = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CALL_TIMEOUT_MS / 1000;
    (void)pthread_mutex_lock(&link->lock);
    while (!came(link) && !link->closed && waited == 0)
        waited = pthread_cond_timedwait(&link->changed, &link->lock, &until);
    bool did = came(link);
    lb_status outcome = link->outcome;
    (void)pthread_mutex_unlock(&link->lock);
    if (did)
        return LB_OK;
    return outcome != LB_OK ? outcome : LB_FAULT(LB_DEADLINE, "no word on the link");
}

static lb_status send_frame(struct lb_rpc_stream *stream, const Lianban__V1__Frame *frame,
                            struct lb_arena *arena)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(frame, arena, &bytes));
    return lb_rpc_stream_send(stream, bytes);
}

static lb_status greet(struct lb_rpc_stream *stream, struct lb_arena *arena)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    hello.version_min = LB_LINK_VERSION_MIN;
    hello.version_max = LB_LINK_VERSION_MAX;
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    return send_frame(stream, &frame, arena);
}

/* From the size that the adapter says it has seen, so that it can check that ours extends it. */
static lb_status show(const struct kit *kit, const struct link *link, struct lb_rpc_stream *stream,
                      struct lb_arena *arena)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__Batch batch = LIANBAN__V1__BATCH__INIT;
    uint64_t shown = link->hello->seen_size, size = 0;
    LB_TRY(lb_link_show(kit->log, &shown, arena, &batch.log, &size));
    frame.body_case = LIANBAN__V1__FRAME__BODY_BATCH;
    frame.batch = &batch;
    return send_frame(stream, &frame, arena);
}

static lb_status talk(const struct kit *kit, struct link *link, struct lb_rpc_stream *stream,
                      const char *token, struct lb_arena *arena)
{
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    Lianban__V1__StatusUpdate update = LIANBAN__V1__STATUS_UPDATE__INIT;
    LB_TRY(greet(stream, arena));
    LB_TRY(wait_for(link, has_hello));
    LB_TRY(show(kit, link, stream, arena));
    LB_TRY(wait_for(link, is_shown));
    update.token = (char *)(uintptr_t)token;
    frame.body_case = LIANBAN__V1__FRAME__BODY_STATUS_UPDATE;
    frame.status_update = &update;
    LB_TRY(send_frame(stream, &frame, arena));
    return wait_for(link, has_ack);
}

static lb_status push(void *ctx, const char *token, struct lb_arena *arena,
                      Lianban__V1__StatusAck **out_ack)
{
    static const struct lb_rpc_stream_events events = {.message = on_message, .closed = on_closed};
    const struct kit *kit = ctx;
    /* What comes is put there by a poller, while the caller's own arena is in use. */
    LB_DEFER(lb_arena_freep) struct lb_arena *own = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(own != NULL, LB_NO_MEMORY, "link");
    struct link link = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
                        .arena = arena};
    struct lb_rpc_stream *stream = NULL;
    LB_TRY(lb_rpc_open(kit->channels[LB_CTL_KIT_BROKER], "/lianban.v1.Adapter/Link", NULL, 0,
                       CALL_TIMEOUT_MS, &events, &link, &stream));
    lb_status status = talk(kit, &link, stream, token, own);
    lb_rpc_stream_cancel(stream, LB_OK);
    while (wait_for(&link, is_over) != LB_OK) {
    } /* its end always comes, and it points here */
    lb_rpc_stream_unref(stream);
    (void)pthread_cond_destroy(&link.changed);
    (void)pthread_mutex_destroy(&link.lock);
    LB_TRY(status);
    *out_ack = link.ack;
    return LB_OK;
}

/* --- opening --- */

static lb_status open_channel(struct kit *kit, const struct lb_ctl_kit_options *options,
                              enum lb_ctl_kit_member as, struct lb_diag *diag)
{
    const struct lb_rpc_identity identity = {options->members[as].cert, options->members[as].key,
                                             options->members[as].ca};
    LB_TRY(lb_rpc_identity_check(kit->runtime, &identity, diag));
    const struct lb_rpc_channel_options channel = {
        .runtime = kit->runtime,
        .target = options->address,
        .identity = &identity,
        .verifier = lb_access_verifier(options->trust),
        .expected_spiffe = options->adapter,
    };
    return lb_rpc_channel_new(&channel, &kit->channels[as]);
}

lb_status lb_client_open_kit(void *ctx, const struct lb_ctl_kit_options *options,
                             struct lb_diag *diag, struct lb_ctl_kit_port *out)
{
    LB_DEFER(close_kitp) struct kit *kit = calloc(1, sizeof(*kit));
    (void)ctx;
    LB_ENSURE(kit != NULL, LB_NO_MEMORY, "kit");
    kit->log = options->log;
    LB_TRY(lb_rpc_runtime_new(1, &kit->runtime));
    for (int as = 0; as < LB_CTL_KIT_NUM_MEMBERS; as++)
        LB_TRY(open_channel(kit, options, (enum lb_ctl_kit_member)as, diag));
    *out = (struct lb_ctl_kit_port){kit, call, push, close_kit};
    kit = NULL;
    return LB_OK;
}
