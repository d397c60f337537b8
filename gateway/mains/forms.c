#include "gateway/mains/forms.h"

#include "gateway/base/log.h"

static void log_waiver(const struct lb_form *form, const char *item)
{
    lb_log_event(LB_LOG_INFO, "form_waiver", "\"form\":\"%s\",\"version\":%lu,\"item\":\"%s\"",
                 form->id, (unsigned long)form->version, item);
}

void lb_node_form_waivers(const struct lb_form *form)
{
    for (size_t i = 0; i < form->num_facts; i++)
        if (form->facts[i].waiver.zh != NULL)
            log_waiver(form, form->facts[i].name);
    for (size_t i = 0; i < form->num_asks; i++)
        if (form->asks[i].waiver.zh != NULL)
            log_waiver(form, form->asks[i].name);
}

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
        lb_node_form_waivers(lb_form_of(out_forms->forms[i]));
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
