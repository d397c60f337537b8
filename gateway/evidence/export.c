#include "gateway/evidence/export.h"

#include <stdlib.h>

#include "gateway/evidence/export_state.h"

/* --- opening --- */

static lb_status open_export(struct lb_export *export, const char *path, bool write,
                             struct lb_diag *diag)
{
    static const char *const names[] = {LB_EXPORT_CHECKPOINT, "tile", NULL};
    bool only = true;
    export->path = strdup(path);
    export->arena = lb_arena_new(LB_EXPORT_ARENA_BYTES);
    LB_ENSURE(export->path != NULL && export->arena != NULL, LB_NO_MEMORY, "export");
    LB_TRY(lb_tlog_folder_open(export->path, write, diag, &export->folder));
    if (!write)
        return LB_OK;
    LB_TRY(lb_tlog_folder_only(&export->folder, names, &only));
    if (!only)
        lb_diag_set(diag, "%s holds other things than an exported log; name an empty folder", path);
    LB_ENSURE(only, LB_OTHER_LOG, "not an export's folder");
    return LB_OK;
}

lb_status lb_export_open(const char *path, bool write, struct lb_diag *diag,
                         struct lb_export **out_export)
{
    struct lb_export *export = calloc(1, sizeof(*export));
    LB_ENSURE(export != NULL, LB_NO_MEMORY, "export");
    export->folder.fd = -1;
    diag->text[0] = 0;
    lb_status status = open_export(export, path, write, diag);
    if (status != LB_OK) {
        lb_export_close(export);
        return status;
    }
    *out_export = export;
    return LB_OK;
}

void lb_export_close(struct lb_export *export)
{
    if (export == NULL)
        return;
    lb_tlog_folder_close(&export->folder);
    lb_arena_free(export->arena);
    free(export->path);
    free(export);
}

lb_status lb_export_note(struct lb_export *export, struct lb_arena *arena,
                         struct lb_span *out_note)
{
    return lb_tlog_folder_read(&export->folder, LB_EXPORT_CHECKPOINT, LB_TLOG_MAX_CHECKPOINT_BYTES,
                               arena, out_note);
}

lb_status lb_export_origin(struct lb_export *export, struct lb_arena *arena,
                           const char **out_origin)
{
    struct lb_tlog_proof carrier = {.num_path = 0};
    LB_TRY(lb_export_note(export, arena, &carrier.checkpoint));
    return lb_tlog_proof_origin(&carrier, arena, out_origin);
}

/* --- how far it has come --- */

static lb_status refuse_seen(struct lb_export *export, const struct lb_note_verifier *verifier,
                             struct lb_diag *diag)
{
    const char *origin = NULL;
    lb_status status = lb_export_origin(export, export->arena, &origin);
    if (status == LB_OK && strcmp(origin, verifier->name) != 0) {
        lb_diag_set(diag, "%s holds an export of %s, not of %s; name another folder", export->path,
                    origin, verifier->name);
        LB_FAIL(LB_OTHER_LOG, "an export of another log");
    }
    lb_diag_set(diag, "%s: its checkpoint is damaged or not signed with this log's key",
                export->path);
    LB_FAIL(LB_LOG_FORK, "checkpoint does not verify");
}

lb_status lb_export_seen(struct lb_export *export, const struct lb_note_verifier *verifier,
                         struct lb_diag *diag, struct lb_checkpoint *out_seen)
{
    struct lb_checkpoint seen = {.size = 0};
    struct lb_span note = LB_SPAN_EMPTY;
    lb_arena_reset(export->arena);
    lb_status status = lb_export_note(export, export->arena, &note);
    if (lb_status_code(status) == LB_ABSENT) {
        *out_seen = seen;
        return LB_OK;
    }
    if (status == LB_OK)
        status = lb_checkpoint_open(note, verifier, &seen);
    if (status != LB_OK)
        return refuse_seen(export, verifier, diag);
    *out_seen = seen;
    return LB_OK;
}

/* --- growing --- */

/* A file of an export never changes: the same again is fine, anything else is a fork. */
static lb_status put_once(struct lb_export *export, const char *name, struct lb_span content)
{
    struct lb_span there = LB_SPAN_EMPTY;
    lb_arena_reset(export->arena);
    lb_status status = lb_tlog_folder_read(&export->folder, name, LB_TLOG_MAX_BUNDLE_BYTES,
                                           export->arena, &there);
    if (status == LB_OK && lb_span_eq(there, content))
        return LB_OK;
    if (status == LB_OK || lb_status_code(status) == LB_TOO_LARGE) {
        lb_diag_set(export->diag, "%s/%s is there with other content; keep it, and find out why",
                    export->path, name);
        LB_FAIL(LB_LOG_FORK, "a file with other content");
    }
    if (lb_status_code(status) == LB_ABSENT)
        status = lb_tlog_folder_put(&export->folder, name, content);
    if (status != LB_OK)
        lb_diag_set(export->diag, "%s/%s: %s", export->path, name, status->what);
    LB_TRY(status);
    export->num_files++;
    return LB_OK;
}

/* A full tile is known by its name, so nothing else may ever get that name. */
static lb_status put_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                          const struct lb_hash *hashes)
{
    struct lb_tlog_path path;
    LB_TRY(lb_tlog_tile_path(level, n, width, &path));
    return put_once(ctx, path.text, lb_span_of(hashes, width * sizeof(hashes[0])));
}

static lb_status put_bundle(void *ctx, uint64_t n, unsigned width, struct lb_span bundle)
{
    struct lb_tlog_path path;
    LB_TRY(lb_tlog_bundle_path(n, width, &path));
    return put_once(ctx, path.text, bundle);
}

static lb_status check_growth(struct lb_export *export, const struct lb_export_step *step,
                              const struct lb_checkpoint *seen, const struct lb_checkpoint *next)
{
    if (next->size < seen->size) {
        lb_diag_set(export->diag, "the log has %llu entries, but %llu were exported to %s before",
                    (unsigned long long)next->size, (unsigned long long)seen->size, export->path);
        LB_FAIL(LB_LOG_BEHIND, "the log is shorter than its export");
    }
    if (seen->size == 0)
        return LB_OK;
    lb_status status =
        lb_merkle_verify_consistency(seen->size, &seen->root, next->size, &next->root, step->path,
                                     step->num_path);
    if (status != LB_OK)
        lb_diag_set(export->diag, "the log does not extend the %llu entries that were exported to"
                                  " %s: its history was changed",
                    (unsigned long long)seen->size, export->path);
    return status;
}

/* Partial tiles of the last export whose full tiles are there now. */
static void prune(struct lb_export *export, uint64_t from, uint64_t size)
{
    for (unsigned level = 0; level < LB_TLOG_LEVELS; level++) {
        struct lb_tlog_path paths[2];
        uint64_t n = from >> (8 * (level + 1));
        bool grown = lb_tlog_width(from, level, n) > 0 &&
                     lb_tlog_width(size, level, n) == LB_TLOG_WIDTH;
        if (!grown || lb_tlog_tile_path(level, n, 1, &paths[0]) != LB_OK ||
            lb_tlog_bundle_path(n, 1, &paths[1]) != LB_OK)
            continue;
        for (unsigned i = 0; i < (level == 0 ? 2U : 1U); i++) {
            *strrchr(paths[i].text, '/') = 0;
            lb_tlog_folder_prune(&export->folder, paths[i].text);
        }
    }
}

/* What more have signed is not given up for the same with fewer signatures. */
static lb_status put_checkpoint(struct lb_export *export, struct lb_span note, bool grown)
{
    struct lb_span there = LB_SPAN_EMPTY;
    lb_arena_reset(export->arena);
    bool has = !grown && lb_export_note(export, export->arena, &there) == LB_OK;
    if (has && there.len >= note.len)
        return LB_OK;
    lb_status status = lb_tlog_folder_put(&export->folder, LB_EXPORT_CHECKPOINT, note);
    if (status != LB_OK)
        lb_diag_set(export->diag, "%s: the checkpoint: %s", export->path, status->what);
    LB_TRY(status);
    export->num_files++;
    return LB_OK;
}

lb_status lb_export_grow(struct lb_export *export, const struct lb_note_verifier *verifier,
                         const struct lb_export_step *step, struct lb_diag *diag,
                         struct lb_export_result *out_result)
{
    const struct lb_tlog_sink sink = {export, put_tile, put_bundle};
    struct lb_checkpoint seen, next;
    export->diag = diag;
    export->num_files = 0;
    diag->text[0] = 0;
    LB_TRY(lb_export_seen(export, verifier, diag, &seen));
    lb_status status = lb_checkpoint_open(step->checkpoint, verifier, &next);
    if (status != LB_OK)
        lb_diag_set(diag, "the log's checkpoint is not signed with its key");
    LB_TRY(status);
    LB_TRY(check_growth(export, step, &seen, &next));
    LB_TRY(lb_tlog_walk(&next, seen.size, &step->source, &sink, diag));
    LB_TRY(put_checkpoint(export, step->checkpoint, next.size > seen.size));
    prune(export, seen.size, next.size);
    *out_result = (struct lb_export_result){next, seen.size, export->num_files};
    return LB_OK;
}
