#ifndef GATEWAY_EVIDENCE_COMPARE_H
#define GATEWAY_EVIDENCE_COMPARE_H

#include "gateway/evidence/digests.h"

/*
 * One comparison of a broker's log with an adapter's over a range of minutes: digests first, then
 * the entries of those minutes only that differ, wherever the two logs are.
 */

/* One of the two logs. */
struct lb_reconcile_side {
    const void *ctx;
    /* The digests of minutes from `from` to before `to`, all of them. */
    lb_status (*digests)(const void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                         struct lb_minute_digest **out_digests, size_t *out_num);
    /* Adds the entries of all reads with an entry in a minute. */
    lb_status (*entries)(const void *ctx, int64_t minute, struct lb_reconcile_set *into);
};

/* A log at hand: what was gathered of it, sorted, and of a broker's only what has to do with the
 * adapter. */
struct lb_reconcile_local {
    const struct lb_reconcile_set *set;
    int64_t now_ms;
};
struct lb_reconcile_side lb_reconcile_local_side(const struct lb_reconcile_local *local);

/* A log behind a member's Evidence service; replies are in the arena. What it says is believed no
 * further than the parsers of digests.h do. */
struct lb_reconcile_remote {
    void *ctx;
    lb_status (*ask_digests)(void *ctx, int64_t from, int64_t to, struct lb_arena *arena,
                             struct lb_span *out_reply);
    lb_status (*ask_entries)(void *ctx, int64_t minute, uint64_t from_index,
                             struct lb_arena *arena, struct lb_span *out_reply);
};
struct lb_reconcile_side lb_reconcile_remote_side(const struct lb_reconcile_remote *remote);

struct lb_reconcile_run {
    struct lb_reconcile_side broker;
    struct lb_reconcile_side adapter;
    int64_t from_minute, to_minute;  /* to before to_minute */
    int64_t now_ms;
    void (*found)(void *arg, const struct lb_reconcile_finding *finding);  /* all but MATCH */
    void *arg;
    /* set by the run */
    struct lb_reconcile_tally tally;
    uint64_t num_equal;              /* minutes whose digests agree */
    uint64_t num_differing;          /* minutes that were looked at entry by entry */
};

/* lb_reconcile_compare runs one; the counters begin at zero. What a side says (UNAVAILABLE, BUSY,
 * ROLE_NOT_ALLOWED, MALFORMED for a lying peer ...), TOO_LARGE, NO_MEMORY: then nothing may be
 * concluded from what was found so far but that it was found. */
LB_MUST lb_status lb_reconcile_compare(struct lb_reconcile_run *run);

#endif
