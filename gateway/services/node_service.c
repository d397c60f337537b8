#include "gateway/services/node_service.h"

#include <string.h>

#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* Whoever has a certificate of the same organization; on a Unix socket, whoever may open it. */
static bool is_own(const struct lb_node_service *service, const struct lb_directory *directory,
                   const struct lb_rpc_peer *peer)
{
    if (peer->spiffe[0] == 0)
        return true;
    const struct lb_node *node = lb_directory_node(directory, peer->spiffe);
    return node != NULL && strcmp(node->organization, service->organization) == 0;
}

static lb_status put_directory(const struct lb_directory *directory, struct lb_arena *arena,
                               Lianban__V1__AboutResponse *response)
{
    struct lb_span hash = LB_SPAN_EMPTY;
    LB_TRY(lb_arena_copy(arena, lb_span_of(directory->sha256, 32), &hash));
    response->directory_version = directory->version;
    response->directory_sha256 = lb_pb_bytes(hash);
    return LB_OK;
}

static lb_status put_lists(const struct lb_node_service *service, struct lb_arena *arena,
                           Lianban__V1__AboutResponse *response)
{
    struct lb_held_list *lists = NULL;
    size_t num = 0;
    if (service->lists.list == NULL)
        return LB_OK;
    LB_TRY(service->lists.list(service->lists.ctx, arena, &lists, &num));
    response->lists = lb_arena_array(arena, num, sizeof(response->lists[0]));
    LB_ENSURE(response->lists != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++) {
        Lianban__V1__HeldStatusList *held = lb_arena_alloc(arena, sizeof(*held));
        LB_ENSURE(held != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__held_status_list__init(held);
        held->uri = text_of(lists[i].uri);
        held->issuer = text_of(lists[i].issuer);
        held->seq = lists[i].seq;
        held->issued_unix_s = lists[i].issued_unix_s;
        held->expires_unix_s = lists[i].expires_unix_s;
        response->lists[response->n_lists++] = held;
    }
    return LB_OK;
}

static lb_status put_own(const struct lb_node_service *service, struct lb_arena *arena,
                         Lianban__V1__AboutResponse *response)
{
    struct lb_log_health health;
    char drill[LB_MAX_NAME_BYTES + 1];
    LB_TRY(put_lists(service, arena, response));
    lb_drill_tell(service->drill, drill);
    response->drill = lb_arena_str(arena, lb_span_str(drill));
    LB_ENSURE(response->drill != NULL, LB_NO_MEMORY, "arena is full");
    if (service->log == NULL)
        return LB_OK;
    lb_log_health(service->log, &health);
    response->log_state = text_of(lb_log_state_name(health.state));
    response->log_queue = (uint32_t)health.num_queued;
    return LB_OK;
}

static lb_status about(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                       struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_node_service *service = ctx;
    Lianban__V1__AboutRequest *ask = NULL;
    Lianban__V1__AboutResponse response = LIANBAN__V1__ABOUT_RESPONSE__INIT;
    LB_TRY(lb_pb_unpack(&lianban__v1__about_request__descriptor, request, arena, &ask));
    struct lb_directory *directory = lb_trust_directory(service->trust);
    bool own = is_own(service, directory, info->peer);
    lb_status status = put_directory(directory, arena, &response);
    lb_directory_unref(directory);
    LB_TRY(status);
    if (own)
        LB_TRY(put_own(service, arena, &response));
    response.version = text_of(service->version);
    response.unix_ms = lb_clock_unix_ms(service->clock);
    return lb_pb_pack(&response, arena, reply);
}

void lb_node_service_methods(struct lb_node_service *service,
                             struct lb_rpc_method out[LB_NODE_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Node/About", .unary = about,
                                    .ctx = service};
}
