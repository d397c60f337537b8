#ifndef ADAPTERS_SERVE_EVENT_H
#define ADAPTERS_SERVE_EVENT_H

#include "adapters/serve/epochs.h"
#include "adapters/serve/sql.h"

/*
 * The intervals of standing grants (DESIGN §3, docs/CONSENT.md): once a question was answered,
 * nobody else's is for so many days, neither under the same grant nor, for the same requester and
 * trigger, about the same person under another one; a requester that signs its own mandates could
 * have as many of those as it likes. Kept in the transaction of the entry.
 *
 * An interval belongs to the rid that began it, so that a re-answer is told the same as the first.
 * It begins at the answer, and a clock that is put back does not end it any sooner.
 *
 * Rows are named by hashes: of a grant, or of a pseudonym that only the department can compute.
 */
struct lb_serve_events {
    struct lb_serve_sql sql;
    int64_t next_purge_unix_s;
};

/* lb_serve_events_init begins with nothing prepared. */
void lb_serve_events_init(struct lb_serve_events *events);

struct lb_event_use {
    const char *requester;               /* organization */
    const char *trigger;                 /* form id */
    const uint8_t *grant_id;             /* 32 bytes, of (issuer, jti) */
    const uint8_t *rid_id;               /* 32 bytes, of (grant, rid) */
    const struct lb_epoch_names *names;  /* of the person */
    int64_t days;
};

/* lb_serve_events_take begins the intervals of one use, or finds them begun by this very rid. Runs
 * on the sequencer inside an open transaction, which the first failure must undo.
 * EVENT_TOO_SOON: the grant's interval is not over. EVENT_ASKED, with everything written as for
 * anybody else: the person's is not. STORE_FAILED. */
LB_MUST lb_status lb_serve_events_take(struct lb_serve_events *events, struct lb_store *store,
                                       int64_t now_unix_s, const struct lb_event_use *use);

#endif
