#ifndef GATEWAY_EVIDENCE_SESSION_H
#define GATEWAY_EVIDENCE_SESSION_H

#include "gateway/evidence/seen.h"
#include "lianban/v1/link.pb-c.h"

/*
 * What both ends of a link share: greeting, protocol version, showing the own log and watching the
 * other's. What was seen of the peer's log is shared with the node's other links (seen.h).
 */
#define LB_LINK_VERSION_MIN 1
#define LB_LINK_VERSION_MAX 1

/* The ability to take Revocation frames; both ends of this version name it. */
#define LB_LINK_REVOCATION "revocation"
/* The ability to take ParcelBatch frames; likewise. */
#define LB_LINK_PARCELS "parcels"

struct lb_session {
    struct lb_log *log;
    struct lb_seen_log *seen;  /* of the peer's log */
    uint64_t shown_size;
    bool greeted;           /* the peer's Hello has come */
    bool takes_revocations; /* and it names LB_LINK_REVOCATION */
    bool takes_parcels;     /* likewise LB_LINK_PARCELS */
};

/* lb_session_init prepares for a peer whose log has this origin and key; `seen` outlives the
 * session. Statuses of lb_seen_open. */
LB_MUST lb_status lb_session_init(struct lb_session *session, struct lb_log *log,
                                  const char *origin, const uint8_t public_key[32],
                                  struct lb_seen *seen);
/* lb_session_cleanup saves what was seen. */
void lb_session_cleanup(struct lb_session *session);

/* lb_session_hello makes the greeting. */
LB_MUST lb_status lb_session_hello(const struct lb_session *session, struct lb_arena *arena,
                                   struct lb_span *out_frame);
/* lb_session_greet takes the peer's greeting. VERSION_UNSUPPORTED without a common version;
 * LOG_BEHIND when the peer has seen more of our log than there is; MALFORMED for a second
 * greeting. */
LB_MUST lb_status lb_session_greet(struct lb_session *session, const Lianban__V1__Hello *hello);

/* lb_session_show fills the LogProgress of the next batch. */
LB_MUST lb_status lb_session_show(struct lb_session *session, struct lb_arena *arena,
                                  Lianban__V1__LogProgress **out_progress, uint64_t *out_size);
/* lb_session_watch verifies the peer's LogProgress: MALFORMED before the greeting or without a
 * log; statuses of lb_watch_advance. */
LB_MUST lb_status lb_session_watch(struct lb_session *session,
                                   const Lianban__V1__LogProgress *progress,
                                   struct lb_checkpoint *out_checkpoint);

#endif
