#ifndef GATEWAY_CTL_DESK_H
#define GATEWAY_CTL_DESK_H

#include "gateway/ctl/args.h"
#include "gateway/ctl/port.h"

/*
 * What the commands of a consent office's desk share: profile, office, and the number read from the
 * citizen's document.
 */
struct lb_ctl_desk {
    struct lb_ctl_env *env;
    const char *command;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_desk_profile profile;
    struct lb_ctl_desk_port port;

    /* from the command line */
    const char *profile_path;
    const char *request;
    const char *code;
    const char *grant;
    const char *document;
    const char *method;
    const char *requester;
    const char *form;
    int64_t level;

    char id_no[19];
};

/* Options that several commands take; their values go into the desk. */
struct lb_ctl_option lb_ctl_desk_requester_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_form_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_document_option(struct lb_ctl_desk *desk);

/* lb_ctl_desk_args is lb_ctl_args with --desk before the command's own options, at most
 * LB_CTL_MAX_OPTIONS - 1. */
int lb_ctl_desk_args(struct lb_ctl_desk *desk, const struct lb_ctl_usage *usage,
                     const struct lb_ctl_option *own, size_t num_own, int argc, char **argv);

/* lb_ctl_desk_open reads the profile and connects to the office. What the profile's reader or
 * the port says, with a sentence in desk->diag. */
LB_MUST lb_status lb_ctl_desk_open(struct lb_ctl_desk *desk);

/* lb_ctl_desk_read_document reads the number from --document. ID_INVALID unless it is one valid
 * number and nothing else but white space behind it; FILE_FAILED, TOO_LARGE. */
LB_MUST lb_status lb_ctl_desk_read_document(struct lb_ctl_desk *desk);

/* lb_ctl_desk_finish tells a failure, releases everything and wipes the number; returns the exit
 * code. */
int lb_ctl_desk_finish(struct lb_ctl_desk *desk, lb_status status);

/* `consent revoke`, `suspend` and `resume`. */
int lb_ctl_consent_revoke(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_suspend(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_resume(struct lb_ctl_env *env, int argc, char **argv);

#endif
