#ifndef GATEWAY_EVIDENCE_SHARD_KEEPER_H
#define GATEWAY_EVIDENCE_SHARD_KEEPER_H

#include <limits.h>

#include "gateway/evidence/log.h"

/*
 * What an open log does about its shards. A thread of its own looks into the folder: a shard that
 * goes on where the last one ends is verified, synced, and linked by a SHARD entry, which commits
 * together with its row in the table of linked shards. Once that is durable and the file's bytes
 * are what the row says, the sequencer may remove the log's own rows of that range, a few in a
 * transaction. So every row is in one place or in both, whenever the process ends; what was left
 * undone is found and gone on with at the next opening.
 *
 * The SHARD entry: code "LINKED", request_hash = SHA-256 of the shard's signed checkpoint,
 * answer_hash = lb_shard_file_hash of its file, count = its entries; the detail names shard, range
 * and file hash.
 *
 * A shard that does not verify is told to whoever runs the node, and stays what it is: a file. The
 * log has all its rows then.
 */
struct lb_shard_keeper;

/* lb_shard_keeper_start begins to look after an open log. NO_MEMORY. */
LB_MUST lb_status lb_shard_keeper_start(struct lb_log *log, struct lb_shard_keeper **out_keeper);
/* lb_shard_keeper_stop ends it, in the middle of a verification too; NULL is allowed. */
void lb_shard_keeper_stop(struct lb_shard_keeper *keeper);

/* What the sequencer may remove: set by the keeper, cleared by the sequencer. */
struct lb_shed {
    _Atomic(uint64_t) to;        /* 0 for nothing */
    char path[PATH_MAX];         /* the file that must be there as long as rows go */
    uint64_t bytes;              /* its length */
};

/* lb_log_shed removes a few rows when it may and it is time; sequencer only. LOG_UNAVAILABLE: the
 * log has stopped. */
LB_MUST lb_status lb_log_shed(struct lb_log *log);

#endif
