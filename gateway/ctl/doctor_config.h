#ifndef GATEWAY_CTL_DOCTOR_CONFIG_H
#define GATEWAY_CTL_DOCTOR_CONFIG_H

#include "gateway/base/diag.h"
#include "gateway/evidence/disk.h"
#include "gateway/trust/directory.h"

/*
 * A node's configuration as far as `lianban doctor` needs it. Read with patience: what a program
 * would refuse to start with, a node in trouble may have. Paths are resolved, texts are in the
 * arena, what is missing is NULL.
 */
#define LB_DOCTOR_MAX_PEERS 256
#define LB_DOCTOR_MAX_SIGNERS 8
#define LB_DOCTOR_MAX_NAMED 16

struct lb_doctor_config {
    const char *path;               /* of the file itself */
    const char *node;               /* SPIFFE id */
    const char *federation;
    const char *organization;
    enum lb_node_kind kind;
    const char *cert, *key, *ca, *crl;
    const char *directory;
    const char *signers[LB_DOCTOR_MAX_SIGNERS];
    size_t num_signers;
    const char *state;
    const char *listen;             /* unix:<path> resolved */
    const char *log_key;
    struct lb_disk_marks marks;     /* the usual ones when it says none */
    const char *policy;             /* adapter */
    const char *plugin;             /* of its source */
    bool drills;                    /* it takes part in them */
    const char *witness_policy;     /* of witnessed_by */
    int64_t unwitnessed_alert_s, unwitnessed_stop_s;
    const char *named[LB_DOCTOR_MAX_NAMED];  /* members it dials by name */
    size_t num_named;
};

/* lb_doctor_config_load reads the file. CONFIG_INVALID, FILE_FAILED with a sentence in diag when
 * not even node, identity, crl, directory and state can be made out; NO_MEMORY. */
LB_MUST lb_status lb_doctor_config_load(const char *path, struct lb_arena *arena,
                                        struct lb_diag *diag, struct lb_doctor_config *out);

#endif
