#ifndef GATEWAY_EVIDENCE_CHECKPOINT_MEMO_H
#define GATEWAY_EVIDENCE_CHECKPOINT_MEMO_H

#include "gateway/evidence/checkpoint.h"

/*
 * Checkpoints that were verified here already: under load many answers bring the very bytes of one
 * checkpoint, and its signature takes longest of all that is checked about them.
 *
 * What is remembered is SHA-256 over the log's key, its name and every byte of the note, with the
 * size and root that the note states. That this key has signed these bytes is true for ever, so
 * nothing here expires with time. Whether the key is the log's, and what this size and root mean
 * beside what was seen before, is no part of it and is decided by the caller each time: a key that
 * was replaced or a member that was removed is never asked about again. What failed is not
 * remembered. The memo has room for LB_CHECKPOINT_MEMO_ENTRIES, about 40 KiB, whatever comes; the
 * oldest goes first, and what went is verified again.
 */
struct lb_checkpoint_memo;

#define LB_CHECKPOINT_MEMO_ENTRIES 512

/* lb_checkpoint_memo_new makes an empty one. NO_MEMORY. */
LB_MUST lb_status lb_checkpoint_memo_new(struct lb_checkpoint_memo **out_memo);
/* lb_checkpoint_memo_free: nobody may use it any more. NULL is allowed. */
void lb_checkpoint_memo_free(struct lb_checkpoint_memo *memo);

/* lb_checkpoint_memo_open is lb_checkpoint_open with its statuses, for a note that may have come
 * before. With a NULL memo it is nothing else. Any thread. */
LB_MUST lb_status lb_checkpoint_memo_open(struct lb_checkpoint_memo *memo, struct lb_span note,
                                          const struct lb_note_verifier *verifier,
                                          struct lb_checkpoint *out_checkpoint);
/* lb_checkpoint_memo_opened is how many notes were not known and had to be opened in full, with
 * success or without. Any thread. */
uint64_t lb_checkpoint_memo_opened(struct lb_checkpoint_memo *memo);

#endif
