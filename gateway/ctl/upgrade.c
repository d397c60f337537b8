#include "gateway/backup/rehearse.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"

/* What this version would do to a node's stores, tried on a copy of them while the node runs. */

#define UPGRADE_ARENA_BYTES (64U * 1024 * 1024)

struct upgrade {
    struct lb_ctl_env *env;
    const char *config_path;
    const char *out;
    bool keep;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_doctor_config config;
    size_t num;
    struct lb_rehearsed rows[LB_REHEARSE_MAX];
    int64_t took_ms;  /* all steps of all stores */
};

static void tell(void *ctx, const char *what, uint64_t done, uint64_t all)
{
    const struct upgrade *upgrade = ctx;
    if (done == 0 && all == 0)
        lb_ctl_note(upgrade->env, "%s", what);
}

/* --- print --- */

static const char *state_of(const struct upgrade *upgrade, const struct lb_rehearsed *row)
{
    if (row->found > row->known)
        return lb_ctl_pick(upgrade->env, "更新的版本写入，拒绝", "newer: refused");
    if (row->found < row->known)
        return lb_ctl_pick(upgrade->env, "将升级", "is brought forward");
    return lb_ctl_pick(upgrade->env, "不变", "unchanged");
}

static lb_status print_rows(const struct upgrade *upgrade)
{
    const char *const en[] = {"store", "bytes", "its version", "this program's", "ms", "", NULL};
    const char *const zh[] = {"存储", "字节", "文件版本", "程序版本", "毫秒", "", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, upgrade->arena, upgrade->env->chinese ? zh : en);
    for (size_t i = 0; i < upgrade->num; i++) {
        const struct lb_rehearsed *row = &upgrade->rows[i];
        const char *const cells[] = {
            row->name,
            lb_arena_printf(upgrade->arena, "%llu", (unsigned long long)row->bytes),
            lb_arena_printf(upgrade->arena, "%llu", (unsigned long long)row->found),
            lb_arena_printf(upgrade->arena, "%llu", (unsigned long long)row->known),
            lb_arena_printf(upgrade->arena, "%lld", (long long)row->took_ms),
            state_of(upgrade, row),
        };
        lb_ctl_table_row(&table, cells);
    }
    return lb_ctl_table_print(&table, upgrade->env->out);
}

static lb_status print_json(const struct upgrade *upgrade)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *rows = lb_json_array();
    bool changes = false;
    for (size_t i = 0; i < upgrade->num; i++) {
        const struct lb_rehearsed *row = &upgrade->rows[i];
        struct lb_json *item = lb_json_object();
        lb_json_set_cstr(item, "store", row->name);
        lb_json_set_int(item, "bytes", (int64_t)row->bytes);
        lb_json_set_int(item, "found", (int64_t)row->found);
        lb_json_set_int(item, "known", (int64_t)row->known);
        lb_json_set_int(item, "took_ms", row->took_ms);
        lb_json_append(rows, item);
        changes = changes || row->found < row->known;
    }
    lb_json_set_cstr(root, "node", upgrade->config.node);
    lb_json_set_cstr(root, "version", upgrade->env->version);
    lb_json_set_bool(root, "changes", changes);
    lb_json_set_int(root, "took_ms", upgrade->took_ms);
    lb_json_set(root, "stores", rows);
    return lb_ctl_print_json(upgrade->env, root);
}

static lb_status print(const struct upgrade *upgrade)
{
    const struct lb_ctl_env *env = upgrade->env;
    if (env->json)
        return print_json(upgrade);
    LB_TRY(print_rows(upgrade));
    (void)fprintf(env->out, "%s %s: %s %lld ms\n", lb_ctl_pick(env, "版本", "version"), env->version,
                  lb_ctl_pick(env, "可以安装，存储升级共需", "may be installed; the stores take"),
                  (long long)upgrade->took_ms);
    return LB_OK;
}

/* --- work --- */

static lb_status rehearse(struct upgrade *upgrade)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const struct lb_backup_watch watch = {tell, upgrade};
    const struct lb_ctl_env *env = upgrade->env;
    const struct lb_store_schema *kinds = NULL;
    size_t num_kinds = 0;
    LB_TRY(lb_doctor_config_load(upgrade->config_path, upgrade->arena, &upgrade->diag,
                                 &upgrade->config));
    LB_TRY(lb_ctl_log_keys_own(&upgrade->config, upgrade->arena, &upgrade->diag, &verifier));
    LB_TRY(env->stores(upgrade->config.kind, upgrade->arena, &kinds, &num_kinds));
    const struct lb_backup_options options = {
        .node = upgrade->config.node,
        .version = env->version,
        .state = upgrade->config.state,
        .out = upgrade->out,
        .verifier = &verifier,
        .clock = env->clock,
        .keep_free_bytes = upgrade->config.marks.alert_bytes,
        .watch = &watch,
    };
    lb_status status = lb_rehearse(&options, kinds, num_kinds, upgrade->arena, &upgrade->diag,
                                   upgrade->rows, &upgrade->num);
    for (size_t i = 0; i < upgrade->num; i++)
        upgrade->took_ms += upgrade->rows[i].took_ms;
    return status;
}

/* The copy is as secret as the state, and of no use any more. What fails before there is one of
 * ours leaves the folder as it was. */
static lb_status check(struct upgrade *upgrade)
{
    LB_TRY(rehearse(upgrade));
    if (!upgrade->keep) {
        lb_status cleared = lb_rehearse_clear(upgrade->out);
        if (cleared != LB_OK)
            lb_diag_set(&upgrade->diag, "%s: remove it yourself; it is as secret as the state",
                        upgrade->out);
        LB_TRY(cleared);
    }
    return print(upgrade);
}

static int run(struct upgrade *upgrade)
{
    upgrade->arena = lb_arena_new(UPGRADE_ARENA_BYTES);
    lb_status status =
        upgrade->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "arena") : check(upgrade);
    int exit_code = status == LB_OK ? LB_CTL_OK
                                    : lb_ctl_fail(upgrade->env, "upgrade check", status,
                                                  &upgrade->diag);
    lb_arena_free(upgrade->arena);
    return exit_code;
}

static int check_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban upgrade check --config /etc/lianban/adapter/node.yaml --out /backup/rehearsal",
        NULL,
    };
    struct upgrade upgrade = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .text = &upgrade.config_path, .required = true,
         .en = "the node's configuration", .zh = "节点配置文件"},
        {.name = "out", .value = "FOLDER", .text = &upgrade.out, .required = true,
         .en = "where the copy goes meanwhile: a folder that is not there yet, or is empty",
         .zh = "副本的临时目录（不存在或为空）"},
        {.name = "keep", .flag = &upgrade.keep,
         .en = "leave the copy there, as it would be after the upgrade",
         .zh = "保留升级后的副本"},
    };
    const struct lb_ctl_usage usage = {
        .command = "upgrade check",
        .en = "try on a copy what this version would do to a running node's stores",
        .zh = "在副本上演练本版本对运行中节点存储的升级",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code == LB_CTL_GO ? run(&upgrade) : exit_code;
}

int lb_ctl_upgrade_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "rehearse this version's changes to a node's stores",
         "演练本版本对节点存储的升级", check_command},
    };
    return lb_ctl_words(env, "upgrade", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
