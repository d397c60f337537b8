#ifndef GATEWAY_EVIDENCE_SEEN_H
#define GATEWAY_EVIDENCE_SEEN_H

#include "gateway/evidence/link.h"

/*
 * What a node has seen of other nodes' logs, shared by all its links: a peer that opens a second
 * link can't show there another history than on the first. The largest size of each log is kept in
 * a file, written once a second while it grows and when a link ends, so that a log that was cut
 * short while we were away is still refused; and with it the checkpoint that said so, as its log
 * signed it, so that the size can be proved to others when the log is lost.
 */
struct lb_seen;
/* One peer's log in it; lives as long as the whole. */
struct lb_seen_log;

/* lb_seen_new makes it over a folder that exists. NO_MEMORY. */
LB_MUST lb_status lb_seen_new(const char *folder, struct lb_seen **out_seen);
/* lb_seen_free saves and frees; no link may use it any more. NULL is allowed. */
void lb_seen_free(struct lb_seen *seen);
/* lb_seen_memo is its memo of checkpoints, borrowed, for who verifies them besides. */
struct lb_checkpoint_memo *lb_seen_memo(struct lb_seen *seen);

/* lb_seen_open finds the log of this origin, or loads what its file says; a key other than before
 * replaces the old one and keeps the size. FILE_FAILED, MALFORMED (a damaged file: remove it only
 * if the peer's log is known to be whole), NO_MEMORY. Any thread. */
LB_MUST lb_status lb_seen_open(struct lb_seen *seen, const char *origin,
                               const uint8_t public_key[32], struct lb_seen_log **out_log);
/* lb_seen_origin borrows the log's name. */
const char *lb_seen_origin(const struct lb_seen_log *log);
/* lb_seen_size is the largest size verified so far. */
uint64_t lb_seen_size(struct lb_seen_log *log);
/* lb_seen_advance verifies a LogProgress against what any link has seen, and moves on: statuses of
 * lb_watch_advance. Any thread. */
LB_MUST lb_status lb_seen_advance(struct lb_seen_log *log,
                                  const Lianban__V1__LogProgress *progress,
                                  struct lb_checkpoint *out_checkpoint);
/* lb_seen_save writes the file if the log has grown since. FILE_FAILED. */
LB_MUST lb_status lb_seen_save(struct lb_seen_log *log);

/* lb_seen_check_lost holds the size and root that a log is said to have ended with, when it was
 * lost and another takes its place, against what was seen of it: LOG_BEHIND when that was more,
 * LOG_FORK when it was another root of this size. FILE_FAILED, MALFORMED. Any thread. */
LB_MUST lb_status lb_seen_check_lost(struct lb_seen *seen, const char *origin, uint64_t size,
                                     const uint8_t root[LB_HASH_BYTES]);

/* What a file says of a log. Nothing in it is verified here. */
struct lb_seen_head {
    uint64_t size;
    struct lb_hash root;
    struct lb_span note;  /* the signed checkpoint of this size; empty in a file of a version that
                             kept none */
};
/* lb_seen_read reads the file of a log beside a running node, into the arena. ABSENT when nothing
 * was seen of it; FILE_FAILED, MALFORMED. */
LB_MUST lb_status lb_seen_read(const char *folder, const char *origin, struct lb_arena *arena,
                               struct lb_seen_head *out_head);

#endif
