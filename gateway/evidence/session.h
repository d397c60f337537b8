#ifndef GATEWAY_EVIDENCE_SESSION_H
#define GATEWAY_EVIDENCE_SESSION_H

#include "gateway/evidence/link.h"
#include "lianban/v1/link.pb-c.h"

/*
 * What both ends of a link share: greeting, protocol version, showing the own log and watching the
 * other's. The largest size seen of a peer's log is kept in a file, so that a log that was cut
 * short while we were away is still refused.
 */
#define LB_LINK_VERSION_MIN 1
#define LB_LINK_VERSION_MAX 1

struct lb_session {
    struct lb_log *log;
    struct lb_watch watch;
    char seen_path[4096];
    uint64_t saved_size;
    uint64_t shown_size;
    bool greeted;           /* the peer's Hello has come */
};

/* lb_session_init prepares for a peer whose log has this origin and key; what was seen of it is
 * read from `seen_folder`. FILE_FAILED, MALFORMED (a damaged file: remove it only if the peer's log
 * is known to be whole). */
LB_MUST lb_status lb_session_init(struct lb_session *session, struct lb_log *log,
                                  const char *origin, const uint8_t public_key[32],
                                  const char *seen_folder);
/* lb_session_cleanup saves what was seen and releases. */
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
/* lb_session_watch verifies the peer's LogProgress: statuses of lb_watch_advance. */
LB_MUST lb_status lb_session_watch(struct lb_session *session,
                                   const Lianban__V1__LogProgress *progress,
                                   struct lb_checkpoint *out_checkpoint);
/* lb_session_save writes what was seen, if it grew; called now and then and at the end. */
LB_MUST lb_status lb_session_save(struct lb_session *session);

#endif
