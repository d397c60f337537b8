#ifndef POLICY_ENGINE_FORM_WORDS_H
#define POLICY_ENGINE_FORM_WORDS_H

#include "gateway/base/buf.h"
#include "policy/engine/form.h"

/* Plain words for what forms name by identifiers, in the language of the notice. */
struct form_writer {
    struct lb_buf *buf;
    bool is_zh;
    bool aloud;  /* no names of thresholds and no book-title marks: nobody can say them */
};

/* lb_form_say writes one of two wordings, lb_form_say_text a form's own, lb_form_say_number
 * digits. */
void lb_form_say(const struct form_writer *writer, const char *zh, const char *en);
void lb_form_say_text(const struct form_writer *writer, const struct lb_form_text *text);
void lb_form_say_number(const struct form_writer *writer, int64_t number);
/* lb_form_say_department writes the department's name; an unknown one as its id. */
void lb_form_say_department(const struct form_writer *writer, const char *department);
/* lb_form_say_role writes who that is in the household; an unknown one as its id. */
void lb_form_say_role(const struct form_writer *writer, const char *role);
/* lb_form_say_date writes a day (YYYY-MM-DD) as people do. */
void lb_form_say_date(const struct form_writer *writer, const char *text);
/* lb_form_say_laws writes a list such as SAL41 by the law's name and article. */
void lb_form_say_laws(const struct form_writer *writer, const char *const *laws, size_t num_laws);
/* lb_form_say_basis writes why the department may answer. */
void lb_form_say_basis(const struct form_writer *writer, enum lb_basis basis);
/* lb_form_say_operator writes what the operator lets out, and that it is no more. */
void lb_form_say_operator(const struct form_writer *writer, const struct lb_op_call *call);

#endif
