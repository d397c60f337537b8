#include "gateway/backup/backup.h"
#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/doctor_config.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/evidence/inspect.h"

/* A copy of a running node's state, and whether a copy is what was made. */

#define BACKUP_ARENA_BYTES (64U * 1024 * 1024)
#define TELL_EVERY_MS 5000

struct backup {
    struct lb_ctl_env *env;
    const char *command;
    struct lb_diag diag;
    struct lb_arena *arena;
    const char *config;
    const char *out;
    struct lb_ctl_list keys;
    struct lb_ctl_list folder;       /* of check */
    struct lb_ctl_log_keys log_keys; /* of check */
    int64_t told_ms;
    struct lb_backup_result result;
};

/* --- progress: what takes long is told every few seconds --- */

static void tell(void *ctx, const char *what, uint64_t done, uint64_t all)
{
    struct backup *backup = ctx;
    int64_t now_ms = lb_clock_monotonic_ms(backup->env->clock);
    bool begins = all == 0 && done == 0;
    if (!begins && now_ms - backup->told_ms < TELL_EVERY_MS)
        return;
    backup->told_ms = now_ms;
    if (all == 0)
        lb_ctl_note(backup->env, "%s", what);
    else
        lb_ctl_note(backup->env, "%s: %d %%", what, (int)((double)done / (double)all * 100));
}

/* --- print --- */

static uint64_t total_bytes(const struct lb_backup_manifest *manifest)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < manifest->num_files; i++)
        bytes += manifest->files[i].size;
    return bytes;
}

static lb_status print_json(const struct backup *backup, const char *folder)
{
    const struct lb_backup_result *result = &backup->result;
    const struct lb_backup_manifest *manifest = &result->manifest;
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *log = lb_json_object();
    struct lb_json *left_out = lb_json_array();
    char hex[2 * 32 + 1];
    lb_json_set_bool(root, "verified", true);
    lb_json_set_cstr(root, "folder", folder);
    lb_json_set_cstr(root, "node", manifest->node);
    lb_json_set_cstr(root, "version", manifest->version);
    lb_json_set_int(root, "time_ms", manifest->time_ms);
    lb_json_set_int(root, "files", (int64_t)manifest->num_files);
    lb_json_set_int(root, "bytes", (int64_t)total_bytes(manifest));
    lb_json_set_cstr(log, "origin", manifest->origin);
    lb_json_set_int(log, "size", (int64_t)manifest->log_size);
    lb_hex_encode(lb_span_of(manifest->log_root.bytes, LB_HASH_BYTES), hex);
    lb_json_set_cstr(log, "root", hex);
    lb_json_set(root, "log", log);
    lb_hex_encode(lb_span_of(result->manifest_sha256, 32), hex);
    lb_json_set_cstr(root, "manifest_sha256", hex);
    lb_json_set_int(root, "keys", (int64_t)result->num_keys);
    for (size_t i = 0; i < result->num_left_out; i++)
        lb_json_append_str(left_out, lb_span_str(result->left_out[i]));
    lb_json_set(root, "left_out", left_out);
    return lb_ctl_print_json(backup->env, root);
}

static void put_line(const struct backup *backup, const char *zh, const char *en, const char *value)
{
    FILE *out = backup->env->out;
    (void)fprintf(out, "%s: ", lb_ctl_pick(backup->env, zh, en));
    lb_ctl_put(out, value == NULL ? "?" : value);
    (void)fputc('\n', out);
}

static void print_text(const struct backup *backup, const char *folder)
{
    const struct lb_backup_result *result = &backup->result;
    const struct lb_backup_manifest *manifest = &result->manifest;
    struct lb_arena *arena = backup->arena;
    char hex[2 * 32 + 1];
    char time[LB_CTL_TIME_BYTES];
    lb_ctl_time(manifest->time_ms, time);
    put_line(backup, "备份完整，已核验", "whole and verified", folder);
    put_line(backup, "节点", "node", manifest->node);
    put_line(backup, "完成时间", "made", time);
    put_line(backup, "文件", "files",
             lb_arena_printf(arena, "%zu, %llu bytes", manifest->num_files,
                             (unsigned long long)total_bytes(manifest)));
    lb_hex_encode(lb_span_of(manifest->log_root.bytes, LB_HASH_BYTES), hex);
    put_line(backup, "存证条数与根", "log entries and root",
             lb_arena_printf(arena, "%llu %s", (unsigned long long)manifest->log_size, hex));
    lb_hex_encode(lb_span_of(result->manifest_sha256, 32), hex);
    put_line(backup, "清单摘要（请另行保存）", "manifest SHA-256 (keep it elsewhere)", hex);
    put_line(backup, "密钥文件", "key files in it",
             lb_arena_printf(arena, "%llu", (unsigned long long)result->num_keys));
    for (size_t i = 0; i < result->num_left_out; i++)
        put_line(backup, "未复制的密钥", "key not copied", result->left_out[i]);
}

static int print(const struct backup *backup, const char *folder)
{
    if (!backup->env->json) {
        print_text(backup, folder);
        return LB_CTL_OK;
    }
    lb_status status = print_json(backup, folder);
    return status == LB_OK ? LB_CTL_OK
                           : lb_ctl_fail(backup->env, backup->command, status, NULL);
}

/* --- make --- */

static lb_status make(struct backup *backup)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const struct lb_backup_watch watch = {tell, backup};
    struct lb_doctor_config config;
    LB_TRY(lb_doctor_config_load(backup->config, backup->arena, &backup->diag, &config));
    LB_TRY(lb_ctl_log_keys_own(&config, backup->arena, &backup->diag, &verifier));
    const struct lb_backup_options options = {
        .node = config.node,
        .version = backup->env->version,
        .state = config.state,
        .out = backup->out,
        .keys = backup->keys.items,
        .num_keys = backup->keys.num,
        .verifier = &verifier,
        .clock = backup->env->clock,
        .keep_free_bytes = config.marks.alert_bytes,
        .watch = &watch,
    };
    lb_ctl_note(backup->env, "copying the state of %s", config.node);
    return lb_backup_make(&options, backup->arena, &backup->diag, &backup->result);
}

static int run(struct backup *backup, const char *folder, lb_status (*work)(struct backup *backup))
{
    backup->arena = lb_arena_new(BACKUP_ARENA_BYTES);
    lb_status status =
        backup->arena == NULL ? LB_FAULT(LB_NO_MEMORY, "arena") : work(backup);
    int exit_code = status == LB_OK
                        ? print(backup, folder)
                        : lb_ctl_fail(backup->env, backup->command, status, &backup->diag);
    lb_arena_free(backup->arena);
    return exit_code;
}

static const char *const make_examples[] = {
    "lianban backup --config /etc/lianban/adapter/node.yaml --out /backup/tax-2026-07-01",
    "lianban backup make --config node.yaml --out D --key state/pseudo.key --key state/token.key",
    NULL,
};

static int make_command(struct lb_ctl_env *env, int argc, char **argv)
{
    struct backup backup = {.env = env, .command = "backup make"};
    const struct lb_ctl_option options[] = {
        {.name = "config", .value = "FILE", .text = &backup.config, .required = true,
         .en = "the node's configuration", .zh = "节点配置文件"},
        {.name = "out", .value = "FOLDER", .text = &backup.out, .required = true,
         .en = "where the copy goes: a folder that is not there yet, or is empty",
         .zh = "备份目录（不存在或为空）"},
        {.name = "key", .value = "FILE", .list = &backup.keys,
         .en = "copy this key file too, into keys/; without it no key is copied",
         .zh = "一并复制此密钥文件（存入 keys/）；缺省不复制任何密钥"},
    };
    const struct lb_ctl_usage usage = {
        .command = "backup make",
        .en = "copy the state of a running node, as its account, and verify the copy",
        .zh = "以节点账号复制运行中节点的状态并核验",
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = make_examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    return exit_code == LB_CTL_GO ? run(&backup, backup.out, make) : exit_code;
}

/* --- check --- */

/* Which log it is says only which key to believe it by. */
static lb_status find_verifier(struct backup *backup, const char *state,
                               struct lb_note_verifier *out)
{
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    const char *origin = NULL;
    LB_TRY(lb_log_reader_open(state, &backup->diag, &reader));
    lb_status status = lb_log_reader_origin(reader, backup->arena, &origin);
    if (status != LB_OK)
        lb_diag_set(&backup->diag, "%s: its log has no checkpoint", state);
    LB_TRY(status);
    return lb_ctl_log_keys_find(&backup->log_keys, origin, &backup->diag, out);
}

static lb_status check(struct backup *backup)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const struct lb_backup_watch watch = {tell, backup};
    const char *folder = backup->folder.items[0];
    const char *state = lb_arena_printf(backup->arena, "%s/" LB_BACKUP_STATE, folder);
    LB_ENSURE(state != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_backup_finished(folder, &backup->diag));
    LB_TRY(lb_ctl_log_keys_open(&backup->log_keys, backup->env, backup->arena, &backup->diag));
    LB_TRY(find_verifier(backup, state, &verifier));
    return lb_backup_check(folder, &verifier, &watch, backup->arena, &backup->diag,
                           &backup->result);
}

static const char *const check_examples[] = {
    "lianban backup check /backup/tax-2026-07-01 --directory directory.note --signer VKEY",
    "lianban backup check D --vkey example/adapter/tax+1a2b3c4d+AQ... --json",
    NULL,
};

static int check_command(struct lb_ctl_env *env, int argc, char **argv)
{
    struct backup backup = {.env = env, .command = "backup check"};
    struct lb_ctl_option options[LB_CTL_LOG_KEYS_OPTIONS];
    const struct lb_ctl_usage usage = {
        .command = "backup check",
        .en = "hold a backup against its manifest and verify its log; nothing is changed",
        .zh = "按清单核对备份并复算其存证日志（只读）",
        .operand = "FOLDER", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = LB_CTL_LOG_KEYS_OPTIONS,
        .examples = check_examples,
    };
    lb_ctl_log_keys_options(&backup.log_keys, options);
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &backup.folder);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_log_keys_check(env, "backup check", &backup.log_keys);
    if (exit_code == LB_CTL_GO)
        exit_code = run(&backup, backup.folder.items[0], check);
    lb_ctl_log_keys_close(&backup.log_keys);
    return exit_code;
}

int lb_ctl_backup_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"make", "copy a running node's state, and verify the copy", "复制运行中节点的状态并核验",
         make_command},
        {"check", "check a copy made before", "核验已有备份", check_command},
    };
    bool help = argc >= 2 && strcmp(argv[1], "--help") == 0;
    if (argc >= 2 && argv[1][0] == '-' && !help)
        return make_command(env, argc, argv);
    return lb_ctl_words(env, "backup", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
