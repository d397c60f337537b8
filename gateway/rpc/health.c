/* grpc.health.v1.Health/Check: the whole server, or one service by the name its methods carry. */
#include <string.h>

#include "gateway/rpc/server_core.h"
#include "grpc/health/v1/health.pb-c.h"

#define MAX_REQUEST_BYTES 512U

/* "/lianban.v1.Broker/Collect" belongs to "lianban.v1.Broker". */
static bool method_of(const char *path, struct lb_span service)
{
    struct lb_span whole = lb_span_str(path);
    return whole.len > service.len + 1 && path[0] == '/' && path[service.len + 1] == '/' &&
           lb_span_eq(lb_span_of(whole.ptr + 1, service.len), service);
}

static bool has_service(const struct lb_rpc_server *server, struct lb_span service)
{
    if (service.len == 0 || method_of(LB_RPC_HEALTH_PATH, service))
        return true;
    for (size_t i = 0; i < server->options.num_methods; i++) {
        if (method_of(server->options.methods[i].path, service))
            return true;
    }
    return false;
}

static void free_request(Grpc__Health__V1__HealthCheckRequest **check)
{
    grpc__health__v1__health_check_request__free_unpacked(*check, NULL);
}

lb_status lb_rpc_health_answer(const struct lb_rpc_server *server, struct lb_span request,
                               struct lb_arena *arena, struct lb_span *out_reply)
{
    LB_ENSURE(request.len <= MAX_REQUEST_BYTES, LB_TOO_LARGE, "health request");
    LB_DEFER(free_request) Grpc__Health__V1__HealthCheckRequest *check =
        grpc__health__v1__health_check_request__unpack(NULL, request.len, request.ptr);
    LB_ENSURE(check != NULL, LB_MALFORMED, "health request");
    LB_ENSURE(has_service(server, lb_span_str(check->service)), LB_ABSENT, "no such service");
    bool (*healthy)(void *ctx) = server->options.healthy;
    bool serving = healthy == NULL || healthy(server->options.healthy_ctx);
    Grpc__Health__V1__HealthCheckResponse reply = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    reply.status = serving ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
                           : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
    size_t len = grpc__health__v1__health_check_response__get_packed_size(&reply);
    uint8_t *bytes = lb_arena_alloc(arena, len);
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "health reply");
    *out_reply = lb_span_of(bytes, grpc__health__v1__health_check_response__pack(&reply, bytes));
    return LB_OK;
}
