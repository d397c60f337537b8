#include "gateway/ctl/citizen_view.h"

#include "gateway/base/buf.h"
#include "gateway/ctl/concealed.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

#define MAX_FIELDS_BYTES (64U * 1024)

static const struct lb_ctl_column columns[] = {
    {"time", "time (UTC)", "时间（UTC）", LB_CTL_IN_TABLE, false},
    {"office", "office", "机关", LB_CTL_IN_TABLE, false},
    {"purpose", "purpose", "目的", LB_CTL_IN_TABLE, false},
    {"basis", "basis", "依据", LB_CTL_IN_TABLE, false},
    {"outcome", "outcome", "结果", LB_CTL_IN_TABLE, false},
    {"on_behalf_of", "agreed by", "代为同意", LB_CTL_IN_TABLE, false},
    {"fields", "fields", "字段", LB_CTL_UNDER_ROW, false},
};

static bool is_concealed(const struct lb_ctl_list *concealed, const char *purpose)
{
    for (size_t i = 0; i < concealed->num; i++) {
        if (strcmp(concealed->items[i], purpose) == 0)
            return true;
    }
    return false;
}

static const char *outcome(const struct lb_ctl_env *env, const struct lb_audit_row *row)
{
    if (row->type == LB_LEAF_REVIEW)
        return lb_ctl_pick(env, "安全员查阅日志", "the log was looked into");
    if (row->type == LB_LEAF_CONSENT)
        return row->code;
    if (row->decision == LB_AUDIT_DENY)
        return lb_ctl_pick(env, "已拒绝", "refused");
    return row->decision == LB_AUDIT_EMERGENCY ? lb_ctl_pick(env, "紧急提供", "given in an emergency")
                                               : lb_ctl_pick(env, "已提供", "given");
}

static lb_status field_names(struct lb_audit_scan *scan, struct lb_arena *arena,
                             const char **out_text)
{
    const struct lb_audit_field *fields = NULL;
    size_t num = 0;
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, MAX_FIELDS_BYTES);
    LB_TRY(lb_audit_scan_fields(scan, &fields, &num));
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(&text, "%s%s.%s (%s)", i == 0 ? "" : ", ", fields[i].view, fields[i].field,
                      fields[i].operator_text);
    LB_TRY(lb_buf_check(&text));
    *out_text = lb_arena_str(arena, lb_buf_span(&text));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* That somebody agreed once to be asked about for months. */
static const char *basis(const struct lb_ctl_officer *officer, const struct lb_audit_row *row)
{
    const char *word = lb_ctl_word(officer->env, row->basis);
    if (row->every_days == 0)
        return word;
    const char *text = lb_arena_printf(
        officer->arena, "%s%s%lld%s", word,
        lb_ctl_pick(officer->env, "（长期授权，每", " (standing, once in "),
        (long long)row->every_days, lb_ctl_pick(officer->env, "天一次）", " days)"));
    return text != NULL ? text : word;
}

static lb_status add_row(const struct lb_ctl_officer *officer, struct lb_audit_scan *scan,
                         const struct lb_audit_row *row, struct lb_ctl_sheet *sheet)
{
    const char *fields = "";
    char time[LB_CTL_TIME_BYTES];
    lb_ctl_time(row->time_ms, time);
    LB_TRY(field_names(scan, officer->arena, &fields));
    const char *const cells[] = {
        time,
        row->type == LB_LEAF_REVIEW
            ? lb_ctl_pick(officer->env, "本部门安全员", "this department's security officer")
            : row->organization,
        row->purpose, basis(officer, row), outcome(officer->env, row),
        row->on_behalf_of, fields,
    };
    lb_ctl_sheet_row(sheet, cells);
    return LB_OK;
}

static lb_status add_rows(struct lb_ctl_officer *officer, const struct lb_ctl_list *concealed,
                          struct lb_audit_scan *scan, struct lb_ctl_sheet *sheet,
                          size_t *out_concealed)
{
    const struct lb_audit_row *row = NULL;
    struct lb_ctl_concealments list;
    int64_t now_ms = lb_clock_unix_ms(officer->env->clock);
    LB_TRY(lb_ctl_concealments_load(officer->index, now_ms, officer->arena, &list));
    do {
        LB_TRY(lb_audit_scan_next(scan, &row));
        if (row != NULL &&
            (is_concealed(concealed, row->purpose) || lb_ctl_conceals(&list, row, now_ms)))
            (*out_concealed)++;
        else if (row != NULL)
            LB_TRY(add_row(officer, scan, row, sheet));
    } while (row != NULL && sheet->num_rows < (size_t)officer->limit);
    return LB_OK;
}

lb_status lb_ctl_citizen_print(struct lb_ctl_officer *officer, const struct lb_ctl_list *concealed)
{
    struct lb_ctl_sheet sheet;
    struct lb_audit_scan *scan = NULL;
    size_t num_concealed = 0;
    lb_ctl_sheet_init(&sheet, officer->env, officer->arena, columns,
                      sizeof(columns) / sizeof(columns[0]));
    LB_TRY(lb_audit_scan_open(officer->index, &officer->filter, &scan));
    lb_status status = add_rows(officer, concealed, scan, &sheet, &num_concealed);
    lb_audit_scan_close(scan);
    LB_TRY(status);
    if (num_concealed > 0)
        lb_ctl_note(officer->env, "%zu rows are concealed by law and not on the page"
                                  " 依法不予告知 %zu 条", num_concealed, num_concealed);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}
