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
 *   pin <spiffe> <vkey>                       a node's log key
 *   pin <organization>/<kid> <base64url x||y> an issuer's key
 *   end
 *
 * A key that changes, a log key that disappears, a further key of an issuer that had one, and a
 * further adapter of a department that had one (present or not: it would be shown whom requests are
 * about) are taken only when `<folder>/accept` has the line "<name> <key>" ("<spiffe> -" for a log
 * key that goes). Lines that are empty or begin with '#' are passed over. Pins outlive a member's
 * absence.
 */

/* lb_trust_admit judges a directory against the memory in `folder` and, with `commit`, remembers
 * it. DIRECTORY_ROLLBACK, KEY_CHANGED; CONFIG_INVALID when a file there is damaged (it is never
 * passed over: a lost memory must be a person's decision); FILE_FAILED. The sentence is in diag. */
LB_MUST lb_status lb_trust_admit(const char *folder, const struct lb_directory *directory,
                                 bool commit, struct lb_diag *diag);

#endif
