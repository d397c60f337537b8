#ifndef GATEWAY_CTL_INDEXING_H
#define GATEWAY_CTL_INDEXING_H

#include "gateway/audit/build.h"
#include "gateway/ctl/args.h"
#include "gateway/ctl/log_keys.h"
#include "gateway/trust/keys.h"

/*
 * Following a log with the officer's private key: what `log index` does once or for good, and
 * `access serve` before every answer.
 */
#define LB_CTL_MAX_OFFICER_KEYS 16

struct lb_ctl_indexing {
    struct lb_ctl_env *env;
    struct lb_diag diag;
    struct lb_arena *arena;
    struct lb_ctl_log_keys keys;
    const char *log;
    struct lb_ctl_list key_paths;
    const char *folder;
    bool rebuild;
    bool copy;
    struct lb_x25519_key officers[LB_CTL_MAX_OFFICER_KEYS];
    struct lb_note_verifier verifier;
    struct lb_audit_build *build;
};

/* The options that fill it: --log --officer-key --index and those of the log's keys. */
#define LB_CTL_INDEXING_OPTIONS (3 + LB_CTL_LOG_KEYS_OPTIONS)
void lb_ctl_indexing_options(struct lb_ctl_indexing *indexing,
                             struct lb_ctl_option out[LB_CTL_INDEXING_OPTIONS]);
/* lb_ctl_indexing_check says what is wrong with the options, or returns LB_CTL_GO. */
int lb_ctl_indexing_check(const struct lb_ctl_indexing *indexing, const char *command);

/* lb_ctl_indexing_open reads the keys and opens the index. Statuses of what it opens, with a
 * sentence in indexing->diag. lb_ctl_indexing_close releases and wipes, whatever was opened. */
LB_MUST lb_status lb_ctl_indexing_open(struct lb_ctl_indexing *indexing);
void lb_ctl_indexing_close(struct lb_ctl_indexing *indexing);

#endif
