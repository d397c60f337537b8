#ifndef GATEWAY_EVIDENCE_SHARD_WRITE_H
#define GATEWAY_EVIDENCE_SHARD_WRITE_H

#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/ratchet.h"
#include "gateway/evidence/shards.h"

/* The inside of a copy, shared by choosing half-years and writing one. */

struct lb_shard_copying {
    const struct lb_shard_copy_options *options;
    struct lb_diag *diag;
    struct lb_log_reader *reader;
    struct lb_arena *arena;  /* of one step */
    struct lb_checkpoint head;
    struct lb_tree *tree;    /* of all its entries */
    uint8_t note[LB_RATCHET_MAX_NOTE_BYTES];
    size_t note_len;
    struct lb_shard_copied copied;
};

/* One shard on its way. */
struct lb_shard_part {
    struct lb_shard_copying *copying;
    char name[LB_SHARD_NAME_BYTES];
    uint64_t from, to;
    struct lb_store *out;  /* while it is written */
};

/* lb_shard_write makes a shard's file, or verifies the one a run before has made. Statuses of
 * lb_shard_copy. */
LB_MUST lb_status lb_shard_write(struct lb_shard_part *part);

#endif
