#include <stdio.h>

#include "gateway/audit/report_inside.h"

/* Totals: the summary at the head, the days and hours as bars, and the tables. */

#define CHART_HEIGHT 90
#define BAR_WIDTH 20

static void put_fact(struct lb_buf *out, const char *zh, const char *en, uint64_t value)
{
    lb_buf_printf(out, "<div>%s <small>%s</small> <b>%llu</b></div>\n", zh, en,
                  (unsigned long long)value);
}

static void put_state(struct report *report, const struct lb_audit_state *state)
{
    struct lb_buf *out = report->out;
    const struct lb_report_options *options = report->options;
    lb_buf_put_str(out, "<p>日志 <small>log</small> <code>");
    lb_html_text(out, state->origin);
    lb_buf_printf(out, "</code>，%llu 条 <small>entries</small>；编制 <small>made</small> ",
                  (unsigned long long)state->size);
    lb_html_time(out, options->now_ms, options->zone_ms);
    lb_buf_put_str(out, "，编制人 <small>by</small> ");
    lb_html_text(out, options->by);
    lb_buf_put_str(out, "；索引更新 <small>index of</small> ");
    lb_html_time(out, state->built_ms, options->zone_ms);
    if (options->has_entry)
        lb_buf_printf(out, "；本报表的存证条目 <small>this report is entry</small> %llu",
                      (unsigned long long)options->entry);
    if (state->last_ms < options->until_ms)
        lb_buf_put_str(out, "。<b>索引未覆盖到月末 <small>the index does not reach the month's"
                            " end</small></b>");
    lb_buf_put_str(out, "</p>\n");
}

static void put_denied_part(struct lb_buf *out, const struct lb_audit_total *all)
{
    put_fact(out, "调阅", "accesses", all->rows);
    put_fact(out, "其中拒绝", "refused", all->denied);
    put_fact(out, "紧急调阅", "emergencies", all->emergencies);
    put_fact(out, "被调阅人数", "persons", all->subjects);
    put_fact(out, "有调阅的天数", "days with accesses", all->days);
}

lb_status lb_report_summary(struct report *report)
{
    static const struct lb_audit_total nothing = {.rows = 0};
    struct lb_buf *out = report->out;
    struct lb_audit_state state;
    struct lb_audit_total *all = NULL, *operators = NULL;
    size_t num = 0, num_operators = 0;
    LB_TRY(lb_audit_index_state(report->index, &state));
    LB_TRY(lb_report_totals(report, LB_AUDIT_BY_NONE, REPORT_MAX_GROUPS, &all, &num));
    LB_TRY(lb_report_totals(report, LB_AUDIT_BY_OPERATOR, REPORT_MAX_COUNTED, &operators,
                            &num_operators));
    const struct lb_audit_total *sum = num > 0 ? &all[0] : &nothing;
    report->counts.num_rows = sum->rows;
    report->counts.num_denied = sum->denied;
    lb_buf_put_str(out, "<h1>");
    lb_html_text(out, report->options->month);
    lb_buf_put_str(out, " 存证月报 <small>Evidence report</small></h1>\n");
    put_state(report, &state);
    lb_buf_put_str(out, "<div class=\"facts\">\n");
    put_denied_part(out, sum);
    put_fact(out, "经办人", "operators", num_operators);
    lb_buf_put_str(out, "</div>\n");
    return LB_OK;
}

/* --- bars --- */

static uint64_t largest(const struct lb_audit_total *totals, size_t num)
{
    uint64_t most = 1;
    for (size_t i = 0; i < num; i++)
        most = totals[i].rows > most ? totals[i].rows : most;
    return most;
}

/* One bar: what was answered, and what was refused on top of it. */
static void put_bar(struct lb_buf *out, const struct lb_audit_total *total, uint64_t most,
                    size_t place, const char *label)
{
    unsigned whole = (unsigned)(total->rows * CHART_HEIGHT / most);
    unsigned denied = (unsigned)(total->denied * CHART_HEIGHT / most);
    unsigned x = (unsigned)place * BAR_WIDTH;
    lb_buf_printf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"#4a7ab0\"/>", x,
                  CHART_HEIGHT - whole + denied + 12, BAR_WIDTH - 4, whole - denied);
    lb_buf_printf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"#c0504d\"/>", x,
                  CHART_HEIGHT - whole + 12, BAR_WIDTH - 4, denied);
    lb_buf_printf(out, "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">%llu</text>",
                  x + (BAR_WIDTH - 4) / 2, CHART_HEIGHT - whole + 10,
                  (unsigned long long)total->rows);
    lb_buf_printf(out, "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">", x + (BAR_WIDTH - 4) / 2,
                  CHART_HEIGHT + 24);
    lb_html_text(out, label);
    lb_buf_put_str(out, "</text>\n");
}

/* The totals come largest first; a chart goes by its key. */
static void put_chart(struct report *report, const char *zh, const char *en,
                      const struct lb_audit_total *totals, size_t num, unsigned first,
                      unsigned last)
{
    struct lb_buf *out = report->out;
    uint64_t most = largest(totals, num);
    lb_buf_printf(out, "<h2>%s <small>%s</small></h2>\n<svg width=\"%u\" height=\"%d\" role=\"img\""
                       " aria-label=\"%s %s\">\n",
                  zh, en, (last - first + 1) * BAR_WIDTH, CHART_HEIGHT + 30, zh, en);
    for (unsigned at = first; at <= last; at++) {
        char label[8];
        struct lb_audit_total one = {.rows = 0};
        (void)snprintf(label, sizeof(label), "%02u", at);
        for (size_t i = 0; i < num; i++) {
            size_t len = strlen(totals[i].key);
            if (len >= 2 && strcmp(totals[i].key + len - 2, label) == 0)
                one = totals[i];
        }
        put_bar(out, &one, most, at - first, label);
    }
    lb_buf_put_str(out, "</svg>\n");
}

#define DAY_MS INT64_C(86400000)

lb_status lb_report_charts(struct report *report)
{
    struct lb_audit_total *days = NULL, *hours = NULL;
    size_t num_days = 0, num_hours = 0;
    LB_TRY(lb_report_totals(report, LB_AUDIT_BY_DAY, REPORT_MAX_GROUPS, &days, &num_days));
    LB_TRY(lb_report_totals(report, LB_AUDIT_BY_HOUR, REPORT_MAX_GROUPS, &hours, &num_hours));
    unsigned length = (unsigned)((report->options->until_ms - report->options->from_ms) / DAY_MS);
    put_chart(report, "每日", "by day; refused in red", days, num_days, 1, length);
    put_chart(report, "时段", "by hour of the day", hours, num_hours, 0, 23);
    return LB_OK;
}

/* --- tables --- */

struct table {
    enum lb_audit_key by;
    const char *zh, *en;
};

static void put_group(struct lb_buf *out, const struct lb_audit_total *total, uint64_t most)
{
    lb_buf_put_str(out, "<tr><td>");
    lb_html_text(out, total->key[0] == 0 ? "—" : total->key);
    lb_buf_printf(out,
                  "</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td>"
                  "<td class=\"n\">%llu</td><td class=\"n\">%d</td><td class=\"b\">"
                  "<span class=\"bar\" style=\"width:%llu%%\"></span></td></tr>\n",
                  (unsigned long long)total->rows, (unsigned long long)total->subjects,
                  (unsigned long long)total->denied, (unsigned long long)total->emergencies,
                  total->class_max, (unsigned long long)(total->rows * 100 / most));
}

static lb_status put_table(struct report *report, const struct table *table)
{
    struct lb_buf *out = report->out;
    struct lb_audit_total *totals = NULL;
    size_t num = 0;
    LB_TRY(lb_report_totals(report, table->by, REPORT_MAX_GROUPS, &totals, &num));
    lb_buf_printf(out,
                  "<h2>%s <small>%s</small></h2>\n<table><thead><tr><th>%s</th><th>调阅"
                  " <small>accesses</small></th><th>人数 <small>persons</small></th><th>拒绝"
                  " <small>refused</small></th><th>紧急 <small>emergency</small></th><th>最高级别"
                  " <small>highest class</small></th><th></th></tr></thead><tbody>\n",
                  table->zh, table->en, table->zh);
    uint64_t most = largest(totals, num);
    for (size_t i = 0; i < num; i++)
        put_group(out, &totals[i], most);
    lb_buf_put_str(out, "</tbody></table>\n");
    if (num == REPORT_MAX_GROUPS)
        lb_buf_printf(out, "<p>只列最多的 %d 组 <small>the %d largest only</small></p>\n", (int)num,
                      (int)num);
    return LB_OK;
}

/* Refusals by their code, with what it means. */
static lb_status put_denials(struct report *report)
{
    struct lb_buf *out = report->out;
    struct lb_audit_total *totals = NULL;
    size_t num = 0;
    report->filter.decision = LB_AUDIT_DENY;
    lb_status status = lb_report_totals(report, LB_AUDIT_BY_INNER, REPORT_MAX_GROUPS, &totals,
                                        &num);
    report->filter.decision = 0;
    LB_TRY(status);
    lb_buf_put_str(out, "<h2>拒绝 <small>refusals by code</small></h2>\n<table><thead><tr>"
                        "<th>代码 <small>code</small></th><th>次数</th><th>含义"
                        " <small>meaning</small></th></tr></thead><tbody>\n");
    for (size_t i = 0; i < num; i++) {
        enum lb_code code;
        bool known = lb_code_by_name(totals[i].key, strlen(totals[i].key), &code);
        lb_buf_put_str(out, "<tr><td>");
        lb_html_text(out, totals[i].key[0] == 0 ? "—" : totals[i].key);
        lb_buf_printf(out, "</td><td class=\"n\">%llu</td><td>",
                      (unsigned long long)totals[i].rows);
        lb_html_text(out, known ? lb_code_text_zh(code) : "");
        lb_buf_put_str(out, " <small>");
        lb_html_text(out, known ? lb_code_text_en(code) : "");
        lb_buf_put_str(out, "</small></td></tr>\n");
    }
    lb_buf_put_str(out, "</tbody></table>\n");
    return LB_OK;
}

lb_status lb_report_tables(struct report *report)
{
    static const struct table tables[] = {
        {LB_AUDIT_BY_OFFICE, "请求机构", "by office"},
        {LB_AUDIT_BY_OPERATOR, "经办人", "by operator (pseudonym)"},
        {LB_AUDIT_BY_PURPOSE, "目的", "by purpose"},
        {LB_AUDIT_BY_CLASS, "数据级别", "by data class"},
        {LB_AUDIT_BY_BASIS, "法律依据", "by legal basis"},
    };
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        LB_TRY(put_table(report, &tables[i]));
    return put_denials(report);
}
