#include <time.h>

#include "gateway/audit/build.h"
#include "gateway/base/wipe.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/sheet.h"
#include "gateway/evidence/inspect.h"
#include "gateway/trust/keys.h"

/* Builds the officer's query index, once or for as long as it runs. */

#define MAX_OFFICER_KEYS 16
#define INDEX_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)

struct indexing {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_log_keys keys;
    const char *log;
    struct lb_ctl_list key_paths;
    const char *folder;
    bool rebuild;
    bool copy;
    bool follow;
    int64_t every_s;
    struct lb_x25519_key officers[MAX_OFFICER_KEYS];
    struct lb_note_verifier verifier;
    struct lb_audit_build *build;
};

static lb_status load_officer(struct indexing *indexing)
{
    for (size_t i = 0; i < indexing->key_paths.num; i++) {
        const char *path = indexing->key_paths.items[i];
        lb_status status = lb_keys_load_x25519(path, &indexing->officers[i]);
        if (status != LB_OK)
            lb_diag_set(&indexing->diag, "%s: %s; give the security officer's key, readable by"
                                         " you alone", path, status->what);
        LB_TRY(status);
    }
    return LB_OK;
}

static lb_status read_origin(struct indexing *indexing, const char **out_origin)
{
    struct lb_log_reader *reader = NULL;
    LB_TRY(lb_log_reader_open(indexing->log, &indexing->diag, &reader));
    lb_status status = lb_log_reader_origin(reader, indexing->arena, out_origin);
    if (status != LB_OK)
        lb_diag_set(&indexing->diag, "%s: the log has no checkpoint", indexing->log);
    lb_log_reader_close(reader);
    return status;
}

static lb_status open_index(struct indexing *indexing)
{
    const char *origin = NULL;
    LB_TRY(load_officer(indexing));
    LB_TRY(lb_ctl_log_keys_open(&indexing->keys, indexing->env, indexing->arena,
                                &indexing->diag));
    LB_TRY(read_origin(indexing, &origin));
    LB_TRY(lb_ctl_log_keys_find(&indexing->keys, origin, &indexing->diag, &indexing->verifier));
    const struct lb_audit_build_options options = {
        .log = indexing->log,
        .folder = indexing->folder,
        .verifier = &indexing->verifier,
        .officer = {indexing->officers, indexing->key_paths.num},
        .clock = indexing->env->clock,
        .rebuild = indexing->rebuild,
        .copy = indexing->copy,
    };
    return lb_audit_build_open(&options, &indexing->diag, &indexing->build);
}

static lb_status print(const struct indexing *indexing, const struct lb_audit_progress *progress)
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
static lb_status follow(struct indexing *indexing)
{
    const struct timespec pause = {.tv_sec = indexing->every_s};
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

static lb_status work(struct indexing *indexing)
{
    struct lb_audit_progress progress;
    indexing->arena = lb_arena_new(INDEX_ARENA_BYTES);
    LB_ENSURE(indexing->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(open_index(indexing));
    if (indexing->follow)
        return follow(indexing);
    LB_TRY(lb_audit_build_step(indexing->build, &indexing->diag, &progress));
    return print(indexing, &progress);
}

static int run(struct indexing *indexing)
{
    int exit_code = LB_CTL_OK;
    lb_status status = work(indexing);
    if (status != LB_OK)
        exit_code = lb_ctl_fail(indexing->env, "log index", status, &indexing->diag);
    lb_audit_build_close(indexing->build);
    lb_note_verifier_cleanup(&indexing->verifier);
    lb_ctl_log_keys_close(&indexing->keys);
    lb_wipe(indexing->officers, sizeof(indexing->officers));
    lb_arena_free(indexing->arena);
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
    struct indexing indexing = {.env = env, .every_s = 1};
    struct lb_ctl_option options[7 + LB_CTL_LOG_KEYS_OPTIONS] = {
        {.name = "log", .value = "DIR", .required = true, .text = &indexing.log,
         .en = "the log's folder; it is only read", .zh = "存证日志目录（只读）"},
        {.name = "officer-key", .value = "FILE", .required = true, .list = &indexing.key_paths,
         .en = "the officer's private key, to which details are sealed; again for older ones",
         .zh = "安全员私钥；更换过的旧私钥可重复给出"},
        {.name = "index", .value = "DIR", .required = true, .text = &indexing.folder,
         .en = "where the index is, one folder for each log", .zh = "索引目录，每个日志一个"},
        {.name = "rebuild", .flag = &indexing.rebuild, .en = "begin anew", .zh = "重新建立"},
        {.name = "copy", .flag = &indexing.copy,
         .en = "the folder is a copy that no node serves", .zh = "该目录是副本，无节点使用"},
        {.name = "follow", .flag = &indexing.follow, .en = "go on until interrupted",
         .zh = "持续跟随"},
        {.name = "every", .value = "SECONDS", .number = &indexing.every_s, .min = 1, .max = 3600,
         .en = "with --follow; default 1", .zh = "跟随间隔，默认 1 秒"},
    };
    lb_ctl_log_keys_options(&indexing.keys, options + 7);
    const struct lb_ctl_usage usage = {
        .command = "log index",
        .en = "build or continue the officer's query index of one log",
        .zh = "建立或续建安全员的查询索引",
        .options = options, .num_options = 7 + LB_CTL_LOG_KEYS_OPTIONS, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_log_keys_check(env, "log index", &indexing.keys);
    if (exit_code == LB_CTL_GO && indexing.key_paths.num > MAX_OFFICER_KEYS)
        return lb_ctl_usage_error(env, "log index", "at most %d officer's keys", MAX_OFFICER_KEYS);
    return exit_code != LB_CTL_GO ? exit_code : run(&indexing);
}
