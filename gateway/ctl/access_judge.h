#ifndef GATEWAY_CTL_ACCESS_JUDGE_H
#define GATEWAY_CTL_ACCESS_JUDGE_H

#include "gateway/token/grant.h"
#include "gateway/trust/directory.h"
#include "lianban/v1/evidence.pb-c.h"

/* What a question rests on, once judged; texts are in the arena. */
struct lb_ctl_access_claim {
    struct lb_grant grant;
    struct lb_section section;
    bool citizen;  /* the citizen asks; otherwise an authority does */
};

/* lb_ctl_access_judge says whether a question is covered by a grant that the station verifies for
 * itself, so that whoever administers the node can't ask at will: signed by an issuer of the
 * directory, in time, for `adapter`, this purpose and this view; the citizen's by a consent
 * office, an authority's as a mandate with an approver. Withdrawals, uses and the person are the
 * adapter's to judge. MALFORMED, ISSUER_UNKNOWN, WRONG_AUDIENCE, PURPOSE_NOT_ALLOWED,
 * FIELD_NOT_GRANTED, BASIS_NOT_ALLOWED, SELF_CONSENT, APPROVER_MISSING, and what lb_grant_verify,
 * lb_grant_check_time and lb_section_open say. */
LB_MUST lb_status lb_ctl_access_judge(const Lianban__V1__AccessQuestion *question,
                                      const struct lb_directory *directory, const char *adapter,
                                      int64_t now_unix_s, struct lb_arena *arena,
                                      struct lb_ctl_access_claim *out);

/* Which person each grant was used for: a grant is one person's, and the station knows persons by
 * pseudonym alone, so it holds whoever administers the node to the first one. The newest
 * LB_CTL_BOUND_GRANTS are remembered. */
#define LB_CTL_BOUND_GRANTS 1024
struct lb_ctl_bound_grants {
    size_t num;   /* ever; the oldest place is taken next */
    struct {
        uint8_t grant[32];
        uint8_t subject[32];
    } items[LB_CTL_BOUND_GRANTS];
};

/* lb_ctl_access_bind remembers whom a judged question is about, or refuses it: SUBJECT_MISMATCH
 * when the grant was used for somebody else. */
LB_MUST lb_status lb_ctl_access_bind(struct lb_ctl_bound_grants *bound,
                                     const struct lb_ctl_access_claim *claim,
                                     const Lianban__V1__AccessQuestion *question);

#endif
