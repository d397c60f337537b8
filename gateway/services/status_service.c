#include "gateway/services/status_service.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/services/access.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"

#define MAX_ADAPTERS 256
#define MAX_PARTIES 1024
#define SHOWN                                                                                      \
    (1U << LB_NODE_BROKER | 1U << LB_NODE_ADAPTER | 1U << LB_NODE_WINDOW |                         \
     1U << LB_NODE_CONSENT | 1U << LB_NODE_AUDITOR)

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static const struct lb_adapter_view *view_of(const struct lb_adapter_view *views, size_t num,
                                             const char *spiffe)
{
    for (size_t i = 0; i < num; i++) {
        if (strcmp(views[i].spiffe, spiffe) == 0)
            return &views[i];
    }
    return NULL;
}

static void put_view(const struct lb_adapter_view *view, Lianban__V1__MemberStatus *out)
{
    out->linked = view->linked;
    out->changed_unix_ms = view->changed_unix_ms;
    if (view->quarantine != LB_CODE_OK)
        out->quarantine = text_of(lb_code_name(view->quarantine));
    out->answered_unix_ms = view->answered_unix_ms;
    out->answers = view->num_answers;
    out->log_size = view->log_size;
    out->log_shown_unix_ms = view->shown_unix_ms;
    out->pending = (uint32_t)view->num_pending;
    out->unacknowledged_lists = (uint32_t)view->num_unacknowledged;
    out->circuit_unix_ms = view->circuit_unix_ms;
    if (view->circuit != LB_BREAKER_CLOSED) {
        out->circuit = text_of(lb_breaker_state_name(view->circuit));
        out->circuit_for_all = view->circuit_for_all;
    }
}

static void put_parcels(const struct lb_outbox_party *parties, size_t num,
                        Lianban__V1__MemberStatus *out)
{
    for (size_t i = 0; i < num; i++) {
        const struct lb_outbox_party *party = &parties[i];
        if (strcmp(party->party, out->spiffe) != 0)
            continue;
        out->parcels = (uint32_t)party->num_waiting;
        out->parcels_since_unix_s = party->oldest_unix_s;
        if (party->code != LB_CODE_OK)
            out->parcels_code = text_of(lb_code_name(party->code));
        out->parcels_untold = (uint32_t)party->num_untold;
    }
}

static lb_status put_outbox(const struct lb_status_service *service, struct lb_arena *arena,
                            Lianban__V1__GetStatusResponse *response)
{
    if (service->outbox == NULL)
        return LB_OK;
    struct lb_outbox_party *parties = lb_arena_array(arena, MAX_PARTIES, sizeof(*parties));
    LB_ENSURE(parties != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = lb_outbox_parties(service->outbox, parties, MAX_PARTIES);
    response->outbox_percent = lb_outbox_percent(service->outbox);
    for (size_t i = 0; i < response->n_members; i++)
        put_parcels(parties, num, response->members[i]);
    return LB_OK;
}

static lb_status add_member(const struct lb_status_service *service, const struct lb_node *node,
                            const struct lb_adapter_view *view, struct lb_arena *arena,
                            Lianban__V1__GetStatusResponse *response)
{
    Lianban__V1__MemberStatus *member = lb_arena_alloc(arena, sizeof(*member));
    struct lb_sighting sighting;
    LB_ENSURE(member != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__member_status__init(member);
    member->spiffe = lb_arena_str(arena, lb_span_str(node->spiffe));
    LB_ENSURE(member->spiffe != NULL, LB_NO_MEMORY, "arena is full");
    if (lb_sightings_find(service->sightings, node->spiffe, &sighting)) {
        member->seen_unix_ms = sighting.seen_unix_ms;
        member->certificate_not_after_unix_s = sighting.not_after_unix_s;
    }
    if (view != NULL)
        put_view(view, member);
    response->members[response->n_members++] = member;
    return LB_OK;
}

static lb_status put_members(const struct lb_status_service *service,
                             const struct lb_directory *directory, struct lb_arena *arena,
                             Lianban__V1__GetStatusResponse *response)
{
    struct lb_adapter_view *views = lb_arena_array(arena, MAX_ADAPTERS, sizeof(*views));
    response->members = lb_arena_array(arena, directory->num_nodes, sizeof(*response->members));
    LB_ENSURE(views != NULL && response->members != NULL, LB_NO_MEMORY, "arena is full");
    size_t num = lb_exchange_adapters(service->exchange, views, MAX_ADAPTERS);
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if ((SHOWN & 1U << node->kind) != 0)
            LB_TRY(add_member(service, node, view_of(views, num, node->spiffe), arena, response));
    }
    return LB_OK;
}

static void put_load(const struct lb_status_service *service,
                     Lianban__V1__GetStatusResponse *response)
{
    struct lb_admission_view load;
    lb_exchange_load(service->exchange, &load);
    response->reads_in_hand = load.in_hand;
    response->reads_places = load.places;
    response->forms_waiting = load.num_waiting;
    response->forms_refused = load.num_refused + load.num_given_up;
}

static lb_status fill(const struct lb_status_service *service,
                      const struct lb_directory *directory, struct lb_arena *arena,
                      Lianban__V1__GetStatusResponse *response)
{
    struct lb_log_health health;
    struct lb_log_head head;
    char drill[LB_MAX_NAME_BYTES + 1];
    lb_log_health(service->log, &health);
    lb_drill_tell(service->drill, drill);
    response->drill = lb_arena_str(arena, lb_span_str(drill));
    LB_ENSURE(response->drill != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_log_head(service->log, arena, &head));
    response->broker = text_of(service->self);
    response->version = text_of(service->version);
    response->unix_ms = lb_clock_unix_ms(service->clock);
    response->directory_version = directory->version;
    response->directory_expires_unix_s = directory->expires;
    response->log_state = text_of(lb_log_state_name(health.state));
    response->log_size = head.size;
    put_load(service, response);
    LB_TRY(put_members(service, directory, arena, response));
    return put_outbox(service, arena, response);
}

static lb_status get_status(void *ctx, const struct lb_rpc_call_info *info,
                            struct lb_span request, struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_status_service *service = ctx;
    Lianban__V1__GetStatusRequest *ask = NULL;
    Lianban__V1__GetStatusResponse response = LIANBAN__V1__GET_STATUS_RESPONSE__INIT;
    LB_TRY(lb_access_need_operator(service->trust, service->log, info->peer->spiffe,
                                   service->organization));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_status_request__descriptor, request, arena, &ask));
    struct lb_directory *directory = lb_trust_directory(service->trust);
    lb_status status = fill(service, directory, arena, &response);
    lb_directory_unref(directory);
    LB_TRY(status);
    return lb_pb_pack(&response, arena, reply);
}

void lb_status_service_methods(struct lb_status_service *service,
                               struct lb_rpc_method out[LB_STATUS_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Operations/GetStatus",
                                    .unary = get_status, .ctx = service};
}

size_t lb_status_service_links(void *ctx, struct lb_metrics_link *out, size_t max)
{
    const struct lb_status_service *service = ctx;
    struct lb_adapter_view *views = calloc(MAX_ADAPTERS, sizeof(*views));
    if (views == NULL)
        return 0;
    size_t num = lb_exchange_adapters(service->exchange, views, MAX_ADAPTERS);
    num = num < max ? num : max;
    for (size_t i = 0; i < num; i++) {
        memcpy(out[i].peer, views[i].spiffe, sizeof(out[i].peer));
        out[i].up = views[i].linked;
        out[i].circuit = (int)views[i].circuit;
    }
    free(views);
    return num;
}
