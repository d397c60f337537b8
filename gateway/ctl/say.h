#ifndef GATEWAY_CTL_SAY_H
#define GATEWAY_CTL_SAY_H

#include "gateway/ctl/env.h"
#include "gateway/json/json.h"

/* lb_ctl_note writes one line of progress to standard error. Arguments are our own texts and
 * numbers, or went through lb_ctl_mask_name; never an identity number. */
void lb_ctl_note(const struct lb_ctl_env *env, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* lb_ctl_fail tells a failure: one sentence on standard error, what happened (diag's when it has
 * one) and the code with its fixed text in English and Chinese; with --json also {"error": ...}
 * on standard output. Returns LB_CTL_FAILED. */
int lb_ctl_fail(const struct lb_ctl_env *env, const char *command, lb_status status,
                const struct lb_diag *diag);

/* lb_ctl_print_json writes a value as one document. NO_MEMORY or MALFORMED as lb_json_dump. */
LB_MUST lb_status lb_ctl_print_json(const struct lb_ctl_env *env, const struct lb_json *json);

/* lb_ctl_read reads a file, or standard input for "-", of at most max_bytes into the arena.
 * FILE_FAILED, TOO_LARGE, NO_MEMORY, with a sentence in diag. */
LB_MUST lb_status lb_ctl_read(const struct lb_ctl_env *env, const char *path, size_t max_bytes,
                              struct lb_arena *arena, struct lb_diag *diag, struct lb_span *out);

#endif
