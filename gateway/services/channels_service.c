#include "gateway/services/channels_service.h"

#include <stdlib.h>

#include "gateway/rpc/survey.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"

static void free_standings(struct lb_rpc_standing **standings)
{
    free(*standings);
}

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Lianban__V1__ChannelStatus__State state_of(enum lb_rpc_state state)
{
    static const Lianban__V1__ChannelStatus__State states[] = {
        [LB_RPC_IDLE] = LIANBAN__V1__CHANNEL_STATUS__STATE__IDLE,
        [LB_RPC_CONNECTING] = LIANBAN__V1__CHANNEL_STATUS__STATE__CONNECTING,
        [LB_RPC_READY] = LIANBAN__V1__CHANNEL_STATUS__STATE__READY,
        [LB_RPC_FAILING] = LIANBAN__V1__CHANNEL_STATUS__STATE__FAILING,
        [LB_RPC_LISTENING] = LIANBAN__V1__CHANNEL_STATUS__STATE__LISTENING,
    };
    return states[state];
}

/* Texts stay the standing's. */
static lb_status add_channel(const struct lb_rpc_standing *from, struct lb_arena *arena,
                             Lianban__V1__GetChannelsResponse *response)
{
    Lianban__V1__ChannelStatus *channel = lb_arena_alloc(arena, sizeof(*channel));
    LB_ENSURE(channel != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__channel_status__init(channel);
    channel->peer = text_of(from->peer);
    channel->target = text_of(from->target);
    channel->state = state_of(from->state);
    channel->since_unix_ms = from->since_unix_ms;
    channel->started = from->started;
    channel->succeeded = from->succeeded;
    channel->failed = from->failed;
    if (from->last_failure != LB_CODE_OK)
        channel->last_failure = text_of(lb_code_name(lb_code_outer(from->last_failure)));
    channel->last_failed_unix_ms = from->last_failed_unix_ms;
    channel->queued_messages = from->queued_messages;
    channel->queued_bytes = from->queued_bytes;
    response->channels[response->n_channels++] = channel;
    return LB_OK;
}

static lb_status add_queue(const char *name, uint64_t waiting, struct lb_arena *arena,
                           Lianban__V1__GetChannelsResponse *response)
{
    Lianban__V1__QueueStatus *queue = lb_arena_alloc(arena, sizeof(*queue));
    LB_ENSURE(queue != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__queue_status__init(queue);
    queue->name = text_of(name);
    queue->waiting = waiting;
    response->queues[response->n_queues++] = queue;
    return LB_OK;
}

static lb_status put_queues(const struct lb_channels_service *service, struct lb_arena *arena,
                            Lianban__V1__GetChannelsResponse *response)
{
    struct lb_log_health health;
    lb_log_health(service->log, &health);
    response->queues =
        lb_arena_array(arena, service->num_queues + 1, sizeof(*response->queues));
    LB_ENSURE(response->queues != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(add_queue("log", health.num_queued, arena, response));
    for (size_t i = 0; i < service->num_queues; i++) {
        struct lb_workers_load load;
        lb_workers_load(service->queues[i].workers, &load);
        LB_TRY(add_queue(service->queues[i].name, load.num_queued, arena, response));
    }
    return LB_OK;
}

static lb_status get_channels(void *ctx, const struct lb_rpc_call_info *info,
                              struct lb_span request, struct lb_arena *arena,
                              struct lb_span *reply)
{
    const struct lb_channels_service *service = ctx;
    Lianban__V1__GetChannelsRequest *ask = NULL;
    Lianban__V1__GetChannelsResponse response = LIANBAN__V1__GET_CHANNELS_RESPONSE__INIT;
    LB_TRY(lb_access_need_operator(service->trust, service->log, info->peer->spiffe,
                                   service->organization));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_channels_request__descriptor, request, arena, &ask));
    LB_DEFER(free_standings) struct lb_rpc_standing *standings =
        calloc(LB_RPC_MAX_SURVEYED, sizeof(*standings));
    response.channels = lb_arena_array(arena, LB_RPC_MAX_SURVEYED, sizeof(*response.channels));
    LB_ENSURE(standings != NULL && response.channels != NULL, LB_NO_MEMORY, "arena is full");
    size_t all = lb_rpc_survey(service->runtime, standings, LB_RPC_MAX_SURVEYED);
    for (size_t i = 0; i < all && i < LB_RPC_MAX_SURVEYED; i++)
        LB_TRY(add_channel(&standings[i], arena, &response));
    response.omitted = (uint32_t)(all - response.n_channels);
    response.broker = text_of(service->self);
    response.unix_ms = lb_clock_unix_ms(service->clock);
    LB_TRY(put_queues(service, arena, &response));
    return lb_pb_pack(&response, arena, reply);
}

void lb_channels_service_methods(struct lb_channels_service *service,
                                 struct lb_rpc_method out[LB_CHANNELS_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Operations/GetChannels",
                                    .unary = get_channels, .ctx = service};
}
