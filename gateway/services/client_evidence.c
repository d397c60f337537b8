#include "gateway/services/client_evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/rpc/client.h"
#include "gateway/services/access.h"
#include "gateway/services/client_desk.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

#define CALL_TIMEOUT_MS 30000
#define MAX_MEMBERS 16

struct member {
    char spiffe[LB_MAX_SPIFFE_BYTES];
    struct lb_rpc_channel *channel;
};

struct evidence {
    struct lb_trust *trust;
    struct lb_rpc_runtime *runtime;
    struct lb_arena *arena;
    struct lb_rpc_identity identity;  /* paths in the arena */
    struct member members[MAX_MEMBERS];
    size_t num_members;
};

static void close_evidence(void *ctx)
{
    struct evidence *evidence = ctx;
    if (evidence == NULL)
        return;
    for (size_t i = 0; i < evidence->num_members; i++)
        lb_rpc_channel_free(evidence->members[i].channel);
    lb_rpc_runtime_free(evidence->runtime);
    lb_trust_free(evidence->trust);
    lb_arena_free(evidence->arena);
    free(evidence);
}

static void close_evidencep(struct evidence **evidence)
{
    close_evidence(*evidence);
}

/* --- members --- */

static lb_status brokers(void *ctx, struct lb_arena *arena, const char *const **out, size_t *num)
{
    const struct evidence *evidence = ctx;
    struct lb_directory *directory = lb_trust_directory(evidence->trust);
    const char **names = lb_arena_array(arena, directory->num_nodes, sizeof(*names));
    lb_status status = names == NULL ? LB_FAULT(LB_NO_MEMORY, "arena is full") : LB_OK;
    *num = 0;
    for (size_t i = 0; i < directory->num_nodes && status == LB_OK; i++) {
        if (directory->nodes[i].kind != LB_NODE_BROKER)
            continue;
        const char *name = lb_arena_str(arena, lb_span_str(directory->nodes[i].spiffe));
        if (name == NULL)
            status = LB_FAULT(LB_NO_MEMORY, "arena is full");
        else
            names[(*num)++] = name;
    }
    lb_directory_unref(directory);
    LB_TRY(status);
    *out = names;
    return LB_OK;
}

static lb_status connect_to(struct evidence *evidence, const char *spiffe,
                            struct lb_rpc_channel **out)
{
    char endpoint[LB_MAX_SPIFFE_BYTES];
    for (size_t i = 0; i < evidence->num_members; i++) {
        if (strcmp(evidence->members[i].spiffe, spiffe) == 0) {
            *out = evidence->members[i].channel;
            return LB_OK;
        }
    }
    LB_ENSURE(evidence->num_members < MAX_MEMBERS && strlen(spiffe) < LB_MAX_SPIFFE_BYTES,
              LB_TOO_LARGE, "too many members");
    LB_TRY(lb_client_endpoint(evidence->trust, spiffe, NULL, endpoint, sizeof(endpoint)));
    const struct lb_rpc_channel_options options = {
        .runtime = evidence->runtime,
        .target = endpoint,
        .identity = &evidence->identity,
        .verifier = lb_access_verifier(evidence->trust),
        .expected_spiffe = spiffe,
    };
    struct member *member = &evidence->members[evidence->num_members];
    LB_TRY(lb_rpc_channel_new(&options, &member->channel));
    (void)snprintf(member->spiffe, sizeof(member->spiffe), "%s", spiffe);
    evidence->num_members++;
    *out = member->channel;
    return LB_OK;
}

/* --- questions --- */

static lb_status call(struct evidence *evidence, const char *member, const char *method,
                      const void *message, struct lb_arena *arena, struct lb_span *out)
{
    struct lb_rpc_channel *channel = NULL;
    struct lb_span request = LB_SPAN_EMPTY;
    LB_TRY(connect_to(evidence, member, &channel));
    LB_TRY(lb_pb_pack(message, arena, &request));
    lb_status status =
        lb_rpc_call(channel, method, NULL, 0, request, CALL_TIMEOUT_MS, arena, out);
    lb_status refusal = lb_rpc_channel_refusal(channel);
    /* To a person "unreachable" is no help when it was a certificate that we refused. */
    return lb_status_code(status) == LB_UNAVAILABLE && refusal != LB_OK ? refusal : status;
}

static lb_status digests(void *ctx, const char *member, int64_t from, int64_t to,
                         struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__GetDigestsRequest request = LIANBAN__V1__GET_DIGESTS_REQUEST__INIT;
    request.from_minute = from;
    request.to_minute = to;
    return call(ctx, member, "/lianban.v1.Evidence/GetDigests", &request, arena, out);
}

static lb_status entries(void *ctx, const char *member, int64_t minute, uint64_t from_index,
                         struct lb_arena *arena, struct lb_span *out)
{
    Lianban__V1__GetDigestEntriesRequest request =
        LIANBAN__V1__GET_DIGEST_ENTRIES_REQUEST__INIT;
    request.minute = minute;
    request.from_index = from_index;
    return call(ctx, member, "/lianban.v1.Evidence/GetDigestEntries", &request, arena, out);
}

/* --- opening --- */

static lb_status keep_identity(struct evidence *evidence,
                               const struct lb_ctl_desk_profile *profile)
{
    evidence->arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(evidence->arena != NULL, LB_NO_MEMORY, "arena");
    evidence->identity = (struct lb_rpc_identity){
        .cert_path = lb_arena_str(evidence->arena, lb_span_str(profile->cert)),
        .key_path = lb_arena_str(evidence->arena, lb_span_str(profile->key)),
        .ca_path = lb_arena_str(evidence->arena, lb_span_str(profile->ca)),
    };
    LB_ENSURE(evidence->identity.cert_path != NULL && evidence->identity.key_path != NULL &&
                  evidence->identity.ca_path != NULL,
              LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_client_open_evidence(void *ctx, const struct lb_ctl_desk_profile *profile,
                                  const struct lb_clock *clock, struct lb_diag *diag,
                                  struct lb_ctl_evidence_port *out)
{
    LB_DEFER(close_evidencep) struct evidence *evidence = calloc(1, sizeof(*evidence));
    (void)ctx;
    LB_ENSURE(evidence != NULL, LB_NO_MEMORY, "evidence");
    LB_TRY(keep_identity(evidence, profile));
    LB_TRY(lb_client_open_trust(profile, clock, diag, &evidence->trust));
    LB_TRY(lb_rpc_runtime_new(1, &evidence->runtime));
    LB_TRY(lb_rpc_identity_check(evidence->runtime, &evidence->identity, diag));
    *out = (struct lb_ctl_evidence_port){evidence, brokers, digests, entries, close_evidence};
    evidence = NULL;
    return LB_OK;
}
