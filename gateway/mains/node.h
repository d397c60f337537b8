#ifndef GATEWAY_MAINS_NODE_H
#define GATEWAY_MAINS_NODE_H

#include "gateway/base/diag.h"
#include "gateway/config/yaml.h"
#include "gateway/evidence/log.h"
#include "gateway/rpc/client.h"
#include "gateway/rpc/server.h"
#include "gateway/services/access.h"
#include "gateway/services/metrics.h"
#include "gateway/services/node_service.h"
#include "gateway/services/reflection_service.h"
#include "gateway/services/review_service.h"
#include "gateway/services/tiles_service.h"
#include "gateway/trust/trust.h"

/*
 * What every serving program is made of: configuration, belief, evidence log, workers, a server,
 * and a main loop that reloads once a second and stops cleanly on SIGTERM or SIGINT. A role adds
 * its own configuration keys and methods.
 *
 * Configuration (YAML; paths are relative to the file):
 *   node: spiffe://<federation>/<kind>/<organization>[/<name>]
 *   listen: 127.0.0.1:7443      # unix:<path> for the window agent, or an adapter that attaches
 *   identity: {cert: cert.pem, key: key.pem, ca: ca.pem}
 *   crl: crl.pem
 *   directory: {file: directory.note, signers: ["<vkey>"]}
 *   state: state                # evidence log and memory; owned by one process
 *   log_key: log.pem            # Ed25519; the node's identity key in the directory
 *   next_log_key: log-2.pem     # may be missing; once it is there, checkpoints are signed by both
 *   officer_key: <base64url>    # X25519 public key of the security officer, for details; or
 *   officer_key_file: officer.pub  # the same in a file, which may be replaced while the node runs
 *   disk: {alert_mb: 1024, stop_mb: 128, reserve_mb: 8}  # these are the usual marks; space.h
 *   reconcile: {every_minutes: 5}  # compare logs with the other side; 0: never by itself
 *   witness, witnessed_by       # node_witness.h
 *   metrics: 127.0.0.1:9464     # node_metrics.h
 */
struct lb_node_program;
struct lb_node_witness;

struct lb_node_role {
    const char *program;               /* "lianban-adapter" */
    const char *summary;               /* one line for --help */
    const char *keys_help;             /* the role's own configuration keys, for --help */
    const char *const *keys;           /* their names, NULL-terminated */
    enum lb_node_kind kind;            /* the node's SPIFFE id must be of it */
    /* What the program is instead when the SPIFFE id is of that role's kind. May be NULL. */
    const struct lb_node_role *other;
    bool keeps_log;
    bool must_listen;
    const char *const *migrations;     /* the role's tables in the evidence store, or NULL */
    /* Reads and checks the role's configuration and files; also all that --check does, so it writes
     * nothing. */
    lb_status (*prepare)(struct lb_node_program *node, void **out_role);
    /* Makes the use case and its method table; the log is open. */
    lb_status (*start)(void *role, struct lb_rpc_method *methods, size_t *out_num);
    /* The server is up (or the node does not listen): begin to dial. May be NULL. */
    lb_status (*serving)(void *role);
    /* Once a second. May be NULL. */
    void (*tick)(void *role);
    /* New calls are refused already: finish what was accepted, within LB_DRAIN_MS. May be NULL. */
    void (*drain)(void *role);
    /* Before the server stops: end what was dialled. May be NULL. */
    void (*quiesce)(void *role);
    /* After the server has stopped; frees the role. */
    void (*stop)(void *role);
};

struct lb_node_program {
    const struct lb_node_role *role;
    const char *config_path;
    bool init;                         /* a new evidence log may begin */
    bool check;                        /* read and check only: nothing is started or written */
    bool started;                      /* the log says so, and will say that it stopped */
    struct lb_diag diag;
    struct lb_arena *arena;            /* configuration, for the life of the process */
    struct lb_yaml *yaml;
    const struct lb_yaml_node *root;
    const char *spiffe;
    const char *federation;
    const char *organization;
    const char *listen;                /* NULL when it does not */
    const char *state;
    struct lb_rpc_identity identity;
    bool has_officer;
    uint8_t officer_key[32];           /* of the security officer, if there is one */
    const char *officer_key_path;      /* NULL when the configuration says the key itself */
    bool officer_key_failing;          /* said already */
    struct lb_disk_marks marks;        /* of the disk the log is on */
    struct lb_trust *trust;
    struct lb_sign_key *log_key;
    const char *next_log_key_path;     /* NULL when the configuration names none */
    struct lb_sign_key *next_log_key;  /* NULL until its file is there */
    bool next_log_key_failing;         /* said already */
    const char *log_origin;            /* as the directory lists it, or by the SPIFFE id */
    struct lb_log *log;                /* NULL when the role keeps none */
    int64_t recovered_unix_s;          /* when it began in the place of a lost one; 0: it is the
                                          first */
    struct lb_node_witness *witness;   /* NULL when it neither witnesses nor is witnessed */
    struct lb_access access;           /* how peers are judged, once the log is open */
    struct lb_review_names names;      /* the role sets it when it starts, if it keeps pseudonyms */
    struct lb_review_service review;   /* what officers ask, once the log is open */
    struct lb_tiles_service tiles;     /* likewise, to members and auditors */
    struct lb_held_lists lists;        /* the role sets it when it starts, if it holds any */
    struct lb_node_service about;      /* what the node tells of itself */
    struct lb_drill_watch *drill;      /* the role sets it when it starts, if it takes part */
    bool notes_peers;                  /* the role sets it when it prepares: it shows `sightings` */
    struct lb_sightings *sightings;
    const char *metrics_listen;        /* NULL: nobody counts */
    struct lb_meter *meter;            /* likewise */
    struct lb_metrics *metrics;
    struct lb_metrics_queue queues[LB_METRICS_QUEUES];  /* the role's first */
    size_t num_queues;
    struct lb_reflection_service *reflection;  /* set by the role, if it shows its methods */
    size_t (*links)(void *ctx, struct lb_metrics_link *out, size_t max);  /* set by the role */
    void *links_ctx;
    struct lb_outbox *outbox;          /* set by the role, if it holds parcels */
    int64_t reconcile_minutes;         /* between two rounds; 0: none */
    struct lb_node_reconcile *reconcile;  /* NULL when the role keeps no log (reconcile.h) */
    struct lb_workers *workers;        /* for unary handlers */
    struct lb_admission *admission;    /* of those that are no light ones */
    struct lb_rpc_runtime *runtime;
    struct lb_rpc_server *server;
    int lock;
};

/* lb_node_main runs a program: options --config FILE, --check, --init, --help, --version. Returns
 * the exit status: 0 after a clean stop, 1 with a sentence on standard error, 2 for wrong usage. */
int lb_node_main(int argc, char **argv, const struct lb_node_role *role);

/* For roles: reading their part of the configuration. Texts live in node->arena. */

/* lb_node_path resolves a path relative to the configuration file. */
LB_MUST lb_status lb_node_path(struct lb_node_program *node, const char *path, const char **out);
/* lb_node_need_path reads a required member that is a path. */
LB_MUST lb_status lb_node_need_path(struct lb_node_program *node, const struct lb_yaml_node *map,
                                    const char *key, const char **out);
/* lb_node_need_text reads a required member. */
LB_MUST lb_status lb_node_need_text(struct lb_node_program *node, const struct lb_yaml_node *map,
                                    const char *key, const char **out);
/* lb_node_need_secret reads a required member that is the path of a file with 64 hex digits
 * (0600). */
LB_MUST lb_status lb_node_need_secret(struct lb_node_program *node,
                                      const struct lb_yaml_node *map, const char *key,
                                      const uint8_t **out);
/* lb_node_channel opens a channel to a member by its SPIFFE id, at the directory's endpoint.
 * CONFIG_INVALID when it is not listed or does not listen. */
LB_MUST lb_status lb_node_channel(struct lb_node_program *node, const char *spiffe,
                                  struct lb_rpc_channel **out_channel);
/* lb_node_record writes an ADMIN entry with a detail (JSON text, or empty) into the node's evidence
 * log and waits until it is durable. Statuses of lb_log_append_wait. */
LB_MUST lb_status lb_node_record(struct lb_node_program *node, const char *code,
                                 struct lb_span detail, uint64_t *out_index);
/* lb_node_refuse records why the program cannot start and returns the code. */
LB_MUST lb_status lb_node_refuse(struct lb_node_program *node, enum lb_code code,
                                 const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
