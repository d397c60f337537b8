#ifndef GATEWAY_WINDOW_OPERATORS_H
#define GATEWAY_WINDOW_OPERATORS_H

#include "gateway/register/register.h"
#include "gateway/window/window.h"

/*
 * Who serves, and their tokens in use. One person serves many citizens, and everybody on the way
 * remembers a token that was verified once, so a person keeps a token for half its life. The
 * register is asked each time, so a badge that was suspended a moment ago gets nothing, not even
 * the token that is kept for it; one that has left already ends by itself within
 * LB_OPERATOR_TOKEN_LIFE_S. Before anybody is let in, what was changed in the register is in the
 * evidence log. Bounded; the oldest place is taken by the next person. Thread-safe.
 */
struct lb_window_operators;

/* lb_window_operators_new makes an empty table; proofs from before now_unix_s are not taken, since
 * who was before us may have taken them. NO_MEMORY. */
LB_MUST lb_status lb_window_operators_new(int64_t now_unix_s,
                                          struct lb_window_operators **out_operators);
/* lb_window_operators_free wipes and frees; NULL is allowed. */
void lb_window_operators_free(struct lb_window_operators *operators);

/* Who wants to do what: to open a case of a form, or something to a case (register/proof.h). */
struct lb_window_admission {
    const char *badge, *unit;
    const Lianban__V1__OperatorProof *given;  /* NULL when none came */
    const char *form;                         /* NULL for an act */
    const char *method, *case_id;
    uint8_t content[32];
};

/* lb_window_operators_admit judges an operator, and the proof of the device key if the register has
 * one: MALFORMED for what is no badge or unit; BADGE_UNKNOWN (the unit must be the registered one),
 * BADGE_SUSPENDED, BADGE_EXPIRED, DEVICE_UNPROVEN; LOG_UNAVAILABLE while changes cannot be
 * recorded; statuses of the register. The entry is in the arena. */
LB_MUST lb_status lb_window_operators_admit(struct lb_window_operators *operators,
                                            const struct lb_window_options *options,
                                            const struct lb_window_admission *asked,
                                            struct lb_arena *arena,
                                            struct lb_register_entry *out_entry);

/* lb_window_operators_token copies a token for this unit and person (keyed hash, hex) into the
 * arena, issuing one when none is fresh. What admit says of the register, except for the proof;
 * statuses of lb_operator_token_issue; CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_window_operators_token(struct lb_window_operators *operators,
                                            const struct lb_window_options *options,
                                            const char *unit, const char *person,
                                            struct lb_arena *arena, const char **out_token);

/* lb_window_operators_tick writes what is new in the register into the evidence log.
 * LOG_UNAVAILABLE, statuses of the register. */
LB_MUST lb_status lb_window_operators_tick(struct lb_window_operators *operators,
                                           const struct lb_window_options *options);

#endif
