#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/utf8.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/drill.h"
#include "gateway/ctl/owner.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

/* Drills at one node: these commands write a file that it looks at once a second. */

struct drilling {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    const char *config;
    const char *by, *at;
    const char *plan;
    struct lb_doctor_config node;
    const char *path, *kept;   /* what runs, and what stays for the report */
    struct lb_drill drill;
};

static lb_status fail(struct drilling *drilling, enum lb_code code, const char *text)
{
    lb_diag_set(&drilling->diag, "%s: %s", drilling->config, text);
    return lb_status_of(code);
}

static lb_status find_node(struct drilling *drilling)
{
    LB_TRY(lb_doctor_config_load(drilling->config, drilling->arena, &drilling->diag,
                                 &drilling->node));
    if (!drilling->node.drills)
        return fail(drilling, LB_CONFIG_INVALID,
                    "this node takes no part in drills; its configuration has no `drills`");
    drilling->path = lb_arena_printf(drilling->arena, "%s/drill.yaml", drilling->node.state);
    LB_ENSURE(drilling->path != NULL, LB_NO_MEMORY, "memory is exhausted");
    return LB_OK;
}

/* --- start --- */

static lb_status check_faults(struct drilling *drilling)
{
    bool at_broker = drilling->node.kind == LB_NODE_BROKER;
    for (size_t i = 0; i < drilling->drill.num_steps; i++) {
        if (lb_drill_kind(drilling->drill.steps[i].fault)->at_broker != at_broker)
            return fail(drilling, LB_CONFIG_INVALID,
                        "the plan has a fault of another kind of node: broker-away is a broker's, "
                        "the others an adapter's");
    }
    return LB_OK;
}

static lb_status set_start(struct drilling *drilling)
{
    struct lb_drill *drill = &drilling->drill;
    int64_t now = lb_clock_unix_s(drilling->env->clock), at_ms = 0;
    size_t len = strlen(drilling->by);
    if (len == 0 || len > LB_MAX_NAME_BYTES || !lb_utf8_line(drilling->by, LB_MAX_NAME_BYTES))
        return fail(drilling, LB_MALFORMED, "--by is one line of at most 64 bytes");
    (void)snprintf(drill->by, sizeof(drill->by), "%s", drilling->by);
    drill->start_unix_s = now;
    if (drilling->at == NULL)
        return LB_OK;
    if (lb_ctl_time_parse(drilling->at, &at_ms) != LB_OK || at_ms / 1000 < now ||
        at_ms / 1000 > now + 30 * LB_DRILL_MAX_S)
        return fail(drilling, LB_MALFORMED, "--at is a time within the next 30 days, such as "
                                            "2026-11-22T09:00+08:00");
    drill->start_unix_s = at_ms / 1000;
    return LB_OK;
}

static lb_status find_kept(struct drilling *drilling, const char *name)
{
    const char *folder = lb_arena_printf(drilling->arena, "%s/drills", drilling->node.state);
    LB_ENSURE(folder != NULL, LB_NO_MEMORY, "memory is exhausted");
    drilling->kept = lb_arena_printf(drilling->arena, "%s/%s.yaml", folder, name);
    LB_ENSURE(drilling->kept != NULL, LB_NO_MEMORY, "memory is exhausted");
    return lb_file_mkdirs(folder);
}

static lb_status write_files(struct drilling *drilling)
{
    const char *text = NULL;
    LB_TRY(find_kept(drilling, drilling->drill.name));
    if (access(drilling->path, F_OK) == 0)
        return fail(drilling, LB_CONFIG_INVALID,
                    "a drill is under way or waits; end it with `drill stop`");
    if (access(drilling->kept, F_OK) == 0)
        return fail(drilling, LB_CONFIG_INVALID, "there was a drill of this name; give it another");
    LB_TRY(lb_drill_text(&drilling->drill, drilling->arena, &text));
    LB_TRY(lb_file_write(drilling->kept, lb_span_str(text), S_IRUSR | S_IWUSR));
    return lb_file_write(drilling->path, lb_span_str(text), S_IRUSR | S_IWUSR);
}

/* Runs one step in the node's state, as the account it belongs to. */
static lb_status in_state(struct drilling *drilling, lb_status (*step)(struct drilling *drilling))
{
    LB_DEFER(lb_ctl_owner_leave) uid_t user = geteuid();
    LB_DEFER(lb_ctl_owner_unlock) int fd = -1;
    const char *lock = lb_arena_printf(drilling->arena, "%s/drill.lock", drilling->node.state);
    LB_ENSURE(lock != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_owner_become(drilling->node.state, user));
    LB_TRY(lb_ctl_owner_lock(lock, &fd));
    return step(drilling);
}

static lb_status start(struct drilling *drilling)
{
    LB_TRY(find_node(drilling));
    LB_TRY(lb_drill_load(drilling->plan, false, &drilling->diag, &drilling->drill));
    LB_TRY(check_faults(drilling));
    LB_TRY(set_start(drilling));
    return in_state(drilling, write_files);
}

/* --- stop, show --- */

static lb_status read_running(struct drilling *drilling)
{
    if (access(drilling->path, F_OK) != 0)
        return fail(drilling, LB_ABSENT, "no drill is under way or waits");
    return lb_drill_load(drilling->path, true, &drilling->diag, &drilling->drill);
}

static lb_status remove_running(struct drilling *drilling)
{
    if (unlink(drilling->path) != 0)
        return fail(drilling, LB_ABSENT, "no drill is under way or waits");
    return LB_OK;
}

static lb_status stop(struct drilling *drilling)
{
    LB_TRY(find_node(drilling));
    return in_state(drilling, remove_running);
}

static lb_status show(struct drilling *drilling)
{
    LB_TRY(find_node(drilling));
    return read_running(drilling);
}

static lb_status check(struct drilling *drilling)
{
    return lb_drill_load(drilling->plan, false, &drilling->diag, &drilling->drill);
}

/* --- printing --- */

static const struct lb_ctl_column columns[] = {
    {"fault", "fault", "故障", LB_CTL_IN_TABLE, false},
    {"after_s", "after s", "开始于（秒）", LB_CTL_IN_TABLE, true},
    {"for_s", "for s", "持续（秒）", LB_CTL_IN_TABLE, true},
    {"expected", "expected", "预期代码", LB_CTL_IN_TABLE, false},
    {"means", "means", "含义", LB_CTL_UNDER_ROW, false},
};

static lb_status print(const struct drilling *drilling)
{
    const struct lb_drill *drill = &drilling->drill;
    struct lb_ctl_sheet sheet;
    char time[LB_CTL_TIME_BYTES];
    lb_ctl_sheet_init(&sheet, drilling->env, drilling->arena, columns, 5);
    for (size_t i = 0; i < drill->num_steps; i++) {
        const struct lb_drill_step *step = &drill->steps[i];
        const struct lb_drill_kind *kind = lb_drill_kind(step->fault);
        const char *const cells[] = {
            kind->name,
            lb_arena_printf(drilling->arena, "%lld", (long long)step->after_s),
            lb_arena_printf(drilling->arena, "%lld", (long long)step->for_s),
            lb_code_name(kind->expected), lb_ctl_pick(drilling->env, kind->zh, kind->en)};
        lb_ctl_sheet_row(&sheet, cells);
    }
    lb_ctl_sheet_fact(&sheet, "drill", "演练", "drill", drill->name);
    if (drill->start_unix_s != 0) {
        lb_ctl_time(drill->start_unix_s * 1000, time);
        lb_ctl_sheet_fact(&sheet, "start", "开始", "starts", time);
        lb_ctl_time(lb_drill_end_s(drill) * 1000, time);
        lb_ctl_sheet_fact(&sheet, "end", "结束", "ends", time);
        lb_ctl_sheet_fact(&sheet, "by", "发起人", "by", drill->by);
    }
    return lb_ctl_sheet_print(&sheet, false);
}

/* --- the words --- */

static int run(struct drilling *drilling, const char *command,
               lb_status (*work)(struct drilling *drilling))
{
    drilling->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    lb_status status = drilling->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                                               : work(drilling);
    if (status == LB_OK && drilling->drill.num_steps > 0)
        status = print(drilling);
    int exit_code = status == LB_OK ? LB_CTL_OK
                                    : lb_ctl_fail(drilling->env, command, status, &drilling->diag);
    lb_arena_free(drilling->arena);
    return exit_code;
}

#define CONFIG_OPTION(drilling_)                                                                   \
    {.name = "config", .value = "FILE", .required = true, .text = &(drilling_).config,             \
     .en = "the node's configuration", .zh = "节点的配置文件"}

static int check_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban drill check plan.yaml", NULL};
    struct drilling drilling = {.env = env};
    struct lb_ctl_list operands = {.num = 0};
    const struct lb_ctl_usage usage = {
        .command = "drill check", .en = "read a plan and say what it makes believe",
        .zh = "检查演练方案", .operand = "PLAN", .min_operands = 1, .max_operands = 1,
        .examples = examples};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    drilling.plan = operands.items[0];
    return run(&drilling, usage.command, check);
}

static int start_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban drill start plan.yaml --config /etc/lianban/adapter/node.yaml --by li",
        "lianban drill start plan.yaml --config node.yaml --by li --at 2026-11-22T09:00+08:00",
        NULL};
    struct drilling drilling = {.env = env};
    struct lb_ctl_list operands = {.num = 0};
    const struct lb_ctl_option options[] = {
        CONFIG_OPTION(drilling),
        {.name = "by", .value = "WHO", .required = true, .text = &drilling.by,
         .en = "who starts it, for the evidence", .zh = "发起人，写入方案"},
        {.name = "at", .value = "TIME", .text = &drilling.at, .en = "when (default: now)",
         .zh = "开始时间（默认立即）"}};
    const struct lb_ctl_usage usage = {
        .command = "drill start", .en = "begin a drill at a node; it ends by itself",
        .zh = "在节点上开始演练，到时自动结束", .operand = "PLAN", .min_operands = 1,
        .max_operands = 1, .options = options, .num_options = 3, .examples = examples};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &operands);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    drilling.plan = operands.items[0];
    return run(&drilling, usage.command, start);
}

static int simple_command(struct lb_ctl_env *env, int argc, char **argv,
                          const struct lb_ctl_usage *texts,
                          lb_status (*work)(struct drilling *drilling))
{
    struct drilling drilling = {.env = env};
    const struct lb_ctl_option options[] = {CONFIG_OPTION(drilling)};
    struct lb_ctl_usage usage = *texts;
    usage.options = options;
    usage.num_options = 1;
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code != LB_CTL_GO ? exit_code : run(&drilling, usage.command, work);
}

static int stop_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban drill stop --config /etc/lianban/adapter/node.yaml", NULL};
    const struct lb_ctl_usage usage = {.command = "drill stop", .en = "end a drill before its time",
                                       .zh = "提前结束演练", .examples = examples};
    return simple_command(env, argc, argv, &usage, stop);
}

static int show_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban drill show --config /etc/lianban/adapter/node.yaml", NULL};
    const struct lb_ctl_usage usage = {.command = "drill show",
                                       .en = "the drill that is under way or waits",
                                       .zh = "查看进行中或待开始的演练", .examples = examples};
    return simple_command(env, argc, argv, &usage, show);
}

int lb_ctl_drill_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check a plan", "检查方案", check_command},
        {"start", "begin a drill at a node", "开始演练", start_command},
        {"stop", "end it before its time", "提前结束", stop_command},
        {"show", "what is under way", "查看", show_command},
        {"report", "what became of it", "演练报告", lb_ctl_drill_report}};
    return lb_ctl_words(env, "drill", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
