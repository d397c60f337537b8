#include "gateway/services/reflection_service.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/services/access.h"
#include "gateway/wire/pb.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

/* gRPC's canonical codes, which this protocol has in its messages. */
#define INVALID_ARGUMENT 3
#define NOT_FOUND 5

#define QUESTION(name_) GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##name_
#define ANSWER(name_) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##name_

/* One stream. */
struct asking {
    const struct lb_reflection_service *service;
    size_t num_asked;
};

/* --- answers --- */

/* What an answer points at while it is packed. */
struct parts {
    ProtobufCBinaryData bytes;
    Grpc__Reflection__V1__FileDescriptorResponse file;
    Grpc__Reflection__V1__ExtensionNumberResponse extensions;
    Grpc__Reflection__V1__ListServiceResponse list;
    Grpc__Reflection__V1__ServiceResponse names[LB_REFLECTION_MAX_SERVICES];
    Grpc__Reflection__V1__ServiceResponse *listed[LB_REFLECTION_MAX_SERVICES];
    Grpc__Reflection__V1__ErrorResponse error;
};

static void put_error(struct parts *parts, int32_t code, const char *text,
                      Grpc__Reflection__V1__ServerReflectionResponse *out)
{
    grpc__reflection__v1__error_response__init(&parts->error);
    parts->error.error_code = code;
    parts->error.error_message = (char *)(uintptr_t)text;
    out->message_response_case = ANSWER(ERROR_RESPONSE);
    out->error_response = &parts->error;
}

static void put_file(struct parts *parts, struct lb_span file,
                     Grpc__Reflection__V1__ServerReflectionResponse *out)
{
    if (file.len == 0) {
        put_error(parts, NOT_FOUND, "no such file or symbol", out);
        return;
    }
    grpc__reflection__v1__file_descriptor_response__init(&parts->file);
    parts->bytes = lb_pb_bytes(file);
    parts->file.n_file_descriptor_proto = 1;
    parts->file.file_descriptor_proto = &parts->bytes;
    out->message_response_case = ANSWER(FILE_DESCRIPTOR_RESPONSE);
    out->file_descriptor_response = &parts->file;
}

/* Nothing of ours is extended. */
static void put_extensions(const struct lb_schema *schema, char *type, struct parts *parts,
                           Grpc__Reflection__V1__ServerReflectionResponse *out)
{
    if (lb_schema_symbol(schema, type).len == 0) {
        put_error(parts, NOT_FOUND, "no such type", out);
        return;
    }
    grpc__reflection__v1__extension_number_response__init(&parts->extensions);
    parts->extensions.base_type_name = type;
    out->message_response_case = ANSWER(ALL_EXTENSION_NUMBERS_RESPONSE);
    out->all_extension_numbers_response = &parts->extensions;
}

static void put_services(const struct lb_reflection_service *service, struct parts *parts,
                         Grpc__Reflection__V1__ServerReflectionResponse *out)
{
    grpc__reflection__v1__list_service_response__init(&parts->list);
    for (size_t i = 0; i < service->num_services; i++) {
        grpc__reflection__v1__service_response__init(&parts->names[i]);
        parts->names[i].name = (char *)(uintptr_t)service->services[i];
        parts->listed[i] = &parts->names[i];
    }
    parts->list.n_service = service->num_services;
    parts->list.service = parts->listed;
    out->message_response_case = ANSWER(LIST_SERVICES_RESPONSE);
    out->list_services_response = &parts->list;
}

static void put_answer(const struct lb_reflection_service *service,
                       const Grpc__Reflection__V1__ServerReflectionRequest *ask,
                       struct parts *parts, Grpc__Reflection__V1__ServerReflectionResponse *out)
{
    switch (ask->message_request_case) {
    case QUESTION(FILE_BY_FILENAME):
        put_file(parts, lb_schema_file(service->schema, ask->file_by_filename), out);
        return;
    case QUESTION(FILE_CONTAINING_SYMBOL):
        put_file(parts, lb_schema_symbol(service->schema, ask->file_containing_symbol), out);
        return;
    case QUESTION(FILE_CONTAINING_EXTENSION):
        put_error(parts, NOT_FOUND, "nothing is extended", out);
        return;
    case QUESTION(ALL_EXTENSION_NUMBERS_OF_TYPE):
        put_extensions(service->schema, ask->all_extension_numbers_of_type, parts, out);
        return;
    case QUESTION(LIST_SERVICES):
        put_services(service, parts, out);
        return;
    default:
        put_error(parts, INVALID_ARGUMENT, "no question", out);
    }
}

static lb_status answer(struct asking *asking, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    Grpc__Reflection__V1__ServerReflectionRequest *ask = NULL;
    Grpc__Reflection__V1__ServerReflectionResponse response =
        GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;
    struct parts parts;
    struct lb_span packed = LB_SPAN_EMPTY;
    LB_ENSURE(asking->num_asked++ < LB_REFLECTION_MAX_QUESTIONS, LB_BUSY,
              "enough was asked on one stream");
    LB_ENSURE(bytes.len <= LB_REFLECTION_MAX_BYTES, LB_TOO_LARGE, "a question");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "reflection");
    LB_TRY(lb_pb_unpack(&grpc__reflection__v1__server_reflection_request__descriptor, bytes, arena,
                        &ask));
    response.valid_host = ask->host;
    response.original_request = ask;
    put_answer(asking->service, ask, &parts, &response);
    LB_TRY(lb_pb_pack(&response, arena, &packed));
    return lb_rpc_stream_send(stream, packed);
}

/* --- the stream --- */

/* BUSY also when a caller asks on without reading. */
static void on_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    lb_status status = answer(self, stream, bytes);
    if (status != LB_OK)
        lb_rpc_stream_cancel(stream, status);
}

static void on_half_closed(void *self, struct lb_rpc_stream *stream)
{
    (void)self;
    lb_rpc_stream_finish(stream, LB_OK);
}

static void on_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    (void)stream;
    lb_status_ignore(status);
    free(self);
}

static lb_status open_stream(void *ctx, const struct lb_rpc_call_info *info,
                             struct lb_rpc_stream *stream,
                             const struct lb_rpc_stream_events **out_events, void **out_self)
{
    static const struct lb_rpc_stream_events events = {
        .message = on_message, .half_closed = on_half_closed, .closed = on_closed};
    const struct lb_reflection_service *service = ctx;
    (void)stream;
    LB_TRY(lb_access_need_operator(service->trust, service->log, info->peer->spiffe,
                                   service->organization));
    struct asking *asking = calloc(1, sizeof(*asking));
    LB_ENSURE(asking != NULL, LB_NO_MEMORY, "reflection");
    asking->service = service;
    *out_events = &events;
    *out_self = asking;
    return LB_OK;
}

void lb_reflection_service_methods(struct lb_reflection_service *service,
                                   struct lb_rpc_method out[LB_REFLECTION_METHODS])
{
    static const char *const paths[LB_REFLECTION_METHODS] = {
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
    for (size_t i = 0; i < LB_REFLECTION_METHODS; i++)
        out[i] = (struct lb_rpc_method){.path = paths[i], .stream = open_stream, .ctx = service};
}

/* --- what it tells of --- */

static void add_service(struct lb_reflection_service *service, struct lb_span name)
{
    char text[LB_MAX_NAME_BYTES + 1];
    if (name.len > LB_MAX_NAME_BYTES || service->num_services == LB_REFLECTION_MAX_SERVICES)
        return;
    memcpy(text, name.ptr, name.len);
    text[name.len] = 0;
    if (lb_schema_symbol(service->schema, text).len == 0)
        return;
    for (size_t i = 0; i < service->num_services; i++) {
        if (strcmp(service->services[i], text) == 0)
            return;
    }
    memcpy(service->services[service->num_services++], text, name.len + 1);
}

void lb_reflection_service_list(struct lb_reflection_service *service,
                                const struct lb_rpc_method *methods, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        struct lb_span path = lb_span_str(methods[i].path);
        const uint8_t *slash = memrchr(path.ptr, '/', path.len);
        if (slash > path.ptr)
            add_service(service, lb_span_of(path.ptr + 1, (size_t)(slash - path.ptr) - 1));
    }
    add_service(service, lb_span_str("grpc.health.v1.Health"));
}
