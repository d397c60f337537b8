#ifndef GATEWAY_MAINS_NODE_WITNESS_H
#define GATEWAY_MAINS_NODE_WITNESS_H

#include "gateway/mains/node.h"

/*
 * Witnessing, for any node that keeps a log (docs/EVIDENCE.md, "Witnesses"). Configuration, either
 * part may be missing:
 *
 *   witness:                    # this node cosigns others' checkpoints
 *     key: witness.pem          # Ed25519 of its own, `lianban keys witness`
 *     logs: [spiffe://...]      # whose
 *   witnessed_by:               # others cosign this node's
 *     policy: witnesses.policy  # C2SP tlog-policy; a witness's url is its SPIFFE id
 *     interval_s: 10            # a busy log sends a checkpoint this often
 *     alert_s: 900              # unwitnessed for longer is said
 *     stop_s: 14400             # and past this nothing is released
 */
struct lb_node_witness;

/* lb_node_witness_read reads and checks the configuration and its files; node->witness is NULL
 * without either part. Writes nothing. */
LB_MUST lb_status lb_node_witness_read(struct lb_node_program *node);
/* lb_node_witness_begin opens what was witnessed and asks this node's own witnesses about its log,
 * before anything is appended to it: LOG_BEHIND and LOG_FORK by lb_submitter_ask. */
LB_MUST lb_status lb_node_witness_begin(struct lb_node_program *node);
/* lb_node_witness_methods adds the witness's method to a server's table. */
void lb_node_witness_methods(struct lb_node_program *node, struct lb_rpc_method *methods,
                             size_t *num);
/* lb_node_witness_serve starts to submit. */
LB_MUST lb_status lb_node_witness_serve(struct lb_node_program *node);
/* lb_node_witness_duties says whether the node cosigns for others. */
bool lb_node_witness_duties(const struct lb_node_program *node);
/* lb_node_witness_healthy is false while the log is held for want of witnesses. */
bool lb_node_witness_healthy(const struct lb_node_program *node);
/* lb_node_witness_stop ends the submitting; lb_node_witness_free, once the server has stopped,
 * releases the rest. */
void lb_node_witness_stop(struct lb_node_program *node);
void lb_node_witness_free(struct lb_node_program *node);

#endif
