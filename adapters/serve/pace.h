#ifndef ADAPTERS_SERVE_PACE_H
#define ADAPTERS_SERVE_PACE_H

#include <stdint.h>

/*
 * How long a database takes depends on what it finds, and an answer must not tell that by its time.
 * So the part of a read that looks at the person and the data ends only 0.25, 0.5, 1, 2, 4, 8 or 16
 * ms after its beginning, or a multiple of 16 ms, whichever comes next: one view's rows are found
 * and not found within the same step, but for the few reads that something else delays.
 */

/* lb_pace_begin notes the time; lb_pace_end sleeps until the next of those steps since then. */
int64_t lb_pace_begin(void);
void lb_pace_end(int64_t begun);

#endif
