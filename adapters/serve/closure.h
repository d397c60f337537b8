#ifndef ADAPTERS_SERVE_CLOSURE_H
#define ADAPTERS_SERVE_CLOSURE_H

#include "adapters/serve/epochs.h"
#include "adapters/serve/serve.h"

/*
 * The department's switch: what is shut, looked up in its file before every judgement and again in
 * the transaction of every entry. A closure counts from the moment the file is in place; an opening
 * only once its POLICY entry is durable, since without evidence nothing is released. A file that
 * can't be read closes everything. Any thread.
 */
struct lb_serve_closure;

/* lb_serve_closure_new reads the file and records the policy in force, with which the epochs begin.
 * options are borrowed. LOG_UNAVAILABLE, NO_MEMORY; CONFIG_INVALID with a sentence in diag for the
 * epochs. lb_serve_closure_free takes NULL; the log must be closed to new
 * entries of others by then, and its own have been written. */
LB_MUST lb_status lb_serve_closure_new(const struct lb_serve_options *options,
                                       struct lb_serve_epochs *epochs, struct lb_diag *diag,
                                       struct lb_serve_closure **out_closure);
void lb_serve_closure_free(struct lb_serve_closure *closure);

/* lb_serve_closure_check is VIEW_CLOSED when the department, the requester or one of the views is
 * shut. */
LB_MUST lb_status lb_serve_closure_check(struct lb_serve_closure *closure, const char *requester,
                                         char *const *views, size_t num_views);
/* lb_serve_closure_look reads the file if it changed, and queues the entry for it. */
void lb_serve_closure_look(struct lb_serve_closure *closure);

#endif
