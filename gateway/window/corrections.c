#include "gateway/window/corrections.h"

#include "gateway/note/record.h"

static const char *const state_names[] = {
    [LB_CORRECTION_WAITING] = "WAITING",
    [LB_CORRECTION_OVERDUE] = "OVERDUE",
    [LB_CORRECTION_CORRECTED] = "CORRECTED",
    [LB_CORRECTION_KEPT] = "KEPT",
};

const char *lb_correction_state_name(enum lb_correction_state state)
{
    return state_names[state];
}

size_t lb_correction_answer(const struct lb_window_case *entry, size_t number)
{
    for (size_t i = entry->records.num; i > number; i--) {
        const struct lb_case_record *record = lb_records_at(&entry->records, i);
        if (record->kind == LB_RECORD_ANSWER && lb_record_number(record, "follows") == number)
            return i;
    }
    return 0;
}

size_t lb_correction_of(const struct lb_window_case *entry, size_t member, const char *fact)
{
    size_t number =
        lb_records_newest_fact(&entry->records, LB_RECORD_CORRECTION, member, fact);
    return number > 0 && lb_correction_answer(entry, number) == 0 ? number : 0;
}

/* The day stands in the last line. */
bool lb_correction_says(const struct lb_case_record *record, struct lb_span said)
{
    struct lb_span body = record->body, key, value;
    if (body.len <= said.len || memcmp(body.ptr, said.ptr, said.len) != 0)
        return false;
    body = lb_span_of(body.ptr + said.len, body.len - said.len);
    return lb_record_next(&body, &key, &value) && lb_span_is(key, "due") && body.len == 0;
}

enum lb_correction_state lb_correction_state_of(const struct lb_window_case *entry, size_t number,
                                                const char *today)
{
    const struct lb_case_records *records = &entry->records;
    size_t answer = lb_correction_answer(entry, number);
    struct lb_span due;
    if (answer > 0)
        return lb_record_is(lb_records_at(records, answer), "outcome", "corrected")
                   ? LB_CORRECTION_CORRECTED
                   : LB_CORRECTION_KEPT;
    bool dated = lb_record_get(lb_records_at(records, number)->lines, "due", &due) == LB_OK &&
                 due.len == LB_CASE_DATE_BYTES - 1;
    return dated && memcmp(due.ptr, today, due.len) < 0 ? LB_CORRECTION_OVERDUE
                                                        : LB_CORRECTION_WAITING;
}

void lb_corrections_count(const struct lb_window_case *entry, uint32_t *out_open,
                          uint32_t *out_overdue)
{
    char day[LB_CASE_DATE_BYTES];
    *out_open = *out_overdue = 0;
    lb_case_day(lb_clock_unix_s(entry->window->options.clock), day);
    for (size_t i = 1; i <= entry->records.num; i++) {
        if (lb_records_at(&entry->records, i)->kind != LB_RECORD_CORRECTION)
            continue;
        enum lb_correction_state state = lb_correction_state_of(entry, i, day);
        *out_overdue += state == LB_CORRECTION_OVERDUE ? 1 : 0;
        *out_open += state == LB_CORRECTION_OVERDUE || state == LB_CORRECTION_WAITING ? 1 : 0;
    }
}

static lb_status copy(const struct lb_case_record *record, const char *key, struct lb_arena *arena,
                      char **out)
{
    struct lb_span value;
    LB_TRY(lb_record_get(record->lines, key, &value));
    *out = lb_arena_str(arena, value);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status write_one(const struct lb_window_case *entry, size_t number, const char *day,
                           struct lb_arena *arena, Lianban__V1__CaseCorrection **out)
{
    const struct lb_case_record *record = lb_records_at(&entry->records, number);
    Lianban__V1__CaseCorrection *message = lb_arena_alloc(arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_correction__init(message);
    message->record = (uint32_t)number;
    message->member = (uint32_t)lb_record_number(record, "member");
    LB_TRY(copy(record, "fact", arena, &message->fact));
    LB_TRY(copy(record, "department", arena, &message->department));
    LB_TRY(copy(record, "due", arena, &message->due));
    message->state = (char *)(uintptr_t)lb_correction_state_name(
        lb_correction_state_of(entry, number, day));
    *out = message;
    return LB_OK;
}

lb_status lb_corrections_write(const struct lb_window_case *entry, struct lb_arena *arena,
                               Lianban__V1__CaseResult *result)
{
    char day[LB_CASE_DATE_BYTES];
    lb_case_day(lb_clock_unix_s(entry->window->options.clock), day);
    result->corrections =
        lb_arena_array(arena, entry->records.num, sizeof(result->corrections[0]));
    LB_ENSURE(result->corrections != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 1; i <= entry->records.num; i++) {
        if (lb_records_at(&entry->records, i)->kind != LB_RECORD_CORRECTION)
            continue;
        LB_TRY(write_one(entry, i, day, arena, &result->corrections[result->n_corrections]));
        result->n_corrections++;
    }
    return LB_OK;
}
