#ifndef POLICY_ENGINE_FORM_CHECKING_H
#define POLICY_ENGINE_FORM_CHECKING_H

#include "policy/engine/form_check.h"
#include "policy/engine/form_internal.h"

/* What the parts of lb_form_check share. Inside policy/engine. */
struct form_checking {
    struct lb_form_compiled *form;
    const struct lb_rules *rules;
    const struct lb_form_registered *registered;
    struct lb_arena *arena;
    size_t num;
    struct lb_form_finding *findings;
};

/* lb_form_found adds a finding at a line of the file. NO_MEMORY. */
LB_MUST lb_status lb_form_found(struct form_checking *checking, enum lb_form_finding_kind kind,
                                const struct lb_yaml_node *node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* lb_form_node_of is where the index-th item of a list of the form's file stands. */
const struct lb_yaml_node *lb_form_node_of(const struct lb_form_compiled *form, const char *list,
                                           size_t index);

/* The checks: */
LB_MUST lb_status lb_form_check_rules(struct form_checking *checking);
LB_MUST lb_status lb_form_check_needs(struct form_checking *checking);
LB_MUST lb_status lb_form_check_asks(struct form_checking *checking);
LB_MUST lb_status lb_form_check_views(struct form_checking *checking);

#endif
