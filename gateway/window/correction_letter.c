#include "gateway/window/letter.h"

#include "gateway/note/record.h"
#include "gateway/window/corrections.h"
#include "policy/engine/form_answer.h"

/* The letter that tells the citizen a department's answer, of the two records alone. */

static lb_status copy(const struct lb_case_record *record, const char *key, struct lb_arena *arena,
                      const char **out)
{
    struct lb_span value;
    if (lb_record_get(record->lines, key, &value) != LB_OK)
        return LB_OK;
    *out = lb_arena_str(arena, value);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status copy_day(const struct lb_case_record *record, struct lb_arena *arena,
                          const char **out)
{
    char *day = lb_arena_alloc(arena, LB_CASE_DATE_BYTES);
    LB_ENSURE(day != NULL, LB_NO_MEMORY, "arena is full");
    lb_case_day(record->at_unix_s, day);
    *out = day;
    return LB_OK;
}

static enum lb_form_answer_outcome outcome_of(const struct lb_case_record *answer)
{
    if (lb_record_is(answer, "outcome", "corrected"))
        return LB_ANSWER_CORRECTED;
    return lb_record_is(answer, "outcome", "kept") ? LB_ANSWER_KEPT : LB_ANSWER_FORWARDED;
}

static lb_status take_answer(const struct lb_case_record *record, bool english,
                             struct lb_arena *arena, struct lb_form_answer *out)
{
    out->outcome = outcome_of(record);
    LB_TRY(copy(record, "answer", arena, &out->answer));
    if (english)
        LB_TRY(copy(record, "answer_en", arena, &out->answer));
    LB_TRY(copy(record, "law", arena, &out->law));
    LB_TRY(copy(record, "to", arena, &out->to));
    return copy_day(record, arena, &out->answered);
}

lb_status lb_correction_letter(const struct lb_window_case *entry, size_t number, bool english,
                               struct lb_arena *arena, struct lb_form_answer *out)
{
    const struct lb_case_records *records = &entry->records;
    const struct lb_form *form = entry->form->form;
    const char *fact = NULL;
    LB_ENSURE(number <= records->num &&
                  lb_records_at(records, number)->kind == LB_RECORD_CORRECTION,
              LB_MALFORMED, "no request for a correction");
    const size_t answer = lb_correction_answer(entry, number);
    LB_ENSURE(answer > 0, LB_CASE_STATE, "the department has not answered");
    const struct lb_case_record *request = lb_records_at(records, number);
    LB_TRY(copy(request, "fact", arena, &fact));
    const size_t index = fact == NULL ? SIZE_MAX : lb_form_fact_index(form, fact);
    LB_ENSURE(index < form->num_facts, LB_STORE_FAILED, "a record about no fact");
    *out = (struct lb_form_answer){.fact = &form->facts[index]};
    out->judge_again = lb_correction_behind(entry) == answer;
    out->case_id = lb_arena_str(arena, lb_span_str(entry->id));
    LB_ENSURE(out->case_id != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(copy_day(request, arena, &out->asked));
    return take_answer(lb_records_at(records, answer), english, arena, out);
}
