#include "gateway/services/client_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/link.h"
#include "gateway/rpc/client.h"
#include "gateway/services/access.h"
#include "gateway/wire/pb.h"

#define DESK_TIMEOUT_MS 15000
#define REVOKE_TIMEOUT_MS 45000 /* every broker is told, and waits for its adapters */

struct desk {
    struct lb_trust *trust;
    struct lb_rpc_runtime *runtime;
    struct lb_rpc_channel *channel;
    char peer[LB_MAX_SPIFFE_BYTES];  /* the office, or an officer's adapter */
    const char *service;             /* of that: what `ask` asks */
};

static void close_desk(void *ctx)
{
    struct desk *desk = ctx;
    if (desk == NULL)
        return;
    lb_rpc_channel_free(desk->channel);
    lb_rpc_runtime_free(desk->runtime);
    lb_trust_free(desk->trust);
    free(desk);
}

static void close_deskp(struct desk **desk)
{
    close_desk(*desk);
}

/* --- calls --- */

static lb_status call(const struct desk *desk, const char *method, const void *request,
                      int64_t timeout_ms, struct lb_arena *arena, struct lb_span *reply)
{
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_pack(request, arena, &bytes));
    lb_status status =
        lb_rpc_call(desk->channel, method, NULL, 0, bytes, timeout_ms, arena, reply);
    lb_status refusal = lb_rpc_channel_refusal(desk->channel);
    /* To a person "unreachable" is no help when it was the office's certificate that we refused. */
    return lb_status_code(status) == LB_UNAVAILABLE && refusal != LB_OK ? refusal : status;
}

static lb_status notice(void *ctx, const Lianban__V1__NoticeRequest *request,
                        struct lb_arena *arena, Lianban__V1__NoticeResponse **out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_TRY(call(ctx, "/lianban.v1.ConsentOffice/Notice", request, DESK_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(&lianban__v1__notice_response__descriptor, reply, arena, out);
}

static lb_status confirm(void *ctx, const Lianban__V1__ConfirmRequest *request,
                         struct lb_arena *arena, Lianban__V1__ConfirmResponse **out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_TRY(call(ctx, "/lianban.v1.ConsentOffice/Confirm", request, DESK_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(&lianban__v1__confirm_response__descriptor, reply, arena, out);
}

static lb_status revoke(void *ctx, const Lianban__V1__RevokeRequest *request,
                        struct lb_arena *arena, Lianban__V1__RevokeResponse **out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    LB_TRY(call(ctx, "/lianban.v1.ConsentOffice/Revoke", request, REVOKE_TIMEOUT_MS, arena,
                &reply));
    return lb_pb_unpack(&lianban__v1__revoke_response__descriptor, reply, arena, out);
}

/* --- what an officer asks of the adapter --- */

/* The other side's word is its entry, in the log that its own key signs. */
static lb_status open_entry(const struct desk *desk, const Lianban__V1__LogProgress *log,
                            const Lianban__V1__EntryProof *entry, struct lb_leaf *out_leaf)
{
    struct lb_directory *directory = lb_trust_directory(desk->trust);
    const struct lb_node *node = lb_directory_node(directory, desk->peer);
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    struct lb_hash hash;
    lb_status status = LB_FAULT(LB_RECEIPT_INVALID, "no proof came");
    if (node != NULL && node->log_origin != NULL && log != NULL && entry != NULL)
        status = lb_watch_init(&watch, node->log_origin, node->log_key, 0, NULL);
    lb_directory_unref(directory);
    LB_TRY(status);
    status = lb_watch_check(&watch, log, &checkpoint);
    if (status == LB_OK)
        status = lb_link_verify(entry, &checkpoint, out_leaf, &hash);
    lb_watch_cleanup(&watch);
    LB_ENSURE(status == LB_OK, LB_RECEIPT_INVALID, "the proof does not hold");
    return LB_OK;
}

static lb_status check_entry(const struct desk *desk, const Lianban__V1__LogProgress *log,
                             const Lianban__V1__EntryProof *entry, const char *code,
                             struct lb_ctl_entry *out)
{
    struct lb_leaf leaf;
    LB_TRY(open_entry(desk, log, entry, &leaf));
    LB_ENSURE(leaf.type != LB_LEAF_REVIEW && strcmp(leaf.code, code) == 0, LB_RECEIPT_INVALID,
              "the proof does not hold");
    *out = (struct lb_ctl_entry){entry->index, leaf.time_ms, leaf.count};
    return LB_OK;
}

static lb_status stop_grant(void *ctx, const Lianban__V1__StopGrantRequest *request,
                            struct lb_arena *arena, struct lb_ctl_entry *out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    Lianban__V1__StopGrantResponse *answer = NULL;
    LB_TRY(call(ctx, "/lianban.v1.Adapter/StopGrant", request, DESK_TIMEOUT_MS, arena, &reply));
    LB_TRY(lb_pb_unpack(&lianban__v1__stop_grant_response__descriptor, reply, arena, &answer));
    return check_entry(ctx, answer->log, answer->entry, "GRANT_STOPPED", out);
}

static lb_status erase(void *ctx, const Lianban__V1__EraseSubjectRequest *request,
                       struct lb_arena *arena, struct lb_ctl_entry *out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    Lianban__V1__EraseSubjectResponse *answer = NULL;
    LB_TRY(call(ctx, "/lianban.v1.Adapter/EraseSubject", request, DESK_TIMEOUT_MS, arena, &reply));
    LB_TRY(lb_pb_unpack(&lianban__v1__erase_subject_response__descriptor, reply, arena, &answer));
    return check_entry(ctx, answer->log, answer->entry,
                       request->approve ? "ERASED" : "ERASURE_ASKED", out);
}

/* --- an officer's query --- */

static lb_status check_review(const Lianban__V1__RecordReviewRequest *request,
                              const Lianban__V1__RecordReviewResponse *answer,
                              const struct lb_leaf *leaf)
{
    const struct lb_span parts[] = {lb_span_str("lianban review v1"), lb_pb_span(request->salt),
                                    lb_span_str(request->query)};
    uint8_t commitment[LB_SHA256_BYTES];
    bool about = request->id_no[0] != 0 || request->subject.len > 0;
    bool named = answer->n_subjects > 0 && answer->n_subjects <= LB_CTL_MAX_NAMES;
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), commitment);
    LB_ENSURE(leaf->type == LB_LEAF_REVIEW && strcmp(leaf->code, request->kind) == 0 &&
                  lb_crypto_equal(lb_span_of(leaf->request_hash, 32), lb_span_of(commitment, 32)),
              LB_RECEIPT_INVALID, "an entry of another query");
    LB_ENSURE(about ? named : answer->n_subjects == 0, LB_RECEIPT_INVALID,
              "pseudonyms that were not asked, or none");
    for (size_t i = 0; i < answer->n_subjects; i++)
        LB_ENSURE(answer->subjects[i].len == 32, LB_RECEIPT_INVALID, "no pseudonym");
    return LB_OK;
}

static lb_status record_review(void *ctx, const Lianban__V1__RecordReviewRequest *request,
                               struct lb_arena *arena, struct lb_ctl_reviewed *out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    Lianban__V1__RecordReviewResponse *answer = NULL;
    struct lb_leaf leaf;
    LB_TRY(call(ctx, "/lianban.v1.Evidence/RecordReview", request, DESK_TIMEOUT_MS, arena, &reply));
    LB_TRY(lb_pb_unpack(&lianban__v1__record_review_response__descriptor, reply, arena, &answer));
    LB_TRY(open_entry(ctx, answer->log, answer->entry, &leaf));
    LB_TRY(check_review(request, answer, &leaf));
    *out = (struct lb_ctl_reviewed){.entry = answer->entry->index, .at_unix_ms = leaf.time_ms,
                                    .num_names = answer->n_subjects};
    for (size_t i = 0; i < out->num_names; i++)
        memcpy(out->names[i], answer->subjects[i].data, sizeof(out->names[i]));
    return LB_OK;
}

static lb_status ask_service(void *ctx, const char *service, const char *method,
                             const void *request, const ProtobufCMessageDescriptor *reply_kind,
                             struct lb_arena *arena, void *out)
{
    struct lb_span reply = LB_SPAN_EMPTY;
    char path[64];
    int len = snprintf(path, sizeof(path), "/lianban.v1.%s/%s", service, method);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_NO_METHOD, "no such method");
    LB_TRY(call(ctx, path, request, DESK_TIMEOUT_MS, arena, &reply));
    return lb_pb_unpack(reply_kind, reply, arena, out);
}

static lb_status ask(void *ctx, const char *method, const void *request,
                     const ProtobufCMessageDescriptor *reply_kind, struct lb_arena *arena,
                     void *out)
{
    const struct desk *desk = ctx;
    return ask_service(ctx, desk->service, method, request, reply_kind, arena, out);
}

static lb_status ask_evidence(void *ctx, const char *method, const void *request,
                              const ProtobufCMessageDescriptor *reply_kind,
                              struct lb_arena *arena, void *out)
{
    return ask_service(ctx, "Evidence", method, request, reply_kind, arena, out);
}

/* --- the form --- */

static const struct lb_listed *pick_form(const struct lb_directory *directory, const char *id)
{
    const struct lb_listed *picked = NULL;
    for (size_t i = 0; i < directory->num_forms; i++) {
        const struct lb_listed *form = &directory->forms[i];
        if (id != NULL && strcmp(form->id, id) != 0)
            continue;
        if (picked != NULL && strcmp(form->id, picked->id) != 0)
            return NULL;
        if (picked == NULL || form->version > picked->version)
            picked = form;
    }
    return picked;
}

static lb_status find_form(void *ctx, const char *id, struct lb_ctl_form_id *out)
{
    const struct desk *desk = ctx;
    struct lb_directory *directory = lb_trust_directory(desk->trust);
    const struct lb_listed *form = pick_form(directory, id);
    bool fits = form != NULL && strlen(form->id) < sizeof(out->id);
    if (fits) {
        (void)snprintf(out->id, sizeof(out->id), "%s", form->id);
        out->version = form->version;
    }
    lb_directory_unref(directory);
    LB_ENSURE(fits, LB_FORM_UNKNOWN, "the directory lists no such form, or several");
    return LB_OK;
}

/* --- opening --- */

lb_status lb_client_open_trust(const struct lb_ctl_desk_profile *profile,
                               const struct lb_clock *clock, struct lb_diag *diag,
                               struct lb_trust **out_trust)
{
    const struct lb_trust_options options = {
        .directory_path = profile->directory,
        .directory_vkeys = profile->signers,
        .num_directory_vkeys = profile->num_signers,
        .ca_path = profile->ca,
        .crl_path = profile->crl,
        .state_folder = profile->state,
        .clock = clock,
    };
    lb_status status = lb_file_mkdirs(profile->state);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: %s; name a folder this account may write", profile->state,
                    status->what);
    LB_TRY(status);
    return lb_trust_new(&options, diag, out_trust);
}

/* An adapter that dials out has no address in the directory: its own house knows where it is. Who
 * answers there is proved by its certificate all the same. */
lb_status lb_client_endpoint(struct lb_trust *trust, const char *spiffe, const char *address,
                             char *out, size_t size)
{
    struct lb_directory *directory = lb_trust_directory(trust);
    const struct lb_node *node = lb_directory_node(directory, spiffe);
    const char *endpoint = node == NULL ? "" : address != NULL ? address : node->endpoint;
    bool listens = endpoint[0] != 0 && strlen(endpoint) < size;
    if (listens)
        (void)snprintf(out, size, "%s", endpoint);
    lb_directory_unref(directory);
    LB_ENSURE(listens, LB_PEER_UNLISTED, "the directory has no address of the other side");
    return LB_OK;
}

/* NULL for an auditor, who reads any member's log and has no other side of its own. */
static const char *peer_of(const struct lb_ctl_desk_profile *profile)
{
    if (profile->adapter != NULL)
        return profile->adapter;
    return profile->broker != NULL ? profile->broker : profile->consent;
}

static lb_status connect_to(struct desk *desk, const struct lb_ctl_desk_profile *profile,
                            const char *peer, struct lb_diag *diag)
{
    const struct lb_rpc_identity identity = {profile->cert, profile->key, profile->ca};
    char endpoint[LB_MAX_SPIFFE_BYTES];
    bool own = profile->adapter != NULL && strcmp(peer, profile->adapter) == 0;
    lb_status status = lb_client_endpoint(desk->trust, peer, own ? profile->address : NULL,
                                          endpoint, sizeof(endpoint));
    if (status != LB_OK)
        lb_diag_set(diag, "the directory has no address of %s; compare the name with the"
                          " directory%s", peer,
                    own ? ", or say `address: host:port` or `address: unix:/path` for an adapter"
                          " that dials out" : "");
    LB_TRY(status);
    LB_TRY(lb_rpc_runtime_new(1, &desk->runtime));
    LB_TRY(lb_rpc_identity_check(desk->runtime, &identity, diag));
    const struct lb_rpc_channel_options options = {
        .runtime = desk->runtime,
        .target = endpoint,
        .identity = &identity,
        .verifier = lb_access_verifier(desk->trust),
        .expected_spiffe = peer,
    };
    (void)snprintf(desk->peer, sizeof(desk->peer), "%s", peer);
    return lb_rpc_channel_new(&options, &desk->channel);
}

lb_status lb_client_open_desk(void *ctx, const struct lb_ctl_desk_profile *profile,
                              const struct lb_clock *clock, struct lb_diag *diag,
                              struct lb_ctl_desk_port *out)
{
    LB_DEFER(close_deskp) struct desk *desk = calloc(1, sizeof(*desk));
    (void)ctx;
    LB_ENSURE(desk != NULL, LB_NO_MEMORY, "desk");
    const char *peer = peer_of(profile);
    if (peer == NULL)
        lb_diag_set(diag, "the profile names none of `consent`, `adapter`, `broker`");
    LB_ENSURE(peer != NULL, LB_CONFIG_INVALID, "an auditor's profile");
    LB_TRY(lb_client_open_trust(profile, clock, diag, &desk->trust));
    LB_TRY(connect_to(desk, profile, peer, diag));
    desk->service = profile->adapter != NULL ? "Adapter" : "ConsentOffice";
    *out = (struct lb_ctl_desk_port){desk,       find_form,     notice, confirm, revoke,
                                    stop_grant, record_review, erase,  ask,     ask_evidence,
                                    close_desk};
    desk = NULL;
    return LB_OK;
}

static lb_status verifier_of(const struct desk *desk, struct lb_diag *diag,
                             struct lb_note_verifier *out)
{
    struct lb_directory *directory = lb_trust_directory(desk->trust);
    const struct lb_node *node = lb_directory_node(directory, desk->peer);
    lb_status status = LB_FAULT(LB_ABSENT, "the directory lists no log of this node");
    if (node != NULL && node->log_origin != NULL)
        status = lb_note_verifier_init(node->log_origin, node->log_key, out);
    lb_directory_unref(directory);
    if (status != LB_OK)
        lb_diag_set(diag, "the directory lists no log of %s", desk->peer);
    return status;
}

lb_status lb_client_open_log(void *ctx, const struct lb_ctl_desk_profile *profile,
                             const char *spiffe, const struct lb_clock *clock,
                             struct lb_diag *diag, struct lb_ctl_log_port *out)
{
    LB_DEFER(close_deskp) struct desk *desk = calloc(1, sizeof(*desk));
    struct lb_ctl_log_port port = {.ask = ask_evidence, .close = close_desk};
    (void)ctx;
    LB_ENSURE(desk != NULL, LB_NO_MEMORY, "desk");
    LB_TRY(lb_client_open_trust(profile, clock, diag, &desk->trust));
    LB_TRY(connect_to(desk, profile, spiffe, diag));
    LB_TRY(verifier_of(desk, diag, &port.verifier));
    port.ctx = desk;
    *out = port;
    desk = NULL;
    return LB_OK;
}
