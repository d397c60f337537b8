#include "gateway/ctl/policy.h"

#include <time.h>

#include "gateway/base/hex.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/command.h"
#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

/* `policy list`, `show`, `questions` and `check`: what a catalogue holds. */

struct telling {
    const struct lb_ctl_env *env;
    struct lb_catalogue *catalogue;
    struct lb_arena *arena;
    struct lb_diag diag;
    const char *name;  /* the operand, where there is one */
    int exit_code;     /* when nothing failed */
};

typedef lb_status (*tell_fn)(struct telling *telling);

static lb_status load_and_tell(struct telling *telling, const char *path, tell_fn tell)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(lb_catalogue_freep) struct lb_catalogue *catalogue = NULL;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_catalogue_load(path, &telling->diag, &catalogue));
    telling->catalogue = catalogue;
    telling->arena = arena;
    return tell(telling);
}

/* The command line that all four take: --catalogue, and for show the policy's name. */
static int run(struct lb_ctl_env *env, const struct lb_ctl_usage *words, tell_fn tell, int argc,
               char **argv)
{
    struct lb_ctl_list names = {.num = 0};
    struct telling telling = {.env = env, .exit_code = LB_CTL_OK};
    const char *path = NULL;
    const struct lb_ctl_option options[] = {
        {.name = "catalogue", .value = "FILE", .required = true, .text = &path,
         .en = "the catalogue's index", .zh = "政策目录"},
    };
    struct lb_ctl_usage usage = *words;
    usage.options = options;
    usage.num_options = 1;
    int exit_code = lb_ctl_args(env, &usage, argc, argv, usage.operand == NULL ? NULL : &names);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    telling.name = names.num == 0 ? NULL : names.items[0];
    lb_status status = load_and_tell(&telling, path, tell);
    return status == LB_OK ? telling.exit_code
                           : lb_ctl_fail(env, usage.command, status, &telling.diag);
}

static void put_head(const struct lb_ctl_env *env, const struct lb_catalogue *catalogue)
{
    char hex[65];
    lb_hex_encode(lb_span_of(lb_catalogue_sha256(catalogue), 32), hex);
    (void)fprintf(env->out, "%s v%u sha256 %s\n", lb_catalogue_id(catalogue),
                  lb_catalogue_version(catalogue), hex);
    lb_ctl_put(env->out, lb_ctl_policy_text(env, lb_catalogue_title(catalogue)));
    (void)fputs("\n\n", env->out);
}

static struct lb_json *head_json(const struct lb_catalogue *catalogue)
{
    char hex[65];
    struct lb_json *out = lb_json_object();
    lb_hex_encode(lb_span_of(lb_catalogue_sha256(catalogue), 32), hex);
    lb_json_set_cstr(out, "catalogue", lb_catalogue_id(catalogue));
    lb_json_set_int(out, "version", lb_catalogue_version(catalogue));
    lb_json_set_cstr(out, "sha256", hex);
    return out;
}

/* --- list --- */

static lb_status list_policies(struct telling *telling)
{
    const struct lb_ctl_env *env = telling->env;
    struct lb_catalogue *catalogue = telling->catalogue;
    static const char *const zh[] = {"政策", "名称", "部门", "文号", NULL};
    static const char *const en[] = {"policy", "title", "owner", "document", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *root = head_json(catalogue);
    struct lb_json *policies = lb_json_array();
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, telling->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < lb_catalogue_num_policies(catalogue); i++) {
        const struct lb_policy *policy = lb_catalogue_policy(catalogue, i);
        const char *const cells[] = {
            policy->id, lb_ctl_policy_text(env, &policy->title), lb_ctl_word(env, policy->owner),
            policy->number == NULL ? policy->document : policy->number};
        lb_ctl_table_row(&table, cells);
        lb_json_append(policies, lb_ctl_policy_json(catalogue, policy));
    }
    lb_json_set(root, "policies", policies);
    if (env->json)
        return lb_ctl_print_json(env, root);
    put_head(env, catalogue);
    return lb_ctl_table_print(&table, env->out);
}

static int policy_list(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban policy list --catalogue catalogue.yaml",
                                           NULL};
    const struct lb_ctl_usage usage = {
        .command = "policy list", .en = "list the policies of a catalogue",
        .zh = "列出目录中的政策", .examples = examples,
    };
    return run(env, &usage, list_policies, argc, argv);
}

/* --- show --- */

static lb_status show_policy(struct telling *telling)
{
    const struct lb_ctl_env *env = telling->env;
    size_t index = lb_catalogue_policy_index(telling->catalogue, lb_span_str(telling->name));
    const struct lb_policy *policy = lb_catalogue_policy(telling->catalogue, index);
    if (policy == NULL) {
        lb_diag_set(&telling->diag, "there is no such policy; `policy list` has their names");
        LB_FAIL(LB_ABSENT, "no such policy");
    }
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_ctl_policy_json(telling->catalogue, policy);
    if (env->json)
        return lb_ctl_print_json(env, root);
    /* as a result while nothing is known */
    enum lb_truth *truths =
        lb_arena_array(telling->arena, policy->num_conditions, sizeof(*truths));
    LB_ENSURE(truths != NULL, LB_NO_MEMORY, "memory is exhausted");
    for (size_t i = 0; i < policy->num_conditions; i++)
        truths[i] = LB_UNKNOWN;
    const struct lb_policy_result open = {
        .policy = policy, .status = LB_POLICY_NEED_MORE, .conditions = truths};
    LB_TRY(lb_ctl_policy_print_result(env, telling->catalogue, &open, true, telling->arena));
    (void)fprintf(env->out, "    %s%s\n", lb_ctl_pick(env, "合起来：", "together: "),
                  policy->when);
    return LB_OK;
}

static int policy_show(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban policy show --catalogue catalogue.yaml advanced-age-allowance", NULL};
    const struct lb_ctl_usage usage = {
        .command = "policy show", .en = "a policy's conditions with their sources and thresholds",
        .zh = "查看一项政策的条件、依据与标准",
        .operand = "POLICY", .min_operands = 1, .max_operands = 1, .examples = examples,
    };
    return run(env, &usage, show_policy, argc, argv);
}

/* --- questions --- */

static const char *takes(const struct lb_ctl_env *env, const struct lb_question *question,
                         struct lb_arena *arena)
{
    const char *list = "";
    switch (question->type) {
    case LB_QUESTION_BOOL:
        return "yes|no";
    case LB_QUESTION_INT:
        return lb_arena_printf(arena, "%lld..%lld", (long long)question->min,
                               (long long)question->max);
    case LB_QUESTION_MONEY:
        return lb_arena_printf(arena, "%lld..%lld %s", (long long)question->min / 100,
                               (long long)question->max / 100, lb_ctl_pick(env, "元", "yuan"));
    case LB_QUESTION_DATE:
        return "YYYY-MM-DD";
    case LB_QUESTION_CHOICE:
        break;
    }
    for (size_t i = 0; list != NULL && i < question->num_choices; i++)
        list = lb_arena_printf(arena, "%s%s%s", list, i == 0 ? "" : "|", question->choices[i].id);
    return list;
}

static lb_status list_questions(struct telling *telling)
{
    const struct lb_ctl_env *env = telling->env;
    struct lb_catalogue *catalogue = telling->catalogue;
    static const char *const zh[] = {"问题", "内容", "可答", NULL};
    static const char *const en[] = {"question", "text", "takes", NULL};
    LB_DEFER(lb_json_freep) struct lb_json *root = head_json(catalogue);
    struct lb_json *questions = lb_json_array();
    struct lb_ctl_table table;
    lb_ctl_table_init(&table, telling->arena, env->chinese ? zh : en);
    for (size_t i = 0; i < lb_catalogue_num_questions(catalogue); i++) {
        const struct lb_question *question = lb_catalogue_question(catalogue, i);
        const char *const cells[] = {question->id, lb_ctl_policy_text(env, &question->text),
                                     takes(env, question, telling->arena)};
        lb_ctl_table_row(&table, cells);
        lb_json_append(questions, lb_ctl_policy_question_json(question));
    }
    lb_json_set(root, "questions", questions);
    if (env->json)
        return lb_ctl_print_json(env, root);
    put_head(env, catalogue);
    return lb_ctl_table_print(&table, env->out);
}

static int policy_questions(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban policy questions --catalogue catalogue.yaml",
                                           NULL};
    const struct lb_ctl_usage usage = {
        .command = "policy questions", .en = "list what may be entered",
        .zh = "列出可以填写的问题", .examples = examples,
    };
    return run(env, &usage, list_questions, argc, argv);
}

/* --- check --- */

static lb_status print_findings(const struct lb_ctl_env *env, const struct lb_catalogue *catalogue,
                                const struct lb_catalogue_finding *findings, size_t num)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = head_json(catalogue);
    struct lb_json *list = lb_json_array();
    for (size_t i = 0; i < num; i++) {
        struct lb_json *one = lb_json_object();
        lb_json_set_cstr(one, "where", findings[i].where);
        if (findings[i].condition != NULL)
            lb_json_set_cstr(one, "condition", findings[i].condition);
        lb_json_set_cstr(one, "text_zh", findings[i].text.zh);
        lb_json_set_cstr(one, "text_en", findings[i].text.en);
        lb_json_append(list, one);
    }
    lb_json_set_int(root, "policies", (int64_t)lb_catalogue_num_policies(catalogue));
    lb_json_set_int(root, "questions", (int64_t)lb_catalogue_num_questions(catalogue));
    lb_json_set_int(root, "thresholds",
                    (int64_t)lb_rules_num_thresholds(lb_catalogue_rules(catalogue)));
    lb_json_set(root, "findings", list);
    if (env->json)
        return lb_ctl_print_json(env, root);
    put_head(env, catalogue);
    for (size_t i = 0; i < num; i++)
        (void)fprintf(env->out, "%s%s%s: %s\n", findings[i].where,
                      findings[i].condition == NULL ? "" : " ",
                      findings[i].condition == NULL ? "" : findings[i].condition,
                      lb_ctl_policy_text(env, &findings[i].text));
    (void)fprintf(env->out, "%s%zu  %s%zu  %s%zu  %s%zu\n", lb_ctl_pick(env, "政策 ", "policies "),
                  lb_catalogue_num_policies(catalogue), lb_ctl_pick(env, "问题 ", "questions "),
                  lb_catalogue_num_questions(catalogue), lb_ctl_pick(env, "标准 ", "thresholds "),
                  lb_rules_num_thresholds(lb_catalogue_rules(catalogue)),
                  lb_ctl_pick(env, "待更正 ", "findings "), num);
    return LB_OK;
}

static lb_status check_catalogue(struct telling *telling)
{
    const struct lb_catalogue_finding *findings = NULL;
    size_t num = 0;
    struct lb_date day;
    LB_TRY(lb_ctl_policy_day(telling->env, NULL, &telling->diag, &day));
    LB_TRY(lb_catalogue_check(telling->catalogue, &day, telling->arena, &findings, &num));
    telling->exit_code = num == 0 ? LB_CTL_OK : LB_CTL_FAILED;
    return print_findings(telling->env, telling->catalogue, findings, num);
}

static int policy_check(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {"lianban policy check --catalogue catalogue.yaml",
                                           NULL};
    const struct lb_ctl_usage usage = {
        .command = "policy check",
        .en = "check a catalogue: sources, what is reachable, what is used",
        .zh = "检查政策目录：依据、可达性、是否使用", .examples = examples,
    };
    return run(env, &usage, check_catalogue, argc, argv);
}

int lb_ctl_policy_command(struct lb_ctl_env *env, int argc, char **argv)
{
    static const struct lb_ctl_word words[] = {
        {"calculate", "which policies fit, by what is entered", "测算符合哪些政策",
         lb_ctl_policy_calculate},
        {"list", "list the policies", "列出政策", policy_list},
        {"show", "a policy's conditions and sources", "查看一项政策", policy_show},
        {"questions", "list what may be entered", "列出可填写的问题", policy_questions},
        {"check", "check a catalogue", "检查政策目录", policy_check},
    };
    return lb_ctl_words(env, "policy", words, 5, argc, argv);
}
