#include "gateway/audit/review_source.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/review.h"
#include "gateway/ctl/say.h"

/* `review check`, `review scan`, `review verify`: the rules, what they notice, and the queue's own
 * chain. None of them shows anything about a person. */

#define ARENA_BYTES (4U * 1024 * 1024)

/* --- check --- */

static const struct lb_ctl_column rule_columns[] = {
    {.id = "id", .en = "rule", .zh = "规则"},
    {.id = "kind", .en = "kind", .zh = "类别"},
    {.id = "severity", .en = "severity", .zh = "程度"},
    {.id = "numbers", .en = "numbers", .zh = "数值"},
    {.id = "title", .en = "title", .zh = "名称"},
    {.id = "why", .en = "why", .zh = "缘由", .place = LB_CTL_UNDER_ROW},
};

static const char *numbers_of(const struct lb_detect_rule *rule, struct lb_arena *arena)
{
    const char *text = "";
    for (int i = 0; i < LB_DETECT_NUM_PARAMS && text != NULL; i++)
        if (lb_detect_takes(rule->kind, (enum lb_detect_param)i))
            text = lb_arena_printf(arena, "%s%s%s=%lld", text, text[0] == 0 ? "" : " ",
                                   lb_detect_param_name((enum lb_detect_param)i),
                                   (long long)rule->param[i]);
    return text;
}

static lb_status print_rules(const struct lb_ctl_env *env, const struct lb_detect_rules *rules,
                             struct lb_arena *arena)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, env, arena, rule_columns,
                      sizeof(rule_columns) / sizeof(rule_columns[0]));
    for (size_t i = 0; i < rules->num; i++) {
        const struct lb_detect_rule *rule = &rules->rules[i];
        const char *const cells[] = {
            rule->id, lb_detect_kind_name(rule->kind), lb_detect_severity_name(rule->severity),
            numbers_of(rule, arena), lb_ctl_pick(env, rule->title_zh, rule->title_en),
            lb_ctl_pick(env, rule->why_zh, rule->why_en),
        };
        LB_ENSURE(cells[3] != NULL, LB_NO_MEMORY, "arena is full");
        lb_ctl_sheet_row(&sheet, cells);
    }
    return lb_ctl_sheet_print(&sheet, false);
}

static lb_status check(const struct lb_ctl_env *env, const char *path, struct lb_diag *diag)
{
    LB_DEFER(lb_detect_rules_freep) struct lb_detect_rules *rules = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_detect_rules_load(path, diag, &rules));
    return print_rules(env, rules, arena);
}

int lb_ctl_review_check(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban review check rules.yaml", NULL};
    struct lb_ctl_list operands = {.num = 0};
    struct lb_diag diag = {.text = ""};
    const struct lb_ctl_usage usage = {
        .command = "review check", .examples = examples,
        .en = "check a rules file and its calendar, and list what it notices",
        .zh = "检查规则文件和工作日历，并列出各项规则",
        .operand = "RULES.yaml", .min_operands = 1, .max_operands = 1,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = check(env, operands.items[0], &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, "review check", status, &diag);
}

/* --- scan --- */

struct scan {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    const char *index_folder, *state_folder, *rules_path, *lists_path;
    struct lb_audit_index *index;
    struct lb_review *review;
    struct lb_detect_rules *rules;
    struct lb_detect_lists *lists;
    struct lb_review_progress progress;
};

static lb_status scan_rows(struct scan *scan)
{
    struct lb_review_rows rows;
    struct lb_review_source source;
    uint64_t next = 0;
    LB_TRY(lb_review_next(scan->review, &next));
    LB_TRY(lb_review_rows_open(scan->index, next, 0, &rows, &source));
    lb_status status = lb_review_scan(scan->review, scan->rules, scan->lists, &source, 0,
                                      &scan->progress);
    lb_review_rows_close(&rows);
    if (lb_status_code(status) == LB_LOG_FORK)
        lb_diag_set(&scan->diag, "%s: the queue belongs to another log than this index; take"
                                 " another --state", scan->state_folder);
    return status;
}

static lb_status print_progress(struct scan *scan)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    const struct lb_review_progress *progress = &scan->progress;
    struct lb_ctl_sheet sheet;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_ctl_sheet_init(&sheet, scan->env, arena, NULL, 0);
    lb_ctl_sheet_number(&sheet, "looked_at", "本次审看条数", "entries looked at",
                        (int64_t)progress->num_rows);
    lb_ctl_sheet_number(&sheet, "accesses", "其中调阅", "of them accesses",
                        (int64_t)progress->num_reads);
    lb_ctl_sheet_number(&sheet, "alerts", "新提示", "new alerts", (int64_t)progress->num_alerts);
    lb_ctl_sheet_number(&sheet, "next", "下次起始条目", "next entry", (int64_t)progress->next);
    if (progress->num_unlisted > 0)
        lb_ctl_note(scan->env, "%llu accesses are of years whose holidays the calendar lacks; add"
                               " them 工作日历缺少部分年份的节假日，请补充",
                    (unsigned long long)progress->num_unlisted);
    return lb_ctl_sheet_print(&sheet, false);
}

static lb_status run_scan(struct scan *scan)
{
    LB_TRY(lb_detect_rules_load(scan->rules_path, &scan->diag, &scan->rules));
    if (scan->lists_path != NULL)
        LB_TRY(lb_detect_lists_load(scan->lists_path, &scan->diag, &scan->lists));
    LB_TRY(lb_audit_index_open(scan->index_folder, &scan->diag, &scan->index));
    LB_TRY(lb_review_open(scan->state_folder, true, NULL, &scan->diag, &scan->review));
    LB_TRY(scan_rows(scan));
    return print_progress(scan);
}

int lb_ctl_review_scan(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban review scan --index tax-index --state tax-review --rules rules.yaml"
        " --lists lists.yaml", NULL};
    struct scan scan = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "index", .value = "DIR", .text = &scan.index_folder, .required = true,
         .en = "the index (`lianban log index`)", .zh = "查询索引目录"},
        {.name = "state", .value = "DIR", .text = &scan.state_folder, .required = true,
         .en = "the review queue's folder; made when it is missing", .zh = "核查队列目录"},
        {.name = "rules", .value = "FILE", .text = &scan.rules_path, .required = true,
         .en = "the rules", .zh = "规则文件"},
        {.name = "lists", .value = "FILE", .text = &scan.lists_path,
         .en = "your lists: protected persons, honey records, declared relations",
         .zh = "安全员名单：重点保护、诱饵、申报关系"},
    };
    const struct lb_ctl_usage usage = {
        .command = "review scan", .examples = examples,
        .en = "look for misuse in what the index has new, and put alerts into the queue",
        .zh = "审看新增条目，把可疑情况放入核查队列",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = run_scan(&scan);
    exit_code = status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, "review scan", status, &scan.diag);
    lb_review_close(scan.review);
    lb_audit_index_close(scan.index);
    lb_detect_lists_free(scan.lists);
    lb_detect_rules_free(scan.rules);
    return exit_code;
}

/* --- verify --- */

static lb_status verify(struct lb_ctl_env *env, const char *folder, struct lb_diag *diag)
{
    LB_DEFER(lb_review_closep) struct lb_review *review = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_ctl_sheet sheet;
    int64_t num = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_review_open(folder, false, NULL, diag, &review));
    lb_status status = lb_review_verify(review, &num);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: %s", folder, status->what);
    LB_TRY(status);
    lb_ctl_sheet_init(&sheet, env, arena, NULL, 0);
    lb_ctl_sheet_number(&sheet, "acts", "核查记录（链完整）", "acts, their chain whole", num);
    return lb_ctl_sheet_print(&sheet, false);
}

int lb_ctl_review_verify(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban review verify --state tax-review", NULL};
    struct lb_diag diag = {.text = ""};
    const char *folder = NULL;
    const struct lb_ctl_option options[] = {
        {.name = "state", .value = "DIR", .text = &folder, .required = true,
         .en = "the review queue's folder", .zh = "核查队列目录"},
    };
    const struct lb_ctl_usage usage = {
        .command = "review verify", .examples = examples,
        .en = "recompute the chain of what was done about alerts",
        .zh = "复算核查记录的哈希链",
        .options = options, .num_options = 1,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = verify(env, folder, &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, "review verify", status, &diag);
}
