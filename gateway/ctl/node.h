#ifndef GATEWAY_CTL_NODE_H
#define GATEWAY_CTL_NODE_H

#include "gateway/ctl/args.h"
#include "gateway/ctl/doctor_config.h"
#include "gateway/trust/trust.h"

/* Inside gateway/ctl: `lianban node`, what is done at a node's own machine by who runs it. */

/* A node by its configuration, whether it runs or not: it is only looked at. */
struct lb_ctl_node {
    struct lb_ctl_env *env;
    const char *command;
    const char *path;  /* of the configuration */
    struct lb_arena *arena;
    struct lb_diag diag;
    struct lb_doctor_config config;
    struct lb_trust *trust;
    struct lb_directory *directory;  /* the one it believes */
};

/* lb_ctl_node_open reads all of it; statuses of lb_trust_new. lb_ctl_node_close releases. */
LB_MUST lb_status lb_ctl_node_open(struct lb_ctl_node *node);
void lb_ctl_node_close(struct lb_ctl_node *node);

/* lb_ctl_node_run opens the node, lets `work` work with `arg`, tells a failure, and closes. Returns
 * the exit code. */
int lb_ctl_node_run(struct lb_ctl_node *node,
                    lb_status (*work)(struct lb_ctl_node *node, void *arg), void *arg);

/* lb_ctl_node_log_key loads the node's log key; the caller frees it. FILE_FAILED and the like with
 * a sentence in diag. */
LB_MUST lb_status lb_ctl_node_log_key(struct lb_ctl_node *node, struct lb_sign_key **out_key);

/* The words. */
int lb_ctl_node_seen(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_recover_draft(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_recover_show(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_recover_sign(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_recover_begin(struct lb_ctl_env *env, int argc, char **argv);

#endif
