#include "gateway/window/corrections.h"

#include "gateway/crypto/hash.h"
#include "gateway/note/record.h"
#include "gateway/wire/pb.h"

/*
 * What goes to departments because of a correction: the request, to the one whose data it is
 * about; and, once that one has corrected them, a CORRECTION behind every submission that has the
 * fact. Names follow from the records, so that whoever died before a parcel was made makes it
 * later, once.
 */

#define POST_ARENA_BYTES (64U * 1024 * 1024) /* a case's parcels, twice */

struct posting {
    struct lb_window_case *entry;
    struct lb_arena *arena;
    struct lb_parcel_row *rows;  /* of the case, as they are before */
    size_t num_rows;
};

/* Keyed: what a record says is easily guessed, and names stand in logs. */
static void name_parcel(const struct lb_window_case *entry, size_t number,
                        const uint8_t *submission, uint8_t out[LB_PARCEL_NAME_BYTES])
{
    static const uint8_t none[LB_PARCEL_NAME_BYTES] = {0};
    const struct lb_window *window = entry->window;
    uint8_t digest[LB_SHA256_BYTES], tag[LB_SHA256_BYTES];
    const uint8_t place[2] = {(uint8_t)(number >> 8), (uint8_t)number};
    const struct lb_span parts[] = {
        lb_span_str("lianban correction parcel v1"), lb_span_str(entry->id),
        lb_span_of(place, sizeof(place)),
        lb_span_of(submission == NULL ? none : submission, LB_PARCEL_NAME_BYTES)};
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), digest);
    lb_hmac_sha256(lb_span_of(window->case_key, sizeof(window->case_key)),
                   lb_span_of(digest, sizeof(digest)), tag);
    memcpy(out, tag, LB_PARCEL_NAME_BYTES);
}

void lb_correction_name(const struct lb_window_case *entry, size_t number,
                        uint8_t out[LB_PARCEL_NAME_BYTES])
{
    name_parcel(entry, number, NULL, out);
}

static bool is_there(const struct posting *posting, const uint8_t name[LB_PARCEL_NAME_BYTES])
{
    for (size_t i = 0; i < posting->num_rows; i++)
        if (memcmp(posting->rows[i].name, name, LB_PARCEL_NAME_BYTES) == 0)
            return true;
    return false;
}

static lb_status line(const struct posting *posting, const struct lb_case_record *record,
                      const char *key, const char **out)
{
    struct lb_span value;
    LB_TRY(lb_record_get(record->lines, key, &value));
    *out = lb_arena_str(posting->arena, value);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* Whoever may not serve any more is answered for by who opened the case. */
static lb_status choose_author(const struct posting *posting, struct lb_part_author *author)
{
    const struct lb_window_case *entry = posting->entry;
    const struct lb_window *window = entry->window;
    const char *token = NULL;
    lb_status status =
        lb_window_operators_token(window->operators, &window->options, author->unit,
                                  author->person, posting->arena, &token);
    enum lb_code code = lb_status_code(status);
    if (code != LB_BADGE_UNKNOWN && code != LB_BADGE_SUSPENDED && code != LB_BADGE_EXPIRED)
        return status;
    *author = (struct lb_part_author){entry->unit, entry->person};
    return LB_OK;
}

/* Who asked answers for what follows from it, too. */
static lb_status read_author(const struct posting *posting, const struct lb_case_record *record,
                             struct lb_part_author *out)
{
    LB_TRY(line(posting, record, "by", &out->person));
    LB_TRY(line(posting, record, "unit", &out->unit));
    return choose_author(posting, out);
}

static lb_status add(struct posting *posting, const struct lb_parcel_row *row)
{
    LB_ENSURE(posting->num_rows < LB_PARTS_MAX_ROWS, LB_TOO_LARGE, "too much about one case");
    LB_TRY(lb_parcels_add(posting->entry->window->store, row, 1, posting->arena));
    posting->rows[posting->num_rows++] = *row;
    lb_parts_push(posting->entry->window, row);
    return LB_OK;
}

/* The member and the fact that a request is about, as they go along. */
static lb_status add_fact(const struct posting *posting, const struct lb_case_record *record,
                          Lianban__V1__Part *part)
{
    const struct lb_window_case *entry = posting->entry;
    const struct lb_form *form = entry->form->form;
    const size_t member = lb_record_number(record, "member");
    const char *name = NULL;
    Lianban__V1__PartPerson *person = lb_arena_alloc(posting->arena, sizeof(*person));
    part->people = lb_arena_array(posting->arena, 1, sizeof(part->people[0]));
    part->facts = lb_arena_array(posting->arena, 1, sizeof(part->facts[0]));
    LB_ENSURE(person != NULL && part->people != NULL && part->facts != NULL, LB_NO_MEMORY,
              "arena is full");
    LB_TRY(line(posting, record, "fact", &name));
    const size_t fact = lb_form_fact_index(form, name);
    LB_ENSURE(member < entry->num_members && fact < form->num_facts, LB_STORE_FAILED,
              "a record about no fact");
    lianban__v1__part_person__init(person);
    person->role = (char *)(uintptr_t)form->roles[entry->members[member].role].name;
    person->relation = entry->members[member].relation;
    person->id_no = (char *)(uintptr_t)entry->members[member].id_no;
    person->name = entry->members[member].name;
    part->people[part->n_people++] = person;
    return lb_part_add_fact(entry, member, fact, 0, posting->arena, part);
}

/* --- the request --- */

static lb_status write_due(const struct posting *posting, size_t number, Lianban__V1__Part *part)
{
    struct lb_deadline due;
    struct lb_date date;
    char day[LB_DATE_TEXT_BYTES];
    if (!lb_correction_due(posting->entry, number, &due) || due.provisional ||
        !lb_date_of_day(due.day, &date))
        return LB_OK; /* nobody is held to a guess */
    lb_date_format(&date, day);
    part->due = lb_arena_str(posting->arena, lb_span_str(day));
    LB_ENSURE(part->due != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* One that an older version noted went to its department by other ways. */
static lb_status post_request(struct posting *posting, size_t number)
{
    const struct lb_case_record *record = lb_records_at(&posting->entry->records, number);
    Lianban__V1__Part part = LIANBAN__V1__PART__INIT;
    struct lb_parcel_row row = {.rank = 1};
    struct lb_part_author author;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    const char *says = NULL;
    lb_correction_name(posting->entry, number, name);
    if (is_there(posting, name) || lb_record_number(record, "workdays") == 0 ||
        lb_correction_over(posting->entry, number))
        return LB_OK;
    part.kind = LIANBAN__V1__PART__KIND__CORRECTION_REQUEST;
    LB_TRY(read_author(posting, record, &author));
    LB_TRY(lb_part_add_head(posting->entry, &author, posting->arena, &part));
    LB_TRY(add_fact(posting, record, &part));
    LB_TRY(line(posting, record, "says", &says));
    part.note = (char *)(uintptr_t)says;
    LB_TRY(write_due(posting, number, &part));
    LB_TRY(lb_part_fill_row(posting->entry, &part, posting->arena, &row));
    memcpy(row.name, name, sizeof(row.name));
    memcpy(row.about, name, sizeof(row.about));
    return add(posting, &row);
}

/* --- behind submissions --- */

static bool has_fact(const Lianban__V1__Part *submission, const Lianban__V1__Part *corrected)
{
    const char *fact = corrected->facts[0]->fact, *id_no = corrected->people[0]->id_no;
    for (size_t i = 0; i < submission->n_facts; i++) {
        const Lianban__V1__PartFact *has = submission->facts[i];
        if (strcmp(has->fact, fact) == 0 && has->person < submission->n_people &&
            strcmp(submission->people[has->person]->id_no, id_no) == 0)
            return true;
    }
    return false;
}

static bool takes_more(const char *state)
{
    switch (lb_part_state_by_name(state)) {
    case LB_PART_NONE:
    case LB_PART_RETURNED:
    case LB_PART_WITHDRAWN:
    case LB_PART_DEAD:
        return false;
    default:
        return true;
    }
}

static lb_status post_behind(struct posting *posting, const Lianban__V1__CasePart *shown,
                             size_t answer, const Lianban__V1__Part *corrected,
                             const struct lb_part_author *author)
{
    const struct lb_case_record *record = lb_records_at(&posting->entry->records, answer);
    struct lb_parcel_row submission, row;
    Lianban__V1__SealedParcel *content = NULL;
    uint8_t name[LB_PARCEL_NAME_BYTES];
    name_parcel(posting->entry, answer, shown->name.data, name);
    if (is_there(posting, name) || !takes_more(shown->state) ||
        shown->n_sent >= LB_PARTS_MAX_SENT)
        return LB_OK;
    LB_TRY(lb_parcel_get(posting->entry->window->store, shown->name.data, posting->arena,
                         &submission));
    LB_TRY(lb_parcel_part(&submission, posting->arena, &content));
    if (content->made_unix_s > record->at_unix_s || !has_fact(content->part, corrected))
        return LB_OK;
    LB_TRY(lb_part_make_about(posting->entry, &submission, corrected, (uint32_t)shown->n_words,
                              author, posting->arena, &row));
    memcpy(row.name, name, sizeof(row.name));
    return add(posting, &row);
}

static lb_status post_answer(struct posting *posting, size_t answer)
{
    const struct lb_case_records *records = &posting->entry->records;
    const struct lb_case_record *record = lb_records_at(records, answer);
    const size_t number = lb_record_number(record, "follows");
    Lianban__V1__Part part = LIANBAN__V1__PART__INIT;
    Lianban__V1__CasePart **shown = NULL;
    struct lb_part_author author;
    const char *says = NULL;
    size_t num = 0;
    if (!lb_record_is(record, "outcome", "corrected") ||
        lb_correction_answer(posting->entry, number) != answer)
        return LB_OK;
    part.kind = LIANBAN__V1__PART__KIND__CORRECTION;
    LB_TRY(read_author(posting, lb_records_at(records, number), &author));
    LB_TRY(add_fact(posting, lb_records_at(records, number), &part));
    LB_TRY(line(posting, record, "answer", &says));
    part.note = (char *)(uintptr_t)says;
    LB_TRY(lb_parts_show(posting->entry, NULL, posting->arena, &shown, &num));
    for (size_t i = 0; i < num; i++)
        LB_TRY(post_behind(posting, shown[i], answer, &part, &author));
    return LB_OK;
}

/* --- all --- */

lb_status lb_corrections_post(struct lb_window_case *entry)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(POST_ARENA_BYTES);
    struct posting posting = {.entry = entry, .arena = arena};
    if (lb_records_newest(&entry->records, LB_RECORD_CORRECTION) == 0)
        return LB_OK;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_parcels_of_case(entry->window->store, entry->id, arena, &posting.rows,
                              &posting.num_rows));
    for (size_t i = 1; i <= entry->records.num; i++) {
        enum lb_record_kind kind = lb_records_at(&entry->records, i)->kind;
        if (kind == LB_RECORD_CORRECTION)
            LB_TRY(post_request(&posting, i));
        if (kind == LB_RECORD_ANSWER)
            LB_TRY(post_answer(&posting, i));
    }
    return LB_OK;
}

lb_status lb_corrections_retry(struct lb_window_case *entry, bool *out_any)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(POST_ARENA_BYTES);
    Lianban__V1__CaseCorrection **list = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_corrections_write(entry, arena, &list, &num));
    for (size_t i = 0; i < num; i++) {
        if (lb_part_state_by_name(list[i]->way) != LB_PART_DEAD ||
            lb_correction_over(entry, list[i]->record))
            continue;
        LB_TRY(lb_parts_revive(entry->window, list[i]->name.data, false));
        *out_any = true;
    }
    return LB_OK;
}
