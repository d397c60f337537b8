#ifndef POLICY_ENGINE_FORM_REACH_H
#define POLICY_ENGINE_FORM_REACH_H

#include "policy/engine/form.h"

/*
 * What a form's rules can come to at all. YES comes with a household for which lb_form_judge says
 * so; NEVER is proved for every household, by ranges that are halved until nothing is left of them
 * (gateway/store/expr_range.h). Where neither is found within a bounded search the answer is
 * UNDECIDED, and nobody's mistake.
 */
enum lb_form_reach { LB_REACH_UNDECIDED, LB_REACH_YES, LB_REACH_NEVER };

/* A household with all its facts, as lb_form_judge takes it. */
struct lb_form_example {
    size_t num_members;
    struct lb_form_member *members;
    struct lb_fact *totals;
};

/* lb_form_reach_class says whether a household can get the class (num_classes: `otherwise`); the
 * example is set with YES alone. CONFIG_INVALID without a rule set; TOO_LARGE when the rules
 * compare with more than 64 texts; NO_MEMORY, STORE_FAILED. */
LB_MUST lb_status lb_form_reach_class(struct lb_form_compiled *form, size_t class_index,
                                      struct lb_arena *arena, enum lb_form_reach *out_reach,
                                      struct lb_form_example *out_example);

/* lb_form_reach_after says the same of the class's own expression when the first `before` classes
 * must be FALSE: none of them, and it is whether `when` can hold. Statuses as above. */
LB_MUST lb_status lb_form_reach_after(struct lb_form_compiled *form, size_t class_index,
                                      size_t before, struct lb_arena *arena,
                                      enum lb_form_reach *out_reach);

/* lb_form_reach_condition says whether a condition can hold. Statuses as above. */
LB_MUST lb_status lb_form_reach_condition(struct lb_form_compiled *form, size_t condition,
                                          struct lb_arena *arena, enum lb_form_reach *out_reach);

/* lb_form_always_holds says whether a condition is TRUE whatever anybody answers, UNKNOWN included.
 * Statuses as above. */
LB_MUST lb_status lb_form_always_holds(struct lb_form_compiled *form, size_t condition,
                                       bool *out_always);

#endif
