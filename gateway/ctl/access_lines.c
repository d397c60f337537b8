#include "gateway/ctl/access_lines.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/hex.h"
#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/ctl/text.h"
#include "gateway/json/json.h"

/* Room that a line keeps for all but its fields. */
#define FRAME_BYTES 1024

static const char note_zh[] = "依法正在进行的调查等事项所涉查阅，可能依法不予列出。";
static const char note_en[] = "Accesses under a running inquiry may be left out by law.";

static bool is_given(const struct lb_audit_field *field)
{
    return field->state[0] == 0 || strcmp(field->state, "ok") == 0;
}

/* What the citizen reads as the outcome; the code says why something was refused. An answer in
 * which every field is missing gave nothing. */
static const char *outcome_of(const struct lb_audit_row *row, bool given)
{
    if (row->type == LB_LEAF_REVIEW)
        return "reviewed";
    if (row->type > LB_LEAF_DENY)
        return "event";
    switch (row->decision) {
    case LB_AUDIT_DENY:
        return "refused";
    case LB_AUDIT_EMERGENCY:
        return given ? "emergency" : "nothing";
    case LB_AUDIT_ERROR:
        return "failed";
    default:
        return given ? "given" : "nothing";
    }
}

static const char *code_of(const struct lb_audit_row *row)
{
    bool inner = strcmp(row->code, "ANSWERED") == 0 && row->inner[0] != 0;
    return inner ? row->inner : row->code;
}

/* Whoever reads logs is named by office alone, like everybody else. */
static void set_who(struct lb_json *line, const struct lb_audit_row *row)
{
    lb_json_set_cstr(line, "office", row->organization);
    if (row->type == LB_LEAF_REVIEW)
        lb_json_set_bool(line, "officer", true);
    if (row->unit[0] != 0)
        lb_json_set_cstr(line, "unit", row->unit);
    if (row->on_behalf_of[0] != 0)
        lb_json_set_cstr(line, "given_by", row->on_behalf_of);
}

static void set_oversight(struct lb_json *line, const struct lb_audit_row *row)
{
    static const uint8_t none[sizeof(row->txn)];
    char txn[2 * sizeof(row->txn) + 1];
    lb_json_set_int(line, "entry", (int64_t)row->index);
    if (row->actor[0] != 0)
        lb_json_set_cstr(line, "operator", row->actor);
    if (row->case_no[0] != 0)
        lb_json_set_cstr(line, "case", row->case_no);
    if (memcmp(row->txn, none, sizeof(none)) == 0)
        return;
    lb_hex_encode(lb_span_of(row->txn, sizeof(row->txn)), txn);
    lb_json_set_cstr(line, "txn", txn);
}

/* As many as a line holds, with what became of those that were not given; how many more there are
 * is said. */
static lb_status set_fields(struct lb_json *line, struct lb_audit_scan *scan,
                            struct lb_arena *arena, bool *out_given)
{
    const struct lb_audit_field *fields = NULL;
    size_t num = 0, taken = 0, bytes = 0;
    LB_TRY(lb_audit_scan_fields(scan, &fields, &num));
    struct lb_json *list = lb_json_array();
    *out_given = num == 0;
    for (size_t i = 0; i < num; i++)
        *out_given = *out_given || is_given(&fields[i]);
    for (; taken < num; taken++) {
        const struct lb_audit_field *field = &fields[taken];
        const char *text = lb_arena_printf(arena, "%s.%s %s%s%s", field->view, field->field,
                                           field->operator_text, is_given(field) ? "" : " ",
                                           is_given(field) ? "" : field->state);
        if (text == NULL)
            break;
        bytes += strlen(text) + 3;
        if (bytes > LB_MAX_LIST_LINE_BYTES - FRAME_BYTES)
            break;
        lb_json_append_str(list, lb_span_str(text));
    }
    lb_json_set(line, "fields", list);
    if (taken < num)
        lb_json_set_int(line, "more_fields", (int64_t)(num - taken));
    return LB_OK;
}

/* Names come from other organizations; one that disturbs a line would make the whole list
 * unreadable for the person it is about. */
static lb_status clean(struct lb_span text, struct lb_arena *arena, const char **out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf line;
    size_t offset = 0;
    int32_t point;
    lb_buf_init(&line, 8 * LB_MAX_LIST_LINE_BYTES);
    while ((point = lb_ctl_next(text, &offset)) >= 0) {
        uint8_t bytes[4];
        lb_buf_put(&line, lb_span_of(bytes, lb_utf8_put((uint32_t)point, bytes)));
    }
    LB_TRY(lb_buf_check(&line));
    *out = lb_arena_str(arena, lb_buf_span(&line));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status write_line(const struct lb_ctl_access_ask *ask, struct lb_audit_scan *scan,
                            const struct lb_audit_row *row, struct lb_arena *arena,
                            const char **out)
{
    LB_DEFER(lb_json_freep) struct lb_json *line = lb_json_object();
    struct lb_span text = LB_SPAN_EMPTY;
    char time[LB_CTL_TIME_BYTES];
    bool given = false;
    lb_ctl_time(row->time_ms, time);
    LB_TRY(set_fields(line, scan, arena, &given));
    lb_json_set_cstr(line, "time", time);
    set_who(line, row);
    lb_json_set_cstr(line, "purpose", row->purpose);
    lb_json_set_cstr(line, "basis", row->basis);
    if (row->every_days > 0)
        lb_json_set_int(line, "every_days", row->every_days);
    lb_json_set_cstr(line, "outcome", outcome_of(row, given));
    lb_json_set_cstr(line, "code", code_of(row));
    if (!ask->citizen)
        set_oversight(line, row);
    LB_TRY(lb_json_dump(line, LB_JSON_COMPACT, arena, &text));
    return clean(text, arena, out);
}

static lb_status write_head(const struct lb_ctl_access_ask *ask, size_t num, bool more,
                            struct lb_arena *arena, const char **out)
{
    LB_DEFER(lb_json_freep) struct lb_json *head = lb_json_object();
    struct lb_span text = LB_SPAN_EMPTY;
    lb_json_set_cstr(head, "log", ask->state->origin);
    lb_json_set_int(head, "size", (int64_t)ask->state->size);
    lb_json_set_int(head, "rows", (int64_t)num);
    lb_json_set_bool(head, "more", more);
    if (ask->citizen) {
        lb_json_set_cstr(head, "note_zh", note_zh);
        lb_json_set_cstr(head, "note_en", note_en);
    }
    LB_TRY(lb_json_dump(head, LB_JSON_COMPACT, arena, &text));
    return clean(text, arena, out);
}

/* What is concealed changes nothing but by its absence: not what counts as more, nor the room. */
static lb_status add_rows(const struct lb_ctl_access_ask *ask, struct lb_audit_scan *scan,
                          const struct lb_ctl_concealments *concealed, struct lb_arena *arena,
                          struct lb_ctl_access_lines *lines, bool *out_more)
{
    size_t bytes = LB_CTL_ACCESS_HEAD_BYTES + 1;
    const struct lb_audit_row *row = NULL;
    LB_TRY(lb_audit_scan_next(scan, &row));
    while (row != NULL && !*out_more) {
        const char *line = NULL;
        if (!ask->citizen || !lb_ctl_conceals(concealed, row, ask->now_ms))
            LB_TRY(write_line(ask, scan, row, arena, &line));
        size_t len = line == NULL ? 0 : strlen(line);
        bytes += len + 1;
        *out_more = line != NULL && (lines->num == ask->max_lines || bytes > ask->max_bytes ||
                                     len > LB_MAX_LIST_LINE_BYTES);
        if (line != NULL && !*out_more)
            lines->lines[lines->num++] = line;
        if (line == NULL)
            bytes--;
        LB_TRY(lb_audit_scan_next(scan, &row));
    }
    return LB_OK;
}

lb_status lb_ctl_access_lines_make(const struct lb_ctl_access_ask *ask, struct lb_arena *arena,
                                   struct lb_ctl_access_lines *out)
{
    const struct lb_audit_filter filter = {
        .newest_first = true, .subjects = ask->subjects, .num_subjects = ask->num_subjects};
    struct lb_ctl_concealments concealed = {0, NULL};
    struct lb_audit_scan *scan = NULL;
    bool more = false;
    LB_ENSURE(ask->num_subjects > 0 && ask->num_subjects <= LB_AUDIT_MAX_SUBJECTS, LB_MALFORMED,
              "a question about nobody");
    *out = (struct lb_ctl_access_lines){
        1, lb_arena_array(arena, ask->max_lines, sizeof(out->lines[0]))};
    LB_ENSURE(out->lines != NULL, LB_NO_MEMORY, "arena is full");
    if (ask->citizen)
        LB_TRY(lb_ctl_concealments_load(ask->index, ask->now_ms, arena, &concealed));
    LB_TRY(lb_audit_scan_open(ask->index, &filter, &scan));
    lb_status status = add_rows(ask, scan, &concealed, arena, out, &more);
    lb_audit_scan_close(scan);
    LB_TRY(status);
    return write_head(ask, out->num - 1, more, arena, &out->lines[0]);
}
