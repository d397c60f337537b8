#include "gateway/ctl/policy.h"
#include "gateway/ctl/text.h"
#include "gateway/ctl/words.h"

const char *lb_ctl_policy_text(const struct lb_ctl_env *env, const struct lb_form_text *text)
{
    const char *picked = lb_ctl_pick(env, text->zh, text->en);
    return picked == NULL ? "" : picked;
}

static void put(const struct lb_ctl_env *env, const char *text)
{
    lb_ctl_put(env->out, text);
}

static const char *unit_name(const struct lb_ctl_env *env, const char *unit)
{
    static const struct {
        const char *unit, *zh, *en;
    } names[] = {
        {"cents", "元", "yuan"},    {"years", "周岁（年）", "years"}, {"months", "个月", "months"},
        {"m2", "平方米", "m2"},     {"bp", "%", "%"},                 {"count", "", ""},
        {"date", "", ""},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(unit, names[i].unit) == 0)
            return lb_ctl_pick(env, names[i].zh, names[i].en);
    return unit;
}

static lb_status print_thresholds(const struct lb_ctl_env *env,
                                  const struct lb_policy_condition *condition,
                                  struct lb_arena *arena)
{
    for (size_t i = 0; i < condition->num_thresholds; i++) {
        const struct lb_threshold *threshold = condition->thresholds[i];
        const char *value = lb_threshold_format(threshold, arena);
        LB_ENSURE(value != NULL, LB_NO_MEMORY, "a threshold");
        (void)fprintf(env->out, "        %s = %s %s  ", threshold->name, value,
                      unit_name(env, threshold->unit));
        put(env, threshold->source);
        (void)fputc('\n', env->out);
    }
    return LB_OK;
}

static lb_status print_condition(const struct lb_ctl_env *env,
                                 const struct lb_policy_condition *condition, enum lb_truth truth,
                                 struct lb_arena *arena)
{
    static const char *const marks[] = {"✘", "✔", "?"};
    (void)fprintf(env->out, "    %s ", marks[truth]);
    put(env, lb_ctl_policy_text(env, &condition->text));
    (void)fputs(lb_ctl_pick(env, "  （", "  ("), env->out);
    put(env, condition->source);
    (void)fputs(lb_ctl_pick(env, "）\n", ")\n"), env->out);
    return print_thresholds(env, condition, arena);
}

static void print_head(const struct lb_ctl_env *env, const struct lb_policy *policy)
{
    (void)fputs("  ", env->out);
    put(env, lb_ctl_policy_text(env, &policy->title));
    (void)fprintf(env->out, "  [%s]  %s《", policy->id, lb_ctl_word(env, policy->owner));
    put(env, policy->document);
    (void)fputs("》", env->out);
    put(env, policy->number == NULL ? "" : policy->number);
    (void)fputc('\n', env->out);
}

static void print_line(const struct lb_ctl_env *env, const char *zh, const char *en,
                       const char *text)
{
    (void)fprintf(env->out, "    %s", lb_ctl_pick(env, zh, en));
    put(env, text);
    (void)fputc('\n', env->out);
}

/* Of an unmatched policy what would change the answer; else all that holds or is open. */
static bool is_told(const struct lb_policy_result *result, size_t condition, bool whole)
{
    if (whole)
        return true;
    if (result->status != LB_POLICY_UNMATCHED)
        return result->conditions[condition] != LB_FALSE;
    for (size_t i = 0; i < result->num_changes; i++)
        if (result->changes[i] == condition)
            return true;
    return false;
}

lb_status lb_ctl_policy_print_result(const struct lb_ctl_env *env,
                                     const struct lb_catalogue *catalogue,
                                     const struct lb_policy_result *result, bool whole,
                                     struct lb_arena *arena)
{
    const struct lb_policy *policy = result->policy;
    print_head(env, policy);
    if (result->status == LB_POLICY_MATCHED || whole)
        print_line(env, "待遇：", "benefit: ", lb_ctl_policy_text(env, &policy->benefit));
    for (size_t i = 0; i < policy->num_conditions; i++)
        if (is_told(result, i, whole))
            LB_TRY(print_condition(env, &policy->conditions[i], result->conditions[i], arena));
    for (size_t i = 0; i < result->num_missing; i++) {
        const struct lb_question *question =
            lb_catalogue_question(catalogue, result->missing[i]);
        print_line(env, "还需回答：", "still open: ", lb_ctl_policy_text(env, &question->text));
    }
    if (policy->remark.zh != NULL && result->status != LB_POLICY_UNMATCHED)
        print_line(env, "注意：", "note: ", lb_ctl_policy_text(env, &policy->remark));
    return LB_OK;
}

static lb_status print_those(const struct lb_ctl_env *env, const struct lb_catalogue *catalogue,
                             const struct lb_calculation *calculation,
                             enum lb_policy_status status, bool whole, struct lb_arena *arena)
{
    static const char *const zh[] = {
        [LB_POLICY_UNMATCHED] = "不符合（以下条件不成立）",
        [LB_POLICY_MATCHED] = "符合",
        [LB_POLICY_NEED_MORE] = "还不能判断",
    };
    static const char *const en[] = {
        [LB_POLICY_UNMATCHED] = "does not fit (these conditions fail)",
        [LB_POLICY_MATCHED] = "fits",
        [LB_POLICY_NEED_MORE] = "can't be told yet",
    };
    bool first = true;
    for (size_t i = 0; i < calculation->num_results; i++) {
        if (calculation->results[i].status != status)
            continue;
        if (first)
            (void)fprintf(env->out, "%s\n", lb_ctl_pick(env, zh[status], en[status]));
        first = false;
        LB_TRY(lb_ctl_policy_print_result(env, catalogue, &calculation->results[i], whole,
                                          arena));
    }
    if (!first)
        (void)fputc('\n', env->out);
    return LB_OK;
}

lb_status lb_ctl_policy_print_results(const struct lb_ctl_env *env,
                                      const struct lb_catalogue *catalogue,
                                      const struct lb_calculation *calculation, bool whole,
                                      struct lb_arena *arena)
{
    static const enum lb_policy_status order[] = {LB_POLICY_MATCHED, LB_POLICY_NEED_MORE,
                                                  LB_POLICY_UNMATCHED};
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        LB_TRY(print_those(env, catalogue, calculation, order[i], whole, arena));
    (void)fputs(lb_ctl_pick(env, "结果是按所答情况的初步测算，以经办部门审核为准；所答内容没有保存。\n",
                            "This is worked out from what was answered; the department decides. "
                            "Nothing of the answers was kept.\n"),
                env->out);
    return LB_OK;
}
