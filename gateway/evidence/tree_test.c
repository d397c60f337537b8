#include <stdio.h>
#include <stdlib.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/test_util.h"
#include "gateway/evidence/tree.h"

#define NUM_LARGE 70000U
#define MAX_TILES 300

/* Full tiles and leaf hashes in memory, as a store would keep them. */
struct memory {
    struct lb_hash tiles[2][MAX_TILES][LB_TILE_HASHES];
    bool have[2][MAX_TILES];
    struct lb_hash leaves[NUM_LARGE];
    size_t num_loads;
};

static lb_status load_tile(void *context, unsigned level, uint64_t n, struct lb_hash *out_hashes)
{
    struct memory *memory = context;
    LB_ENSURE(level < 2 && n < MAX_TILES && memory->have[level][n], LB_ABSENT, "no such tile");
    memcpy(out_hashes, memory->tiles[level][n], sizeof(memory->tiles[level][n]));
    memory->num_loads++;
    return LB_OK;
}

static lb_status load_leaf(void *context, uint64_t index, struct lb_hash *out_hash)
{
    *out_hash = ((struct memory *)context)->leaves[index];
    return LB_OK;
}

static lb_status keep_tile(void *context, unsigned level, uint64_t n, const struct lb_hash *hashes)
{
    struct memory *memory = context;
    LB_ENSURE(level < 2 && n < MAX_TILES && !memory->have[level][n], LB_STORE_CONFLICT, "twice");
    memcpy(memory->tiles[level][n], hashes, sizeof(memory->tiles[level][n]));
    memory->have[level][n] = true;
    return LB_OK;
}

struct bench {
    struct memory *memory;
    struct lb_tree *tree;
    struct lb_arena *arena;
};

static struct lb_tree_source source_of(struct memory *memory)
{
    return (struct lb_tree_source){load_tile, load_leaf, memory};
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->memory = calloc(1, sizeof(*bench->memory));
    bench->arena = lb_arena_new(64 * 1024 * 1024);
    struct lb_tree_source source = source_of(bench->memory);
    assert_ok(lb_tree_new(&source, &bench->tree));
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    lb_tree_free(bench->tree);
    lb_arena_free(bench->arena);
    free(bench->memory);
    free(bench);
    return 0;
}

static void add(struct bench *bench, const char *text)
{
    const struct lb_tree_sink sink = {keep_tile, bench->memory};
    struct lb_hash hash;
    lb_merkle_leaf(lb_span_str(text), &hash);
    bench->memory->leaves[lb_tree_size(bench->tree)] = hash;
    assert_ok(lb_tree_add(bench->tree, &hash, &sink));
}

static void grow_to(struct bench *bench, uint64_t size)
{
    while (lb_tree_size(bench->tree) < size) {
        char text[32];
        (void)snprintf(text, sizeof(text), "leaf %llu",
                       (unsigned long long)lb_tree_size(bench->tree));
        add(bench, text);
    }
}

static void assert_root(struct lb_tree *tree, uint64_t size, const char *b64)
{
    struct lb_hash root;
    assert_ok(lb_tree_root(tree, size, &root));
    assert_hash(&root, hash_of_b64(b64));
}

/* tessera's testdata/log: sixteen words. */
static const char *const WORDS[] = {"one",    "two",    "three",   "four",   "five",
                                    "six",    "seven",  "eit",     "nain",   "ten",
                                    "ileven", "twelf",  "threeten", "fourten", "fivten"};

static void the_tessera_log(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        add(bench, WORDS[i]);
    assert_root(bench->tree, 0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    assert_root(bench->tree, 1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=");
    assert_root(bench->tree, 2, "T1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=");
    assert_root(bench->tree, 3, "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=");
    assert_root(bench->tree, 4, "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=");
    assert_root(bench->tree, 5, "gy5gl3aksFyiCO95a/1vLXz88A3dRq+0l9Sxte8ZqZQ=");
    assert_root(bench->tree, 8, "bC+VwvrJbalNVjfkdI8kUgs7mJoXrqiXCE7bgnD28pY=");
    assert_root(bench->tree, 15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=");
    static const char *const inclusion[] = {
        "ThcgoV2DYcK+VCxBUDWAlNxmLy2r7dq7dK7+OlgQKWs=",
        "ycRkkNklus5eMVRUvkD1pK321vMrA+jjOiZKU8aOcY4=",
        "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
        "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=",
    };
    static const char *const consistency[] = {
        "ycRkkNklus5eMVRUvkD1pK321vMrA+jjOiZKU8aOcY4=",
        "nk9gCR+floFqznAPtqjjcnnV64dge2jQB95D5t164Hg=",
        "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=",
        "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks=",
    };
    struct lb_hash *path;
    size_t num = 0;
    assert_ok(lb_tree_inclusion(bench->tree, 6, 15, bench->arena, &path, &num));
    assert_int_equal(num, 4);
    for (size_t i = 0; i < num; i++)
        assert_hash(&path[i], hash_of_b64(inclusion[i]));
    assert_ok(lb_tree_consistency(bench->tree, 6, 15, bench->arena, &path, &num));
    assert_int_equal(num, 4);
    for (size_t i = 0; i < num; i++)
        assert_hash(&path[i], hash_of_b64(consistency[i]));
}

static void assert_large_roots(struct lb_tree *tree)
{
    assert_root(tree, 255, "1xWSohnUBnZj7t4kf5tUw/ngKQaC1V3gm0lbB/HeQck=");
    assert_root(tree, 256, "z17/2xHQknou31Ow5zx4N/ZZQU4AU32l2Q61xMSf8nQ=");
    assert_root(tree, 257, "hVuTaqAMuYtRFEhCSa0514pr6TYj4mwB6OSH3AIYSlo=");
    assert_root(tree, 1000, "L/M/udjxT4nKMGKJYzM2oWj/P0Uy6PdBoAGdy0wdYKE=");
    assert_root(tree, 65536, "4QC6VNaakQEvwTt4kP6seNaZaglyaLb3NdFzEcdAKmA=");
    assert_root(tree, 65537, "aJsidCyrKt6za6Yi/yc2M2RkhY9d5KLALzO/Fj59yl8=");
    assert_root(tree, 70000, "2gUy/3su5W9AZxEPyWTp8ntZWflSe//z+lAap1hN6vM=");
}

static void assert_tile(struct lb_tree *tree, unsigned level, uint64_t n, size_t width,
                        const char *sha256)
{
    struct lb_hash hashes[LB_TILE_HASHES];
    struct lb_hash digest;
    size_t num = 0;
    assert_ok(lb_tree_tile(tree, level, n, hashes, &num));
    assert_int_equal(num, width);
    lb_sha256(lb_span_of(hashes, num * LB_HASH_BYTES), digest.bytes);
    assert_hash(&digest, hash_of_hex(sha256));
}

static void assert_large_tiles(struct lb_tree *tree)
{
    assert_tile(tree, 0, 0, 256,
                "3658d44ebeb979b996b87ac966392dffbe9a628e34cb70bbff0ba844e74c31c6");
    assert_tile(tree, 0, 273, 112,
                "a8e4ee4e4f31c2fac9bb546b9b57c22f6c92e15c11adee487d09ebc926ab3ad7");
    assert_tile(tree, 1, 0, 256,
                "7b8fc3b25031a7c9b1a317c9453f6f293b414e958d0e80a765be6f00930c3984");
    assert_tile(tree, 1, 1, 17,
                "f1b11556adcce30fcd3fca6ef542ccf6a4319ab92143fb7c8f6c8f1d2e08209e");
    assert_tile(tree, 2, 0, 1,
                "d84406334bc5243eb04ecd6b99e64380d67aaa2b2880a838a123e1b539927708");
    struct lb_hash hashes[LB_TILE_HASHES];
    size_t num = 0;
    assert_code(lb_tree_tile(tree, 0, 274, hashes, &num), LB_ABSENT);
    assert_code(lb_tree_tile(tree, 3, 0, hashes, &num), LB_ABSENT);
    assert_code(lb_tree_tile(tree, LB_TREE_LEVELS, 0, hashes, &num), LB_ABSENT);
}

static void seventy_thousand_leaves(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, NUM_LARGE);
    assert_large_roots(bench->tree);
    assert_large_tiles(bench->tree);
    struct lb_hash *path;
    size_t num = 0;
    assert_ok(lb_tree_inclusion(bench->tree, 65536, 70000, bench->arena, &path, &num));
    assert_int_equal(num, 14);
    assert_ok(lb_tree_consistency(bench->tree, 1000, 70000, bench->arena, &path, &num));
    assert_int_equal(num, 15);
}

static void a_restored_tree_is_the_same_and_grows_on(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, NUM_LARGE);
    static const uint64_t sizes[] = {0, 1, 255, 256, 257, 511, 512, 65535, 65536, 65537, 69999};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct lb_tree_source source = source_of(bench->memory);
        struct lb_tree *again;
        assert_ok(lb_tree_new(&source, &again));
        assert_ok(lb_tree_restore(again, sizes[i]));
        struct lb_merkle_frontier frontier;
        lb_tree_frontier(again, &frontier);
        for (uint64_t at = sizes[i]; at < sizes[i] + 600 && at < NUM_LARGE; at++) {
            struct lb_hash want;
            struct lb_hash got;
            assert_ok(lb_tree_root(bench->tree, at, &want));
            assert_ok(lb_tree_root(again, at, &got));
            assert_hash(&got, want);
            lb_merkle_frontier_root(&frontier, &got);
            assert_hash(&got, want);
            assert_ok(lb_tree_add(again, &bench->memory->leaves[at], NULL));
            lb_merkle_frontier_add(&frontier, &bench->memory->leaves[at]);
        }
        lb_tree_free(again);
    }
}

static void check_proofs(struct bench *bench, uint64_t a, uint64_t b)
{
    struct lb_hash *path;
    size_t num = 0;
    struct lb_hash first;
    struct lb_hash second;
    assert_ok(lb_tree_root(bench->tree, a, &first));
    assert_ok(lb_tree_root(bench->tree, b, &second));
    if (a < b) {
        assert_ok(lb_tree_inclusion(bench->tree, a, b, bench->arena, &path, &num));
        assert_ok(lb_merkle_verify_inclusion(&bench->memory->leaves[a], a, b, path, num, &second));
    }
    assert_ok(lb_tree_consistency(bench->tree, a, b, bench->arena, &path, &num));
    if (a > 0)
        assert_ok(lb_merkle_verify_consistency(a, &first, b, &second, path, num));
}

static void every_small_proof_verifies(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, 70);
    for (uint64_t b = 1; b <= 70; b++) {
        for (uint64_t a = 0; a <= b; a++)
            check_proofs(bench, a, b);
        lb_arena_reset(bench->arena);
    }
}

static void proofs_across_tile_edges_verify(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, NUM_LARGE);
    static const uint64_t at[] = {1,    2,    127,   128,   255,   256,   257,   511,  512,
                                  513,  4095, 4096,  65279, 65280, 65535, 65536, 65537, 65791,
                                  65792, 69887, 69888, 69999, 70000};
    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        for (size_t j = i; j < sizeof(at) / sizeof(at[0]); j++)
            check_proofs(bench, at[i], at[j]);
        lb_arena_reset(bench->arena);
    }
}

/* A proof reads at most two tiles a level, however long the tree is. */
static void a_proof_reads_few_tiles(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, NUM_LARGE);
    struct lb_hash *path;
    size_t num = 0;
    bench->memory->num_loads = 0;
    assert_ok(lb_tree_inclusion(bench->tree, 12345, 69000, bench->arena, &path, &num));
    assert_true(bench->memory->num_loads <= 4);
}

static void impossible_proofs_are_refused(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, 10);
    struct lb_hash *path = NULL;
    size_t num = 77;
    struct lb_hash root;
    assert_code(lb_tree_inclusion(bench->tree, 5, 5, bench->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_tree_inclusion(bench->tree, 0, 0, bench->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_tree_inclusion(bench->tree, 5, 11, bench->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_tree_consistency(bench->tree, 5, 11, bench->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_tree_consistency(bench->tree, 6, 5, bench->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_tree_root(bench->tree, 11, &root), LB_MALFORMED);
    assert_null(path);
    assert_int_equal(num, 77);
    assert_ok(lb_tree_consistency(bench->tree, 0, 10, bench->arena, &path, &num));
    assert_int_equal(num, 0);
    assert_ok(lb_tree_consistency(bench->tree, 10, 10, bench->arena, &path, &num));
    assert_int_equal(num, 0);
}

/* A tree that only follows proves all that the other proves, however far it lagged. */
static void a_tree_follows_another(void **state)
{
    static const uint64_t sizes[] = {1,   2,   3,   7,   130, 255,   256,   257,
                                     300, 383, 511, 513, 514, 65536, 65537, 69999};
    struct bench *bench = *state;
    struct lb_tree_source source = source_of(bench->memory);
    struct lb_tree *tree;
    assert_ok(lb_tree_new(&source, &tree));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        grow_to(bench, sizes[i]);
        assert_ok(lb_tree_follow(tree, bench->tree));
        assert_int_equal(lb_tree_size(tree), sizes[i]);
        for (uint64_t size = sizes[i]; size > 0; size /= 3) {
            struct lb_hash ours, theirs;
            assert_ok(lb_tree_root(tree, size, &ours));
            assert_ok(lb_tree_root(bench->tree, size, &theirs));
            assert_memory_equal(&ours, &theirs, sizeof(ours));
        }
    }
    assert_ok(lb_tree_follow(tree, bench->tree));
    lb_tree_free(tree);
}

/* A hole in what the source keeps is told, never papered over. */
static void a_missing_tile_is_told(void **state)
{
    struct bench *bench = *state;
    grow_to(bench, 20000);
    bench->memory->have[0][3] = false;
    struct lb_hash *path;
    size_t num = 0;
    assert_code(lb_tree_inclusion(bench->tree, 3 * 256 + 5, 20000, bench->arena, &path, &num),
                LB_ABSENT);
    struct lb_tree_source source = source_of(bench->memory);
    struct lb_tree *again;
    assert_ok(lb_tree_new(&source, &again));
    assert_code(lb_tree_restore(again, 20000), LB_ABSENT);
    lb_tree_free(again);
}

#define TREE_TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(the_tessera_log),
        TREE_TEST(seventy_thousand_leaves),
        TREE_TEST(a_restored_tree_is_the_same_and_grows_on),
        TREE_TEST(every_small_proof_verifies),
        TREE_TEST(proofs_across_tile_edges_verify),
        TREE_TEST(a_proof_reads_few_tiles),
        TREE_TEST(impossible_proofs_are_refused),
        TREE_TEST(a_tree_follows_another),
        TREE_TEST(a_missing_tile_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
