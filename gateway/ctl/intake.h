#ifndef GATEWAY_CTL_INTAKE_H
#define GATEWAY_CTL_INTAKE_H

#include "gateway/ctl/args.h"
#include "gateway/ctl/desk.h"

/* Inside gateway/ctl: what the words of `intake` share. */

/* lb_ctl_intake_number reads a part's number; false when it is none. */
bool lb_ctl_intake_number(const char *text, int64_t *out);
/* lb_ctl_intake_number_missing says so; returns the exit code. */
int lb_ctl_intake_number_missing(const struct lb_ctl_env *env, const char *command);
/* lb_ctl_intake_officer is the option --officer, whose value goes into the desk. */
struct lb_ctl_option lb_ctl_intake_officer(struct lb_ctl_desk *desk);

/* The words that answer a submission (intake_answer.c). */
int lb_ctl_intake_accept(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_return(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_ask(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_decide(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_withdrawn(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_correct(struct lb_ctl_env *env, int argc, char **argv);
/* And of a trigger's signal. */
int lb_ctl_intake_contacted(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_applied(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_declined(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_intake_not_reached(struct lb_ctl_env *env, int argc, char **argv);

#endif
