#ifndef GATEWAY_CTL_FORM_FILES_H
#define GATEWAY_CTL_FORM_FILES_H

#include "gateway/ctl/args.h"
#include "policy/engine/form_check.h"

/* The files that `form check` holds against each other: forms, their rule set, and the views of
 * departments. */
struct lb_ctl_form_files {
    struct lb_rules *rules;
    size_t num_forms;
    struct lb_form_compiled *forms[LB_CTL_MAX_ITEMS];
    const struct lb_form *read[LB_CTL_MAX_ITEMS];  /* their readable parts */
    struct lb_arena *arena;                        /* of the views */
    size_t num_views;
    const struct lb_view *views[LB_CTL_MAX_ITEMS];
};

/* lb_ctl_form_files_load reads them; an item of `views` is a file, or a folder whose *.yaml are
 * read. Whatever it returns, the files are cleaned up afterwards. FILE_FAILED, TOO_LARGE past
 * LB_CTL_MAX_ITEMS views, CONFIG_INVALID with file and line in diag, NO_MEMORY, STORE_FAILED. */
LB_MUST lb_status lb_ctl_form_files_load(const char *rules_path, const struct lb_ctl_list *forms,
                                         const struct lb_ctl_list *views, struct lb_diag *diag,
                                         struct lb_ctl_form_files *out_files);
void lb_ctl_form_files_cleanup(struct lb_ctl_form_files *files);

/* lb_ctl_form_files_registered borrows them as lb_form_check takes them. */
struct lb_form_registered lb_ctl_form_files_registered(const struct lb_ctl_form_files *files);

#endif
