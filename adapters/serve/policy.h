#ifndef ADAPTERS_SERVE_POLICY_H
#define ADAPTERS_SERVE_POLICY_H

#include "gateway/base/diag.h"
#include "policy/engine/rules.h"
#include "policy/engine/view.h"

/*
 * A department's own policy: its rule set, its views, and whom and what it accepts. The directory
 * only names; what this file does not name stays inert, so neither broker nor directory key can
 * widen it.
 *
 * File (YAML), paths relative to it:
 *   policy: tax
 *   rules: rules/beijing-reference.yaml
 *   views: [views/income.yaml, views/business.yaml]
 *   budgets: {operator: {hour: 600}, requester: {day: 50000}} # optional, over all views (view.h)
 *   accept:
 *     brokers: [spiffe://.../broker/...]
 *     requesters:                      # window agents, each with its identity key
 *       - {spiffe: spiffe://..., log: "<vkey>"}
 *     issuers:                         # grant signers, each with its key
 *       - {organization: consent-hall, kid: k1, key_sha256: <hex of SHA-256(x || y)>}
 *     forms:
 *       - {form: social-assistance, version: 1, sha256: <hex>}
 *   status_max_age_s: {G3: 120, G4: 60}  # optional: how old a grant's status list may be for a
 *                                        # field of a class; it can only be stricter than usual
 *   shares:                            # optional: blind household sums this department is part of
 *     - slot: income12                 # one per slot and accepted form that has it
 *       form: social-assistance
 *       version: 1
 *       roles: [applicant, member]
 *       persons: 12                    # of one sum at most
 *       runs: 4                        # of one person within `days`, only with the same persons
 *       days: 30                       # at least 7
 *       adapters:                      # all that take part, each with its identity key
 *         - {department: tax, spiffe: spiffe://..., log: "<vkey>"}
 *       contributions:                 # all of them, in the form's order
 *         - {department: tax, view: tax.wage, field: income, months: 12}
 *   intake: {...}                      # optional: parts of applications (intake_policy.h)
 *
 * What is added up is exactly what stands here, never a part of it; at least two departments. A
 * field stands in one slot only, and a slot has the same contributions for every form: two totals
 * that differ by one addend would tell it.
 */
struct lb_accepted_requester {
    const char *spiffe;
    uint8_t log_key[32];
};

struct lb_accepted_issuer {
    const char *organization;
    const char *kid;
    uint8_t key_sha256[32];
};

struct lb_accepted_form {
    const char *form;
    uint32_t version;
    uint8_t sha256[32];
};

#define LB_NUM_CLASSES 5  /* G1 to G4; 0 is none */

/* A field of one department that is added up, and who speaks for that department. */
struct lb_share_contribution {
    const char *department;
    const char *spiffe;
    uint8_t log_key[32];
    const char *view;
    const char *field;
    uint32_t months;
};

struct lb_share_slot {
    const char *slot;
    const char *form;
    uint32_t version;
    size_t num_roles;
    const char *const *roles;
    int64_t persons;
    int64_t runs;
    int64_t days;
    size_t num_contributions;
    const struct lb_share_contribution *contributions;
};

struct lb_intake_policy;  /* intake_policy.h */

struct lb_serve_policy {
    const char *id;
    struct lb_rules *rules;
    size_t num_views;
    const struct lb_view *const *views;
    struct lb_budgets budgets; /* over all views */
    size_t num_brokers;
    const char *const *brokers;
    size_t num_requesters;
    const struct lb_accepted_requester *requesters;
    size_t num_issuers;
    const struct lb_accepted_issuer *issuers;
    size_t num_forms;
    const struct lb_accepted_form *forms;
    int64_t status_max_age_s[LB_NUM_CLASSES]; /* by data class; 0: nothing stricter */
    size_t num_shares;
    const struct lb_share_slot *shares;
    const struct lb_intake_policy *intake; /* NULL: nothing is taken in */
    uint8_t sha256[32];        /* over the hashes of this file, the rule set and every view */
    struct lb_arena *arena;
};

/* lb_serve_policy_load reads and checks everything; CONFIG_INVALID with file, line and advice. */
LB_MUST lb_status lb_serve_policy_load(const char *path, struct lb_diag *diag,
                                       struct lb_serve_policy **out_policy);
void lb_serve_policy_free(struct lb_serve_policy *policy);

/* Lookups; NULL or false when the policy does not name it. */
const struct lb_view *lb_serve_policy_view(const struct lb_serve_policy *policy, const char *id);
bool lb_serve_policy_broker(const struct lb_serve_policy *policy, const char *spiffe);
const struct lb_accepted_requester *lb_serve_policy_requester(
    const struct lb_serve_policy *policy, const char *spiffe);
const struct lb_accepted_issuer *lb_serve_policy_issuer(const struct lb_serve_policy *policy,
                                                        const char *organization,
                                                        const char *kid);
const struct lb_accepted_form *lb_serve_policy_form(const struct lb_serve_policy *policy,
                                                    const char *form, uint32_t version);
const struct lb_share_slot *lb_serve_policy_share(const struct lb_serve_policy *policy,
                                                  const char *slot, const char *form,
                                                  uint32_t version);

/* lb_serve_policy_status_age gives the oldest that a status list may be for a field of a class, in
 * seconds, when its issuer makes a new one every ttl_s: for G3 and G4 LB_STATUS_MAX_TTLS times as
 * much, for lower classes without bound, and never more than the policy says. */
int64_t lb_serve_policy_status_age(const struct lb_serve_policy *policy, int data_class,
                                   int64_t ttl_s);

#endif
