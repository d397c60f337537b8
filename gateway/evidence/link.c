#include "gateway/evidence/link.h"

#include "gateway/wire/pb.h"

static lb_status give_path(const struct lb_hash *path, size_t num, struct lb_arena *arena,
                           ProtobufCBinaryData **out_path)
{
    ProtobufCBinaryData *out = lb_arena_array(arena, num, sizeof(*out));
    LB_ENSURE(out != NULL, LB_NO_MEMORY, "arena is full");
    for (size_t i = 0; i < num; i++)
        out[i] = lb_pb_bytes(lb_span_of(path[i].bytes, sizeof(path[i].bytes)));
    *out_path = out;
    return LB_OK;
}

static lb_status take_path(const ProtobufCBinaryData *path, size_t num,
                           struct lb_hash out[LB_MAX_PROOF_HASHES])
{
    LB_ENSURE(num <= LB_MAX_PROOF_HASHES, LB_MALFORMED, "proof has too many hashes");
    for (size_t i = 0; i < num; i++) {
        LB_ENSURE(path[i].len == LB_HASH_BYTES, LB_MALFORMED, "proof hash is not 32 bytes");
        memcpy(out[i].bytes, path[i].data, LB_HASH_BYTES);
    }
    return LB_OK;
}

lb_status lb_link_show(struct lb_log *log, uint64_t *shown_size, struct lb_arena *arena,
                       Lianban__V1__LogProgress **out_progress, uint64_t *out_size)
{
    struct lb_log_head head;
    struct lb_hash *path = NULL;
    size_t num = 0;
    LB_TRY(lb_log_head(log, arena, &head));
    LB_TRY(lb_log_consistency(log, *shown_size, head.size, arena, &path, &num));
    Lianban__V1__LogProgress *progress = lb_arena_alloc(arena, sizeof(*progress));
    LB_ENSURE(progress != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__log_progress__init(progress);
    progress->checkpoint = lb_pb_bytes(head.checkpoint);
    progress->from_size = *shown_size;
    progress->n_consistency = num;
    LB_TRY(give_path(path, num, arena, &progress->consistency));
    *shown_size = head.size;
    *out_size = head.size;
    *out_progress = progress;
    return LB_OK;
}

lb_status lb_link_prove(struct lb_log *log, uint64_t index, struct lb_span leaf, uint64_t size,
                        struct lb_arena *arena, Lianban__V1__EntryProof **out_proof)
{
    struct lb_hash *path = NULL;
    size_t num = 0;
    LB_TRY(lb_log_inclusion(log, index, size, arena, &path, &num));
    Lianban__V1__EntryProof *proof = lb_arena_alloc(arena, sizeof(*proof));
    LB_ENSURE(proof != NULL, LB_NO_MEMORY, "arena is full");
    lianban__v1__entry_proof__init(proof);
    struct lb_span copy;
    LB_TRY(lb_arena_copy(arena, leaf, &copy));
    proof->leaf = lb_pb_bytes(copy);
    proof->index = index;
    proof->n_path = num;
    LB_TRY(give_path(path, num, arena, &proof->path));
    *out_proof = proof;
    return LB_OK;
}

lb_status lb_watch_init(struct lb_watch *watch, const char *origin, const uint8_t public_key[32],
                        uint64_t seen_size, const struct lb_hash *seen_root)
{
    LB_ENSURE(seen_size == 0 || seen_root != NULL, LB_MALFORMED, "a seen size without its root");
    struct lb_watch fresh = {.size = seen_size};
    if (seen_size > 0)
        fresh.root = *seen_root;
    else
        lb_merkle_empty(&fresh.root);
    LB_TRY(lb_note_verifier_init(origin, public_key, &fresh.verifier));
    *watch = fresh;
    return LB_OK;
}

void lb_watch_cleanup(struct lb_watch *watch)
{
    lb_note_verifier_cleanup(&watch->verifier);
}

lb_status lb_watch_check(const struct lb_watch *watch, const Lianban__V1__LogProgress *progress,
                         struct lb_checkpoint *out_checkpoint)
{
    struct lb_span note = lb_pb_span(progress->checkpoint);
    LB_ENSURE(note.len > 0 && note.len <= LB_LINK_MAX_CHECKPOINT_BYTES, LB_MALFORMED,
              "checkpoint is empty or too long");
    return lb_checkpoint_memo_open(watch->memo, note, &watch->verifier, out_checkpoint);
}

/* A tree of one size has one root, and the empty one is known. */
static lb_status check_same_size(const struct lb_watch *watch, const struct lb_checkpoint *next,
                                 size_t num_path)
{
    LB_ENSURE(num_path == 0, LB_LOG_FORK, "equal sizes need no proof");
    LB_ENSURE(memcmp(watch->root.bytes, next->root.bytes, LB_HASH_BYTES) == 0, LB_LOG_FORK,
              "one size, two roots");
    return LB_OK;
}

static lb_status check_growth(const struct lb_watch *watch,
                              const Lianban__V1__LogProgress *progress,
                              const struct lb_checkpoint *next)
{
    struct lb_hash path[LB_MAX_PROOF_HASHES];
    LB_TRY(take_path(progress->consistency, progress->n_consistency, path));
    LB_ENSURE(next->size >= watch->size, LB_LOG_BEHIND, "the log is shorter than it was");
    if (next->size == watch->size)
        return check_same_size(watch, next, progress->n_consistency);
    if (watch->size == 0)
        return LB_OK;
    LB_ENSURE(progress->from_size == watch->size, LB_LOG_FORK, "proof from a size we do not hold");
    return lb_merkle_verify_consistency(watch->size, &watch->root, next->size, &next->root, path,
                                        progress->n_consistency);
}

lb_status lb_watch_advance(struct lb_watch *watch, const Lianban__V1__LogProgress *progress,
                           struct lb_checkpoint *out_checkpoint)
{
    struct lb_checkpoint next;
    LB_TRY(lb_watch_check(watch, progress, &next));
    LB_TRY(check_growth(watch, progress, &next));
    watch->size = next.size;
    watch->root = next.root;
    *out_checkpoint = next;
    return LB_OK;
}

lb_status lb_link_verify(const Lianban__V1__EntryProof *proof,
                         const struct lb_checkpoint *checkpoint, struct lb_leaf *out_leaf,
                         struct lb_hash *out_leaf_hash)
{
    struct lb_hash path[LB_MAX_PROOF_HASHES];
    struct lb_hash leaf_hash;
    struct lb_leaf leaf;
    struct lb_span bytes = lb_pb_span(proof->leaf);
    LB_ENSURE(bytes.len > 0 && bytes.len <= LB_MAX_LEAF_BYTES, LB_MALFORMED,
              "leaf is empty or too long");
    LB_TRY(take_path(proof->path, proof->n_path, path));
    lb_merkle_leaf(bytes, &leaf_hash);
    LB_TRY(lb_merkle_verify_inclusion(&leaf_hash, proof->index, checkpoint->size, path,
                                      proof->n_path, &checkpoint->root));
    LB_TRY(lb_leaf_decode(bytes, &leaf));
    *out_leaf = leaf;
    *out_leaf_hash = leaf_hash;
    return LB_OK;
}
