#ifndef ADAPTERS_SERVE_INTAKE_PROGRAM_H
#define ADAPTERS_SERVE_INTAKE_PROGRAM_H

#include "adapters/serve/intake_state.h"

/*
 * Inside adapters/serve: the program that the policy names takes parts in, one after the other. It
 * is given a part as JSON (docs/INTAKE.md) on its standard input, and its key, which stays the same
 * however often it is called over the part, in LIANBAN_PARCEL. It says by its exit code:
 *
 *   0   taken on. Of a submission it writes {"reference": "<the department's number>"}
 *   3   not taken on: {"law": "<clause>", "text": {"zh": "...", "en": "..."}}
 *   else, or without that answer: it is called again, later each time; past the policy's tries the
 *   part waits for a person, who sees why
 *
 * What is behind a submission comes after it was taken on. A withdrawal that is taken on is said to
 * have taken effect.
 */
struct lb_intake_runner;

/* lb_intake_runner_new starts its thread; NO_MEMORY. lb_intake_runner_free kills a program that
 * runs, and joins; NULL is allowed. */
LB_MUST lb_status lb_intake_runner_new(struct lb_intake *intake,
                                       struct lb_intake_runner **out_runner);
void lb_intake_runner_free(struct lb_intake_runner *runner);

#endif
