#ifndef POLICY_ENGINE_SURNAME_H
#define POLICY_ENGINE_SURNAME_H

#include "gateway/base/span.h"

/* lb_surname_is_compound says whether a name begins with a compound surname, one of two characters
 * such as 欧阳. The name is UTF-8. */
bool lb_surname_is_compound(struct lb_span name);

#endif
