#include "gateway/evidence/proof.h"
#include "gateway/evidence/tlog.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keys.h"

/* What an outsider reads of a log: proofs (C2SP tlog-proof) and bundles of entries (tlog-tiles). */

#define ARENA_BYTES (8U << 20)
#define ORIGIN "test.gov/adapter/tax"
#define NUM_LEAVES 5U

/* A tree of five entries, "entry 0" to "entry 4"; the last one's path is one hash. */
struct tree {
    struct lb_hash left;  /* of the first four */
    struct lb_checkpoint checkpoint;
};

static struct tree sample_tree(void)
{
    struct tree tree = {.checkpoint = {.origin = ORIGIN, .size = NUM_LEAVES}};
    struct lb_merkle_frontier frontier;
    lb_merkle_frontier_init(&frontier);
    for (uint8_t i = 0; i < NUM_LEAVES; i++) {
        const char text[] = {'e', 'n', 't', 'r', 'y', ' ', (char)('0' + i)};
        struct lb_hash leaf;
        lb_merkle_leaf(lb_span_of(text, sizeof(text)), &leaf);
        lb_merkle_frontier_add(&frontier, &leaf);
    }
    tree.left = frontier.edge[2];
    lb_merkle_frontier_root(&frontier, &tree.checkpoint.root);
    return tree;
}

static struct lb_span sample_proof(struct lb_arena *arena)
{
    struct tree tree = sample_tree();
    struct lb_tlog_proof proof = {
        .has_extra = true, .extra = lb_span_str("entry 4"), .index = 4, .num_path = 1};
    struct lb_span text = LB_SPAN_EMPTY;
    proof.path[0] = tree.left;
    FUZZ_OK(lb_checkpoint_sign(&tree.checkpoint, fuzz_keys()->ed25519, arena, &proof.checkpoint));
    FUZZ_OK(lb_tlog_proof_format(&proof, arena, &text));
    return text;
}

/* Every proof has one text; what verifies under our key is the entry that is there. */
bool fuzz_tlog_proof(struct lb_span in)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    uint8_t raw[LB_P256_PUBLIC_BYTES];
    struct lb_note_verifier verifier;
    struct lb_tlog_proof proof;
    struct lb_checkpoint checkpoint;
    struct lb_hash leaf;
    struct lb_span again;
    if (lb_tlog_proof_parse(in, arena, &proof) != LB_OK)
        return false;
    FUZZ_CHECK(proof.num_path <= LB_MAX_PROOF_HASHES && proof.index <= INT64_MAX);
    FUZZ_OK(lb_tlog_proof_format(&proof, arena, &again));
    FUZZ_CHECK(lb_span_eq(again, in));
    (void)lb_sign_key_public(fuzz_keys()->ed25519, raw);
    FUZZ_OK(lb_note_verifier_init(ORIGIN, raw, &verifier));
    lb_status status = lb_tlog_proof_verify(&proof, &verifier, &checkpoint, &leaf);
    lb_note_verifier_cleanup(&verifier);
    if (status == LB_OK && checkpoint.size == NUM_LEAVES) {
        FUZZ_CHECK(proof.index == 4 && lb_span_is(proof.extra, "entry 4"));
        FUZZ_CHECK(proof.num_path == 1);
    }
    return true;
}

void seed_tlog_proof(const struct fuzz_sink *sink)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = fuzz_arena(ARENA_BYTES);
    fuzz_seed_plain(sink, sample_proof(arena));
    fuzz_seed_text(sink, "c2sp.org/tlog-proof@v1\nindex 0\n\nno checkpoint");
    fuzz_seed_text(sink, "c2sp.org/tlog-proof@v1\nextra \nindex 9223372036854775807\n\nx");
}

/* A bundle that is read is its entries, one behind the other, and nothing else. */
bool fuzz_entry_bundle(struct lb_span in)
{
    struct lb_hash hashes[LB_TLOG_WIDTH];
    struct lb_buf again;
    unsigned width = fuzz_u8(&in) + 1U;
    if (lb_tlog_bundle_hashes(in, width, hashes) != LB_OK)
        return false;
    lb_buf_init(&again, in.len + 1);
    for (unsigned i = 0; i < width; i++) {
        struct lb_hash leaf;
        struct lb_span entry;
        FUZZ_OK(lb_tlog_bundle_entry(in, i, &entry));
        lb_merkle_leaf(entry, &leaf);
        FUZZ_CHECK(memcmp(leaf.bytes, hashes[i].bytes, LB_HASH_BYTES) == 0);
        lb_buf_put_field16(&again, entry);
    }
    FUZZ_OK(lb_buf_check(&again));
    FUZZ_CHECK(lb_span_eq(lb_buf_span(&again), in));
    lb_buf_cleanup(&again);
    return true;
}

void seed_entry_bundle(const struct fuzz_sink *sink)
{
    static const uint8_t words[] = {0, 3, 'o', 'n', 'e', 0, 3, 't', 'w', 'o', 0, 0};
    fuzz_seed(sink, 2, lb_span_of(words, sizeof(words)));
    fuzz_seed(sink, 0, lb_span_of(words, 5));
    fuzz_seed(sink, 255, lb_span_of((uint8_t[512]){0}, 512));
}
