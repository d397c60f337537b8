#include "gateway/rpc/wire_status.h"

#include "gateway/base/later.h"
#include "gateway/base/span.h"
#include "google/rpc/status.pb-c.h"
#include "lianban/v1/error.pb-c.h"

#define DETAILS_KEY "grpc-status-details-bin"
#define DETAIL_TYPE "type.googleapis.com/lianban.v1.ErrorDetail"
#define MAX_DETAIL_BYTES 1024U
#define MAX_DETAILS_BYTES 2048U

/* Packs into out[MAX_DETAILS_BYTES] and returns the length, 0 if it does not fit. */
static size_t pack_details(enum lb_code code, int64_t retry_after_ms, uint8_t *out)
{
    uint8_t packed[MAX_DETAIL_BYTES];
    Lianban__V1__ErrorDetail detail = LIANBAN__V1__ERROR_DETAIL__INIT;
    detail.code = (char *)(uintptr_t)lb_code_name(code);
    detail.text_en = (char *)(uintptr_t)lb_code_text_en(code);
    detail.text_zh = (char *)(uintptr_t)lb_code_text_zh(code);
    detail.retry_after_ms = (uint32_t)retry_after_ms;
    if (lianban__v1__error_detail__get_packed_size(&detail) > sizeof(packed))
        return 0;

    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    any.type_url = (char *)(uintptr_t)DETAIL_TYPE;
    any.value.data = packed;
    any.value.len = lianban__v1__error_detail__pack(&detail, packed);
    Google__Protobuf__Any *details[] = {&any};
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    status.code = (int32_t)lb_code_canonical(code);
    status.message = detail.text_en;
    status.n_details = 1;
    status.details = details;
    if (google__rpc__status__get_packed_size(&status) > MAX_DETAILS_BYTES)
        return 0;
    return google__rpc__status__pack(&status, out);
}

void lb_rpc_wire_status_of(lb_status status, struct lb_rpc_wire_status *out)
{
    enum lb_code code = lb_code_outer(lb_status_code(status));
    *out = (struct lb_rpc_wire_status){
        .code = (grpc_status_code)lb_code_canonical(code),
        .message = grpc_empty_slice(),
    };
    if (out->code == GRPC_STATUS_OK)
        return;
    out->message = grpc_slice_from_static_string(lb_code_text_en(code));
    uint8_t details[MAX_DETAILS_BYTES];
    size_t len = pack_details(code, lb_later_ms(status), details);
    if (len == 0)
        return; /* the canonical code still says what kind of failure it is */
    out->detail.key = grpc_slice_from_static_string(DETAILS_KEY);
    out->detail.value = grpc_slice_from_copied_buffer((const char *)details, len);
    out->num_details = 1;
}

void lb_rpc_wire_status_cleanup(struct lb_rpc_wire_status *wire)
{
    grpc_slice_unref(wire->message);
    if (wire->num_details > 0)
        grpc_slice_unref(wire->detail.value);
    *wire = (struct lb_rpc_wire_status){.message = grpc_empty_slice()};
}

static struct lb_span slice_span(const grpc_slice *slice)
{
    return lb_span_of(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
}

/* A code by its name, if a peer may say it and it belongs to the canonical code it came with;
 * otherwise LB_OK. */
static lb_status named_code(struct lb_span name, grpc_status_code canonical)
{
    enum lb_code code;
    if (!lb_code_by_name((const char *)name.ptr, name.len, &code))
        return LB_OK;
    if (lb_code_scope(code) != LB_SCOPE_OUTER)
        return LB_OK;
    if ((int)lb_code_canonical(code) != (int)canonical)
        return LB_OK;
    return lb_status_of(code);
}

static void free_status(Google__Rpc__Status **status)
{
    google__rpc__status__free_unpacked(*status, NULL);
}

static void free_detail(Lianban__V1__ErrorDetail **detail)
{
    lianban__v1__error_detail__free_unpacked(*detail, NULL);
}

static lb_status status_in_any(const Google__Protobuf__Any *any, grpc_status_code canonical)
{
    LB_DEFER(free_detail) Lianban__V1__ErrorDetail *detail =
        lianban__v1__error_detail__unpack(NULL, any->value.len, any->value.data);
    lb_status named = detail == NULL ? LB_OK : named_code(lb_span_str(detail->code), canonical);
    if (lb_status_code(named) == LB_BUSY && detail->retry_after_ms > 0)
        return lb_later(detail->retry_after_ms);
    return named;
}

static lb_status status_in_details(struct lb_span bytes, grpc_status_code canonical)
{
    if (bytes.len > MAX_DETAILS_BYTES)
        return LB_OK;
    LB_DEFER(free_status) Google__Rpc__Status *status =
        google__rpc__status__unpack(NULL, bytes.len, bytes.ptr);
    if (status == NULL)
        return LB_OK;
    for (size_t i = 0; i < status->n_details; i++) {
        const Google__Protobuf__Any *any = status->details[i];
        if (lb_span_is(lb_span_str(any->type_url), DETAIL_TYPE))
            return status_in_any(any, canonical);
    }
    return LB_OK;
}

static enum lb_code code_of_canonical(grpc_status_code canonical)
{
    switch (canonical) {
    case GRPC_STATUS_CANCELLED:
        return LB_CANCELLED;
    case GRPC_STATUS_DEADLINE_EXCEEDED:
        return LB_DEADLINE;
    case GRPC_STATUS_UNIMPLEMENTED:
        return LB_NO_METHOD;
    case GRPC_STATUS_RESOURCE_EXHAUSTED:
        return LB_TOO_LARGE;
    case GRPC_STATUS_UNAVAILABLE:
        return LB_UNAVAILABLE;
    default:
        return LB_INTERNAL;
    }
}

lb_status lb_rpc_wire_status_read(grpc_status_code code, grpc_slice message,
                                  const grpc_metadata_array *trailing)
{
    if (code == GRPC_STATUS_OK)
        return LB_OK;
    for (size_t i = 0; i < trailing->count; i++) {
        if (!lb_span_is(slice_span(&trailing->metadata[i].key), DETAILS_KEY))
            continue;
        lb_status named = status_in_details(slice_span(&trailing->metadata[i].value), code);
        if (named != LB_OK)
            return named;
    }
    /* A call that the server cut off has no trailing metadata of ours; its code's name is the
     * message (lb_rpc_stream_cut). */
    lb_status named = named_code(slice_span(&message), code);
    return named != LB_OK ? named : lb_status_of(code_of_canonical(code));
}
