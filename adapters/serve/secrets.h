#ifndef ADAPTERS_SERVE_SECRETS_H
#define ADAPTERS_SERVE_SECRETS_H

#include "gateway/base/diag.h"
#include "policy/engine/operator.h"

/*
 * The department's own keys for PSEUDO and TOKEN, and what each operator gets of them. No table is
 * kept: a pseudonym is computed, and a token holds its value.
 *
 *   <state>/pseudo.key, <state>/token.key    64 hex digits each, mode 0600
 *
 * Epochs of pseudonyms are calendar years of the department's local time: one requester gets one
 * name per person, purpose and year, and another one from 1 January on. Whoever replaces a key
 * ends all pseudonyms, or all tokens, at once.
 */
struct lb_serve_secrets {
    uint8_t pseudo[LB_OP_KEY_BYTES];
    uint8_t token[LB_OP_KEY_BYTES];
};

/* lb_serve_secrets_load reads both files of a state folder; with `create` it makes those that are
 * not there. FILE_FAILED with a sentence in diag: absent, unreadable, open to others, or not of
 * this form; CRYPTO_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_serve_secrets_load(const char *folder, bool create, struct lb_arena *arena,
                                        struct lb_diag *diag, struct lb_serve_secrets *out);

/* What one want's operator gets; `secrets` points into this very struct and the job's arena. */
struct lb_serve_op_keys {
    struct lb_op_secrets secrets;
    uint8_t pseudo_key[LB_OP_KEY_BYTES];
    uint8_t nonce[LB_OP_NONCE_BYTES];
};

struct lb_read_job;
struct lb_read_want;

/* lb_serve_op_keys derives what the want's operator needs, which is nothing for most. today is the
 * department's date. CRYPTO_FAILED, TOO_LARGE, NO_MEMORY. */
LB_MUST lb_status lb_serve_op_keys(const struct lb_read_job *job, const struct lb_read_want *want,
                                   const char *today, struct lb_serve_op_keys *out);
void lb_serve_wipe_op_keys(struct lb_serve_op_keys *keys);

#endif
