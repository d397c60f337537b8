#ifndef GATEWAY_TRUST_STATE_H
#define GATEWAY_TRUST_STATE_H

#include "gateway/trust/directory.h"

/*
 * What a node remembers of directories, in `<folder>/trust-state`: the highest version with its
 * hash, and every key by the name it was first seen under. The signer of directories is no root: it
 * can neither go back, nor show two directories of one version, nor give a known member another
 * key.
 *
 *   lianban-trust-state/v1
 *   version <n>
 *   sha256 <hex>
 *   signer <vkey>                             who may sign the next one; none: the configured
 *   pin <spiffe> <vkey>                       a node's log key
 *   pin <organization>/<kid> <base64url x||y> an issuer's key
 *   end
 *
 * A key that changes and a further key of an issuer that had one are taken when a key known here
 * has handed over to them (handover.h). Else, and when a log key disappears or a further adapter
 * of a department that had one comes (present or not: it would be shown whom requests are about),
 * only if `<folder>/accept` has the line "<name> <key>" ("<spiffe> -" for a log key that goes,
 * "directory <vkey>" for one more signer). Lines that are empty or begin with '#' are passed over.
 * A log key of another name than the one known here is another log: it needs, besides, a recovery
 * of the log known here, to this key, by two officers whom the directory lists (recovery.h), and a
 * line of `accept` in any case.
 * Pins outlive a member's absence; those of an issuer's key that handed over end with its listing.
 */

/* lb_trust_admit judges a directory against the memory in `folder` and, with `commit`, remembers
 * it. DIRECTORY_ROLLBACK, KEY_CHANGED; CONFIG_INVALID when a file there is damaged (it is never
 * passed over: a lost memory must be a person's decision); FILE_FAILED. The sentence is in diag. */
LB_MUST lb_status lb_trust_admit(const char *folder, const struct lb_directory *directory,
                                 bool commit, struct lb_diag *diag);

/* Who may sign the next directory, and which one was accepted last. */
#define LB_MAX_SIGNERS 8
struct lb_trust_signers {
    uint64_t version;  /* 0: nothing accepted yet */
    uint8_t sha256[32];
    size_t num;        /* 0: those the configuration names */
    const char *vkeys[2 * LB_MAX_SIGNERS];
};

/* lb_trust_signers reads it from the memory and from `accept`; texts are in the arena.
 * CONFIG_INVALID, FILE_FAILED with a sentence in diag. */
LB_MUST lb_status lb_trust_signers(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                                   struct lb_trust_signers *out);

#endif
