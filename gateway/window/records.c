#include "gateway/window/records.h"

#include <inttypes.h>
#include <stdlib.h>

#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/note/record.h"
#include "gateway/window/inside.h"

#define RECORD_ARENA_BYTES (1024U * 1024)
#define MAX_RECORD_BYTES (64U * 1024)

static const char *const kind_names[LB_NUM_RECORD_KINDS] = {
    [LB_RECORD_SUGGESTED] = "SUGGESTED", [LB_RECORD_FACT] = "FACT",
    [LB_RECORD_HEARD] = "HEARD",         [LB_RECORD_DECIDED] = "DECIDED",
    [LB_RECORD_CORRECTION] = "CORRECTION", [LB_RECORD_ANSWER] = "ANSWER",
};

/* The same in the evidence log. */
static const char *const log_codes[LB_NUM_RECORD_KINDS] = {
    [LB_RECORD_SUGGESTED] = "CASE_SUGGESTED", [LB_RECORD_FACT] = "CASE_FACT",
    [LB_RECORD_HEARD] = "CASE_HEARD",         [LB_RECORD_DECIDED] = "CASE_DECIDED",
    [LB_RECORD_CORRECTION] = "CASE_CORRECTION", [LB_RECORD_ANSWER] = "CASE_ANSWER",
};

const char *lb_record_kind_name(enum lb_record_kind kind)
{
    return kind_names[kind];
}

void lb_records_free(struct lb_case_records *records)
{
    for (size_t i = 0; i < records->num; i++)
        lb_case_text_drop(&records->list[i].note);
    free(records->list);
    lb_case_text_drop(&records->pending);
    *records = (struct lb_case_records){0};
}

/* --- reading --- */

const struct lb_case_record *lb_records_at(const struct lb_case_records *records, size_t number)
{
    return &records->list[number - 1];
}

bool lb_record_is(const struct lb_case_record *record, const char *key, const char *value)
{
    struct lb_span found;
    return lb_record_get(record->lines, key, &found) == LB_OK && lb_span_is(found, value);
}

static bool number_of(struct lb_span text, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > max / 10)
            return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *out = value;
    return text.len > 0 && value <= max;
}

size_t lb_record_number(const struct lb_case_record *record, const char *key)
{
    struct lb_span found;
    uint64_t value = 0;
    if (lb_record_get(record->lines, key, &found) != LB_OK ||
        !number_of(found, LB_CASE_MAX_RECORDS, &value))
        return 0;
    return (size_t)value;
}

size_t lb_records_newest(const struct lb_case_records *records, enum lb_record_kind kind)
{
    size_t number = records->num;
    while (number > 0 && lb_records_at(records, number)->kind != kind)
        number--;
    return number;
}

size_t lb_records_newest_fact(const struct lb_case_records *records, enum lb_record_kind kind,
                              size_t member, const char *fact)
{
    for (size_t number = records->num; number > 0; number--) {
        const struct lb_case_record *record = lb_records_at(records, number);
        if (record->kind == kind && lb_record_is(record, "fact", fact) &&
            lb_record_number(record, "member") == member)
            return number;
    }
    return 0;
}

/* --- taking a note in --- */

static lb_status find_kind(struct lb_span name, enum lb_record_kind *out)
{
    for (size_t i = 0; i < LB_NUM_RECORD_KINDS; i++) {
        if (lb_span_is(name, kind_names[i])) {
            *out = (enum lb_record_kind)i;
            return LB_OK;
        }
    }
    LB_FAIL(LB_MALFORMED, "no such kind of record");
}

static lb_status take_apart(struct lb_case_record *record)
{
    struct lb_span kind, time;
    uint64_t seconds = 0;
    LB_TRY(lb_record_lines(lb_span_str(record->note), &record->lines));
    LB_TRY(lb_record_get(record->lines, "record", &kind));
    LB_TRY(find_kind(kind, &record->kind));
    LB_TRY(lb_record_get(record->lines, "time", &time));
    LB_ENSURE(number_of(time, INT64_MAX, &seconds), LB_MALFORMED, "a record without its time");
    record->at_unix_s = (int64_t)seconds;
    const uint8_t *body = time.ptr + time.len + 1;
    record->body = lb_span_of(body, (size_t)(record->lines.ptr + record->lines.len - body));
    return LB_OK;
}

lb_status lb_records_take(struct lb_case_records *records, struct lb_span note,
                          uint64_t log_entry)
{
    LB_ENSURE(records->num < LB_CASE_MAX_RECORDS, LB_TOO_LARGE, "too many records");
    struct lb_case_record *grown =
        realloc(records->list, (records->num + 1) * sizeof(records->list[0]));
    LB_ENSURE(grown != NULL, LB_NO_MEMORY, "records");
    records->list = grown;
    struct lb_case_record *record = &grown[records->num];
    *record = (struct lb_case_record){.log_entry = log_entry};
    LB_TRY(lb_case_text(&record->note, note));
    lb_status status = take_apart(record);
    if (status == LB_OK)
        records->num++;
    else
        lb_case_text_drop(&record->note);
    return status;
}

/* --- entering --- */

/* The hash of a record's text, which is what the next one and the log name. */
static void hash_of(struct lb_span lines, char out[65])
{
    uint8_t digest[LB_SHA256_BYTES];
    const struct lb_span parts[] = {lb_span_str(LB_RECORD_HEADER), lines};
    lb_sha256_parts(parts, 2, digest);
    lb_hex_encode(lb_span_of(digest, sizeof(digest)), out);
}

/* The log's detail names the record and says nothing of what is in it. */
static lb_status enter(const struct lb_window_case *entry, struct lb_case_record *record)
{
    const struct lb_window_witness *witness = &entry->window->options.witness;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(RECORD_ARENA_BYTES);
    LB_DEFER(lb_json_freep) struct lb_json *detail = lb_json_object();
    struct lb_span text;
    char hash[65];
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    hash_of(record->lines, hash);
    lb_json_set_cstr(detail, "case", entry->id);
    lb_json_set_cstr(detail, "record", kind_names[record->kind]);
    lb_json_set_int(detail, "number", (int64_t)entry->records.num + 1);
    lb_json_set_cstr(detail, "sha256", hash);
    LB_TRY(lb_json_dump(detail, LB_JSON_COMPACT, arena, &text));
    return witness->record(witness->ctx, log_codes[record->kind], text, &record->log_entry);
}

/* What is pending becomes an entry of the log, and then a record of the case. */
static lb_status enter_pending(struct lb_window_case *entry, bool *out_entered)
{
    struct lb_case_records *records = &entry->records;
    struct lb_case_record record = {.note = records->pending};
    LB_TRY(take_apart(&record));
    LB_TRY(enter(entry, &record));
    *out_entered = true;
    LB_TRY(lb_records_take(records, lb_span_str(records->pending), record.log_entry));
    lb_case_text_drop(&records->pending);
    lb_case_behind(entry);
    return LB_OK;
}

lb_status lb_records_settle(struct lb_window_case *entry, bool *out_any)
{
    bool any = entry->records.pending != NULL, entered = false;
    if (any)
        LB_TRY(enter_pending(entry, &entered));
    if (out_any != NULL)
        *out_any = any;
    return LB_OK;
}

static lb_status write_text(const struct lb_window_case *entry, enum lb_record_kind kind,
                            size_t follows, struct lb_span body, struct lb_buf *out)
{
    const struct lb_window_options *options = &entry->window->options;
    const struct lb_case_records *records = &entry->records;
    char previous[65];
    memset(previous, '0', sizeof(previous) - 1);
    previous[sizeof(previous) - 1] = 0;
    if (records->num > 0)
        hash_of(lb_records_at(records, records->num)->lines, previous);
    lb_buf_put_str(out, LB_RECORD_HEADER);
    lb_buf_printf(out, "record %s\nagent %s\ncase %s\nnumber %zu\nprevious %s\nfollows %zu\n",
                  kind_names[kind], options->self, entry->id, records->num + 1, previous, follows);
    lb_buf_printf(out, "time %" PRId64 "\n", lb_clock_unix_s(options->clock));
    lb_buf_put(out, body);
    return lb_buf_check(out);
}

lb_status lb_records_append(struct lb_window_case *entry, enum lb_record_kind kind,
                            size_t follows, struct lb_span body)
{
    const struct lb_window *window = entry->window;
    struct lb_case_records *records = &entry->records;
    struct lb_buf text LB_DEFER(lb_buf_cleanup);
    struct lb_span note;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(RECORD_ARENA_BYTES);
    lb_buf_init(&text, MAX_RECORD_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_records_settle(entry, NULL));
    LB_ENSURE(records->num < LB_CASE_MAX_RECORDS, LB_TOO_LARGE, "too many records");
    LB_TRY(write_text(entry, kind, follows, body, &text));
    LB_TRY(window->options.witness.sign(window->options.witness.ctx, lb_buf_span(&text), arena,
                                        &note));
    LB_TRY(lb_case_text(&records->pending, note));
    bool entered = false;
    lb_status status = lb_case_store_put(window->store, entry);
    if (status == LB_OK)
        status = enter_pending(entry, &entered);
    if (status == LB_OK || entered)
        return status;
    /* Nobody saw it. A crash before it is forgotten on disk would enter it, which is no harm. */
    lb_case_text_drop(&records->pending);
    lb_status_ignore(lb_case_store_put(window->store, entry));
    return status;
}
