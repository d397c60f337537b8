#ifndef ADAPTERS_SERVE_INTAKE_KEY_H
#define ADAPTERS_SERVE_INTAKE_KEY_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/store/store.h"

/*
 * The key under which an adapter keeps what it was handed: AES-256-GCM over each parcel and each
 * word, and keyed hashes in the place of contents that are only compared. The sealing keys that
 * opened a parcel are destroyed within days; this one stays.
 *
 *   <state>/intake.key    64 hex digits, mode 0600; made when the policy first has an `intake`
 *
 * The store has a mark of it: a start without it, or with another, is refused, since nothing that
 * waits could be read.
 */
struct lb_intake_key {
    bool ready;
    uint8_t mark[32];
    uint8_t rows[32];
    uint8_t tags[32];
};

#define LB_INTAKE_AT_REST_BYTES 28 /* what lb_intake_key_close adds */

/* lb_intake_key_load reads the file; with `create` it is made when it is not there. FILE_FAILED
 * with a sentence in diag. */
LB_MUST lb_status lb_intake_key_load(const char *folder, bool create, struct lb_diag *diag,
                                     struct lb_intake_key *out);
void lb_intake_key_wipe(struct lb_intake_key *key);

/* lb_intake_key_tag is a keyed hash of the concatenation of parts. */
void lb_intake_key_tag(const struct lb_intake_key *key, const struct lb_span *parts, size_t num,
                       uint8_t out[32]);
/* lb_intake_key_close encrypts under a fresh nonce, bound to what it is (`kind`, a word of ours)
 * and its 16-byte name. CRYPTO_FAILED, NO_MEMORY. lb_intake_key_open is SEAL_BROKEN when it does
 * not open. */
LB_MUST lb_status lb_intake_key_close(const struct lb_intake_key *key, const char *kind,
                                      const uint8_t name[16], struct lb_span plain,
                                      struct lb_arena *arena, struct lb_span *out);
LB_MUST lb_status lb_intake_key_open(const struct lb_intake_key *key, const char *kind,
                                     const uint8_t name[16], struct lb_span closed,
                                     struct lb_arena *arena, struct lb_span *out);

#endif
