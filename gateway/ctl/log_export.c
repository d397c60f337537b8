#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/log_remote.h"
#include "gateway/ctl/log_witnessed.h"
#include "gateway/ctl/say.h"
#include "gateway/evidence/export.h"

#define EXPORT_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)

/* A log as plain files (C2SP tlog-tiles), for whoever is to check it without us. */
struct exporting {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list folder;
    struct lb_ctl_log_keys keys;
    const char *out;
    const char *from;          /* another node, by its name */
    const char *profile_path;
    struct lb_log_reader *reader;
    struct lb_ctl_log_port port;
    const char *witnesses_path;
    struct lb_witness_policy *policy;  /* NULL when witnesses are not asked about */
    struct lb_witnessed witnessed;     /* with a policy only */
    struct lb_export *export;
    struct lb_export_result result;
};

/* --- the work --- */

static lb_status export_folder(struct exporting *exporting)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const char *origin = NULL;
    struct lb_span note = LB_SPAN_EMPTY;  /* what witnesses have cosigned */
    LB_TRY(lb_log_reader_open(exporting->folder.items[0], &exporting->diag, &exporting->reader));
    lb_status status = lb_log_reader_origin(exporting->reader, exporting->arena, &origin);
    if (status != LB_OK)
        lb_diag_set(&exporting->diag, "it has no checkpoint; a log without one proves nothing");
    LB_TRY(status);
    LB_TRY(lb_ctl_log_keys_find(&exporting->keys, origin, &exporting->diag, &verifier));
    if (exporting->policy != NULL)
        LB_TRY(lb_witnessed_read(exporting->folder.items[0], &verifier, exporting->policy,
                                 exporting->arena, &exporting->diag, &exporting->witnessed,
                                 &note));
    LB_TRY(lb_export_open(exporting->out, true, &exporting->diag, &exporting->export));
    lb_ctl_note(exporting->env, "verifying %s, and exporting to %s", exporting->folder.items[0],
                exporting->out);
    return lb_log_reader_export_at(exporting->reader, exporting->export, &verifier, note,
                                   &exporting->diag, &exporting->result);
}

/* Over the network; the directory has the key. */
static lb_status export_remote(struct exporting *exporting)
{
    const struct lb_ctl_remote *remote = exporting->env->remote;
    struct lb_ctl_desk_profile profile;
    LB_TRY(lb_ctl_desk_profile_load(exporting->profile_path, exporting->arena, &exporting->diag,
                                    &profile));
    const char *from = exporting->from != NULL ? exporting->from : profile.adapter;
    if (from == NULL)
        lb_diag_set(&exporting->diag, "say with --from whose log");
    LB_ENSURE(from != NULL, LB_CONFIG_INVALID, "no log is named");
    LB_TRY(remote->open_log(remote->ctx, &profile, from, exporting->env->clock, &exporting->diag,
                            &exporting->port));
    LB_TRY(lb_export_open(exporting->out, true, &exporting->diag, &exporting->export));
    lb_ctl_note(exporting->env, "reading the log of %s into %s", from, exporting->out);
    return lb_ctl_log_pull(&exporting->port, exporting->export, &exporting->diag,
                           &exporting->result);
}

/* --- print --- */

static lb_status print_result(const struct exporting *exporting)
{
    const struct lb_ctl_env *env = exporting->env;
    const struct lb_export_result *result = &exporting->result;
    const struct lb_checkpoint *checkpoint = &result->checkpoint;
    char root[2 * LB_HASH_BYTES + 1];
    lb_hex_encode(lb_span_of(checkpoint->root.bytes, LB_HASH_BYTES), root);
    if (!env->json) {
        (void)fprintf(env->out,
                      env->chinese ? "已导出 %s：共 %llu 条，其中新增 %llu 条；写入 %llu 个文件\n根 %s\n"
                                   : "%s is exported: %llu entries, %llu of them new; %llu files"
                                     " written\nroot %s\n",
                      checkpoint->origin, (unsigned long long)checkpoint->size,
                      (unsigned long long)(checkpoint->size - result->from),
                      (unsigned long long)result->num_files, root);
        const char *by = lb_ctl_witnessed_text(exporting->policy, &exporting->witnessed,
                                               exporting->arena);
        if (by != NULL)
            (void)fprintf(env->out, "%s %s\n", lb_ctl_pick(env, "已见证", "witnessed"), by);
        return LB_OK;
    }
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "origin", checkpoint->origin);
    lb_json_set_int(json, "size", (int64_t)checkpoint->size);
    lb_json_set_cstr(json, "root", root);
    lb_json_set_int(json, "from", (int64_t)result->from);
    lb_json_set_int(json, "files", (int64_t)result->num_files);
    lb_ctl_witnessed_json(exporting->policy, &exporting->witnessed, json);
    return lb_ctl_print_json(env, json);
}

static lb_status run(struct exporting *exporting)
{
    exporting->arena = lb_arena_new(EXPORT_ARENA_BYTES);
    LB_ENSURE(exporting->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_log_keys_open(&exporting->keys, exporting->env, exporting->arena,
                                &exporting->diag));
    if (exporting->witnesses_path != NULL)
        LB_TRY(lb_witness_policy_load(exporting->witnesses_path, &exporting->diag,
                                      &exporting->policy));
    LB_TRY(exporting->profile_path != NULL ? export_remote(exporting) : export_folder(exporting));
    return print_result(exporting);
}

/* --- the command line --- */

static const char *const examples[] = {
    "lianban log export D/adapters/tax/state --out exported/tax --vkey VKEY",
    "lianban log export D/broker/state --out exported/broker --directory directory.note"
    " --signer VKEY",
    "lianban log export D/broker/state --out exported/broker --vkey VKEY"
    " --witnesses witnesses.policy",
    "lianban log export --profile auditor.yaml --from spiffe://F/adapter/tax --out exported/tax",
    NULL,
};

/* Either a folder here and the keys to believe it by, or a profile, whose directory has them. */
static int check_args(const struct exporting *exporting)
{
    const struct lb_ctl_env *env = exporting->env;
    const struct lb_ctl_log_keys *keys = &exporting->keys;
    if (exporting->profile_path == NULL && exporting->folder.num == 1 && exporting->from == NULL)
        return lb_ctl_log_keys_check(env, "log export", keys);
    bool bare = exporting->witnesses_path == NULL && keys->vkeys.num == 0 &&
                keys->signers.num == 0 && keys->directory_path == NULL;
    if (exporting->profile_path != NULL && exporting->folder.num == 0 && bare)
        return LB_CTL_GO;
    return lb_ctl_usage_error(env, "log export",
                              "give either a FOLDER with --vkey or --directory, or --profile");
}

static int read_args(struct exporting *exporting, int argc, char **argv)
{
    struct lb_ctl_option options[4 + LB_CTL_LOG_KEYS_OPTIONS] = {
        {.name = "out", .value = "FOLDER", .required = true, .text = &exporting->out,
         .en = "an empty folder, or an earlier export of the same log: what is new is added",
         .zh = "空目录，或同一日志先前的导出目录（只添加新增部分）"},
        {.name = "profile", .value = "PROFILE.yaml", .text = &exporting->profile_path,
         .en = "an auditor's or officer's: read the log of a running node",
         .zh = "审计员或安全员的配置文件：读取运行中节点的日志"},
        {.name = "from", .value = "SPIFFE", .text = &exporting->from,
         .en = "whose log; default: the adapter of the profile", .zh = "日志所属节点，默认取自配置"},
        {.name = "witnesses", .value = "POLICY", .text = &exporting->witnesses_path,
         .en = "end at the newest checkpoint that meets this witness policy, with its cosignatures",
         .zh = "导出至符合此见证策略的最新检查点，并附联署"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log export",
        .en = "verify a log and write it as plain files (C2SP tlog-tiles) without personal data",
        .zh = "验证日志并导出为通用文件（C2SP tlog-tiles），不含个人信息",
        .operand = "FOLDER", .min_operands = 0, .max_operands = 1,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    lb_ctl_log_keys_options(&exporting->keys, options + 4);
    int exit_code = lb_ctl_args(exporting->env, &usage, argc, argv, &exporting->folder);
    return exit_code != LB_CTL_GO ? exit_code : check_args(exporting);
}

int lb_ctl_log_export(struct lb_ctl_env *env, int argc, char **argv)
{
    struct exporting exporting = {.env = env};
    int exit_code = read_args(&exporting, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = run(&exporting);
    exit_code = status == LB_OK ? LB_CTL_OK
                                : lb_ctl_fail(env, "log export", status, &exporting.diag);
    lb_export_close(exporting.export);
    lb_ctl_log_close(&exporting.port);
    lb_log_reader_close(exporting.reader);
    lb_ctl_log_keys_close(&exporting.keys);
    lb_witness_policy_free(exporting.policy);
    lb_arena_free(exporting.arena);
    return exit_code;
}
