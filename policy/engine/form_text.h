#ifndef POLICY_ENGINE_FORM_TEXT_H
#define POLICY_ENGINE_FORM_TEXT_H

#include "policy/engine/form.h"

#define LB_MAX_NOTICE_BYTES (64 * 1024)

/*
 * One content in three shapes. PLAIN is text in lines. LARGE is a page of HTML for printing:
 * 24-point type, lines of at most 18 Chinese characters, nothing fetched from anywhere. ALOUD is
 * text for reading out: short sentences, numbers as words, no abbreviations.
 */
enum lb_notice_variant {
    LB_NOTICE_PLAIN,
    LB_NOTICE_LARGE,
    LB_NOTICE_ALOUD,
    LB_NUM_NOTICE_VARIANTS
};

/* lb_notice_variant_name and lb_notice_variant_parse convert to and from plain, large and aloud;
 * the empty name is plain. ABSENT for another. */
const char *lb_notice_variant_name(enum lb_notice_variant variant);
LB_MUST lb_status lb_notice_variant_parse(struct lb_span name,
                                          enum lb_notice_variant *out_variant);

struct lb_notice_options {
    const char *requester_name;  /* as people know it, in the language of the notice */
    const char *language;        /* "zh" or "en" */
    enum lb_notice_variant variant;
};

/*
 * lb_form_notice_text writes the notice that a citizen reads before agreeing (PIPL 17, DESIGN §3):
 * who asks and why, on which law, each department with what it is asked, of whom and in which form,
 * how long, how to withdraw, and what refusing means.
 *
 * The text is UTF-8, placed in the arena. It depends on the arguments alone, byte for byte, because
 * its hash goes into the grant. MALFORMED: another language, or a name that is empty, longer than
 * LB_MAX_VALUE_BYTES or not one readable line. TOO_LARGE: past LB_MAX_NOTICE_BYTES. NO_MEMORY: past
 * the arena's cap.
 */
LB_MUST lb_status lb_form_notice_text(const struct lb_form *form,
                                      const struct lb_notice_options *options,
                                      struct lb_arena *arena, struct lb_span *out_text);

#endif
