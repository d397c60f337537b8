#include "gateway/evidence/checkpoint.h"
#include "gateway/evidence/leaf.h"
#include "gateway/evidence/link.h"
#include "gateway/evidence/merkle.h"
#include "gateway/wire/pb.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* Checkpoints, leaves and proofs as another node sends them. */

#define ARENA_BYTES (8U << 20)
#define ORIGIN "test.gov/adapter/tax"
#define NUM_LEAVES 21U

static void public_key(uint8_t out[LB_P256_PUBLIC_BYTES])
{
    (void)lb_sign_key_public(fuzz_keys()->ed25519, out);
}

static struct lb_leaf sample_leaf(uint32_t number)
{
    struct lb_leaf leaf = {
        .type = LB_LEAF_READ,
        .time_ms = INT64_C(1800000000000) + number,
        .txn = {1, 2, (uint8_t)number},
        .code = "ANSWERED",
        .views = "tax.business,tax.wage",
        .request_hash = {5},
        .count = number + 1,
    };
    return leaf;
}

/* --- checkpoints --- */

bool fuzz_checkpoint(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    struct lb_checkpoint checkpoint;
    struct lb_span note = in, again;
    public_key(raw);
    FUZZ_OK(lb_note_verifier_init(ORIGIN, raw, &verifier));
    if ((fuzz_u8(&note) & 1) != 0 &&
        lb_note_sign(note, false, ORIGIN, fuzz_keys()->ed25519, arena, &note) != LB_OK)
        note = LB_SPAN_EMPTY;
    lb_status status = lb_checkpoint_open(note, &verifier, &checkpoint);
    lb_note_verifier_cleanup(&verifier);
    if (status != LB_OK)
        return false;
    /* One checkpoint, one text. A note may have further signatures. */
    FUZZ_CHECK(strcmp(checkpoint.origin, ORIGIN) == 0);
    FUZZ_OK(lb_checkpoint_sign(&checkpoint, fuzz_keys()->ed25519, arena, &again));
    const uint8_t *end = memmem(again.ptr, again.len, "\n\n", 2);
    FUZZ_CHECK(end != NULL && (size_t)(end + 2 - again.ptr) <= note.len);
    FUZZ_CHECK(memcmp(note.ptr, again.ptr, (size_t)(end + 2 - again.ptr)) == 0);
    return true;
}

void seed_checkpoint(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    struct lb_checkpoint checkpoint = {.origin = ORIGIN, .size = 1234567, .root = {{3}}};
    struct lb_span note = LB_SPAN_EMPTY;
    FUZZ_OK(lb_checkpoint_sign(&checkpoint, fuzz_keys()->ed25519, arena, &note));
    fuzz_seed(sink, 0, note);
    fuzz_seed(sink, 1,
              lb_span_str(ORIGIN "\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));
}

/* --- leaves --- */

bool fuzz_leaf(struct lb_span in)
{
    struct lb_leaf leaf;
    struct lb_buf again;
    if (lb_leaf_decode(in, &leaf) != LB_OK)
        return false;
    lb_buf_init(&again, LB_MAX_LEAF_BYTES);
    FUZZ_OK(lb_leaf_encode(&leaf, &again));
    FUZZ_OK(lb_buf_check(&again));
    FUZZ_CHECK(lb_span_eq(lb_buf_span(&again), in));
    FUZZ_CHECK(lb_leaf_type_name(leaf.type)[0] != 0 && leaf.count >= 1);
    lb_buf_cleanup(&again);
    return true;
}

static void put_leaf(const struct fuzz_sink *sink, const struct lb_leaf *leaf)
{
    struct lb_buf buf;
    lb_buf_init(&buf, LB_MAX_LEAF_BYTES);
    FUZZ_OK(lb_leaf_encode(leaf, &buf));
    fuzz_seed_plain(sink, lb_buf_span(&buf));
    lb_buf_cleanup(&buf);
}

void seed_leaf(const struct fuzz_sink *sink)
{
    struct lb_leaf leaf = sample_leaf(0);
    put_leaf(sink, &leaf);
    leaf = (struct lb_leaf){.type = LB_LEAF_ADMIN, .code = "STARTED", .count = 1};
    put_leaf(sink, &leaf);
}

/* --- proofs --- */

/* A log of a few leaves, whole: every root and every path can be computed again. */
struct tree {
    struct lb_buf bytes[NUM_LEAVES];
    struct lb_hash leaves[NUM_LEAVES];
    struct lb_hash roots[NUM_LEAVES + 1];
};

static const struct tree *sample_tree(void)
{
    static struct tree tree;
    struct lb_merkle_frontier frontier;
    if (tree.bytes[0].ptr != NULL)
        return &tree;
    lb_merkle_frontier_init(&frontier);
    lb_merkle_frontier_root(&frontier, &tree.roots[0]);
    for (uint32_t i = 0; i < NUM_LEAVES; i++) {
        struct lb_leaf leaf = sample_leaf(i);
        lb_buf_init(&tree.bytes[i], LB_MAX_LEAF_BYTES);
        FUZZ_OK(lb_leaf_encode(&leaf, &tree.bytes[i]));
        lb_merkle_leaf(lb_buf_span(&tree.bytes[i]), &tree.leaves[i]);
        lb_merkle_frontier_add(&frontier, &tree.leaves[i]);
        lb_merkle_frontier_root(&frontier, &tree.roots[i + 1]);
    }
    return &tree;
}

/* RFC 9162 section 2.1: the root of leaves from..to. */
static struct lb_hash range_root(const struct tree *tree, size_t from, size_t to)
{
    if (to - from == 1)
        return tree->leaves[from];
    size_t half = 1;
    while (half * 2 < to - from)
        half *= 2;
    struct lb_hash left = range_root(tree, from, from + half);
    struct lb_hash right = range_root(tree, from + half, to);
    lb_merkle_node(&left, &right, &left);
    return left;
}

/* Section 2.1.3.1, from the top down; the path is filled from its end. */
static size_t path_of(const struct tree *tree, size_t index, size_t from, size_t to,
                      struct lb_hash *out)
{
    if (to - from == 1)
        return 0;
    size_t half = 1;
    while (half * 2 < to - from)
        half *= 2;
    size_t middle = from + half;
    size_t num = index < middle ? path_of(tree, index, from, middle, out)
                                : path_of(tree, index, middle, to, out);
    out[num] = index < middle ? range_root(tree, middle, to) : range_root(tree, from, middle);
    return num + 1;
}

/* Section 2.1.4.1 with `whole` saying whether the range is one the first tree knows as a whole. */
static size_t consistency_of(const struct tree *tree, size_t first, size_t from, size_t to,
                             bool whole, struct lb_hash *out)
{
    if (first == to) {
        if (whole)
            return 0;
        out[0] = range_root(tree, from, to);
        return 1;
    }
    size_t half = 1;
    while (half * 2 < to - from)
        half *= 2;
    size_t middle = from + half;
    size_t num;
    if (first <= middle) {
        num = consistency_of(tree, first, from, middle, whole, out);
        out[num] = range_root(tree, middle, to);
    } else {
        num = consistency_of(tree, first, middle, to, false, out);
        out[num] = range_root(tree, from, middle);
    }
    return num + 1;
}

static size_t fill_path(const struct lb_hash *hashes, size_t num, ProtobufCBinaryData *out)
{
    for (size_t i = 0; i < num; i++)
        out[i] = lb_pb_bytes(lb_span_of(hashes[i].bytes, LB_HASH_BYTES));
    return num;
}

/* The input is a size and an EntryProof. A leaf that passes is the one at its index, and with the
 * one path there is. */
bool fuzz_entry_proof(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct tree *tree = sample_tree();
    uint8_t size = fuzz_u8(&in) % (NUM_LEAVES + 1);
    struct lb_checkpoint checkpoint = {.origin = ORIGIN, .size = size, .root = tree->roots[size]};
    Lianban__V1__EntryProof *proof = NULL;
    struct lb_leaf leaf;
    struct lb_hash hash, path[8];
    if (lb_pb_unpack(&lianban__v1__entry_proof__descriptor, in, arena, &proof) != LB_OK ||
        lb_link_verify(proof, &checkpoint, &leaf, &hash) != LB_OK)
        return false;
    FUZZ_CHECK(proof->index < size);
    FUZZ_CHECK(lb_span_eq(lb_pb_span(proof->leaf), lb_buf_span(&tree->bytes[proof->index])));
    FUZZ_CHECK(leaf.count == proof->index + 1);
    size_t num = path_of(tree, (size_t)proof->index, 0, size, path);
    FUZZ_CHECK(proof->n_path == num);
    for (size_t i = 0; i < num; i++)
        FUZZ_CHECK(memcmp(proof->path[i].data, path[i].bytes, LB_HASH_BYTES) == 0);
    return true;
}

void seed_entry_proof(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct tree *tree = sample_tree();
    for (uint8_t size = 1; size <= NUM_LEAVES; size += 5) {
        Lianban__V1__EntryProof proof = LIANBAN__V1__ENTRY_PROOF__INIT;
        struct lb_hash path[8];
        ProtobufCBinaryData data[8];
        struct lb_span bytes = LB_SPAN_EMPTY;
        size_t index = (size * 7U) % size;
        proof.leaf = lb_pb_bytes(lb_buf_span(&tree->bytes[index]));
        proof.index = index;
        proof.n_path = fill_path(path, path_of(tree, index, 0, size, path), data);
        proof.path = data;
        FUZZ_OK(lb_pb_pack(&proof, arena, &bytes));
        fuzz_seed(sink, size, bytes);
    }
}

/* --- progress of a log --- */

/* The checkpoint is signed here, over a root that is right, wrong or another size's. */
static struct lb_span sign_progress(struct lb_span *in, struct lb_arena *arena, uint8_t *out_size,
                                    uint8_t *out_root)
{
    const struct tree *tree = sample_tree();
    struct lb_checkpoint checkpoint = {.origin = ORIGIN};
    struct lb_span note = LB_SPAN_EMPTY;
    *out_size = fuzz_u8(in) % (NUM_LEAVES + 1);
    *out_root = fuzz_u8(in) % (NUM_LEAVES + 1);
    checkpoint.size = *out_size;
    checkpoint.root = tree->roots[*out_root];
    FUZZ_OK(lb_checkpoint_sign(&checkpoint, fuzz_keys()->ed25519, arena, &note));
    return note;
}

/* seen | size | which root | LogProgress without its checkpoint. */
bool fuzz_log_progress(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    const struct tree *tree = sample_tree();
    uint8_t raw[LB_P256_PUBLIC_BYTES], size = 0, root = 0;
    uint8_t seen = fuzz_u8(&in) % (NUM_LEAVES + 1);
    struct lb_span note = sign_progress(&in, arena, &size, &root);
    Lianban__V1__LogProgress *progress = NULL;
    struct lb_watch watch;
    struct lb_checkpoint checkpoint;
    if (lb_pb_unpack(&lianban__v1__log_progress__descriptor, in, arena, &progress) != LB_OK)
        return false;
    if (progress->checkpoint.len == 0)
        progress->checkpoint = lb_pb_bytes(note);
    public_key(raw);
    FUZZ_OK(lb_watch_init(&watch, ORIGIN, raw, seen, &tree->roots[seen]));
    lb_status status = lb_watch_advance(&watch, progress, &checkpoint);
    if (status == LB_OK) {
        /* From something to something else only over what extends it; from nothing to anything.
         * A log may sign another size than its tree has: a consistency proof does not tell (RFC
         * 9162, 2.1.4), inclusion proofs do. */
        FUZZ_CHECK(watch.size == checkpoint.size && checkpoint.size >= seen);
        bool own = lb_span_eq(lb_pb_span(progress->checkpoint), note);
        FUZZ_CHECK(!own || root >= seen);
        FUZZ_CHECK(!own || root == size || size > seen);
    } else {
        FUZZ_CHECK(watch.size == seen);
        FUZZ_CHECK(memcmp(watch.root.bytes, tree->roots[seen].bytes, LB_HASH_BYTES) == 0);
    }
    lb_watch_cleanup(&watch);
    return status == LB_OK;
}

void seed_log_progress(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    static const uint8_t steps[][2] = {{0, 0}, {0, 9}, {1, 2}, {3, 7}, {8, 16}, {6, 21}, {21, 21}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        Lianban__V1__LogProgress progress = LIANBAN__V1__LOG_PROGRESS__INIT;
        struct lb_hash path[16];
        ProtobufCBinaryData data[16];
        struct lb_span bytes = LB_SPAN_EMPTY;
        uint8_t from = steps[i][0], to = steps[i][1];
        progress.from_size = from;
        if (from > 0 && from < to)
            progress.n_consistency = fill_path(
                path, consistency_of(sample_tree(), from, 0, to, true, path), data);
        progress.consistency = data;
        FUZZ_OK(lb_pb_pack(&progress, arena, &bytes));
        const char head[] = {(char)from, (char)to, (char)to};
        uint8_t *seed = lb_arena_alloc(arena, bytes.len + 3);
        FUZZ_CHECK(seed != NULL);
        memcpy(seed, head, 3);
        if (bytes.len > 0)
            memcpy(seed + 3, bytes.ptr, bytes.len);
        fuzz_seed_plain(sink, lb_span_of(seed, bytes.len + 3));
    }
}
