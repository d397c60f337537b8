#ifndef GATEWAY_AUDIT_BUILD_H
#define GATEWAY_AUDIT_BUILD_H

#include "gateway/audit/index.h"
#include "gateway/base/clock.h"
#include "gateway/evidence/follow.h"
#include "gateway/note/note.h"

/*
 * Building the index: it follows a log's folder with the officer's private key. Each step proves
 * first that the log extends what the index holds, then clears what was erased since, then adds
 * what is new in transactions of its own, so that a kill at any instant leaves an index that goes
 * on.
 */
struct lb_audit_build;

struct lb_audit_build_options {
    const char *log;                           /* the log's folder, read only */
    const char *folder;                        /* the index's, made if need be with mode 0700 */
    const struct lb_note_verifier *verifier;   /* of the log's key; outlives the build */
    struct lb_follow_keys officer;             /* outlive the build */
    const struct lb_clock *clock;
    bool rebuild;                              /* drop what is there */
    bool copy;                                 /* the folder is a copy that no node serves */
};

/* lb_audit_build_open opens or makes the index. LOG_FORK when it is of another log, STATE_LOCKED
 * when another process builds it, CONFIG_INVALID when it is of a copy and `copy` says otherwise, or
 * the other way round; FILE_FAILED, STORE_FAILED, VERSION_UNSUPPORTED; with a sentence in diag. */
LB_MUST lb_status lb_audit_build_open(const struct lb_audit_build_options *options,
                                      struct lb_diag *diag, struct lb_audit_build **out_build);
/* lb_audit_build_close releases; NULL is allowed. */
void lb_audit_build_close(struct lb_audit_build *build);

struct lb_audit_progress {
    uint64_t size;         /* entries in the index now */
    uint64_t num_added;    /* by this step */
    uint64_t num_broken;   /* of them, details that do not open */
    uint64_t num_forgotten; /* data keys whose rows were cleared */
};

/* lb_audit_build_step follows the log to its newest checkpoint. LOG_FORK, LOG_BEHIND,
 * SIGNATURE_INVALID, with a sentence in diag: then nothing was added. STORE_FAILED, NO_MEMORY. */
LB_MUST lb_status lb_audit_build_step(struct lb_audit_build *build, struct lb_diag *diag,
                                      struct lb_audit_progress *out_progress);

#endif
