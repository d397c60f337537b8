#include "gateway/ctl/command.h"
#include "gateway/ctl/reconcile.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

#define RECONCILE_ARENA_BYTES (64U * 1024 * 1024)
#define MINUTE_MS INT64_C(60000)

/* Exit codes of this command. */
#define ALL_MATCH LB_CTL_OK
#define DIFFERENCES LB_CTL_FAILED
#define NOT_ASKED LB_CTL_USAGE

/* --- one comparison --- */

struct taking {
    struct lb_ctl_reconcile *reconcile;
    const char *adapter;
};

void lb_ctl_reconcile_keep(struct lb_ctl_reconcile *reconcile, const char *adapter,
                           const struct lb_reconcile_finding *finding)
{
    reconcile->num_found++;
    if (reconcile->num_shown < LB_CTL_RECONCILE_SHOWN)
        reconcile->shown[reconcile->num_shown++] =
            (struct lb_ctl_reconcile_finding){*finding, adapter};
}

static void take(void *arg, const struct lb_reconcile_finding *finding)
{
    const struct taking *taking = arg;
    lb_ctl_reconcile_keep(taking->reconcile, taking->adapter, finding);
}

lb_status lb_ctl_reconcile_add(struct lb_ctl_reconcile *reconcile, const char *broker,
                               const char *adapter, struct lb_reconcile_side at_broker,
                               struct lb_reconcile_side at_adapter)
{
    struct taking taking = {reconcile, adapter};
    LB_ENSURE(reconcile->num_pairs < LB_CTL_RECONCILE_PAIRS, LB_TOO_LARGE, "too many logs");
    struct lb_reconcile_run run = {
        .broker = at_broker,
        .adapter = at_adapter,
        .from_minute = lb_reconcile_minute(reconcile->from_ms),
        .to_minute = lb_reconcile_minute(reconcile->to_ms + MINUTE_MS - 1),
        .now_ms = reconcile->now_ms,
        .found = take,
        .arg = &taking,
    };
    LB_TRY(lb_reconcile_compare(&run));
    reconcile->pairs[reconcile->num_pairs++] = (struct lb_ctl_reconcile_pair){
        broker, adapter, run.tally, run.num_equal, run.num_differing};
    return LB_OK;
}

lb_status lb_ctl_reconcile_several(struct lb_ctl_reconcile *reconcile,
                                   const char *const *brokers,
                                   const struct lb_reconcile_side *at_brokers, size_t num_brokers,
                                   const char *adapter, struct lb_reconcile_side at_adapter)
{
    struct taking taking = {reconcile, adapter};
    struct lb_reconcile_run runs[LB_CTL_RECONCILE_BROKERS];
    LB_ENSURE(num_brokers <= LB_CTL_RECONCILE_BROKERS &&
                  reconcile->num_pairs + num_brokers <= LB_CTL_RECONCILE_PAIRS,
              LB_TOO_LARGE, "too many logs");
    for (size_t i = 0; i < num_brokers; i++)
        runs[i] = (struct lb_reconcile_run){.found = take, .arg = &taking};
    const struct lb_reconcile_several several = {
        .adapter = at_adapter,
        .brokers = at_brokers,
        .num_brokers = num_brokers,
        .from_minute = lb_reconcile_minute(reconcile->from_ms),
        .to_minute = lb_reconcile_minute(reconcile->to_ms + MINUTE_MS - 1),
        .now_ms = reconcile->now_ms,
        .runs = runs,
    };
    LB_TRY(lb_reconcile_several_run(&several));
    for (size_t i = 0; i < num_brokers; i++)
        reconcile->pairs[reconcile->num_pairs++] = (struct lb_ctl_reconcile_pair){
            brokers[i], adapter, runs[i].tally, runs[i].num_equal, runs[i].num_differing};
    return LB_OK;
}

/* --- the command line --- */

static const char *const examples[] = {
    "lianban log reconcile D/broker/state D/adapters/*/state D/window/state",
    "lianban log reconcile --officer officer.yaml --since 2026-07-01",
    "lianban log reconcile broker-copy tax-copy --since 2026-07-01 --until 2026-08-01 --json",
    NULL,
};

static bool read_time(const char *text, int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    return text == NULL || lb_ctl_time_parse(text, out) == LB_OK;
}

static int read_args(struct lb_ctl_reconcile *reconcile, int argc, char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "officer", .value = "PROFILE.yaml", .text = &reconcile->profile_path,
         .en = "ask the running nodes, as this officer; the own side may be a FOLDER",
         .zh = "以安全员身份查询运行中的节点；本方也可给出文件夹"},
        {.name = "since", .value = "TIME", .text = &reconcile->since,
         .en = "not before (nodes that are asked: a day ago); UTC unless it says +08:00",
         .zh = "此时间以后（查询节点时默认一天前）；未写时区时为 UTC"},
        {.name = "until", .value = "TIME", .text = &reconcile->until,
         .en = "before this time", .zh = "此时间以前"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log reconcile",
        .en = "compare brokers' logs with adapters', read by read, and parcels with windows' too;"
              " nothing is changed. Exit status 0: all match, 1: they differ, 2: they could not be"
              " compared",
        .zh = "逐条比对中转方与部门接入端的日志，移交件并与窗口日志比对（只读）。退出码 0 全部一致，"
              "1 有差异，2 未能比对",
        .operand = "FOLDER...", .min_operands = 0, .max_operands = LB_CTL_RECONCILE_PAIRS + 1,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(reconcile->env, &usage, argc, argv, &reconcile->folders);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    size_t num = reconcile->folders.num;
    if (reconcile->profile_path == NULL ? num < 2 : num > 1)
        return lb_ctl_usage_error(reconcile->env, "log reconcile",
                                  "give the folders of brokers and of adapters, or --officer and"
                                  " at most one folder");
    bool times = read_time(reconcile->since, 0, &reconcile->from_ms) &&
                 read_time(reconcile->until, INT64_MAX - MINUTE_MS, &reconcile->to_ms);
    if (!times || reconcile->from_ms < 0 || reconcile->from_ms >= reconcile->to_ms)
        return lb_ctl_usage_error(reconcile->env, "log reconcile",
                                  "--since and --until are times such as 2026-07-01T08:00+08:00,"
                                  " the first before the second");
    return LB_CTL_GO;
}

static int run(struct lb_ctl_reconcile *reconcile)
{
    lb_status status = reconcile->profile_path == NULL ? lb_ctl_reconcile_folders(reconcile)
                                                        : lb_ctl_reconcile_ask(reconcile);
    if (status == LB_OK)
        status = lb_ctl_reconcile_print(reconcile);
    if (status != LB_OK) {
        (void)lb_ctl_fail(reconcile->env, "log reconcile", status, &reconcile->diag);
        return NOT_ASKED;
    }
    return reconcile->num_found == 0 ? ALL_MATCH : DIFFERENCES;
}

static void cleanup(struct lb_ctl_reconcile *reconcile)
{
    for (size_t i = 0; reconcile->logs != NULL && i < reconcile->folders.num; i++)
        lb_reconcile_set_free(&reconcile->logs[i].set);
    lb_arena_free(reconcile->arena);
}

int lb_ctl_log_reconcile(struct lb_ctl_env *env, int argc, char **argv)
{
    struct lb_ctl_reconcile reconcile = {.env = env};
    int exit_code = read_args(&reconcile, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    reconcile.now_ms = lb_clock_unix_ms(env->clock);
    reconcile.arena = lb_arena_new(RECONCILE_ARENA_BYTES);
    if (reconcile.arena != NULL) {
        reconcile.logs =
            lb_arena_array(reconcile.arena, reconcile.folders.num, sizeof(*reconcile.logs));
        reconcile.shown =
            lb_arena_array(reconcile.arena, LB_CTL_RECONCILE_SHOWN, sizeof(*reconcile.shown));
        reconcile.parcels_shown = lb_arena_array(reconcile.arena, LB_CTL_RECONCILE_SHOWN,
                                                 sizeof(*reconcile.parcels_shown));
    }
    if (reconcile.logs == NULL || reconcile.shown == NULL || reconcile.parcels_shown == NULL) {
        (void)lb_ctl_fail(env, "log reconcile", LB_FAULT(LB_NO_MEMORY, "memory is exhausted"),
                          NULL);
        exit_code = NOT_ASKED;
    } else {
        exit_code = run(&reconcile);
    }
    cleanup(&reconcile);
    return exit_code;
}
