#ifndef GATEWAY_CTL_WORDS_H
#define GATEWAY_CTL_WORDS_H

#include "gateway/ctl/env.h"

/* lb_ctl_word says a word of the wire (department, state, truth, role, relation, leaf type) in the
 * language of the results; one that is not known comes back as it is, NULL as "". */
const char *lb_ctl_word(const struct lb_ctl_env *env, const char *name);

/* lb_ctl_code_text says what a named code means; "" for one that is not known. */
const char *lb_ctl_code_text(const struct lb_ctl_env *env, const char *name);

#endif
