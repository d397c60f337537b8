#include <stdlib.h>

#include "gateway/evidence/tlog.h"

struct walk {
    uint64_t size;
    uint64_t from;
    const struct lb_tlog_source *source;
    const struct lb_tlog_sink *sink;
    struct lb_diag *diag;
    struct lb_arena *arena;  /* of one bundle */
    struct lb_hash edge[LB_TLOG_LEVELS][LB_TLOG_WIDTH];
};

static void walk_freep(struct walk **walk)
{
    if (*walk != NULL)
        lb_arena_free((*walk)->arena);
    free(*walk);
}

static bool same(const struct lb_hash *a, const struct lb_hash *b)
{
    return memcmp(a->bytes, b->bytes, LB_HASH_BYTES) == 0;
}

/* --- the right edge --- */

static lb_status read_edge(struct walk *walk)
{
    for (unsigned level = 0; level < LB_TLOG_LEVELS; level++) {
        uint64_t n = walk->size >> (8 * (level + 1));
        unsigned width = lb_tlog_width(walk->size, level, n);
        if (width > 0)
            LB_TRY(walk->source->tile(walk->source->ctx, level, n, width, walk->edge[level]));
    }
    return LB_OK;
}

/* The partial tiles hold the roots of all full subtrees that make up the tree; nothing in them is
 * left out of its root. */
static lb_status check_edge(const struct walk *walk, const struct lb_hash *want)
{
    struct lb_merkle_frontier whole;
    struct lb_hash root;
    lb_merkle_frontier_init(&whole);
    whole.size = walk->size;
    for (unsigned level = 0; level < LB_TLOG_LEVELS; level++) {
        struct lb_merkle_frontier part;
        unsigned width = (unsigned)(walk->size >> (8 * level)) % LB_TLOG_WIDTH;
        lb_merkle_frontier_init(&part);
        for (unsigned i = 0; i < width; i++)
            lb_merkle_frontier_add(&part, &walk->edge[level][i]);
        memcpy(&whole.edge[8 * level], part.edge, 8 * sizeof(part.edge[0]));
    }
    lb_merkle_frontier_root(&whole, &root);
    if (!same(&root, want)) {
        lb_diag_set(walk->diag, "the tiles of the right edge do not give the signed root");
        LB_FAIL(LB_LOG_FORK, "another root");
    }
    return LB_OK;
}

/* --- downwards --- */

static lb_status walk_bundle(struct walk *walk, uint64_t n, unsigned width,
                             const struct lb_hash *hashes)
{
    struct lb_hash found[LB_TLOG_WIDTH];
    struct lb_tlog_path path;
    struct lb_span bundle = LB_SPAN_EMPTY;
    lb_arena_reset(walk->arena);
    LB_TRY(walk->source->bundle(walk->source->ctx, n, width, walk->arena, &bundle));
    LB_TRY(lb_tlog_bundle_path(n, width, &path));
    if (lb_tlog_bundle_hashes(bundle, width, found) != LB_OK) {
        lb_diag_set(walk->diag, "%s is not a bundle of %u entries", path.text, width);
        LB_FAIL(LB_LOG_FORK, "not a bundle");
    }
    for (unsigned i = 0; i < width; i++) {
        if (same(&found[i], &hashes[i]))
            continue;
        lb_diag_set(walk->diag, "entry %llu was changed: %s does not hash to its tile",
                    (unsigned long long)(n * LB_TLOG_WIDTH + i), path.text);
        LB_FAIL(LB_LOG_FORK, "an entry that is not in the tree");
    }
    return walk->sink == NULL ? LB_OK : walk->sink->bundle(walk->sink->ctx, n, width, bundle);
}

static lb_status read_full(struct walk *walk, unsigned level, uint64_t n,
                           const struct lb_hash *want, struct lb_hash *out_hashes)
{
    struct lb_merkle_frontier frontier;
    struct lb_tlog_path path;
    LB_TRY(walk->source->tile(walk->source->ctx, level, n, LB_TLOG_WIDTH, out_hashes));
    lb_merkle_frontier_init(&frontier);
    for (unsigned i = 0; i < LB_TLOG_WIDTH; i++)
        lb_merkle_frontier_add(&frontier, &out_hashes[i]);
    if (!same(&frontier.edge[8], want)) {
        LB_TRY(lb_tlog_tile_path(level, n, LB_TLOG_WIDTH, &path));
        lb_diag_set(walk->diag, "%s was changed: it does not hash to the tile above", path.text);
        LB_FAIL(LB_LOG_FORK, "a tile that is not in the tree");
    }
    return LB_OK;
}

/* Gives on a proved tile and goes on to what lies under it; one step down for every level. */
static lb_status walk_tile(struct walk *walk, unsigned level, uint64_t n, unsigned width,
                           const struct lb_hash *hashes)
{
    struct lb_hash below[LB_TLOG_WIDTH];
    if (walk->sink != NULL)
        LB_TRY(walk->sink->tile(walk->sink->ctx, level, n, width, hashes));
    if (level == 0)
        return walk_bundle(walk, n, width, hashes);
    for (unsigned i = 0; i < width; i++) {
        uint64_t child = n * LB_TLOG_WIDTH + i;
        if ((child + 1) << (8 * level) <= walk->from)
            continue;
        LB_TRY(read_full(walk, level - 1, child, &hashes[i], below));
        LB_TRY(walk_tile(walk, level - 1, child, LB_TLOG_WIDTH, below));
    }
    return LB_OK;
}

static lb_status walk_all(struct walk *walk)
{
    for (unsigned level = LB_TLOG_LEVELS; level-- > 0;) {
        uint64_t n = walk->size >> (8 * (level + 1));
        unsigned width = lb_tlog_width(walk->size, level, n);
        if (width > 0)
            LB_TRY(walk_tile(walk, level, n, width, walk->edge[level]));
    }
    return LB_OK;
}

lb_status lb_tlog_walk(const struct lb_checkpoint *checkpoint, uint64_t from,
                       const struct lb_tlog_source *source, const struct lb_tlog_sink *sink,
                       struct lb_diag *diag)
{
    LB_DEFER(walk_freep) struct walk *walk = calloc(1, sizeof(*walk));
    LB_ENSURE(walk != NULL, LB_NO_MEMORY, "walk");
    walk->arena = lb_arena_new(2 * LB_TLOG_MAX_BUNDLE_BYTES);
    LB_ENSURE(walk->arena != NULL, LB_NO_MEMORY, "walk");
    walk->size = checkpoint->size;
    walk->from = from;
    walk->source = source;
    walk->sink = sink;
    walk->diag = diag;
    diag->text[0] = 0;
    if (walk->size == 0)
        lb_diag_set(diag, "the log is empty; that proves nothing");
    LB_ENSURE(walk->size > 0, LB_ABSENT, "an empty log");
    LB_ENSURE(walk->size >> (8 * LB_TLOG_LEVELS) == 0, LB_TOO_LARGE, "the tree is too large");
    LB_TRY(read_edge(walk));
    LB_TRY(check_edge(walk, &checkpoint->root));
    return walk_all(walk);
}
