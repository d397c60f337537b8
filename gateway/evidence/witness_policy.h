#ifndef GATEWAY_EVIDENCE_WITNESS_POLICY_H
#define GATEWAY_EVIDENCE_WITNESS_POLICY_H

#include "gateway/base/diag.h"
#include "gateway/base/limits.h"
#include "gateway/note/cosign.h"

/*
 * A witness policy (C2SP tlog-policy): which logs are meant, which witnesses are known, and which
 * of them together make a checkpoint a witnessed one. A text of lines; items are separated by
 * blanks and tabs, lines that start with '#' are comments:
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]           the vkey's algorithm is 4 (cosignature/v1)
 *   group <name> all|any|<k> <member>...    members are witnesses or groups of earlier lines
 *   quorum <name>|none                      exactly one
 *
 * A name is UTF-8, given once and a member of at most one group; two vkeys of one public key are
 * refused. Here a witness's url is its SPIFFE id: the endpoint is the directory's.
 */
#define LB_POLICY_MAX_BYTES (64 * 1024)
#define LB_POLICY_MAX_LOGS 32
#define LB_POLICY_MAX_WITNESSES 32
#define LB_POLICY_MAX_GROUPS 32

struct lb_policy_log {
    struct lb_note_verifier verifier;  /* its name is the log's origin */
};

struct lb_policy_witness {
    char name[LB_MAX_NAME_BYTES + 1];
    struct lb_cosigner cosigner;
    char url[LB_MAX_SPIFFE_BYTES + 1];  /* "" when none is given */
};

struct lb_policy_group {
    char name[LB_MAX_NAME_BYTES + 1];
    unsigned threshold;
    uint64_t members;  /* bit i: witness i; bit 32 + i: group i */
};

/* What a quorum line names. */
enum { LB_QUORUM_NONE = 64 };

struct lb_witness_policy {
    size_t num_logs;
    struct lb_policy_log logs[LB_POLICY_MAX_LOGS];
    size_t num_witnesses;
    struct lb_policy_witness witnesses[LB_POLICY_MAX_WITNESSES];
    size_t num_groups;
    struct lb_policy_group groups[LB_POLICY_MAX_GROUPS];
    unsigned quorum;  /* a bit's number as in members, or LB_QUORUM_NONE */
};

/* lb_witness_policy_parse reads a text strictly. CONFIG_INVALID with a sentence in diag that starts
 * with `where` and the line's number; NO_MEMORY. */
LB_MUST lb_status lb_witness_policy_parse(struct lb_span text, const char *where,
                                          struct lb_diag *diag,
                                          struct lb_witness_policy **out_policy);
/* lb_witness_policy_load reads a file; FILE_FAILED besides. */
LB_MUST lb_status lb_witness_policy_load(const char *path, struct lb_diag *diag,
                                         struct lb_witness_policy **out_policy);
/* lb_witness_policy_free releases; NULL is allowed. */
void lb_witness_policy_free(struct lb_witness_policy *policy);

/* lb_witness_policy_log finds a log by its origin; NULL when the policy does not name it. */
const struct lb_policy_log *lb_witness_policy_log(const struct lb_witness_policy *policy,
                                                  const char *origin);
/* lb_witness_policy_met says whether witnesses (bit i: witness i has cosigned) meet the quorum. */
bool lb_witness_policy_met(const struct lb_witness_policy *policy, uint32_t cosigned);

/* lb_witness_policy_cosigned verifies the policy's witnesses on a note whose log signature the
 * caller has verified, and sets the bit of each that has cosigned. A witness whose line is wrong
 * has not; only a note without syntax is refused, MALFORMED. */
LB_MUST lb_status lb_witness_policy_cosigned(const struct lb_witness_policy *policy,
                                             struct lb_span note, uint32_t *out_cosigned);

#endif
