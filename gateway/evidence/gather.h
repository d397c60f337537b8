#ifndef GATEWAY_EVIDENCE_GATHER_H
#define GATEWAY_EVIDENCE_GATHER_H

#include "gateway/evidence/digests.h"
#include "gateway/evidence/inspect.h"

/* What one log says of reads: gathered from its folder, and answered to whoever has a part in
 * it. */

/* lb_reconcile_gather adds what a log says from a time on to before another, and sorts. Entries
 * are found by their time, so a log that runs is read in part only. What can't be read is left
 * out: that is for lb_log_reader_verify to tell. TOO_LARGE past LB_RECONCILE_MAX_ENTRIES,
 * STORE_FAILED. */
LB_MUST lb_status lb_reconcile_gather(struct lb_log_reader *reader, int64_t from_ms, int64_t to_ms,
                                      struct lb_reconcile_set *out);
/* lb_reconcile_gather_all does so for the whole log, entry by entry, whatever the times in it
 * say: for a log that may have been tampered with. Of its reads only those from from_ms on to
 * before to_ms are taken. */
LB_MUST lb_status lb_reconcile_gather_all(struct lb_log_reader *reader, int64_t from_ms,
                                          int64_t to_ms, struct lb_reconcile_set *out);

/* What a caller has a part in: everything (of an adapter's log, its own broker), or the reads that
 * were routed to certain adapters. */
struct lb_reconcile_scope {
    bool all;
    const struct lb_hash *counterparts;
    size_t num_counterparts;
};

/* lb_reconcile_answer_digests answers GetDigests: as many of the minutes as one answer holds, at
 * least one. MALFORMED for minutes before 1970 or past the year 9999, none, or more than
 * LB_RECONCILE_MAX_MINUTES; TOO_LARGE, STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_reconcile_answer_digests(struct lb_log_reader *reader,
                                              const struct lb_reconcile_scope *scope, int64_t from,
                                              int64_t to, int64_t now_ms, struct lb_arena *arena,
                                              struct lb_span *out_reply);
/* lb_reconcile_answer_entries answers GetDigestEntries: one page. Statuses as above; MALFORMED
 * for a minute out of range. */
LB_MUST lb_status lb_reconcile_answer_entries(struct lb_log_reader *reader,
                                              const struct lb_reconcile_scope *scope,
                                              int64_t minute, uint64_t from_index,
                                              struct lb_arena *arena, struct lb_span *out_reply);

#endif
