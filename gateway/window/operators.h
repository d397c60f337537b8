#ifndef GATEWAY_WINDOW_OPERATORS_H
#define GATEWAY_WINDOW_OPERATORS_H

#include "gateway/window/window.h"

/*
 * The operators' tokens in use. One person serves many citizens, and everybody on the way remembers
 * a token that was verified once, so a person keeps a token for half its life. Bounded; the oldest
 * place is taken by the next person. Thread-safe.
 */
struct lb_window_operators;

/* lb_window_operators_new makes an empty table; NO_MEMORY. */
LB_MUST lb_status lb_window_operators_new(struct lb_window_operators **out_operators);
/* lb_window_operators_free wipes and frees; NULL is allowed. */
void lb_window_operators_free(struct lb_window_operators *operators);
/* lb_window_operators_token copies a token for this unit and person (keyed hash, hex) into the
 * arena, issuing one when none is fresh. Statuses of lb_operator_token_issue; CRYPTO_FAILED,
 * NO_MEMORY. */
LB_MUST lb_status lb_window_operators_token(struct lb_window_operators *operators,
                                            const struct lb_window_options *options,
                                            const char *unit, const char *person,
                                            struct lb_arena *arena, const char **out_token);

#endif
