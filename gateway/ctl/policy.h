#ifndef GATEWAY_CTL_POLICY_H
#define GATEWAY_CTL_POLICY_H

#include "gateway/ctl/env.h"
#include "gateway/json/json.h"
#include "policy/engine/catalogue.h"

/* What the words of `lianban policy` share. Nothing that was entered is printed or logged. */

/* lb_ctl_policy_text picks a text's language. */
const char *lb_ctl_policy_text(const struct lb_ctl_env *env, const struct lb_form_text *text);

/* lb_ctl_policy_ask asks on env->err, one question after the other, what can still change an
 * answer, and reads the answers from env->in; what is not understood is asked again. It ends when
 * nothing is open, and at the input's end. `only` as lb_catalogue_calculate. */
LB_MUST lb_status lb_ctl_policy_ask(const struct lb_ctl_env *env, struct lb_catalogue *catalogue,
                                    size_t only, struct lb_answers *answers);

/* lb_ctl_policy_calculate is `policy calculate`. */
int lb_ctl_policy_calculate(struct lb_ctl_env *env, int argc, char **argv);

/* lb_ctl_policy_day reads YYYY-MM-DD; NULL is today, here. MALFORMED. */
LB_MUST lb_status lb_ctl_policy_day(const struct lb_ctl_env *env, const char *text,
                                    struct lb_diag *diag, struct lb_date *out_day);

/* lb_ctl_policy_results_json and _print_results write a calculation, _print_result one of it; with
 * `whole` every condition is printed, else what decides. */
struct lb_json *lb_ctl_policy_results_json(const struct lb_catalogue *catalogue,
                                           const struct lb_calculation *calculation);
LB_MUST lb_status lb_ctl_policy_print_results(const struct lb_ctl_env *env,
                                              const struct lb_catalogue *catalogue,
                                              const struct lb_calculation *calculation, bool whole,
                                              struct lb_arena *arena);
LB_MUST lb_status lb_ctl_policy_print_result(const struct lb_ctl_env *env,
                                             const struct lb_catalogue *catalogue,
                                             const struct lb_policy_result *result, bool whole,
                                             struct lb_arena *arena);
/* lb_ctl_policy_json writes a policy; lb_ctl_policy_question_json a question. */
struct lb_json *lb_ctl_policy_json(const struct lb_catalogue *catalogue,
                                   const struct lb_policy *policy);
struct lb_json *lb_ctl_policy_question_json(const struct lb_question *question);

#endif
