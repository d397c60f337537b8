#include "gateway/window/fixture.h"
#include "gateway/wire/pb.h"

/* What officers do at a window. */

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

Lianban__V1__CaseActor *fx_actor(struct fixture *fx, const char *badge, const char *unit)
{
    Lianban__V1__CaseActor *actor = lb_arena_alloc(fx->arena, sizeof(*actor));
    lianban__v1__case_actor__init(actor);
    actor->badge = text(badge);
    actor->unit = text(unit);
    return actor;
}

const char *fx_facing(struct fixture *fx, bool family)
{
    struct fx_collected got;
    const char *case_id = fx_open(fx, family);
    fx_agree(fx, case_id);
    fx->adapters[FX_TAX].silent = true;
    fx_run(fx, case_id, &got);
    assert_ok(got.status);
    assert_string_equal(got.result->class_id, "MANUAL");
    fx->adapters[FX_TAX].silent = false;
    return case_id;
}

Lianban__V1__AddFactRequest *fx_fact_request(struct fixture *fx, const char *case_id,
                                             const char *fact, const char *value,
                                             const char *grade)
{
    static uint8_t document[32] = {0xab};
    Lianban__V1__AddFactRequest *request = lb_arena_alloc(fx->arena, sizeof(*request));
    lianban__v1__add_fact_request__init(request);
    request->case_id = text(case_id);
    request->actor = fx_actor(fx, "B-0042", "窗口3");
    request->fact = text(fact);
    request->value = text(value);
    request->grade = text(grade);
    request->source = text("单位出具的收入证明");
    request->document_sha256 = (ProtobufCBinaryData){sizeof(document), document};
    request->reason = text("税务部门未答复");
    return request;
}

Lianban__V1__DecideCaseRequest *fx_decide_request(struct fixture *fx, const char *case_id,
                                                  const char *class_id)
{
    static char *laws[] = {"SAL45"};
    Lianban__V1__DecideCaseRequest *request = lb_arena_alloc(fx->arena, sizeof(*request));
    lianban__v1__decide_case_request__init(request);
    request->case_id = text(case_id);
    request->actor = fx_actor(fx, "B-1", "unit");
    request->class_id = text(class_id);
    request->reason = text("经核对材料，符合条件。");
    request->law = laws;
    request->n_law = 1;
    request->suggestion = fx_get(fx, case_id)->suggestion;
    return request;
}

lb_status fx_add(struct fixture *fx, const Lianban__V1__AddFactRequest *request,
                 Lianban__V1__ActResponse **out)
{
    return lb_window_add_fact(fx->window, request, fx->arena, out);
}

lb_status fx_decide(struct fixture *fx, const Lianban__V1__DecideCaseRequest *request,
                    Lianban__V1__ActResponse **out)
{
    return lb_window_decide(fx->window, request, fx->arena, out);
}

lb_status fx_hear(struct fixture *fx, const char *case_id, const char *date, const char *said,
                  Lianban__V1__ActResponse **out)
{
    Lianban__V1__RecordHearingRequest request = LIANBAN__V1__RECORD_HEARING_REQUEST__INIT;
    request.case_id = text(case_id);
    request.actor = fx_actor(fx, "B-1", "unit");
    request.date = text(date);
    request.said = text(said);
    return lb_window_hear(fx->window, &request, fx->arena, out);
}

Lianban__V1__GetRecordsResponse *fx_records(struct fixture *fx, const char *case_id)
{
    Lianban__V1__GetRecordsRequest request = LIANBAN__V1__GET_RECORDS_REQUEST__INIT;
    Lianban__V1__GetRecordsResponse *page = NULL;
    request.case_id = text(case_id);
    assert_ok(lb_window_records(fx->window, &request, fx->arena, &page));
    return page;
}
