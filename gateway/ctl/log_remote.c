#include "gateway/ctl/log_remote.h"

#include "gateway/wire/pb.h"
#include "lianban/v1/evidence.pb-c.h"

struct pull {
    struct lb_ctl_log_port *port;
    struct lb_arena *call;  /* of one call */
};

/* --- what the other side gives --- */

static lb_status get_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                          struct lb_hash *out_hashes)
{
    struct pull *pull = ctx;
    Lianban__V1__GetTileRequest request = LIANBAN__V1__GET_TILE_REQUEST__INIT;
    Lianban__V1__GetTileResponse *response = NULL;
    request.level = level;
    request.index = n;
    request.width = width;
    lb_arena_reset(pull->call);
    LB_TRY(pull->port->ask(pull->port->ctx, "GetTile", &request,
                           &lianban__v1__get_tile_response__descriptor, pull->call, &response));
    LB_ENSURE(response->hashes.len == width * sizeof(*out_hashes), LB_MALFORMED,
              "a tile of the wrong length");
    memcpy(out_hashes, response->hashes.data, response->hashes.len);
    return LB_OK;
}

/* Counts whole entries; nothing may be left over. */
static lb_status count_entries(struct lb_span bytes, unsigned most, unsigned *out_count)
{
    struct lb_cursor cursor = lb_cursor_of(bytes);
    unsigned count = 0;
    for (; cursor.left > 0 && !cursor.failed && count <= most; count++)
        (void)lb_cursor_field16(&cursor);
    LB_TRY(lb_cursor_end(&cursor));
    LB_ENSURE(count >= 1 && count <= most, LB_MALFORMED, "another number of entries");
    *out_count = count;
    return LB_OK;
}

/* Asks for what is missing until all of it is there; every answer brings at least one entry. */
static lb_status get_bundle(void *ctx, uint64_t n, unsigned width, struct lb_arena *arena,
                            struct lb_span *out_bundle)
{
    struct pull *pull = ctx;
    LB_DEFER(lb_buf_cleanup) struct lb_buf bundle;
    lb_buf_init(&bundle, LB_TLOG_MAX_BUNDLE_BYTES);
    for (unsigned have = 0; have < width;) {
        Lianban__V1__GetEntriesRequest request = LIANBAN__V1__GET_ENTRIES_REQUEST__INIT;
        Lianban__V1__GetEntriesResponse *response = NULL;
        unsigned count = 0;
        request.index = n * LB_TLOG_WIDTH + have;
        request.count = width - have;
        lb_arena_reset(pull->call);
        LB_TRY(pull->port->ask(pull->port->ctx, "GetEntries", &request,
                               &lianban__v1__get_entries_response__descriptor, pull->call,
                               &response));
        LB_TRY(count_entries(lb_pb_span(response->entries), width - have, &count));
        lb_buf_put(&bundle, lb_pb_span(response->entries));
        have += count;
    }
    LB_TRY(lb_buf_check(&bundle));
    return lb_arena_copy(arena, lb_buf_span(&bundle), out_bundle);
}

static lb_status take_path(const Lianban__V1__LogProgress *progress, struct lb_arena *arena,
                           struct lb_export_step *step)
{
    struct lb_hash *path = lb_arena_array(arena, LB_MAX_PROOF_HASHES, sizeof(*path));
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(progress->n_consistency <= LB_MAX_PROOF_HASHES, LB_MALFORMED, "too many hashes");
    for (size_t i = 0; i < progress->n_consistency; i++) {
        LB_ENSURE(progress->consistency[i].len == LB_HASH_BYTES, LB_MALFORMED,
                  "a hash is not 32 bytes");
        memcpy(path[i].bytes, progress->consistency[i].data, LB_HASH_BYTES);
    }
    step->path = path;
    step->num_path = progress->n_consistency;
    return LB_OK;
}

static lb_status get_progress(struct pull *pull, uint64_t from, struct lb_arena *arena,
                              struct lb_export_step *step)
{
    Lianban__V1__GetCheckpointRequest request = LIANBAN__V1__GET_CHECKPOINT_REQUEST__INIT;
    Lianban__V1__LogProgress *progress = NULL;
    request.from_size = from;
    LB_TRY(pull->port->ask(pull->port->ctx, "GetCheckpoint", &request,
                           &lianban__v1__log_progress__descriptor, arena, &progress));
    LB_TRY(take_path(progress, arena, step));
    step->checkpoint = lb_pb_span(progress->checkpoint);
    return LB_OK;
}

/* --- the whole --- */

static lb_status pull_log(struct pull *pull, struct lb_export *export, struct lb_arena *arena,
                          struct lb_diag *diag, struct lb_export_result *out_result)
{
    struct lb_export_step step = {.source = {pull, get_tile, get_bundle}};
    struct lb_checkpoint seen;
    LB_TRY(lb_export_seen(export, &pull->port->verifier, diag, &seen));
    lb_status status = get_progress(pull, seen.size, arena, &step);
    if (lb_status_code(status) == LB_LOG_BEHIND)
        lb_diag_set(diag, "the log has fewer than the %llu entries that were exported before",
                    (unsigned long long)seen.size);
    LB_TRY(status);
    return lb_export_grow(export, &pull->port->verifier, &step, diag, out_result);
}

lb_status lb_ctl_log_pull(struct lb_ctl_log_port *port, struct lb_export *export,
                          struct lb_diag *diag, struct lb_export_result *out_result)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    LB_DEFER(lb_arena_freep) struct lb_arena *call = lb_arena_new(2 * LB_CALL_ARENA_BYTES);
    LB_ENSURE(arena != NULL && call != NULL, LB_NO_MEMORY, "memory is exhausted");
    struct pull pull = {port, call};
    diag->text[0] = 0;
    lb_status status = pull_log(&pull, export, arena, diag, out_result);
    if (status != LB_OK && diag->text[0] == 0)
        lb_diag_set(diag, "the other side: %s", status->what);
    return status;
}

void lb_ctl_log_close(struct lb_ctl_log_port *port)
{
    if (port->close == NULL)
        return;
    lb_note_verifier_cleanup(&port->verifier);
    port->close(port->ctx);
}
