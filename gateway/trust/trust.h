#ifndef GATEWAY_TRUST_TRUST_H
#define GATEWAY_TRUST_TRUST_H

#include "gateway/base/clock.h"
#include "gateway/trust/directory.h"

/*
 * What a running node believes: the newest acceptable directory, CA, CRL, and the keys it has
 * pinned. Reloaded when a file changes; a bad new file is refused and the old belief stays (a CRL
 * that is gone or past its time is not: then nobody passes).
 *
 * State in the folder `state` (state.h): the highest directory version and its hash (rollback and
 * equal version with another hash are DIRECTORY_ROLLBACK), and each node's log key and each
 * issuer's key as first seen. A key that changes, a log key that goes, a further key of a known
 * issuer, or a further adapter of a known department is KEY_CHANGED for that directory unless
 * `<state>/accept` lists "<spiffe> <vkey>" or "<organization>/<kid> <base64url x||y>".
 */
struct lb_trust;

struct lb_trust_options {
    const char *directory_path;
    const char *const *directory_vkeys;  /* who may sign it */
    size_t num_directory_vkeys;
    const char *ca_path;
    const char *crl_path;
    const char *state_folder;
    bool look_only;                      /* judge by the state, but write nothing there */
    const struct lb_clock *clock;
};

/* lb_trust_new loads all; CONFIG_INVALID, DIRECTORY_INVALID, DIRECTORY_ROLLBACK, KEY_CHANGED,
 * FILE_FAILED with a sentence in diag. A missing CRL does not fail here, but refuses every peer. */
LB_MUST lb_status lb_trust_new(const struct lb_trust_options *options, struct lb_diag *diag,
                               struct lb_trust **out_trust);
void lb_trust_free(struct lb_trust *trust);

/* lb_trust_reload re-reads changed files; call it once a second from the main loop. What was
 * refused is logged there. Any thread. */
void lb_trust_reload(struct lb_trust *trust);

/* lb_trust_directory returns the current directory with a reference the caller must unref. */
struct lb_directory *lb_trust_directory(struct lb_trust *trust);

/* lb_trust_verify_peer judges a peer: chain, pin, expiry, CRL, the certificate's only URI SAN equal
 * to `spiffe`, and membership in the directory. Fast for a chain judged before under the same
 * belief (its expiry and the CRL's are checked each time, a CRL that is gone or changed is noticed
 * at the next reload). PEER_UNVERIFIED, PEER_EXPIRED, PEER_REVOKED, CRL_STALE,
 * PEER_UNLISTED; DIRECTORY_INVALID once the directory itself has expired. Any thread. */
LB_MUST lb_status lb_trust_verify_peer(struct lb_trust *trust, const char *spiffe,
                                       struct lb_span chain_pem);

/* lb_trust_need_log is KEY_CHANGED when the directory lists another log of this member by now than
 * the one of this name, or none: what is said under that name counts no more. */
LB_MUST lb_status lb_trust_need_log(struct lb_trust *trust, const char *spiffe,
                                    const char *origin);
/* lb_trust_need_kind refuses with ROLE_NOT_ALLOWED unless the SPIFFE id is listed with that kind,
 * and with DIRECTORY_INVALID once the directory has expired. */
LB_MUST lb_status lb_trust_need_kind(struct lb_trust *trust, const char *spiffe,
                                     enum lb_node_kind kind);

#endif
