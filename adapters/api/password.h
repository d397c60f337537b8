#ifndef ADAPTERS_API_PASSWORD_H
#define ADAPTERS_API_PASSWORD_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/* lb_source_read_password reads the first line of a private file; it lives in the arena, which
 * wipes it. CONFIG_INVALID with a sentence in diag when others can read the file, or nobody can. */
LB_MUST lb_status lb_source_read_password(const char *path, struct lb_arena *arena,
                                          struct lb_diag *diag, struct lb_span *out);

#endif
