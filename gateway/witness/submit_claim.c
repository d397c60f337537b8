#include "gateway/note/cosign.h"
#include "gateway/witness/submit_state.h"

#define MAX_EVIDENCE_BYTES (2 * LB_ADD_CHECKPOINT_MAX_BYTES)

/* What a witness says against this log stops it only with proof, so that nobody who is named in a
 * policy can keep a node from starting by his word alone. */

/* By a key of this log: whatever it signed, it can't take back. */
static lb_status open_own(const struct lb_submit_options *options, struct lb_span note,
                          struct lb_checkpoint *out)
{
    for (size_t i = 0; i < options->num_keys; i++) {
        if (lb_checkpoint_open(note, &options->keys[i], out) == LB_OK)
            return LB_OK;
    }
    LB_FAIL(LB_RECEIPT_INVALID, "the witness shows nothing that this log has signed");
}

static lb_status open_evidence(const struct lb_submit_round *round, size_t i,
                               struct lb_span evidence, struct lb_checkpoint *out)
{
    const struct lb_submit_options *options = &round->submitter->options;
    int64_t unix_s = 0;
    LB_ENSURE(evidence.len > 0 && evidence.len <= MAX_EVIDENCE_BYTES, LB_RECEIPT_INVALID,
              "the witness shows nothing for what it says");
    lb_status status =
        lb_cosign_verify(evidence, &options->policy->witnesses[i].cosigner, &unix_s, NULL);
    LB_ENSURE(status == LB_OK, LB_RECEIPT_INVALID,
              "the witness shows nothing that it has cosigned");
    return open_own(options, evidence, out);
}

/* The same size with another root than the first entries here give. */
static lb_status compare(struct lb_submit_round *round, const struct lb_checkpoint *theirs)
{
    struct lb_hash *path = NULL;
    size_t num = 0;
    LB_ENSURE(theirs->size > 0, LB_RECEIPT_INVALID, "an empty log contradicts nothing");
    LB_TRY(lb_log_consistency(round->submitter->options.log, theirs->size, round->head.size,
                              round->arena, &path, &num));
    lb_status status = lb_merkle_verify_consistency(theirs->size, &theirs->root, round->head.size,
                                                    &round->head.root, path, num);
    LB_ENSURE(status != LB_OK, LB_RECEIPT_INVALID, "the witness has cosigned this very history");
    LB_FAIL(LB_LOG_FORK, "the witness has cosigned another history");
}

lb_status lb_submit_judge_claim(struct lb_submit_round *round, size_t i, struct lb_span evidence)
{
    struct lb_checkpoint theirs;
    LB_TRY(open_evidence(round, i, evidence, &theirs));
    if (theirs.size <= round->head.size)
        return compare(round, &theirs);
    round->conflict_size = theirs.size;
    LB_FAIL(LB_LOG_BEHIND, "the witness has cosigned a larger log");
}
