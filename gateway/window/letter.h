#ifndef GATEWAY_WINDOW_LETTER_H
#define GATEWAY_WINDOW_LETTER_H

#include "gateway/window/inside.h"
#include "policy/engine/form_answer.h"

/* lb_correction_letter gathers what a letter tells of a request for a correction, all but the
 * office's name. Under the case's lock. MALFORMED for what is no request; CASE_STATE before it was
 * answered. */
LB_MUST lb_status lb_correction_letter(const struct lb_window_case *entry, size_t number,
                                       bool english, struct lb_arena *arena,
                                       struct lb_form_answer *out);

#endif
