#include <string.h>

#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/drill.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/evidence/inspect.h"
#include "policy/engine/view.h"

/* What became of a drill, read from the node's evidence log alone: what was made believe and when,
 * whether it met anybody and with which code, who noticed, and how soon all was well again. */

/* An entry is written up to so much later than what it tells. */
#define LATE_MS 2000

struct course {
    uint64_t hits;
    int64_t first_ms, noticed_ms, recovered_ms;  /* 0: never */
};

struct report {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena, *leaf_arena;
    const char *config, *name;
    struct lb_doctor_config node;
    struct lb_drill drill;
    int64_t started_ms, ended_ms;
    bool stopped;
    size_t num_starts;
    struct course courses[LB_DRILL_NUM_FAULTS];  /* by step */
};

static const struct lb_ctl_column columns[] = {
    {"fault", "fault", "故障", LB_CTL_IN_TABLE, false},
    {"expected", "expected", "预期代码", LB_CTL_IN_TABLE, false},
    {"appeared", "appeared", "是否出现", LB_CTL_IN_TABLE, false},
    {"requests", "requests", "次数", LB_CTL_IN_TABLE, true},
    {"first_after_s", "first after s", "首次出现（秒后）", LB_CTL_IN_TABLE, true},
    {"noticed_after_s", "noticed after s", "发觉（秒后）", LB_CTL_IN_TABLE, true},
    {"well_after_s", "well after s", "恢复（秒后）", LB_CTL_IN_TABLE, true},
    {"injected", "made believe", "注入", LB_CTL_UNDER_ROW, false},
    {"from", "from", "自", LB_CTL_UNDER_ROW, false},
    {"until", "until", "至", LB_CTL_UNDER_ROW, false},
    {"call", "call", "联系", LB_CTL_UNDER_ROW, false},
};
#define NUM_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* --- reading --- */

static int64_t begins_ms(const struct report *report, size_t i)
{
    return (report->drill.start_unix_s + report->drill.steps[i].after_s) * 1000;
}

static int64_t over_ms(const struct report *report, size_t i)
{
    return begins_ms(report, i) + report->drill.steps[i].for_s * 1000;
}

static void first_of(int64_t *at, int64_t time_ms)
{
    if (*at == 0 || time_ms < *at)
        *at = time_ms;
}

static void take_own(struct report *report, const struct lb_leaf *leaf)
{
    if (strcmp(leaf->code, "DRILL_STARTED") == 0) {
        first_of(&report->started_ms, leaf->time_ms);
        report->num_starts++;
    }
    bool stopped = strcmp(leaf->code, "DRILL_STOPPED") == 0;
    if (stopped || strcmp(leaf->code, "DRILL_ENDED") == 0) {
        first_of(&report->ended_ms, leaf->time_ms);
        report->stopped |= stopped;
    }
    for (size_t i = 0; i < report->drill.num_steps; i++) {
        struct course *course = &report->courses[i];
        bool within = leaf->time_ms >= begins_ms(report, i) &&
                      leaf->time_ms < over_ms(report, i) + LATE_MS;
        if (strcmp(leaf->code, lb_drill_kind(report->drill.steps[i].fault)->entry) == 0) {
            course->hits += leaf->count;
            first_of(&course->first_ms, leaf->time_ms);
        }
        if (within && strcmp(leaf->code, "DRILL_NOTICED") == 0)
            first_of(&course->noticed_ms, leaf->time_ms);
    }
}

/* A drill case that went through again. */
static void take_answer(struct report *report, const struct lb_leaf *leaf)
{
    for (size_t i = 0; i < report->drill.num_steps; i++) {
        bool broker = lb_drill_kind(report->drill.steps[i].fault)->at_broker;
        int64_t over = over_ms(report, i);
        if (report->stopped && report->ended_ms < over)
            over = report->ended_ms;
        if (leaf->type == (broker ? LB_LEAF_DELIVER : LB_LEAF_READ) && leaf->time_ms >= over)
            first_of(&report->courses[i].recovered_ms, leaf->time_ms);
    }
}

static void take(struct report *report, const struct lb_leaf *leaf)
{
    bool own = memcmp(leaf->request_hash, report->drill.sha256, 32) == 0;
    if (leaf->type == LB_LEAF_ADMIN && own)
        take_own(report, leaf);
    else if (lb_view_is_drill(leaf->views) && strcmp(leaf->code, "ANSWERED") == 0)
        take_answer(report, leaf);
}

/* From the first entry that can be about it on. */
static lb_status find_first(struct report *report, struct lb_log_reader *reader, uint64_t size,
                            uint64_t *out)
{
    int64_t start_ms = report->drill.start_unix_s * 1000;
    uint64_t low = 0, high = size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        struct lb_leaf leaf;
        struct lb_hash hash;
        lb_arena_reset(report->leaf_arena);
        LB_TRY(lb_log_reader_leaf(reader, middle, report->leaf_arena, &leaf, &hash));
        if (leaf.time_ms < start_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return LB_OK;
}

static lb_status read_log(struct report *report)
{
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    uint64_t size = 0, first = 0;
    LB_TRY(lb_log_reader_open(report->node.state, &report->diag, &reader));
    LB_TRY(lb_log_reader_size(reader, &size));
    LB_TRY(find_first(report, reader, size, &first));
    for (uint64_t i = first; i < size; i++) {
        struct lb_leaf leaf;
        struct lb_hash hash;
        lb_arena_reset(report->leaf_arena);
        LB_TRY(lb_log_reader_leaf(reader, i, report->leaf_arena, &leaf, &hash));
        take(report, &leaf);
    }
    return LB_OK;
}

static bool is_name(const char *name)
{
    return name[0] != 0 && strlen(name) <= LB_MAX_NAME_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static lb_status read_all(struct report *report)
{
    LB_TRY(lb_doctor_config_load(report->config, report->arena, &report->diag, &report->node));
    if (!is_name(report->name)) {
        lb_diag_set(&report->diag, "--drill is a drill's name");
        LB_FAIL(LB_MALFORMED, "name");
    }
    const char *path = lb_arena_printf(report->arena, "%s/drills/%s.yaml", report->node.state,
                                       report->name);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_drill_load(path, true, &report->diag, &report->drill));
    return read_log(report);
}

/* --- telling --- */

static const char *after(const struct report *report, int64_t at_ms, int64_t from_ms)
{
    if (at_ms == 0)
        return "";
    int64_t late = at_ms > from_ms ? at_ms - from_ms : 0;
    return lb_arena_printf(report->arena, "%lld", (long long)(late / 1000));
}

static const char *time_of(const struct report *report, int64_t at_ms)
{
    char text[LB_CTL_TIME_BYTES] = "";
    if (at_ms != 0)
        lb_ctl_time(at_ms, text);
    return lb_arena_str(report->arena, lb_span_str(text));
}

static const char *yes_no(const struct lb_ctl_env *env, bool yes)
{
    if (env->json)
        return yes ? "yes" : "no";
    return yes ? lb_ctl_pick(env, "是", "yes") : lb_ctl_pick(env, "否", "no");
}

static void put_step(const struct report *report, size_t i, struct lb_ctl_sheet *sheet)
{
    const struct lb_ctl_env *env = report->env;
    const struct lb_drill_kind *kind = lb_drill_kind(report->drill.steps[i].fault);
    const struct course *course = &report->courses[i];
    int64_t from = begins_ms(report, i), until = over_ms(report, i);
    const char *const cells[NUM_COLUMNS] = {
        kind->name,
        lb_code_name(kind->expected),
        yes_no(env, course->hits > 0),
        lb_arena_printf(report->arena, "%llu", (unsigned long long)course->hits),
        after(report, course->first_ms, from),
        after(report, course->noticed_ms, from),
        after(report, course->recovered_ms, until),
        lb_ctl_pick(env, kind->zh, kind->en),
        time_of(report, from),
        time_of(report, until),
        lb_ctl_pick(env, kind->call_zh, kind->call_en),
    };
    lb_ctl_sheet_row(sheet, cells);
}

static const char *outcome(const struct report *report, bool all)
{
    const struct lb_ctl_env *env = report->env;
    if (report->started_ms == 0)
        return env->json ? "not_run" : lb_ctl_pick(env, "未曾进行", "it never ran");
    if (report->ended_ms == 0)
        return env->json ? "under_way" : lb_ctl_pick(env, "进行中", "under way");
    if (report->stopped)
        return env->json ? "stopped" : lb_ctl_pick(env, "提前结束", "ended before its time");
    if (!all)
        return env->json ? "incomplete"
                         : lb_ctl_pick(env, "有故障未被任何办件碰到", "no case met some fault");
    return env->json ? "complete" : lb_ctl_pick(env, "完成", "complete");
}

static lb_status print(const struct report *report, bool *out_good)
{
    struct lb_ctl_sheet sheet;
    bool all = true;
    lb_ctl_sheet_init(&sheet, report->env, report->arena, columns, NUM_COLUMNS);
    for (size_t i = 0; i < report->drill.num_steps; i++) {
        put_step(report, i, &sheet);
        all = all && report->courses[i].hits > 0;
    }
    lb_ctl_sheet_fact(&sheet, "drill", "演练", "drill", report->drill.name);
    lb_ctl_sheet_fact(&sheet, "node", "节点", "node", report->node.node);
    lb_ctl_sheet_fact(&sheet, "by", "发起人", "by", report->drill.by);
    lb_ctl_sheet_fact(&sheet, "started", "开始", "started", time_of(report, report->started_ms));
    lb_ctl_sheet_fact(&sheet, "ended", "结束", "ended", time_of(report, report->ended_ms));
    lb_ctl_sheet_number(&sheet, "starts", "开始次数（含重启）", "starts, restarts included",
                        (int64_t)report->num_starts);
    lb_ctl_sheet_fact(&sheet, "outcome", "结果", "outcome", outcome(report, all));
    *out_good = all && report->ended_ms != 0 && !report->stopped;
    return lb_ctl_sheet_print(&sheet, false);
}

int lb_ctl_drill_report(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban drill report --config /etc/lianban/adapter/node.yaml --drill county-morning",
        NULL};
    struct report report = {.env = env};
    bool good = false;
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .required = true, .text = &report.config,
         .en = "the node's configuration", .zh = "节点的配置文件"},
        {.name = "drill", .value = "NAME", .required = true, .text = &report.name,
         .en = "the drill's name", .zh = "演练名称"}};
    const struct lb_ctl_usage usage = {
        .command = "drill report",
        .en = "what became of a drill, from the node's evidence. Exit code 0: it ran to its end "
              "and every fault was met, 1: otherwise",
        .zh = "依据节点存证给出演练报告。退出码 0：按时结束且每项故障都出现过；1：其他",
        .options = options, .num_options = 2, .examples = examples};
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    report.arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    report.leaf_arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    lb_status status = report.arena == NULL || report.leaf_arena == NULL
                           ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                           : read_all(&report);
    if (status == LB_OK)
        status = print(&report, &good);
    exit_code = status != LB_OK ? lb_ctl_fail(env, usage.command, status, &report.diag)
                : good          ? LB_CTL_OK
                                : LB_CTL_FAILED;
    lb_arena_free(report.leaf_arena);
    lb_arena_free(report.arena);
    return exit_code;
}
