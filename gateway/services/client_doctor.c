#include "gateway/services/client_doctor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/crypto/x509.h"
#include "gateway/rpc/client.h"
#include "gateway/trust/trust.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/node.pb-c.h"

struct doctor {
    struct lb_trust *trust;           /* NULL when the directory is not believed */
    struct lb_rpc_runtime *runtime;
    struct lb_arena *arena;
    struct lb_rpc_identity identity;  /* paths in the arena */
    const struct lb_clock *clock;
    int64_t timeout_ms;               /* of one call */
    pthread_mutex_t lock;             /* guards what follows: a handshake has another thread */
    struct lb_cert_info presented;
};

static void close_doctor(void *ctx)
{
    struct doctor *doctor = ctx;
    if (doctor == NULL)
        return;
    lb_rpc_runtime_free(doctor->runtime);
    lb_trust_free(doctor->trust);
    lb_arena_free(doctor->arena);
    (void)pthread_mutex_destroy(&doctor->lock);
    free(doctor);
}

static void close_doctorp(struct doctor **doctor)
{
    close_doctor(*doctor);
}

/* --- who answers --- */

static void see(void *ctx, const struct lb_rpc_peer *peer)
{
    struct doctor *doctor = ctx;
    struct lb_cert_info info;
    if (lb_x509_info(peer->chain_pem, &info) != LB_OK)
        return;
    (void)pthread_mutex_lock(&doctor->lock);
    doctor->presented = info;
    (void)pthread_mutex_unlock(&doctor->lock);
}

static lb_status verify(void *ctx, const struct lb_rpc_peer *peer)
{
    const struct doctor *doctor = ctx;
    LB_ENSURE(doctor->trust != NULL, LB_DIRECTORY_INVALID, "no directory is believed");
    return lb_trust_verify_peer(doctor->trust, peer->spiffe, peer->chain_pem);
}

/* --- the call --- */

static lb_status open_channel(struct doctor *doctor, const char *endpoint, const char *spiffe,
                              struct lb_rpc_channel **out)
{
    struct lb_rpc_channel_options options = {.runtime = doctor->runtime, .target = endpoint};
    if (spiffe != NULL) {
        options.identity = &doctor->identity;
        options.verifier = (struct lb_rpc_verifier){doctor, verify};
        options.expected_spiffe = spiffe;
        options.seen = see;
    }
    return lb_rpc_channel_new(&options, out);
}

static lb_status take_lists(const Lianban__V1__AboutResponse *about, struct lb_arena *arena,
                            struct lb_ctl_contact *out)
{
    struct lb_ctl_held_list *lists = lb_arena_array(arena, about->n_lists, sizeof(*lists));
    LB_ENSURE(lists != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < about->n_lists; i++)
        lists[i] = (struct lb_ctl_held_list){about->lists[i]->uri, about->lists[i]->issued_unix_s,
                                             about->lists[i]->expires_unix_s};
    out->lists = lists;
    out->num_lists = about->n_lists;
    return LB_OK;
}

static lb_status take_about(struct lb_span reply, struct lb_arena *arena,
                            struct lb_ctl_contact *out)
{
    Lianban__V1__AboutResponse *about = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__about_response__descriptor, reply, arena, &about));
    LB_ENSURE(about->directory_sha256.len == sizeof(out->directory_sha256), LB_MALFORMED,
              "a hash of another length");
    LB_TRY(take_lists(about, arena, out));
    memcpy(out->directory_sha256, about->directory_sha256.data, sizeof(out->directory_sha256));
    out->told = true;
    out->unix_ms = about->unix_ms;
    out->directory_version = about->directory_version;
    out->version = about->version;
    out->log_state = about->log_state;
    out->log_queue = about->log_queue;
    out->drill = about->drill;
    return LB_OK;
}

static lb_status ask(struct doctor *doctor, struct lb_rpc_channel *channel, struct lb_arena *arena,
                     struct lb_ctl_contact *out)
{
    const Lianban__V1__AboutRequest about = LIANBAN__V1__ABOUT_REQUEST__INIT;
    struct lb_span request = LB_SPAN_EMPTY, reply = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(&about, arena, &request));
    out->sent_unix_ms = lb_clock_unix_ms(doctor->clock);
    lb_status status = lb_rpc_call(channel, "/lianban.v1.Node/About", NULL, 0, request,
                                   doctor->timeout_ms, arena, &reply);
    out->got_unix_ms = lb_clock_unix_ms(doctor->clock);
    lb_status refusal = lb_rpc_channel_refusal(channel);
    if (status == LB_OK)
        return take_about(reply, arena, out);
    if (lb_status_code(status) == LB_NO_METHOD)
        return LB_OK; /* an older version: it answers, and tells nothing */
    return lb_status_code(status) == LB_UNAVAILABLE && refusal != LB_OK ? refusal : status;
}

/* Twice: the first call has the handshake's time in it, which would pass for a clock's. */
static lb_status ask_again(struct doctor *doctor, struct lb_rpc_channel *channel,
                           struct lb_arena *arena, struct lb_ctl_contact *out)
{
    LB_TRY(ask(doctor, channel, arena, out));
    return out->told ? ask(doctor, channel, arena, out) : LB_OK;
}

static void contact(void *ctx, const char *endpoint, const char *spiffe, struct lb_arena *arena,
                    struct lb_ctl_contact *out)
{
    struct doctor *doctor = ctx;
    struct lb_rpc_channel *channel = NULL;
    *out = (struct lb_ctl_contact){.version = "", .log_state = ""};
    doctor->presented = (struct lb_cert_info){.spiffe = ""};
    out->status = open_channel(doctor, endpoint, spiffe, &channel);
    if (out->status != LB_OK)
        return;
    out->status = ask_again(doctor, channel, arena, out);
    lb_rpc_channel_free(channel);
    (void)pthread_mutex_lock(&doctor->lock);
    (void)snprintf(out->presented, sizeof(out->presented), "%s", doctor->presented.spiffe);
    out->not_after_unix_s = doctor->presented.not_after_unix_s;
    (void)pthread_mutex_unlock(&doctor->lock);
}

/* A method of Operations, whose message is empty. */
static lb_status operations(struct doctor *doctor, const char *endpoint, const char *spiffe,
                            const char *method, struct lb_arena *arena, struct lb_span *out_reply)
{
    struct lb_rpc_channel *channel = NULL;
    LB_TRY(open_channel(doctor, endpoint, spiffe, &channel));
    lb_status status = lb_rpc_call(channel, method, NULL, 0, LB_SPAN_EMPTY, doctor->timeout_ms,
                                   arena, out_reply);
    lb_status refusal = lb_rpc_channel_refusal(channel);
    if (lb_status_code(status) == LB_UNAVAILABLE && refusal != LB_OK)
        status = refusal;
    lb_rpc_channel_free(channel);
    return status;
}

static lb_status status_of(void *ctx, const char *endpoint, const char *spiffe,
                           struct lb_arena *arena, Lianban__V1__GetStatusResponse **out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_TRY(operations(ctx, endpoint, spiffe, "/lianban.v1.Operations/GetStatus", arena, &reply));
    return lb_pb_unpack(&lianban__v1__get_status_response__descriptor, reply, arena, out);
}

static lb_status channels_of(void *ctx, const char *endpoint, const char *spiffe,
                             struct lb_arena *arena, Lianban__V1__GetChannelsResponse **out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_TRY(operations(ctx, endpoint, spiffe, "/lianban.v1.Operations/GetChannels", arena, &reply));
    return lb_pb_unpack(&lianban__v1__get_channels_response__descriptor, reply, arena, out);
}

static lb_status parcels_of(void *ctx, const char *endpoint, const char *spiffe,
                            struct lb_arena *arena, Lianban__V1__GetParcelsResponse **out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_TRY(operations(ctx, endpoint, spiffe, "/lianban.v1.Operations/GetParcels", arena, &reply));
    return lb_pb_unpack(&lianban__v1__get_parcels_response__descriptor, reply, arena, out);
}

/* --- opening --- */

static lb_status keep_identity(struct doctor *doctor, const struct lb_ctl_node_files *files)
{
    doctor->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(doctor->arena != NULL, LB_NO_MEMORY, "arena");
    doctor->identity = (struct lb_rpc_identity){
        .cert_path = lb_arena_str(doctor->arena, lb_span_str(files->cert)),
        .key_path = lb_arena_str(doctor->arena, lb_span_str(files->key)),
        .ca_path = lb_arena_str(doctor->arena, lb_span_str(files->ca)),
    };
    LB_ENSURE(doctor->identity.cert_path != NULL && doctor->identity.key_path != NULL &&
                  doctor->identity.ca_path != NULL,
              LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* Without one, every certificate is seen and none accepted; why not was told by who read it. */
static void believe(struct doctor *doctor, const struct lb_ctl_node_files *files)
{
    const struct lb_trust_options options = {
        .directory_path = files->directory,
        .directory_vkeys = files->signers,
        .num_directory_vkeys = files->num_signers,
        .ca_path = files->ca,
        .crl_path = files->crl,
        .state_folder = files->trust_state,
        .look_only = true,
        .clock = doctor->clock,
    };
    struct lb_diag unused;
    lb_status_ignore(lb_trust_new(&options, &unused, &doctor->trust));
}

lb_status lb_client_open_doctor(const struct lb_ctl_node_files *files,
                                const struct lb_clock *clock, struct lb_diag *diag,
                                struct lb_ctl_doctor_port *out)
{
    LB_DEFER(close_doctorp) struct doctor *doctor = calloc(1, sizeof(*doctor));
    LB_ENSURE(doctor != NULL, LB_NO_MEMORY, "doctor");
    (void)pthread_mutex_init(&doctor->lock, NULL);
    doctor->clock = clock;
    doctor->timeout_ms = files->timeout_ms;
    LB_TRY(keep_identity(doctor, files));
    LB_TRY(lb_rpc_runtime_new(1, &doctor->runtime));
    LB_TRY(lb_rpc_identity_check(doctor->runtime, &doctor->identity, diag));
    believe(doctor, files);
    *out = (struct lb_ctl_doctor_port){doctor, contact, status_of, channels_of,
                                       parcels_of, close_doctor};
    doctor = NULL;
    return LB_OK;
}
