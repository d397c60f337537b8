#include "gateway/window/corrections.h"
#include "gateway/window/graded.h"
#include "gateway/window/look.h"
#include "gateway/window/standing.h"
#include "gateway/window/suggest.h"
#include "gateway/note/record.h"
#include "gateway/wire/pb.h"

/* From facts to the suggested class, and what the window system may see of both. */

#define EVENT_ARENA_BYTES (1024U * 1024)

const struct lb_form_class lb_window_manual = {"MANUAL", {"转人工审核", "for a person to decide"}};

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

/* --- judging --- */

static lb_status gather(const struct lb_window_case *entry, struct lb_arena *arena,
                        struct lb_form_member *out_members)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < entry->num_members; i++) {
        struct lb_fact *facts = lb_arena_array(arena, form->num_facts, sizeof(*facts));
        LB_ENSURE(facts != NULL, LB_NO_MEMORY, "arena is full");
        for (size_t k = 0; k < form->num_facts; k++)
            facts[k] = lb_graded_value(entry, i, k);
        out_members[i] = (struct lb_form_member){entry->members[i].role, facts};
    }
    return LB_OK;
}

static lb_status gather_totals(const struct lb_window_case *entry, struct lb_arena *arena,
                               struct lb_fact **out)
{
    size_t num = entry->form->form->num_shares;
    struct lb_fact *totals = lb_arena_array(arena, num, sizeof(*totals));
    LB_ENSURE(totals != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        totals[i] = lb_window_share_total(entry, i);
    *out = totals;
    return LB_OK;
}

/* Whoever keeps something back is never turned down for it, and not by what is left either: a
 * person looks at the case. */
static bool is_part_refused(const struct lb_window_case *entry)
{
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < entry->form->form->num_facts; k++) {
            if (entry->members[i].facts[k].code == LB_PART_REFUSED)
                return true;
        }
    }
    return false;
}

static lb_status judge_facts(struct lb_window_case *entry, struct lb_arena *arena,
                             struct lb_form_member *members, struct lb_fact **out_totals,
                             struct lb_form_judgement *out)
{
    LB_TRY(gather(entry, arena, members));
    LB_TRY(gather_totals(entry, arena, out_totals));
    (void)pthread_mutex_lock(&entry->form->judging);
    lb_status status = lb_form_judge(entry->form->compiled, members, entry->num_members,
                                     *out_totals, arena, out);
    (void)pthread_mutex_unlock(&entry->form->judging);
    return status;
}

/* One that is still to come may settle the case. */
static bool is_first_part_open(const struct lb_window_case *entry)
{
    const struct lb_form *form = entry->form->form;
    for (size_t i = 0; i < entry->num_members; i++)
        for (size_t k = 0; k < form->num_facts; k++)
            if (!lb_form_is_late(form, k) && lb_case_asked(entry, i, k) &&
                !lb_case_final(entry->members[i].facts[k].value.state))
                return true;
    return false;
}

lb_status lb_window_needs_late(struct lb_window_case *entry, bool *out_needed)
{
    const struct lb_form *form = entry->form->form;
    struct lb_form_member members[LB_MAX_HOUSEHOLD];
    struct lb_fact *totals = NULL;
    struct lb_form_judgement judgement;
    bool has_late = false;
    for (size_t i = 0; i < form->num_sections; i++)
        has_late = has_late || form->sections[i].late;
    *out_needed = false;
    if (!has_late || is_first_part_open(entry))
        return LB_OK;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(judge_facts(entry, arena, members, &totals, &judgement));
    *out_needed = judgement.manual;
    return LB_OK;
}

lb_status lb_window_judge(struct lb_window_case *entry)
{
    const struct lb_form *form = entry->form->form;
    struct lb_form_member members[LB_MAX_HOUSEHOLD];
    struct lb_fact *totals = NULL;
    struct lb_form_judgement judgement;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(judge_facts(entry, arena, members, &totals, &judgement));
    bool manual = judgement.manual || is_part_refused(entry);
    for (size_t i = 0; manual && i < form->num_amounts; i++)
        judgement.amounts[i] = (struct lb_form_sum){0};
    const struct lb_suggestion suggestion = {manual ? lb_window_manual.id : judgement.class_id,
                                             judgement.conditions, judgement.amounts, members,
                                             totals};
    if (!lb_case_is_watch(entry)) /* of what a trigger found nothing is kept but its signal */
        LB_TRY(lb_suggest(entry, &suggestion)); /* on record before it stands */
    entry->class_id = suggestion.class_id;
    entry->class_text = manual ? lb_window_manual.text : judgement.class_text;
    for (size_t i = 0; i < form->num_conditions; i++)
        entry->conditions[i] = judgement.conditions[i];
    for (size_t i = 0; i < form->num_amounts; i++)
        entry->amounts[i] = judgement.amounts[i];
    entry->thresholds_version = lb_rules_version(entry->form->rules);
    entry->decided = true;
    return LB_OK;
}

/* --- facts --- */

/* A value leaves the agent only where the form shows it. */
static lb_status show(const struct lb_form_fact *fact, const struct lb_fact *value,
                      struct lb_arena *arena, char **out)
{
    if (!fact->show || value->state != LB_FACT_OK || value->kind == LB_FACT_UNKNOWN)
        return LB_OK;
    if (value->kind == LB_FACT_TRUTH)
        *out = text(value->truth ? "true" : "false");
    else if (value->kind == LB_FACT_NUMBER)
        *out = lb_arena_printf(arena, "%lld", (long long)value->number);
    else
        *out = lb_arena_str(arena, value->text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status copy_args(const struct lb_op_call *call, struct lb_arena *arena,
                           Lianban__V1__CaseFact *message)
{
    message->args = lb_arena_array(arena, call->num_args, sizeof(message->args[0]));
    LB_ENSURE(message->args != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < call->num_args; i++)
        message->args[message->n_args++] = text(call->args[i]);
    return LB_OK;
}

/* What nobody asked yet is told as unavailable, which it is. */
static const char *state_name(const struct lb_fact *value)
{
    return lb_fact_state_name(value->state == 0 ? LB_FACT_UNAVAILABLE : value->state);
}

static lb_status write_question(const struct lb_form_fact *fact, struct lb_arena *arena,
                                Lianban__V1__CaseFact *message)
{
    message->fact = text(fact->name);
    message->department = text(fact->department);
    message->view = text(fact->view);
    message->field = text(fact->field);
    message->operator_ = text(lb_op_name(fact->call.op));
    return copy_args(&fact->call, arena, message);
}

static lb_status write_outcome(const struct lb_case_fact *kept, struct lb_arena *arena,
                               Lianban__V1__CaseFact *message)
{
    struct lb_span txn = LB_SPAN_EMPTY;
    message->state = text(state_name(&kept->value));
    if (kept->code != LB_CODE_OK)
        message->code = text(lb_code_name(kept->code));
    message->again_unix_s = kept->again_unix_s;
    message->as_of = lb_arena_str(arena, lb_span_str(kept->as_of));
    LB_ENSURE(message->as_of != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_arena_copy(arena, lb_span_of(kept->txn, sizeof(kept->txn)), &txn));
    message->txn = lb_pb_bytes(txn);
    message->receipt_ok = kept->receipt_ok;
    return LB_OK;
}

/* What an officer added, and who. */
static lb_status write_graded(const struct lb_window_case *entry, size_t member, size_t fact,
                              struct lb_arena *arena, Lianban__V1__CaseFact *message)
{
    const struct lb_case_record *record = lb_graded_record(entry, member, fact);
    struct lb_span by = LB_SPAN_EMPTY;
    if (record == NULL)
        return LB_OK;
    const char grade[] = {lb_graded_grade(record), 0};
    LB_TRY(lb_record_get(record->lines, "by", &by));
    message->grade = lb_arena_str(arena, lb_span_str(grade));
    message->added_by = lb_arena_str(arena, by);
    LB_ENSURE(message->grade != NULL && message->added_by != NULL, LB_NO_MEMORY, "arena is full");
    message->counts = lb_graded_counts(&entry->form->form->facts[fact], record);
    return LB_OK;
}

lb_status lb_window_fact_message(const struct lb_window_case *entry, size_t member, size_t index,
                                 struct lb_arena *arena, Lianban__V1__CaseFact **out)
{
    const struct lb_form_fact *fact = &entry->form->form->facts[index];
    const struct lb_case_fact *kept = &entry->members[member].facts[index];
    Lianban__V1__CaseFact *message = lb_arena_alloc(arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_fact__init(message);
    message->member = (uint32_t)member;
    LB_TRY(write_question(fact, arena, message));
    LB_TRY(write_outcome(kept, arena, message));
    LB_TRY(write_graded(entry, member, index, arena, message));
    const struct lb_fact value = lb_graded_value(entry, member, index);
    LB_TRY(show(fact, &value, arena, &message->shown));
    *out = message;
    return LB_OK;
}

/* --- result --- */

static lb_status add_reasons(const struct lb_window_case *entry, struct lb_arena *arena,
                             Lianban__V1__CaseResult *result)
{
    const struct lb_form *form = entry->form->form;
    result->reasons = lb_arena_array(arena, form->num_conditions, sizeof(result->reasons[0]));
    LB_ENSURE(result->reasons != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_conditions; i++) {
        Lianban__V1__Reason *reason = lb_arena_alloc(arena, sizeof(*reason));
        LB_ENSURE(reason != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__reason__init(reason);
        reason->condition = text(form->conditions[i].name);
        reason->truth = text(lb_truth_name(entry->conditions[i]));
        reason->text_zh = text(form->conditions[i].text.zh);
        reason->text_en = text(form->conditions[i].text.en);
        reason->source = text(form->conditions[i].source);
        result->reasons[result->n_reasons++] = reason;
    }
    return LB_OK;
}

static lb_status add_amounts(const struct lb_window_case *entry, struct lb_arena *arena,
                             Lianban__V1__CaseResult *result)
{
    const struct lb_form *form = entry->form->form;
    result->amounts = lb_arena_array(arena, form->num_amounts, sizeof(result->amounts[0]));
    LB_ENSURE(result->amounts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < form->num_amounts; i++) {
        if (!entry->amounts[i].told)
            continue;
        Lianban__V1__Amount *amount = lb_arena_alloc(arena, sizeof(*amount));
        LB_ENSURE(amount != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__amount__init(amount);
        amount->amount = text(form->amounts[i].name);
        amount->value = entry->amounts[i].value;
        amount->unit = text(lb_form_unit_name(form->amounts[i].unit));
        amount->text_zh = text(form->amounts[i].text.zh);
        amount->text_en = text(form->amounts[i].text.en);
        result->amounts[result->n_amounts++] = amount;
    }
    return LB_OK;
}

static lb_status add_fact(const struct lb_window_case *entry, size_t member, size_t fact,
                          struct lb_arena *arena, Lianban__V1__CaseResult *result)
{
    const struct lb_fact *value = &entry->members[member].facts[fact].value;
    bool ok = value->state == LB_FACT_OK;
    result->facts_total++;
    result->facts_ok += ok ? 1 : 0;
    result->documents_saved += ok && entry->form->form->facts[fact].saves.zh != NULL ? 1 : 0;
    if (!lb_case_misses(entry, member, fact))
        return LB_OK;
    return lb_window_fact_message(entry, member, fact, arena,
                                  &result->missing[result->n_missing++]);
}

static lb_status add_facts(const struct lb_window_case *entry, struct lb_arena *arena,
                           Lianban__V1__CaseResult *result)
{
    size_t num_facts = entry->form->form->num_facts;
    result->missing =
        lb_arena_array(arena, entry->num_members * num_facts, sizeof(result->missing[0]));
    LB_ENSURE(result->missing != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < num_facts; k++) {
            if (lb_case_asked(entry, i, k))
                LB_TRY(add_fact(entry, i, k, arena, result));
        }
    }
    return LB_OK;
}

lb_status lb_window_result_message(const struct lb_window_case *entry, bool collecting,
                                   struct lb_arena *arena, Lianban__V1__CaseResult **out)
{
    Lianban__V1__CaseResult *result = lb_arena_alloc(arena, sizeof(*result));
    LB_ENSURE(result != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_result__init(result);
    result->case_id = lb_arena_str(arena, lb_span_str(entry->id));
    LB_ENSURE(result->case_id != NULL, LB_NO_MEMORY, "arena is full");
    result->form = text(entry->form->form->id);
    result->form_version = entry->form->form->version;
    result->state = text(lb_case_phase(entry, collecting));
    result->receipts_checked = entry->receipts_checked;
    result->receipts_failed = entry->receipts_failed;
    LB_TRY(add_facts(entry, arena, result));
    if (entry->decided) {
        result->class_id = text(entry->class_id);
        result->class_zh = text(entry->class_text.zh);
        result->class_en = text(entry->class_text.en);
        result->thresholds_version = entry->thresholds_version;
        result->millis = entry->millis;
        LB_TRY(add_reasons(entry, arena, result));
        LB_TRY(add_amounts(entry, arena, result));
    }
    LB_TRY(lb_standing_write(entry, collecting, arena, result));
    LB_TRY(lb_corrections_write(entry, arena, &result->corrections, &result->n_corrections));
    result->judge_again = lb_correction_behind(entry) > 0;
    *out = result;
    return LB_OK;
}

/* --- events --- */

static lb_status push(struct lb_window_case *entry, const Lianban__V1__CaseEvent *event,
                      struct lb_arena *arena)
{
    struct lb_span bytes;
    LB_TRY(lb_pb_pack(event, arena, &bytes));
    return lb_feed_push(entry->feed, bytes);
}

lb_status lb_window_push_fact(struct lb_window_case *entry, size_t member, size_t fact)
{
    Lianban__V1__CaseEvent event = LIANBAN__V1__CASE_EVENT__INIT;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(EVENT_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_window_fact_message(entry, member, fact, arena, &event.fact));
    event.body_case = LIANBAN__V1__CASE_EVENT__BODY_FACT;
    return push(entry, &event, arena);
}

lb_status lb_window_push_result(struct lb_window_case *entry)
{
    Lianban__V1__CaseEvent event = LIANBAN__V1__CASE_EVENT__INIT;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(EVENT_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_window_result_message(entry, false, arena, &event.result));
    event.body_case = LIANBAN__V1__CASE_EVENT__BODY_RESULT;
    return push(entry, &event, arena);
}
