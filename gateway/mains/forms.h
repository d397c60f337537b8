#ifndef GATEWAY_MAINS_FORMS_H
#define GATEWAY_MAINS_FORMS_H

#include "gateway/mains/node.h"
#include "policy/engine/form.h"

#define LB_MAX_FORMS 64

/* Forms read for what they say, without a rule set: for nodes that relay or explain them and judge
 * nothing. */
struct lb_node_forms {
    size_t num;
    struct lb_form_compiled *forms[LB_MAX_FORMS];
};

/* lb_node_forms_read reads `forms: [FILE]`; what was read is freed by lb_node_forms_free in any
 * case. */
LB_MUST lb_status lb_node_forms_read(struct lb_node_program *node, struct lb_node_forms *out_forms);
/* lb_node_form_waivers logs what a form asks although a check would refuse it (form_check.h). */
void lb_node_form_waivers(const struct lb_form *form);
/* lb_node_forms_free releases them; an empty set is fine. */
void lb_node_forms_free(struct lb_node_forms *forms);

#endif
