#include "gateway/window/standing.h"

#include "gateway/note/record.h"
#include "gateway/window/corrections.h"
#include "gateway/window/graded.h"
#include "gateway/window/look.h"

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

const char *lb_case_phase(const struct lb_window_case *entry, bool collecting)
{
    if (collecting)
        return "COLLECTING";
    if (entry->decided)
        return "DECIDED";
    for (size_t i = 0; i < entry->num_members; i++) {
        if (entry->members[i].ticket_id != NULL && entry->members[i].consent.sd_jwt == NULL)
            return "GRANTS_PENDING";
    }
    return "OPEN";
}

bool lb_case_misses(const struct lb_window_case *entry, size_t member, size_t fact)
{
    const struct lb_fact value = lb_graded_value(entry, member, fact);
    return value.state != LB_FACT_OK || value.kind == LB_FACT_UNKNOWN;
}

/* A department that was away may still answer. */
static bool awaits_departments(const struct lb_window_case *entry)
{
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < entry->form->form->num_facts; k++) {
            if (lb_case_asked(entry, i, k) && lb_case_misses(entry, i, k) &&
                !lb_case_final(entry->members[i].facts[k].value.state))
                return true;
        }
    }
    return false;
}

const char *lb_case_turn(const struct lb_window_case *entry, bool collecting)
{
    const struct lb_case_decision decision = lb_case_decided(entry);
    if (collecting)
        return "departments";
    if (strcmp(lb_case_phase(entry, false), "GRANTS_PENDING") == 0)
        return "citizen";
    if (lb_case_is_watch(entry))
        return "nobody";
    if (!entry->decided || lb_correction_behind(entry) > 0)
        return "officer";
    if (decision.record > 0)
        return decision.outdated ? "officer" : "nobody";
    return awaits_departments(entry) ? "departments" : "officer";
}

bool lb_case_class(const struct lb_form *form, struct lb_span id, struct lb_form_class *out_class,
                   size_t *out_place)
{
    for (size_t i = 0; i <= form->num_classes; i++) {
        const struct lb_form_class *class =
            i < form->num_classes ? &form->classes[i] : &form->otherwise;
        if (!lb_span_is(id, class->id))
            continue;
        *out_class = *class;
        *out_place = i;
        return true;
    }
    return false;
}

struct lb_case_decision lb_case_decided(const struct lb_window_case *entry)
{
    struct lb_case_decision none = {0}, decision = {0};
    struct lb_span id;
    size_t place = 0;
    decision.record = lb_records_newest(&entry->records, LB_RECORD_DECIDED);
    if (decision.record == 0)
        return none;
    const struct lb_case_record *record = lb_records_at(&entry->records, decision.record);
    if (lb_record_get(record->lines, "class", &id) != LB_OK ||
        !lb_case_class(entry->form->form, id, &decision.class, &place))
        return none;
    decision.suggestion = lb_record_number(record, "suggestion");
    decision.outdated =
        lb_records_newest(&entry->records, LB_RECORD_SUGGESTED) != decision.suggestion;
    return decision;
}

static lb_status write_added(const struct lb_window_case *entry, struct lb_arena *arena,
                             Lianban__V1__CaseResult *result)
{
    const size_t num_facts = entry->form->form->num_facts;
    result->added = lb_arena_array(arena, entry->records.num, sizeof(result->added[0]));
    LB_ENSURE(result->added != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < entry->num_members; i++) {
        for (size_t k = 0; k < num_facts; k++) {
            if (lb_graded_record(entry, i, k) == NULL)
                continue;
            LB_TRY(lb_window_fact_message(entry, i, k, arena, &result->added[result->n_added]));
            result->n_added++;
        }
    }
    return LB_OK;
}

lb_status lb_standing_write(const struct lb_window_case *entry, bool collecting,
                            struct lb_arena *arena, Lianban__V1__CaseResult *result)
{
    const struct lb_case_decision decision = lb_case_decided(entry);
    struct lb_span departs = LB_SPAN_EMPTY;
    result->suggestion = (uint32_t)lb_records_newest(&entry->records, LB_RECORD_SUGGESTED);
    result->turn = text(lb_case_turn(entry, collecting));
    LB_TRY(write_added(entry, arena, result));
    if (decision.record == 0)
        return LB_OK;
    Lianban__V1__CaseDecision *message = lb_arena_alloc(arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_decision__init(message);
    LB_TRY(lb_record_get(lb_records_at(&entry->records, decision.record)->lines, "departs",
                         &departs));
    message->record = (uint32_t)decision.record;
    message->class_id = text(decision.class.id);
    message->class_zh = text(decision.class.text.zh);
    message->class_en = text(decision.class.text.en);
    message->departs = lb_arena_str(arena, departs);
    message->suggestion = (uint32_t)decision.suggestion;
    message->outdated = decision.outdated;
    LB_ENSURE(message->departs != NULL, LB_NO_MEMORY, "arena is full");
    result->decision = message;
    return LB_OK;
}
