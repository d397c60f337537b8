#include "gateway/evidence/session.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/wire/pb.h"

lb_status lb_session_init(struct lb_session *session, struct lb_log *log, const char *origin,
                          const uint8_t public_key[32], struct lb_seen *seen)
{
    struct lb_seen_log *peer = NULL;
    LB_TRY(lb_seen_open(seen, origin, public_key, &peer));
    *session = (struct lb_session){.log = log, .seen = peer};
    return LB_OK;
}

void lb_session_cleanup(struct lb_session *session)
{
    lb_log_failure("seen_not_saved", lb_seen_save(session->seen));
}

lb_status lb_session_hello(const struct lb_session *session, struct lb_arena *arena,
                           struct lb_span *out_frame)
{
    static char *capabilities[] = {(char *)(uintptr_t)LB_LINK_REVOCATION,
                                   (char *)(uintptr_t)LB_LINK_PARCELS};
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    hello.version_min = LB_LINK_VERSION_MIN;
    hello.version_max = LB_LINK_VERSION_MAX;
    hello.seen_size = lb_seen_size(session->seen);
    hello.capabilities = capabilities;
    hello.n_capabilities = sizeof(capabilities) / sizeof(capabilities[0]);
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    return lb_pb_pack(&frame, arena, out_frame);
}

lb_status lb_session_greet(struct lb_session *session, const Lianban__V1__Hello *hello)
{
    LB_ENSURE(!session->greeted, LB_MALFORMED, "a second greeting");
    LB_ENSURE(hello->version_min <= LB_LINK_VERSION_MAX &&
                  hello->version_max >= LB_LINK_VERSION_MIN,
              LB_VERSION_UNSUPPORTED, "no common protocol version");
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_log_head head;
    LB_TRY(lb_log_head(session->log, arena, &head));
    LB_ENSURE(hello->seen_size <= head.size, LB_LOG_BEHIND,
              "the peer has seen more of our log than there is");
    for (size_t i = 0; i < hello->n_capabilities; i++) {
        session->takes_revocations |= strcmp(hello->capabilities[i], LB_LINK_REVOCATION) == 0;
        session->takes_parcels |= strcmp(hello->capabilities[i], LB_LINK_PARCELS) == 0;
    }
    session->shown_size = hello->seen_size;
    session->greeted = true;
    return LB_OK;
}

lb_status lb_session_show(struct lb_session *session, struct lb_arena *arena,
                          Lianban__V1__LogProgress **out_progress, uint64_t *out_size)
{
    return lb_link_show(session->log, &session->shown_size, arena, out_progress, out_size);
}

lb_status lb_session_watch(struct lb_session *session, const Lianban__V1__LogProgress *progress,
                           struct lb_checkpoint *out_checkpoint)
{
    LB_ENSURE(session->greeted, LB_MALFORMED, "no greeting");
    LB_ENSURE(progress != NULL, LB_MALFORMED, "a batch without the peer's log");
    return lb_seen_advance(session->seen, progress, out_checkpoint);
}
