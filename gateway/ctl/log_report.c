#include "gateway/audit/report.h"
#include "gateway/base/file.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/officer.h"
#include "gateway/ctl/text.h"
#include "gateway/evidence/inspect.h"

/* `log report`: a month as one HTML file. */

#define LEAF_ARENA_BYTES (64U * 1024)
#define REPORT_MODE 0600

struct report {
    struct lb_ctl_officer officer;
    const char *month, *rules_path, *state_folder, *out_path;
    struct lb_detect_rules *rules;
    struct lb_review *review;
    struct lb_log_reader *reader;
    struct lb_arena *scratch;
    struct lb_report_options options;
    struct lb_report_counts counts;
};

/* --- the leaves' hashes, out of the log itself --- */

static lb_status leaf_hash(void *ctx, uint64_t index, uint8_t out[32])
{
    struct report *report = ctx;
    struct lb_leaf leaf;
    struct lb_hash hash;
    LB_ENSURE(report->reader != NULL, LB_ABSENT, "the log cannot be read here");
    lb_arena_reset(report->scratch);
    LB_TRY(lb_log_reader_leaf(report->reader, index, report->scratch, &leaf, &hash));
    memcpy(out, hash.bytes, sizeof(hash.bytes));
    return LB_OK;
}

/* A log whose folder is elsewhere leaves the hashes out; the commands stand there all the same. */
static void open_leaves(struct report *report)
{
    struct lb_diag diag = {.text = ""};
    report->scratch = lb_arena_new(LEAF_ARENA_BYTES);
    if (report->scratch != NULL)
        lb_status_ignore(lb_log_reader_open(report->officer.state.log, &diag, &report->reader));
}

/* --- the work --- */

static lb_status read_month(struct report *report)
{
    struct lb_ctl_officer *officer = &report->officer;
    struct lb_report_options *options = &report->options;
    LB_TRY(lb_detect_rules_load(report->rules_path, &officer->diag, &report->rules));
    lb_status status = lb_work_calendar_month(report->rules->calendar, lb_span_str(report->month),
                                              &options->from_ms, &options->until_ms);
    if (status != LB_OK)
        lb_diag_set(&officer->diag, "--month is a month such as 2026-11");
    options->zone_ms = lb_work_calendar_offset_ms(report->rules->calendar);
    return status;
}

static void fill_options(struct report *report)
{
    const struct lb_ctl_officer *officer = &report->officer;
    struct lb_report_options *options = &report->options;
    options->month = report->month;
    options->now_ms = lb_clock_unix_ms(officer->env->clock);
    options->by = officer->env->login;
    options->log_folder = officer->state.log;
    options->has_entry = officer->recorded;
    options->entry = officer->review.entry;
    options->leaf_hash = leaf_hash;
    options->ctx = report;
}

static lb_status write_file(struct report *report)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf html;
    struct lb_ctl_officer *officer = &report->officer;
    lb_buf_init(&html, LB_REPORT_MAX_BYTES);
    LB_TRY(lb_report_write(officer->index, report->review, &report->options, &html,
                           &report->counts));
    lb_status status = lb_file_write(report->out_path, lb_buf_span(&html), REPORT_MODE);
    if (status != LB_OK)
        lb_diag_set(&officer->diag, "%s: cannot be written", report->out_path);
    return status;
}

static lb_status print_counts(struct report *report)
{
    const struct lb_report_counts *counts = &report->counts;
    struct lb_ctl_officer *officer = &report->officer;
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, officer->env, officer->arena, NULL, 0);
    lb_ctl_sheet_fact(&sheet, "month", "月份", "month", report->month);
    lb_ctl_sheet_fact(&sheet, "file", "文件", "file", report->out_path);
    lb_ctl_sheet_number(&sheet, "accesses", "调阅", "accesses", (int64_t)counts->num_rows);
    lb_ctl_sheet_number(&sheet, "listed", "逐条列出", "listed", (int64_t)counts->num_listed);
    lb_ctl_sheet_number(&sheet, "refused", "拒绝", "refused", (int64_t)counts->num_denied);
    lb_ctl_sheet_number(&sheet, "open_reviews", "待核查", "open reviews",
                        (int64_t)counts->num_open);
    lb_ctl_sheet_number(&sheet, "settled_reviews", "本月提示已办结", "settled of this month",
                        (int64_t)counts->num_closed);
    lb_ctl_officer_facts(officer, &sheet, NULL);
    return lb_ctl_sheet_print(&sheet, false);
}

static lb_status run(struct report *report)
{
    struct lb_ctl_officer *officer = &report->officer;
    LB_TRY(read_month(report));
    const char *query = report->month;
    LB_TRY(lb_ctl_officer_open(officer, query, NULL));
    if (report->state_folder != NULL)
        LB_TRY(lb_review_open(report->state_folder, false, NULL, &officer->diag,
                              &report->review));
    open_leaves(report);
    fill_options(report);
    LB_TRY(write_file(report));
    return print_counts(report);
}

int lb_ctl_log_report(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log report --month 2026-11 --out 2026-11.html --rules rules.yaml"
        " --state tax-review --index tax-index --officer officer.yaml", NULL};
    struct report report = {
        .officer = {.env = env, .command = "log report", .kind = "REPORT"}};
    const struct lb_ctl_option options[] = {
        {.name = "month", .value = "YYYY-MM", .text = &report.month, .required = true,
         .en = "the month, local time of the rules' calendar", .zh = "月份（按规则日历的当地时间）"},
        {.name = "out", .value = "FILE.html", .text = &report.out_path, .required = true,
         .en = "the file to write, readable by you alone", .zh = "输出文件，仅本人可读"},
        {.name = "rules", .value = "FILE", .text = &report.rules_path, .required = true,
         .en = "the rules, for their calendar", .zh = "规则文件（取其日历）"},
        {.name = "state", .value = "DIR", .text = &report.state_folder,
         .en = "the review queue's folder", .zh = "核查队列目录"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log report", .examples = examples,
        .en = "a month as one HTML file that filters by itself and prints",
        .zh = "月报：单个 HTML 文件，可筛选、可打印",
    };
    int exit_code = lb_ctl_officer_args(&report.officer, &usage, options,
                                        sizeof(options) / sizeof(options[0]), argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    exit_code = lb_ctl_officer_finish(&report.officer, run(&report));
    lb_review_close(report.review);
    lb_log_reader_close(report.reader);
    lb_arena_free(report.scratch);
    lb_detect_rules_free(report.rules);
    return exit_code;
}
