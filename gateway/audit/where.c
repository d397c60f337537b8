#include "gateway/audit/where.h"

#define MAX_QUERY_BYTES 8192

void lb_audit_where_begin(struct lb_audit_where *where, const char *select)
{
    *where = (struct lb_audit_where){.num_params = 0};
    lb_buf_init(&where->text, MAX_QUERY_BYTES);
    lb_buf_put_str(&where->text, select);
}

/* --- parameters --- */

static int add(struct lb_audit_where *where, struct lb_audit_param param)
{
    if (where->num_params == LB_AUDIT_MAX_PARAMS) {
        where->text.failed = true;
        return 1;
    }
    where->params[where->num_params++] = param;
    return (int)where->num_params;
}

static int add_int(struct lb_audit_where *where, int64_t number)
{
    return add(where, (struct lb_audit_param){.type = LB_COL_INT, .number = number});
}

static int add_text(struct lb_audit_where *where, const char *text)
{
    return add(where, (struct lb_audit_param){.type = LB_COL_TEXT, .bytes = lb_span_str(text)});
}

static int add_blob(struct lb_audit_where *where, const uint8_t *bytes, size_t len)
{
    return add(where,
               (struct lb_audit_param){.type = LB_COL_BLOB, .bytes = lb_span_of(bytes, len)});
}

/* --- conditions --- */

static lb_status with_word(struct lb_audit_where *where, struct lb_audit_index *index,
                           const char *column, const char *text)
{
    int64_t id = 0;
    if (text == NULL)
        return LB_OK;
    LB_TRY(lb_audit_word_id(index, text, &id));
    lb_buf_printf(&where->text, " AND %s = ?%d", column, add_int(where, id));
    return LB_OK;
}

/* An inner code stands in the detail, and the leaf says ANSWERED. */
static lb_status with_code(struct lb_audit_where *where, struct lb_audit_index *index,
                           const char *code)
{
    enum lb_code known = LB_CODE_OK;
    bool inner = code != NULL && lb_code_by_name(code, strlen(code), &known) &&
                 (known == LB_CODE_OK || lb_code_scope(known) == LB_SCOPE_INNER);
    if (!inner) {
        where->by_time = where->by_time || code != NULL;
        return with_word(where, index, "a.code", code);
    }
    return with_word(where, index, "a.inner", code);
}

static lb_status with_names(struct lb_audit_where *where, struct lb_audit_index *index,
                            const struct lb_audit_filter *filter)
{
    static const char scheme[] = "spiffe://";
    bool spiffe = filter->requester != NULL &&
                  strncmp(filter->requester, scheme, sizeof(scheme) - 1) == 0;
    LB_TRY(with_code(where, index, filter->code));
    LB_TRY(with_word(where, index, spiffe ? "a.requester" : "a.org", filter->requester));
    LB_TRY(with_word(where, index, "a.unit", filter->unit));
    LB_TRY(with_word(where, index, "a.actor", filter->actor));
    LB_TRY(with_word(where, index, "a.purpose", filter->purpose));
    LB_TRY(with_word(where, index, "a.basis", filter->basis));
    where->by_time = where->by_time || filter->actor != NULL;
    return with_word(where, index, "a.form", filter->form);
}

/* The literals let the query use an index of only such rows. */
static void with_kinds(struct lb_audit_where *where, const struct lb_audit_filter *filter)
{
    if (filter->type != 0)
        lb_buf_printf(&where->text, " AND a.type = ?%d", add_int(where, (int64_t)filter->type));
    if (filter->type > LB_LEAF_FAILURE)
        lb_buf_put_str(&where->text, " AND a.type > 4");
    if (filter->decision != 0)
        lb_buf_printf(&where->text, " AND a.decision = ?%d",
                      add_int(where, (int64_t)filter->decision));
    if (filter->decision > LB_AUDIT_ALLOW)
        lb_buf_put_str(&where->text, " AND a.decision > 2");
    where->by_time = where->by_time || filter->type > LB_LEAF_FAILURE ||
                     filter->decision > LB_AUDIT_ALLOW;
}

/* One pseudonym is the usual case, and its rows come out of the index in the order of time. */
static void with_subjects(struct lb_audit_where *where, const struct lb_audit_filter *filter)
{
    size_t num = filter->num_subjects;
    if (num == 0)
        return;
    where->text.failed = where->text.failed || num > LB_AUDIT_MAX_SUBJECTS;
    lb_buf_printf(&where->text, " AND a.subject %s (SELECT id FROM subject WHERE pseudonym IN (",
                  num == 1 ? "=" : "IN");
    for (size_t i = 0; i < num && i < LB_AUDIT_MAX_SUBJECTS; i++)
        lb_buf_printf(&where->text, "%s?%d", i == 0 ? "" : ", ",
                      add_blob(where, filter->subjects + 32 * i, 32));
    lb_buf_put_str(&where->text, "))");
}

static void with_texts(struct lb_audit_where *where, const struct lb_audit_filter *filter)
{
    if (filter->case_no != NULL)
        lb_buf_printf(&where->text, " AND a.case_no = ?%d", add_text(where, filter->case_no));
    if (filter->grant != NULL)
        lb_buf_printf(&where->text, " AND a.grant_id = ?%d", add_text(where, filter->grant));
    if (filter->txn != NULL)
        lb_buf_printf(&where->text, " AND a.txn = ?%d", add_blob(where, filter->txn, 16));
    with_subjects(where, filter);
    if (filter->class_min != 0)
        lb_buf_printf(&where->text, " AND a.class_max >= ?%d", add_int(where, filter->class_min));
    where->by_time = where->by_time || filter->case_no != NULL || filter->txn != NULL ||
                     filter->num_subjects > 0;
}

static lb_status with_field(struct lb_audit_where *where, struct lb_audit_index *index,
                            const char *name)
{
    const char *dot = name == NULL ? NULL : strrchr(name, '.');
    char view[LB_MAX_NAME_BYTES + 1] = "";
    int64_t field_id = 0, view_id = 0;
    if (name == NULL)
        return LB_OK;
    LB_TRY(lb_audit_word_id(index, dot == NULL ? name : dot + 1, &field_id));
    lb_buf_printf(&where->text,
                  " AND a.field_set IN (SELECT field_set FROM set_field WHERE field = ?%d",
                  add_int(where, field_id));
    if (dot != NULL && (size_t)(dot - name) < sizeof(view)) {
        memcpy(view, name, (size_t)(dot - name));
        LB_TRY(lb_audit_word_id(index, view, &view_id));
        lb_buf_printf(&where->text, " AND view = ?%d", add_int(where, view_id));
    }
    lb_buf_put_str(&where->text, ")");
    return LB_OK;
}

static void with_view(struct lb_audit_where *where, const char *view)
{
    if (view == NULL)
        return;
    lb_buf_printf(&where->text,
                  " AND a.views IN (SELECT id FROM word"
                  " WHERE instr(',' || text || ',', ',' || ?%d || ',') > 0)",
                  add_text(where, view));
}

/* Times never fall with the number of an entry, so a time range is a range of numbers. The plus
 * signs keep the planner on a secondary index where there is one. */
static lb_status with_range(struct lb_audit_where *where, struct lb_audit_index *index,
                            const struct lb_audit_filter *filter)
{
    const char *idx = where->by_time ? "+a.idx" : "a.idx";
    uint64_t low = 0, high = INT64_MAX;
    if (filter->since_ms != 0)
        LB_TRY(lb_audit_first_at(index, filter->since_ms, &low));
    if (filter->until_ms != 0)
        LB_TRY(lb_audit_first_at(index, filter->until_ms, &high));
    if (filter->from_index != 0 && filter->newest_first && filter->from_index < high)
        high = filter->from_index + 1;
    if (!filter->newest_first && filter->from_index > low)
        low = filter->from_index;
    lb_buf_printf(&where->text, " AND %s >= ?%d AND %s < ?%d", idx, add_int(where, (int64_t)low),
                  idx, add_int(where, (int64_t)high));
    return LB_OK;
}

lb_status lb_audit_where_filter(struct lb_audit_where *where, struct lb_audit_index *index,
                                const struct lb_audit_filter *filter)
{
    lb_buf_put_str(&where->text, " WHERE 1");
    LB_TRY(with_names(where, index, filter));
    with_kinds(where, filter);
    with_texts(where, filter);
    with_view(where, filter->view);
    LB_TRY(with_field(where, index, filter->field));
    LB_TRY(with_range(where, index, filter));
    return lb_buf_check(&where->text);
}

/* --- the statement --- */

static lb_status bind(struct lb_stmt *stmt, int at, const struct lb_audit_param *param)
{
    switch (param->type) {
    case LB_COL_INT:
        return lb_stmt_bind_int(stmt, at, param->number);
    case LB_COL_TEXT:
        return lb_stmt_bind_text(stmt, at, param->bytes);
    default:
        return lb_stmt_bind_blob(stmt, at, param->bytes);
    }
}

lb_status lb_audit_where_prepare(struct lb_audit_where *where, struct lb_audit_index *index,
                                 struct lb_stmt **out_stmt)
{
    struct lb_stmt *stmt = NULL;
    lb_buf_put_u8(&where->text, 0);
    LB_TRY(lb_buf_check(&where->text));
    LB_TRY(lb_stmt_prepare(index->store, (const char *)where->text.ptr, &stmt));
    for (size_t i = 0; i < where->num_params; i++) {
        lb_status status = bind(stmt, (int)i + 1, &where->params[i]);
        if (status != LB_OK) {
            lb_stmt_free(stmt);
            return status;
        }
    }
    *out_stmt = stmt;
    return LB_OK;
}
