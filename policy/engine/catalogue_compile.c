#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "policy/engine/catalogue_internal.h"

/* --- the words of an expression --- */

/* A word, a number or a quoted text; other characters are left to the expression's own grammar. */
struct word {
    struct lb_span text;
    char first;
};

static bool next_word(const char **at, struct word *out)
{
    const char *p = *at;
    while (*p != '\0' && *p != '\'' && *p != '_' && !isalnum((unsigned char)*p))
        p++;
    if (*p == '\0')
        return false;
    const char *end = p + 1;
    if (*p == '\'') {
        end = strchr(end, '\'');
        if (end == NULL)
            return false;
        *out = (struct word){lb_span_of(p + 1, (size_t)(end - p) - 1), '\''};
        *at = end + 1;
        return true;
    }
    while (*end == '_' || isalnum((unsigned char)*end))
        end++;
    *out = (struct word){lb_span_of(p, (size_t)(end - p)), *p};
    *at = end;
    return true;
}

static bool is_one_of(struct lb_span word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == word.len &&
            strncasecmp((const char *)word.ptr, *words, word.len) == 0)
            return true;
    return false;
}

static int shown(struct lb_span word)
{
    return word.len > 64 ? 64 : (int)word.len;
}

/* --- names of a test --- */

static void note_question(struct lb_policy_condition *condition, size_t *questions, size_t index)
{
    for (size_t i = 0; i < condition->num_questions; i++)
        if (questions[i] == index)
            return;
    questions[condition->num_questions++] = index;
}

static const struct catalogue_name *name_of(const struct lb_catalogue *catalogue,
                                            struct lb_span word)
{
    for (size_t i = 0; i < catalogue->num_names; i++) {
        const struct catalogue_name *name = &catalogue->names[i];
        bool same = name->role == NAME_THRESHOLD
                        ? lb_catalogue_threshold_name(
                              lb_rules_threshold_at(catalogue->rules, name->index), word)
                        : lb_span_is(word, name->name);
        if (same)
            return name;
    }
    return NULL;
}

/* What a test is made of while its words are read. */
struct naming {
    struct catalogue_loader *loader;
    const struct lb_yaml_node *node;
    struct lb_policy_condition *condition;
    struct catalogue_test *test;
    size_t *questions;
    const struct lb_threshold **thresholds;
};

static lb_status add_word(struct naming *naming, struct lb_span word)
{
    static const char *const known[] = {"in",  "true", "false",     "abs",      "ceil",
                                        "min", "max",  "floor_div", "ceil_div", NULL};
    static const char *const logic[] = {"and", "or", "not", "between", NULL};
    struct lb_catalogue *catalogue = naming->loader->catalogue;
    struct lb_diag *diag = naming->loader->reader.diag;
    struct catalogue_test *test = naming->test;
    if (is_one_of(word, known))
        return LB_OK;
    if (is_one_of(word, logic))
        return lb_yaml_fail(naming->node, diag,
                            "a test is one comparison; make conditions of its parts and put them "
                            "together in `when`");
    const struct catalogue_name *name = name_of(catalogue, word);
    if (name == NULL)
        return lb_yaml_fail(naming->node, diag,
                            "`%.*s` is neither a question's name nor a threshold", shown(word),
                            (const char *)word.ptr);
    for (size_t i = 0; i < test->num_names; i++)
        if (lb_span_is(word, test->names[i].name))
            return LB_OK;
    if (test->num_names == LB_CATALOGUE_MAX_TEST_NAMES)
        return lb_yaml_fail(naming->node, diag, "a test has at most %d names; split it",
                            LB_CATALOGUE_MAX_TEST_NAMES);
    struct catalogue_name *added = &test->names[test->num_names++];
    *added = *name;
    added->name = lb_arena_str(catalogue->arena, word);
    LB_ENSURE(added->name != NULL, LB_NO_MEMORY, "a test");
    if (name->role == NAME_THRESHOLD)
        naming->thresholds[naming->condition->num_thresholds++] =
            lb_rules_threshold_at(catalogue->rules, name->index);
    else
        note_question(naming->condition, naming->questions, name->index);
    return LB_OK;
}

static lb_status check_number(const struct naming *naming, struct lb_span word)
{
    if (lb_span_is(word, "12") || lb_span_is(word, "10000"))
        return LB_OK;
    return lb_yaml_fail(naming->node, naming->loader->reader.diag,
                        "numbers stand in the threshold set with their source, not in tests (but "
                        "12 and 10000)");
}

/* A misspelt choice would be false for everybody. */
static lb_status check_choice(const struct naming *naming, struct lb_span word)
{
    const struct lb_catalogue *catalogue = naming->loader->catalogue;
    for (size_t i = 0; i < naming->condition->num_questions; i++) {
        const struct lb_question *question = &catalogue->questions[naming->questions[i]];
        for (size_t k = 0; k < question->num_choices; k++)
            if (lb_span_is(word, question->choices[k].id))
                return LB_OK;
    }
    return lb_yaml_fail(naming->node, naming->loader->reader.diag,
                        "'%.*s' is no choice of the test's question", shown(word),
                        (const char *)word.ptr);
}

lb_status lb_catalogue_find_names(struct catalogue_loader *loader, const struct lb_yaml_node *map,
                                  struct lb_policy_condition *condition,
                                  struct catalogue_test *test)
{
    struct lb_arena *arena = loader->catalogue->arena;
    size_t max = LB_CATALOGUE_MAX_TEST_NAMES;
    struct naming naming = {
        .loader = loader, .node = lb_yaml_get(map, "test"), .condition = condition, .test = test,
        .questions = lb_arena_array(arena, max, sizeof(size_t)),
        .thresholds = lb_arena_array(arena, max, sizeof(struct lb_threshold *)),
    };
    test->names = lb_arena_array(arena, max, sizeof(*test->names));
    LB_ENSURE(test->names != NULL && naming.questions != NULL && naming.thresholds != NULL,
              LB_NO_MEMORY, "a test");
    condition->questions = naming.questions;
    condition->thresholds = naming.thresholds;
    struct word word;
    for (const char *at = condition->test; next_word(&at, &word);) {
        if (word.first == '\'')
            LB_TRY(check_choice(&naming, word.text));
        else if (isdigit((unsigned char)word.first))
            LB_TRY(check_number(&naming, word.text));
        else
            LB_TRY(add_word(&naming, word.text));
    }
    if (condition->num_questions == 0)
        return lb_yaml_fail(naming.node, loader->reader.diag,
                            "this test asks nothing; name a question in it");
    return LB_OK;
}

/* --- expressions --- */

lb_status lb_catalogue_compile_test(struct lb_catalogue *catalogue, const char *text,
                                    struct catalogue_test *test, struct lb_diag *diag)
{
    const char *names[LB_CATALOGUE_MAX_TEST_NAMES];
    enum lb_expr_kind kinds[LB_CATALOGUE_MAX_TEST_NAMES];
    for (size_t i = 0; i < test->num_names; i++) {
        names[i] = test->names[i].name;
        kinds[i] = test->names[i].kind;
    }
    const struct lb_expr_names scope = {names, kinds, test->num_names};
    struct lb_expr *expr = NULL;
    LB_TRY(lb_expr_compile(catalogue->env, text, &scope, diag, &expr));
    if (lb_expr_kind_of(expr) != LB_EXPR_TRUTH) {
        lb_expr_free(expr);
        lb_diag_set(diag, "this must come to true or false; write it as one");
        LB_FAIL(LB_CONFIG_INVALID, "a test is no truth");
    }
    lb_expr_free(test->expr);
    test->expr = expr;
    return LB_OK;
}

static lb_status told_at(lb_status status, const struct lb_yaml_node *node,
                         const struct lb_diag *reason, struct lb_diag *diag)
{
    if (lb_status_code(status) == LB_CONFIG_INVALID)
        return lb_yaml_fail(node, diag, "%s", reason->text);
    return status;
}

static lb_status compile_when(struct catalogue_loader *loader, const struct lb_yaml_node *node,
                              struct catalogue_policy *policy)
{
    static const char *const logic[] = {"and", "or", NULL};
    const char *names[LB_CATALOGUE_MAX_CONDITIONS + 1];
    enum lb_expr_kind kinds[LB_CATALOGUE_MAX_CONDITIONS];
    struct lb_diag reason = {{0}};
    struct word word;
    for (size_t i = 0; i < policy->policy.num_conditions; i++) {
        names[i] = policy->policy.conditions[i].name;
        kinds[i] = LB_EXPR_TRUTH;
    }
    names[policy->policy.num_conditions] = NULL;
    for (const char *at = policy->policy.when; next_word(&at, &word);)
        if (!is_one_of(word.text, logic) && !is_one_of(word.text, names))
            return lb_yaml_fail(node, loader->reader.diag,
                                "`when` has conditions, AND, OR and parentheses; let each "
                                "condition say what must hold");
    if (strpbrk(policy->policy.when, "=<>!+-*") != NULL)
        return lb_yaml_fail(node, loader->reader.diag, "`when` compares nothing; tests do");
    const struct lb_expr_names scope = {names, kinds, policy->policy.num_conditions};
    lb_status status = lb_expr_compile(loader->catalogue->env, policy->policy.when, &scope,
                                       &reason, &policy->when);
    return told_at(status, node, &reason, loader->reader.diag);
}

lb_status lb_catalogue_compile(struct catalogue_loader *loader, const struct lb_yaml_node *root,
                               struct catalogue_policy *policy)
{
    const struct lb_yaml_node *list = lb_yaml_get(root, "conditions");
    size_t num = policy->policy.num_conditions;
    unsigned influence[LB_CATALOGUE_MAX_CONDITIONS];
    for (size_t i = 0; i < num; i++) {
        struct lb_diag reason = {{0}};
        lb_status status = lb_catalogue_compile_test(
            loader->catalogue, policy->policy.conditions[i].test, &policy->tests[i], &reason);
        LB_TRY(told_at(status, lb_yaml_get(lb_yaml_item(list, i), "test"), &reason,
                       loader->reader.diag));
    }
    LB_TRY(compile_when(loader, lb_yaml_get(root, "when"), policy));
    LB_TRY(lb_catalogue_fill_table(policy, loader->reader.arena));
    lb_catalogue_influence(policy, 0, (1u << num) - 1, influence);
    for (size_t i = 0; i < num; i++)
        if (influence[i] == 0)
            return lb_yaml_fail(lb_yaml_item(list, i), loader->reader.diag,
                                "`when` does not depend on condition `%s`; remove it",
                                policy->policy.conditions[i].name);
    return LB_OK;
}
