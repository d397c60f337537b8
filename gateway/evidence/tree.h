#ifndef GATEWAY_EVIDENCE_TREE_H
#define GATEWAY_EVIDENCE_TREE_H

#include "gateway/base/arena.h"
#include "gateway/evidence/merkle.h"

/*
 * The growing tree in tiles (C2SP tlog-tiles): tile (level, n) holds the roots of the 256
 * subtrees of 256^level leaves from number n * 256 on. Full tiles never change and are kept by a
 * source; the right edge, one partial tile a level, is kept here with its inner nodes, so that
 * the root, a proof or a new leaf cost O(log n) hashes. One thread at a time.
 */

#define LB_TILE_HASHES 256U
#define LB_TREE_LEVELS 7  /* 256^7 leaves: more than a size fits SQLite's keys */

/* Where full tiles and leaf hashes come from: the store, or memory in tests. */
struct lb_tree_source {
    /* load_tile reads the hashes of a full tile; STORE_FAILED or ABSENT stops the caller. */
    lb_status (*load_tile)(void *context, unsigned level, uint64_t n, struct lb_hash *out_hashes);
    /* load_leaf reads one leaf hash; used by lb_tree_restore only. */
    lb_status (*load_leaf)(void *context, uint64_t index, struct lb_hash *out_hash);
    void *context;
};

/* Who is told of a tile that became full; its failure fails the lb_tree_add. */
struct lb_tree_sink {
    lb_status (*full)(void *context, unsigned level, uint64_t n, const struct lb_hash *hashes);
    void *context;
};

struct lb_tree;

/* lb_tree_new makes an empty tree; NO_MEMORY. The source's context must outlive it. */
LB_MUST lb_status lb_tree_new(const struct lb_tree_source *source, struct lb_tree **out_tree);
/* lb_tree_free releases; NULL is allowed. */
void lb_tree_free(struct lb_tree *tree);
/* lb_tree_restore rebuilds the right edge of a tree of `size` leaves from the source. */
LB_MUST lb_status lb_tree_restore(struct lb_tree *tree, uint64_t size);
uint64_t lb_tree_size(const struct lb_tree *tree);
/* lb_tree_frontier copies the right edge into the other form of the same tree. */
void lb_tree_frontier(const struct lb_tree *tree, struct lb_merkle_frontier *out_frontier);

/* lb_tree_follow brings a tree to the size of one that grew from it, without hashing anything
 * again. Full tiles come from the tree's own source, when they are needed. NO_MEMORY. */
LB_MUST lb_status lb_tree_follow(struct lb_tree *tree, const struct lb_tree *ahead);
/* lb_tree_add appends a leaf hash. After a failure the tree must not be used any more. `sink` may
 * be NULL. */
LB_MUST lb_status lb_tree_add(struct lb_tree *tree, const struct lb_hash *leaf,
                              const struct lb_tree_sink *sink);

/* lb_tree_root is MTH of the first `size` leaves; MALFORMED past the tree's size, else what the
 * source says. */
LB_MUST lb_status lb_tree_root(struct lb_tree *tree, uint64_t size, struct lb_hash *out_root);
/* lb_tree_inclusion is PATH(index, D[size]), leaf sibling first. MALFORMED for index >= size or a
 * size past the tree's. */
LB_MUST lb_status lb_tree_inclusion(struct lb_tree *tree, uint64_t index, uint64_t size,
                                    struct lb_arena *arena, struct lb_hash **out_path,
                                    size_t *out_num);
/* lb_tree_consistency is PROOF(from, D[to]); empty for from == 0 and from == to. MALFORMED for
 * from > to or to past the tree's size. */
LB_MUST lb_status lb_tree_consistency(struct lb_tree *tree, uint64_t from, uint64_t to,
                                      struct lb_arena *arena, struct lb_hash **out_path,
                                      size_t *out_num);
/* lb_tree_tile copies a tile's hashes as they stand and their number (1..256); ABSENT for an empty
 * one. */
LB_MUST lb_status lb_tree_tile(struct lb_tree *tree, unsigned level, uint64_t n,
                               struct lb_hash out_hashes[LB_TILE_HASHES], size_t *out_num);

#endif
