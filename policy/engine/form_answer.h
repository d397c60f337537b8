#ifndef POLICY_ENGINE_FORM_ANSWER_H
#define POLICY_ENGINE_FORM_ANSWER_H

#include "policy/engine/form_text.h"

enum lb_form_answer_outcome { LB_ANSWER_CORRECTED, LB_ANSWER_KEPT, LB_ANSWER_FORWARDED };

/* What a department made of a citizen's request for a correction. Texts are one line each; NULL for
 * none. */
struct lb_form_answer {
    const char *office;           /* who tells it, as people know it, in the letter's language */
    const char *case_id;
    const struct lb_form_fact *fact;
    const char *asked, *answered; /* days, YYYY-MM-DD */
    enum lb_form_answer_outcome outcome;
    const char *answer, *law;
    const char *to;               /* the department it was forwarded to */
    bool judge_again;             /* nobody has decided since it was corrected */
};

/*
 * lb_form_answer_text writes the letter that tells the citizen a department's answer to their
 * request, and their rights: to the reasons, to complain, and to go to court (PIPL 50, 65). It says
 * no value of any fact but what the department says itself.
 *
 * The text is UTF-8, placed in the arena. MALFORMED: another language; TOO_LARGE: past
 * LB_MAX_NOTICE_BYTES; NO_MEMORY.
 */
LB_MUST lb_status lb_form_answer_text(const struct lb_form *form,
                                      const struct lb_form_answer *answer, const char *language,
                                      enum lb_notice_variant variant, struct lb_arena *arena,
                                      struct lb_span *out_text);

#endif
