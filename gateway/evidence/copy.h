#ifndef GATEWAY_EVIDENCE_COPY_H
#define GATEWAY_EVIDENCE_COPY_H

#include "gateway/base/diag.h"
#include "gateway/store/store.h"

/*
 * lb_log_copy copies the log in one folder into another, which exists: evidence.db as one snapshot,
 * whoever writes meanwhile, and a ratchet that holds what the copied database itself signed last.
 * The original's ratchet would be ahead of the copy by what was written meanwhile, and a log behind
 * its ratchet does not open. Linked shards are not copied: they never change
 * (lb_shard_list_read of the copy tells which it needs). Nothing is verified here.
 *
 * FILE_FAILED when there is no log, or the copy is there already or can't be written; LOG_FORK when
 * it has no checkpoint; what `progress` says; STORE_FAILED, STATE_LOCKED, NO_MEMORY; with a
 * sentence in diag.
 */
LB_MUST lb_status lb_log_copy(const char *from, const char *to,
                              const struct lb_store_progress *progress, struct lb_diag *diag);

#endif
