#ifndef POLICY_ENGINE_FORM_PAPER_H
#define POLICY_ENGINE_FORM_PAPER_H

#include "policy/engine/form.h"

#define LB_MAX_PAPER_BYTES (256 * 1024)

struct lb_paper_options {
    const char *requester_name;  /* as people know it, in the language of the paper */
    const char *language;        /* "zh" or "en" */
    bool html;                   /* a page to print; else text in lines */
};

/*
 * lb_form_paper writes the form's twin on paper, for who has no phone: lines for everybody's name
 * and number, the whole notice as lb_form_notice_text has it (PLAIN), a box for each thing that can
 * be agreed to or refused, what has to be said or brought, by what is decided and what may come of
 * it, what goes to which department until when, what can be done against a decision, and lines for
 * every signature. All of it comes from the form's file, so the two cannot differ.
 *
 * UTF-8, placed in the arena. MALFORMED: another language, or a name that is empty, longer than
 * LB_MAX_VALUE_BYTES or not one readable line. TOO_LARGE past LB_MAX_PAPER_BYTES, NO_MEMORY.
 */
LB_MUST lb_status lb_form_paper(const struct lb_form *form, const struct lb_paper_options *options,
                                struct lb_arena *arena, struct lb_span *out_text);

#endif
