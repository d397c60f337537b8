#include "gateway/services/tiles_service.h"

#include "gateway/evidence/link.h"
#include "gateway/evidence/tlog.h"
#include "gateway/wire/pb.h"

#define MAX_ENTRIES_BYTES (LB_MAX_MESSAGE_BYTES / 2)

/* Auditors review every log, an officer those of the own organization. Leaves hold no personal
 * data, but all of them together tell who works how much with whom. */
static bool reviews(struct lb_directory *directory, const char *peer, const char *own)
{
    const struct lb_node *reader = lb_directory_node(directory, peer);
    const struct lb_node *node = lb_directory_node(directory, own);
    if (reader == NULL || node == NULL)
        return false;
    if (reader->kind == LB_NODE_AUDITOR)
        return true;
    return reader->kind == LB_NODE_OFFICER &&
           strcmp(reader->organization, node->organization) == 0;
}

static bool is_reviewer(const struct lb_tiles_service *service,
                        const struct lb_rpc_call_info *info)
{
    struct lb_directory *directory = lb_trust_directory(service->trust);
    bool is = reviews(directory, info->peer->spiffe, service->spiffe);
    lb_directory_unref(directory);
    return is;
}

static lb_status refuse_reader(const struct lb_tiles_service *service,
                               const struct lb_rpc_call_info *info)
{
    lb_log_count_denial(service->log, info->peer->spiffe, LB_ROLE_NOT_ALLOWED);
    LB_FAIL(LB_ROLE_NOT_ALLOWED, "this member does not review this log");
}

static bool is_known(struct lb_span hash, struct lb_span leaf)
{
    struct lb_hash own;
    lb_merkle_leaf(leaf, &own);
    return lb_span_eq(hash, lb_span_of(own.bytes, sizeof(own.bytes)));
}

/* A proof tells nothing to who knows the entry; the entry itself is for those who review. */
static lb_status get_proof(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                           struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_tiles_service *service = ctx;
    bool reviewer = is_reviewer(service, info);
    Lianban__V1__GetProofRequest *ask = NULL;
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_log_head head;
    struct lb_span leaf = LB_SPAN_EMPTY;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_proof_request__descriptor, request, arena, &ask));
    struct lb_span hash = lb_pb_span(ask->leaf_hash);
    if (!reviewer && hash.len == 0)
        return refuse_reader(service, info);
    LB_TRY(lb_log_head(service->log, arena, &head));
    uint64_t size = ask->size == 0 ? head.size : ask->size;
    LB_ENSURE(size <= head.size && ask->index < size, LB_MALFORMED, "no such entry in that tree");
    LB_TRY(lb_log_leaf(service->log, ask->index, arena, &leaf));
    LB_ENSURE(hash.len == 0 || is_known(hash, leaf), LB_MALFORMED, "no such entry in that tree");
    LB_TRY(lb_link_prove(service->log, ask->index, reviewer ? leaf : LB_SPAN_EMPTY, size, arena,
                         &proof));
    return lb_pb_pack(proof, arena, reply);
}

static lb_status get_tile(void *ctx, const struct lb_rpc_call_info *info, struct lb_span request,
                          struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_tiles_service *service = ctx;
    Lianban__V1__GetTileRequest *ask = NULL;
    Lianban__V1__GetTileResponse response = LIANBAN__V1__GET_TILE_RESPONSE__INIT;
    struct lb_hash hashes[LB_TLOG_WIDTH];
    (void)info;
    LB_TRY(lb_pb_unpack(&lianban__v1__get_tile_request__descriptor, request, arena, &ask));
    LB_TRY(lb_log_tile(service->log, ask->level, ask->index, ask->width, hashes));
    response.hashes = lb_pb_bytes(lb_span_of(hashes, ask->width * sizeof(hashes[0])));
    return lb_pb_pack(&response, arena, reply);
}

static lb_status get_entries(void *ctx, const struct lb_rpc_call_info *info,
                             struct lb_span request, struct lb_arena *arena, struct lb_span *reply)
{
    const struct lb_tiles_service *service = ctx;
    Lianban__V1__GetEntriesRequest *ask = NULL;
    Lianban__V1__GetEntriesResponse response = LIANBAN__V1__GET_ENTRIES_RESPONSE__INIT;
    struct lb_span entries = LB_SPAN_EMPTY;
    if (!is_reviewer(service, info))
        return refuse_reader(service, info);
    LB_TRY(lb_pb_unpack(&lianban__v1__get_entries_request__descriptor, request, arena, &ask));
    LB_TRY(lb_log_entries(service->log, ask->index, ask->count, MAX_ENTRIES_BYTES, arena,
                          &entries));
    response.entries = lb_pb_bytes(entries);
    return lb_pb_pack(&response, arena, reply);
}

void lb_tiles_service_methods(struct lb_tiles_service *service,
                              struct lb_rpc_method out[LB_TILES_METHODS])
{
    out[0] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetTile", .unary = get_tile,
                                    .ctx = service};
    out[1] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetEntries",
                                    .unary = get_entries, .ctx = service};
    out[2] = (struct lb_rpc_method){.path = "/lianban.v1.Evidence/GetProof", .unary = get_proof,
                                    .ctx = service};
}
