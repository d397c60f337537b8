#ifndef GATEWAY_CTL_CONCEALED_H
#define GATEWAY_CTL_CONCEALED_H

#include "gateway/audit/index.h"

/*
 * What the law lets a department leave out when a citizen asks who looked: one officer asks for it
 * with the law and an end, another approves within 7 days, either may lift it. Each of these acts
 * is a REVIEW entry of the log (CONCEAL_ASKED, CONCEAL_APPROVED, CONCEAL_LIFTED), and there is no
 * other state: what is concealed now follows from the log.
 */
#define LB_CTL_CONCEAL_ASKED "CONCEAL_ASKED"
#define LB_CTL_CONCEAL_APPROVED "CONCEAL_APPROVED"
#define LB_CTL_CONCEAL_LIFTED "CONCEAL_LIFTED"

/* None lasts longer, from its asking; one that says otherwise conceals nothing. */
#define LB_CTL_CONCEAL_MAX_MS (366 * 24 * INT64_C(3600000))

enum lb_ctl_conceal_state {
    LB_CTL_CONCEAL_OPEN,    /* nobody else has approved it; or too late */
    LB_CTL_CONCEAL_FORCE,
    LB_CTL_CONCEAL_LAPSED,
    LB_CTL_CONCEAL_RAISED,  /* lifted */
};

struct lb_ctl_concealment {
    uint64_t entry;          /* of the asking */
    int64_t asked_ms;
    const char *officer;     /* SPIFFE ids; "" for nobody */
    const char *approver;
    const char *lifted_by;
    const char *what;        /* "case", "txn" or "entry" */
    const char *value;       /* of it; a txn in hex, an entry in decimals */
    const char *law;
    int64_t until_ms;
};

struct lb_ctl_concealments {
    size_t num;
    struct lb_ctl_concealment *items;
};

/* lb_ctl_concealments_load reads from the index those that were asked for within
 * LB_CTL_CONCEAL_MAX_MS before now_ms: older ones have all lapsed. Texts are in the arena. An entry
 * that does not have the form of such an act conceals nothing. TOO_LARGE past 1,024 of them;
 * STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_ctl_concealments_load(struct lb_audit_index *index, int64_t now_ms,
                                           struct lb_arena *arena,
                                           struct lb_ctl_concealments *out);
enum lb_ctl_conceal_state lb_ctl_conceal_state_of(const struct lb_ctl_concealment *item,
                                                  int64_t now_ms);
/* lb_ctl_conceals says whether an entry is left out for the citizen now. */
bool lb_ctl_conceals(const struct lb_ctl_concealments *list, const struct lb_audit_row *row,
                     int64_t now_ms);
/* lb_ctl_concealment_find finds by the entry of the asking; NULL when there is none. */
const struct lb_ctl_concealment *lb_ctl_concealment_find(const struct lb_ctl_concealments *list,
                                                         uint64_t entry);

#endif
