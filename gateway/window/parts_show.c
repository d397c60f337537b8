#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/*
 * How a part stands, worked out of what is on disk: what brokers told of the submission, what was
 * sent after it, and what the department said, in its order. None of it is kept as a fact of its
 * own.
 */

#define EVENT_ARENA_BYTES (32U * 1024 * 1024)

/* One submission while it is put together. */
struct standing {
    const struct lb_window *window;
    const struct lb_form *form;
    const struct lb_parcel_row *rows;  /* the case's */
    size_t num_rows;
    struct lb_arena *arena;
    enum lb_part_state state;
    Lianban__V1__CasePart *part;
};

static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

/* --- words --- */

static const struct {
    const char *name;
    enum lb_part_event event;
} kinds[] = {
    [LIANBAN__V1__WORD__KIND__ACCEPTED] = {"ACCEPTED", LB_PART_SAID_ACCEPTED},
    [LIANBAN__V1__WORD__KIND__RETURNED] = {"RETURNED", LB_PART_SAID_RETURNED},
    [LIANBAN__V1__WORD__KIND__SUPPLEMENT_WANTED] = {"SUPPLEMENT_WANTED", LB_PART_SAID_WANTED},
    [LIANBAN__V1__WORD__KIND__DECIDED] = {"DECIDED", LB_PART_SAID_DECIDED},
    [LIANBAN__V1__WORD__KIND__WITHDRAWN] = {"WITHDRAWN", LB_PART_SAID_WITHDRAWN},
    [LIANBAN__V1__WORD__KIND__CORRECTED] = {"CORRECTED", LB_PART_SAID_CORRECTED},
    /* of a signal */
    [LIANBAN__V1__WORD__KIND__CONTACTED] = {"CONTACTED", LB_PART_SAID_ACCEPTED},
    [LIANBAN__V1__WORD__KIND__APPLIED] = {"APPLIED", LB_PART_SAID_DECIDED},
    [LIANBAN__V1__WORD__KIND__DECLINED] = {"DECLINED", LB_PART_SAID_DECIDED},
    [LIANBAN__V1__WORD__KIND__NOT_REACHED] = {"NOT_REACHED", LB_PART_SAID_DECIDED},
};

static const char *outcome_name(Lianban__V1__Word__Outcome outcome)
{
    static const char *const names[] = {
        [LIANBAN__V1__WORD__OUTCOME__GRANTED] = "GRANTED",
        [LIANBAN__V1__WORD__OUTCOME__REFUSED] = "REFUSED",
        [LIANBAN__V1__WORD__OUTCOME__PARTLY] = "PARTLY",
    };
    bool known = outcome >= LIANBAN__V1__WORD__OUTCOME__GRANTED &&
                 outcome <= LIANBAN__V1__WORD__OUTCOME__PARTLY;
    return known ? names[outcome] : "";
}

/* What a word says last stands; a correction replaces what it says itself. */
static void apply_word(struct standing *standing, const Lianban__V1__Word *word,
                       Lianban__V1__PartWord *shown)
{
    Lianban__V1__CasePart *part = standing->part;
    enum lb_part_state next = standing->state;
    shown->out_of_place = lb_part_next(standing->state, kinds[word->kind].event, &next) != LB_OK;
    if (shown->out_of_place)
        return;
    standing->state = next;
    if (word->reference[0] != 0)
        part->reference = word->reference;
    if (shown->outcome[0] != 0)
        part->outcome = shown->outcome;
    part->until = next == LB_PART_SUPPLEMENT_WANTED ? word->until : text("");
}

static lb_status add_word(struct standing *standing, const struct lb_word_row *row)
{
    Lianban__V1__SealedParcel *content = NULL;
    Lianban__V1__PartWord *shown = lb_arena_alloc(standing->arena, sizeof(*shown));
    LB_ENSURE(shown != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, row->content, standing->arena,
                        &content));
    LB_ENSURE(content->body_case == LIANBAN__V1__SEALED_PARCEL__BODY_WORD, LB_STORE_FAILED,
              "a kept word is none");
    const Lianban__V1__Word *word = content->word;
    lianban__v1__part_word__init(shown);
    shown->number = word->number;
    shown->kind = text(kinds[word->kind].name);
    shown->reference = word->reference;
    shown->outcome = text(outcome_name(word->outcome));
    shown->text_zh = word->text_zh;
    shown->text_en = word->text_en;
    shown->law = word->law;
    shown->until = word->until;
    shown->said_unix_s = word->said_unix_s;
    apply_word(standing, word, shown);
    standing->part->words[standing->part->n_words++] = shown;
    return LB_OK;
}

/* --- what was sent after it --- */

static const char *sent_kind(Lianban__V1__Part__Kind kind)
{
    if (kind == LIANBAN__V1__PART__KIND__CORRECTION)
        return "CORRECTION";
    return kind == LIANBAN__V1__PART__KIND__WITHDRAWAL ? "WITHDRAWAL" : "SUPPLEMENT";
}

/* Those that were made when so many words had come. */
static lb_status add_sent(struct standing *standing, const struct lb_parcel_row *submission,
                          uint32_t after_word)
{
    for (size_t i = 0; i < standing->num_rows; i++) {
        const struct lb_parcel_row *row = &standing->rows[i];
        Lianban__V1__SealedParcel *content = NULL;
        if (row->kept->after_word != after_word ||
            memcmp(row->about, submission->name, sizeof(row->about)) != 0 ||
            memcmp(row->name, submission->name, sizeof(row->name)) == 0)
            continue;
        LB_TRY(lb_parcel_part(row, standing->arena, &content));
        Lianban__V1__PartSent *sent = lb_arena_alloc(standing->arena, sizeof(*sent));
        LB_ENSURE(sent != NULL, LB_NO_MEMORY, "arena is full");
        lianban__v1__part_sent__init(sent);
        sent->kind = text(sent_kind(content->part->kind));
        sent->name = lb_pb_bytes(lb_span_of(row->name, sizeof(row->name)));
        sent->state = row->kept->state;
        sent->code = row->kept->code;
        sent->made_unix_s = content->made_unix_s;
        standing->part->sent[standing->part->n_sent++] = sent;
        if (content->part->kind == LIANBAN__V1__PART__KIND__SUPPLEMENT)
            lb_status_ignore(
                lb_part_next(standing->state, LB_PART_IS_SUPPLEMENTED, &standing->state));
    }
    return LB_OK;
}

static lb_status add_course(struct standing *standing, const struct lb_parcel_row *row)
{
    struct lb_word_row *words = NULL;
    size_t num = 0;
    LB_TRY(lb_words_about(standing->window->store, row->name, standing->arena, &words, &num));
    standing->part->words = lb_arena_array(standing->arena, num, sizeof(void *));
    standing->part->sent = lb_arena_array(standing->arena, standing->num_rows, sizeof(void *));
    LB_ENSURE(standing->part->words != NULL && standing->part->sent != NULL, LB_NO_MEMORY,
              "arena is full");
    for (size_t i = 0; i < num; i++) {
        LB_TRY(add_sent(standing, row, (uint32_t)i));
        LB_TRY(add_word(standing, &words[i]));
    }
    return add_sent(standing, row, (uint32_t)num);
}

/* --- when --- */

static lb_status add_due(struct standing *standing, const struct lb_form_part *part)
{
    const struct lb_window_options *options = &standing->window->options;
    Lianban__V1__CasePart *out = standing->part;
    struct lb_deadline deadline;
    struct lb_date date;
    char day[LB_DATE_TEXT_BYTES];
    if (options->calendar == NULL)
        return LB_OK;
    LB_TRY(lb_parts_deadline(standing->window, part, out->submitted_unix_s, &deadline));
    LB_ENSURE(lb_date_of_day(deadline.day, &date), LB_STORE_FAILED, "a part of no date");
    lb_date_format(&date, day);
    out->due = lb_arena_str(standing->arena, lb_span_str(day));
    LB_ENSURE(out->due != NULL, LB_NO_MEMORY, "arena is full");
    out->due_provisional = deadline.provisional;
    int64_t today = lb_work_calendar_today(options->calendar, lb_clock_unix_s(options->clock));
    enum lb_due due = lb_workdays_due(&deadline, today);
    if (lb_part_is_due(standing->state) && due != LB_DUE_LATER)
        out->overdue = text(due == LB_DUE_OVERDUE ? "OVERDUE" : "UNKNOWN");
    return LB_OK;
}

/* --- the whole --- */

static void write_form(struct standing *standing, const struct lb_form_part *part)
{
    Lianban__V1__CasePart *out = standing->part;
    out->part = text(part->name);
    out->department = text(part->department);
    out->title_zh = text(part->title.zh);
    out->title_en = text(part->title.en);
    out->escalate_zh = text(part->escalate.zh);
    out->escalate_en = text(part->escalate.en);
    out->emergency = part->emergency;
}

static void write_way(struct standing *standing, const struct lb_parcel_row *row)
{
    Lianban__V1__CasePart *out = standing->part;
    out->state = text(lb_part_state_name(standing->state));
    if (lb_part_has_left(standing->state))
        return;
    out->since_unix_s = row->kept->since_unix_s;
    out->code = row->kept->code;
    out->next_try_unix_s = standing->state == LB_PART_DEAD ? 0 : row->kept->next_try_unix_s;
}

static lb_status show_one(struct standing *standing, const struct lb_parcel_row *row,
                          const Lianban__V1__SealedParcel *content, size_t index)
{
    const struct lb_form_part *part = &standing->form->parts[index];
    Lianban__V1__CasePart *out = lb_arena_alloc(standing->arena, sizeof(*out));
    LB_ENSURE(out != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__case_part__init(out);
    standing->part = out;
    standing->state = lb_part_state_by_name(row->kept->state);
    out->name = lb_pb_bytes(lb_span_of(row->name, sizeof(row->name)));
    out->submitted_unix_s = content->made_unix_s;
    write_form(standing, part);
    LB_TRY(add_course(standing, row));
    write_way(standing, row);
    return add_due(standing, part);
}

/* The submissions of one of the form's parts, the oldest first. */
static lb_status show_part(struct standing *standing, size_t index, const uint8_t *only,
                           Lianban__V1__CasePart **parts, size_t *num)
{
    for (size_t i = 0; i < standing->num_rows; i++) {
        const struct lb_parcel_row *row = &standing->rows[i];
        Lianban__V1__SealedParcel *content = NULL;
        if (memcmp(row->name, row->about, sizeof(row->name)) != 0 ||
            (only != NULL && memcmp(row->name, only, sizeof(row->name)) != 0))
            continue;
        LB_TRY(lb_parcel_part(row, standing->arena, &content));
        if (lb_form_part_index(standing->form, content->part->part) != index)
            continue;
        LB_TRY(show_one(standing, row, content, index));
        parts[(*num)++] = standing->part;
    }
    return LB_OK;
}

lb_status lb_parts_show(const struct lb_window_case *entry, const uint8_t *only,
                        struct lb_arena *arena, Lianban__V1__CasePart ***out_parts,
                        size_t *out_num)
{
    struct lb_parcel_row *rows = NULL;
    struct standing standing = {
        .window = entry->window, .form = entry->form->form, .arena = arena};
    size_t num = 0;
    LB_TRY(lb_parcels_of_case(entry->window->store, entry->id, arena, &rows, &standing.num_rows));
    standing.rows = rows;
    Lianban__V1__CasePart **parts = lb_arena_array(arena, standing.num_rows, sizeof(*parts));
    LB_ENSURE(parts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < standing.form->num_parts; i++)
        LB_TRY(show_part(&standing, i, only, parts, &num));
    *out_parts = parts;
    *out_num = num;
    return LB_OK;
}

/* --- events --- */

static lb_status push(struct lb_window_case *entry, Lianban__V1__CasePart *part,
                      struct lb_arena *arena)
{
    Lianban__V1__CaseEvent event = LIANBAN__V1__CASE_EVENT__INIT;
    struct lb_span bytes;
    event.body_case = LIANBAN__V1__CASE_EVENT__BODY_PART;
    event.part = part;
    LB_TRY(lb_pb_pack(&event, arena, &bytes));
    return lb_feed_push(entry->feed, bytes);
}

static lb_status push_parts(struct lb_window *window, const char *case_id, const uint8_t *only)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(EVENT_ARENA_BYTES);
    LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
    Lianban__V1__CasePart **parts = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_window_hold(window, case_id, &entry));
    LB_TRY(lb_parts_show(entry, only, arena, &parts, &num));
    for (size_t i = 0; i < num; i++)
        LB_TRY(push(entry, parts[i], arena));
    return LB_OK;
}

void lb_parts_push(struct lb_window *window, const struct lb_parcel_row *row)
{
    lb_status status = push_parts(window, row->case_id, row->about);
    if (lb_status_code(status) != LB_CASE_UNKNOWN) /* closed meanwhile */
        lb_log_failure("part_not_told", status);
}

lb_status lb_parts_replay(struct lb_window *window)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(EVENT_ARENA_BYTES);
    const char **ids = NULL;
    size_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_parcels_cases(window->store, arena, &ids, &num));
    for (size_t i = 0; i < num; i++)
        LB_TRY(push_parts(window, ids[i], NULL));
    return LB_OK;
}
