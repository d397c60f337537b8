#ifndef POLICY_ENGINE_CLOSURES_H
#define POLICY_ENGINE_CLOSURES_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/base/status.h"

/*
 * What a department has shut at once, beside its policy: single views, single requesters, or
 * everything. `lianban view close` and `open` write the file, the adapter looks at it before every
 * answer. No file: nothing is closed. A file that can't be read closes everything.
 *
 * File (YAML), <adapter's state>/closed.yaml:
 *   department: false
 *   views: [tax.income]
 *   requesters: [street-office]     # organizations
 *   reason: "..."                   # of the last change, for the evidence
 */
#define LB_MAX_CLOSURES 64 /* views, or requesters */

struct lb_closures {
    bool department;
    size_t num_views;
    const char *views[LB_MAX_CLOSURES];
    size_t num_requesters;
    const char *requesters[LB_MAX_CLOSURES];
    const char *reason;
};

/* lb_closures_load reads and checks a file into the arena. A missing one closes nothing.
 * CONFIG_INVALID with file, line and advice; FILE_FAILED; TOO_LARGE; NO_MEMORY. */
LB_MUST lb_status lb_closures_load(const char *path, struct lb_arena *arena, struct lb_diag *diag,
                                   struct lb_closures *out_closures);
/* lb_closures_text writes the file's text, lists as they stand. NO_MEMORY. */
LB_MUST lb_status lb_closures_text(const struct lb_closures *closures, struct lb_arena *arena,
                                   const char **out_text);

/* lb_closures_set_view and _set_requester shut or open one; as it is already is fine. MALFORMED for
 * what is no such name, TOO_LARGE past LB_MAX_CLOSURES. Names are borrowed. lb_closures_set_reason
 * is MALFORMED for more than one line or LB_MAX_VALUE_BYTES. */
LB_MUST lb_status lb_closures_set_view(struct lb_closures *closures, const char *view, bool shut);
LB_MUST lb_status lb_closures_set_requester(struct lb_closures *closures,
                                            const char *organization, bool shut);
LB_MUST lb_status lb_closures_set_reason(struct lb_closures *closures, const char *reason);

/* lb_closures_any says whether anything is closed; _view and _requester whether that one is, the
 * whole department counting. */
bool lb_closures_any(const struct lb_closures *closures);
bool lb_closures_view(const struct lb_closures *closures, const char *view);
bool lb_closures_requester(const struct lb_closures *closures, const char *organization);

#endif
