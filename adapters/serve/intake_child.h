#ifndef ADAPTERS_SERVE_INTAKE_CHILD_H
#define ADAPTERS_SERVE_INTAKE_CHILD_H

#include <stdatomic.h>

#include "gateway/base/arena.h"

/*
 * A program that is run once over some input: no shell, no file of ours but its three streams, an
 * environment of three variables, and an end. What it writes to its standard error is dropped: it
 * may be about a person.
 */
#define LB_INTAKE_MAX_ANSWER_BYTES (64U * 1024)

struct lb_intake_child {
    const char *path;                /* absolute */
    const char *const *arguments;
    size_t num_arguments;
    const char *key;                 /* LIANBAN_PARCEL in its environment */
    struct lb_span input;
    int64_t timeout_ms;
    const atomic_bool *stop;         /* ends it at once */
};

/* lb_intake_child_run runs it to its end; out_answer is what it wrote, in the arena. DEADLINE when
 * it was killed for its time, STOPPING for `stop`, TOO_LARGE when it wrote too much; UNAVAILABLE
 * when it could not be begun or was killed by a signal; NO_MEMORY. Whatever it leaves running in
 * its process group is killed. Calls of one process may run in several threads. */
LB_MUST lb_status lb_intake_child_run(const struct lb_intake_child *child, struct lb_arena *arena,
                                      struct lb_span *out_answer, int *out_exit);

#endif
