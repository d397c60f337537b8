#ifndef GATEWAY_RPC_GATE_H
#define GATEWAY_RPC_GATE_H

#include <grpc/grpc_security.h>

#include "gateway/rpc/runtime.h"

/*
 * Stands between the core and the owner's verifier. The core may finish a handshake after the
 * server or channel that began it is gone; a shut gate refuses then, without asking an owner that
 * may be gone too. Handshakes, calls and the sweep all ask the same gate.
 */
struct lb_rpc_gate;

/* lb_rpc_gate_new makes a gate with one reference. verify may be NULL (a Unix socket): everybody
 * passes. expected_spiffe, when given, is the only id that passes; it is copied. */
LB_MUST lb_status lb_rpc_gate_new(struct lb_rpc_verifier verifier, const char *expected_spiffe,
                                  struct lb_rpc_gate **out_gate);
/* lb_rpc_gate_show makes the gate tell of every peer before it judges it; before its first use.
 * NULL for nobody. */
void lb_rpc_gate_show(struct lb_rpc_gate *gate,
                      void (*seen)(void *ctx, const struct lb_rpc_peer *peer));
void lb_rpc_gate_ref(struct lb_rpc_gate *gate);
void lb_rpc_gate_unref(struct lb_rpc_gate *gate);

/* lb_rpc_gate_shut waits for judgements under way and refuses all later ones; gives up the caller's
 * reference. NULL is allowed. */
void lb_rpc_gate_shut(struct lb_rpc_gate *gate);

/* lb_rpc_gate_checks tells whether peers have to prove themselves at all. */
bool lb_rpc_gate_checks(const struct lb_rpc_gate *gate);

/* lb_rpc_gate_judge asks the verifier: LB_OK or its code; PEER_UNVERIFIED for another id than the
 * expected one; CANCELLED once the gate is shut. */
LB_MUST lb_status lb_rpc_gate_judge(struct lb_rpc_gate *gate, const struct lb_rpc_peer *peer);

/* lb_rpc_gate_judge_last judges the peer of the newest handshake that passed, and is LB_OK when
 * there was none yet. */
LB_MUST lb_status lb_rpc_gate_judge_last(struct lb_rpc_gate *gate);

/* lb_rpc_gate_forget drops the memory of that peer, when its connection is given up. */
void lb_rpc_gate_forget(struct lb_rpc_gate *gate);

/* lb_rpc_gate_refusal returns why the newest handshake was refused, LB_OK if it passed. */
lb_status lb_rpc_gate_refusal(struct lb_rpc_gate *gate);

/* lb_rpc_gate_verifier makes the core's view of the gate, with a reference of its own. */
grpc_tls_certificate_verifier *lb_rpc_gate_verifier(struct lb_rpc_gate *gate);

#endif
