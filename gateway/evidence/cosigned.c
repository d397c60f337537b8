#include "gateway/evidence/cosigned.h"

#include <stdlib.h>
#include <unistd.h>

#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/log_state.h"

#define APPLICATION_ID 0x4C426373U /* "LBcs" */
#define BUSY_TIMEOUT_MS 5000
#define DAY_S 86400
#define THIN_EVERY 360 /* puts */

struct lb_cosigned {
    struct lb_store *store;
    struct lb_stmt *put;
    struct lb_stmt *thin;
    struct lb_stmt *newest;
    unsigned num_puts;
};

static const char *const MIGRATIONS[] = {
    "CREATE TABLE cosigned(size INTEGER PRIMARY KEY, unix_s INTEGER NOT NULL,"
    " met INTEGER NOT NULL CHECK (met IN (0, 1)), note BLOB NOT NULL) STRICT;",
    NULL,
};

const struct lb_store_schema lb_cosigned_schema = {LB_COSIGNED_DATABASE, APPLICATION_ID,
                                                   MIGRATIONS};

static lb_status prepare(struct lb_cosigned *cosigned, bool read_only)
{
    LB_TRY(lb_stmt_prepare(cosigned->store,
                           "SELECT size, unix_s, met, note FROM cosigned WHERE met >= ?1"
                           " ORDER BY size DESC LIMIT 1",
                           &cosigned->newest));
    if (read_only)
        return LB_OK;
    LB_TRY(lb_stmt_prepare(cosigned->store,
                           "INSERT INTO cosigned(size, unix_s, met, note) VALUES (?1, ?2, ?3, ?4)"
                           " ON CONFLICT(size) DO UPDATE SET unix_s = excluded.unix_s,"
                           " met = excluded.met, note = excluded.note"
                           " WHERE excluded.met >= cosigned.met",
                           &cosigned->put));
    return lb_stmt_prepare(cosigned->store,
                           "DELETE FROM cosigned WHERE unix_s < ?1 AND size NOT IN (SELECT"
                           " max(size) FROM cosigned GROUP BY unix_s / 3600, met)",
                           &cosigned->thin);
}

static lb_status open_at(const char *path, bool read_only, struct lb_cosigned *cosigned)
{
    const struct lb_store_options options = {
        .path = path,
        .migrations = read_only ? NULL : MIGRATIONS,
        .application_id = APPLICATION_ID,
        .create = !read_only,
        .read_only = read_only,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_TRY(lb_store_open(&options, &cosigned->store));
    return prepare(cosigned, read_only);
}

static lb_status open_in(const char *folder, bool read_only, struct lb_cosigned **out_cosigned)
{
    struct lb_log_path path;
    LB_TRY(lb_log_path_make(folder, LB_COSIGNED_DATABASE, &path));
    LB_ENSURE(!read_only || access(path.text, F_OK) == 0, LB_ABSENT, "nothing was cosigned");
    struct lb_cosigned *cosigned = calloc(1, sizeof(*cosigned));
    LB_ENSURE(cosigned != NULL, LB_NO_MEMORY, "cosigned checkpoints");
    lb_status status = open_at(path.text, read_only, cosigned);
    if (status != LB_OK) {
        lb_cosigned_close(cosigned);
        return status;
    }
    *out_cosigned = cosigned;
    return LB_OK;
}

lb_status lb_cosigned_open(const char *folder, struct lb_cosigned **out_cosigned)
{
    return open_in(folder, false, out_cosigned);
}

lb_status lb_cosigned_open_read(const char *folder, struct lb_cosigned **out_cosigned)
{
    return open_in(folder, true, out_cosigned);
}

void lb_cosigned_close(struct lb_cosigned *cosigned)
{
    if (cosigned == NULL)
        return;
    lb_store_close(cosigned->store);
    free(cosigned);
}

/* Now and then, so that a busy log does not pay for it each time. */
static lb_status thin_out(struct lb_cosigned *cosigned, int64_t now_s)
{
    if (cosigned->num_puts++ % THIN_EVERY != 0)
        return LB_OK;
    LB_TRY(lb_stmt_bind_int(cosigned->thin, 1, now_s - DAY_S));
    return lb_stmt_run(cosigned->thin);
}

lb_status lb_cosigned_put(struct lb_cosigned *cosigned, const struct lb_cosigned_row *row)
{
    LB_TRY(lb_stmt_bind_int(cosigned->put, 1, (int64_t)row->size));
    LB_TRY(lb_stmt_bind_int(cosigned->put, 2, row->unix_s));
    LB_TRY(lb_stmt_bind_int(cosigned->put, 3, row->met ? 1 : 0));
    LB_TRY(lb_stmt_bind_blob(cosigned->put, 4, row->note));
    LB_TRY(lb_stmt_run(cosigned->put));
    return thin_out(cosigned, row->unix_s);
}

static lb_status read_newest(struct lb_cosigned *cosigned, bool met_only, struct lb_arena *arena,
                             struct lb_cosigned_row *out_row)
{
    const struct lb_stmt *stmt = cosigned->newest;
    bool row = false;
    LB_TRY(lb_stmt_bind_int(cosigned->newest, 1, met_only ? 1 : 0));
    LB_TRY(lb_stmt_step(cosigned->newest, &row));
    LB_ENSURE(row, LB_ABSENT, "nothing was cosigned");
    *out_row = (struct lb_cosigned_row){
        .size = (uint64_t)lb_stmt_int(stmt, 0),
        .unix_s = lb_stmt_int(stmt, 1),
        .met = lb_stmt_int(stmt, 2) != 0,
    };
    return lb_arena_copy(arena, lb_stmt_blob(stmt, 3), &out_row->note);
}

lb_status lb_cosigned_newest(struct lb_cosigned *cosigned, bool met_only, struct lb_arena *arena,
                             struct lb_cosigned_row *out_row)
{
    struct lb_cosigned_row row;
    lb_status status = read_newest(cosigned, met_only, arena, &row);
    lb_stmt_reset(cosigned->newest);
    LB_TRY(status);
    *out_row = row;
    return LB_OK;
}

/* --- proving it to an outsider --- */

lb_status lb_witnessed_check(struct lb_span note, const struct lb_note_verifier *verifier,
                             const struct lb_witness_policy *policy, struct lb_diag *diag,
                             struct lb_witnessed *out_witnessed)
{
    struct lb_witnessed found = {.cosigned = 0};
    lb_status status = lb_checkpoint_open(note, verifier, &found.checkpoint);
    if (status == LB_OK)
        status = lb_witness_policy_cosigned(policy, note, &found.cosigned);
    if (status != LB_OK) {
        lb_diag_set(diag, "the cosigned checkpoint was changed or is not of this log's key");
        return status;
    }
    if (!lb_witness_policy_met(policy, found.cosigned)) {
        lb_diag_set(diag, "the checkpoint's cosignatures do not meet the policy's quorum");
        LB_FAIL(LB_ABSENT, "no quorum");
    }
    *out_witnessed = found;
    return LB_OK;
}

lb_status lb_witnessed_read(const char *folder, const struct lb_note_verifier *verifier,
                            const struct lb_witness_policy *policy, struct lb_arena *arena,
                            struct lb_diag *diag, struct lb_witnessed *out_witnessed,
                            struct lb_span *out_note)
{
    struct lb_cosigned *cosigned = NULL;
    struct lb_cosigned_row row;
    lb_status status = lb_cosigned_open_read(folder, &cosigned);
    if (status == LB_OK)
        status = lb_cosigned_newest(cosigned, true, arena, &row);
    lb_cosigned_close(cosigned);
    if (status != LB_OK) {
        lb_diag_set(diag, "no witnessed checkpoint is stored beside the log (%s): %s",
                    lb_code_name(status->code), status->what);
        return status;
    }
    LB_TRY(lb_witnessed_check(row.note, verifier, policy, diag, out_witnessed));
    *out_note = row.note;
    return LB_OK;
}

/* The root of the first leaves; ABSENT when there are fewer. */
static lb_status root_of(struct lb_log_reader *reader, uint64_t size, struct lb_hash *out_root)
{
    struct lb_merkle_frontier frontier;
    lb_merkle_frontier_init(&frontier);
    for (uint64_t index = 0; index < size; index++) {
        uint8_t bytes[LB_MAX_LEAF_BYTES];
        size_t len = 0;
        struct lb_hash leaf;
        LB_TRY(lb_records_leaf(&reader->records, index, bytes, &len));
        lb_merkle_leaf(lb_span_of(bytes, len), &leaf);
        lb_merkle_frontier_add(&frontier, &leaf);
    }
    lb_merkle_frontier_root(&frontier, out_root);
    return LB_OK;
}

lb_status lb_witnessed_compare(struct lb_log_reader *reader, const struct lb_checkpoint *witnessed,
                               struct lb_diag *diag)
{
    struct lb_hash root;
    lb_status status = root_of(reader, witnessed->size, &root);
    if (lb_status_code(status) == LB_ABSENT) {
        lb_diag_set(diag, "witnesses have cosigned %llu entries of this log, and here are fewer: "
                          "it was cut short, or restored from an old copy",
                    (unsigned long long)witnessed->size);
        LB_FAIL(LB_LOG_BEHIND, "shorter than what was witnessed");
    }
    LB_TRY(status);
    if (memcmp(root.bytes, witnessed->root.bytes, LB_HASH_BYTES) != 0) {
        lb_diag_set(diag, "the first %llu entries are not those that witnesses have cosigned: the "
                          "log was written anew",
                    (unsigned long long)witnessed->size);
        LB_FAIL(LB_LOG_FORK, "not what was witnessed");
    }
    return LB_OK;
}
