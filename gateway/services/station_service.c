#include "gateway/services/station_service.h"

#include "gateway/services/access.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

#define MAX_WAIT_MS 10000
#define MAX_LINES 512

static lb_status admit(const struct lb_station_service *service, const struct lb_rpc_peer *peer)
{
    lb_status status = lb_access_need_officer(service->trust, peer, service->organization);
    if (status != LB_OK)
        lb_log_count_denial(service->log, peer->spiffe, lb_code_outer(status->code));
    return status;
}

/* --- a question --- */

static lb_status set_subjects(struct lb_span subjects, struct lb_arena *arena,
                              Lianban__V1__AccessQuestion *out)
{
    size_t num = subjects.len / LB_OFFICER_SUBJECT_BYTES;
    out->subjects = lb_arena_array(arena, num, sizeof(out->subjects[0]));
    LB_ENSURE(out->subjects != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        out->subjects[i] = lb_pb_bytes(lb_span_of(
            subjects.ptr + i * LB_OFFICER_SUBJECT_BYTES, LB_OFFICER_SUBJECT_BYTES));
    out->n_subjects = num;
    return LB_OK;
}

static lb_status set_question(struct lb_officer_question *from, struct lb_arena *arena,
                              Lianban__V1__AccessQuestion *out)
{
    lianban__v1__access_question__init(out);
    out->id = lb_pb_bytes(lb_span_of(from->id, sizeof(from->id)));
    out->txn = lb_pb_bytes(from->txn);
    out->view = lb_arena_str(arena, from->view);
    out->purpose = lb_arena_str(arena, from->purpose);
    out->grant = lb_arena_str(arena, from->grant);
    out->section = lb_arena_str(arena, from->section);
    LB_ENSURE(out->view != NULL && out->purpose != NULL && out->grant != NULL &&
                  out->section != NULL,
              LB_NO_MEMORY, "arena is full");
    out->max_lines = (uint32_t)from->max_lines;
    out->max_bytes = (uint32_t)from->max_bytes;
    out->left_ms = (uint32_t)from->left_ms;
    return set_subjects(from->subjects, arena, out);
}

static lb_status next_question(void *ctx, const struct lb_rpc_call_info *info,
                               struct lb_span request, struct lb_arena *arena,
                               struct lb_span *reply)
{
    const struct lb_station_service *service = ctx;
    Lianban__V1__NextAccessQuestionRequest *ask = NULL;
    Lianban__V1__NextAccessQuestionResponse answer =
        LIANBAN__V1__NEXT_ACCESS_QUESTION_RESPONSE__INIT;
    Lianban__V1__AccessQuestion wire;
    struct lb_officer_question question;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__next_access_question_request__descriptor, request, arena,
                        &ask));
    LB_ENSURE(ask->wait_ms <= MAX_WAIT_MS, LB_MALFORMED, "a wait that is too long");
    lb_status status = lb_officer_next(service->questions, ask->wait_ms, arena, &question);
    if (status == LB_OK) {
        LB_TRY(set_question(&question, arena, &wire));
        answer.question = &wire;
    } else if (status->code != LB_ABSENT) {
        return status;
    }
    return lb_pb_pack(&answer, arena, reply);
}

/* --- an answer --- */

static lb_status give(const struct lb_station_service *service,
                      const Lianban__V1__AnswerAccessQuestionRequest *from, struct lb_arena *arena)
{
    struct lb_span id = lb_pb_span(from->id);
    LB_ENSURE(from->n_lines <= MAX_LINES, LB_TOO_LARGE, "too many lines");
    LB_ENSURE(!from->refused || from->n_lines == 0, LB_MALFORMED, "a refusal with lines");
    if (from->refused)
        return lb_officer_refuse(service->questions, id);
    struct lb_span *lines = lb_arena_array(arena, from->n_lines, sizeof(*lines));
    LB_ENSURE(lines != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < from->n_lines; i++)
        lines[i] = lb_span_str(from->lines[i]);
    const struct lb_officer_answer answer = {from->n_lines, lines};
    return lb_officer_give(service->questions, id, &answer);
}

static lb_status answer_question(void *ctx, const struct lb_rpc_call_info *info,
                                 struct lb_span request, struct lb_arena *arena,
                                 struct lb_span *reply)
{
    const struct lb_station_service *service = ctx;
    Lianban__V1__AnswerAccessQuestionRequest *from = NULL;
    Lianban__V1__AnswerAccessQuestionResponse done =
        LIANBAN__V1__ANSWER_ACCESS_QUESTION_RESPONSE__INIT;
    LB_TRY(admit(service, info->peer));
    LB_TRY(lb_pb_unpack(&lianban__v1__answer_access_question_request__descriptor, request, arena,
                        &from));
    LB_TRY(give(service, from, arena));
    return lb_pb_pack(&done, arena, reply);
}

void lb_station_service_methods(struct lb_station_service *service,
                                struct lb_rpc_method out[LB_STATION_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/NextAccessQuestion",
                                    .unary = next_question, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/AnswerAccessQuestion",
                                    .unary = answer_question, .ctx = service};
}
