#include <stdio.h>

#include "gateway/note/record.h"
#include "gateway/window/act.h"
#include "gateway/window/casework.h"
#include "gateway/window/corrections.h"
#include "gateway/window/graded.h"
#include "gateway/window/standing.h"
#include "policy/engine/date.h"

/* RecordHearing and DecideCase. */

#define MAX_LAWS 8U
#define LAW_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

/* --- hearing --- */

/* The day of the hearing is past or today, by the agent's own calendar. */
static lb_status check_date(const struct lb_act *act, const char *date)
{
    char today[LB_CASE_DATE_BYTES];
    struct lb_date day;
    lb_case_day(lb_clock_unix_s(act->window->options.clock), today);
    LB_ENSURE(lb_date_parse(lb_span_str(date), &day) && strcmp(date, today) <= 0, LB_MALFORMED,
              "no day that has come");
    return LB_OK;
}

static lb_status hear(struct lb_act *act, const Lianban__V1__RecordHearingRequest *request,
                      Lianban__V1__ActResponse **out)
{
    const struct lb_case_records *records = &act->entry->records;
    size_t suggested = lb_records_newest(records, LB_RECORD_SUGGESTED);
    size_t newest = lb_records_newest(records, LB_RECORD_HEARD);
    LB_TRY(check_date(act, request->date));
    lb_buf_printf(&act->body, "suggestion %zu\n", suggested);
    LB_TRY(lb_act_line(act, "date", request->date, LB_CASE_DATE_BYTES));
    LB_TRY(lb_act_line(act, "said", request->said, LB_MAX_SAID_BYTES));
    lb_act_sign(act);
    if (!lb_act_again(act, newest)) {
        LB_TRY(lb_act_record(act, LB_RECORD_HEARD, newest));
        newest = records->num;
    }
    return lb_act_answer(act, newest, out);
}

lb_status lb_window_hear(struct lb_window *window,
                         const Lianban__V1__RecordHearingRequest *request, struct lb_arena *arena,
                         Lianban__V1__ActResponse **out)
{
    struct lb_act act LB_DEFER(lb_act_end) = {.window = NULL};
    const struct lb_span values[] = {lb_span_str(request->date), lb_span_str(request->said)};
    const struct lb_act_request asked = {
        "RecordHearing", request->case_id, request->actor, values, 2};
    LB_TRY(lb_act_begin(window, &asked, arena, &act));
    return hear(&act, request, out);
}

/* --- deciding --- */

struct deciding {
    const Lianban__V1__DecideCaseRequest *request;
    struct lb_form_class class;
    size_t place;                /* of the class in the form */
    const char *suggested;       /* class */
    const char *departs;         /* yes, no, open */
    size_t heard;                /* the record, 0 for none upon this suggestion */
};

/* Four eyes: who brought a fact in that stands now leaves the decision to somebody else. */
static lb_status check_decider(const struct lb_act *act)
{
    const struct lb_window_case *entry = act->entry;
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < entry->form->form->num_facts; k++) {
            const struct lb_case_record *record = lb_graded_record(entry, i, k);
            LB_ENSURE(record == NULL || !lb_record_is(record, "by", act->who.hash),
                      LB_OTHER_DECIDER, "decides upon a fact of their own");
        }
    }
    return LB_OK;
}

/* What the decider has seen is what there is: no other has decided, and nothing was judged anew. */
static lb_status check_base(const struct lb_act *act, const struct deciding *deciding)
{
    const struct lb_case_decision before = lb_case_decided(act->entry);
    LB_ENSURE(deciding->request->suggestion ==
                  lb_records_newest(&act->entry->records, LB_RECORD_SUGGESTED),
              LB_CASE_STATE, "the case was judged anew");
    LB_ENSURE(deciding->request->replaces == before.record, LB_CASE_STATE,
              "the case was decided already, or that decision is not the last");
    return LB_OK;
}

/* Classes stand in the form from the most to the least favourable; the last is a refusal. Less than
 * was suggested is adverse, and so is less than was decided before. */
static bool is_adverse(const struct lb_window_case *entry, const struct deciding *deciding)
{
    const struct lb_form *form = entry->form->form;
    const struct lb_case_decision before = lb_case_decided(entry);
    struct lb_form_class other;
    size_t place = 0;
    if (deciding->place == form->num_classes)
        return true;
    if (lb_case_class(form, lb_span_str(deciding->suggested), &other, &place) &&
        deciding->place > place)
        return true;
    return before.record > 0 &&
           lb_case_class(form, lb_span_str(before.class.id), &other, &place) &&
           deciding->place > place;
}

static lb_status weigh(const struct lb_act *act, struct deciding *deciding)
{
    const struct lb_form *form = act->entry->form->form;
    const struct lb_case_records *records = &act->entry->records;
    size_t heard = lb_records_newest(records, LB_RECORD_HEARD);
    LB_ENSURE(lb_case_class(form, lb_span_str(deciding->request->class_id), &deciding->class,
                            &deciding->place),
              LB_MALFORMED, "no class of the form");
    deciding->suggested = act->entry->class_id;
    bool same = strcmp(deciding->class.id, deciding->suggested) == 0;
    bool open = strcmp(deciding->suggested, lb_window_manual.id) == 0;
    deciding->departs = open ? "open" : same ? "no" : "yes";
    if (heard > 0 && lb_record_number(lb_records_at(records, heard), "suggestion") ==
                         deciding->request->suggestion)
        deciding->heard = heard;
    return LB_OK;
}

static lb_status write_laws(struct lb_act *act, const Lianban__V1__DecideCaseRequest *request)
{
    LB_ENSURE(request->n_law >= 1 && request->n_law <= MAX_LAWS, LB_MALFORMED,
              "no law, or too many");
    for (size_t i = 0; i < request->n_law; i++) {
        const char *law = request->law[i];
        LB_ENSURE(law[0] != 0 && law[strspn(law, LAW_LETTERS)] == 0, LB_MALFORMED, "not a law");
        LB_TRY(lb_act_line(act, "law", law, LB_MAX_NAME_BYTES));
    }
    return LB_OK;
}

static lb_status write_decision(struct lb_act *act, const struct deciding *deciding)
{
    lb_buf_printf(&act->body, "class %s\nsuggestion %u\nsuggested %s\ndeparts %s\nheard %zu\n",
                  deciding->class.id, deciding->request->suggestion, deciding->suggested,
                  deciding->departs, deciding->heard);
    size_t corrected = lb_correction_behind(act->entry);
    if (corrected > 0) /* another decision than the one before, though all else be the same */
        lb_buf_printf(&act->body, "corrected %zu\n", corrected);
    LB_TRY(write_laws(act, deciding->request));
    LB_TRY(lb_act_line(act, "reason", deciding->request->reason, LB_MAX_SAID_BYTES));
    lb_act_sign(act);
    return LB_OK;
}

static lb_status decide(struct lb_act *act, struct deciding *deciding,
                        Lianban__V1__ActResponse **out)
{
    const struct lb_form *form = act->entry->form->form;
    const struct lb_case_records *records = &act->entry->records;
    size_t newest = lb_records_newest(records, LB_RECORD_DECIDED);
    LB_TRY(weigh(act, deciding));
    LB_TRY(write_decision(act, deciding));
    if (!lb_act_again(act, newest)) {
        LB_TRY(check_base(act, deciding));
        LB_TRY(check_decider(act));
        LB_ENSURE(!form->decision.hear || !is_adverse(act->entry, deciding) || deciding->heard > 0,
                  LB_NOT_HEARD, "an adverse decision, and nobody was heard");
        LB_TRY(lb_act_record(act, LB_RECORD_DECIDED, newest));
        newest = records->num;
        LB_TRY(lb_window_push_result(act->entry));
    }
    return lb_act_answer(act, newest, out);
}

lb_status lb_window_decide(struct lb_window *window,
                           const Lianban__V1__DecideCaseRequest *request, struct lb_arena *arena,
                           Lianban__V1__ActResponse **out)
{
    struct lb_act act LB_DEFER(lb_act_end) = {.window = NULL};
    struct deciding deciding = {.request = request};
    char suggestion[16], replaces[16];
    struct lb_span values[MAX_LAWS + 4];
    size_t num = 0;
    LB_ENSURE(request->n_law <= MAX_LAWS, LB_MALFORMED, "too many laws");
    (void)snprintf(suggestion, sizeof(suggestion), "%u", request->suggestion);
    (void)snprintf(replaces, sizeof(replaces), "%u", request->replaces);
    values[num++] = lb_span_str(request->class_id);
    values[num++] = lb_span_str(request->reason);
    for (size_t i = 0; i < request->n_law; i++)
        values[num++] = lb_span_str(request->law[i]);
    values[num++] = lb_span_str(suggestion);
    values[num++] = lb_span_str(replaces);
    const struct lb_act_request asked = {
        "DecideCase", request->case_id, request->actor, values, num};
    LB_TRY(lb_act_begin(window, &asked, arena, &act));
    return decide(&act, &deciding, out);
}
