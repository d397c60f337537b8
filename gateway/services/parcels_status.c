#include "gateway/services/access.h"
#include "gateway/services/status_service.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"

/* Operations/GetParcels: what a broker holds, by names, members and codes. */

#define MAX_SHOWN 512

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

static lb_status add(const struct lb_outbox_held *held, struct lb_arena *arena,
                     Lianban__V1__GetParcelsResponse *response)
{
    Lianban__V1__ParcelStatus *parcel = lb_arena_alloc(arena, sizeof(*parcel));
    LB_ENSURE(parcel != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__parcel_status__init(parcel);
    parcel->name = lb_pb_bytes(lb_span_of(held->name, sizeof(held->name)));
    parcel->sender = text_of(held->sender);
    parcel->recipient = text_of(held->recipient);
    parcel->code = text_of("HELD");
    if (held->over)
        parcel->code = text_of(held->delivered ? "DELIVERED" : lb_code_name(held->code));
    else if (held->code != LB_CODE_OK)
        parcel->away = text_of(lb_code_name(held->code));
    parcel->next_try_unix_s = held->next_try_unix_s;
    parcel->tries = held->tries;
    parcel->since_unix_s = held->since_unix_s;
    parcel->expires_unix_s = held->expires_unix_s;
    parcel->entry = held->entry;
    response->parcels[response->n_parcels++] = parcel;
    return LB_OK;
}

static lb_status get_parcels(void *ctx, const struct lb_rpc_call_info *info,
                             struct lb_span request, struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_status_service *service = ctx;
    Lianban__V1__GetParcelsRequest *ask = NULL;
    Lianban__V1__GetParcelsResponse response = LIANBAN__V1__GET_PARCELS_RESPONSE__INIT;
    LB_TRY(lb_access_need_operator(service->trust, service->log, info->peer->spiffe,
                                   service->organization));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_parcels_request__descriptor, request, arena, &ask));
    struct lb_outbox_held *held = lb_arena_array(arena, MAX_SHOWN, sizeof(*held));
    response.parcels = lb_arena_array(arena, MAX_SHOWN, sizeof(*response.parcels));
    LB_ENSURE(held != NULL && response.parcels != NULL, LB_NO_MEMORY, "arena is full");
    size_t all = lb_outbox_list(service->outbox, held, MAX_SHOWN);
    for (size_t i = 0; i < all && i < MAX_SHOWN; i++)
        LB_TRY(add(&held[i], arena, &response));
    response.omitted = (uint32_t)(all - response.n_parcels);
    response.broker = text_of(service->self);
    response.unix_ms = lb_clock_unix_ms(service->clock);
    return lb_pb_pack(&response, arena, reply);
}

void lb_status_service_parcels(struct lb_status_service *service,
                               struct lb_rpc_method out[LB_STATUS_PARCEL_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Operations/GetParcels",
                                    .unary = get_parcels, .ctx = service};
}
