#ifndef ADAPTERS_SERVE_INTAKE_POLICY_H
#define ADAPTERS_SERVE_INTAKE_POLICY_H

#include "adapters/serve/policy.h"
#include "gateway/config/yaml.h"

/*
 * The policy's `intake`: who may hand in what, who in the department may take it out, and how long
 * it is kept. What does not stand here is refused.
 *
 *   intake:
 *     forms:                       # at least one; each form version once
 *       - form: social-assistance  # stands under accept.forms, which has its hash
 *         version: 1
 *         parts: [finance.payout]  # of the form, which this department takes on; may be []
 *         requesters: [spiffe://.../window/...]  # all stand under accept.requesters
 *         corrections: true        # optional: a citizen may say that our data are wrong
 *         signals: true            # optional: the form is a trigger, and its signals are all that
 *                                  # is taken of it (docs/OUTREACH.md)
 *     clerks: [spiffe://.../officer/finance/...] # who takes parts out and answers them; may be []
 *     keep_days: 30                # optional: a part is kept so long after it was taken out
 *     lease_minutes: 15            # optional: so long nobody else gets a part that was handed out
 *     waiting: {parcels: 10000, megabytes: 256, per_requester: 5000}  # optional
 *     program:                     # optional: is given each part instead (intake_program.h)
 *       path: /opt/finance/take-in
 *       arguments: [--production]  # optional
 *       timeout_s: 60              # optional
 *       tries: 8                   # optional
 */
struct lb_intake_form {
    const char *form;
    uint32_t version;
    size_t num_parts;
    const char *const *parts;
    size_t num_requesters;
    const char *const *requesters;
    bool corrections;
    bool signals;
};

struct lb_intake_program {
    const char *path;         /* absolute; NULL for none */
    size_t num_arguments;
    const char *const *arguments;
    int64_t timeout_s;
    int64_t tries;
};

struct lb_intake_policy {
    size_t num_forms;
    const struct lb_intake_form *forms;
    size_t num_clerks;
    const char *const *clerks;
    int64_t keep_s;
    int64_t lease_s;
    int64_t max_parcels;
    int64_t max_bytes;
    int64_t max_of_requester;  /* parcels */
    struct lb_intake_program program;
};

/* lb_intake_policy_read reads the policy's `intake`, which may be absent, once the rest is there.
 * CONFIG_INVALID with line and advice in diag; NO_MEMORY. */
LB_MUST lb_status lb_intake_policy_read(struct lb_serve_policy *policy,
                                        const struct lb_yaml_node *root, struct lb_diag *diag);

/* Lookups; NULL or false when the policy does not name it. */
const struct lb_intake_form *lb_intake_policy_form(const struct lb_serve_policy *policy,
                                                   const char *form, uint32_t version,
                                                   const char *requester);
bool lb_intake_form_has_part(const struct lb_intake_form *form, const char *part);
bool lb_intake_policy_clerk(const struct lb_serve_policy *policy, const char *spiffe);

#endif
