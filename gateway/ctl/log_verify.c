#include "gateway/base/hex.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/evidence/inspect.h"
#include "gateway/trust/directory.h"

#define VERIFY_ARENA_BYTES (2 * LB_MAX_DIRECTORY_BYTES)
#define MAX_SIGNERS 32

struct check {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list folders;
    struct lb_ctl_list vkeys;
    struct lb_ctl_list signers;
    const char *directory_path;
    struct lb_directory *directory;
};

/* What came out for one folder. */
struct outcome {
    const char *folder;
    const char *origin;  /* as the log names itself; "" when it cannot be read */
    lb_status status;
    struct lb_log_verdict verdict;
    struct lb_diag diag;
};

/* --- whose key --- */

static lb_status open_directory(struct check *check)
{
    struct lb_note_verifier verifiers[MAX_SIGNERS];
    struct lb_span note = LB_SPAN_EMPTY;
    size_t num = 0;
    lb_status status = lb_ctl_read(check->env, check->directory_path, LB_MAX_DIRECTORY_BYTES,
                                   check->arena, &check->diag, &note);
    for (; status == LB_OK && num < check->signers.num; num++) {
        status = lb_note_verifier_parse(lb_span_str(check->signers.items[num]), &verifiers[num]);
        if (status != LB_OK) {
            lb_diag_set(&check->diag, "--signer %zu is no key of the form name+id+base64", num + 1);
            break;
        }
    }
    if (status == LB_OK)
        status = lb_directory_open(note, verifiers, num, lb_clock_unix_s(check->env->clock),
                                   &check->diag, &check->directory);
    while (num > 0)
        lb_note_verifier_cleanup(&verifiers[--num]);
    return status;
}

static lb_status verifier_of_vkeys(const struct lb_ctl_list *vkeys, const char *origin,
                                   struct lb_note_verifier *out)
{
    for (size_t i = 0; i < vkeys->num; i++) {
        struct lb_note_verifier verifier;
        LB_TRY(lb_note_verifier_parse(lb_span_str(vkeys->items[i]), &verifier));
        if (strcmp(verifier.name, origin) == 0) {
            *out = verifier;
            return LB_OK;
        }
        lb_note_verifier_cleanup(&verifier);
    }
    LB_FAIL(LB_ABSENT, "no key is known for this log");
}

static lb_status verifier_of_directory(const struct lb_directory *directory, const char *origin,
                                       struct lb_note_verifier *out)
{
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->log_origin != NULL && strcmp(node->log_origin, origin) == 0)
            return lb_note_verifier_init(origin, node->log_key, out);
    }
    LB_FAIL(LB_ABSENT, "no key is known for this log");
}

static lb_status find_verifier(const struct check *check, struct outcome *outcome,
                               struct lb_note_verifier *out)
{
    lb_status status = check->directory != NULL
                           ? verifier_of_directory(check->directory, outcome->origin, out)
                           : verifier_of_vkeys(&check->vkeys, outcome->origin, out);
    if (status != LB_OK)
        lb_diag_set(&outcome->diag, "no key is known for a log called %s; %s", outcome->origin,
                    check->directory != NULL ? "the directory lists no such log"
                                             : "give its --vkey");
    return status;
}

/* --- the work --- */

static lb_status read_log(const struct check *check, struct lb_log_reader *reader,
                          struct outcome *outcome)
{
    LB_DEFER(lb_note_verifier_cleanup) struct lb_note_verifier verifier = {.key = NULL};
    lb_status status = lb_log_reader_origin(reader, check->arena, &outcome->origin);
    if (status != LB_OK) {
        lb_diag_set(&outcome->diag, "it has no checkpoint; a log without one proves nothing");
        return status;
    }
    LB_TRY(find_verifier(check, outcome, &verifier));
    return lb_log_reader_verify(reader, &verifier, &outcome->diag, &outcome->verdict);
}

static void verify_folder(const struct check *check, const char *folder, struct outcome *outcome)
{
    struct lb_log_reader *reader = NULL;
    outcome->folder = folder;
    outcome->origin = "";
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
    static const char *const zh[] = {"结论", "存证日志", "条数", "明细", "已删除", "根", NULL};
    static const char *const en[] = {"verdict", "log",    "entries", "details",
                                     "erased",  "root",   NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, check->arena, check->env->chinese ? zh : en);
    for (size_t i = 0; i < check->folders.num; i++) {
        const struct outcome *outcome = &outcomes[i];
        const struct lb_log_verdict *verdict = &outcome->verdict;
        bool good = outcome->status == LB_OK;
        char root[2 * LB_HASH_BYTES + 1];
        lb_hex_encode(lb_span_of(verdict->root.bytes, LB_HASH_BYTES), root);
        const char *const cells[] = {
            lb_code_name(lb_status_code(outcome->status)),
            outcome->origin[0] != 0 ? outcome->origin : outcome->folder,
            good ? lb_arena_printf(check->arena, "%llu", (unsigned long long)verdict->size) : "-",
            good ? lb_arena_printf(check->arena, "%llu", (unsigned long long)verdict->num_details)
                 : "-",
            good ? lb_arena_printf(check->arena, "%llu", (unsigned long long)verdict->num_erased)
                 : "-",
            good ? root : "-",
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
            lb_json_set_int(one, "details", (int64_t)verdict->num_details);
            lb_json_set_int(one, "erased", (int64_t)verdict->num_erased);
        } else {
            lb_json_set_cstr(one, "place", outcome->diag.text);
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
    lb_status status = check->directory_path == NULL ? LB_OK : open_directory(check);
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
    NULL,
};

static int read_args(struct check *check, int argc, char **argv)
{
    const struct lb_ctl_option options[] = {
        {.name = "vkey", .value = "VKEY", .list = &check->vkeys,
         .en = "a log's public key; once for each log", .zh = "日志公钥，每个日志一个"},
        {.name = "directory", .value = "NOTE", .text = &check->directory_path,
         .en = "take the keys from this signed directory", .zh = "从已签名的成员目录取公钥"},
        {.name = "signer", .value = "VKEY", .list = &check->signers,
         .en = "who may sign the directory", .zh = "成员目录的签署公钥"},
    };
    const struct lb_ctl_usage usage = {
        .command = "log verify",
        .en = "recompute evidence logs from end to end; nothing is changed",
        .zh = "从头复算存证日志（只读）",
        .operand = "FOLDER...", .min_operands = 1, .max_operands = LB_CTL_MAX_ITEMS,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(check->env, &usage, argc, argv, &check->folders);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    bool directory = check->directory_path != NULL;
    if (directory == (check->vkeys.num > 0) || directory != (check->signers.num > 0))
        return lb_ctl_usage_error(check->env, "log verify",
                                  "give either --vkey, or --directory with its --signer");
    if (check->signers.num > MAX_SIGNERS)
        return lb_ctl_usage_error(check->env, "log verify", "at most %d signers", MAX_SIGNERS);
    return LB_CTL_GO;
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
    if (check.directory != NULL)
        lb_directory_unref(check.directory);
    lb_arena_free(check.arena);
    return exit_code;
}
