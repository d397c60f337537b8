#ifndef POLICY_ENGINE_DRILL_H
#define POLICY_ENGINE_DRILL_H

#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"
#include "gateway/base/limits.h"
#include "gateway/base/status.h"

/*
 * A drill 演练: faults that a node makes believe for a while, for cases that are marked as drill
 * and for no others. Such a case is made under a form with the purpose `drill`, whose views are
 * answered from a database of made-up people (view.h, `source: drill`).
 *
 * Plan (YAML):
 *   drill: county-morning            # unique at the node; small letters, digits, hyphens
 *   steps:                           # each fault at most once
 *     - {fault: source-away, after_s: 0, for_s: 120}
 *     - {fault: grant-revoked, after_s: 60, for_s: 60}
 *
 * What `lianban drill start` writes into a node's state is the same with `by` and `start` (seconds
 * since 1970). A drill is over after its last step, whatever became of the node meanwhile.
 */
enum lb_drill_fault {
    LB_DRILL_SOURCE_AWAY,
    LB_DRILL_SOURCE_SLOW,
    LB_DRILL_GRANT_REVOKED,
    LB_DRILL_CERTIFICATE_EXPIRED,
    LB_DRILL_DISK_FULL,
    LB_DRILL_WITNESS_AWAY,
    LB_DRILL_BROKER_AWAY,
    LB_DRILL_NUM_FAULTS
};

struct lb_drill_kind {
    const char *name;          /* in plans */
    const char *entry;         /* the code of its entries in the log */
    enum lb_code expected;     /* what the asker gets */
    bool at_broker;            /* or at an adapter */
    const char *zh, *en;       /* what is made believe */
    const char *call_zh, *call_en;  /* who would have to be called */
};

/* lb_drill_kind tells about a fault. */
const struct lb_drill_kind *lb_drill_kind(enum lb_drill_fault fault);

#define LB_DRILL_MAX_S (INT64_C(24) * 3600)  /* from its start to its end */

struct lb_drill_step {
    enum lb_drill_fault fault;
    int64_t after_s, for_s;
};

struct lb_drill {
    char name[LB_MAX_NAME_BYTES + 1];
    char by[LB_MAX_NAME_BYTES + 1];  /* "" in a plan */
    int64_t start_unix_s;            /* 0 in a plan */
    size_t num_steps;
    struct lb_drill_step steps[LB_DRILL_NUM_FAULTS];
    uint8_t sha256[32];              /* of the file */
};

/* lb_drill_load reads a plan, or what a node runs. CONFIG_INVALID with file, line and advice,
 * FILE_FAILED. */
LB_MUST lb_status lb_drill_load(const char *path, bool running, struct lb_diag *diag,
                                struct lb_drill *out);
/* lb_drill_text writes what a node runs. NO_MEMORY. */
LB_MUST lb_status lb_drill_text(const struct lb_drill *drill, struct lb_arena *arena,
                                const char **out);

/* lb_drill_end_s is when it is over, in seconds since 1970. */
int64_t lb_drill_end_s(const struct lb_drill *drill);
/* lb_drill_active finds the step of a fault that is on at a time; NULL without. */
const struct lb_drill_step *lb_drill_active(const struct lb_drill *drill, enum lb_drill_fault fault,
                                            int64_t unix_s);

#endif
