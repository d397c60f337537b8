#ifndef GATEWAY_WITNESS_WITNESS_H
#define GATEWAY_WITNESS_WITNESS_H

#include "gateway/base/clock.h"
#include "gateway/base/diag.h"
#include "gateway/evidence/add_checkpoint.h"
#include "gateway/evidence/log.h"
#include "gateway/store/schema.h"

/*
 * A witness: cosigns another node's checkpoints as long as each extends the one before, and never
 * two histories of one log. What it cosigned last of each log is in a file of its own
 * (witness.db), on disk before the cosignature leaves; checking and keeping is one step, so that
 * two requests at once can't take it back.
 */
#define LB_WITNESS_DATABASE "witness.db"
#define LB_WITNESS_APPLICATION_ID 0x4C427769U /* "LBwi" */

struct lb_witness;

struct lb_witness_options {
    const char *folder;             /* witness.db is in it */
    const char *name;               /* of the cosigner, by custom the node's log origin */
    const struct lb_sign_key *key;  /* Ed25519, no other use of it; borrowed */
    const struct lb_clock *clock;
    struct lb_log *log;  /* refusals are counted in it by code, an aggregate a second */
    /* Is every growth that is cosigned an entry of the log as well? For a node that only witnesses:
     * two members who witness each other would have no end of entries about entries. */
    bool keeps_entries;
    bool seals_detail;  /* the log has an officer's key: entries say which log and size */
};

/* lb_witness_open opens or makes the file. CONFIG_INVALID for a name or key that can't cosign;
 * FILE_FAILED, STORE_FAILED, VERSION_UNSUPPORTED, NO_MEMORY; with a sentence in diag. */
LB_MUST lb_status lb_witness_open(const struct lb_witness_options *options, struct lb_diag *diag,
                                  struct lb_witness **out_witness);
/* lb_witness_close releases; NULL is allowed. */
void lb_witness_close(struct lb_witness *witness);

struct lb_witness_reply {
    enum lb_witness_answer answer;
    struct lb_span body;  /* in the arena; empty but for 200 and 409 */
    /* What was cosigned last, with both signatures, when the peer shows less or something else;
     * empty otherwise. In the arena, at most 2 * LB_ADD_CHECKPOINT_MAX_BYTES. */
    struct lb_span evidence;
};

/* lb_witness_add judges one add-checkpoint body that `peer` (a SPIFFE id) sent about the log of
 * this verifier, which is the peer's own: a checkpoint of any other origin is 404. The body may be
 * anything. LOG_UNAVAILABLE when the state or the entry can't be kept: nothing was cosigned, and
 * after a failed commit nothing is until the node starts again; NO_MEMORY. Any thread. */
LB_MUST lb_status lb_witness_add(struct lb_witness *witness, const char *peer,
                                 const struct lb_note_verifier *verifier, struct lb_span body,
                                 struct lb_arena *arena, struct lb_witness_reply *out_reply);

/* lb_witness_latest reads what was cosigned last of a log; ABSENT. */
LB_MUST lb_status lb_witness_latest(struct lb_witness *witness, const char *origin,
                                    uint64_t *out_size, struct lb_hash *out_root);

/* lb_witness_check_lost holds the size and root that a log is said to have ended with, when it was
 * lost and another takes its place, against what was cosigned of it: LOG_BEHIND when that was more,
 * LOG_FORK when it was another root of this size. Statuses of a store. */
LB_MUST lb_status lb_witness_check_lost(struct lb_witness *witness, const char *origin,
                                        uint64_t size, const uint8_t root[LB_HASH_BYTES]);
/* lb_witness_read reads what a witness in this folder, running or not, cosigned last of a log: its
 * checkpoint with both signatures, in the arena. ABSENT; FILE_FAILED, STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_witness_read(const char *folder, const char *origin, struct lb_arena *arena,
                                  struct lb_span *out_note);

/* The store of what was cosigned for others, for who looks at all of a node's. */
extern const struct lb_store_schema lb_witness_schema;

#endif
