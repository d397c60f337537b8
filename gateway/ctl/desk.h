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
    const char *also_document;
    const char *paper;
    const char *officer_token;
    const char *variant;
    struct lb_ctl_list departments;  /* refused */
    struct lb_ctl_list facts;        /* refused */
    int64_t level;

    char id_no[19];
    char also_id_no[19];             /* "" without a second document */
    const char *officer;             /* the token's text; "" without one */
    bool has_paper;
    uint8_t paper_sha256[32];
};

/* Options that several commands take; their values go into the desk. */
struct lb_ctl_option lb_ctl_desk_requester_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_form_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_document_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_paper_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_officer_option(struct lb_ctl_desk *desk);
struct lb_ctl_option lb_ctl_desk_variant_option(struct lb_ctl_desk *desk);

/* lb_ctl_desk_args is lb_ctl_args with --desk before the command's own options, at most
 * LB_CTL_MAX_OPTIONS - 1. */
int lb_ctl_desk_args(struct lb_ctl_desk *desk, const struct lb_ctl_usage *usage,
                     const struct lb_ctl_option *own, size_t num_own, int argc, char **argv);

/* lb_ctl_desk_open reads the profile and connects to the office. What the profile's reader or
 * the port says, with a sentence in desk->diag. */
LB_MUST lb_status lb_ctl_desk_open(struct lb_ctl_desk *desk);

/* lb_ctl_desk_open_adapter is lb_ctl_desk_open for a department's officer; CONFIG_INVALID for a
 * profile that names no adapter. */
LB_MUST lb_status lb_ctl_desk_open_adapter(struct lb_ctl_desk *desk);

/* lb_ctl_desk_read_document reads the number from --document. ID_INVALID unless it is one valid
 * number and nothing else but white space behind it; FILE_FAILED, TOO_LARGE. */
LB_MUST lb_status lb_ctl_desk_read_document(struct lb_ctl_desk *desk);

/* lb_ctl_desk_read_more reads what --also-document, --paper and --officer-token name, as far as
 * they are given: a second number, the hash of a scan of at most 32 MiB, and a token. Failures as
 * above, OPERATOR_TOKEN_INVALID. */
LB_MUST lb_status lb_ctl_desk_read_more(struct lb_ctl_desk *desk);

/* lb_ctl_desk_finish tells a failure, releases everything and wipes the number; returns the exit
 * code. */
int lb_ctl_desk_finish(struct lb_ctl_desk *desk, lb_status status);

/* lb_ctl_desk_revoke withdraws desk->grant for desk->id_no and prints who has stopped. */
LB_MUST lb_status lb_ctl_desk_revoke(struct lb_ctl_desk *desk);

/* Words of `consent` that have files of their own. */
int lb_ctl_consent_revoke(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_suspend(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_resume(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_pending(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_emergency(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_due(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_close(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_record(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_slip(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_show(struct lb_ctl_env *env, int argc, char **argv);
int lb_ctl_consent_withdraw(struct lb_ctl_env *env, int argc, char **argv);

#endif
