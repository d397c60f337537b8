#include "gateway/services/casework_service.h"

#include "gateway/wire/pb.h"

/* Each method decodes its request, makes one call of the use case, and encodes the reply. */
#define METHOD(name_, Request_, request_, Reply_, call_)                                           \
    static lb_status name_(void *ctx, const struct lb_rpc_call_info *info,                         \
                           struct lb_span request, struct lb_arena *arena,                         \
                           struct lb_span *reply)                                                  \
    {                                                                                              \
        Lianban__V1__##Request_ *ask = NULL;                                                       \
        Lianban__V1__##Reply_ *answer = NULL;                                                      \
        (void)info;                                                                                \
        LB_TRY(lb_pb_unpack(&lianban__v1__##request_##__descriptor, request, arena, &ask));        \
        LB_TRY(call_(ctx, ask, arena, &answer));                                                   \
        return lb_pb_pack(answer, arena, reply);                                                   \
    }

METHOD(list_cases, ListCasesRequest, list_cases_request, ListCasesResponse, lb_window_list)
METHOD(add_fact, AddFactRequest, add_fact_request, ActResponse, lb_window_add_fact)
METHOD(record_hearing, RecordHearingRequest, record_hearing_request, ActResponse, lb_window_hear)
METHOD(decide_case, DecideCaseRequest, decide_case_request, ActResponse, lb_window_decide)
METHOD(request_correction, RequestCorrectionRequest, request_correction_request, ActResponse,
       lb_window_request_correction)
METHOD(close_correction, CloseCorrectionRequest, close_correction_request, ActResponse,
       lb_window_close_correction)
METHOD(get_figures, GetFiguresRequest, get_figures_request, GetFiguresResponse, lb_window_figures)
METHOD(get_letter, GetLetterRequest, get_letter_request, GetLetterResponse, lb_window_letter)
METHOD(get_records, GetRecordsRequest, get_records_request, GetRecordsResponse, lb_window_records)

void lb_casework_service_methods(struct lb_window *window,
                                 struct lb_rpc_method out[LB_CASEWORK_METHODS])
{
    const struct lb_rpc_method methods[LB_CASEWORK_METHODS] = {
        {.path = "/lianban.v1.Window/AddFact", .unary = add_fact, .ctx = window},
        {.path = "/lianban.v1.Window/CloseCorrection", .unary = close_correction, .ctx = window},
        {.path = "/lianban.v1.Window/DecideCase", .unary = decide_case, .ctx = window},
        {.path = "/lianban.v1.Window/GetFigures", .unary = get_figures, .ctx = window},
        {.path = "/lianban.v1.Window/GetLetter", .unary = get_letter, .ctx = window},
        {.path = "/lianban.v1.Window/GetRecords", .unary = get_records, .ctx = window},
        {.path = "/lianban.v1.Window/ListCases", .unary = list_cases, .ctx = window},
        {.path = "/lianban.v1.Window/RecordHearing", .unary = record_hearing, .ctx = window},
        {.path = "/lianban.v1.Window/RequestCorrection", .unary = request_correction,
         .ctx = window},
    };
    memcpy(out, methods, sizeof(methods));
}
