#include "gateway/rpc/gate.h"

#include <grpc/support/alloc.h>
#include <grpc/support/string_util.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/rpc/peer.h"

struct lb_rpc_gate {
    atomic_uint refs;
    pthread_rwlock_t open_lock; /* read while judging, written to shut */
    bool shut;
    struct lb_rpc_verifier verifier;
    void (*seen)(void *ctx, const struct lb_rpc_peer *peer);
    char *expected;
    grpc_tls_certificate_verifier_external external;
    pthread_mutex_t last_lock; /* guards the two below */
    struct lb_rpc_peer *last_peer;
    lb_status refusal;
};

lb_status lb_rpc_gate_new(struct lb_rpc_verifier verifier, const char *expected_spiffe,
                          struct lb_rpc_gate **out_gate)
{
    struct lb_rpc_gate *gate = calloc(1, sizeof(*gate));
    LB_ENSURE(gate != NULL, LB_NO_MEMORY, "gate");
    atomic_init(&gate->refs, 1);
    (void)pthread_rwlock_init(&gate->open_lock, NULL);
    (void)pthread_mutex_init(&gate->last_lock, NULL);
    gate->verifier = verifier;
    if (expected_spiffe != NULL) {
        gate->expected = strdup(expected_spiffe);
        if (gate->expected == NULL) {
            lb_rpc_gate_unref(gate);
            LB_FAIL(LB_NO_MEMORY, "gate");
        }
    }
    *out_gate = gate;
    return LB_OK;
}

void lb_rpc_gate_show(struct lb_rpc_gate *gate,
                      void (*seen)(void *ctx, const struct lb_rpc_peer *peer))
{
    gate->seen = seen;
}

void lb_rpc_gate_ref(struct lb_rpc_gate *gate)
{
    (void)atomic_fetch_add(&gate->refs, 1);
}

void lb_rpc_gate_unref(struct lb_rpc_gate *gate)
{
    if (atomic_fetch_sub(&gate->refs, 1) > 1)
        return;
    (void)pthread_rwlock_destroy(&gate->open_lock);
    (void)pthread_mutex_destroy(&gate->last_lock);
    free(gate->last_peer);
    free(gate->expected);
    free(gate);
}

void lb_rpc_gate_shut(struct lb_rpc_gate *gate)
{
    if (gate == NULL)
        return;
    (void)pthread_rwlock_wrlock(&gate->open_lock);
    gate->shut = true;
    (void)pthread_rwlock_unlock(&gate->open_lock);
    lb_rpc_gate_unref(gate);
}

bool lb_rpc_gate_checks(const struct lb_rpc_gate *gate)
{
    return gate->verifier.verify != NULL;
}

static lb_status judge_open(const struct lb_rpc_gate *gate, const struct lb_rpc_peer *peer)
{
    LB_ENSURE(!gate->shut, LB_CANCELLED, "the server or channel is gone");
    if (gate->verifier.verify == NULL)
        return LB_OK;
    if (gate->seen != NULL)
        gate->seen(gate->verifier.ctx, peer);
    if (gate->expected != NULL)
        LB_ENSURE(strcmp(gate->expected, peer->spiffe) == 0, LB_PEER_UNVERIFIED,
                  "the peer has another SPIFFE id than expected");
    return gate->verifier.verify(gate->verifier.ctx, peer);
}

lb_status lb_rpc_gate_judge(struct lb_rpc_gate *gate, const struct lb_rpc_peer *peer)
{
    (void)pthread_rwlock_rdlock(&gate->open_lock);
    lb_status status = judge_open(gate, peer);
    (void)pthread_rwlock_unlock(&gate->open_lock);
    return status;
}

lb_status lb_rpc_gate_judge_last(struct lb_rpc_gate *gate)
{
    struct lb_rpc_peer *peer = NULL;
    (void)pthread_mutex_lock(&gate->last_lock);
    bool known = gate->last_peer != NULL;
    if (known)
        peer = lb_rpc_peer_copy(gate->last_peer);
    (void)pthread_mutex_unlock(&gate->last_lock);
    if (!known)
        return LB_OK;
    LB_ENSURE(peer != NULL, LB_NO_MEMORY, "peer");
    lb_status status = lb_rpc_gate_judge(gate, peer);
    free(peer);
    return status;
}

void lb_rpc_gate_forget(struct lb_rpc_gate *gate)
{
    (void)pthread_mutex_lock(&gate->last_lock);
    free(gate->last_peer);
    gate->last_peer = NULL;
    (void)pthread_mutex_unlock(&gate->last_lock);
}

lb_status lb_rpc_gate_refusal(struct lb_rpc_gate *gate)
{
    (void)pthread_mutex_lock(&gate->last_lock);
    lb_status refusal = gate->refusal;
    (void)pthread_mutex_unlock(&gate->last_lock);
    return refusal;
}

/* Takes over the peer. */
static void remember(struct lb_rpc_gate *gate, struct lb_rpc_peer *peer, lb_status status)
{
    (void)pthread_mutex_lock(&gate->last_lock);
    gate->refusal = status;
    if (status == LB_OK) {
        free(gate->last_peer);
        gate->last_peer = peer;
        peer = NULL;
    }
    (void)pthread_mutex_unlock(&gate->last_lock);
    free(peer);
}

static int verify(void *user_data, grpc_tls_custom_verification_check_request *request,
                  grpc_tls_on_custom_verification_check_done_cb callback, void *callback_arg,
                  grpc_status_code *sync_status, char **sync_error_details)
{
    (void)callback;
    (void)callback_arg;
    struct lb_rpc_gate *gate = user_data;
    struct lb_rpc_peer *peer = NULL;
    lb_status status = lb_rpc_peer_of_handshake(request, &peer);
    if (status == LB_OK)
        status = lb_rpc_gate_judge(gate, peer);
    remember(gate, peer, status);
    *sync_status = GRPC_STATUS_OK;
    if (status != LB_OK) {
        lb_log_failure("peer_refused", status);
        *sync_status = GRPC_STATUS_UNAUTHENTICATED;
        *sync_error_details = gpr_strdup(lb_code_name(lb_code_outer(status->code)));
    }
    return 1;
}

static void cancel(void *user_data, grpc_tls_custom_verification_check_request *request)
{
    /* verify answers at once, so there is never a request to cancel. */
    (void)user_data;
    (void)request;
}

static void destruct(void *user_data)
{
    lb_rpc_gate_unref(user_data);
}

grpc_tls_certificate_verifier *lb_rpc_gate_verifier(struct lb_rpc_gate *gate)
{
    gate->external = (grpc_tls_certificate_verifier_external){
        .user_data = gate,
        .verify = verify,
        .cancel = cancel,
        .destruct = destruct,
    };
    lb_rpc_gate_ref(gate);
    return grpc_tls_certificate_verifier_external_create(&gate->external);
}
