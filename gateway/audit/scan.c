#include <stdlib.h>

#include "gateway/audit/where.h"
#include "gateway/base/hex.h"

#define ROW_ARENA_BYTES (512U * 1024)

struct lb_audit_scan {
    struct lb_audit_index *index;
    struct lb_stmt *rows;
    struct lb_stmt *fields;
    struct lb_arena *arena;   /* of one row */
    struct lb_arena *texts;   /* of the filter */
    struct lb_audit_row row;
    int64_t field_set;
};

static const char select_rows[] =
    "SELECT a.idx, a.time_ms, a.type, a.decision, a.count, a.retry, a.txn, a.peer, a.detail,"
    " a.class_max, a.verified, a.field_set, a.subject, a.policy, a.code, a.views, a.inner,"
    " a.requester, a.org, a.actor, a.unit, a.purpose, a.basis, a.role, a.issuer, a.on_behalf_of,"
    " a.form, a.grant_id, a.case_no, a.note, a.every_days FROM access a";
#define FIRST_WORD 14
#define FIRST_TEXT 27

/* --- opening --- */

/* The statement borrows what is bound, and the filter is the caller's. */
static lb_status keep_params(struct lb_audit_where *where, struct lb_arena *arena)
{
    for (size_t i = 0; i < where->num_params; i++) {
        struct lb_audit_param *param = &where->params[i];
        if (param->type != LB_COL_INT)
            LB_TRY(lb_arena_copy(arena, param->bytes, &param->bytes));
    }
    return LB_OK;
}

static lb_status prepare(struct lb_audit_scan *scan, const struct lb_audit_filter *filter,
                         struct lb_audit_where *where)
{
    const char *order = filter->newest_first ? " DESC" : "";
    lb_audit_where_begin(where, select_rows);
    LB_TRY(lb_audit_where_filter(where, scan->index, filter));
    LB_TRY(keep_params(where, scan->texts));
    if (where->by_time)
        lb_buf_printf(&where->text, " ORDER BY a.time_ms%s, a.idx%s", order, order);
    else
        lb_buf_printf(&where->text, " ORDER BY a.idx%s", order);
    LB_TRY(lb_audit_where_prepare(where, scan->index, &scan->rows));
    return lb_stmt_prepare(scan->index->store,
                           "SELECT view, field, operator, state FROM set_field"
                           " WHERE field_set = ?1 ORDER BY seq", &scan->fields);
}

lb_status lb_audit_scan_open(struct lb_audit_index *index, const struct lb_audit_filter *filter,
                             struct lb_audit_scan **out_scan)
{
    struct lb_audit_where where = {.num_params = 0};
    struct lb_audit_scan *scan = calloc(1, sizeof(*scan));
    LB_ENSURE(scan != NULL, LB_NO_MEMORY, "scan");
    scan->index = index;
    scan->arena = lb_arena_new(ROW_ARENA_BYTES);
    scan->texts = lb_arena_new(ROW_ARENA_BYTES);
    lb_status status = scan->arena != NULL && scan->texts != NULL
                           ? prepare(scan, filter, &where)
                           : LB_FAULT(LB_NO_MEMORY, "scan");
    lb_buf_cleanup(&where.text);
    if (status != LB_OK) {
        lb_audit_scan_close(scan);
        return status;
    }
    *out_scan = scan;
    return LB_OK;
}

void lb_audit_scan_close(struct lb_audit_scan *scan)
{
    if (scan == NULL)
        return;
    lb_stmt_free(scan->rows);
    lb_stmt_free(scan->fields);
    lb_arena_free(scan->arena);
    lb_arena_free(scan->texts);
    free(scan);
}

/* --- rows --- */

static lb_status take_subject(struct lb_audit_scan *scan, int64_t id)
{
    struct lb_stmt *stmt = scan->index->get_subject;
    bool row = false;
    if (id == 0)
        return LB_OK;
    lb_status status = lb_stmt_bind_int(stmt, 1, id);
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &row);
    struct lb_span pseudonym = row ? lb_stmt_blob(stmt, 0) : LB_SPAN_EMPTY;
    scan->row.has_subject = pseudonym.len == sizeof(scan->row.subject);
    if (scan->row.has_subject)
        memcpy(scan->row.subject, pseudonym.ptr, pseudonym.len);
    lb_stmt_reset(stmt);
    return status;
}

static lb_status take_policy(struct lb_audit_scan *scan, int64_t id)
{
    const char *hex = "";
    LB_TRY(lb_audit_word_text(scan->index, id, scan->arena, &hex));
    if (hex[0] == 0)
        return LB_OK;
    return lb_hex_decode(lb_span_str(hex), scan->row.policy_hash, sizeof(scan->row.policy_hash));
}

static lb_status take_words(struct lb_audit_scan *scan)
{
    struct lb_audit_row *row = &scan->row;
    const char **const words[] = {
        &row->code,    &row->views,   &row->inner, &row->requester, &row->organization,
        &row->actor,   &row->unit,    &row->purpose, &row->basis,   &row->role,
        &row->issuer,  &row->on_behalf_of, &row->form,
    };
    const char **const texts[] = {&row->grant, &row->case_no, &row->note};
    for (int i = 0; i < (int)(sizeof(words) / sizeof(words[0])); i++)
        LB_TRY(lb_audit_word_text(scan->index, lb_stmt_int(scan->rows, FIRST_WORD + i),
                                  scan->arena, words[i]));
    for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++) {
        *texts[i] = lb_arena_str(scan->arena, lb_stmt_text(scan->rows, FIRST_TEXT + i));
        LB_ENSURE(*texts[i] != NULL, LB_NO_MEMORY, "arena is full");
    }
    return LB_OK;
}

static lb_status take_row(struct lb_audit_scan *scan)
{
    const struct lb_stmt *stmt = scan->rows;
    struct lb_span txn = lb_stmt_blob(stmt, 6);
    scan->row = (struct lb_audit_row){
        .index = (uint64_t)lb_stmt_int(stmt, 0),
        .time_ms = lb_stmt_int(stmt, 1),
        .type = (enum lb_leaf_type)lb_stmt_int(stmt, 2),
        .decision = (enum lb_audit_decision)lb_stmt_int(stmt, 3),
        .count = (uint32_t)lb_stmt_int(stmt, 4),
        .retry = lb_stmt_int(stmt, 5) != 0,
        .has_peer = lb_stmt_int(stmt, 7) != 0,
        .detail = (enum lb_audit_detail)lb_stmt_int(stmt, 8),
        .class_max = (int)lb_stmt_int(stmt, 9),
        .verified = lb_stmt_int(stmt, 10) != 0,
        .every_days = lb_stmt_int(stmt, 30),
    };
    scan->field_set = lb_stmt_int(stmt, 11);
    if (txn.len == sizeof(scan->row.txn))
        memcpy(scan->row.txn, txn.ptr, txn.len);
    LB_TRY(take_subject(scan, lb_stmt_int(stmt, 12)));
    LB_TRY(take_policy(scan, lb_stmt_int(stmt, 13)));
    return take_words(scan);
}

lb_status lb_audit_scan_next(struct lb_audit_scan *scan, const struct lb_audit_row **out_row)
{
    bool row = false;
    lb_arena_reset(scan->arena);
    LB_TRY(lb_stmt_step(scan->rows, &row));
    if (row)
        LB_TRY(take_row(scan));
    *out_row = row ? &scan->row : NULL;
    return LB_OK;
}

/* --- fields --- */

static lb_status take_field(struct lb_audit_scan *scan, struct lb_audit_field *out)
{
    const char **const words[] = {&out->view, &out->field, &out->operator_text, &out->state};
    for (int i = 0; i < 4; i++)
        LB_TRY(lb_audit_word_text(scan->index, lb_stmt_int(scan->fields, i), scan->arena,
                                  words[i]));
    return LB_OK;
}

static lb_status read_fields(struct lb_audit_scan *scan, struct lb_audit_field *fields,
                             size_t *out_num)
{
    size_t num = 0;
    bool row = false;
    LB_TRY(lb_stmt_bind_int(scan->fields, 1, scan->field_set));
    LB_TRY(lb_stmt_step(scan->fields, &row));
    while (row && num < LB_AUDIT_MAX_FIELDS) {
        LB_TRY(take_field(scan, &fields[num++]));
        LB_TRY(lb_stmt_step(scan->fields, &row));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_audit_scan_fields(struct lb_audit_scan *scan, const struct lb_audit_field **out_fields,
                               size_t *out_num)
{
    *out_fields = NULL;
    *out_num = 0;
    if (scan->field_set == 0)
        return LB_OK;
    struct lb_audit_field *fields =
        lb_arena_array(scan->arena, LB_AUDIT_MAX_FIELDS, sizeof(*fields));
    LB_ENSURE(fields != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = read_fields(scan, fields, out_num);
    lb_stmt_reset(scan->fields);
    LB_TRY(status);
    *out_fields = fields;
    return LB_OK;
}
