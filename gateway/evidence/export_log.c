#include "gateway/evidence/export_state.h"
#include "gateway/evidence/inspect_state.h"

/* A log's own folder as a source, and its export. */

lb_status lb_tree_tlog_tile(struct lb_tree *tree, unsigned level, uint64_t n, unsigned width,
                            struct lb_hash *out_hashes)
{
    struct lb_hash hashes[LB_TILE_HASHES];
    size_t num = 0;
    LB_TRY(lb_tree_tile(tree, level, n, hashes, &num));
    LB_ENSURE(num >= width, LB_ABSENT, "the tree is not that large");
    memcpy(out_hashes, hashes, width * sizeof(hashes[0]));
    return LB_OK;
}

struct logged {
    struct lb_log_reader *reader;
    struct lb_tree *tree;
};

static void logged_cleanup(struct logged *logged)
{
    lb_tree_free(logged->tree);
}

static lb_status give_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                           struct lb_hash *out_hashes)
{
    struct logged *logged = ctx;
    return lb_tree_tlog_tile(logged->tree, level, n, width, out_hashes);
}

static lb_status give_bundle(void *ctx, uint64_t n, unsigned width, struct lb_arena *arena,
                             struct lb_span *out_bundle)
{
    struct logged *logged = ctx;
    LB_DEFER(lb_buf_cleanup) struct lb_buf bundle;
    lb_buf_init(&bundle, LB_TLOG_MAX_BUNDLE_BYTES);
    for (unsigned i = 0; i < width; i++) {
        uint8_t bytes[LB_MAX_LEAF_BYTES];
        size_t len = 0;
        LB_TRY(lb_records_leaf(&logged->reader->records, n * LB_TLOG_WIDTH + i, bytes, &len));
        lb_buf_put_field16(&bundle, lb_span_of(bytes, len));
    }
    LB_TRY(lb_buf_check(&bundle));
    return lb_arena_copy(arena, lb_buf_span(&bundle), out_bundle);
}

/* The size exported before may be past this log's end; lb_export_grow names that. */
static lb_status prove_growth(struct logged *logged, uint64_t from, uint64_t size,
                              struct lb_arena *arena, struct lb_export_step *step)
{
    struct lb_hash *path = NULL;
    if (from <= size)
        LB_TRY(lb_tree_consistency(logged->tree, from, size, arena, &path, &step->num_path));
    step->path = path;
    return LB_OK;
}

/* The entries up to `end` are those of the log that was verified. */
static lb_status check_end(struct logged *logged, const struct lb_log_verdict *verdict,
                           const struct lb_checkpoint *end, struct lb_arena *arena,
                           struct lb_diag *diag)
{
    struct lb_hash *path = NULL;
    size_t num = 0;
    if (end->size > verdict->size)
        lb_diag_set(diag, "others vouch for %llu entries of this log and here are %llu: it was cut "
                          "short, or restored from an old copy",
                    (unsigned long long)end->size, (unsigned long long)verdict->size);
    LB_ENSURE(end->size <= verdict->size, LB_LOG_BEHIND, "shorter than what others vouch for");
    LB_TRY(lb_tree_consistency(logged->tree, end->size, verdict->size, arena, &path, &num));
    lb_status status = lb_merkle_verify_consistency(end->size, &end->root, verdict->size,
                                                    &verdict->root, path, num);
    if (status != LB_OK)
        lb_diag_set(diag, "the first %llu entries are not those that others vouch for: the log was "
                          "written anew",
                    (unsigned long long)end->size);
    return status;
}

/* Where the export ends: at the note, or without one at the log's own end. */
static lb_status find_end(struct logged *logged, const struct lb_log_verdict *verdict,
                          const struct lb_note_verifier *verifier, struct lb_span note,
                          struct lb_arena *arena, struct lb_diag *diag, struct lb_checkpoint *out)
{
    out->size = verdict->size;
    if (note.len == 0)
        return LB_OK;
    lb_status status = lb_checkpoint_open(note, verifier, out);
    if (status != LB_OK)
        lb_diag_set(diag, "the checkpoint to end at is not signed with this log's key");
    LB_TRY(status);
    return check_end(logged, verdict, out, arena, diag);
}

lb_status lb_log_reader_export_at(struct lb_log_reader *reader, struct lb_export *export,
                                  const struct lb_note_verifier *verifier, struct lb_span note,
                                  struct lb_diag *diag, struct lb_export_result *out_result)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    const struct lb_tree_source source = lb_records_source(&reader->records);
    LB_DEFER(logged_cleanup) struct logged logged = {.reader = reader};
    struct lb_log_verdict verdict;
    struct lb_checkpoint seen, end;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_export_seen(export, verifier, diag, &seen));
    LB_TRY(lb_log_reader_verify(reader, verifier, diag, &verdict));
    struct lb_export_step step = {
        .checkpoint = note.len > 0 ? note : lb_span_of(verdict.note, verdict.note_len),
        .source = {&logged, give_tile, give_bundle},
    };
    LB_TRY(lb_tree_new(&source, &logged.tree));
    LB_TRY(lb_tree_restore(logged.tree, verdict.size));
    LB_TRY(find_end(&logged, &verdict, verifier, note, arena, diag, &end));
    bool ahead = seen.size > end.size && seen.size <= verdict.size;
    if (ahead)
        lb_diag_set(diag, "%llu entries were exported before, and witnesses have cosigned %llu: "
                          "wait for them, or name another folder",
                    (unsigned long long)seen.size, (unsigned long long)end.size);
    LB_ENSURE(!ahead, LB_LOG_UNWITNESSED, "not all that was exported is witnessed");
    LB_TRY(prove_growth(&logged, seen.size, end.size, arena, &step));
    return lb_export_grow(export, verifier, &step, diag, out_result);
}

lb_status lb_log_reader_export(struct lb_log_reader *reader, struct lb_export *export,
                               const struct lb_note_verifier *verifier, struct lb_diag *diag,
                               struct lb_export_result *out_result)
{
    return lb_log_reader_export_at(reader, export, verifier, LB_SPAN_EMPTY, diag, out_result);
}
