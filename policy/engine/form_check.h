#ifndef POLICY_ENGINE_FORM_CHECK_H
#define POLICY_ENGINE_FORM_CHECK_H

#include "policy/engine/form.h"

/*
 * What is wrong with a form that loads, before anybody is asked by it:
 *
 *   - a class that no household can get, a condition that never or always holds (form_reach.h);
 *   - a fact that nothing needs, or that is asked of a role whose answer counts nowhere;
 *   - a fact of a view or field that is not registered, or that the department answers to nobody
 *     for this purpose, on this basis and by this operator;
 *   - an ask that a registered view answers: its text names a document that some fact saves, a
 *     fact or a view, or it is called like a fact or a view's field. Citizens are not asked for
 *     what the administration has (Social Assistance Law, art. 62; Rules on Online Services,
 *     art. 7).
 *
 * A form without `household` decides nothing: it shows what it asked, and of it the rules are not
 * looked at. A fact's or an ask's `waiver` lets what it stands beside pass, and is told; where
 * there is nothing to let pass it is a mistake itself.
 */
enum lb_form_finding_kind {
    LB_FINDING_MISTAKE,
    LB_FINDING_WAIVED,
    LB_FINDING_UNDECIDED,  /* a rule that the search could not decide about: no mistake */
};

struct lb_form_finding {
    enum lb_form_finding_kind kind;
    const char *text;  /* "file:line: what; what to do" */
};

/* What there is beside the form. */
struct lb_form_registered {
    size_t num_views;
    const struct lb_view *const *views;
    size_t num_forms;  /* whose facts tell which documents are saved, besides the form itself */
    const struct lb_form *const *forms;
};

#define LB_MAX_FORM_FINDINGS 256

/* lb_form_check lists what it finds, in the file's order within each kind of check; past
 * LB_MAX_FORM_FINDINGS nothing is added. Without views (num_views 0) views are not looked at. The
 * form was loaded with `rules`. CONFIG_INVALID without a rule set; TOO_LARGE when the rules compare
 * with more than 64 texts; NO_MEMORY, STORE_FAILED. */
LB_MUST lb_status lb_form_check(struct lb_form_compiled *form, const struct lb_rules *rules,
                                const struct lb_form_registered *registered,
                                struct lb_arena *arena,
                                const struct lb_form_finding **out_findings, size_t *out_num);

#endif
