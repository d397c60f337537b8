#include "policy/engine/view_private.h"

/* Views whose rows are no department's data: the accesses to it, and a drill's made-up people. Such
 * views can't be told to serve anything else, and no other view what is theirs. */

#define DRILL_PREFIX "drill-"

bool lb_view_is_drill(const char *id)
{
    const char *dot = strchr(id, '.');
    return dot != NULL && strncmp(dot + 1, DRILL_PREFIX, strlen(DRILL_PREFIX)) == 0;
}

lb_status lb_view_load_source(const struct lb_view_loader *loader, const struct lb_yaml_node *root,
                              enum lb_view_source *out_source)
{
    static const char *const databases[] = {"query", "as_of", "freshness_days", "complete",
                                            "maintenance"};
    const struct lb_yaml_node *node = lb_yaml_get(root, "source");
    const char *source = NULL;
    *out_source = LB_VIEW_DATABASE;
    if (node == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_text(node, loader->diag, &source));
    if (strcmp(source, "drill") == 0) {
        *out_source = LB_VIEW_DRILL;
        return LB_OK;
    }
    if (strcmp(source, "officer") != 0)
        return lb_yaml_fail(node, loader->diag,
                            "`source: %.40s` is not known; write officer or drill, or leave it out "
                            "for the department's database",
                            source);
    for (size_t i = 0; i < sizeof(databases) / sizeof(databases[0]); i++) {
        const struct lb_yaml_node *other = lb_yaml_get(root, databases[i]);
        if (other != NULL)
            return lb_yaml_fail(other, loader->diag,
                                "a view of the officer's station has no `%s`; remove it",
                                databases[i]);
    }
    *out_source = LB_VIEW_OFFICER;
    return LB_OK;
}

static bool is_for(const struct lb_view_rule *rule)
{
    return strcmp(rule->purpose, LB_PURPOSE_SUBJECT_ACCESS) == 0 ||
           strcmp(rule->purpose, LB_PURPOSE_OVERSIGHT) == 0;
}

static bool lists(const struct lb_view_rule *rule)
{
    bool found = false;
    for (size_t i = 0; i < rule->num_operators; i++)
        found = found || rule->operators[i].op == LB_OP_LIST;
    return found;
}

static bool lists_only(const struct lb_view_rule *rule)
{
    return rule->num_operators == 1 && rule->operators[0].op == LB_OP_LIST;
}

static const char *complaint(const struct lb_view *view, const struct lb_view_field *field)
{
    bool officer = view->source == LB_VIEW_OFFICER;
    if (officer && (field->type != LB_FIELD_TEXT || field->column == NULL ||
                    strcmp(field->column, LB_VIEW_OFFICER_COLUMN) != 0))
        return "a field of the officer's station has `type: text` and `column: access`";
    for (size_t i = 0; i < field->num_rules; i++) {
        const struct lb_view_rule *rule = &field->rules[i];
        if (!officer && lists(rule))
            return "LIST is for views with `source: officer` alone";
        if (officer && !lists_only(rule))
            return "what the officer's station tells is released by LIST alone";
        if (officer && !is_for(rule))
            return "the officer's station answers for subject-access and oversight alone";
        bool for_drill = strcmp(rule->purpose, LB_PURPOSE_DRILL) == 0;
        if (for_drill != (view->source == LB_VIEW_DRILL))
            return "the purpose `drill` and views with `source: drill` are for each other alone";
    }
    return NULL;
}

lb_status lb_view_check_source(const struct lb_view_loader *loader,
                               const struct lb_yaml_node *root, const struct lb_view *view)
{
    if (view->source == LB_VIEW_OFFICER && !view->many)
        return lb_yaml_fail(lb_yaml_get(root, "rows"), loader->diag,
                            "the officer's station gives several rows; write rows: many");
    if (lb_view_is_drill(view->id) != (view->source == LB_VIEW_DRILL))
        return lb_yaml_fail(lb_yaml_get(root, "view"), loader->diag,
                            "a view with `source: drill`, and no other, is called "
                            "<department>.drill-<name>");
    for (size_t i = 0; i < view->num_fields; i++) {
        const char *wrong = complaint(view, &view->fields[i]);
        if (wrong != NULL)
            return lb_yaml_fail(lb_yaml_get(root, "fields"), loader->diag,
                                "field %s: %s; change it", view->fields[i].name, wrong);
    }
    return LB_OK;
}
