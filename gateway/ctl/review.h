#ifndef GATEWAY_CTL_REVIEW_H
#define GATEWAY_CTL_REVIEW_H

#include "gateway/audit/review.h"
#include "gateway/ctl/officer.h"

/* What the commands of the review queue share. */

/* lb_ctl_review_print lists alerts as a sheet. */
LB_MUST lb_status lb_ctl_review_print(const struct lb_ctl_env *env, struct lb_arena *arena,
                                      const struct lb_review_alert *alerts, size_t num,
                                      uint64_t left, bool csv);

/* The words of `review`. */
int lb_ctl_review_check(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_scan(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_verify(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_list(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_show(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_assign(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_explain(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_close(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_review_sample(struct lb_ctl_env *env, int argc, char **argv);

#endif
