#include "gateway/evidence/tree.h"

#include <stdlib.h>

#include "gateway/evidence/tile.h"

#define MAX_DEPTH 64

struct lb_tree {
    uint64_t size;
    struct lb_tree_source source;
    struct lb_tile *edge[LB_TREE_LEVELS];  /* the partial tile of each level; NULL until needed */
    struct lb_tile_cache *full;
};

lb_status lb_tree_new(const struct lb_tree_source *source, struct lb_tree **out_tree)
{
    struct lb_tree *tree = calloc(1, sizeof(*tree));
    LB_ENSURE(tree != NULL, LB_NO_MEMORY, "tree");
    tree->source = *source;
    tree->full = lb_tile_cache_new();
    if (tree->full == NULL) {
        lb_tree_free(tree);
        LB_FAIL(LB_NO_MEMORY, "tree");
    }
    *out_tree = tree;
    return LB_OK;
}

void lb_tree_free(struct lb_tree *tree)
{
    if (tree == NULL)
        return;
    for (unsigned level = 0; level < LB_TREE_LEVELS; level++)
        free(tree->edge[level]);
    lb_tile_cache_free(tree->full);
    free(tree);
}

uint64_t lb_tree_size(const struct lb_tree *tree)
{
    return tree->size;
}

/* Hashes in the partial tile of a level, and that tile's number: the count of full ones before. */
static unsigned edge_width(const struct lb_tree *tree, unsigned level)
{
    return (unsigned)((tree->size >> (LB_TILE_HEIGHT * level)) % LB_TILE_HASHES);
}

static uint64_t num_full(const struct lb_tree *tree, unsigned level)
{
    return tree->size >> (LB_TILE_HEIGHT * (level + 1));
}

static lb_status need_edge(struct lb_tree *tree, unsigned level)
{
    LB_ENSURE(level < LB_TREE_LEVELS, LB_TOO_LARGE, "the tree is full");
    if (tree->edge[level] == NULL)
        tree->edge[level] = calloc(1, sizeof(struct lb_tile));
    LB_ENSURE(tree->edge[level] != NULL, LB_NO_MEMORY, "tree edge");
    return LB_OK;
}

void lb_tree_frontier(const struct lb_tree *tree, struct lb_merkle_frontier *out_frontier)
{
    lb_merkle_frontier_init(out_frontier);
    out_frontier->size = tree->size;
    for (unsigned height = 0; height < LB_TILE_HEIGHT * LB_TREE_LEVELS; height++) {
        if (((tree->size >> height) & 1) == 0)
            continue;
        unsigned inside = height % LB_TILE_HEIGHT;
        uint64_t pos = ((tree->size >> height) - 1) & ((LB_TILE_HASHES >> inside) - 1);
        out_frontier->edge[height] =
            *lb_tile_node(tree->edge[height / LB_TILE_HEIGHT], inside, pos);
    }
}

lb_status lb_tree_add(struct lb_tree *tree, const struct lb_hash *leaf,
                      const struct lb_tree_sink *sink)
{
    struct lb_hash hash = *leaf;
    for (unsigned level = 0;; level++) {
        LB_TRY(need_edge(tree, level));
        struct lb_tile *edge = tree->edge[level];
        unsigned pos = edge_width(tree, level);
        lb_tile_put(edge, pos, &hash);
        if (pos + 1 < LB_TILE_HASHES)
            break;
        uint64_t n = num_full(tree, level);
        if (sink != NULL)
            LB_TRY(sink->full(sink->context, level, n, edge->nodes));
        *lb_tile_cache_slot(tree->full, level, n) = *edge;
        hash = *lb_tile_node(edge, LB_TILE_HEIGHT, 0);
    }
    tree->size++;
    return LB_OK;
}

/* The hashes of an edge from one number to another, with every inner node that they complete. */
static void copy_nodes(struct lb_tile *to, struct lb_tile *from, unsigned first, unsigned end)
{
    for (unsigned height = 0; height < LB_TILE_HEIGHT && first >> height < end >> height; height++)
        memcpy(lb_tile_node(to, height, first >> height),
               lb_tile_node(from, height, first >> height),
               ((end >> height) - (first >> height)) * sizeof(struct lb_hash));
}

lb_status lb_tree_follow(struct lb_tree *tree, const struct lb_tree *ahead)
{
    for (unsigned level = 0; level < LB_TREE_LEVELS; level++) {
        unsigned shift = LB_TILE_HEIGHT * level;
        if (tree->size >> shift == ahead->size >> shift)
            break;
        if (ahead->edge[level] == NULL)
            continue;
        LB_TRY(need_edge(tree, level));
        bool same_tile = num_full(tree, level) == num_full(ahead, level);
        copy_nodes(tree->edge[level], ahead->edge[level],
                   same_tile ? edge_width(tree, level) : 0, edge_width(ahead, level));
    }
    tree->size = ahead->size;
    return LB_OK;
}

/* Borrows a full tile from the cache, reading it first if it is not there. */
static lb_status full_tile(struct lb_tree *tree, unsigned level, uint64_t n,
                           struct lb_tile **out_tile)
{
    struct lb_tile *tile = lb_tile_cache_find(tree->full, level, n);
    if (tile == NULL) {
        struct lb_hash hashes[LB_TILE_HASHES];
        LB_TRY(tree->source.load_tile(tree->source.context, level, n, hashes));
        tile = lb_tile_cache_slot(tree->full, level, n);
        for (unsigned pos = 0; pos < LB_TILE_HASHES; pos++)
            lb_tile_put(tile, pos, &hashes[pos]);
    }
    *out_tile = tile;
    return LB_OK;
}

/* The root of the full subtree of 2^height leaves that starts at leaf pos << height. */
static lb_status node_at(struct lb_tree *tree, unsigned height, uint64_t pos,
                         struct lb_hash *out_hash)
{
    unsigned level = height / LB_TILE_HEIGHT;
    unsigned inside = height % LB_TILE_HEIGHT;
    LB_ENSURE(level < LB_TREE_LEVELS, LB_TOO_LARGE, "the tree is full");
    uint64_t n = pos >> (LB_TILE_HEIGHT - inside);
    struct lb_tile *tile = tree->edge[level];
    if (n < num_full(tree, level))
        LB_TRY(full_tile(tree, level, n, &tile));
    LB_ENSURE(tile != NULL, LB_ABSENT, "a subtree that is not there");
    *out_hash = *lb_tile_node(tile, inside, pos & ((LB_TILE_HASHES >> inside) - 1));
    return LB_OK;
}

/* MTH of leaves [start, end), where start is a multiple of a power of two that is not smaller than
 * their number: full subtrees from large to small, joined from the right. */
static lb_status range_hash(struct lb_tree *tree, uint64_t start, uint64_t end,
                            struct lb_hash *out_hash)
{
    struct lb_hash roots[MAX_DEPTH];
    size_t num = 0;
    for (uint64_t left = end - start; left > 0;) {
        unsigned height = 63 - (unsigned)__builtin_clzll(left);
        LB_TRY(node_at(tree, height, start >> height, &roots[num++]));
        start += 1ULL << height;
        left -= 1ULL << height;
    }
    struct lb_hash acc = roots[num - 1];
    for (size_t i = num - 1; i > 0; i--)
        lb_merkle_node(&roots[i - 1], &acc, &acc);
    *out_hash = acc;
    return LB_OK;
}

lb_status lb_tree_root(struct lb_tree *tree, uint64_t size, struct lb_hash *out_root)
{
    LB_ENSURE(size <= tree->size, LB_MALFORMED, "size is past the tree");
    if (size == 0) {
        lb_merkle_empty(out_root);
        return LB_OK;
    }
    return range_hash(tree, 0, size, out_root);
}

/* The largest power of two smaller than num, for num > 1: where RFC 6962 splits. */
static uint64_t split_of(uint64_t num)
{
    return 1ULL << (63 - (unsigned)__builtin_clzll(num - 1));
}

/* Hashes found from the root down; a proof lists them the other way round. */
struct path {
    struct lb_hash hashes[MAX_DEPTH];
    size_t num;
};

static lb_status push(struct lb_tree *tree, struct path *path, uint64_t start, uint64_t end)
{
    LB_ENSURE(path->num < MAX_DEPTH, LB_TOO_LARGE, "proof is too long");
    LB_TRY(range_hash(tree, start, end, &path->hashes[path->num]));
    path->num++;
    return LB_OK;
}

static lb_status give(const struct path *path, struct lb_arena *arena, struct lb_hash **out_path,
                      size_t *out_num)
{
    struct lb_hash *out = lb_arena_array(arena, path->num, sizeof(*out));
    LB_ENSURE(out != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < path->num; i++)
        out[i] = path->hashes[path->num - 1 - i];
    *out_path = out;
    *out_num = path->num;
    return LB_OK;
}

lb_status lb_tree_inclusion(struct lb_tree *tree, uint64_t index, uint64_t size,
                            struct lb_arena *arena, struct lb_hash **out_path, size_t *out_num)
{
    LB_ENSURE(size <= tree->size, LB_MALFORMED, "size is past the tree");
    LB_ENSURE(index < size, LB_MALFORMED, "index is past the tree");
    struct path path = {.num = 0};
    uint64_t start = 0;
    uint64_t end = size;
    while (end - start > 1) {
        uint64_t middle = start + split_of(end - start);
        if (index < middle) {
            LB_TRY(push(tree, &path, middle, end));
            end = middle;
        } else {
            LB_TRY(push(tree, &path, start, middle));
            start = middle;
        }
    }
    return give(&path, arena, out_path, out_num);
}

lb_status lb_tree_consistency(struct lb_tree *tree, uint64_t from, uint64_t to,
                              struct lb_arena *arena, struct lb_hash **out_path, size_t *out_num)
{
    LB_ENSURE(to <= tree->size, LB_MALFORMED, "size is past the tree");
    LB_ENSURE(from <= to, LB_MALFORMED, "sizes run backwards");
    struct path path = {.num = 0};
    if (from == 0 || from == to)
        return give(&path, arena, out_path, out_num);
    uint64_t start = 0;
    uint64_t end = to;
    while (from != end) {
        uint64_t middle = start + split_of(end - start);
        if (from <= middle) {
            LB_TRY(push(tree, &path, middle, end));
            end = middle;
        } else {
            LB_TRY(push(tree, &path, start, middle));
            start = middle;
        }
    }
    /* Starting at 0 the first tree is itself a node, and the verifier has its root. */
    if (start != 0)
        LB_TRY(push(tree, &path, start, end));
    return give(&path, arena, out_path, out_num);
}

lb_status lb_tree_tile(struct lb_tree *tree, unsigned level, uint64_t n,
                       struct lb_hash out_hashes[LB_TILE_HASHES], size_t *out_num)
{
    LB_ENSURE(level < LB_TREE_LEVELS, LB_ABSENT, "no tiles at this level");
    struct lb_tile *tile = tree->edge[level];
    size_t num = edge_width(tree, level);
    if (n < num_full(tree, level)) {
        LB_TRY(full_tile(tree, level, n, &tile));
        num = LB_TILE_HASHES;
    }
    LB_ENSURE(n <= num_full(tree, level) && num > 0, LB_ABSENT, "no such tile");
    memcpy(out_hashes, tile->nodes, num * sizeof(out_hashes[0]));
    *out_num = num;
    return LB_OK;
}

static lb_status restore_hash(struct lb_tree *tree, unsigned level, uint64_t pos,
                              struct lb_hash *out_hash)
{
    if (level == 0)
        return tree->source.load_leaf(tree->source.context, pos, out_hash);
    struct lb_tile *tile;
    LB_TRY(full_tile(tree, level - 1, pos, &tile));
    *out_hash = *lb_tile_node(tile, LB_TILE_HEIGHT, 0);
    return LB_OK;
}

lb_status lb_tree_restore(struct lb_tree *tree, uint64_t size)
{
    LB_ENSURE(size >> (LB_TILE_HEIGHT * LB_TREE_LEVELS) == 0, LB_TOO_LARGE, "the tree is full");
    tree->size = size;
    for (unsigned level = 0; level < LB_TREE_LEVELS; level++) {
        unsigned width = edge_width(tree, level);
        uint64_t first = num_full(tree, level) * LB_TILE_HASHES;
        if (width > 0)
            LB_TRY(need_edge(tree, level));
        for (unsigned pos = 0; pos < width; pos++) {
            struct lb_hash hash;
            LB_TRY(restore_hash(tree, level, first + pos, &hash));
            lb_tile_put(tree->edge[level], pos, &hash);
        }
    }
    return LB_OK;
}
