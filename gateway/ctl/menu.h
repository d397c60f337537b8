#ifndef GATEWAY_CTL_MENU_H
#define GATEWAY_CTL_MENU_H

#include "gateway/ctl/env.h"

/* Whom a command is for; the overview lists them in this order. */
enum lb_ctl_user {
    LB_CTL_WINDOW,
    LB_CTL_DEPARTMENT,
    LB_CTL_CONSENT_OFFICE,
    LB_CTL_OFFICER,
    LB_CTL_OPERATOR,
    LB_CTL_NUM_USERS
};

/* One command of the program; exactly one of `run` and `run_plain` is set. */
struct lb_ctl_item {
    enum lb_ctl_user user;
    const char *name;
    const char *words;  /* what may follow the name, for the overview; "" for nothing */
    const char *en, *zh;
    int (*run)(struct lb_ctl_env *env, int argc, char **argv);
    int (*run_plain)(int argc, char **argv);
};

/* lb_ctl_menu runs the command that argv[1] names; without one, or for help and --help, it prints
 * the overview, and for `version` the version. When results could not be written in full the exit
 * code is LB_CTL_FAILED, whatever the command said. */
int lb_ctl_menu(struct lb_ctl_env *env, const struct lb_ctl_item *items, size_t num,
                const char *version, int argc, char **argv);

#endif
