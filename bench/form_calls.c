#include <stdio.h>

#include "bench/form_work.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/consent.pb-c.h"
#include "lianban/v1/window.pb-c.h"

/* What each step says and hears. */

#define BADGE "W-0017"
#define UNIT "street-office-01"
#define PROOF "face"
#define PROOF_LEVEL 3

static char *text(const char *borrowed)
{
    return (char *)(uintptr_t)borrowed; /* protobuf-c has no const; it is only packed */
}

static lb_status keep_id(char *into, const char *id)
{
    int len = snprintf(into, LB_BENCH_MAX_ID_BYTES, "%s", id);
    LB_ENSURE(len > 0 && len < LB_BENCH_MAX_ID_BYTES, LB_MALFORMED, "an id of another size");
    return LB_OK;
}

static lb_status ask_open(struct lb_bench_form_lane *own, struct lb_span *out)
{
    Lianban__V1__Member member = LIANBAN__V1__MEMBER__INIT;
    Lianban__V1__Member *members[] = {&member};
    Lianban__V1__OpenCaseRequest request = LIANBAN__V1__OPEN_CASE_REQUEST__INIT;
    member.role = text("applicant");
    member.id_no = text(own->now->person->id_no);
    member.name = text(own->now->person->name);
    request.form = text(own->forms->form);
    request.members = members;
    request.n_members = 1;
    request.operator_badge = text(BADGE);
    request.operator_unit = text(UNIT);
    return lb_pb_pack(&request, own->arena, out);
}

static lb_status take_open(struct lb_bench_form_lane *own, struct lb_span reply)
{
    Lianban__V1__OpenCaseResponse *answer = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__open_case_response__descriptor, reply, own->arena, &answer));
    LB_TRY(keep_id(own->now->case_id, answer->case_id));
    own->complete = true;
    return LB_OK;
}

static lb_status ask_notice(struct lb_bench_form_lane *own, struct lb_span *out)
{
    Lianban__V1__GetNoticeRequest request = LIANBAN__V1__GET_NOTICE_REQUEST__INIT;
    request.case_id = own->now->case_id;
    request.language = text("zh");
    return lb_pb_pack(&request, own->arena, out);
}

static lb_status take_notice(struct lb_bench_form_lane *own, struct lb_span reply)
{
    Lianban__V1__GetNoticeResponse *answer = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_notice_response__descriptor, reply, own->arena, &answer));
    LB_ENSURE(answer->sha256.len == LB_BENCH_SHA256_BYTES, LB_MALFORMED, "the notice has no hash");
    memcpy(own->forms->notice, answer->sha256.data, LB_BENCH_SHA256_BYTES);
    own->complete = true;
    return LB_OK;
}

static lb_status ask_case(struct lb_bench_form_lane *own, struct lb_span *out)
{
    Lianban__V1__CaseRequest request = LIANBAN__V1__CASE_REQUEST__INIT;
    request.case_id = own->now->case_id;
    return lb_pb_pack(&request, own->arena, out);
}

static lb_status take_grants(struct lb_bench_form_lane *own, struct lb_span reply)
{
    Lianban__V1__RequestGrantsResponse *answer = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__request_grants_response__descriptor, reply, own->arena,
                        &answer));
    LB_ENSURE(answer->n_tickets == 1, LB_MALFORMED, "one adult has one ticket");
    LB_TRY(keep_id(own->now->request_id, answer->tickets[0]->request_id));
    own->complete = true;
    return LB_OK;
}

static lb_status ask_confirm(struct lb_bench_form_lane *own, struct lb_span *out)
{
    Lianban__V1__ConfirmRequest request = LIANBAN__V1__CONFIRM_REQUEST__INIT;
    request.request_id = own->now->request_id;
    request.agreed = true;
    request.method = text(PROOF);
    request.level = PROOF_LEVEL;
    request.id_no = text(own->now->person->id_no);
    request.notice_sha256 = lb_pb_bytes(lb_span_of(own->forms->notice, LB_BENCH_SHA256_BYTES));
    return lb_pb_pack(&request, own->arena, out);
}

static lb_status take_confirm(struct lb_bench_form_lane *own, struct lb_span reply)
{
    Lianban__V1__ConfirmResponse *answer = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__confirm_response__descriptor, reply, own->arena, &answer));
    LB_ENSURE(answer->grant_id[0] != 0, LB_MALFORMED, "the desk did not grant");
    own->complete = true;
    return LB_OK;
}

static lb_status take_result(struct lb_bench_form_lane *own,
                             const Lianban__V1__CaseResult *result)
{
    if (result->n_missing > 0)
        (void)snprintf(own->missing, sizeof(own->missing), "%s %s %s",
                       result->missing[0]->department, result->missing[0]->state,
                       result->missing[0]->code);
    LB_ENSURE(result->n_missing == 0 && result->facts_ok == result->facts_total, LB_MALFORMED,
              "the case is not whole");
    LB_ENSURE(result->receipts_failed == 0 && result->receipts_checked > 0, LB_MALFORMED,
              "receipts are wrong");
    LB_ENSURE(strcmp(result->class_id, own->now->person->class_id) == 0, LB_MALFORMED,
              "the case came to another class");
    own->complete = true;
    return LB_OK;
}

static lb_status take_event(struct lb_bench_form_lane *own, struct lb_span reply)
{
    Lianban__V1__CaseEvent *event = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__case_event__descriptor, reply, own->arena, &event));
    if (event->body_case != LIANBAN__V1__CASE_EVENT__BODY_RESULT)
        return LB_OK;
    return take_result(own, event->result);
}

static lb_status take_close(struct lb_bench_form_lane *own, struct lb_span reply)
{
    Lianban__V1__CloseCaseResponse *closed = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__close_case_response__descriptor, reply, own->arena,
                        &closed));
    LB_ENSURE(closed->attestation[0] != 0, LB_MALFORMED, "nobody attests that the key is gone");
    own->complete = true;
    return LB_OK;
}

const struct lb_bench_form_call lb_bench_form_calls[LB_BENCH_NUM_STEPS] = {
    [LB_BENCH_OPEN] = {"/lianban.v1.Window/OpenCase", false, ask_open, take_open},
    [LB_BENCH_NOTICE] = {"/lianban.v1.Window/GetNotice", false, ask_notice, take_notice},
    [LB_BENCH_GRANTS] = {"/lianban.v1.Window/RequestGrants", false, ask_case, take_grants},
    [LB_BENCH_CONFIRM] = {"/lianban.v1.ConsentOffice/Confirm", true, ask_confirm, take_confirm},
    [LB_BENCH_COLLECT] = {"/lianban.v1.Window/Collect", false, ask_case, take_event},
    [LB_BENCH_CLOSE] = {"/lianban.v1.Window/CloseCase", false, ask_case, take_close},
};
