#ifndef GATEWAY_TRUST_SIGNERS_H
#define GATEWAY_TRUST_SIGNERS_H

#include "gateway/trust/directory.h"

/*
 * Inside gateway/trust: who may have signed a directory. At first those the configuration names; as
 * soon as an accepted directory names its signers, those and no others, so that an old key that is
 * given up is worth nothing any more. The directory that was accepted last may still be the one
 * the old key signed: it is known by its hash.
 */

/* lb_signers_open is lb_directory_open by whoever may sign, as the memory in `folder` has it.
 * Statuses of lb_directory_open and lb_trust_signers. */
LB_MUST lb_status lb_signers_open(const char *folder, const struct lb_note_verifier *configured,
                                  size_t num_configured, struct lb_span note, int64_t now_unix_s,
                                  struct lb_diag *diag, struct lb_directory **out_directory);

#endif
