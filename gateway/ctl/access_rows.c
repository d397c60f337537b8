#include "gateway/ctl/access_rows.h"

#include "gateway/base/buf.h"
#include "gateway/base/hex.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

#define MAX_FIELDS_BYTES (64U * 1024)

static const char *const decisions[] = {
    [LB_AUDIT_EVENT] = "event",         [LB_AUDIT_ALLOW] = "allow",
    [LB_AUDIT_EMERGENCY] = "emergency", [LB_AUDIT_DENY] = "deny",
    [LB_AUDIT_ERROR] = "error",
};

const char *lb_ctl_decision_name(enum lb_audit_decision decision)
{
    bool known = decision >= LB_AUDIT_EVENT && decision <= LB_AUDIT_ERROR;
    return known ? decisions[decision] : "?";
}

bool lb_ctl_decision_parse(const char *name, enum lb_audit_decision *out)
{
    for (int i = LB_AUDIT_EVENT; i <= LB_AUDIT_ERROR; i++) {
        if (strcmp(name, decisions[i]) == 0) {
            *out = (enum lb_audit_decision)i;
            return true;
        }
    }
    return false;
}

static const struct lb_ctl_column columns[] = {
    {"index", "entry", "条目", LB_CTL_IN_TABLE, true},
    {"time", "time (UTC)", "时间（UTC）", LB_CTL_IN_TABLE, false},
    {"type", "type", "类别", LB_CTL_NOT_SHOWN, false},
    {"decision", "decision", "结论", LB_CTL_IN_TABLE, false},
    {"code", "code", "代码", LB_CTL_IN_TABLE, false},
    {"office", "office", "机关", LB_CTL_IN_TABLE, false},
    {"operator", "operator", "经办人", LB_CTL_IN_TABLE, false},
    {"purpose", "purpose", "目的", LB_CTL_IN_TABLE, false},
    {"basis", "basis", "依据", LB_CTL_IN_TABLE, false},
    {"case", "case", "办件", LB_CTL_IN_TABLE, false},
    {"on_behalf_of", "on behalf of", "代理", LB_CTL_IN_TABLE, false},
    {"class_max", "class", "级别", LB_CTL_IN_TABLE, true},
    {"verified", "checked", "已核验", LB_CTL_IN_TABLE, false},
    {"fields", "fields", "字段", LB_CTL_UNDER_ROW, false},
    {"remark", "note", "说明", LB_CTL_UNDER_ROW, false},
    {"event", "event", "事项", LB_CTL_UNDER_ROW, false},
    {"requester", "requester", "请求方", LB_CTL_NOT_SHOWN, false},
    {"unit", "unit", "单位", LB_CTL_NOT_SHOWN, false},
    {"role", "role", "身份", LB_CTL_NOT_SHOWN, false},
    {"issuer", "issuer", "签发方", LB_CTL_NOT_SHOWN, false},
    {"grant", "grant", "授权", LB_CTL_NOT_SHOWN, false},
    {"form", "form", "表单", LB_CTL_NOT_SHOWN, false},
    {"subject", "subject", "当事人", LB_CTL_NOT_SHOWN, false},
    {"views", "views", "视图", LB_CTL_NOT_SHOWN, false},
    {"txn", "txn", "请求", LB_CTL_NOT_SHOWN, false},
    {"count", "count", "次数", LB_CTL_NOT_SHOWN, true},
    {"retry", "retry", "重复", LB_CTL_NOT_SHOWN, false},
    {"other_side", "other side", "对方条目", LB_CTL_NOT_SHOWN, false},
    {"detail", "detail", "明细", LB_CTL_NOT_SHOWN, false},
    {"every_days", "standing, days", "长期授权间隔天数", LB_CTL_NOT_SHOWN, true},
};
#define NUM_COLUMNS (sizeof(columns) / sizeof(columns[0]))

void lb_ctl_access_sheet(const struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet)
{
    lb_ctl_sheet_init(sheet, officer->env, officer->arena, columns, NUM_COLUMNS);
}

/* --- a row --- */

/* "tax.income.monthly TOPCODE(500000) ok; ..." */
static lb_status fields_text(struct lb_audit_scan *scan, struct lb_arena *arena,
                             const char **out_text)
{
    const struct lb_audit_field *fields = NULL;
    size_t num = 0;
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, MAX_FIELDS_BYTES);
    LB_TRY(lb_audit_scan_fields(scan, &fields, &num));
    for (size_t i = 0; i < num; i++)
        lb_buf_printf(&text, "%s%s.%s %s%s%s", i == 0 ? "" : "; ", fields[i].view, fields[i].field,
                      fields[i].operator_text, fields[i].state[0] == 0 ? "" : " ",
                      fields[i].state);
    LB_TRY(lb_buf_check(&text));
    *out_text = lb_arena_str(arena, lb_buf_span(&text));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static const char *detail_word(enum lb_audit_detail detail)
{
    static const char *const names[] = {"none", "open", "erased", "broken"};
    return (unsigned)detail < sizeof(names) / sizeof(names[0]) ? names[detail] : "?";
}

/* What decided: the inner code where the leaf only says ANSWERED. */
static const char *shown_code(const struct lb_audit_row *row)
{
    bool inner = strcmp(row->code, "ANSWERED") == 0 && row->inner[0] != 0;
    return inner ? row->inner : row->code;
}

struct shown {
    char time[LB_CTL_TIME_BYTES];
    char index[24], count[24], class_max[16], every_days[24];
    char subject[65], txn[33];
};

static void write_numbers(const struct lb_audit_row *row, struct shown *out)
{
    static const uint8_t none[sizeof(row->txn)];
    *out = (struct shown){.subject = "", .txn = "", .class_max = "", .every_days = ""};
    lb_ctl_time(row->time_ms, out->time);
    (void)snprintf(out->index, sizeof(out->index), "%llu", (unsigned long long)row->index);
    (void)snprintf(out->count, sizeof(out->count), "%u", row->count);
    if (row->class_max > 0)
        (void)snprintf(out->class_max, sizeof(out->class_max), "%d", row->class_max);
    if (row->every_days > 0)
        (void)snprintf(out->every_days, sizeof(out->every_days), "%lld",
                       (long long)row->every_days);
    if (row->has_subject)
        lb_hex_encode(lb_span_of(row->subject, sizeof(row->subject)), out->subject);
    if (memcmp(row->txn, none, sizeof(none)) != 0)
        lb_hex_encode(lb_span_of(row->txn, sizeof(row->txn)), out->txn);
}

static const char *checked(const struct lb_ctl_env *env, const struct lb_audit_row *row)
{
    if (row->detail != LB_AUDIT_DETAIL_OPEN)
        return row->detail == LB_AUDIT_DETAIL_NONE ? "" : detail_word(row->detail);
    return row->verified ? lb_ctl_pick(env, "是", "yes") : lb_ctl_pick(env, "否", "NO");
}

lb_status lb_ctl_access_row(struct lb_ctl_sheet *sheet, struct lb_audit_scan *scan,
                            const struct lb_audit_row *row, const char *remark)
{
    const struct lb_ctl_env *env = sheet->env;
    const char *fields = "";
    struct shown shown;
    write_numbers(row, &shown);
    LB_TRY(fields_text(scan, sheet->arena, &fields));
    const char *const cells[NUM_COLUMNS] = {
        shown.index, shown.time, lb_leaf_type_name(row->type),
        lb_ctl_decision_name(row->decision), shown_code(row), row->organization, row->actor,
        row->purpose, lb_ctl_word(env, row->basis), row->case_no, row->on_behalf_of,
        shown.class_max, checked(env, row), fields, remark, row->note, row->requester, row->unit,
        row->role, row->issuer, row->grant, row->form, shown.subject, row->views, shown.txn,
        shown.count, row->retry ? "yes" : "no", row->has_peer ? "linked" : "",
        detail_word(row->detail), shown.every_days,
    };
    lb_ctl_sheet_row(sheet, cells);
    return LB_OK;
}

/* --- a list --- */

static lb_status add_rows(struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet,
                          struct lb_audit_scan *scan, const struct lb_ctl_remark *remark,
                          const struct lb_audit_row **out_left)
{
    const struct lb_audit_row *row = NULL;
    LB_TRY(lb_audit_scan_next(scan, &row));
    while (row != NULL && sheet->num_rows < (size_t)officer->limit) {
        const char *text = NULL;
        if (remark != NULL)
            LB_TRY(remark->of(remark->ctx, row, &text));
        LB_TRY(lb_ctl_access_row(sheet, scan, row, text));
        LB_TRY(lb_audit_scan_next(scan, &row));
    }
    *out_left = row;
    return LB_OK;
}

lb_status lb_ctl_access_list(struct lb_ctl_officer *officer, struct lb_ctl_sheet *sheet,
                             const struct lb_ctl_remark *remark, bool *out_more,
                             uint64_t *out_next)
{
    struct lb_audit_scan *scan = NULL;
    const struct lb_audit_row *left = NULL;
    LB_TRY(lb_audit_scan_open(officer->index, &officer->filter, &scan));
    lb_status status = add_rows(officer, sheet, scan, remark, &left);
    *out_more = status == LB_OK && left != NULL;
    *out_next = *out_more ? left->index : 0;
    lb_audit_scan_close(scan);
    return status;
}

lb_status lb_ctl_access_print(struct lb_ctl_officer *officer, const struct lb_ctl_remark *remark)
{
    struct lb_ctl_sheet sheet;
    bool more = false;
    uint64_t next = 0;
    lb_ctl_access_sheet(officer, &sheet);
    LB_TRY(lb_ctl_access_list(officer, &sheet, remark, &more, &next));
    lb_ctl_sheet_number(&sheet, "num_rows", "行数", "rows", (int64_t)sheet.num_rows);
    lb_ctl_officer_facts(officer, &sheet, more ? &next : NULL);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}
