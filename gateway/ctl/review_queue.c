#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/review.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* `review list` and `review show`. */

#define ARENA_BYTES (16U * 1024 * 1024)
#define DAY_MS INT64_C(86400000)

/* --- words --- */

static const char *severity_word(const struct lb_ctl_env *env, enum lb_detect_severity severity)
{
    static const char *const zh[LB_DETECT_SEVERITY_END] = {
        [LB_DETECT_LOW] = "低", [LB_DETECT_MEDIUM] = "中",
        [LB_DETECT_HIGH] = "高", [LB_DETECT_CRITICAL] = "严重"};
    return env->json ? lb_detect_severity_name(severity)
                     : lb_ctl_pick(env, zh[severity], lb_detect_severity_name(severity));
}

static const char *state_word(const struct lb_ctl_env *env, enum lb_review_state state)
{
    static const char *const zh[LB_REVIEW_STATE_END] = {
        [LB_REVIEW_OPEN] = "未指派", [LB_REVIEW_ASSIGNED] = "已指派",
        [LB_REVIEW_EXPLAINED] = "已说明", [LB_REVIEW_CLOSED] = "已办结"};
    return env->json ? lb_review_state_name(state)
                     : lb_ctl_pick(env, zh[state], lb_review_state_name(state));
}

/* --- list --- */

static const struct lb_ctl_column columns[] = {
    {.id = "id", .en = "alert", .zh = "编号", .number = true},
    {.id = "severity", .en = "severity", .zh = "程度"},
    {.id = "state", .en = "state", .zh = "状态"},
    {.id = "opened", .en = "noticed (UTC)", .zh = "时间（UTC）"},
    {.id = "age_days", .en = "days", .zh = "天数", .number = true},
    {.id = "overdue", .en = "overdue", .zh = "逾期"},
    {.id = "rule", .en = "rule", .zh = "规则"},
    {.id = "organization", .en = "office", .zh = "机构"},
    {.id = "unit", .en = "unit", .zh = "单位"},
    {.id = "operator", .en = "operator", .zh = "经办人"},
    {.id = "entries", .en = "entries", .zh = "条目数", .number = true},
    {.id = "assignee", .en = "assigned to", .zh = "核查人"},
    {.id = "why", .en = "why", .zh = "缘由", .place = LB_CTL_UNDER_ROW},
    {.id = "explanation", .en = "explanation", .zh = "说明", .place = LB_CTL_UNDER_ROW},
    {.id = "outcome", .en = "outcome", .zh = "结论", .place = LB_CTL_NOT_SHOWN},
    {.id = "reason", .en = "closed with reason", .zh = "办结理由", .place = LB_CTL_UNDER_ROW},
};

/* What is closed stopped ageing. */
static int64_t age_days(const struct lb_ctl_env *env, const struct lb_review_alert *alert)
{
    int64_t until = alert->state == LB_REVIEW_CLOSED ? alert->changed_ms
                                                     : lb_clock_unix_ms(env->clock);
    int64_t age = until - alert->opened_ms;
    return age < 0 ? 0 : age / DAY_MS;
}

static void add_alert(struct lb_ctl_sheet *sheet, const struct lb_review_alert *alert)
{
    const struct lb_ctl_env *env = sheet->env;
    char opened[LB_CTL_TIME_BYTES], id[24], age[24], entries[24];
    bool overdue = alert->state != LB_REVIEW_CLOSED &&
                   lb_clock_unix_ms(env->clock) > alert->due_ms;
    lb_ctl_time(alert->opened_ms, opened);
    (void)snprintf(id, sizeof(id), "%lld", (long long)alert->id);
    (void)snprintf(age, sizeof(age), "%lld", (long long)age_days(env, alert));
    (void)snprintf(entries, sizeof(entries), "%lld", (long long)alert->num_entries);
    const char *const cells[] = {
        id, severity_word(env, alert->severity), state_word(env, alert->state), opened, age,
        overdue ? lb_ctl_pick(env, "是", "yes") : "", alert->rule, alert->organization,
        alert->unit, alert->actor, entries, alert->assignee,
        lb_ctl_pick(env, alert->why_zh, alert->why_en), alert->explanation,
        lb_review_outcome_name(alert->outcome), alert->reason,
    };
    lb_ctl_sheet_row(sheet, cells);
}

lb_status lb_ctl_review_print(const struct lb_ctl_env *env, struct lb_arena *arena,
                              const struct lb_review_alert *alerts, size_t num, uint64_t left,
                              bool csv)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, env, arena, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < num; i++)
        add_alert(&sheet, &alerts[i]);
    lb_ctl_sheet_number(&sheet, "num_alerts", "提示数", "alerts", (int64_t)num);
    if (left > 0)
        lb_ctl_sheet_number(&sheet, "left_out", "未列出", "left out", (int64_t)left);
    return lb_ctl_sheet_print(&sheet, csv);
}

struct list {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    const char *folder, *severity, *since, *until;
    bool csv;
    struct lb_review_filter filter;
};

static lb_status run_list(struct list *list)
{
    LB_DEFER(lb_review_closep) struct lb_review *review = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_review_alert *alerts = NULL;
    size_t num = 0;
    uint64_t left = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_review_open(list->folder, false, NULL, &list->diag, &review));
    LB_TRY(lb_review_list(review, &list->filter, arena, &alerts, &num, &left));
    return lb_ctl_review_print(list->env, arena, alerts, num, left, list->csv);
}

static int read_filter(struct list *list)
{
    if (list->severity != NULL &&
        !lb_detect_severity_by_name(list->severity, &list->filter.min_severity))
        return lb_ctl_usage_error(list->env, "review list",
                                  "--severity is low, medium, high or critical");
    if (list->since != NULL && lb_ctl_time_parse(list->since, &list->filter.since_ms) != LB_OK)
        return lb_ctl_usage_error(list->env, "review list", "--since is a time such as"
                                                            " 2026-07-01T08:00+08:00");
    if (list->until != NULL && lb_ctl_time_parse(list->until, &list->filter.until_ms) != LB_OK)
        return lb_ctl_usage_error(list->env, "review list", "--until is a time such as"
                                                            " 2026-07-01T08:00+08:00");
    return LB_CTL_GO;
}

int lb_ctl_review_list(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban review list --state tax-review",
        "lianban review list --state tax-review --all --since 2026-11-01 --csv", NULL};
    struct list list = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "state", .value = "DIR", .text = &list.folder, .required = true,
         .en = "the review queue's folder", .zh = "核查队列目录"},
        {.name = "all", .flag = &list.filter.closed_too, .en = "closed ones too",
         .zh = "包括已办结"},
        {.name = "severity", .value = "LEVEL", .text = &list.severity,
         .en = "at least low, medium, high or critical", .zh = "不低于此程度"},
        {.name = "rule", .value = "ID", .text = &list.filter.rule, .en = "of this rule",
         .zh = "只看此规则"},
        {.name = "assignee", .value = "NAME", .text = &list.filter.assignee,
         .en = "assigned to this person", .zh = "只看指派给此人的"},
        {.name = "since", .value = "TIME", .text = &list.since,
         .en = "noticed not before; UTC unless it says +08:00", .zh = "此时间以后"},
        {.name = "until", .value = "TIME", .text = &list.until, .en = "noticed before",
         .zh = "此时间以前"},
        {.name = "csv", .flag = &list.csv, .en = "print as CSV", .zh = "以 CSV 输出"},
    };
    const struct lb_ctl_usage usage = {
        .command = "review list", .examples = examples,
        .en = "what waits for review, gravest and oldest first", .zh = "待核查的提示",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = read_filter(&list);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = run_list(&list);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, "review list", status, &list.diag);
}

/* --- show --- */

static const struct lb_ctl_column act_columns[] = {
    {.id = "seq", .en = "act", .zh = "序号", .number = true},
    {.id = "at", .en = "time (UTC)", .zh = "时间（UTC）"},
    {.id = "what", .en = "what", .zh = "事项"},
    {.id = "who", .en = "who", .zh = "办理人"},
    {.id = "entry", .en = "entry", .zh = "存证条目", .number = true},
    {.id = "text", .en = "text", .zh = "内容"},
    {.id = "hash", .en = "hash", .zh = "哈希", .place = LB_CTL_NOT_SHOWN},
};

static void add_act(struct lb_ctl_sheet *sheet, const struct lb_review_act *act)
{
    char at[LB_CTL_TIME_BYTES], seq[24], leaf[24] = "", hash[65];
    lb_ctl_time(act->at_ms, at);
    lb_hex_encode(lb_span_of(act->hash, sizeof(act->hash)), hash);
    (void)snprintf(seq, sizeof(seq), "%lld", (long long)act->seq);
    if (act->recorded)
        (void)snprintf(leaf, sizeof(leaf), "%llu", (unsigned long long)act->leaf);
    const char *const cells[] = {seq, at, act->what, act->who, leaf, act->text, hash};
    lb_ctl_sheet_row(sheet, cells);
}

static const char *entry_words(const struct lb_review_case *one, struct lb_arena *arena)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    lb_buf_init(&text, 64 * 1024);
    for (size_t i = 0; i < one->num_entries; i++)
        lb_buf_printf(&text, "%s%llu", i == 0 ? "" : " ", (unsigned long long)one->entries[i]);
    return text.failed ? NULL : lb_arena_str(arena, lb_buf_span(&text));
}

static void add_facts(struct lb_ctl_sheet *sheet, const struct lb_review_alert *alert)
{
    const struct lb_ctl_env *env = sheet->env;
    char opened[LB_CTL_TIME_BYTES], due[LB_CTL_TIME_BYTES];
    lb_ctl_time(alert->opened_ms, opened);
    lb_ctl_time(alert->due_ms, due);
    lb_ctl_sheet_number(sheet, "id", "编号", "alert", alert->id);
    lb_ctl_sheet_fact(sheet, "rule", "规则", "rule", alert->rule);
    lb_ctl_sheet_fact(sheet, "title", "提示", "title",
                      lb_ctl_pick(env, alert->title_zh, alert->title_en));
    lb_ctl_sheet_fact(sheet, "why", "缘由", "why", lb_ctl_pick(env, alert->why_zh, alert->why_en));
    lb_ctl_sheet_fact(sheet, "severity", "程度", "severity", severity_word(env, alert->severity));
    lb_ctl_sheet_fact(sheet, "state", "状态", "state", state_word(env, alert->state));
    lb_ctl_sheet_fact(sheet, "opened", "时间（UTC）", "noticed (UTC)", opened);
    lb_ctl_sheet_fact(sheet, "due", "期限（UTC）", "due (UTC)", due);
    lb_ctl_sheet_number(sheet, "age_days", "天数", "days", age_days(env, alert));
    lb_ctl_sheet_fact(sheet, "organization", "机构", "office", alert->organization);
    lb_ctl_sheet_fact(sheet, "unit", "单位", "unit", alert->unit);
    lb_ctl_sheet_fact(sheet, "operator", "经办人", "operator", alert->actor);
    lb_ctl_sheet_fact(sheet, "assignee", "核查人", "assigned to", alert->assignee);
    lb_ctl_sheet_fact(sheet, "outcome", "结论", "outcome",
                      lb_review_outcome_name(alert->outcome));
    lb_ctl_sheet_number(sheet, "num_entries", "条目数", "entries", alert->num_entries);
}

static lb_status print_case(const struct lb_ctl_env *env, const struct lb_review_case *one,
                            struct lb_arena *arena)
{
    struct lb_ctl_sheet sheet;
    const char *entries = entry_words(one, arena);
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "arena is full");
    lb_ctl_sheet_init(&sheet, env, arena, act_columns,
                      sizeof(act_columns) / sizeof(act_columns[0]));
    for (size_t i = 0; i < one->num_acts; i++)
        add_act(&sheet, &one->acts[i]);
    add_facts(&sheet, &one->alert);
    lb_ctl_sheet_fact(&sheet, "entries", "条目", "entries", entries);
    return lb_ctl_sheet_print(&sheet, false);
}

static lb_status run_show(struct lb_ctl_env *env, const char *folder, int64_t id,
                          struct lb_diag *diag)
{
    LB_DEFER(lb_review_closep) struct lb_review *review = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_review_case one;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_review_open(folder, false, NULL, diag, &review));
    LB_TRY(lb_review_show(review, id, arena, &one));
    return print_case(env, &one, arena);
}

int lb_ctl_review_show(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban review show 7 --state tax-review", NULL};
    struct lb_ctl_list operands = {.num = 0};
    struct lb_diag diag = {.text = ""};
    const char *folder = NULL;
    int64_t id = 0;
    const struct lb_ctl_option options[] = {
        {.name = "state", .value = "DIR", .text = &folder, .required = true,
         .en = "the review queue's folder", .zh = "核查队列目录"},
    };
    const struct lb_ctl_usage usage = {
        .command = "review show", .examples = examples,
        .en = "one alert: why, the entries it rests on, what was done",
        .zh = "一项提示：缘由、所依据的条目、办理经过",
        .operand = "ALERT", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 1,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_number(operands.items[0], 1, INT64_C(1) << 53, &id))
        return lb_ctl_usage_error(env, "review show", "an alert is a number of review list");
    lb_status status = run_show(env, folder, id, &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, "review show", status, &diag);
}
