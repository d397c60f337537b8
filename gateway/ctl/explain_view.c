#include "gateway/ctl/explain_view.h"

#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/text.h"

struct explaining {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    const char *policy;
    const char *file;
    struct lb_explanation answer;
    size_t num_refused;
};

/* --- for people --- */

static const char *clause_name(const struct lb_ctl_env *env, const char *name)
{
    static const char *const zh[][2] = {
        {"requester", "请求方"}, {"issuer", "签发方"},   {"form", "表单"},  {"basis", "依据"},
        {"purpose", "目的"},     {"operator", "算子"}, {"level", "核验等级"},
        {"given_by", "同意人"},  {"life", "授权期限"},   {"event", "长期授权"},
    };
    for (size_t i = 0; env->chinese && i < sizeof(zh) / sizeof(zh[0]); i++)
        if (strcmp(zh[i][0], name) == 0)
            return zh[i][1];
    return name;
}

static void print_clause(const struct explaining *ex, const char *indent,
                         const struct lb_explain_clause *clause)
{
    const struct lb_ctl_env *env = ex->env;
    (void)fprintf(env->out, "%s%s %s: ", indent, clause->met ? "+" : "-",
                  clause_name(env, clause->name));
    lb_ctl_put(env->out, clause->asked);
    (void)fputs(clause->met ? lb_ctl_pick(env, "，符合 ", " meets ")
                            : lb_ctl_pick(env, "，不符 ", " does not meet "),
                env->out);
    lb_ctl_put(env->out, clause->demanded);
    (void)fputc('\n', env->out);
}

static void print_rules(const struct explaining *ex, const struct lb_explain_want *want)
{
    const struct lb_ctl_env *env = ex->env;
    if (want->data_class != NULL && want->num_rules == 0)
        (void)fprintf(env->out, "  %s\n",
                      lb_ctl_pick(env, "该字段没有规则，不提供任何数据",
                                  "the field has no rule: it releases nothing"));
    for (size_t r = 0; r < want->num_rules; r++) {
        const struct lb_explain_rule *rule = &want->rules[r];
        (void)fprintf(env->out, "  %s %zu%s: %s\n", lb_ctl_pick(env, "规则", "rule"), r + 1,
                      rule->dry_run ? lb_ctl_pick(env, "（试运行）", " (dry-run)") : "",
                      rule->allows ? lb_ctl_pick(env, "全部符合", "all met")
                                   : lb_ctl_pick(env, "不适用", "does not apply"));
        for (size_t i = 0; i < LB_NUM_CLAUSES; i++)
            print_clause(ex, "    ", &rule->clauses[i]);
    }
}

static const char *verdict(const struct lb_ctl_env *env, const struct lb_explain_want *want)
{
    if (want->dry_run)
        return lb_ctl_pick(env, "试运行：照常判定并留证，不提供数据",
                           "DRY RUN: judged and recorded, nothing released");
    return want->code == LB_CODE_OK ? lb_ctl_pick(env, "获准", "ALLOWED")
                                    : lb_ctl_pick(env, "被拒", "REFUSED");
}

static void print_want(const struct explaining *ex, const struct lb_explain_want *want)
{
    const struct lb_ctl_env *env = ex->env;
    const struct lb_explain_question *question = &want->question;
    (void)fputc('\n', env->out);
    lb_ctl_put(env->out, question->view);
    (void)fputc(' ', env->out);
    lb_ctl_put(env->out, question->field);
    (void)fputc(' ', env->out);
    lb_ctl_put(env->out, question->operator_text);
    (void)fprintf(env->out, "%s%s: %s\n", want->data_class == NULL ? "" : " ",
                  want->data_class == NULL ? "" : want->data_class, verdict(env, want));
    if (want->code != LB_CODE_OK)
        (void)fprintf(env->out, "  %s: %s %s\n", lb_code_name(want->code),
                      want->why == NULL ? "" : want->why,
                      lb_ctl_pick(env, lb_code_text_zh(want->code), lb_code_text_en(want->code)));
    print_rules(ex, want);
    if (want->limits != NULL)
        (void)fprintf(env->out, "  %s %s\n", lb_ctl_pick(env, "限额：", "limits:"), want->limits);
}

static void print_text(const struct explaining *ex)
{
    const struct lb_ctl_env *env = ex->env;
    (void)fprintf(env->out, "%s %s\n", lb_ctl_pick(env, "部门政策：", "policy of"),
                  ex->answer.department);
    for (size_t i = 0; i < LB_EXPLAIN_TERMS; i++)
        print_clause(ex, "  ", &ex->answer.terms[i]);
    (void)fprintf(env->out, "  %s %s\n", lb_ctl_pick(env, "限额：", "limits:"),
                  ex->answer.budgets);
    for (size_t i = 0; i < ex->answer.num_wants; i++)
        print_want(ex, &ex->answer.wants[i]);
}

/* --- for programs --- */

static struct lb_json *json_clause(const struct lb_explain_clause *clause)
{
    struct lb_json *json = lb_json_object();
    lb_json_set_cstr(json, "clause", clause->name);
    lb_json_set_bool(json, "met", clause->met);
    lb_json_set_cstr(json, "asked", clause->asked);
    lb_json_set_cstr(json, "demanded", clause->demanded);
    return json;
}

static struct lb_json *json_rule(const struct lb_explain_rule *rule)
{
    struct lb_json *json = lb_json_object(), *clauses = lb_json_array();
    lb_json_set_bool(json, "allows", rule->allows);
    lb_json_set_bool(json, "dry_run", rule->dry_run);
    for (size_t i = 0; i < LB_NUM_CLAUSES; i++)
        lb_json_append(clauses, json_clause(&rule->clauses[i]));
    lb_json_set(json, "clauses", clauses);
    return json;
}

static struct lb_json *json_want(const struct lb_explain_want *want)
{
    struct lb_json *json = lb_json_object(), *rules = lb_json_array();
    lb_json_set_cstr(json, "view", want->question.view);
    lb_json_set_cstr(json, "field", want->question.field);
    lb_json_set_cstr(json, "operator", want->question.operator_text);
    lb_json_set_bool(json, "allowed", want->code == LB_CODE_OK);
    lb_json_set_bool(json, "dry_run", want->dry_run);
    lb_json_set_cstr(json, "code", lb_code_name(want->code));
    if (want->data_class != NULL)
        lb_json_set_cstr(json, "class", want->data_class);
    if (want->limits != NULL)
        lb_json_set_cstr(json, "limits", want->limits);
    for (size_t i = 0; i < want->num_rules; i++)
        lb_json_append(rules, json_rule(&want->rules[i]));
    lb_json_set(json, "rules", rules);
    return json;
}

static lb_status print_json(const struct explaining *ex)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    struct lb_json *terms = lb_json_array(), *wants = lb_json_array();
    lb_json_set_cstr(root, "department", ex->answer.department);
    lb_json_set_cstr(root, "code", lb_code_name(ex->answer.code));
    lb_json_set_cstr(root, "limits", ex->answer.budgets);
    for (size_t i = 0; i < LB_EXPLAIN_TERMS; i++)
        lb_json_append(terms, json_clause(&ex->answer.terms[i]));
    for (size_t i = 0; i < ex->answer.num_wants; i++)
        lb_json_append(wants, json_want(&ex->answer.wants[i]));
    lb_json_set(root, "terms", terms);
    lb_json_set(root, "wants", wants);
    return lb_ctl_print_json(ex->env, root);
}

/* --- the command --- */

static lb_status run(struct explaining *ex)
{
    struct lb_explain_request request;
    struct lb_span text = LB_SPAN_EMPTY;
    ex->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(ex->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_read(ex->env, ex->file, LB_MAX_CONFIG_FILE_BYTES, ex->arena, &ex->diag, &text));
    LB_TRY(lb_ctl_explain_read(text, ex->file, ex->arena, &ex->diag, &request));
    LB_TRY(ex->env->explain(ex->policy, &request, ex->arena, &ex->diag, &ex->answer));
    for (size_t i = 0; i < ex->answer.num_wants; i++)
        ex->num_refused += ex->answer.wants[i].code != LB_CODE_OK;
    if (ex->env->json)
        return print_json(ex);
    print_text(ex);
    return LB_OK;
}

int lb_ctl_view_explain(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban view explain --policy policy.yaml request.yaml",
        "lianban view explain --policy policy.yaml --json - < request.json",
        NULL,
    };
    struct explaining ex = {.env = env};
    struct lb_ctl_list files = {.num = 0};
    const struct lb_ctl_option options[] = {
        {.name = "policy", .value = "POLICY.yaml", .required = true, .text = &ex.policy,
         .en = "the department's policy, as its adapter has it", .zh = "部门政策文件，与适配器所用一致"},
    };
    const struct lb_ctl_usage usage = {
        .command = "view explain",
        .en = "say clause by clause why a described request would be allowed or refused",
        .zh = "逐条说明所描述的请求为何获准或被拒",
        .operand = "REQUEST.yaml", .min_operands = 1, .max_operands = 1,
        .options = options, .num_options = 1, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, &files);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    ex.file = files.items[0];
    lb_status status = run(&ex);
    exit_code = ex.num_refused > 0 ? LB_CTL_FAILED : LB_CTL_OK;
    if (status != LB_OK)
        exit_code = lb_ctl_fail(env, usage.command, status, &ex.diag);
    lb_arena_free(ex.arena);
    return exit_code;
}
