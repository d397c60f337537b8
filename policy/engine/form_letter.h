#ifndef POLICY_ENGINE_FORM_LETTER_H
#define POLICY_ENGINE_FORM_LETTER_H

#include "policy/engine/form_text.h"

/* What a letter of decision tells, besides what the form says. Texts are one line each
 * (lb_form_is_one_line). */
struct lb_form_letter {
    const char *office;           /* who decided, as people know it, in the letter's language */
    const char *case_id;
    const char *date;             /* of the decision, YYYY-MM-DD */
    struct lb_form_class decided;
    struct lb_form_class suggested;
    bool open;                    /* nothing was suggested: it was left to a person */
    const enum lb_truth *conditions;  /* as they were when that was suggested */
    const struct lb_form_sum *amounts;    /* likewise; told where that was decided */
    const bool *answered;         /* one per fact of the form: a department answered it */
    const char *reason;
    size_t num_laws;
    const char *const *laws;
    const char *heard_date;       /* NULL when nobody had to be heard */
    const char *heard_said;
};

/*
 * lb_form_letter_text writes the letter that tells the citizen a decision, in plain words: the
 * class, why, each condition with its source, what was not asked of them, that a person decided,
 * and their rights: to be heard, to have data corrected (PIPL 46), to object, until when and where.
 * It says no value of any fact.
 *
 * The text is UTF-8, placed in the arena. MALFORMED: another language; TOO_LARGE: past
 * LB_MAX_NOTICE_BYTES; NO_MEMORY.
 */
LB_MUST lb_status lb_form_letter_text(const struct lb_form *form,
                                      const struct lb_form_letter *letter, const char *language,
                                      enum lb_notice_variant variant, struct lb_arena *arena,
                                      struct lb_span *out_text);

#endif
