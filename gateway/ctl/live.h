#ifndef GATEWAY_CTL_LIVE_H
#define GATEWAY_CTL_LIVE_H

#include "adapters/sources/config.h"
#include "gateway/ctl/env.h"
#include "gateway/json/json.h"
#include "policy/engine/view.h"

/* A department's database, opened with the adapter's own account, to hold views against. */
struct lb_ctl_live {
    struct lb_arena *arena;
    struct lb_yaml *config;
    struct lb_sources_config source;
    struct lb_source *open;
};

/* lb_ctl_live_read reads the part `source` of an adapter's configuration, or of a file that is
 * nothing else. CONFIG_INVALID, FILE_FAILED with a sentence in diag. */
LB_MUST lb_status lb_ctl_live_read(const char *config_path, struct lb_diag *diag,
                                   struct lb_ctl_live *out);
/* lb_ctl_live_connect opens it; the plugin's statuses. */
LB_MUST lb_status lb_ctl_live_connect(struct lb_ctl_live *live, struct lb_diag *diag);
/* lb_ctl_live_cleanup closes and releases all; zeros are allowed. */
void lb_ctl_live_cleanup(struct lb_ctl_live *live);

/* lb_ctl_live_check holds a view against the database: that its query compiles there, that every
 * column is there and of a type the field takes, and that rows are found by an index. What it found
 * goes to env->out, or into `out` with --json. CONFIG_INVALID with a sentence in diag, the
 * plugin's statuses. A view without a query is left out. */
LB_MUST lb_status lb_ctl_live_check(struct lb_ctl_live *live, const struct lb_ctl_env *env,
                                    const struct lb_view *view, struct lb_json *out,
                                    struct lb_diag *diag);

#endif
