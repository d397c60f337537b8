#ifndef GATEWAY_CTL_EXPLAIN_VIEW_H
#define GATEWAY_CTL_EXPLAIN_VIEW_H

#include "gateway/base/diag.h"
#include "policy/engine/explain.h"

/* lb_ctl_explain_read reads a described request (YAML, or JSON, which is YAML as well; "-" is
 * standard input's bytes, given as text):
 *
 *   requester: street-office
 *   issuer: consent-hall
 *   form: social-assistance
 *   version: 1
 *   purpose: social-assistance
 *   basis: consent
 *   law: [SAL40]                 # may be left out
 *   level: 2                     # of proof, or the method, which reaches 1 to 3: none,
 *   method: document             #   document, paper2, face
 *   given_by: self               # or guardian, agent, relative
 *   life_hours: 24               # of the grant, which ends an emergency's after 24
 *   wants:
 *     - {view: tax.wage, field: income, operator: "SUM(12)"}
 *
 * CONFIG_INVALID with file, line and advice, also for a level that the method does not reach;
 * NO_MEMORY. Texts live in the arena. */
LB_MUST lb_status lb_ctl_explain_read(struct lb_span text, const char *name,
                                      struct lb_arena *arena, struct lb_diag *diag,
                                      struct lb_explain_request *out_request);

#endif
