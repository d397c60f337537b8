#include <stdio.h>
#include <stdlib.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/test_util.h"
#include "gateway/evidence/tlog.h"

/* --- paths --- */

static void assert_tile_path(unsigned level, uint64_t n, unsigned width, const char *want)
{
    struct lb_tlog_path path;
    assert_ok(lb_tlog_tile_path(level, n, width, &path));
    assert_string_equal(path.text, want);
}

static void assert_bundle_path(uint64_t n, unsigned width, const char *want)
{
    struct lb_tlog_path path;
    assert_ok(lb_tlog_bundle_path(n, width, &path));
    assert_string_equal(path.text, want);
}

/* The specification's examples and those of tessera's tests. */
static void paths_are_the_published_ones(void **state)
{
    (void)state;
    assert_tile_path(0, 0, 256, "tile/0/000");
    assert_tile_path(0, 273, 112, "tile/0/273.p/112");
    assert_tile_path(2, 0, 1, "tile/2/000.p/1");
    assert_tile_path(0, 1234067, 256, "tile/0/x001/x234/067");
    assert_tile_path(15, 455667, 256, "tile/15/x455/667");
    assert_tile_path(15, 123456789, 41, "tile/15/x123/x456/789.p/41");
    assert_tile_path(63, 999, 255, "tile/63/999.p/255");
    assert_tile_path(0, 1000, 256, "tile/0/x001/000");
    assert_tile_path(63, UINT64_MAX, 255, "tile/63/x018/x446/x744/x073/x709/x551/615.p/255");
    assert_bundle_path(123456789, 256, "tile/entries/x123/x456/789");
    assert_bundle_path(0, 255, "tile/entries/000.p/255");
    assert_bundle_path(UINT64_MAX, 255,
                       "tile/entries/x018/x446/x744/x073/x709/x551/615.p/255");
}

static void impossible_paths_are_refused(void **state)
{
    (void)state;
    struct lb_tlog_path path = {.text = "untouched"};
    assert_code(lb_tlog_tile_path(64, 0, 256, &path), LB_MALFORMED);
    assert_code(lb_tlog_tile_path(0, 0, 0, &path), LB_MALFORMED);
    assert_code(lb_tlog_tile_path(0, 0, 257, &path), LB_MALFORMED);
    assert_code(lb_tlog_bundle_path(0, 0, &path), LB_MALFORMED);
    assert_code(lb_tlog_bundle_path(0, 257, &path), LB_MALFORMED);
    assert_string_equal(path.text, "untouched");
}

static void widths_follow_the_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        unsigned level;
        uint64_t n;
        unsigned width;
    } known[] = {
        {70000, 0, 272, 256}, {70000, 0, 273, 112}, {70000, 0, 274, 0}, {70000, 1, 0, 256},
        {70000, 1, 1, 17},    {70000, 1, 2, 0},     {70000, 2, 0, 1},   {70000, 3, 0, 0},
        {256, 0, 0, 256},     {256, 0, 1, 0},       {256, 1, 0, 1},     {255, 0, 0, 255},
        {255, 1, 0, 0},       {0, 0, 0, 0},         {1, 0, 0, 1},       {1, 63, 0, 0},
        {UINT64_MAX, 7, 0, 255},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(lb_tlog_width(known[i].size, known[i].level, known[i].n),
                         known[i].width);
}

/* --- a log in memory --- */

#define MAX_LEAVES 70000U
#define MAX_LEVELS 3

/* All hashes of all levels, and entries made from their index. */
struct memory {
    uint64_t size;
    size_t num[MAX_LEVELS];
    struct lb_hash hashes[MAX_LEVELS][MAX_LEAVES];
    struct lb_merkle_frontier frontier;
    struct lb_checkpoint checkpoint;
    struct lb_arena *arena;
    struct lb_diag diag;

    /* one thing to change on the way out */
    const char *change;      /* a path; NULL for nothing */
    size_t at;               /* which byte */
    int more;                /* bytes to add to a bundle, or to cut off it */
    /* what a sink saw */
    unsigned num_tiles, num_bundles;
    uint64_t num_entries;
};

static struct lb_span entry_text(uint64_t index, char out[32])
{
    return lb_span_of(out, (size_t)snprintf(out, 32, "leaf %llu", (unsigned long long)index));
}

/* The root over the last 256 hashes of a level. */
static struct lb_hash last_root(const struct memory *memory, unsigned level)
{
    struct lb_merkle_frontier frontier;
    struct lb_hash root;
    lb_merkle_frontier_init(&frontier);
    for (size_t i = memory->num[level] - 256; i < memory->num[level]; i++)
        lb_merkle_frontier_add(&frontier, &memory->hashes[level][i]);
    lb_merkle_frontier_root(&frontier, &root);
    return root;
}

static void grow(struct memory *memory, const char *const *texts, uint64_t size)
{
    for (; memory->size < size; memory->size++) {
        char text[32];
        struct lb_hash hash;
        lb_merkle_leaf(texts != NULL ? lb_span_str(texts[memory->size])
                                     : entry_text(memory->size, text), &hash);
        lb_merkle_frontier_add(&memory->frontier, &hash);
        memory->hashes[0][memory->num[0]++] = hash;
        for (unsigned level = 1; level < MAX_LEVELS; level++) {
            if ((memory->size + 1) % (UINT64_C(1) << (8 * level)) != 0)
                break;
            memory->hashes[level][memory->num[level]++] = last_root(memory, level - 1);
        }
    }
    memory->checkpoint.size = size;
    lb_merkle_frontier_root(&memory->frontier, &memory->checkpoint.root);
}

static int set_up(void **state)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    memory->arena = lb_arena_new(8 * 1024 * 1024);
    *state = memory;
    return 0;
}

static int tear_down(void **state)
{
    struct memory *memory = *state;
    lb_arena_free(memory->arena);
    free(memory);
    return 0;
}

static bool is_changed(const struct memory *memory, const struct lb_tlog_path *path)
{
    return memory->change != NULL && strcmp(memory->change, path->text) == 0;
}

static lb_status give_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                           struct lb_hash *out_hashes)
{
    struct memory *memory = ctx;
    struct lb_tlog_path path;
    assert_ok(lb_tlog_tile_path(level, n, width, &path));
    assert_int_equal(width, lb_tlog_width(memory->checkpoint.size, level, n));
    assert_true(level < MAX_LEVELS);
    memcpy(out_hashes, &memory->hashes[level][n * 256], width * sizeof(*out_hashes));
    if (is_changed(memory, &path))
        ((uint8_t *)out_hashes)[memory->at % (width * sizeof(*out_hashes))] ^= 1;
    return LB_OK;
}

static lb_status give_bundle(void *ctx, uint64_t n, unsigned width, struct lb_arena *arena,
                             struct lb_span *out_bundle)
{
    struct memory *memory = ctx;
    struct lb_tlog_path path;
    struct lb_buf bundle;
    lb_buf_init(&bundle, LB_TLOG_MAX_BUNDLE_BYTES);
    assert_ok(lb_tlog_bundle_path(n, width, &path));
    for (unsigned i = 0; i < width; i++) {
        char text[32];
        lb_buf_put_field16(&bundle, entry_text(n * 256 + i, text));
    }
    if (is_changed(memory, &path) && memory->more == 0)
        bundle.ptr[memory->at % bundle.len] ^= 1;
    if (is_changed(memory, &path) && memory->more > 0)
        lb_buf_put_u16(&bundle, 0);
    if (is_changed(memory, &path) && memory->more < 0)
        bundle.len -= (size_t)-memory->more;
    lb_status status = lb_arena_copy(arena, lb_buf_span(&bundle), out_bundle);
    lb_buf_cleanup(&bundle);
    return status;
}

static lb_status see_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                          const struct lb_hash *hashes)
{
    struct memory *memory = ctx;
    assert_memory_equal(hashes, &memory->hashes[level][n * 256], width * sizeof(*hashes));
    memory->num_tiles++;
    return LB_OK;
}

static lb_status see_bundle(void *ctx, uint64_t n, unsigned width, struct lb_span bundle)
{
    struct memory *memory = ctx;
    struct lb_span entry;
    char text[32];
    assert_ok(lb_tlog_bundle_entry(bundle, width - 1, &entry));
    assert_true(lb_span_eq(entry, entry_text(n * 256 + width - 1, text)));
    assert_code(lb_tlog_bundle_entry(bundle, width, &entry), LB_MALFORMED);
    memory->num_bundles++;
    memory->num_entries += width;
    return LB_OK;
}

static lb_status walk(struct memory *memory, uint64_t from)
{
    const struct lb_tlog_source source = {memory, give_tile, give_bundle};
    const struct lb_tlog_sink sink = {memory, see_tile, see_bundle};
    memory->num_tiles = 0;
    memory->num_bundles = 0;
    memory->num_entries = 0;
    return lb_tlog_walk(&memory->checkpoint, from, &source, &sink, &memory->diag);
}

/* --- walking --- */

static void everything_is_seen_once(void **state)
{
    struct memory *memory = *state;
    static const uint64_t sizes[] = {1,   2,   255,  256,   257,   511,  512,
                                     600, 700, 1000, 65536, 70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t size = sizes[i];
        grow(memory, NULL, size);
        assert_ok(walk(memory, 0));
        assert_int_equal(memory->num_entries, size);
        assert_int_equal(memory->num_bundles, (size + 255) / 256);
    }
    /* 273 full and a partial one, one full and a partial one, a partial one. */
    assert_int_equal(memory->num_tiles, 274 + 2 + 1);
    assert_true(memcmp(memory->checkpoint.root.bytes,
                       hash_of_b64("2gUy/3su5W9AZxEPyWTp8ntZWflSe//z+lAap1hN6vM=").bytes, 32) == 0);
}

/* What was full at an earlier size is left out, and nothing else. */
static void what_was_there_is_left_out(void **state)
{
    struct memory *memory = *state;
    grow(memory, NULL, 70000);
    assert_ok(walk(memory, 69999));
    assert_int_equal(memory->num_bundles, 1);
    assert_int_equal(memory->num_entries, 112);
    assert_int_equal(memory->num_tiles, 3);
    assert_ok(walk(memory, 69887));
    assert_int_equal(memory->num_bundles, 2);
    assert_ok(walk(memory, 69888));
    assert_int_equal(memory->num_bundles, 1);
    assert_ok(walk(memory, 65535));
    assert_int_equal(memory->num_bundles, 1 + 17 + 1);
    assert_ok(walk(memory, 65536));
    assert_int_equal(memory->num_bundles, 17 + 1);
}

static void an_empty_tree_proves_nothing(void **state)
{
    struct memory *memory = *state;
    grow(memory, NULL, 0);
    assert_code(walk(memory, 0), LB_ABSENT);
    memory->checkpoint.size = UINT64_C(1) << 56;
    assert_code(walk(memory, 0), LB_TOO_LARGE);
}

static void refuse_change(struct memory *memory, const char *path, size_t at)
{
    memory->change = path;
    memory->at = at;
    assert_code(walk(memory, 0), LB_LOG_FORK);
    assert_true(memory->diag.text[0] != 0);
    memory->change = NULL;
}

static void every_changed_byte_is_refused(void **state)
{
    struct memory *memory = *state;
    grow(memory, NULL, 300);
    for (size_t at = 0; at < 44 * 32; at++)
        refuse_change(memory, "tile/0/001.p/44", at);
    for (size_t at = 0; at < 32; at++)
        refuse_change(memory, "tile/1/000.p/1", at);
    for (size_t at = 0; at < 8192; at += 97)
        refuse_change(memory, "tile/0/000", at);
    for (size_t at = 0; at < 44 * 10; at++)
        refuse_change(memory, "tile/entries/001.p/44", at);
    for (size_t at = 0; at < 2000; at += 7)
        refuse_change(memory, "tile/entries/000", at);
    assert_ok(walk(memory, 0));
}

static void the_changed_resource_is_named(void **state)
{
    struct memory *memory = *state;
    grow(memory, NULL, 600);
    refuse_change(memory, "tile/0/001", 40);
    assert_non_null(strstr(memory->diag.text, "tile/0/001 was changed"));
    refuse_change(memory, "tile/entries/001", 3);
    assert_non_null(strstr(memory->diag.text, "entry 256 was changed"));
    refuse_change(memory, "tile/0/002.p/88", 3);
    assert_non_null(strstr(memory->diag.text, "right edge"));
}

static void a_bundle_has_its_length(void **state)
{
    struct memory *memory = *state;
    grow(memory, NULL, 300);
    for (int more = -9; more <= 1; more++) {
        memory->more = more;
        if (more != 0)
            refuse_change(memory, "tile/entries/001.p/44", 0);
    }
    assert_non_null(strstr(memory->diag.text, "is not a bundle of 44 entries"));
}

/* --- tessera's testdata/log --- */

static const char *const WORDS[] = {"one",    "two",    "three",    "four",    "five",
                                    "six",    "seven",  "eit",      "nain",    "ten",
                                    "ileven", "twelf",  "threeten", "fourten", "fivten"};

static void the_tessera_bundle(void **state)
{
    struct memory *memory = *state;
    static const char *const start = "00036f6e65000374776f00057468726565";
    struct lb_buf bundle;
    struct lb_hash hashes[15];
    uint8_t want[17];
    lb_buf_init(&bundle, 4096);
    for (size_t i = 0; i < 15; i++)
        lb_buf_put_field16(&bundle, lb_span_str(WORDS[i]));
    assert_ok(lb_hex_decode(lb_span_str(start), want, sizeof(want)));
    assert_memory_equal(bundle.ptr, want, sizeof(want));
    grow(memory, WORDS, 15);
    assert_ok(lb_tlog_bundle_hashes(lb_buf_span(&bundle), 15, hashes));
    assert_memory_equal(hashes, memory->hashes[0], sizeof(hashes));
    assert_code(lb_tlog_bundle_hashes(lb_buf_span(&bundle), 14, hashes), LB_MALFORMED);
    assert_code(lb_tlog_bundle_hashes(lb_span_of(bundle.ptr, bundle.len - 1), 15, hashes),
                LB_MALFORMED);
    assert_true(memcmp(memory->checkpoint.root.bytes,
                       hash_of_b64("rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=").bytes, 32) == 0);
    lb_buf_cleanup(&bundle);
}

#define TLOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_the_published_ones),
        cmocka_unit_test(impossible_paths_are_refused),
        cmocka_unit_test(widths_follow_the_size),
        TLOG_TEST(everything_is_seen_once),
        TLOG_TEST(what_was_there_is_left_out),
        TLOG_TEST(an_empty_tree_proves_nothing),
        TLOG_TEST(every_changed_byte_is_refused),
        TLOG_TEST(the_changed_resource_is_named),
        TLOG_TEST(a_bundle_has_its_length),
        TLOG_TEST(the_tessera_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
