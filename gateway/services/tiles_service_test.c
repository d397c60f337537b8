#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/file.h"
#include "gateway/evidence/link.h"
#include "gateway/evidence/tlog.h"
#include "gateway/services/tiles_service.h"
#include "gateway/wire/pb.h"
#include "tests/support/federation.h"

/* A running log read in bulk: who may, how much at once, and that it hashes to the checkpoint. */

#define ADAPTER "spiffe://test.gov/adapter/tax"
#define AUDITOR "spiffe://test.gov/auditor/audit"
#define OFFICER "spiffe://test.gov/officer/tax/li"
#define FOREIGN "spiffe://test.gov/officer/health/zhou"
#define WINDOW "spiffe://test.gov/window/hall"
#define NUM_ENTRIES 300U

struct ground {
    struct federation fed;
    struct fed_party adapter;
    struct fed_party others;
    struct lb_log *log;
    struct lb_tiles_service service;
    struct lb_rpc_method methods[LB_TILES_METHODS];
    struct lb_checkpoint checkpoint;
};

static void done(struct lb_log_entry *entry, lb_status status)
{
    *(size_t *)entry->owner += status == LB_OK;
}

static void fill(struct lb_log *log)
{
    struct lb_log_entry *entries = calloc(NUM_ENTRIES, sizeof(*entries));
    struct lb_log_entry *last = calloc(1, sizeof(*last));
    size_t num = 0;
    for (size_t i = 0; i + 1 < NUM_ENTRIES; i++) {
        entries[i].leaf.type = LB_LEAF_READ;
        (void)snprintf(entries[i].leaf.code, sizeof(entries[i].leaf.code), "ANSWERED");
        entries[i].leaf.txn[0] = (uint8_t)i;
        entries[i].done = done;
        entries[i].owner = &num;
        assert_ok(lb_log_append(log, &entries[i]));
    }
    last->leaf.type = LB_LEAF_ADMIN;
    (void)snprintf(last->leaf.code, sizeof(last->leaf.code), "STARTED");
    assert_ok(lb_log_append_wait(log, last));
    assert_int_equal(num, NUM_ENTRIES - 1);
    free(entries);
    free(last);
}

static void open_log(struct ground *ground)
{
    struct lb_diag diag = {""};
    struct lb_log_head head;
    const struct lb_log_options options = {
        .folder = fed_path(&ground->fed, "log"),
        .origin = lb_spiffe_log_origin(ADAPTER),
        .key = ground->adapter.log_key,
        .clock = lb_clock_system(),
        .create = true,
    };
    assert_ok(lb_file_mkdirs(options.folder));
    assert_ok(lb_log_open(&options, &diag, &ground->log));
    fill(ground->log);
    assert_ok(lb_log_head(ground->log, ground->fed.arena, &head));
    ground->checkpoint.size = head.size;
    ground->checkpoint.root = head.root;
}

static int setup(void **state)
{
    static struct ground ground;
    static const char *const organizations[] = {"tax", "health", "audit", "hall", NULL};
    const struct fed_node nodes[] = {
        {ADAPTER, &ground.adapter}, {AUDITOR, &ground.others}, {OFFICER, &ground.others},
        {FOREIGN, &ground.others},  {WINDOW, &ground.others},
    };
    const struct fed_options options = {
        .nodes = nodes, .num_nodes = 5, .organizations = organizations};
    fed_setup(&ground.fed, "tiles");
    fed_party_make(&ground.adapter);
    fed_party_make(&ground.others);
    fed_open(&ground.fed, &options);
    open_log(&ground);
    ground.service = (struct lb_tiles_service){ground.log, ground.fed.trust, ADAPTER};
    lb_tiles_service_methods(&ground.service, ground.methods);
    *state = &ground;
    return 0;
}

static int teardown(void **state)
{
    struct ground *ground = *state;
    lb_log_close(ground->log);
    fed_party_free(&ground->adapter);
    fed_party_free(&ground->others);
    fed_teardown(&ground->fed);
    return 0;
}

static lb_status call(struct ground *ground, size_t which, const char *peer, const void *request,
                      const ProtobufCMessageDescriptor *kind, void *out)
{
    const struct lb_rpc_peer caller = {.spiffe = peer};
    const struct lb_rpc_call_info info = {.method = ground->methods[which].path, .peer = &caller};
    struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES); /* what a call has */
    struct lb_span bytes, reply = LB_SPAN_EMPTY;
    assert_ok(lb_pb_pack(request, arena, &bytes));
    lb_status status =
        ground->methods[which].unary(ground->methods[which].ctx, &info, bytes, arena, &reply);
    if (status == LB_OK)
        assert_ok(lb_pb_unpack(kind, reply, ground->fed.arena, out));
    lb_arena_free(arena);
    return status;
}

static lb_status get_tile(struct ground *ground, uint32_t level, uint64_t n, uint32_t width,
                          struct lb_hash *out_hashes)
{
    Lianban__V1__GetTileRequest request = LIANBAN__V1__GET_TILE_REQUEST__INIT;
    Lianban__V1__GetTileResponse *response = NULL;
    request.level = level;
    request.index = n;
    request.width = width;
    LB_TRY(call(ground, 0, WINDOW, &request, &lianban__v1__get_tile_response__descriptor,
                &response));
    assert_int_equal(response->hashes.len, width * sizeof(*out_hashes));
    memcpy(out_hashes, response->hashes.data, response->hashes.len);
    return LB_OK;
}

static lb_status get_entries(struct ground *ground, const char *peer, uint64_t index,
                             uint32_t count, struct lb_span *out)
{
    Lianban__V1__GetEntriesRequest request = LIANBAN__V1__GET_ENTRIES_REQUEST__INIT;
    Lianban__V1__GetEntriesResponse *response = NULL;
    request.index = index;
    request.count = count;
    LB_TRY(call(ground, 1, peer, &request, &lianban__v1__get_entries_response__descriptor,
                &response));
    *out = lb_pb_span(response->entries);
    return LB_OK;
}

/* --- the walk of an auditor --- */

static lb_status walk_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                           struct lb_hash *out_hashes)
{
    return get_tile(ctx, level, n, width, out_hashes);
}

static lb_status walk_bundle(void *ctx, uint64_t n, unsigned width, struct lb_arena *arena,
                             struct lb_span *out_bundle)
{
    (void)arena;
    return get_entries(ctx, AUDITOR, n * LB_TLOG_WIDTH, width, out_bundle);
}

static void what_is_served_hashes_to_the_checkpoint(void **state)
{
    struct ground *ground = *state;
    const struct lb_tlog_source source = {ground, walk_tile, walk_bundle};
    struct lb_diag diag;
    assert_int_equal(ground->checkpoint.size, NUM_ENTRIES);
    assert_ok(lb_tlog_walk(&ground->checkpoint, 0, &source, NULL, &diag));
}

static void only_reviewers_get_entries(void **state)
{
    struct ground *ground = *state;
    static const char *const strangers[] = {FOREIGN, WINDOW, ADAPTER, "spiffe://test.gov/auditor/x",
                                            "", "nobody"};
    struct lb_span entries;
    assert_ok(get_entries(ground, AUDITOR, 0, 1, &entries));
    assert_ok(get_entries(ground, OFFICER, 0, 1, &entries));
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
        assert_code(lb_status_code(get_entries(ground, strangers[i], 0, 1, &entries)),
                    LB_ROLE_NOT_ALLOWED);
    ground->service.spiffe = "spiffe://test.gov/adapter/unlisted";
    assert_code(lb_status_code(get_entries(ground, OFFICER, 0, 1, &entries)),
                LB_ROLE_NOT_ALLOWED);
    ground->service.spiffe = ADAPTER;
}

/* --- proofs --- */

static lb_status get_proof(struct ground *ground, const char *peer, uint64_t index, uint64_t size,
                           struct lb_span hash, Lianban__V1__EntryProof **out)
{
    Lianban__V1__GetProofRequest request = LIANBAN__V1__GET_PROOF_REQUEST__INIT;
    request.index = index;
    request.size = size;
    request.leaf_hash = lb_pb_bytes(hash);
    return call(ground, 2, peer, &request, &lianban__v1__entry_proof__descriptor, out);
}

static struct lb_span hash_of(struct ground *ground, uint64_t index, struct lb_span *out_leaf)
{
    struct lb_hash *hash = lb_arena_alloc(ground->fed.arena, sizeof(*hash));
    assert_non_null(hash);
    assert_ok(lb_log_leaf(ground->log, index, ground->fed.arena, out_leaf));
    lb_merkle_leaf(*out_leaf, hash);
    return lb_span_of(hash->bytes, sizeof(hash->bytes));
}

/* The path without the leaf; with the leaf the member has, it holds. */
static void who_knows_an_entry_gets_its_proof(void **state)
{
    struct ground *ground = *state;
    static const char *const members[] = {WINDOW, FOREIGN, ADAPTER};
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_leaf leaf;
    struct lb_hash found;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct lb_span bytes;
        struct lb_span hash = hash_of(ground, 70 + i, &bytes);
        assert_ok(get_proof(ground, members[i], 70 + i, 0, hash, &proof));
        assert_int_equal(proof->leaf.len, 0);
        assert_int_equal(proof->index, 70 + i);
        proof->leaf = lb_pb_bytes(bytes);
        assert_ok(lb_link_verify(proof, &ground->checkpoint, &leaf, &found));
        proof->leaf = lb_pb_bytes(LB_SPAN_EMPTY);
        assert_ok(get_proof(ground, members[i], 70 + i, 71 + i, hash, &proof));
        proof->leaf = lb_pb_bytes(LB_SPAN_EMPTY);
    }
}

/* Nobody turns numbers, or the hashes of a tile, into entries. */
static void who_does_not_know_an_entry_gets_nothing(void **state)
{
    struct ground *ground = *state;
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_span bytes;
    struct lb_span hash = hash_of(ground, 3, &bytes);
    static const char *const strangers[] = {FOREIGN, WINDOW, ADAPTER, "", "nobody"};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
        assert_code(lb_status_code(get_proof(ground, strangers[i], 3, 0, LB_SPAN_EMPTY, &proof)),
                    LB_ROLE_NOT_ALLOWED);
    assert_code(lb_status_code(get_proof(ground, WINDOW, 4, 0, hash, &proof)), LB_MALFORMED);
    hash.len--;
    assert_code(lb_status_code(get_proof(ground, WINDOW, 3, 0, hash, &proof)), LB_MALFORMED);
    assert_code(lb_status_code(get_proof(ground, OFFICER, 3, 0, hash, &proof)), LB_MALFORMED);
    hash.len++;
    assert_code(lb_status_code(get_proof(ground, WINDOW, 3, 3, hash, &proof)), LB_MALFORMED);
    assert_code(lb_status_code(get_proof(ground, WINDOW, 3, NUM_ENTRIES + 1000, hash, &proof)),
                LB_MALFORMED);
    assert_code(lb_status_code(get_proof(ground, AUDITOR, UINT64_MAX, 0, LB_SPAN_EMPTY, &proof)),
                LB_MALFORMED);
}

static void reviewers_get_the_entry_with_its_proof(void **state)
{
    struct ground *ground = *state;
    static const char *const readers[] = {AUDITOR, OFFICER};
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_leaf leaf;
    struct lb_hash found;
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        assert_ok(get_proof(ground, readers[i], 5, ground->checkpoint.size, LB_SPAN_EMPTY,
                            &proof));
        assert_ok(lb_link_verify(proof, &ground->checkpoint, &leaf, &found));
        assert_string_equal(leaf.code, "ANSWERED");
    }
}

static void requests_are_bounded(void **state)
{
    struct ground *ground = *state;
    struct lb_hash hashes[LB_TLOG_WIDTH];
    struct lb_span entries;
    static const struct {
        uint32_t level;
        uint64_t n;
        uint32_t width;
    } tiles[] = {
        {0, 0, 0},   {0, 0, 257}, {0, 0, UINT32_MAX}, {0, 1, 256}, {0, 1, 45},       {0, 2, 1},
        {1, 0, 2},   {1, 1, 1},   {2, 0, 1},          {7, 0, 1},   {UINT32_MAX, 0, 1},
        {0, UINT64_MAX, 1},       {6, UINT64_MAX, 1},
    };
    for (size_t i = 0; i < sizeof(tiles) / sizeof(tiles[0]); i++)
        assert_code(lb_status_code(get_tile(ground, tiles[i].level, tiles[i].n, tiles[i].width,
                                            hashes)),
                    LB_MALFORMED);
    assert_ok(get_tile(ground, 0, 0, 17, hashes)); /* as in a smaller tree */
    assert_code(lb_status_code(get_entries(ground, AUDITOR, 0, 0, &entries)), LB_MALFORMED);
    assert_code(lb_status_code(get_entries(ground, AUDITOR, 0, 257, &entries)), LB_MALFORMED);
    assert_code(lb_status_code(get_entries(ground, AUDITOR, 0, UINT32_MAX, &entries)),
                LB_MALFORMED);
    assert_code(lb_status_code(get_entries(ground, AUDITOR, 1000, 1, &entries)), LB_MALFORMED);
    assert_code(lb_status_code(get_entries(ground, AUDITOR, UINT64_MAX, 2, &entries)),
                LB_MALFORMED);
    struct lb_hash leaves[LB_TLOG_WIDTH];
    assert_ok(get_entries(ground, AUDITOR, 256, 44, &entries));
    assert_ok(lb_tlog_bundle_hashes(entries, 44, leaves));
    assert_ok(lb_log_entries(ground->log, 0, 256, 1000, ground->fed.arena, &entries));
    assert_true(entries.len >= 1000 && entries.len < 1000 + 2 + LB_MAX_LEAF_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_served_hashes_to_the_checkpoint),
        cmocka_unit_test(only_reviewers_get_entries),
        cmocka_unit_test(who_knows_an_entry_gets_its_proof),
        cmocka_unit_test(who_does_not_know_an_entry_gets_nothing),
        cmocka_unit_test(reviewers_get_the_entry_with_its_proof),
        cmocka_unit_test(requests_are_bounded),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
