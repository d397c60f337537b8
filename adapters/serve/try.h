#ifndef ADAPTERS_SERVE_TRY_H
#define ADAPTERS_SERVE_TRY_H

#include "adapters/api/try.h"

/* lb_serve_try opens a department's database as the node's configuration says and runs each view's
 * query once, with a number that no person has, so that nobody's data is read. Statuses of the
 * source's open; CONFIG_INVALID for the policy and the configuration; a sentence in diag. Texts are
 * in the arena. It may block as long as the database does. */
LB_MUST lb_status lb_serve_try(const struct lb_try_ask *ask, struct lb_arena *arena,
                               struct lb_diag *diag, struct lb_tried *out);

#endif
