#include "gateway/mains/forms.h"

lb_status lb_node_forms_read(struct lb_node_program *node, struct lb_node_forms *out_forms)
{
    const struct lb_yaml_node *list = NULL;
    LB_TRY(lb_yaml_need(node->root, "forms", &node->diag, &list));
    if (lb_yaml_kind_of(list) != LB_YAML_LIST || lb_yaml_len(list) > LB_MAX_FORMS)
        return lb_yaml_fail(list, &node->diag, "forms must list at most %d files", LB_MAX_FORMS);
    for (size_t i = 0; i < lb_yaml_len(list); i++) {
        const char *name = NULL, *path = NULL;
        LB_TRY(lb_yaml_text(lb_yaml_item(list, i), &node->diag, &name));
        LB_TRY(lb_node_path(node, name, &path));
        LB_TRY(lb_form_load(path, NULL, &node->diag, &out_forms->forms[i]));
        out_forms->num++;
    }
    return LB_OK;
}

void lb_node_forms_free(struct lb_node_forms *forms)
{
    for (size_t i = 0; i < forms->num; i++)
        lb_form_free(forms->forms[i]);
    forms->num = 0;
}
