#ifndef GATEWAY_CTL_CASE_RUN_H
#define GATEWAY_CTL_CASE_RUN_H

#include "gateway/ctl/args.h"
#include "gateway/ctl/case_view.h"
#include "gateway/ctl/port.h"

/* What the commands about a case share: the agent, what came from it, and the end. */
struct lb_ctl_case_run {
    struct lb_ctl_env *env;
    const char *command;            /* "apply", for messages */
    const char *agent;              /* where it was looked for, for messages */
    struct lb_diag diag;
    struct lb_ctl_window_port port; /* ctx NULL before lb_ctl_case_run_open */
    struct lb_ctl_case *view;
    struct lb_form_compiled *labels;
};

/* lb_ctl_case_run_open connects to an agent ("unix:<path>") and reads the form at `labels` for
 * the facts' names (NULL: none). What the port or the form's reader says, with diag set. */
LB_MUST lb_status lb_ctl_case_run_open(struct lb_ctl_case_run *run, const char *agent,
                                       const char *labels);
/* lb_ctl_case_run_close releases everything; fits LB_DEFER. */
void lb_ctl_case_run_close(struct lb_ctl_case_run *run);

/* lb_ctl_case_run_collect asks for what is missing and gathers facts and result in the view.
 * While the citizens have not decided it asks again every 300 ms, until wait_s seconds are over.
 * The agent's code; MALFORMED, TOO_LARGE or NO_MEMORY when its events cannot be taken; INTERNAL
 * when no result came. */
LB_MUST lb_status lb_ctl_case_run_collect(struct lb_ctl_case_run *run, const char *case_id,
                                          int64_t wait_s);

/* lb_ctl_case_run_pace waits until one of so many a minute, which began then on the monotonic
 * clock, has had its share of it. */
void lb_ctl_case_run_pace(const struct lb_ctl_case_run *run, int64_t begun_ms, int64_t per_minute);

/* lb_ctl_case_run_report prints what the view holds and returns the exit code: failed when a
 * receipt did not verify, since a window must not build on such a fact. */
int lb_ctl_case_run_report(struct lb_ctl_case_run *run);

/* lb_ctl_case_run_fail is lb_ctl_fail for a case; when going on makes sense it says with which
 * command. */
int lb_ctl_case_run_fail(struct lb_ctl_case_run *run, const char *case_id, lb_status status);

/* A command that asks an agent one thing: what `work` does once it is connected. */
struct lb_ctl_case_frame {
    struct lb_ctl_case_run *run;
    const struct lb_ctl_usage *usage;
    const char *const *agent;        /* where the options put them */
    const char *const *case_id;      /* NULL: it is about no case */
    lb_status (*work)(void *order);
    void *order;
};
/* lb_ctl_case_frame_run reads the options, connects, works and reports; returns the exit code.
 * lb_ctl_case_option_agent and _case are the options that such commands share. */
int lb_ctl_case_frame_run(const struct lb_ctl_case_frame *frame, int argc, char **argv);
struct lb_ctl_option lb_ctl_case_option_agent(const char **agent);
struct lb_ctl_option lb_ctl_case_option_case(const char **case_id);

/* lb_ctl_agent_ok says whether an agent's address is one: "unix:" and a path that fits a socket. */
bool lb_ctl_agent_ok(const char *agent);

#endif
