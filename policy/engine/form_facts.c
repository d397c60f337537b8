#include <string.h>

#include "policy/engine/form_internal.h"

enum lb_expr_kind lb_form_fact_kind(const struct lb_form_fact *fact)
{
    switch (fact->kind) {
    case LB_FACT_TRUTH:
        return LB_EXPR_TRUTH;
    case LB_FACT_NUMBER:
        return LB_EXPR_NUMBER;
    case LB_FACT_TEXT:
        return LB_EXPR_TEXT;
    case LB_FACT_UNKNOWN:
        break;
    }
    return LB_EXPR_UNKNOWN;
}

/* An operator tells the kind of its facts, but PASS hands on whatever the field is, and a form does
 * not see the view. What comes back of another kind is refused. */
static lb_status read_kind(struct form_loader *loader, const struct lb_yaml_node *map,
                           struct lb_form_fact *fact)
{
    const struct lb_yaml_node *node = lb_yaml_get(map, "value");
    const char *text = NULL;
    fact->kind = lb_op_result(fact->call.op);
    if (fact->call.op != LB_OP_PASS)
        return node == NULL ? LB_OK
                            : lb_yaml_fail(node, loader->diag, "`value` goes with PASS alone; "
                                                               "remove it");
    LB_TRY(lb_yaml_need_text(map, "value", loader->diag, &text));
    bool is_number = strcmp(text, "number") == 0;
    if (!is_number && strcmp(text, "text") != 0)
        return lb_yaml_fail(node, loader->diag, "`value: %.40s` is not known; write number or text",
                            text);
    fact->kind = is_number ? LB_FACT_NUMBER : LB_FACT_TEXT;
    return LB_OK;
}

static lb_status read_operator(struct form_loader *loader, const struct lb_yaml_node *map,
                               struct lb_form_fact *fact)
{
    const struct lb_yaml_node *node;
    const char *text;
    LB_TRY(lb_yaml_need(map, "operator", loader->diag, &node));
    LB_TRY(lb_yaml_text(node, loader->diag, &text));
    lb_status status = lb_op_parse(lb_span_str(text), loader->arena, &fact->call);
    if (lb_status_code(status) == LB_OPERATOR_UNKNOWN)
        return lb_yaml_fail(node, loader->diag,
                            "`%.80s` is no operator with its arguments; use EXISTS, EQ, "
                            "CMP(<=,threshold), IN(set), BUCKET(edges), COUNT(cap), SUM(months), "
                            "AGE_GE(threshold), ADDR_LEVEL(digits), MAP(table) or another of "
                            "docs/OPERATORS.md",
                            text);
    LB_TRY(status);
    if (fact->call.op == LB_OP_OMIT)
        return lb_yaml_fail(node, loader->diag, "OMIT gives no fact; leave the fact out");
    if (loader->rules != NULL && !lb_op_names_known(&fact->call, loader->rules))
        return lb_yaml_fail(node, loader->diag,
                            "`%.80s` names what rule set `%s` lacks; add it there or name another",
                            text, lb_rules_id(loader->rules));
    return read_kind(loader, map, fact);
}

static lb_status read_asked_roles(struct form_loader *loader, const struct lb_yaml_node *map,
                                  struct lb_form_fact *fact)
{
    const struct lb_yaml_node *list;
    LB_TRY(lb_form_need_list(loader, map, "roles", LB_FORM_MAX_ROLES, &list));
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const struct lb_yaml_node *item = lb_yaml_item(list, i);
        const char *name;
        LB_TRY(lb_yaml_text(item, loader->diag, &name));
        size_t role = lb_form_role_index(&loader->form->form, name);
        if (role == SIZE_MAX)
            return lb_yaml_fail(item, loader->diag,
                                "there is no role `%.80s`; name one of the form's `roles`", name);
        if (lb_form_asks(fact, role))
            return lb_yaml_fail(item, loader->diag, "role `%s` stands here twice; remove one",
                                name);
        fact->roles |= 1U << role;
    }
    return LB_OK;
}

static bool is_word(const char *text)
{
    return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
           strcmp(text, "unknown") == 0;
}

/* What holds for a role that is not asked; without it a zero or a FALSE would be a guess. */
static lb_status read_otherwise(struct form_loader *loader, const struct lb_yaml_node *map,
                                struct lb_form_fact *fact)
{
    const struct lb_yaml_node *node = lb_yaml_get(map, "otherwise");
    enum lb_expr_kind kind = lb_form_fact_kind(fact);
    const char *text;
    fact->otherwise = (struct lb_fact){.state = LB_FACT_OK, .kind = LB_FACT_UNKNOWN};
    if (fact->call.op == LB_OP_SHARE && node != NULL)
        return lb_yaml_fail(node, loader->diag,
                            "`otherwise` has no meaning for a share: who is not asked adds "
                            "nothing; remove it");
    if (fact->call.op == LB_OP_SHARE)
        return LB_OK;
    if (node == NULL && fact->roles == (1U << loader->form->form.num_roles) - 1)
        return LB_OK;
    LB_TRY(lb_yaml_need_text(map, "otherwise", loader->diag, &text));
    if (strcmp(text, "unknown") == 0)
        return LB_OK;
    if (kind == LB_EXPR_TEXT || (kind == LB_EXPR_TRUTH) != is_word(text))
        return lb_yaml_fail(node, loader->diag,
                            "`otherwise: %.40s` is not of the fact's kind; write %s", text,
                            kind == LB_EXPR_TRUTH    ? "true, false or unknown"
                            : kind == LB_EXPR_NUMBER ? "an integer or unknown"
                                                     : "unknown");
    if (kind == LB_EXPR_TRUTH) {
        fact->otherwise.kind = LB_FACT_TRUTH;
        fact->otherwise.truth = strcmp(text, "true") == 0;
        return LB_OK;
    }
    fact->otherwise.kind = LB_FACT_NUMBER;
    return lb_yaml_int(node, INT64_MIN, INT64_MAX, loader->diag, &fact->otherwise.number);
}

/* EQ compares with what the citizen declared, so EQ and a claim come together. */
static lb_status read_claim(struct form_loader *loader, const struct lb_yaml_node *map,
                            struct lb_form_fact *fact)
{
    static const char *const claim_names[] = {"none", "name", "household"};
    const struct lb_yaml_node *node = lb_yaml_get(map, "claim");
    const char *text;
    size_t claim = 0;
    LB_TRY(lb_yaml_opt_text(map, "claim", "none", loader->diag, &text));
    while (claim < 3 && strcmp(text, claim_names[claim]) != 0)
        claim++;
    if (claim == 3)
        return lb_yaml_fail(node, loader->diag,
                            "`%.80s` is no claim; use none, name or household", text);
    fact->claim = (enum lb_form_claim)claim;
    if (fact->claim != LB_CLAIM_NONE && fact->call.op != LB_OP_EQ)
        return lb_yaml_fail(node, loader->diag, "`claim: %s` needs `operator: EQ`", text);
    if (fact->claim == LB_CLAIM_NONE && fact->call.op == LB_OP_EQ)
        return lb_yaml_fail(map, loader->diag,
                            "`operator: EQ` needs a claim to compare with; add `claim: name` or "
                            "`claim: household`");
    return LB_OK;
}

/* What is only declared decides nothing by itself, so D is no grade from which a fact counts. */
static lb_status read_grade(struct form_loader *loader, const struct lb_yaml_node *map,
                            struct lb_form_fact *fact)
{
    const struct lb_yaml_node *node = lb_yaml_get(map, "grade");
    const char *text;
    LB_TRY(lb_yaml_opt_text(map, "grade", "B", loader->diag, &text));
    if (strlen(text) != 1 || text[0] < 'A' || text[0] > 'C')
        return lb_yaml_fail(node, loader->diag, "`%.80s` is no grade; use A, B or C", text);
    if (node != NULL && (fact->call.op == LB_OP_SHARE || fact->call.op == LB_OP_TOKEN))
        return lb_yaml_fail(node, loader->diag,
                            "a share or token means nothing to an officer, so nobody adds one; "
                            "remove `grade`");
    fact->grade = text[0];
    return LB_OK;
}

static lb_status read_words(struct form_loader *loader, const struct lb_yaml_node *map,
                            struct lb_form_fact *fact)
{
    LB_TRY(lb_yaml_opt_bool(map, "show", false, loader->diag, &fact->show));
    if (fact->show && fact->call.op == LB_OP_SHARE)
        return lb_yaml_fail(lb_yaml_get(map, "show"), loader->diag,
                            "a share means nothing by itself and is never shown; remove `show`");
    if (fact->show && fact->call.op == LB_OP_TOKEN)
        return lb_yaml_fail(lb_yaml_get(map, "show"), loader->diag,
                            "a token is for who opens it and is never shown; remove `show`");
    LB_TRY(lb_yaml_opt_bool(map, "optional", false, loader->diag, &fact->optional));
    if (fact->optional && loader->form->form.sections[fact->section].basis == LB_BASIS_MANDATE)
        return lb_yaml_fail(map, loader->diag,
                            "fact `%s` is asked under a mandate, so nobody can refuse it; remove "
                            "`optional`",
                            fact->name);
    LB_TRY(lb_form_read_text(loader, map, "label", &fact->label));
    if (lb_yaml_get(map, "waiver") != NULL)
        LB_TRY(lb_form_read_text(loader, map, "waiver", &fact->waiver));
    if (lb_yaml_get(map, "saves") == NULL)
        return LB_OK;
    return lb_form_read_text(loader, map, "saves", &fact->saves);
}

static lb_status read_fact(struct form_loader *loader, const struct lb_yaml_node *map,
                           struct lb_form_fact *fact)
{
    static const char *const keys[] = {"fact",  "department", "view",  "field", "operator",
                                       "roles", "otherwise",  "claim", "show",  "saves",
                                       "label", "value",      "optional", "grade", "waiver", NULL};
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_form_take_name(loader, map, "fact", &fact->name));
    LB_TRY(lb_yaml_need_text(map, "department", loader->diag, &fact->department));
    fact->section = lb_form_section_index(&loader->form->form, fact->department);
    if (fact->section == SIZE_MAX)
        return lb_yaml_fail(lb_yaml_get(map, "department"), loader->diag,
                            "department `%.80s` has no section; add it to `sections`",
                            fact->department);
    LB_TRY(lb_word_need(map, "view", LB_WORD_VIEW, loader->diag, &fact->view));
    LB_TRY(lb_word_need(map, "field", LB_WORD_NAME, loader->diag, &fact->field));
    LB_TRY(read_operator(loader, map, fact));
    LB_TRY(read_asked_roles(loader, map, fact));
    LB_TRY(read_claim(loader, map, fact));
    LB_TRY(read_otherwise(loader, map, fact));
    LB_TRY(read_grade(loader, map, fact));
    return read_words(loader, map, fact);
}

static bool is_same_call(const struct lb_op_call *a, const struct lb_op_call *b)
{
    if (a->op != b->op || a->num_args != b->num_args)
        return false;
    for (size_t i = 0; i < a->num_args; i++)
        if (strcmp(a->args[i], b->args[i]) != 0)
            return false;
    return true;
}

static bool is_same_question(const struct lb_form_fact *a, const struct lb_form_fact *b)
{
    return strcmp(a->department, b->department) == 0 && strcmp(a->view, b->view) == 0 &&
           strcmp(a->field, b->field) == 0 && is_same_call(&a->call, &b->call);
}

/* A section's disclosure and its answer have their own limits; told here, not at the first case. */
static lb_status check_section_room(struct form_loader *loader, const struct lb_yaml_node *list,
                                    size_t index)
{
    const struct lb_form_fact *facts = loader->form->form.facts;
    size_t num_fields = 1;
    size_t num_views = 1;
    for (size_t i = 0; i < index; i++) {
        if (strcmp(facts[i].department, facts[index].department) != 0)
            continue;
        num_fields++;
        bool is_first_of_view = true;
        for (size_t j = 0; j < i && is_first_of_view; j++)
            is_first_of_view = strcmp(facts[j].department, facts[i].department) != 0 ||
                               strcmp(facts[j].view, facts[i].view) != 0;
        if (is_first_of_view && strcmp(facts[i].view, facts[index].view) != 0)
            num_views++;
    }
    if (num_fields > LB_MAX_FIELDS_PER_SECTION || num_views > LB_MAX_VIEWS_PER_SECTION)
        return lb_yaml_fail(lb_yaml_item(list, index), loader->diag,
                            "department `%s` is asked for more than %d facts or %d views; ask less",
                            facts[index].department, LB_MAX_FIELDS_PER_SECTION,
                            LB_MAX_VIEWS_PER_SECTION);
    return LB_OK;
}

static lb_status check_fact(struct form_loader *loader, const struct lb_yaml_node *list,
                            size_t index)
{
    const struct lb_form_fact *facts = loader->form->form.facts;
    for (size_t i = 0; i < index; i++)
        if (is_same_question(&facts[i], &facts[index]))
            return lb_yaml_fail(lb_yaml_item(list, index), loader->diag,
                                "fact `%s` asks the same as `%s`; use one fact with all its roles",
                                facts[index].name, facts[i].name);
    return check_section_room(loader, list, index);
}

static lb_status check_sections_used(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *sections = lb_yaml_get(root, "sections");
    for (size_t s = 0; s < form->num_sections; s++) {
        const char *name;
        const struct lb_yaml_node *node = lb_yaml_member(sections, s, &name);
        bool is_used = false;
        for (size_t f = 0; f < form->num_facts && !is_used; f++)
            is_used = strcmp(form->facts[f].department, name) == 0;
        if (!is_used)
            return lb_yaml_fail(node, loader->diag,
                                "no fact asks department `%s`; remove the section", name);
    }
    return LB_OK;
}

/* A role is there to be asked; and a minor's guardian is believed only after a department compared
 * the household that the applicant declared. */
static lb_status check_roles_asked(struct form_loader *loader, const struct lb_yaml_node *root)
{
    const struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *roles = lb_yaml_get(root, "roles");
    unsigned asked = 0;
    bool compares_household = false;
    for (size_t f = 0; f < form->num_facts; f++) {
        asked |= form->facts[f].roles;
        if (form->facts[f].claim == LB_CLAIM_HOUSEHOLD && lb_form_asks(&form->facts[f], 0))
            compares_household = true;
    }
    for (size_t r = 0; r < form->num_roles; r++) {
        const char *name;
        const struct lb_yaml_node *node = lb_yaml_member(roles, r, &name);
        if ((asked >> r & 1U) == 0)
            return lb_yaml_fail(node, loader->diag,
                                "no fact is asked of role `%s`; remove the role", name);
        if (form->roles[r].minor && !compares_household)
            return lb_yaml_fail(node, loader->diag,
                                "role `%s` is a minor's, and no fact with `claim: household` of "
                                "the applicant checks who the guardian is; add one",
                                name);
    }
    return LB_OK;
}

lb_status lb_form_read_facts(struct form_loader *loader, const struct lb_yaml_node *root)
{
    struct lb_form *form = &loader->form->form;
    const struct lb_yaml_node *list;
    LB_TRY(lb_form_need_list(loader, root, "facts", LB_FORM_MAX_FACTS, &list));
    size_t num = lb_yaml_len(list);
    struct lb_form_fact *facts = lb_arena_array(loader->arena, num, sizeof(*facts));
    LB_ENSURE(facts != NULL, LB_NO_MEMORY, "a form's facts");
    form->facts = facts;
    for (size_t i = 0; i < num; i++) {
        LB_TRY(read_fact(loader, lb_yaml_item(list, i), &facts[i]));
        LB_TRY(check_fact(loader, list, i));
        form->num_facts = i + 1;
    }
    LB_TRY(check_sections_used(loader, root));
    return check_roles_asked(loader, root);
}
