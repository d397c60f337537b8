#include <time.h>
#include <unistd.h>

#include "gateway/config/yaml.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/policy.h"
#include "gateway/ctl/say.h"

/* `policy calculate`: facts come from a file, standard input or a person who is asked, never from
 * the command line, which other accounts of the machine can read. */

#define MAX_FACTS_BYTES (64 * 1024)

struct request {
    const char *catalogue, *facts, *only, *day;
    bool ask;
};

lb_status lb_ctl_policy_day(const struct lb_ctl_env *env, const char *text, struct lb_diag *diag,
                            struct lb_date *out_day)
{
    time_t now = (time_t)lb_clock_unix_s(env->clock);
    struct tm local;
    if (text == NULL && localtime_r(&now, &local) != NULL) {
        *out_day = (struct lb_date){local.tm_year + 1900, local.tm_mon + 1, local.tm_mday};
        return LB_OK;
    }
    if (text != NULL && lb_date_parse(lb_span_str(text), out_day))
        return LB_OK;
    lb_diag_set(diag, "--day is no day; write YYYY-MM-DD");
    LB_FAIL(LB_MALFORMED, "no day");
}

static lb_status find_policy(const struct lb_catalogue *catalogue, const char *id,
                             struct lb_diag *diag, size_t *out_index)
{
    *out_index = SIZE_MAX;
    if (id == NULL)
        return LB_OK;
    *out_index = lb_catalogue_policy_index(catalogue, lb_span_str(id));
    if (*out_index != SIZE_MAX)
        return LB_OK;
    lb_diag_set(diag, "--only names no policy of the catalogue; `policy list` has their names");
    LB_FAIL(LB_ABSENT, "no such policy");
}

/* A map of questions and answers. What is wrong is told with its line, never with its value. */
static lb_status put_facts(const struct lb_yaml_node *root, struct lb_answers *answers,
                           struct lb_diag *diag)
{
    if (lb_yaml_kind_of(root) != LB_YAML_MAP)
        return lb_yaml_fail(root, diag, "facts are lines of `question: answer`");
    for (size_t i = 0; i < lb_yaml_len(root); i++) {
        const char *question = NULL;
        const char *text = NULL;
        struct lb_diag reason = {{0}};
        const struct lb_yaml_node *item = lb_yaml_member(root, i, &question);
        LB_TRY(lb_yaml_text(item, diag, &text));
        lb_status status =
            lb_answers_put(answers, lb_span_str(question), lb_span_str(text), &reason);
        if (lb_status_code(status) == LB_ANSWER_INVALID)
            lb_status_ignore(lb_yaml_fail(item, diag, "%s", reason.text));
        LB_TRY(status);
    }
    return LB_OK;
}

static lb_status read_facts(const struct lb_ctl_env *env, const char *path,
                            struct lb_answers *answers, struct lb_diag *diag)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_DEFER(lb_yaml_freep) struct lb_yaml *yaml = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_ctl_read(env, path, MAX_FACTS_BYTES, arena, diag, &text));
    LB_TRY(lb_yaml_load_text(text, strcmp(path, "-") == 0 ? "standard input" : path, diag, &yaml));
    return put_facts(lb_yaml_root(yaml), answers, diag);
}

static lb_status print(const struct lb_ctl_env *env, struct lb_catalogue *catalogue, size_t only,
                       const struct lb_answers *answers)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    struct lb_calculation calculation;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(lb_catalogue_calculate(catalogue, only, answers, arena, &calculation));
    if (!env->json)
        return lb_ctl_policy_print_results(env, catalogue, &calculation, only != SIZE_MAX, arena);
    LB_DEFER(lb_json_freep) struct lb_json *root =
        lb_ctl_policy_results_json(catalogue, &calculation);
    return lb_ctl_print_json(env, root);
}

static lb_status calculate(const struct lb_ctl_env *env, const struct request *request,
                           struct lb_diag *diag)
{
    LB_DEFER(lb_catalogue_freep) struct lb_catalogue *catalogue = NULL;
    LB_DEFER(lb_answers_freep) struct lb_answers *answers = NULL;
    struct lb_date day;
    size_t only = SIZE_MAX;
    LB_TRY(lb_ctl_policy_day(env, request->day, diag, &day));
    LB_TRY(lb_catalogue_load(request->catalogue, diag, &catalogue));
    LB_TRY(find_policy(catalogue, request->only, diag, &only));
    LB_TRY(lb_answers_new(catalogue, &day, &answers));
    if (request->facts != NULL)
        LB_TRY(read_facts(env, request->facts, answers, diag));
    if (request->ask)
        LB_TRY(lb_ctl_policy_ask(env, catalogue, only, answers));
    return print(env, catalogue, only, answers);
}

static bool is_terminal(const struct lb_ctl_env *env)
{
    int fd = fileno(env->in);
    return fd >= 0 && isatty(fd) == 1;
}

int lb_ctl_policy_calculate(struct lb_ctl_env *env, int argc, char **argv)
{
    static const char *const examples[] = {
        "lianban policy calculate --catalogue catalogue.yaml",
        "lianban policy calculate --catalogue catalogue.yaml --facts - --json < facts.yaml", NULL};
    struct request request = {.ask = false};
    struct lb_diag diag = {.text = ""};
    const struct lb_ctl_option options[] = {
        {.name = "catalogue", .value = "FILE", .required = true, .text = &request.catalogue,
         .en = "the catalogue's index", .zh = "政策目录"},
        {.name = "facts", .value = "FILE|-", .text = &request.facts,
         .en = "`question: answer` lines; - reads standard input", .zh = "已知情况；- 为标准输入"},
        {.name = "ask", .flag = &request.ask,
         .en = "ask for what is missing, one by one (on a terminal without --facts by itself)",
         .zh = "逐个询问所缺情况（在终端上且没有 --facts 时自动）"},
        {.name = "only", .value = "POLICY", .text = &request.only,
         .en = "one policy, with all its conditions", .zh = "只算一项政策，列出全部条件"},
        {.name = "day", .value = "YYYY-MM-DD", .text = &request.day,
         .en = "the day it is worked out for (default today)", .zh = "按哪一天测算（默认今天）"},
    };
    const struct lb_ctl_usage usage = {
        .command = "policy calculate",
        .en = "which policies fit, by what is entered; nobody is asked, nothing is kept",
        .zh = "政策计算器：按所填情况测算，不查询、不保存",
        .options = options, .num_options = 5, .examples = examples,
    };
    int exit_code = lb_ctl_args(env, &usage, argc, argv, NULL);
    if (exit_code != LB_CTL_GO)
        return exit_code;
    request.ask = request.ask || (request.facts == NULL && is_terminal(env));
    if (request.facts == NULL && !request.ask)
        return lb_ctl_usage_error(env, usage.command,
                                  "say --facts FILE, --facts - for standard input, or --ask");
    if (request.ask && request.facts != NULL && strcmp(request.facts, "-") == 0)
        return lb_ctl_usage_error(env, usage.command,
                                  "--ask needs standard input itself; give --facts a file");
    lb_status status = calculate(env, &request, &diag);
    return status == LB_OK ? LB_CTL_OK : lb_ctl_fail(env, usage.command, status, &diag);
}
