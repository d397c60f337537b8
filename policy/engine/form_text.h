#ifndef POLICY_ENGINE_FORM_TEXT_H
#define POLICY_ENGINE_FORM_TEXT_H

#include "policy/engine/form.h"

#define LB_MAX_NOTICE_BYTES (64 * 1024)

/*
 * lb_form_notice_text writes the notice that a citizen reads before agreeing (PIPL 17, DESIGN §3):
 * who asks and why, on which law, each department with what it is asked, of whom and in which form,
 * how long, how to withdraw, and what refusing means. `requester_name` is the organization as
 * people know it, in the language of the notice; `language` is "zh" or "en".
 *
 * The text is UTF-8 in lines, placed in the arena. It depends on the arguments alone, byte for
 * byte, because its hash goes into the grant. MALFORMED: another language, or a name that is empty,
 * longer than LB_MAX_VALUE_BYTES or not one readable line. TOO_LARGE: past LB_MAX_NOTICE_BYTES.
 * NO_MEMORY: past the arena's cap.
 */
LB_MUST lb_status lb_form_notice_text(const struct lb_form *form, const char *requester_name,
                                      const char *language, struct lb_arena *arena,
                                      struct lb_span *out_text);

#endif
