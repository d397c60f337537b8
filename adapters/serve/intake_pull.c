#include "adapters/serve/intake_pull.h"

#include <stdio.h>
#include <string.h>

#include "adapters/serve/intake_json.h"
#include "adapters/serve/intake_state.h"
#include "gateway/base/wipe.h"
#include "gateway/wire/pb.h"
#include "policy/engine/idno.h"

/* What the department's clerks take out. */

#define MAX_WORDS 64
#define UNREADABLE_S 3600 /* until what can't be read is tried again */

struct pulling {
    struct lb_intake *intake;
    const char *by;
    struct lb_arena *arena;
    struct lb_intake_row row;
    lb_status (*change)(struct pulling *pulling, struct lb_store *store);  /* NULL for none */
    uint64_t index;
    const char *why;      /* a failed try's */
    int64_t wait_s;
};

/* --- reading --- */

static lb_status open_row(struct lb_intake *intake, const struct lb_intake_row *row,
                          struct lb_arena *arena, Lianban__V1__SealedParcel **out)
{
    struct lb_span plain = LB_SPAN_EMPTY;
    LB_ENSURE(row->closed.len > 0, LB_PARCEL_UNKNOWN, "its content was emptied");
    LB_TRY(lb_intake_key_open(&intake->key, "part", row->name, row->closed, arena, &plain));
    LB_TRY(lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, plain, arena, out));
    LB_ENSURE((*out)->body_case == LIANBAN__V1__SEALED_PARCEL__BODY_PART, LB_INTERNAL,
              "what was stored is no part");
    return LB_OK;
}

static lb_status get_row(struct lb_intake *intake, int64_t n, struct lb_arena *arena,
                         struct lb_intake_row *out)
{
    bool found = false;
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_rows_get(&intake->read_rows, store, n, arena, out, &found);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    LB_ENSURE(found, LB_PARCEL_UNKNOWN, "no part of this number");
    return LB_OK;
}

static lb_status add_words(struct lb_intake *intake, int64_t n, struct lb_arena *arena,
                           struct lb_json *json)
{
    struct lb_intake_word *words = NULL;
    size_t num = 0;
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_words_about(&intake->read_words, store, n, 0, MAX_WORDS, arena,
                                             &words, &num);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < num; i++) {
        Lianban__V1__SealedParcel *parcel = NULL;
        struct lb_span plain = LB_SPAN_EMPTY;
        bool whole = words[i].closed.len > 0 &&
                     lb_intake_key_open(&intake->key, "word", words[i].name, words[i].closed, arena,
                                        &plain) == LB_OK &&
                     lb_pb_unpack(&lianban__v1__sealed_parcel__descriptor, plain, arena,
                                  &parcel) == LB_OK;
        lb_json_append(list, lb_intake_json_word(&words[i], whole ? parcel->word : NULL));
    }
    lb_json_set(json, "words", list);
    return LB_OK;
}

static lb_status render(struct pulling *pulling, const Lianban__V1__SealedParcel *parcel,
                        struct lb_intake_item *out)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_intake_json(&pulling->row, parcel);
    LB_TRY(add_words(pulling->intake, pulling->row.n, pulling->arena, json));
    LB_TRY(lb_json_dump(json, LB_JSON_PRETTY, pulling->arena, &out->json));
    out->n = pulling->row.n;
    out->index = pulling->index;
    return LB_OK;
}

/* --- the entry --- */

static lb_status run_change(struct lb_log_entry *entry, struct lb_store *store)
{
    struct pulling *pulling = entry->owner;
    return pulling->change == NULL ? LB_OK : pulling->change(pulling, store);
}

static void name_subject(const struct pulling *pulling, const Lianban__V1__SealedParcel *parcel,
                         struct lb_log_entry *entry)
{
    struct lb_epoch_names names = {.num = 0};
    char id_no[19];
    if (lb_idno_normalise(lb_span_str(parcel->part->people[0]->id_no), id_no) != LB_OK)
        return;
    lb_serve_epochs_names(pulling->intake->serve->epochs, lb_span_str(id_no), &names);
    lb_wipe(id_no, sizeof(id_no));
    entry->has_subject = names.num > 0;
    memcpy(entry->subject, names.names[0], sizeof(entry->subject));
}

/* With a parcel the entry is about whom it is about. */
static lb_status record(struct pulling *pulling, const char *code,
                        const Lianban__V1__SealedParcel *parcel)
{
    struct lb_log_entry *entry = lb_arena_alloc(pulling->arena, sizeof(*entry));
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    LB_ENSURE(entry != NULL, LB_NO_MEMORY, "arena is full");
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_PARCEL, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", code);
    memcpy(entry->leaf.txn, pulling->row.name, sizeof(entry->leaf.txn));
    entry->guard = run_change;
    entry->owner = pulling;
    if (parcel != NULL)
        name_subject(pulling, parcel, entry);
    lb_json_set_cstr(detail, "by", pulling->by);
    lb_json_set_int(detail, "number", pulling->row.n);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, pulling->arena, &entry->detail));
    LB_TRY(lb_log_append_wait(pulling->intake->serve->options.log, entry));
    LB_TRY(entry->refused);
    pulling->index = entry->index;
    return LB_OK;
}

/* --- next --- */

static lb_status lease(struct pulling *pulling, struct lb_store *store)
{
    int64_t until = lb_clock_unix_s(pulling->intake->serve->options.clock) +
                    pulling->intake->serve->options.policy->intake->lease_s;
    return lb_intake_rows_lease(&pulling->intake->rows, store, pulling->row.n, until);
}

static lb_status find_next(struct pulling *pulling, bool *out_found)
{
    struct lb_intake *intake = pulling->intake;
    const struct lb_intake_program *program = &intake->serve->options.policy->intake->program;
    int64_t at_least = program->path == NULL ? 0 : program->tries;
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_rows_next(
        &intake->read_rows, store, lb_clock_unix_s(intake->serve->options.clock), at_least,
        pulling->arena, &pulling->row, out_found);
    lb_intake_reader_done(intake);
    return status;
}

/* Under a lock, so that what was found is still nobody's when its entry is made. */
static lb_status pull(struct pulling *pulling, Lianban__V1__SealedParcel **out, bool *out_found)
{
    LB_TRY(find_next(pulling, out_found));
    if (!*out_found)
        return LB_OK;
    lb_status status = open_row(pulling->intake, &pulling->row, pulling->arena, out);
    if (status == LB_OK)
        return record(pulling, "PULLED", *out);
    /* One that can't be read any more must not keep back those behind it. */
    LB_TRY(record(pulling, "TRIED", NULL));
    return status;
}

lb_status lb_intake_next(struct lb_intake *intake, const char *by, struct lb_arena *arena,
                         struct lb_intake_item *out, bool *out_found)
{
    struct pulling pulling = {.intake = intake, .by = by, .arena = arena, .change = lease};
    Lianban__V1__SealedParcel *parcel = NULL;
    bool found = false;
    LB_ENSURE(intake->serve->options.policy->intake != NULL, LB_ROLE_NOT_ALLOWED, "no intake");
    (void)pthread_mutex_lock(&intake->pull_lock);
    lb_status status = pull(&pulling, &parcel, &found);
    (void)pthread_mutex_unlock(&intake->pull_lock);
    LB_TRY(status);
    if (found)
        LB_TRY(render(&pulling, parcel, out));
    *out_found = found;
    return LB_OK;
}

/* --- one part --- */

lb_status lb_intake_show(struct lb_intake *intake, const char *by, int64_t n,
                         struct lb_arena *arena, struct lb_intake_item *out)
{
    struct pulling pulling = {.intake = intake, .by = by, .arena = arena};
    Lianban__V1__SealedParcel *parcel = NULL;
    LB_TRY(get_row(intake, n, arena, &pulling.row));
    LB_TRY(open_row(intake, &pulling.row, arena, &parcel));
    LB_TRY(record(&pulling, "SHOWN", parcel));
    return render(&pulling, parcel, out);
}

static lb_status ack(struct pulling *pulling, struct lb_store *store)
{
    return lb_intake_rows_ack(&pulling->intake->rows, store, pulling->row.n,
                              lb_clock_unix_s(pulling->intake->serve->options.clock));
}

lb_status lb_intake_ack(struct lb_intake *intake, const char *by, int64_t n, uint64_t *out_index)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct pulling pulling = {.intake = intake, .by = by, .arena = arena, .change = ack};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(get_row(intake, n, arena, &pulling.row));
    LB_TRY(record(&pulling, "ACKED", NULL));
    *out_index = pulling.index;
    return LB_OK;
}

/* --- the program --- */

/* Only the program's own thread gives parts to it, so nothing is leased. */
lb_status lb_intake_take_for_program(struct lb_intake *intake, struct lb_arena *arena,
                                     struct lb_intake_taken *out, bool *out_found)
{
    struct pulling pulling = {.intake = intake, .by = "program", .arena = arena};
    Lianban__V1__SealedParcel *parcel = NULL;
    bool found = false;
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_rows_next_try(
        &intake->read_rows, store, lb_clock_unix_s(intake->serve->options.clock),
        intake->serve->options.policy->intake->program.tries, arena, &pulling.row, &found);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    *out_found = false;
    if (!found)
        return LB_OK;
    status = open_row(intake, &pulling.row, arena, &parcel);
    if (status != LB_OK)
        return lb_intake_tried(intake, pulling.row.n, lb_code_name(status->code), UNREADABLE_S);
    *out_found = true;
    LB_TRY(record(&pulling, "PULLED", parcel));
    LB_TRY(render(&pulling, parcel, &out->item));
    memcpy(out->name, pulling.row.name, sizeof(out->name));
    out->kind = pulling.row.kind;
    out->state = pulling.row.state;
    out->about = pulling.row.about;
    out->tries = pulling.row.tries;
    return LB_OK;
}

static lb_status count_try(struct pulling *pulling, struct lb_store *store)
{
    int64_t now = lb_clock_unix_s(pulling->intake->serve->options.clock);
    return lb_intake_rows_tried(&pulling->intake->rows, store, pulling->row.n, pulling->why,
                                now + pulling->wait_s);
}

lb_status lb_intake_tried(struct lb_intake *intake, int64_t n, const char *why, int64_t wait_s)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    struct pulling pulling = {.intake = intake, .by = "program", .arena = arena, .why = why,
                              .wait_s = wait_s, .change = count_try};
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(get_row(intake, n, arena, &pulling.row));
    return record(&pulling, "TRIED", NULL);
}

/* --- the list --- */

static lb_status summarize(struct lb_intake *intake, const struct lb_intake_row *row,
                           struct lb_arena *arena, Lianban__V1__PartSummary **out)
{
    Lianban__V1__PartSummary *summary = lb_arena_alloc(arena, sizeof(*summary));
    LB_DEFER(lb_arena_freep) struct lb_arena *own = lb_arena_new(LB_CALL_ARENA_BYTES);
    Lianban__V1__SealedParcel *parcel = NULL;
    LB_ENSURE(summary != NULL && own != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__part_summary__init(summary);
    summary->number = row->n;
    summary->kind = (char *)(uintptr_t)lb_intake_kind_name(row->kind);
    summary->about = row->about;
    summary->state = (char *)(uintptr_t)lb_intake_state_name(row->state);
    summary->requester = lb_arena_str(arena, lb_span_str(row->sender));
    summary->came_unix_s = row->came_unix_s;
    summary->waiting = row->acked_unix_s == 0;
    summary->leased_unix_s = row->leased_unix_s;
    summary->words = (uint32_t)row->num_words;
    summary->tries = (uint32_t)row->tries;
    summary->failed = lb_arena_str(arena, lb_span_str(row->failed));
    if (open_row(intake, row, own, &parcel) == LB_OK) {
        summary->case_id = lb_arena_str(arena, lb_span_str(parcel->part->case_id));
        summary->form = lb_arena_str(arena, lb_span_str(parcel->part->form));
        summary->form_version = parcel->part->form_version;
        summary->part = lb_arena_str(arena, lb_span_str(parcel->part->part));
        summary->due = lb_arena_str(arena, lb_span_str(parcel->part->due));
        summary->emergency = parcel->part->emergency;
    }
    LB_ENSURE(summary->requester != NULL && summary->failed != NULL && summary->case_id != NULL &&
                  summary->form != NULL && summary->part != NULL && summary->due != NULL,
              LB_NO_MEMORY, "arena is full");
    *out = summary;
    return LB_OK;
}

lb_status lb_intake_list(struct lb_intake *intake, int64_t after, bool all, struct lb_arena *arena,
                         Lianban__V1__ListPartsResponse *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *own = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_intake_row *rows = NULL;
    size_t num = 0;
    LB_ENSURE(own != NULL, LB_NO_MEMORY, "arena");
    struct lb_store *store = lb_intake_reader(intake);
    lb_status status = lb_intake_rows_list(&intake->read_rows, store, after, !all,
                                           LB_INTAKE_LIST_MAX, own, &rows, &num);
    lb_intake_reader_done(intake);
    LB_TRY(status);
    out->parts = lb_arena_array(arena, num, sizeof(out->parts[0]));
    LB_ENSURE(out->parts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        LB_TRY(summarize(intake, &rows[i], arena, &out->parts[i]));
    out->n_parts = num;
    out->more = num == LB_INTAKE_LIST_MAX;
    return LB_OK;
}
