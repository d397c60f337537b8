#ifndef POLICY_ENGINE_FORM_TABLE_H
#define POLICY_ENGINE_FORM_TABLE_H

#include "policy/engine/form.h"

#define LB_MAX_FORM_TABLE_BYTES (4 * 1024 * 1024)

/*
 * lb_form_table prints a form's decision table as text, for snapshots and review: the same bytes
 * for the same form and rule set. A line each for
 *
 *   the thresholds its rules use, every fact as it is asked, every expression;
 *   per class an example (form_reach.h): its household, its conditions, the amounts told;
 *   per example and answer in it, all other answers as they are: which class follows from each
 *   truth value, each text of the rules and every run of numbers, and from UNKNOWN. Runs that were
 *   not decided within a bounded search say `?`.
 *
 * Every class in it was said by lb_form_judge as well. A class without an example says so. `rules`
 * are those the form was loaded with. CONFIG_INVALID without a rule set; TOO_LARGE; NO_MEMORY,
 * STORE_FAILED; INTERNAL when judge and table differ.
 */
LB_MUST lb_status lb_form_table(struct lb_form_compiled *form, const struct lb_rules *rules,
                                struct lb_arena *arena, struct lb_span *out_text);

#endif
