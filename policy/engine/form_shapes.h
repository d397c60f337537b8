#ifndef POLICY_ENGINE_FORM_SHAPES_H
#define POLICY_ENGINE_FORM_SHAPES_H

#include "gateway/base/buf.h"
#include "policy/engine/form_text.h"

/* Inside policy/engine: a plain notice or letter in other shapes. Each says all that the plain one
 * says, in its order; failures are the buffer's. */

/* lb_form_shape gives a plain text one of the shapes, in the arena; TOO_LARGE past
 * LB_MAX_NOTICE_BYTES, NO_MEMORY. */
LB_MUST lb_status lb_form_shape(struct lb_span plain, const char *title, bool is_zh,
                                enum lb_notice_variant variant, struct lb_arena *arena,
                                struct lb_span *out);

/* lb_form_shape_large writes a page of HTML for printing in big type. */
void lb_form_shape_large(struct lb_span plain, const char *title, bool is_zh, struct lb_buf *out);

/* lb_form_shape_paper writes a page of HTML for printing and filling in. */
void lb_form_shape_paper(struct lb_span plain, const char *title, bool is_zh, struct lb_buf *out);

/* lb_form_shape_aloud writes sentences for a voice: no lists, brackets, digits or abbreviations. */
void lb_form_shape_aloud(struct lb_span plain, bool is_zh, struct lb_buf *out);

/* lb_form_say_digits writes a run of digits as words; past twelve digits one by one. */
void lb_form_say_digits(struct lb_span digits, bool is_zh, struct lb_buf *out);

/* lb_form_next_line cuts the next line off *rest, without its line break; false at the end. */
bool lb_form_next_line(struct lb_span *rest, struct lb_span *out_line);

#endif
