#ifndef GATEWAY_TRUST_MEMORY_H
#define GATEWAY_TRUST_MEMORY_H

#include "gateway/base/diag.h"
#include "gateway/trust/pins.h"
#include "gateway/trust/state.h"

/* Inside gateway/trust: the files of state.h, read. Texts are in the arena. */
#define LB_MEMORY_HEAD "lianban-trust-state/v1"
#define LB_MEMORY_END "end"  /* without it, a file cut at a line would lose pins in silence */
#define LB_MEMORY_FILE "trust-state"
#define LB_ACCEPT_FILE "accept"
#define LB_MEMORY_MAX_BYTES (2 * LB_MAX_DIRECTORY_BYTES)

struct lb_memory {
    uint64_t version;  /* 0: nothing accepted yet */
    uint8_t sha256[32];
    size_t num_signers;
    const char *signers[LB_MAX_SIGNERS];
    struct lb_pins pins;
};

/* lb_memory_load reads `<folder>/trust-state`, which may be missing. CONFIG_INVALID when it is
 * damaged, FILE_FAILED, NO_MEMORY, with a sentence in diag. */
LB_MUST lb_status lb_memory_load(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                                 struct lb_memory *out);
/* lb_memory_accepted reads `<folder>/accept`, which may be missing; the pins are not sorted.
 * Statuses as above. */
LB_MUST lb_status lb_memory_accepted(const char *folder, struct lb_arena *arena,
                                     struct lb_diag *diag, struct lb_pins *out);

#endif
