#ifndef GATEWAY_TRUST_SEAL_KEY_H
#define GATEWAY_TRUST_SEAL_KEY_H

#include "gateway/trust/directory.h"

/* Inside gateway/trust. What a key is published for; each has a statement of its own. */
enum lb_key_use { LB_KEY_SEAL, LB_KEY_SHARE };

/* lb_key_check verifies the statement of directory.h by the node's log key. SIGNATURE_INVALID,
 * NO_MEMORY. */
LB_MUST lb_status lb_key_check(enum lb_key_use use, const char *spiffe,
                               const struct lb_seal_key_entry *entry,
                               const struct lb_verify_key *log_key, struct lb_span signature,
                               struct lb_arena *arena);

#endif
