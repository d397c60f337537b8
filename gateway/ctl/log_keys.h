#ifndef GATEWAY_CTL_LOG_KEYS_H
#define GATEWAY_CTL_LOG_KEYS_H

#include "gateway/ctl/args.h"
#include "gateway/note/note.h"
#include "gateway/trust/directory.h"

/*
 * Whose keys a command believes logs by: either --vkey, one for each log, or --directory with its
 * --signer.
 */
struct lb_ctl_log_keys {
    struct lb_ctl_list vkeys;
    struct lb_ctl_list signers;
    const char *directory_path;
    struct lb_directory *directory;
};

/* The options that fill it. */
#define LB_CTL_LOG_KEYS_OPTIONS 3
void lb_ctl_log_keys_options(struct lb_ctl_log_keys *keys,
                             struct lb_ctl_option out[LB_CTL_LOG_KEYS_OPTIONS]);

/* lb_ctl_log_keys_check says what is wrong with the options, or returns LB_CTL_GO. */
int lb_ctl_log_keys_check(const struct lb_ctl_env *env, const char *command,
                          const struct lb_ctl_log_keys *keys);

/* lb_ctl_log_keys_open reads and verifies the directory, if one is named. FILE_FAILED,
 * DIRECTORY_INVALID, MALFORMED with a sentence in diag. */
LB_MUST lb_status lb_ctl_log_keys_open(struct lb_ctl_log_keys *keys, const struct lb_ctl_env *env,
                                       struct lb_arena *arena, struct lb_diag *diag);
/* lb_ctl_log_keys_find makes the verifier of the log that calls itself so. ABSENT with a sentence
 * in diag when no key is known for it. */
LB_MUST lb_status lb_ctl_log_keys_find(const struct lb_ctl_log_keys *keys, const char *origin,
                                       struct lb_diag *diag, struct lb_note_verifier *out);
/* lb_ctl_log_keys_recovery is the recovery that began a log of this name, by the directory; NULL
 * without one. */
const struct lb_recovery *lb_ctl_log_keys_recovery(const struct lb_ctl_log_keys *keys,
                                                   const char *origin);
/* lb_ctl_log_keys_own makes the verifier of a node's own log from its configuration: the key that
 * it signs with, and the name that the log in its state has. CONFIG_INVALID, FILE_FAILED with a
 * sentence in diag, as lb_keys_load_sign; NO_MEMORY. */
struct lb_doctor_config;
LB_MUST lb_status lb_ctl_log_keys_own(const struct lb_doctor_config *config, struct lb_arena *arena,
                                      struct lb_diag *diag, struct lb_note_verifier *out);
/* lb_ctl_log_keys_close releases the directory. */
void lb_ctl_log_keys_close(struct lb_ctl_log_keys *keys);

#endif
