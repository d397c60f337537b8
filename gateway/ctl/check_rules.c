#include "gateway/ctl/args.h"
#include "gateway/ctl/check_head.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "policy/engine/rules.h"

/* `rules check`: a rule set, and what stands in it. */

static void free_rules(struct lb_rules **rules)
{
    lb_rules_free(*rules);
}

static lb_status print_rules(const struct lb_ctl_env *env, const struct lb_rules *rules,
                             struct lb_arena *arena)
{
    static const char *const zh[] = {"标准", "值", "单位", "来源", NULL};
    static const char *const en[] = {"threshold", "value", "unit", "source", NULL};
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, arena, env->chinese ? zh : en);
    for (size_t i = 0; i < lb_rules_num_thresholds(rules); i++) {
        const struct lb_threshold *threshold = lb_rules_threshold_at(rules, i);
        const char *const cells[] = {
            threshold->name, lb_arena_printf(arena, "%lld", (long long)threshold->value),
            threshold->unit, threshold->source};
        lb_ctl_table_row(&table, cells);
    }
    lb_ctl_put_head(env, lb_rules_id(rules), lb_rules_version(rules), lb_rules_sha256(rules));
    return lb_ctl_table_print(&table, env->out);
}

static lb_status check_rules(const struct lb_ctl_env *env, const char *path, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(free_rules) struct lb_rules *rules = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_rules_load(path, diag, &rules));
    if (!env->json)
        return print_rules(env, rules, arena);
    LB_DEFER(lb_json_freep) struct lb_json *root =
        lb_ctl_head_json(lb_rules_id(rules), lb_rules_version(rules), lb_rules_sha256(rules));
    lb_json_set_int(root, "thresholds", (int64_t)lb_rules_num_thresholds(rules));
    return lb_ctl_print_json(env, root);
}

static int rules_check(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban rules check beijing-reference.yaml", NULL};
    struct lb_ctl_list files = {.num = 0};
    struct lb_diag diag = {.text = ""};
    const struct lb_ctl_usage usage = {
        .command = "rules check", .en = "check a rule set and list its thresholds",
        .zh = "检查标准集并列出各项标准",
        .operand = "RULES.yaml", .min_operands = 1, .max_operands = 1, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    lb_status status = check_rules(env, files.items[0], &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &diag);
}

int lb_ctl_rules_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"check", "check a rule set", "检查标准集", rules_check},
    };
    return lb_ctl_words(env, "rules", words, 1, argc, argv);
}
