#ifndef GATEWAY_TRUST_FORMER_H
#define GATEWAY_TRUST_FORMER_H

#include "gateway/trust/directory.h"
#include "gateway/trust/reader.h"

/*
 * Inside gateway/trust: the keys a key of the directory came after, each with its handover to the
 * next (handover.h), newest first; and the log a log came after. What does not hold is
 * DIRECTORY_INVALID.
 */

/* lb_former_logs reads a node's "log_before": [{"log", "signature"}], which may be missing. All are
 * keys of the log it has now: one that is lost hands over to no other. */
LB_MUST lb_status lb_former_logs(struct lb_reader *reader, const struct lb_json *item,
                                 struct lb_node *node, const char *vkey);
/* lb_former_recovery reads a node's "recovery", which only a log that took another's place has, and
 * must have. */
LB_MUST lb_status lb_former_recovery(struct lb_reader *reader, const struct lb_json *item,
                                     struct lb_node *node);
/* lb_former_issuers reads an issuer's "before": [{"kid", "x", "y", "signature"}], which may be
 * missing. */
LB_MUST lb_status lb_former_issuers(struct lb_reader *reader, const struct lb_json *item,
                                    struct lb_issuer *issuer);
/* lb_former_signers reads the directory's "signers": [vkey], which may be missing. */
LB_MUST lb_status lb_former_signers(struct lb_reader *reader, const struct lb_json *root,
                                    struct lb_directory *directory);

#endif
