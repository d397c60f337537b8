#include "gateway/base/hex.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/ctl/log_witnessed.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/evidence/export.h"

#define VERIFY_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)

struct check {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list folders;
    struct lb_ctl_log_keys keys;
    bool tiles;  /* the folders are exports */
    const char *witnesses_path;
    struct lb_witness_policy *policy;  /* NULL when witnesses are not asked about */
};

/* What came out for one folder. */
struct outcome {
    const char *folder;
    const char *origin;  /* as the log names itself; "" when it cannot be read */
    lb_status status;
    struct lb_log_verdict verdict;
    struct lb_witnessed witnessed;  /* with a policy only */
    struct lb_diag diag;
};

/* --- the work --- */

/* A log that took the place of a lost one says so with its first entry; by the directory, which
 * recovery that is. */
static lb_status check_beginning(const struct check *check, struct lb_log_reader *reader,
                                 struct outcome *outcome)
{
    const char *spiffe = lb_spiffe_of_log(outcome->origin, check->arena);
    const struct lb_recovery *recovery = lb_ctl_log_keys_recovery(&check->keys, outcome->origin);
    struct lb_leaf first = {.type = LB_LEAF_TYPE_END};
    struct lb_hash hash;
    LB_ENSURE(spiffe != NULL, LB_NO_MEMORY, "arena is full");
    if (lb_spiffe_log_number(spiffe, outcome->origin) <= 0)
        return LB_OK;
    if (outcome->verdict.size > 0)
        LB_TRY(lb_log_reader_leaf(reader, 0, check->arena, &first, &hash));
    bool named = recovery == NULL ||
                 memcmp(first.request_hash, recovery->sha256, sizeof(recovery->sha256)) == 0;
    if (first.type == LB_LEAF_RECOVERY && named)
        return LB_OK;
    lb_diag_set(&outcome->diag, "it does not begin with the recovery by which it took the place of "
                                "a lost log");
    LB_FAIL(LB_LOG_FORK, "another beginning");
}

static lb_status read_log(const struct check *check, struct lb_log_reader *reader,
                          struct outcome *outcome)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    struct lb_span note = LB_SPAN_EMPTY;
    lb_status status = lb_log_reader_origin(reader, check->arena, &outcome->origin);
    if (status != LB_OK) {
        lb_diag_set(&outcome->diag, "it has no checkpoint; a log without one proves nothing");
        return status;
    }
    LB_TRY(lb_ctl_log_keys_find(&check->keys, outcome->origin, &outcome->diag, &verifier));
    if (check->policy == NULL) {
        LB_TRY(lb_log_reader_verify(reader, &verifier, &outcome->diag, &outcome->verdict));
        return check_beginning(check, reader, outcome);
    }
    /* First what witnesses have: a running log may grow meanwhile, but never shrink. */
    LB_TRY(lb_witnessed_read(outcome->folder, &verifier, check->policy, check->arena,
                             &outcome->diag, &outcome->witnessed, &note));
    LB_TRY(lb_log_reader_verify(reader, &verifier, &outcome->diag, &outcome->verdict));
    LB_TRY(check_beginning(check, reader, outcome));
    return lb_witnessed_compare(reader, &outcome->witnessed.checkpoint, &outcome->diag);
}

static lb_status read_export(const struct check *check, struct lb_export *export,
                             struct outcome *outcome)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    struct lb_checkpoint checkpoint;
    lb_status status = lb_export_origin(export, check->arena, &outcome->origin);
    if (status != LB_OK) {
        lb_diag_set(&outcome->diag, "it has no checkpoint: it is no export, or not a whole one");
        return status;
    }
    LB_TRY(lb_ctl_log_keys_find(&check->keys, outcome->origin, &outcome->diag, &verifier));
    LB_TRY(lb_export_verify(export, &verifier, &outcome->diag, &checkpoint));
    outcome->verdict.size = checkpoint.size;
    outcome->verdict.root = checkpoint.root;
    if (check->policy == NULL)
        return LB_OK;
    struct lb_span note = LB_SPAN_EMPTY;
    LB_TRY(lb_export_note(export, check->arena, &note));
    return lb_witnessed_check(note, &verifier, check->policy, &outcome->diag,
                              &outcome->witnessed);
}

static void verify_folder(const struct check *check, const char *folder, struct outcome *outcome)
{
    struct lb_log_reader *reader = NULL;
    struct lb_export *export = NULL;
    outcome->folder = folder;
    outcome->origin = "";
    if (check->tiles) {
        outcome->status = lb_export_open(folder, false, &outcome->diag, &export);
        if (outcome->status == LB_OK)
            outcome->status = read_export(check, export, outcome);
        lb_export_close(export);
        return;
    }
    outcome->status = lb_log_reader_open(folder, &outcome->diag, &reader);
    if (outcome->status == LB_OK)
        outcome->status = read_log(check, reader, outcome);
    lb_log_reader_close(reader);
}

static struct outcome *verify_all(struct check *check, bool *out_good)
{
    size_t num = check->folders.num;
    struct outcome *outcomes = lb_arena_array(check->arena, num, sizeof(*outcomes));
    *out_good = outcomes != NULL;
    for (size_t i = 0; outcomes != NULL && i < num; i++) {
        lb_ctl_note(check->env, "verifying log %zu of %zu: %s", i + 1, num,
                    check->folders.items[i]);
        verify_folder(check, check->folders.items[i], &outcomes[i]);
        *out_good = *out_good && outcomes[i].status == LB_OK;
    }
    return outcomes;
}

/* --- print --- */

static lb_status print_table(const struct check *check, const struct outcome *outcomes)
{
    const char *zh[] = {"结论", "存证日志", "条数", "明细", "已删除", "根", NULL, NULL};
    const char *en[] = {"verdict", "log", "entries", "details", "erased", "root", NULL, NULL};
    struct lb_ctl_table table;
    zh[6] = check->policy == NULL ? NULL : "已见证条数（见证方）";
    en[6] = check->policy == NULL ? NULL : "witnessed (by)";
    lb_ctl_table_init(&table, check->arena, check->env->chinese ? zh : en);
    for (size_t i = 0; i < check->folders.num; i++) {
        const struct outcome *outcome = &outcomes[i];
        const struct lb_log_verdict *verdict = &outcome->verdict;
        bool good = outcome->status == LB_OK;
        bool details = good && !check->tiles;
        char root[2 * LB_HASH_BYTES + 1];
        lb_hex_encode(lb_span_of(verdict->root.bytes, LB_HASH_BYTES), root);
        const char *const cells[] = {
            lb_code_name(lb_status_code(outcome->status)),
            outcome->origin[0] != 0 ? outcome->origin : outcome->folder,
            good ? lb_arena_printf(check->arena, "%llu", (unsigned long long)verdict->size) : "-",
            details
                ? lb_arena_printf(check->arena, "%llu", (unsigned long long)verdict->num_details)
                : "-",
            details
                ? lb_arena_printf(check->arena, "%llu", (unsigned long long)verdict->num_erased)
                : "-",
            good ? root : "-",
            good ? lb_ctl_witnessed_text(check->policy, &outcome->witnessed, check->arena) : "-",
        };
        lb_ctl_table_row(&table, cells);
        if (!good)
            lb_ctl_table_note(&table, outcome->diag.text);
    }
    return lb_ctl_table_print(&table, check->env->out);
}

static lb_status print_json(const struct check *check, const struct outcome *outcomes, bool good)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *logs = lb_json_array();
    for (size_t i = 0; i < check->folders.num; i++) {
        const struct outcome *outcome = &outcomes[i];
        const struct lb_log_verdict *verdict = &outcome->verdict;
        struct lb_json *one = lb_json_object();
        char hex[2 * LB_HASH_BYTES + 1];
        lb_json_set_cstr(one, "folder", outcome->folder);
        lb_json_set_cstr(one, "origin", outcome->origin);
        lb_json_set_cstr(one, "code", lb_code_name(lb_status_code(outcome->status)));
        if (outcome->status == LB_OK) {
            lb_hex_encode(lb_span_of(verdict->root.bytes, LB_HASH_BYTES), hex);
            lb_json_set_int(one, "size", (int64_t)verdict->size);
            lb_json_set_cstr(one, "root", hex);
            lb_ctl_witnessed_json(check->policy, &outcome->witnessed, one);
        } else {
            lb_json_set_cstr(one, "place", outcome->diag.text);
        }
        if (outcome->status == LB_OK && !check->tiles) {
            lb_json_set_int(one, "details", (int64_t)verdict->num_details);
            lb_json_set_int(one, "erased", (int64_t)verdict->num_erased);
        }
        lb_json_append(logs, one);
    }
    lb_json_set_bool(root, "verified", good);
    lb_json_set(root, "logs", logs);
    return lb_ctl_print_json(check->env, root);
}

static int run(struct check *check)
{
    bool good = false;
    lb_status status = lb_ctl_log_keys_open(&check->keys, check->env, check->arena, &check->diag);
    if (status == LB_OK && check->witnesses_path != NULL)
        status = lb_witness_policy_load(check->witnesses_path, &check->diag, &check->policy);
    if (status != LB_OK)
        return lb_ctl_fail(check->env, "log verify", status, &check->diag);
    const struct outcome *outcomes = verify_all(check, &good);
    if (outcomes == NULL)
        status = LB_FAULT(LB_NO_MEMORY, "arena is full");
    else if (check->env->json)
        status = print_json(check, outcomes, good);
    else
        status = print_table(check, outcomes);
    if (status != LB_OK)
        return lb_ctl_fail(check->env, "log verify", status, NULL);
    return good ? LB_CTL_OK : LB_CTL_FAILED;
}

/* --- the command line --- */

static const char *const examples[] = {
    "lianban log verify D/adapters/*/state --directory directory.note --signer VKEY",
    "lianban log verify /var/lib/lianban/tax --vkey example/adapter/tax+1a2b3c4d+AQ...",
    "lianban log verify D/broker/state D/adapters/tax/state --vkey V1 --vkey V2 --json",
    "lianban log verify --tiles exported/tax --vkey example/adapter/tax+1a2b3c4d+AQ...",
    "lianban log verify D/broker/state --vkey V1 --witnesses D/broker/witnesses.policy",
    "lianban log verify --tiles exported/tax --vkey V1 --witnesses witnesses.policy",
    NULL,
};

static int read_args(struct check *check, int argc, char **argv)
{
    struct lb_ctl_option options[2 + LB_CTL_LOG_KEYS_OPTIONS] = {
        {.name = "tiles", .flag = &check->tiles,
         .en = "the folders are exports, written by `log export`",
         .zh = "目录是由 log export 导出的日志"},
        {.name = "witnesses", .value = "POLICY", .text = &check->witnesses_path,
         .en = "demand the cosignatures of this witness policy", .zh = "按此见证策略核验联署"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log verify",
        .en = "recompute evidence logs from end to end; nothing is changed",
        .zh = "从头复算存证日志（只读）",
        .operand = "FOLDER...", .min_operands = 1, .max_operands = LB_CTL_MAX_ITEMS,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    lb_ctl_log_keys_options(&check->keys, options + 2);
    int exit_code = lb_ctl_args(check->env, &usage, argc, argv, &check->folders);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    return lb_ctl_log_keys_check(check->env, "log verify", &check->keys);
}

int lb_ctl_log_verify(struct lb_ctl_env *env, int argc, char **argv)
{
    struct check check = {.env = env};
    int exit_code = read_args(&check, argc, argv);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    check.arena = lb_arena_new(VERIFY_ARENA_BYTES);
    exit_code = check.arena == NULL
                    ? lb_ctl_fail(env, "log verify", LB_FAULT(LB_NO_MEMORY, "arena"), NULL)
                    : run(&check);
    lb_ctl_log_keys_close(&check.keys);
    lb_witness_policy_free(check.policy);
    lb_arena_free(check.arena);
    return exit_code;
}
