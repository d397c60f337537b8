#ifndef GATEWAY_CTL_ENV_H
#define GATEWAY_CTL_ENV_H

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/trust/directory.h"

struct lb_ctl_remote;
struct lb_ctl_doctor_ways;
struct lb_explain_request;
struct lb_explanation;
struct lb_store_schema;

/*
 * What a command sees of the world: its streams, the clock, the way to other processes and what the
 * environment says. `main` fills it; a test puts its own in.
 */
struct lb_ctl_env {
    FILE *in;
    FILE *out;   /* results only */
    FILE *err;   /* progress and complaints */
    const struct lb_clock *clock;
    const struct lb_ctl_remote *remote;
    /* How a department's own adapter would judge (adapters/serve/explain.h). */
    lb_status (*explain)(const char *policy_path, const struct lb_explain_request *request,
                         struct lb_arena *arena, struct lb_diag *diag,
                         struct lb_explanation *out_explanation);
    const struct lb_ctl_doctor_ways *doctor;  /* doctor_port.h */
    /* What a witness in this state folder cosigned last of a log (gateway/witness/witness.h). */
    lb_status (*cosigned)(const char *folder, const char *origin, struct lb_arena *arena,
                          struct lb_span *out_note);
    /* The kinds of stores that a node of this kind may have in its state folder, in the arena. */
    lb_status (*stores)(enum lb_node_kind kind, struct lb_arena *arena,
                        const struct lb_store_schema **out_kinds, size_t *out_num);
    const char *agent;  /* the window agent's address when --agent is not given */
    const char *version;  /* of the program */
    const char *login;  /* who runs this, the operator's badge when --operator is not given */
    bool chinese;       /* language of results; --language changes it */
    bool json;          /* --json was given */
};

/* Exit codes of every command. */
enum lb_ctl_exit {
    LB_CTL_OK = 0,
    LB_CTL_FAILED = 1, /* failed or refused */
    LB_CTL_USAGE = 2,  /* the command line is wrong */
    LB_CTL_BAD = 3,    /* doctor and status: something is bad, where 1 is something to look at */
};

/* lb_ctl_pick returns the text in the language of the results. */
static inline const char *lb_ctl_pick(const struct lb_ctl_env *env, const char *zh, const char *en)
{
    return env->chinese ? zh : en;
}

#endif
