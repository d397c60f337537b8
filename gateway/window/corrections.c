#include "gateway/window/corrections.h"

#include "gateway/note/record.h"
#include "gateway/wire/pb.h"

/* Requests and answers as the records have them. */

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

const char *lb_correction_state_name(enum lb_correction_state state)
{
    static const char *const names[] = {
        [LB_CORRECTION_WAITING] = "WAITING",     [LB_CORRECTION_OVERDUE] = "OVERDUE",
        [LB_CORRECTION_FORWARDED] = "FORWARDED", [LB_CORRECTION_CORRECTED] = "CORRECTED",
        [LB_CORRECTION_KEPT] = "KEPT",
    };
    return names[state];
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

bool lb_correction_over(const struct lb_window_case *entry, size_t number)
{
    size_t answer = lb_correction_answer(entry, number);
    return answer > 0 &&
           !lb_record_is(lb_records_at(&entry->records, answer), "outcome", "forwarded");
}

size_t lb_correction_of(const struct lb_window_case *entry, size_t member, const char *fact)
{
    size_t number =
        lb_records_newest_fact(&entry->records, LB_RECORD_CORRECTION, member, fact);
    return number > 0 && !lb_correction_over(entry, number) ? number : 0;
}

/* How long the department has stands in the last line. */
bool lb_correction_says(const struct lb_case_record *record, struct lb_span said)
{
    struct lb_span body = record->body, key, value;
    if (body.len <= said.len || memcmp(body.ptr, said.ptr, said.len) != 0)
        return false;
    body = lb_span_of(body.ptr + said.len, body.len - said.len);
    return lb_record_next(&body, &key, &value) && body.len == 0 &&
           (lb_span_is(key, "workdays") || lb_span_is(key, "due"));
}

/* --- when --- */

static int64_t today(const struct lb_window *window)
{
    const struct lb_work_calendar *calendar = window->options.calendar;
    int64_t now_s = lb_clock_unix_s(window->options.clock);
    char day[LB_CASE_DATE_BYTES];
    struct lb_date date;
    if (calendar != NULL)
        return lb_work_calendar_today(calendar, now_s);
    lb_case_day(now_s, day);
    return lb_date_parse(lb_span_str(day), &date) ? lb_date_day(&date) : INT64_MIN;
}

/* A request of an older version says its very day. */
bool lb_correction_due(const struct lb_window_case *entry, size_t number, struct lb_deadline *out)
{
    const struct lb_case_record *record = lb_records_at(&entry->records, number);
    const struct lb_work_calendar *calendar = entry->window->options.calendar;
    struct lb_span due;
    struct lb_date date;
    if (lb_record_get(record->lines, "due", &due) == LB_OK && lb_date_parse(due, &date)) {
        *out = (struct lb_deadline){.day = lb_date_day(&date)};
        return true;
    }
    size_t days = lb_record_number(record, "workdays");
    return calendar != NULL &&
           lb_workdays_deadline(calendar, lb_work_calendar_today(calendar, record->at_unix_s),
                                (int64_t)days, out) == LB_OK;
}

enum lb_correction_state lb_correction_state_of(const struct lb_window_case *entry, size_t number)
{
    const size_t answer = lb_correction_answer(entry, number);
    struct lb_deadline due;
    if (lb_correction_over(entry, number))
        return lb_record_is(lb_records_at(&entry->records, answer), "outcome", "corrected")
                   ? LB_CORRECTION_CORRECTED
                   : LB_CORRECTION_KEPT;
    if (lb_correction_due(entry, number, &due) &&
        lb_workdays_due(&due, today(entry->window)) == LB_DUE_OVERDUE)
        return LB_CORRECTION_OVERDUE;
    return answer > 0 ? LB_CORRECTION_FORWARDED : LB_CORRECTION_WAITING;
}

/* --- the case --- */

size_t lb_correction_behind(const struct lb_window_case *entry)
{
    const struct lb_case_records *records = &entry->records;
    size_t decided = lb_records_newest(records, LB_RECORD_DECIDED);
    for (size_t i = records->num; i > decided; i--) {
        const struct lb_case_record *record = lb_records_at(records, i);
        if (record->kind == LB_RECORD_ANSWER && lb_record_is(record, "outcome", "corrected") &&
            lb_correction_answer(entry, lb_record_number(record, "follows")) == i)
            return i;
    }
    return 0;
}

void lb_corrections_count(const struct lb_window_case *entry, uint32_t *out_open,
                          uint32_t *out_overdue)
{
    *out_open = *out_overdue = 0;
    for (size_t i = 1; i <= entry->records.num; i++) {
        if (lb_records_at(&entry->records, i)->kind != LB_RECORD_CORRECTION)
            continue;
        *out_open += lb_correction_over(entry, i) ? 0 : 1;
        *out_overdue += lb_correction_state_of(entry, i) == LB_CORRECTION_OVERDUE ? 1 : 0;
    }
}

/* --- as the service hands them out --- */

/* "" for a line that the record lacks. */
static lb_status copy(const struct lb_case_record *record, const char *key, struct lb_arena *arena,
                      char **out)
{
    struct lb_span value;
    if (lb_record_get(record->lines, key, &value) != LB_OK)
        return LB_OK;
    *out = lb_arena_str(arena, value);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status write_due(const struct lb_window_case *entry, size_t number,
                           struct lb_arena *arena, Lianban__V1__CaseCorrection *message)
{
    struct lb_deadline due;
    struct lb_date date;
    char day[LB_DATE_TEXT_BYTES];
    if (!lb_correction_due(entry, number, &due) || !lb_date_of_day(due.day, &date))
        return LB_OK;
    lb_date_format(&date, day);
    message->due = lb_arena_str(arena, lb_span_str(day));
    message->due_provisional = due.provisional;
    LB_ENSURE(message->due != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* The number that the department gave it stands in a word of its own. */
static lb_status write_reference(const struct lb_window_case *entry,
                                 const struct lb_parcel_row *row, struct lb_arena *scratch,
                                 struct lb_arena *arena, Lianban__V1__CaseCorrection *message)
{
    struct lb_word_row *words = NULL;
    size_t num = 0;
    LB_TRY(lb_words_about(entry->window->store, row->name, scratch, &words, &num));
    for (size_t i = 0; i < num; i++) {
        Lianban__V1__SealedParcel *content = NULL;
        LB_TRY(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, words[i].content, scratch,
                            &content));
        if (content->word == NULL || content->word->reference[0] == 0)
            continue;
        message->reference = lb_arena_str(arena, lb_span_str(content->word->reference));
        LB_ENSURE(message->reference != NULL, LB_NO_MEMORY, "arena is full");
    }
    return LB_OK;
}

static lb_status write_way(const struct lb_window_case *entry, size_t number,
                           struct lb_arena *arena, Lianban__V1__CaseCorrection *message)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *scratch = lb_arena_new(LB_PARTS_ARENA_BYTES);
    struct lb_parcel_row row;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    struct lb_span kept;
    LB_ENSURE(scratch != NULL, LB_NO_MEMORY, "arena");
    lb_correction_name(entry, number, name);
    lb_status status = lb_parcel_get(entry->window->store, name, scratch, &row);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK; /* an older version's */
    LB_TRY(status);
    LB_TRY(lb_arena_copy(arena, lb_span_of(name, sizeof(name)), &kept));
    message->name = lb_pb_bytes(kept);
    message->way = text(lb_part_state_name(lb_part_state_by_name(row.kept->state)));
    message->code = lb_arena_str(arena, lb_span_str(row.kept->code));
    LB_ENSURE(message->code != NULL, LB_NO_MEMORY, "arena is full");
    return write_reference(entry, &row, scratch, arena, message);
}

static lb_status write_one(const struct lb_window_case *entry, size_t number,
                           struct lb_arena *arena, Lianban__V1__CaseCorrection **out)
{
    const struct lb_case_record *record = lb_records_at(&entry->records, number);
    Lianban__V1__CaseCorrection *message = lb_arena_alloc(arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_correction__init(message);
    message->record = (uint32_t)number;
    message->member = (uint32_t)lb_record_number(record, "member");
    message->answer = (uint32_t)lb_correction_answer(entry, number);
    message->state = text(lb_correction_state_name(lb_correction_state_of(entry, number)));
    LB_TRY(copy(record, "fact", arena, &message->fact));
    LB_TRY(copy(record, "department", arena, &message->department));
    LB_TRY(write_due(entry, number, arena, message));
    if (message->answer > 0)
        LB_TRY(copy(lb_records_at(&entry->records, message->answer), "to", arena,
                    &message->forwarded_to));
    *out = message;
    return write_way(entry, number, arena, message);
}

lb_status lb_corrections_write(const struct lb_window_case *entry, struct lb_arena *arena,
                               Lianban__V1__CaseCorrection ***out, size_t *out_num)
{
    size_t num = 0;
    Lianban__V1__CaseCorrection **list =
        lb_arena_array(arena, entry->records.num, sizeof(list[0]));
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 1; i <= entry->records.num; i++) {
        if (lb_records_at(&entry->records, i)->kind == LB_RECORD_CORRECTION)
            LB_TRY(write_one(entry, i, arena, &list[num++]));
    }
    *out = list;
    *out_num = num;
    return LB_OK;
}
