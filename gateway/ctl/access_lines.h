#ifndef GATEWAY_CTL_ACCESS_LINES_H
#define GATEWAY_CTL_ACCESS_LINES_H

#include "gateway/ctl/concealed.h"

/*
 * What the officer's station answers about one person: JSON lines (docs/PROTOCOL.md, section 6).
 * The first says of which log, how far it was read, and whether there is more; then the newest
 * entries. The citizen gets no operator's name, no case and nothing that is concealed, and always
 * the sentence that the law may leave something out. An authority with oversight gets all of it.
 */
struct lb_ctl_access_ask {
    struct lb_audit_index *index;
    const struct lb_audit_state *state;
    const uint8_t *subjects;  /* 32 bytes each */
    size_t num_subjects;
    bool citizen;
    int64_t now_ms;
    size_t max_lines;         /* at least 1 */
    size_t max_bytes;         /* a byte more for each line; room for the first at least */
};

#define LB_CTL_ACCESS_HEAD_BYTES 1024

struct lb_ctl_access_lines {
    size_t num;
    const char **lines;
};

/* lb_ctl_access_lines_make fills them in the arena. STORE_FAILED, NO_MEMORY, TOO_LARGE as
 * lb_ctl_concealments_load. */
LB_MUST lb_status lb_ctl_access_lines_make(const struct lb_ctl_access_ask *ask,
                                           struct lb_arena *arena,
                                           struct lb_ctl_access_lines *out);

#endif
