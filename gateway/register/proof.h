#ifndef GATEWAY_REGISTER_PROOF_H
#define GATEWAY_REGISTER_PROOF_H

#include "gateway/register/register.h"

/*
 * Proof that whoever opens a case holds the operator's device key (ES256): a signature over
 *
 *   lianban operator proof v1 LF <agent's SPIFFE id> LF <badge> LF <unit> LF <form> LF
 *   <hex SHA-256 of the members' identity numbers as sent, each followed by LF> LF
 *   <seconds since 1970> LF <hex nonce> LF
 *
 * so that it opens this one case at this one agent, and that once. For what is done to a case later
 *
 *   lianban operator act v1 LF <agent's SPIFFE id> LF <badge> LF <unit> LF <method> LF <case> LF
 *   <hex SHA-256 of the request's values in the order of their field numbers, without the case and
 *   the operator, each followed by LF: numbers in decimal, bytes in lower-case hex> LF
 *   <seconds since 1970> LF <hex nonce> LF
 */
#define LB_PROOF_NONCE_BYTES 16
#define LB_PROOF_MAX_AGE_S 60  /* either way */

struct lb_proof {
    const char *agent, *badge, *unit;
    const char *form;          /* of a case that is opened; NULL for an act */
    const char *method, *case_id;  /* of an act */
    uint8_t content[32];       /* hash over the members' numbers, or over the act's values */
    int64_t time_unix_s;
    uint8_t nonce[LB_PROOF_NONCE_BYTES];
};

/* lb_proof_text writes what is signed into the arena; NO_MEMORY. */
LB_MUST lb_status lb_proof_text(const struct lb_proof *proof, struct lb_arena *arena,
                                struct lb_span *out_text);
/* lb_proof_check verifies a signature by the device key of an entry, and the time; whether the
 * nonce is new is the caller's to know. DEVICE_UNPROVEN; NO_MEMORY. */
LB_MUST lb_status lb_proof_check(const struct lb_proof *proof,
                                 const struct lb_register_entry *entry, struct lb_span signature,
                                 int64_t now_unix_s, struct lb_arena *arena);

#endif
