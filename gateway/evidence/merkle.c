#include "gateway/evidence/merkle.h"

#include "gateway/crypto/hash.h"

static bool hash_eq(const struct lb_hash *a, const struct lb_hash *b)
{
    return lb_span_eq(lb_span_of(a->bytes, LB_HASH_BYTES), lb_span_of(b->bytes, LB_HASH_BYTES));
}

void lb_merkle_leaf(struct lb_span leaf, struct lb_hash *out)
{
    static const uint8_t prefix = 0x00;
    const struct lb_span parts[] = {lb_span_of(&prefix, 1), leaf};
    lb_sha256_parts(parts, 2, out->bytes);
}

void lb_merkle_node(const struct lb_hash *left, const struct lb_hash *right, struct lb_hash *out)
{
    uint8_t input[1 + 2 * LB_HASH_BYTES] = {0x01};
    memcpy(input + 1, left->bytes, LB_HASH_BYTES);
    memcpy(input + 1 + LB_HASH_BYTES, right->bytes, LB_HASH_BYTES);
    lb_sha256(lb_span_of(input, sizeof(input)), out->bytes);
}

void lb_merkle_empty(struct lb_hash *out)
{
    lb_sha256(LB_SPAN_EMPTY, out->bytes);
}

lb_status lb_merkle_verify_inclusion(const struct lb_hash *leaf, uint64_t index, uint64_t size,
                                     const struct lb_hash *path, size_t num_path,
                                     const struct lb_hash *root)
{
    LB_ENSURE(index < size, LB_RECEIPT_INVALID, "index is past the tree");
    uint64_t fn = index;
    uint64_t sn = size - 1;
    struct lb_hash acc = *leaf;
    for (size_t i = 0; i < num_path; i++) {
        LB_ENSURE(sn != 0, LB_RECEIPT_INVALID, "inclusion path is too long");
        if ((fn & 1) == 1 || fn == sn) {
            lb_merkle_node(&path[i], &acc, &acc);
            while ((fn & 1) == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            lb_merkle_node(&acc, &path[i], &acc);
        }
        fn >>= 1;
        sn >>= 1;
    }
    LB_ENSURE(sn == 0, LB_RECEIPT_INVALID, "inclusion path is too short");
    LB_ENSURE(hash_eq(&acc, root), LB_RECEIPT_INVALID, "inclusion path gives another root");
    return LB_OK;
}

/* The two roots a consistency path gives, and how far it still has to climb. */
struct climb {
    uint64_t fn;
    uint64_t sn;
    struct lb_hash first;
    struct lb_hash second;
};

static lb_status climb_path(struct climb *climb, const struct lb_hash *path, size_t num_path)
{
    for (size_t i = 0; i < num_path; i++) {
        LB_ENSURE(climb->sn != 0, LB_LOG_FORK, "consistency path is too long");
        if ((climb->fn & 1) == 1 || climb->fn == climb->sn) {
            lb_merkle_node(&path[i], &climb->first, &climb->first);
            lb_merkle_node(&path[i], &climb->second, &climb->second);
            while ((climb->fn & 1) == 0 && climb->fn != 0) {
                climb->fn >>= 1;
                climb->sn >>= 1;
            }
        } else {
            lb_merkle_node(&climb->second, &path[i], &climb->second);
        }
        climb->fn >>= 1;
        climb->sn >>= 1;
    }
    LB_ENSURE(climb->sn == 0, LB_LOG_FORK, "consistency path is too short");
    return LB_OK;
}

lb_status lb_merkle_verify_consistency(uint64_t first, const struct lb_hash *first_root,
                                       uint64_t second, const struct lb_hash *second_root,
                                       const struct lb_hash *path, size_t num_path)
{
    LB_ENSURE(first != 0, LB_LOG_FORK, "an empty tree is consistent with nothing");
    LB_ENSURE(first <= second, LB_LOG_FORK, "sizes run backwards");
    if (first == second) {
        LB_ENSURE(num_path == 0, LB_LOG_FORK, "equal sizes need no proof");
        LB_ENSURE(hash_eq(first_root, second_root), LB_LOG_FORK, "one size, two roots");
        return LB_OK;
    }
    LB_ENSURE(num_path > 0, LB_LOG_FORK, "consistency path is missing");
    /* A complete first tree is a node of the second: its root stands for the path's first hash. */
    const struct lb_hash *seed = first_root;
    if ((first & (first - 1)) != 0) {
        seed = path++;
        num_path--;
    }
    struct climb climb = {first - 1, second - 1, *seed, *seed};
    while ((climb.fn & 1) == 1) {
        climb.fn >>= 1;
        climb.sn >>= 1;
    }
    LB_TRY(climb_path(&climb, path, num_path));
    LB_ENSURE(hash_eq(&climb.first, first_root), LB_LOG_FORK, "path gives another first root");
    LB_ENSURE(hash_eq(&climb.second, second_root), LB_LOG_FORK, "path gives another second root");
    return LB_OK;
}

void lb_merkle_frontier_init(struct lb_merkle_frontier *frontier)
{
    memset(frontier, 0, sizeof(*frontier));
}

void lb_merkle_frontier_add(struct lb_merkle_frontier *frontier, const struct lb_hash *leaf)
{
    struct lb_hash acc = *leaf;
    unsigned level = 0;
    while ((frontier->size >> level) & 1) {
        lb_merkle_node(&frontier->edge[level], &acc, &acc);
        level++;
    }
    frontier->edge[level] = acc;
    frontier->size++;
}

void lb_merkle_frontier_root(const struct lb_merkle_frontier *frontier, struct lb_hash *out)
{
    if (frontier->size == 0) {
        lb_merkle_empty(out);
        return;
    }
    struct lb_hash acc;
    bool started = false;
    for (unsigned level = 0; level < 64; level++) {
        if (((frontier->size >> level) & 1) == 0)
            continue;
        if (started)
            lb_merkle_node(&frontier->edge[level], &acc, &acc);
        else
            acc = frontier->edge[level];
        started = true;
    }
    *out = acc;
}
