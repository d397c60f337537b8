#include "gateway/services/digest_service.h"

#include <string.h>

#include "gateway/evidence/gather.h"
#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

void lb_digest_service_init(struct lb_digest_service *service)
{
    (void)pthread_mutex_init(&service->reading, NULL);
}

void lb_digest_service_cleanup(struct lb_digest_service *service)
{
    (void)pthread_mutex_destroy(&service->reading);
}

/* --- who has a part in what --- */

/* An adapter's entries do not say which broker sent the read, so they are shown to a broker only
 * where there is no other. */
static const struct lb_node *only_broker(const struct lb_directory *directory)
{
    const struct lb_node *only = NULL;
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind != LB_NODE_BROKER)
            continue;
        if (only != NULL)
            return NULL;
        only = node;
    }
    return only;
}

static bool is_of(const struct lb_node *caller, const char *organization)
{
    return caller->kind == LB_NODE_OFFICER && strcmp(caller->organization, organization) == 0;
}

static bool may_see_adapter(const struct lb_directory *directory, const struct lb_node *caller)
{
    const struct lb_node *broker = only_broker(directory);
    return broker != NULL && (caller == broker || is_of(caller, broker->organization));
}

/* The adapters whose reads a caller may see at the broker. */
static lb_status adapters_of(const struct lb_directory *directory, const struct lb_node *caller,
                             struct lb_arena *arena, struct lb_reconcile_scope *out)
{
    struct lb_hash *counterparts =
        lb_arena_array(arena, directory->num_nodes, sizeof(*counterparts));
    size_t num = 0;
    LB_ENSURE(counterparts != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < directory->num_nodes; i++) {
        const struct lb_node *node = &directory->nodes[i];
        if (node->kind == LB_NODE_ADAPTER && (node == caller || is_of(caller, node->organization)))
            lb_reconcile_counterpart(node->spiffe, &counterparts[num++]);
    }
    LB_ENSURE(num > 0, LB_ROLE_NOT_ALLOWED, "the caller has no part in these entries");
    *out = (struct lb_reconcile_scope){.counterparts = counterparts, .num_counterparts = num};
    return LB_OK;
}

static lb_status judge(const struct lb_directory *directory, const char *self, const char *peer,
                       struct lb_arena *arena, struct lb_reconcile_scope *out)
{
    const struct lb_node *own = lb_directory_node(directory, self);
    const struct lb_node *caller = lb_directory_node(directory, peer);
    LB_ENSURE(own != NULL && caller != NULL, LB_ROLE_NOT_ALLOWED, "not a listed member");
    *out = (struct lb_reconcile_scope){.all = true};
    if (is_of(caller, own->organization))
        return LB_OK;
    if (own->kind == LB_NODE_BROKER)
        return adapters_of(directory, caller, arena, out);
    LB_ENSURE(own->kind == LB_NODE_ADAPTER && may_see_adapter(directory, caller),
              LB_ROLE_NOT_ALLOWED, "the caller has no part in these entries");
    return LB_OK;
}

static lb_status find_scope(const struct lb_digest_service *service, const char *peer,
                            struct lb_arena *arena, struct lb_reconcile_scope *out)
{
    struct lb_directory *directory = lb_trust_directory(service->trust);
    lb_status status = judge(directory, service->self, peer, arena, out);
    lb_directory_unref(directory);
    if (status != LB_OK)
        lb_log_count_denial(service->log, peer, lb_code_outer(status->code));
    return status;
}

/* --- answers --- */

/* One at a time: a scan costs more than any other call, and nobody needs two. */
static lb_status begin(struct lb_digest_service *service, struct lb_log_reader **out_reader)
{
    struct lb_diag diag;
    LB_ENSURE(pthread_mutex_trylock(&service->reading) == 0, LB_BUSY,
              "another member's question is being answered");
    lb_status status = lb_log_reader_open(service->folder, &diag, out_reader);
    if (status != LB_OK)
        (void)pthread_mutex_unlock(&service->reading);
    return status;
}

static void end(struct lb_digest_service *service, struct lb_log_reader *reader)
{
    lb_log_reader_close(reader);
    (void)pthread_mutex_unlock(&service->reading);
}

static lb_status get_digests(void *ctx, const struct lb_rpc_call_info *info,
                             struct lb_span request, struct lb_arena *arena,
                             struct lb_span *reply)
{
    struct lb_digest_service *service = ctx;
    Lianban__V1__GetDigestsRequest *ask = NULL;
    struct lb_reconcile_scope scope;
    struct lb_log_reader *reader = NULL;
    LB_TRY(find_scope(service, info->peer->spiffe, arena, &scope));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_digests_request__descriptor, request, arena, &ask));
    LB_TRY(begin(service, &reader));
    lb_status status =
        lb_reconcile_answer_digests(reader, &scope, ask->from_minute, ask->to_minute,
                                    lb_clock_unix_ms(service->clock), arena, reply);
    end(service, reader);
    return status;
}

static lb_status get_entries(void *ctx, const struct lb_rpc_call_info *info,
                             struct lb_span request, struct lb_arena *arena,
                             struct lb_span *reply)
{
    struct lb_digest_service *service = ctx;
    Lianban__V1__GetDigestEntriesRequest *ask = NULL;
    struct lb_reconcile_scope scope;
    struct lb_log_reader *reader = NULL;
    LB_TRY(find_scope(service, info->peer->spiffe, arena, &scope));
    LB_TRY(lb_pb_unpack(&lianban__v1__get_digest_entries_request__descriptor, request, arena,
                        &ask));
    LB_TRY(begin(service, &reader));
    lb_status status = lb_reconcile_answer_entries(reader, &scope, ask->minute, ask->from_index,
                                                   arena, reply);
    end(service, reader);
    return status;
}

void lb_digest_service_methods(struct lb_digest_service *service,
                               struct lb_rpc_method out[LB_DIGEST_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetDigests",
                                    .unary = get_digests, .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetDigestEntries",
                                    .unary = get_entries, .ctx = service};
}
