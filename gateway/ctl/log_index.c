#include <time.h>

#include "gateway/ctl/command.h"
#include "gateway/ctl/indexing.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"

/* Builds the officer's query index, once or for as long as it runs. */

struct following {
    struct lb_ctl_indexing indexing;
    bool follow;
    int64_t every_s;
};

static lb_status print(const struct lb_ctl_indexing *indexing,
                       const struct lb_audit_progress *progress)
{
    struct lb_ctl_sheet sheet;
    lb_ctl_sheet_init(&sheet, indexing->env, indexing->arena, NULL, 0);
    lb_ctl_sheet_fact(&sheet, "log", "存证日志", "log", indexing->verifier.name);
    lb_ctl_sheet_number(&sheet, "indexed", "已建索引条数", "entries in the index",
                        (int64_t)progress->size);
    lb_ctl_sheet_number(&sheet, "added", "本次新增", "added", (int64_t)progress->num_added);
    lb_ctl_sheet_number(&sheet, "erased_keys", "本次清除的已删除密钥", "data keys cleared",
                        (int64_t)progress->num_forgotten);
    lb_ctl_sheet_number(&sheet, "broken", "无法打开的明细", "details that do not open",
                        (int64_t)progress->num_broken);
    return lb_ctl_sheet_print(&sheet, false);
}

/* Until it is killed: a step at once, then one every so many seconds. */
static lb_status follow(struct following *following)
{
    struct lb_ctl_indexing *indexing = &following->indexing;
    const struct timespec pause = {.tv_sec = following->every_s};
    for (;;) {
        struct lb_audit_progress progress;
        LB_TRY(lb_audit_build_step(indexing->build, &indexing->diag, &progress));
        if (progress.num_added > 0 || progress.num_forgotten > 0)
            lb_ctl_note(indexing->env, "%llu entries, %llu new, %llu keys cleared",
                        (unsigned long long)progress.size,
                        (unsigned long long)progress.num_added,
                        (unsigned long long)progress.num_forgotten);
        (void)nanosleep(&pause, NULL);
    }
}

static lb_status work(struct following *following)
{
    struct lb_ctl_indexing *indexing = &following->indexing;
    struct lb_audit_progress progress;
    LB_TRY(lb_ctl_indexing_open(indexing));
    if (following->follow)
        return follow(following);
    LB_TRY(lb_audit_build_step(indexing->build, &indexing->diag, &progress));
    return print(indexing, &progress);
}

static int run(struct following *following)
{
    struct lb_ctl_indexing *indexing = &following->indexing;
    int exit_code = LB_CTL_OK;
    lb_status status = work(following);
    if (status != LB_OK)
        exit_code = lb_ctl_fail(indexing->env, "log index", status, &indexing->diag);
    lb_ctl_indexing_close(indexing);
    return exit_code;
}

static const char *const examples[] = {
    "lianban log index --log /var/lib/lianban/tax --officer-key officer.key --index ~/audit/tax"
    " --directory directory.note --signer VKEY",
    "lianban log index --log tax/state --officer-key officer.key --index tax-index --vkey V"
    " --follow",
    NULL,
};

int lb_ctl_log_index(struct lb_ctl_env *env, int argc, char **argv)
{
    struct following following = {.indexing = {.env = env}, .every_s = 1};
    struct lb_ctl_indexing *indexing = &following.indexing;
    struct lb_ctl_option options[4 + LB_CTL_INDEXING_OPTIONS] = {
        {.name = "rebuild", .flag = &indexing->rebuild, .en = "begin anew", .zh = "重新建立"},
        {.name = "copy", .flag = &indexing->copy,
         .en = "the folder is a copy that no node serves", .zh = "该目录是副本，无节点使用"},
        {.name = "follow", .flag = &following.follow, .en = "go on until interrupted",
         .zh = "持续跟随"},
        {.name = "every", .value = "SECONDS", .number = &following.every_s, .min = 1, .max = 3600,
         .en = "with --follow; default 1", .zh = "跟随间隔，默认 1 秒"},
    };
    lb_ctl_indexing_options(indexing, options + 4);
    const struct lb_ctl_usage usage = {
        .command = "log index",
        .en = "build or continue the officer's query index of one log",
        .zh = "建立或续建安全员的查询索引",
        .options = options, .num_options = 4 + LB_CTL_INDEXING_OPTIONS, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_indexing_check(indexing, "log index");
    return exit_code != LB_CTL_GO ? exit_code : run(&following);
}
