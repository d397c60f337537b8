#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/window/act.h"
#include "gateway/window/casework.h"
#include "gateway/window/corrections.h"

/* RequestCorrection and CloseCorrection: what the citizen holds to be wrong in a department's
 * answer, and what the department made of it. */

/* Only what a department said can be wrong there. */
static lb_status check_said(const struct lb_act *act, uint32_t member, size_t fact)
{
    enum lb_fact_state state = act->entry->members[member].facts[fact].value.state;
    LB_ENSURE(state == LB_FACT_OK || state == LB_FACT_NOT_FOUND || state == LB_FACT_AMBIGUOUS ||
                  state == LB_FACT_STALE,
              LB_MALFORMED, "no department has said anything about it");
    return LB_OK;
}

static size_t count_requests(const struct lb_window_case *entry)
{
    size_t num = 0;
    for (size_t i = 1; i <= entry->records.num; i++)
        num += lb_records_at(&entry->records, i)->kind == LB_RECORD_CORRECTION ? 1 : 0;
    return num;
}

/* On disk with its parcel when it is answered; whoever died in between is caught up with. */
static lb_status request_one(struct lb_act *act,
                             const Lianban__V1__RequestCorrectionRequest *request,
                             Lianban__V1__ActResponse **out)
{
    const struct lb_form *form = act->entry->form->form;
    size_t fact = 0;
    LB_TRY(lb_act_fact(act, request->member, request->fact, &fact));
    LB_TRY(check_said(act, request->member, fact));
    size_t open = lb_correction_of(act->entry, request->member, form->facts[fact].name);
    lb_buf_printf(&act->body, "member %u\nfact %s\ndepartment %s\n", request->member,
                  form->facts[fact].name, form->facts[fact].department);
    LB_TRY(lb_act_line(act, "says", request->says, LB_MAX_SAID_BYTES));
    lb_act_sign(act);
    struct lb_span said = lb_buf_span(&act->body);
    if (open > 0 && lb_correction_says(lb_records_at(&act->entry->records, open), said)) {
        LB_TRY(lb_corrections_post(act->entry));
        return lb_act_answer(act, open, out);
    }
    LB_ENSURE(open == 0, LB_CASE_STATE, "a request about this fact is open");
    LB_ENSURE(count_requests(act->entry) < LB_CORRECTIONS_MAX, LB_TOO_LARGE,
              "too many requests for corrections");
    lb_buf_printf(&act->body, "workdays %lld\n", (long long)form->decision.correct_days);
    LB_TRY(lb_act_record(act, LB_RECORD_CORRECTION, 0));
    LB_TRY(lb_corrections_post(act->entry));
    return lb_act_answer(act, act->entry->records.num, out);
}

lb_status lb_window_request_correction(struct lb_window *window,
                                       const Lianban__V1__RequestCorrectionRequest *request,
                                       struct lb_arena *arena, Lianban__V1__ActResponse **out)
{
    struct lb_act act LB_DEFER(lb_act_end) = {.window = NULL};
    char member[16];
    (void)snprintf(member, sizeof(member), "%u", request->member);
    const struct lb_span values[] = {lb_span_str(member), lb_span_str(request->fact),
                                     lb_span_str(request->says)};
    const struct lb_act_request asked = {
        "RequestCorrection", request->case_id, request->actor, values, 3};
    LB_TRY(lb_act_begin(window, &asked, arena, &act));
    return request_one(&act, request, out);
}

static lb_status close_one(struct lb_act *act, const Lianban__V1__CloseCorrectionRequest *request,
                           Lianban__V1__ActResponse **out)
{
    const struct lb_case_records *records = &act->entry->records;
    const size_t number = request->correction;
    LB_ENSURE(number > 0 && number <= records->num &&
                  lb_records_at(records, number)->kind == LB_RECORD_CORRECTION,
              LB_MALFORMED, "no request for a correction");
    LB_ENSURE(strcmp(request->outcome, "corrected") == 0 || strcmp(request->outcome, "kept") == 0,
              LB_MALFORMED, "no such outcome");
    LB_TRY(lb_act_line(act, "outcome", request->outcome, LB_MAX_NAME_BYTES));
    LB_TRY(lb_act_line(act, "answer", request->answer, LB_MAX_SAID_BYTES));
    lb_act_sign(act);
    size_t answer = lb_correction_answer(act->entry, number);
    if (!lb_act_again(act, answer)) {
        LB_ENSURE(!lb_correction_over(act->entry, number), LB_CASE_STATE,
                  "the department has answered this already");
        LB_TRY(lb_act_record(act, LB_RECORD_ANSWER, number));
        answer = records->num;
        lb_log_failure("correction_not_sent", lb_corrections_post(act->entry));
    }
    return lb_act_answer(act, answer, out);
}

lb_status lb_window_close_correction(struct lb_window *window,
                                     const Lianban__V1__CloseCorrectionRequest *request,
                                     struct lb_arena *arena, Lianban__V1__ActResponse **out)
{
    struct lb_act act LB_DEFER(lb_act_end) = {.window = NULL};
    char correction[16];
    (void)snprintf(correction, sizeof(correction), "%u", request->correction);
    const struct lb_span values[] = {lb_span_str(correction), lb_span_str(request->outcome),
                                     lb_span_str(request->answer)};
    const struct lb_act_request asked = {
        "CloseCorrection", request->case_id, request->actor, values, 3};
    LB_TRY(lb_act_begin(window, &asked, arena, &act));
    return close_one(&act, request, out);
}
