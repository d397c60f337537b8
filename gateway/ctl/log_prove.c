#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "gateway/evidence/export.h"

#define PROVE_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)
#define FILE_MODE 0644 /* a proof is for others */

/* One entry's proof (C2SP tlog-proof): made with `prove`, checked offline with `check-proof`. */
struct proving {
    struct lb_ctl_env *env;
    const char *command;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list operands;
    struct lb_ctl_log_keys keys;
    bool tiles;
    int64_t index;
    const char *out;
    struct lb_log_reader *reader;
    struct lb_export *export;
    struct lb_tlog_proof proof;
    struct lb_checkpoint checkpoint;
    struct lb_hash leaf_hash;
    struct lb_leaf leaf;
};

/* --- what a proof says --- */

/* The proof by the key of the log it names, and the entry in it. */
static lb_status verify_proof(struct proving *proving)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const char *origin = NULL;
    LB_TRY(lb_tlog_proof_origin(&proving->proof, proving->arena, &origin));
    LB_TRY(lb_ctl_log_keys_find(&proving->keys, origin, &proving->diag, &verifier));
    LB_TRY(lb_tlog_proof_verify(&proving->proof, &verifier, &proving->checkpoint,
                                &proving->leaf_hash));
    return lb_leaf_decode(proving->proof.extra, &proving->leaf);
}

static lb_status print_json(const struct proving *proving, const struct lb_span *text)
{
    LB_DEFER(lb_json_freep) struct lb_json *json = lb_json_object();
    const struct lb_checkpoint *checkpoint = &proving->checkpoint;
    const struct lb_leaf *leaf = &proving->leaf;
    char root[2 * LB_HASH_BYTES + 1], hash[2 * LB_HASH_BYTES + 1], txn[2 * sizeof(leaf->txn) + 1];
    char when[LB_CTL_TIME_BYTES];
    lb_hex_encode(lb_span_of(checkpoint->root.bytes, LB_HASH_BYTES), root);
    lb_hex_encode(lb_span_of(proving->leaf_hash.bytes, LB_HASH_BYTES), hash);
    lb_hex_encode(lb_span_of(leaf->txn, sizeof(leaf->txn)), txn);
    lb_ctl_time(leaf->time_ms, when);
    lb_json_set_bool(json, "verified", true);
    lb_json_set_cstr(json, "origin", checkpoint->origin);
    lb_json_set_int(json, "index", (int64_t)proving->proof.index);
    lb_json_set_int(json, "size", (int64_t)checkpoint->size);
    lb_json_set_cstr(json, "root", root);
    lb_json_set_cstr(json, "leaf_hash", hash);
    lb_json_set_cstr(json, "time", when);
    lb_json_set_cstr(json, "type", lb_leaf_type_name(leaf->type));
    lb_json_set_cstr(json, "code", leaf->code);
    lb_json_set_cstr(json, "views", leaf->views);
    lb_json_set_cstr(json, "txn", txn);
    if (text != NULL)
        lb_json_set_str(json, "proof", *text);
    return lb_ctl_print_json(proving->env, json);
}

static void print_words(const struct proving *proving)
{
    const struct lb_ctl_env *env = proving->env;
    const struct lb_leaf *leaf = &proving->leaf;
    char when[LB_CTL_TIME_BYTES];
    lb_ctl_time(leaf->time_ms, when);
    (void)fprintf(env->out,
                  env->chinese ? "属实：日志 %s，第 %llu 号条目（共 %llu 条）\n"
                               : "proved: in the log of %s, entry %llu of %llu\n",
                  proving->checkpoint.origin, (unsigned long long)proving->proof.index,
                  (unsigned long long)proving->checkpoint.size);
    (void)fprintf(env->out, "%s  %s  %s  %s\n", when, lb_leaf_type_name(leaf->type), leaf->code,
                  leaf->views);
}

/* --- prove --- */

static lb_status find_origin(struct proving *proving, const char **out_origin)
{
    const char *folder = proving->operands.items[0];
    lb_status status;
    if (proving->tiles) {
        LB_TRY(lb_export_open(folder, false, &proving->diag, &proving->export));
        status = lb_export_origin(proving->export, proving->arena, out_origin);
    } else {
        LB_TRY(lb_log_reader_open(folder, &proving->diag, &proving->reader));
        status = lb_log_reader_origin(proving->reader, proving->arena, out_origin);
    }
    if (status != LB_OK)
        lb_diag_set(&proving->diag, "%s has no checkpoint; a log without one proves nothing",
                    folder);
    return status;
}

static lb_status make_proof(struct proving *proving)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    const char *origin = NULL;
    uint64_t index = (uint64_t)proving->index;
    LB_TRY(find_origin(proving, &origin));
    LB_TRY(lb_ctl_log_keys_find(&proving->keys, origin, &proving->diag, &verifier));
    if (proving->tiles)
        return lb_export_prove(proving->export, index, &verifier, proving->arena, &proving->diag,
                               &proving->proof);
    return lb_log_reader_prove(proving->reader, index, &verifier, proving->arena, &proving->diag,
                               &proving->proof);
}

static lb_status put_proof(struct proving *proving, struct lb_span text)
{
    const struct lb_ctl_env *env = proving->env;
    if (proving->out != NULL) {
        lb_status status = lb_file_write(proving->out, text, FILE_MODE);
        if (status != LB_OK)
            lb_diag_set(&proving->diag, "%s: %s; check the path", proving->out, status->what);
        LB_TRY(status);
    }
    if (env->json)
        return print_json(proving, &text);
    if (proving->out != NULL)
        print_words(proving);
    else
        (void)fwrite(text.ptr, 1, text.len, env->out); /* the stream is checked at the end */
    return LB_OK;
}

static lb_status prove(struct proving *proving)
{
    struct lb_span text = LB_SPAN_EMPTY;
    LB_TRY(make_proof(proving));
    LB_TRY(verify_proof(proving));
    LB_TRY(lb_tlog_proof_format(&proving->proof, proving->arena, &text));
    return put_proof(proving, text);
}

/* --- check-proof --- */

static lb_status check_proof(struct proving *proving)
{
    struct lb_span text = LB_SPAN_EMPTY;
    const char *path = proving->operands.items[0];
    LB_TRY(lb_ctl_read(proving->env, path, LB_TLOG_PROOF_MAX_BYTES, proving->arena,
                       &proving->diag, &text));
    lb_status status = lb_tlog_proof_parse(text, proving->arena, &proving->proof);
    if (status == LB_OK)
        status = verify_proof(proving);
    if (status != LB_OK && proving->diag.text[0] == 0)
        lb_diag_set(&proving->diag, "%s proves nothing: %s", path, status->what);
    LB_TRY(status);
    if (proving->env->json)
        return print_json(proving, NULL);
    print_words(proving);
    return LB_OK;
}

/* --- the command lines --- */

static int finish(struct proving *proving, lb_status (*work)(struct proving *proving))
{
    proving->arena = lb_arena_new(PROVE_ARENA_BYTES);
    lb_status status = proving->arena == NULL
                           ? LB_FAULT(LB_NO_MEMORY, "memory is exhausted")
                           : lb_ctl_log_keys_open(&proving->keys, proving->env, proving->arena,
                                                  &proving->diag);
    if (status == LB_OK)
        status = work(proving);
    int exit_code = LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(proving->env, proving->command, status, &proving->diag);
    lb_export_close(proving->export);
    lb_log_reader_close(proving->reader);
    lb_ctl_log_keys_close(&proving->keys);
    lb_arena_free(proving->arena);
    return exit_code;
}

int lb_ctl_log_prove(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log prove D/adapters/tax/state 17 --vkey VKEY --out entry-17.tlog-proof",
        "lianban log prove --tiles exported/tax 17 --directory directory.note --signer VKEY",
        NULL,
    };
    struct proving proving = {.env = env, .command = "log prove"};
    struct lb_ctl_option options[2 + LB_CTL_LOG_KEYS_OPTIONS] = {
        {.name = "out", .value = "FILE", .text = &proving.out,
         .en = "write the proof here; else to standard output", .zh = "证明文件，默认写到标准输出"},
        {.name = "tiles", .flag = &proving.tiles,
         .en = "the folder is an export, written by `log export`",
         .zh = "目录是由 log export 导出的日志"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log prove",
        .en = "write the proof (C2SP tlog-proof) that an entry is in a log, for whoever doubts it",
        .zh = "生成某条记录在日志中的证明（C2SP tlog-proof）",
        .operand = "FOLDER INDEX", .min_operands = 2, .max_operands = 2,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    lb_ctl_log_keys_options(&proving.keys, options + 2);
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &proving.operands);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_log_keys_check(env, proving.command, &proving.keys);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    if (!lb_ctl_number(proving.operands.items[1], 0, INT64_C(1) << 53, &proving.index))
        return lb_ctl_usage_error(env, proving.command, "INDEX is the number of an entry");
    return finish(&proving, prove);
}

int lb_ctl_log_check_proof(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban log check-proof entry-17.tlog-proof --vkey example/adapter/tax+1a2b3c4d+AQ...",
        "lianban log check-proof - --directory directory.note --signer VKEY --json",
        NULL,
    };
    struct proving proving = {.env = env, .command = "log check-proof"};
    struct lb_ctl_option options[LB_CTL_LOG_KEYS_OPTIONS];
    const struct lb_ctl_usage usage = {
        .command = "log check-proof",
        .en = "check a proof (C2SP tlog-proof) offline, with nothing but the log's key",
        .zh = "离线检验证明文件，只需日志公钥",
        .operand = "FILE", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    lb_ctl_log_keys_options(&proving.keys, options);
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &proving.operands);
    if (exit_code == LB_CTL_GO)
        exit_code = lb_ctl_log_keys_check(env, proving.command, &proving.keys);
    return exit_code != LB_CTL_GO ? exit_code : finish(&proving, check_proof);
}
