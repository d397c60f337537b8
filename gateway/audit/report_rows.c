#include <stdio.h>

#include "gateway/audit/report_inside.h"
#include "gateway/base/hex.h"

/* The review queue's part, and the annex: every access with its proof. */

static const char *const severities[LB_DETECT_SEVERITY_END] = {
    [LB_DETECT_LOW] = "低 low",
    [LB_DETECT_MEDIUM] = "中 medium",
    [LB_DETECT_HIGH] = "高 high",
    [LB_DETECT_CRITICAL] = "严重 critical",
};

static const char *const states[LB_REVIEW_STATE_END] = {
    [LB_REVIEW_OPEN] = "未指派 open",
    [LB_REVIEW_ASSIGNED] = "已指派 assigned",
    [LB_REVIEW_EXPLAINED] = "已说明 explained",
    [LB_REVIEW_CLOSED] = "已办结 closed",
};

static const char *const outcomes[LB_REVIEW_OUTCOME_END] = {
    [LB_REVIEW_LAWFUL] = "合规 lawful",
    [LB_REVIEW_MISTAKE] = "差错 mistake",
    [LB_REVIEW_MISUSE] = "违规 misuse",
};

/* --- reviews --- */

#define SHOWN_ENTRIES 20

static lb_status put_entries(struct report *report, int64_t id)
{
    struct lb_buf *out = report->out;
    struct lb_review_case one;
    lb_arena_reset(report->scratch);
    LB_TRY(lb_review_show(report->review, id, report->scratch, &one));
    for (size_t i = 0; i < one.num_entries && i < SHOWN_ENTRIES; i++)
        lb_buf_printf(out, "<a href=\"#e%llu\">%llu</a> ", (unsigned long long)one.entries[i],
                      (unsigned long long)one.entries[i]);
    if (one.alert.num_entries > SHOWN_ENTRIES)
        lb_buf_printf(out, "… (%lld)", (long long)one.alert.num_entries);
    return LB_OK;
}

static void put_pair(struct lb_buf *out, const char *zh, const char *en)
{
    lb_html_text(out, zh);
    lb_buf_put_str(out, "<br><small>");
    lb_html_text(out, en);
    lb_buf_put_str(out, "</small>");
}

static lb_status put_alert(struct report *report, const struct lb_review_alert *alert)
{
    const struct lb_report_options *options = report->options;
    struct lb_buf *out = report->out;
    lb_buf_printf(out, "<tr><td class=\"n\">%lld</td><td class=\"s%d\">%s</td><td>",
                  (long long)alert->id, (int)alert->severity, severities[alert->severity]);
    put_pair(out, alert->title_zh, alert->title_en);
    lb_buf_put_str(out, "</td><td>");
    put_pair(out, alert->why_zh, alert->why_en);
    lb_buf_put_str(out, "</td><td>");
    lb_html_text(out, alert->organization);
    lb_buf_put_str(out, " ");
    lb_html_text(out, alert->unit);
    lb_buf_put_str(out, "<br><span class=\"h\">");
    lb_html_text(out, alert->actor);
    lb_buf_put_str(out, "</span></td><td>");
    lb_html_time(out, alert->opened_ms, options->zone_ms);
    lb_buf_printf(out, "</td><td>%s", states[alert->state]);
    if (alert->state != LB_REVIEW_CLOSED && alert->due_ms < options->now_ms)
        lb_buf_put_str(out, "<br><b class=\"s3\">逾期 overdue</b>");
    lb_buf_put_str(out, "<br>");
    lb_html_text(out, alert->assignee);
    lb_buf_put_str(out, "</td><td>");
    lb_html_text(out, alert->explanation);
    if (alert->state == LB_REVIEW_CLOSED) {
        lb_buf_printf(out, "<br><b>%s</b>: ", outcomes[alert->outcome]);
        lb_html_text(out, alert->reason);
    }
    lb_buf_put_str(out, "</td><td>");
    LB_TRY(put_entries(report, alert->id));
    lb_buf_put_str(out, "</td></tr>\n");
    return LB_OK;
}

#define HOUR_MS INT64_C(3600000)

/* How long those that are settled took, from what they rest on to the close. */
static void put_time_taken(struct lb_buf *out, const struct lb_review_alert *alerts, size_t num)
{
    int64_t sum_ms = 0, settled = 0;
    for (size_t i = 0; i < num; i++) {
        if (alerts[i].state != LB_REVIEW_CLOSED)
            continue;
        sum_ms += alerts[i].changed_ms - alerts[i].opened_ms;
        settled++;
    }
    if (settled > 0)
        lb_buf_printf(out, "<p>平均办结用时 <small>mean time to review</small> %lld h</p>\n",
                      (long long)(sum_ms / settled / HOUR_MS));
}

static lb_status put_alerts(struct report *report, const struct lb_review_filter *filter,
                            bool closed, const char *zh, const char *en, size_t *out_count)
{
    struct lb_buf *out = report->out;
    struct lb_review_alert *alerts = NULL;
    size_t num = 0;
    uint64_t left = 0;
    LB_TRY(lb_review_list(report->review, filter, report->arena, &alerts, &num, &left));
    lb_buf_printf(out,
                  "<h2>%s <small>%s</small></h2>\n<table><thead><tr><th>#</th><th>程度"
                  " <small>severity</small></th><th>提示 <small>alert</small></th><th>缘由"
                  " <small>why</small></th><th>经办 <small>operator</small></th><th>时间"
                  " <small>time</small></th><th>状态 <small>state</small></th><th>说明与结论"
                  " <small>explanation, reason</small></th><th>条目 <small>entries</small></th>"
                  "</tr></thead><tbody>\n", zh, en);
    for (size_t i = 0; i < num; i++) {
        if ((alerts[i].state == LB_REVIEW_CLOSED) != closed)
            continue;
        LB_TRY(put_alert(report, &alerts[i]));
        *out_count += 1;
    }
    lb_buf_put_str(out, "</tbody></table>\n");
    put_time_taken(out, alerts, num);
    if (left > 0)
        lb_buf_printf(out, "<p>另有 %llu 项未列 <small>%llu more</small></p>\n",
                      (unsigned long long)left, (unsigned long long)left);
    return LB_OK;
}

/* Open ones whatever their month: what waits for long belongs before the superior's eyes. */
lb_status lb_report_reviews(struct report *report)
{
    const struct lb_review_filter open = {.until_ms = report->options->until_ms};
    const struct lb_review_filter month = {.closed_too = true,
                                           .since_ms = report->options->from_ms,
                                           .until_ms = report->options->until_ms};
    if (report->review == NULL) {
        lb_buf_put_str(report->out, "<h2>核查 <small>reviews</small></h2>\n<p>未提供核查队列"
                                    " <small>no review queue was given</small></p>\n");
        return LB_OK;
    }
    LB_TRY(put_alerts(report, &open, false, "待核查", "open reviews", &report->counts.num_open));
    return put_alerts(report, &month, true, "本月提示中已办结的", "settled, of this month's alerts",
                      &report->counts.num_closed);
}

/* --- the annex --- */

static const char *decision_of(const struct lb_audit_row *row)
{
    switch (row->decision) {
    case LB_AUDIT_ALLOW:
        return "allow";
    case LB_AUDIT_EMERGENCY:
        return "emergency";
    case LB_AUDIT_DENY:
        return "deny";
    default:
        return "other";
    }
}

static void put_attribute(struct lb_buf *out, const char *name, const char *value)
{
    lb_buf_printf(out, " data-%s=\"", name);
    lb_html_text(out, value);
    lb_buf_put_str(out, "\"");
}

static void put_cell(struct lb_buf *out, const char *text)
{
    lb_buf_put_str(out, "<td>");
    lb_html_text(out, text);
    lb_buf_put_str(out, "</td>");
}

static lb_status put_proof(struct report *report, uint64_t index)
{
    const struct lb_report_options *options = report->options;
    struct lb_buf *out = report->out;
    uint8_t hash[32];
    char hex[2 * sizeof(hash) + 1] = "";
    lb_status status = options->leaf_hash == NULL ? LB_FAULT(LB_ABSENT, "no hashes")
                                                  : options->leaf_hash(options->ctx, index, hash);
    if (lb_status_code(status) != LB_ABSENT)
        LB_TRY(status);
    if (status == LB_OK)
        lb_hex_encode(lb_span_of(hash, sizeof(hash)), hex);
    lb_buf_printf(out, "<td class=\"h\">%s<br><code>lianban log prove ",
                  status == LB_OK ? hex : "—");
    lb_html_text(out, options->log_folder);
    lb_buf_printf(out, " %llu</code></td></tr>\n", (unsigned long long)index);
    return LB_OK;
}

static lb_status put_row(struct report *report, const struct lb_audit_row *row)
{
    struct lb_buf *out = report->out;
    char class_max[4];
    (void)snprintf(class_max, sizeof(class_max), "%d", row->class_max % 10);
    lb_buf_printf(out, "<tr id=\"e%llu\" class=\"%s\"", (unsigned long long)row->index,
                  decision_of(row));
    put_attribute(out, "d", decision_of(row));
    put_attribute(out, "o", row->organization);
    put_attribute(out, "a", row->actor);
    put_attribute(out, "p", row->purpose);
    put_attribute(out, "c", class_max);
    put_attribute(out, "n", row->case_no);
    lb_buf_printf(out, "><td class=\"n\">%llu</td><td>", (unsigned long long)row->index);
    lb_html_time(out, row->time_ms, report->options->zone_ms);
    lb_buf_put_str(out, "</td>");
    put_cell(out, row->inner[0] != 0 ? row->inner : row->code);
    put_cell(out, row->organization);
    put_cell(out, row->unit);
    lb_buf_put_str(out, "<td class=\"h\">");
    lb_html_text(out, row->actor);
    lb_buf_put_str(out, "</td>");
    put_cell(out, row->purpose);
    put_cell(out, row->basis);
    put_cell(out, row->case_no);
    put_cell(out, row->views);
    put_cell(out, row->class_max == 0 ? "—" : class_max);
    return put_proof(report, row->index);
}

static void put_select(struct report *report, const char *name, const char *label,
                       const struct lb_audit_total *totals, size_t num)
{
    struct lb_buf *out = report->out;
    lb_buf_printf(out, "<label>%s <select data-f=\"%s\"><option value=\"\">—</option>", label,
                  name);
    for (size_t i = 0; i < num; i++) {
        if (totals[i].key[0] == 0)
            continue;
        lb_buf_put_str(out, "<option>");
        lb_html_text(out, totals[i].key);
        lb_buf_put_str(out, "</option>");
    }
    lb_buf_put_str(out, "</select></label>\n");
}

static lb_status put_filters(struct report *report)
{
    static const struct {
        enum lb_audit_key by;
        const char *name, *label;
    } selects[] = {
        {LB_AUDIT_BY_OFFICE, "o", "机构 office"},
        {LB_AUDIT_BY_OPERATOR, "a", "经办人 operator"},
        {LB_AUDIT_BY_PURPOSE, "p", "目的 purpose"},
        {LB_AUDIT_BY_CLASS, "c", "级别 class"},
    };
    static const struct lb_audit_total decisions[] = {
        {.key = "allow"}, {.key = "deny"}, {.key = "emergency"}};
    lb_buf_put_str(report->out, "<p class=\"filters\">\n");
    put_select(report, "d", "结论 decision", decisions, 3);
    for (size_t i = 0; i < sizeof(selects) / sizeof(selects[0]); i++) {
        struct lb_audit_total *totals = NULL;
        size_t num = 0;
        LB_TRY(lb_report_totals(report, selects[i].by, REPORT_MAX_GROUPS, &totals, &num));
        put_select(report, selects[i].name, selects[i].label, totals, num);
    }
    lb_buf_put_str(report->out, "<label>办件 case <input data-f=\"n\"></label> "
                                "<span>显示 shown: <b id=\"shown\"></b></span></p>\n");
    return LB_OK;
}

static lb_status list_rows(struct report *report, struct lb_audit_scan *scan)
{
    const struct lb_audit_row *row = NULL;
    LB_TRY(lb_audit_scan_next(scan, &row));
    while (row != NULL && report->counts.num_listed < LB_REPORT_MAX_ROWS) {
        LB_TRY(put_row(report, row));
        report->counts.num_listed++;
        LB_TRY(lb_audit_scan_next(scan, &row));
    }
    return LB_OK;
}

lb_status lb_report_rows(struct report *report)
{
    struct lb_buf *out = report->out;
    struct lb_audit_scan *scan = NULL;
    lb_buf_put_str(out, "<h2>附：逐条调阅 <small>annex: every access</small></h2>\n"
                        "<input type=\"checkbox\" id=\"annex\" class=\"screen\" checked>"
                        "<label for=\"annex\" class=\"screen\">打印附件 print the annex</label>\n"
                        "<div class=\"annex\">\n");
    LB_TRY(put_filters(report));
    lb_buf_put_str(out, "<table id=\"rows\"><thead><tr><th>条目 <small>entry</small></th><th>时间"
                        "</th><th>结果</th><th>机构</th><th>单位</th><th>经办人</th><th>目的</th>"
                        "<th>依据</th><th>办件</th><th>视图</th><th>级别</th><th>叶哈希与验证命令"
                        " <small>leaf hash, and the command that proves it</small></th></tr>"
                        "</thead><tbody>\n");
    LB_TRY(lb_audit_scan_open(report->index, &report->filter, &scan));
    lb_status status = list_rows(report, scan);
    lb_audit_scan_close(scan);
    LB_TRY(status);
    lb_buf_put_str(out, "</tbody></table>\n");
    if (report->counts.num_listed < report->counts.num_rows)
        lb_buf_printf(out, "<p><b>只列前 %d 条，共 %llu 条 <small>the first %d of %llu</small></b>"
                           "</p>\n",
                      LB_REPORT_MAX_ROWS, (unsigned long long)report->counts.num_rows,
                      LB_REPORT_MAX_ROWS, (unsigned long long)report->counts.num_rows);
    lb_buf_put_str(out, "</div>\n");
    return LB_OK;
}
