#include "gateway/audit/health.h"
#include "gateway/ctl/access_rows.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* `log erasures`: what was erased, what is due, and what a hold keeps. */

#define DAY_MS (24 * INT64_C(3600000))
/* Three years (Network Data Security Regulations, article 12), one of them a leap year: what an
 * adapter erases at the earliest. */
#define DEFAULT_RETAIN_DAYS 1096
#define MAX_HOLDS 1024
#define MAX_HOLDS_BYTES (64U * 1024)

struct erasures {
    struct lb_ctl_officer officer;
    int64_t retain_days;
    const char *holds_path;
    const char *holds[MAX_HOLDS + 1];
    size_t num_holds;
};

/* Case numbers, one a line; empty lines and those that begin with # say nothing. */
static lb_status read_holds(struct erasures *erasures)
{
    struct lb_ctl_officer *officer = &erasures->officer;
    struct lb_span text = LB_SPAN_EMPTY;
    if (erasures->holds_path == NULL)
        return LB_OK;
    LB_TRY(lb_ctl_read(officer->env, erasures->holds_path, MAX_HOLDS_BYTES, officer->arena,
                       &officer->diag, &text));
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.ptr);
        const char *line = lb_arena_str(officer->arena, lb_span_of(text.ptr, len));
        LB_ENSURE(line != NULL && erasures->num_holds < MAX_HOLDS, LB_TOO_LARGE,
                  "too many holds");
        if (line[0] != 0 && line[0] != '#')
            erasures->holds[erasures->num_holds++] = line;
        len += end == NULL ? 0 : 1;
        text = lb_span_of(text.ptr + len, text.len - len);
    }
    return LB_OK;
}

static void show_due(const struct erasures *erasures, const struct lb_audit_due *due,
                     struct lb_ctl_sheet *sheet)
{
    char oldest[LB_CTL_TIME_BYTES] = "-";
    if (due->oldest_ms != 0)
        lb_ctl_time(due->oldest_ms, oldest);
    lb_ctl_sheet_number(sheet, "retain_days", "保存期限（日）", "retention, days",
                        erasures->retain_days);
    lb_ctl_sheet_number(sheet, "due_entries", "到期条数", "entries due", (int64_t)due->entries);
    lb_ctl_sheet_number(sheet, "due_subjects", "到期人数", "persons due", (int64_t)due->subjects);
    lb_ctl_sheet_fact(sheet, "due_oldest", "最早到期条目时间", "oldest entry due", oldest);
    lb_ctl_sheet_number(sheet, "held_entries", "其中因保全保留", "of them held",
                        (int64_t)due->held_entries);
}

static lb_status run(struct erasures *erasures)
{
    struct lb_ctl_officer *officer = &erasures->officer;
    struct lb_ctl_sheet sheet;
    struct lb_audit_due due;
    bool more = false;
    uint64_t next = 0;
    LB_TRY(lb_ctl_officer_open(officer, "erasures", NULL));
    LB_TRY(read_holds(erasures));
    int64_t before = lb_clock_unix_ms(officer->env->clock) - erasures->retain_days * DAY_MS;
    LB_TRY(lb_audit_due(officer->index, before, erasures->holds, &due));
    lb_ctl_access_sheet(officer, &sheet);
    officer->filter.type = LB_LEAF_ERASURE;
    LB_TRY(lb_ctl_access_list(officer, &sheet, NULL, &more, &next));
    lb_ctl_sheet_number(&sheet, "num_rows", "已办删除", "erasures done", (int64_t)sheet.num_rows);
    show_due(erasures, &due, &sheet);
    lb_ctl_officer_facts(officer, &sheet, more ? &next : NULL);
    return lb_ctl_sheet_print(&sheet, officer->csv);
}

int lb_ctl_log_erasures(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log erasures --index tax-index --officer officer.yaml --holds holds.txt", NULL};
    struct erasures erasures = {
        .officer = {.env = env, .command = "log erasures", .kind = "ERASURES"},
        .retain_days = DEFAULT_RETAIN_DAYS};
    const struct lb_ctl_option options[] = {
        {.name = "retain-days", .value = "N", .number = &erasures.retain_days, .min = 0,
         .max = 36500, .en = "how long details are kept; default 1096", .zh = "保存日数，默认 1096"},
        {.name = "holds", .value = "FILE", .text = &erasures.holds_path,
         .en = "cases whose details are held, one a line", .zh = "暂缓删除的办件号，每行一个"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log erasures", .examples = examples,
        .en = "erasures done, details due by age, and those a hold keeps",
        .zh = "已办删除、到期明细与保全保留",
    };
    int exit_code = lb_ctl_officer_args(&erasures.officer, &usage, options, 2, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code
                                  : lb_ctl_officer_finish(&erasures.officer, run(&erasures));
}
