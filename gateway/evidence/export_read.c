#include "gateway/evidence/export_state.h"
#include "gateway/evidence/inspect_state.h"

/* --- the files as a source --- */

/* Whatever is wrong with a file that the checkpoint covers, the export is not what was signed. */
static lb_status read_needed(struct lb_export *export, const struct lb_tlog_path *path,
                             size_t max_bytes, struct lb_arena *arena, struct lb_span *out)
{
    lb_status status = lb_tlog_folder_read(&export->folder, path->text, max_bytes, arena, out);
    if (status == LB_OK)
        return LB_OK;
    lb_diag_set(export->diag, "%s: %s", path->text, status->what);
    LB_FAIL(LB_LOG_FORK, "a file that the checkpoint covers");
}

static lb_status read_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                           struct lb_hash *out_hashes)
{
    struct lb_export *export = ctx;
    struct lb_tlog_path path;
    struct lb_span bytes = LB_SPAN_EMPTY;
    LB_TRY(lb_tlog_tile_path(level, n, width, &path));
    lb_arena_reset(export->arena);
    LB_TRY(read_needed(export, &path, LB_TLOG_WIDTH * LB_HASH_BYTES, export->arena, &bytes));
    if (bytes.len != width * sizeof(*out_hashes)) {
        lb_diag_set(export->diag, "%s is not %u hashes long", path.text, width);
        LB_FAIL(LB_LOG_FORK, "a tile of the wrong length");
    }
    memcpy(out_hashes, bytes.ptr, bytes.len);
    return LB_OK;
}

static lb_status read_bundle(void *ctx, uint64_t n, unsigned width, struct lb_arena *arena,
                             struct lb_span *out_bundle)
{
    struct lb_tlog_path path;
    LB_TRY(lb_tlog_bundle_path(n, width, &path));
    return read_needed(ctx, &path, LB_TLOG_MAX_BUNDLE_BYTES, arena, out_bundle);
}

struct lb_tlog_source lb_export_source(struct lb_export *export)
{
    return (struct lb_tlog_source){export, read_tile, read_bundle};
}

/* --- verification --- */

static lb_status need_head(struct lb_export *export, const struct lb_note_verifier *verifier,
                           struct lb_diag *diag, struct lb_checkpoint *out_head)
{
    export->diag = diag;
    diag->text[0] = 0;
    LB_TRY(lb_export_seen(export, verifier, diag, out_head));
    if (out_head->size == 0)
        lb_diag_set(diag, "%s has no checkpoint of any entry", export->path);
    LB_ENSURE(out_head->size > 0, LB_ABSENT, "nothing was exported");
    return LB_OK;
}

lb_status lb_export_verify(struct lb_export *export, const struct lb_note_verifier *verifier,
                           struct lb_diag *diag, struct lb_checkpoint *out_checkpoint)
{
    const struct lb_tlog_source source = lb_export_source(export);
    struct lb_checkpoint head;
    LB_TRY(need_head(export, verifier, diag, &head));
    LB_TRY(lb_tlog_walk(&head, 0, &source, NULL, diag));
    *out_checkpoint = head;
    return LB_OK;
}

/* --- proofs --- */

/* What both kinds of proof are made of. */
struct proving {
    struct lb_tree *tree;
    const struct lb_note_verifier *verifier;
    struct lb_arena *arena;
    struct lb_diag *diag;
    struct lb_tlog_proof proof;
};

static lb_status prove(struct proving *proving, uint64_t size)
{
    struct lb_tlog_proof *proof = &proving->proof;
    struct lb_checkpoint checkpoint;
    struct lb_hash *path = NULL;
    struct lb_hash leaf;
    if (proof->index >= size)
        lb_diag_set(proving->diag, "there is no entry %llu; the log has %llu",
                    (unsigned long long)proof->index, (unsigned long long)size);
    LB_ENSURE(proof->index < size, LB_ABSENT, "no such entry");
    LB_TRY(lb_tree_restore(proving->tree, size));
    LB_TRY(lb_tree_inclusion(proving->tree, proof->index, size, proving->arena, &path,
                             &proof->num_path));
    LB_ENSURE(proof->num_path <= LB_MAX_PROOF_HASHES, LB_TOO_LARGE, "the path is too long");
    memcpy(proof->path, path, proof->num_path * sizeof(*path));
    lb_status status = lb_tlog_proof_verify(proof, proving->verifier, &checkpoint, &leaf);
    if (status != LB_OK)
        lb_diag_set(proving->diag, "the log does not give its signed root: it was changed");
    LB_ENSURE(status == LB_OK, LB_LOG_FORK, "another root");
    return LB_OK;
}

static lb_status finish(struct proving *proving, lb_status status, struct lb_tlog_proof *out_proof)
{
    if (status != LB_OK && proving->diag->text[0] == 0)
        lb_diag_set(proving->diag, "the proof cannot be made (%s); run `lianban log verify`",
                    status->what);
    lb_tree_free(proving->tree);
    LB_TRY(status);
    *out_proof = proving->proof;
    return LB_OK;
}

static lb_status prove_logged(struct lb_log_reader *reader, struct proving *proving)
{
    const struct lb_tree_source source = lb_records_source(&reader->records);
    struct lb_records_checkpoint head;
    uint8_t *bytes = lb_arena_alloc(proving->arena, LB_MAX_LEAF_BYTES);
    size_t len = 0;
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_records_checkpoint(&reader->records, proving->arena, &head));
    LB_TRY(lb_tree_new(&source, &proving->tree));
    if (proving->proof.index < head.size)
        LB_TRY(lb_records_leaf(&reader->records, proving->proof.index, bytes, &len));
    proving->proof.has_extra = true;
    proving->proof.extra = lb_span_of(bytes, len);
    proving->proof.checkpoint = head.note;
    return prove(proving, head.size);
}

lb_status lb_log_reader_prove(struct lb_log_reader *reader, uint64_t index,
                              const struct lb_note_verifier *verifier, struct lb_arena *arena,
                              struct lb_diag *diag, struct lb_tlog_proof *out_proof)
{
    struct proving proving = {
        .verifier = verifier, .arena = arena, .diag = diag, .proof = {.index = index}};
    diag->text[0] = 0;
    lb_status status = prove_logged(reader, &proving);
    if (status != LB_OK && lb_log_reader_trouble(reader) != NULL)
        lb_diag_set(diag, "%s", lb_log_reader_trouble(reader));
    return finish(&proving, status, out_proof);
}

/* The tree over an export's files. */
struct files {
    struct lb_export *export;
    uint64_t size;
};

static lb_status load_tile(void *context, unsigned level, uint64_t n, struct lb_hash *out_hashes)
{
    struct files *files = context;
    return read_tile(files->export, level, n, LB_TLOG_WIDTH, out_hashes);
}

static lb_status load_leaf(void *context, uint64_t index, struct lb_hash *out_hash)
{
    struct files *files = context;
    struct lb_hash hashes[LB_TLOG_WIDTH];
    uint64_t n = index / LB_TLOG_WIDTH;
    LB_TRY(read_tile(files->export, 0, n, lb_tlog_width(files->size, 0, n), hashes));
    *out_hash = hashes[index % LB_TLOG_WIDTH];
    return LB_OK;
}

static lb_status prove_exported(struct files *files, struct proving *proving)
{
    const struct lb_tree_source source = {load_tile, load_leaf, files};
    struct lb_tlog_proof *proof = &proving->proof;
    struct lb_checkpoint head;
    struct lb_span bundle = LB_SPAN_EMPTY;
    LB_TRY(need_head(files->export, proving->verifier, proving->diag, &head));
    LB_TRY(lb_export_note(files->export, proving->arena, &proof->checkpoint));
    LB_TRY(lb_tree_new(&source, &proving->tree));
    files->size = head.size;
    if (proof->index < head.size) {
        uint64_t n = proof->index / LB_TLOG_WIDTH;
        LB_TRY(read_bundle(files->export, n, lb_tlog_width(head.size, 0, n), proving->arena,
                           &bundle));
        LB_TRY(lb_tlog_bundle_entry(bundle, (unsigned)(proof->index % LB_TLOG_WIDTH),
                                    &proof->extra));
        proof->has_extra = true;
    }
    return prove(proving, head.size);
}

lb_status lb_export_prove(struct lb_export *export, uint64_t index,
                          const struct lb_note_verifier *verifier, struct lb_arena *arena,
                          struct lb_diag *diag, struct lb_tlog_proof *out_proof)
{
    struct files files = {.export = export};
    struct proving proving = {
        .verifier = verifier, .arena = arena, .diag = diag, .proof = {.index = index}};
    diag->text[0] = 0;
    return finish(&proving, prove_exported(&files, &proving), out_proof);
}
