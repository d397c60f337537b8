#ifndef GATEWAY_EVIDENCE_MERKLE_H
#define GATEWAY_EVIDENCE_MERKLE_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/* RFC 6962 / RFC 9162 §2.1 Merkle trees over SHA-256. */

#define LB_HASH_BYTES 32

struct lb_hash {
    uint8_t bytes[LB_HASH_BYTES];
};

/* lb_merkle_leaf is SHA-256(0x00 || leaf), lb_merkle_node SHA-256(0x01 || left || right); out may
 * be one of the inputs. */
void lb_merkle_leaf(struct lb_span leaf, struct lb_hash *out);
void lb_merkle_node(const struct lb_hash *left, const struct lb_hash *right, struct lb_hash *out);
/* lb_merkle_empty is the root of no leaves, SHA-256 of nothing. */
void lb_merkle_empty(struct lb_hash *out);

/* lb_merkle_verify_inclusion checks RFC 9162 §2.1.3.2. RECEIPT_INVALID when it does not hold, when
 * index >= size, or when the path has the wrong length. */
LB_MUST lb_status lb_merkle_verify_inclusion(const struct lb_hash *leaf, uint64_t index,
                                             uint64_t size, const struct lb_hash *path,
                                             size_t num_path, const struct lb_hash *root);

/* lb_merkle_verify_consistency checks RFC 9162 §2.1.4.2. LOG_FORK when it does not hold, for
 * first == 0, for first > second, and for equal sizes with a proof or different roots. */
LB_MUST lb_status lb_merkle_verify_consistency(uint64_t first, const struct lb_hash *first_root,
                                               uint64_t second, const struct lb_hash *second_root,
                                               const struct lb_hash *path, size_t num_path);

/* The right edge of a growing tree: at most 64 subtree roots. */
struct lb_merkle_frontier {
    uint64_t size;
    /* edge[i] is the root of the full subtree of 2^i leaves, if bit i of size is set */
    struct lb_hash edge[64];
};

/* lb_merkle_frontier_init makes it that of the empty tree, _add appends a leaf hash, _root computes
 * the root. */
void lb_merkle_frontier_init(struct lb_merkle_frontier *frontier);
void lb_merkle_frontier_add(struct lb_merkle_frontier *frontier, const struct lb_hash *leaf);
void lb_merkle_frontier_root(const struct lb_merkle_frontier *frontier, struct lb_hash *out);

#endif
