#include <string.h>

#include "policy/engine/form_internal.h"
#include "policy/engine/workdays.h"

/* What holds when a person decides: the form's own words, or these, by the laws they name. */

#define MAX_DAYS 3650
#define OBJECT_DAYS 60   /* Administrative Reconsideration Law, art. 20 */
#define CORRECT_DAYS 20  /* working days; the law names none */

static const char *const hear_laws[] = {"SAL48"};
static const char *const object_laws[] = {"ARL20"};
static const struct lb_form_text object_where = {
    "有管辖权的县级以上地方人民政府行政复议机构",
    "the reconsideration office of the local government (county level or above) in charge"};

/* The Social Assistance Law asks for a hearing; other forms name their own law. */
static bool is_assistance(const struct lb_form *form)
{
    for (size_t i = 0; i < form->num_laws; i++)
        if (strncmp(form->laws[i], "SAL", 3) == 0)
            return true;
    return false;
}

static void set_defaults(struct lb_form *form)
{
    form->decision = (struct lb_form_decision){
        .hear = true,
        .num_hear_laws = is_assistance(form) ? 1 : 0,
        .hear_laws = hear_laws,
        .object_days = OBJECT_DAYS,
        .num_object_laws = 1,
        .object_laws = object_laws,
        .object_where = object_where,
        .correct_days = CORRECT_DAYS,
    };
}

static lb_status read_hear(struct form_loader *loader, const struct lb_yaml_node *map,
                           struct lb_form_decision *out)
{
    static const char *const keys[] = {"needed", "law", NULL};
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_yaml_opt_bool(map, "needed", true, loader->diag, &out->hear));
    if (lb_yaml_get(map, "law") == NULL)
        return LB_OK;
    return lb_form_read_laws(loader, map, 1, &out->num_hear_laws, &out->hear_laws);
}

static lb_status read_object(struct form_loader *loader, const struct lb_yaml_node *map,
                             struct lb_form_decision *out)
{
    static const char *const keys[] = {"days", "law", "where", NULL};
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    LB_TRY(lb_yaml_opt_int(map, "days", 1, MAX_DAYS, OBJECT_DAYS, loader->diag,
                           &out->object_days));
    if (lb_yaml_get(map, "law") != NULL)
        LB_TRY(lb_form_read_laws(loader, map, 1, &out->num_object_laws, &out->object_laws));
    else if (out->object_days != OBJECT_DAYS)
        return lb_yaml_fail(map, loader->diag,
                            "`days` is another time than the usual law's; name the `law`");
    if (lb_yaml_get(map, "where") == NULL)
        return LB_OK;
    return lb_form_read_text(loader, map, "where", &out->object_where);
}

lb_status lb_form_read_decision(struct form_loader *loader, const struct lb_yaml_node *root)
{
    static const char *const keys[] = {"hear", "object", "correct_days", NULL};
    struct lb_form_decision *out = &loader->form->form.decision;
    const struct lb_yaml_node *map = lb_yaml_get(root, "decision");
    set_defaults(&loader->form->form);
    if (map == NULL)
        return LB_OK;
    LB_TRY(lb_yaml_only(map, keys, loader->diag));
    if (lb_yaml_get(map, "hear") != NULL)
        LB_TRY(read_hear(loader, lb_yaml_get(map, "hear"), out));
    if (lb_yaml_get(map, "object") != NULL)
        LB_TRY(read_object(loader, lb_yaml_get(map, "object"), out));
    return lb_yaml_opt_int(map, "correct_days", 1, LB_WORKDAYS_MAX, CORRECT_DAYS, loader->diag,
                           &out->correct_days);
}
