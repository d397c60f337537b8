#include "gateway/base/hex.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/live.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"
#include "policy/engine/view.h"

struct view_check {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_list files;
    const char *rules_path;
    bool table_only;
    const char *live_path;  /* an adapter's configuration; NULL: files alone */
    struct lb_ctl_live live;
    struct lb_rules *rules;
    struct lb_json *views;
    struct lb_json *mistakes;
    size_t num_mistakes;
    size_t num_good;
    char ids[LB_CTL_MAX_ITEMS][LB_MAX_NAME_BYTES + 1];  /* of the good ones */
};

static lb_status print_view(struct view_check *check, const struct lb_view *view)
{
    FILE *out = check->env->out;
    struct lb_span table = LB_SPAN_EMPTY;
    char sha256[65];
    LB_TRY(lb_view_table(view, check->arena, &table));
    const char *text = lb_arena_str(check->arena, table);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena is full");
    if (!check->table_only) {
        lb_hex_encode(lb_span_of(view->sha256, 32), sha256);
        (void)fprintf(out, "%s v%u sha256 %s\n", view->id, view->version, sha256);
    }
    lb_ctl_put_lines(out, text);
    if (!check->table_only)
        (void)fputc('\n', out);
    return LB_OK;
}

static struct lb_json *add_json(struct view_check *check, const char *file,
                                const struct lb_view *view)
{
    char sha256[65];
    struct lb_json *one = lb_json_object();
    lb_hex_encode(lb_span_of(view->sha256, 32), sha256);
    lb_json_set_cstr(one, "file", file);
    lb_json_set_cstr(one, "id", view->id);
    lb_json_set_int(one, "version", view->version);
    lb_json_set_cstr(one, "sha256", sha256);
    lb_json_append(check->views, one);
    return one;
}

static lb_status refuse_second(struct view_check *check, const char *file, const char *id)
{
    for (size_t i = 0; i < check->num_good; i++) {
        if (strcmp(check->ids[i], id) == 0) {
            lb_diag_set(&check->diag, "%s: view %s is in another file as well; keep one", file, id);
            LB_FAIL(LB_CONFIG_INVALID, "a view twice");
        }
    }
    (void)snprintf(check->ids[check->num_good++], sizeof(check->ids[0]), "%s", id);
    return LB_OK;
}

static lb_status check_file(struct view_check *check, const char *file)
{
    const struct lb_view *view = NULL;
    LB_TRY(lb_view_load(file, check->rules, check->arena, &check->diag, &view));
    LB_TRY(refuse_second(check, file, view->id));
    struct lb_json *json = NULL;
    if (check->env->json)
        json = add_json(check, file, view);
    else
        LB_TRY(print_view(check, view));
    if (check->live_path == NULL)
        return LB_OK;
    return lb_ctl_live_check(&check->live, check->env, view, json, &check->diag);
}

/* A mistake in one file does not hide those in the others. */
static void check_files(struct view_check *check)
{
    for (size_t i = 0; i < check->files.num; i++) {
        lb_arena_reset(check->arena);
        check->diag.text[0] = 0;
        lb_status status = check_file(check, check->files.items[i]);
        if (status == LB_OK)
            continue;
        check->num_mistakes++;
        if (check->diag.text[0] == 0)
            lb_diag_set(&check->diag, "%s: %s", check->files.items[i], status->what);
        (void)fputs("lianban view check: ", check->env->err);
        lb_ctl_put(check->env->err, check->diag.text);
        (void)fprintf(check->env->err, " — %s\n", lb_code_text_zh(lb_status_code(status)));
        if (check->env->json)
            lb_json_append_str(check->mistakes, lb_span_str(check->diag.text));
    }
}

static lb_status print_all_json(struct view_check *check)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    lb_json_set(root, "views", check->views);
    lb_json_set(root, "mistakes", check->mistakes);
    return lb_ctl_print_json(check->env, root);
}

static lb_status run(struct view_check *check)
{
    check->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(check->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_rules_load(check->rules_path, &check->diag, &check->rules));
    if (check->live_path != NULL) {
        LB_TRY(lb_ctl_live_read(check->live_path, &check->diag, &check->live));
        LB_TRY(lb_ctl_live_connect(&check->live, &check->diag));
    }
    if (!check->env->json) {
        check_files(check);
        return LB_OK;
    }
    check->views = lb_json_array();
    check->mistakes = lb_json_array();
    check_files(check);
    return print_all_json(check);
}

static int check_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view check --rules beijing-reference.yaml views/*.yaml",
        "lianban view check --rules rules.yaml --table views/*.yaml > decisions.txt",
        "lianban view check --rules rules.yaml --json views/*.yaml   # for a directory",
        "lianban view check --rules rules.yaml --live node.yaml views/*.yaml",
        NULL,
    };
    struct view_check check = {.env = env};
    const struct lb_ctl_option options[] = {
        {.name = "rules", .value = "RULES.yaml", .required = true, .text = &check.rules_path,
         .en = "the rule set the department approved", .zh = "部门认可的标准集"},
        {.name = "table", .flag = &check.table_only,
         .en = "the decision table alone, to keep and compare", .zh = "只输出决策表，便于留存比对"},
        {.name = "live", .value = "NODE.yaml", .text = &check.live_path,
         .en = "hold them against the database of this adapter too: columns, types, index, account",
         .zh = "同时对照该接入端的数据库：字段、类型、索引与只读账号"},
    };
    const struct lb_ctl_usage usage = {
        .command = "view check",
        .en = "check a department's views and print who gets which field, how and why",
        .zh = "检查部门视图并输出决策表",
        .operand = "VIEW.yaml...", .min_operands = 1, .max_operands = LB_CTL_MAX_ITEMS,
        .options = options, .num_options = sizeof(options) / sizeof(options[0]),
        .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &check.files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = run(&check);
    exit_code = check.num_mistakes > 0 ? LB_CTL_FAILED : LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(env, usage.command, status, &check.diag);
    lb_ctl_live_cleanup(&check.live);
    lb_rules_free(check.rules);
    lb_arena_free(check.arena);
    return exit_code;
}

int lb_ctl_view_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check a department's views and print who gets what", "检查视图并输出决策表",
         check_command},
        {"explain", "why a request would be allowed or refused", "逐条说明请求为何获准或被拒",
         lb_ctl_view_explain},
        {"close", "shut a view, a requester or all at once", "立即停用视图、请求方或全部",
         lb_ctl_view_close},
        {"open", "open again what was shut", "恢复已停用的项目", lb_ctl_view_open},
        {"closed", "what is shut now", "查看当前停用的项目", lb_ctl_view_closed},
        {"open-token", "open what a view sealed under TOKEN", "打开视图以 TOKEN 密封的值",
         lb_ctl_view_open_token},
        {"token-key", "give out the key of one use of TOKEN", "导出 TOKEN 一种用途的密钥",
         lb_ctl_view_token_key},
    };
    return lb_ctl_words(env, "view", words, sizeof(words) / sizeof(words[0]), argc, argv);
}
