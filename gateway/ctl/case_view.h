#ifndef GATEWAY_CTL_CASE_VIEW_H
#define GATEWAY_CTL_CASE_VIEW_H

#include "gateway/ctl/env.h"
#include "gateway/ctl/household.h"
#include "gateway/json/json.h"
#include "lianban/v1/window.pb-c.h"
#include "policy/engine/form.h"

/*
 * A case as it came from the agent, for print. Everything is in one arena, whose cap bounds it.
 */
#define LB_CTL_MAX_FACTS 8192U
#define LB_CTL_CASE_ARENA_BYTES (32U * 1024 * 1024)

struct lb_ctl_case {
    struct lb_arena *arena;
    const struct lb_ctl_household *household;  /* NULL: members are known by number only */
    const struct lb_form *form;                /* for the facts' labels; NULL: their names */
    const Lianban__V1__RequestGrantsResponse *tickets;  /* NULL when none were asked for */
    const Lianban__V1__CaseFact **facts;       /* the newest outcome of each fact of each member */
    size_t num_facts;
    const Lianban__V1__CaseResult *result;     /* NULL until it came */
    Lianban__V1__CasePart *part;               /* the newest event about one; NULL for none */
    lb_status failed;                          /* an event could not be taken */
};

/* lb_ctl_case_new makes an empty case in a fresh arena; NULL when memory is exhausted. */
struct lb_ctl_case *lb_ctl_case_new(void);
void lb_ctl_case_free(struct lb_ctl_case *view);
void lb_ctl_case_freep(struct lb_ctl_case **view);  /* for LB_DEFER */

/* lb_ctl_case_take takes one packed CaseEvent; fits the ports' on_event with the case as arg.
 * What cannot be taken is kept in `failed`: MALFORMED, TOO_LARGE past LB_CTL_MAX_FACTS,
 * NO_MEMORY. */
void lb_ctl_case_take(void *arg, struct lb_span event);

/* lb_ctl_case_member names a member for print: number, role and masked name, or the number
 * alone. */
const char *lb_ctl_case_member(const struct lb_ctl_env *env, const struct lb_ctl_case *view,
                               uint32_t member);

/* lb_ctl_case_print_facts and lb_ctl_case_print_result write what is there to env->out.
 * NO_MEMORY. */
LB_MUST lb_status lb_ctl_case_print_facts(const struct lb_ctl_env *env,
                                          const struct lb_ctl_case *view);
LB_MUST lb_status lb_ctl_case_print_result(const struct lb_ctl_env *env,
                                           const struct lb_ctl_case *view);
/* lb_ctl_case_print_tickets writes which code belongs to whom. NO_MEMORY. */
LB_MUST lb_status lb_ctl_case_print_tickets(const struct lb_ctl_env *env,
                                            const struct lb_ctl_case *view);

/* lb_ctl_case_json makes the whole as one object with the names of the protocol; the caller frees
 * it. lb_ctl_fact_json makes one fact, lb_ctl_tickets_json the tickets' array. */
struct lb_json *lb_ctl_case_json(const struct lb_ctl_case *view);
struct lb_json *lb_ctl_fact_json(const Lianban__V1__CaseFact *fact);
struct lb_json *lb_ctl_tickets_json(const Lianban__V1__RequestGrantsResponse *tickets);

#endif
