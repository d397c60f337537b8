#include <stdio.h>

#include "gateway/base/utf8.h"
#include "gateway/crypto/aead.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/record.h"
#include "gateway/seal/padded.h"
#include "gateway/window/corrections.h"
#include "gateway/window/graded.h"
#include "gateway/window/look.h"
#include "gateway/window/standing.h"
#include "gateway/wire/pb.h"
#include "policy/engine/workdays.h"

/* What is handed to a department: made once, and the same bytes ever after. */

#define CONTENT_VERSION 1

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant; /* protobuf-c has no const strings */
}

/* What a person decided goes before what the rules suggest. */
lb_status lb_parts_class(const struct lb_window_case *entry, size_t *out_class)
{
    const struct lb_case_decision decision = lb_case_decided(entry);
    LB_ENSURE(entry->decided, LB_CASE_UNDECIDED, "the case was never judged");
    LB_ENSURE(!decision.outdated, LB_CASE_UNDECIDED, "judged anew since it was decided");
    LB_ENSURE(lb_correction_behind(entry) == 0, LB_CASE_UNDECIDED,
              "a department has corrected what it was judged by");
    const char *id = decision.record > 0 ? decision.class.id : entry->class_id;
    size_t index = lb_form_class_index(entry->form->form, id);
    LB_ENSURE(index != SIZE_MAX, LB_CASE_UNDECIDED, "a person has to decide first");
    *out_class = index;
    return LB_OK;
}

/* --- who and what goes along --- */

/* `places` gets each member's index among the people, SIZE_MAX for who does not go along. */
static lb_status add_people(const struct lb_window_case *entry, const struct lb_form_part *part,
                            struct lb_arena *arena, size_t places[LB_MAX_HOUSEHOLD],
                            Lianban__V1__Part *out)
{
    out->people = lb_arena_array(arena, entry->num_members, sizeof(out->people[0]));
    LB_ENSURE(out->people != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < entry->num_members; i++) {
        const struct lb_case_member *member = &entry->members[i];
        places[i] = SIZE_MAX;
        if ((part->roles >> member->role & 1U) == 0)
            continue;
        Lianban__V1__PartPerson *person = lb_arena_alloc(arena, sizeof(*person));
        LB_ENSURE(person != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__part_person__init(person);
        person->role = text(entry->form->form->roles[member->role].name);
        person->relation = member->relation;
        person->id_no = text(member->id_no);
        person->name = member->name;
        places[i] = out->n_people;
        out->people[out->n_people++] = person;
    }
    return LB_OK;
}

static Lianban__V1__Fact__State state_of(enum lb_fact_state state)
{
    static const Lianban__V1__Fact__State states[] = {
        [LB_FACT_OK] = LIANBAN__V1__FACT__STATE__OK,
        [LB_FACT_DENIED] = LIANBAN__V1__FACT__STATE__DENIED,
        [LB_FACT_UNAVAILABLE] = LIANBAN__V1__FACT__STATE__UNAVAILABLE,
        [LB_FACT_TIMEOUT] = LIANBAN__V1__FACT__STATE__TIMEOUT,
        [LB_FACT_NOT_FOUND] = LIANBAN__V1__FACT__STATE__NOT_FOUND,
        [LB_FACT_AMBIGUOUS] = LIANBAN__V1__FACT__STATE__AMBIGUOUS,
        [LB_FACT_STALE] = LIANBAN__V1__FACT__STATE__STALE,
        [LB_FACT_DRY_RUN] = LIANBAN__V1__FACT__STATE__DRY_RUN,
    };
    bool known = state >= LB_FACT_OK && state <= LB_FACT_DRY_RUN; /* else nobody asked */
    return known ? states[state] : LIANBAN__V1__FACT__STATE__UNAVAILABLE;
}

/* As the window shows it, or a token, which the window cannot read. */
static lb_status handed_over(const struct lb_form_fact *fact, const struct lb_fact *value,
                             const char *shown, struct lb_arena *arena, const char **out)
{
    *out = shown;
    if (fact->call.op != LB_OP_TOKEN || value->state != LB_FACT_OK || value->kind != LB_FACT_TEXT)
        return LB_OK;
    *out = lb_arena_str(arena, value->text);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* A department's text that is no line of readable words stays here. */
lb_status lb_part_add_fact(const struct lb_window_case *entry, size_t member, size_t fact,
                          size_t person, struct lb_arena *arena, Lianban__V1__Part *out)
{
    const struct lb_case_fact *kept = &entry->members[member].facts[fact];
    Lianban__V1__CaseFact *shown = NULL;
    const char *value = NULL;
    Lianban__V1__PartFact *message = lb_arena_alloc(arena, sizeof(*message));
    LB_ENSURE(message != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_window_fact_message(entry, member, fact, arena, &shown));
    lianban__v1__part_fact__init(message);
    message->fact = shown->fact;
    message->person = (uint32_t)person;
    message->department = shown->department;
    message->state = state_of(kept->value.state);
    LB_TRY(handed_over(&entry->form->form->facts[fact], &kept->value, shown->shown, arena, &value));
    if (lb_utf8_line(value, LB_MAX_VALUE_BYTES))
        message->shown = text(value);
    if (shown->counts) { /* an officer's, in the department's place */
        message->state = LIANBAN__V1__FACT__STATE__OK;
        message->grade = shown->grade;
    } else if (kept->value.state != 0) {
        message->as_of = shown->as_of;
        message->txn = shown->txn;
        message->grade = text("A");
    }
    out->facts[out->n_facts++] = message;
    return LB_OK;
}

static lb_status add_facts(const struct lb_window_case *entry, const struct lb_form_part *part,
                           const size_t places[LB_MAX_HOUSEHOLD], struct lb_arena *arena,
                           Lianban__V1__Part *out)
{
    out->facts =
        lb_arena_array(arena, part->num_facts * entry->num_members, sizeof(out->facts[0]));
    LB_ENSURE(out->facts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < part->num_facts; i++) {
        for (size_t k = 0; k < entry->num_members; k++) {
            if (places[k] != SIZE_MAX && lb_case_asked(entry, k, part->facts[i]))
                LB_TRY(lb_part_add_fact(entry, k, part->facts[i], places[k], arena, out));
        }
    }
    return LB_OK;
}

/* --- when --- */

/* Empty while the calendar does not know the day: nobody is held to a guess. */
static lb_status due_day(const struct lb_window *window, const struct lb_form_part *part,
                         struct lb_arena *arena, char **out)
{
    const struct lb_work_calendar *calendar = window->options.calendar;
    struct lb_deadline deadline;
    struct lb_date date;
    char day[LB_DATE_TEXT_BYTES];
    if (calendar == NULL)
        return LB_OK;
    LB_TRY(lb_parts_deadline(window, part, lb_clock_unix_s(window->options.clock), &deadline));
    if (deadline.provisional || !lb_date_of_day(deadline.day, &date))
        return LB_OK;
    lb_date_format(&date, day);
    *out = lb_arena_str(arena, lb_span_str(day));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_parts_deadline(const struct lb_window *window, const struct lb_form_part *part,
                            int64_t made_s, struct lb_deadline *out)
{
    const struct lb_work_calendar *calendar = window->options.calendar;
    int64_t from = lb_work_calendar_today(calendar, made_s);
    if (!part->emergency)
        return lb_workdays_deadline(calendar, from, part->days, out);
    *out = (struct lb_deadline){.day = from + part->days}; /* days of any kind */
    return LB_OK;
}

/* --- the whole --- */

/* As much of the reason as there is room for; all of it is in the case's records. */
static lb_status add_reason(const struct lb_case_record *record, struct lb_arena *arena,
                            Lianban__V1__Part *out)
{
    static const char more[] = "…";
    struct lb_span reason = LB_SPAN_EMPTY;
    LB_TRY(lb_record_get(record->lines, "reason", &reason));
    size_t len = 0, room = LB_MAX_VALUE_BYTES - sizeof(more);
    for (size_t next = 0; reason.len > LB_MAX_VALUE_BYTES && lb_utf8_next(reason, &next) >= 0 &&
                          next <= room;)
        len = next;
    bool whole = reason.len <= LB_MAX_VALUE_BYTES;
    out->decided_reason = lb_arena_printf(arena, "%.*s%s", (int)(whole ? reason.len : len),
                                          (const char *)reason.ptr, whole ? "" : more);
    LB_ENSURE(out->decided_reason != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status add_class(const struct lb_window_case *entry, struct lb_arena *arena,
                           Lianban__V1__Part *out)
{
    const struct lb_case_decision decision = lb_case_decided(entry);
    size_t class = 0;
    if (lb_parts_class(entry, &class) != LB_OK)
        return LB_OK; /* only what goes in an emergency is made without */
    out->class_id = text(entry->class_id);
    out->thresholds_version = entry->thresholds_version;
    if (decision.record == 0)
        return LB_OK;
    out->decided_class = text(decision.class.id);
    return add_reason(lb_records_at(&entry->records, decision.record), arena, out);
}

lb_status lb_part_add_head(const struct lb_window_case *entry, const struct lb_part_author *author,
                           struct lb_arena *arena, Lianban__V1__Part *out)
{
    const struct lb_window *window = entry->window;
    const struct lb_form *form = entry->form->form;
    const struct lb_part_author opener = {entry->unit, entry->person};
    const char *token = NULL;
    if (author == NULL)
        author = &opener;
    LB_TRY(lb_window_operators_token(window->operators, &window->options, author->unit,
                                     author->person, arena, &token));
    out->case_id = text(entry->id);
    out->form = text(form->id);
    out->form_version = form->version;
    out->form_sha256 = lb_pb_bytes(lb_span_of(form->sha256, sizeof(form->sha256)));
    out->operator_token = text(token);
    return LB_OK;
}

lb_status lb_part_fill_row(const struct lb_window_case *entry, const Lianban__V1__Part *part,
                           struct lb_arena *arena, struct lb_parcel_row *row)
{
    Lianban__V1__SealedParcel content = LIANBAN__V1__SEALED_PARCEL__INIT;
    Lianban__V1__KeptParcel *kept = lb_arena_alloc(arena, sizeof(*kept));
    LB_ENSURE(kept != NULL, LB_NO_MEMORY, "arena is full");
    struct lb_span bytes;
    content.version = CONTENT_VERSION;
    content.made_unix_s = lb_clock_unix_s(entry->window->options.clock);
    content.body_case = LIANBAN__V1__SEALED_PARCEL__BODY_PART;
    content.part = (Lianban__V1__Part *)(uintptr_t)part;
    LB_TRY(lb_pb_pack(&content, arena, &bytes));
    LB_ENSURE(lb_padded_size(bytes.len, LB_PARCEL_STEP_BYTES) + LB_AEAD_TAG_BYTES <=
                  LB_MAX_PARCEL_BYTES,
              LB_TOO_LARGE, "a part does not fit into a parcel");
    lianban__v1__kept_parcel__init(kept);
    kept->content = lb_pb_bytes(bytes);
    kept->state = text(lb_part_state_name(LB_PART_PREPARED));
    kept->since_unix_s = content.made_unix_s;
    LB_TRY(lb_crypto_random(row->name, sizeof(row->name)));
    memcpy(row->case_id, entry->id, sizeof(row->case_id));
    row->open = true;
    row->next_s = 0;
    row->kept = kept;
    return LB_OK;
}

lb_status lb_part_make(struct lb_window_case *entry, size_t index, struct lb_arena *arena,
                       struct lb_parcel_row *out_row)
{
    const struct lb_form_part *part = &entry->form->form->parts[index];
    size_t places[LB_MAX_HOUSEHOLD];
    Lianban__V1__Part message = LIANBAN__V1__PART__INIT;
    struct lb_parcel_row row = {.rank = part->emergency ? 0 : 1};
    message.kind = lb_case_is_watch(entry) ? LIANBAN__V1__PART__KIND__SIGNAL
                                           : LIANBAN__V1__PART__KIND__SUBMISSION;
    message.part = text(part->name);
    message.emergency = part->emergency;
    LB_TRY(lb_part_add_head(entry, NULL, arena, &message));
    LB_TRY(add_class(entry, arena, &message));
    LB_TRY(add_people(entry, part, arena, places, &message));
    LB_TRY(add_facts(entry, part, places, arena, &message));
    LB_TRY(due_day(entry->window, part, arena, &message.due));
    LB_TRY(lb_part_fill_row(entry, &message, arena, &row));
    memcpy(row.about, row.name, sizeof(row.about));
    *out_row = row;
    return LB_OK;
}

/* The applicant alone goes along again, unless `extra` is about others: the department has them by
 * the submission. */
lb_status lb_part_make_about(struct lb_window_case *entry, const struct lb_parcel_row *submission,
                             const Lianban__V1__Part *extra, uint32_t after_word,
                             const struct lb_part_author *author, struct lb_arena *arena,
                             struct lb_parcel_row *out_row)
{
    Lianban__V1__SealedParcel *first = NULL;
    Lianban__V1__Part message = *extra;
    struct lb_parcel_row row = {.rank = submission->rank};
    LB_TRY(lb_parcel_part(submission, arena, &first));
    message.about = lb_pb_bytes(lb_span_of(submission->name, sizeof(submission->name)));
    LB_TRY(lb_part_add_head(entry, author, arena, &message));
    message.part = first->part->part;
    if (message.n_people == 0) {
        message.people = first->part->people;
        message.n_people = 1;
    }
    message.emergency = first->part->emergency;
    LB_TRY(lb_part_fill_row(entry, &message, arena, &row));
    memcpy(row.about, submission->name, sizeof(row.about));
    row.kept->recipient = submission->kept->recipient;
    row.kept->after_word = after_word;
    *out_row = row;
    return LB_OK;
}

lb_status lb_parcel_part(const struct lb_parcel_row *row, struct lb_arena *arena,
                         Lianban__V1__SealedParcel **out_content)
{
    Lianban__V1__SealedParcel *content = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, lb_pb_span(row->kept->content),
                        arena, &content));
    LB_ENSURE(content->body_case == LIANBAN__V1__SEALED_PARCEL__BODY_PART, LB_STORE_FAILED,
              "a kept parcel holds no part");
    *out_content = content;
    return LB_OK;
}
