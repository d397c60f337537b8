#include "gateway/backup/proof.h"

#include "gateway/evidence/inspect.h"
#include "gateway/store/store.h"

#define BUSY_TIMEOUT_MS 5000

void lb_backup_work_tell(const struct lb_backup_work *work, uint64_t done, uint64_t all)
{
    if (work->watch != NULL)
        work->watch->tell(work->watch->ctx, work->what, done, all);
}

lb_status lb_backup_log_verify(const char *state, const struct lb_note_verifier *verifier,
                               struct lb_backup_work *work, struct lb_arena *arena,
                               struct lb_diag *diag, struct lb_backup_manifest *out_log)
{
    LB_DEFER(lb_log_reader_closep) struct lb_log_reader *reader = NULL;
    struct lb_log_verdict verdict;
    work->what = "verifying the log";
    lb_backup_work_tell(work, 0, 0);
    LB_TRY(lb_log_reader_open(state, diag, &reader));
    LB_TRY(lb_log_reader_verify(reader, verifier, diag, &verdict));
    out_log->origin = lb_arena_str(arena, lb_span_str(verdict.origin));
    LB_ENSURE(out_log->origin != NULL, LB_NO_MEMORY, "arena is full");
    out_log->log_size = verdict.size;
    out_log->log_root = verdict.root;
    return LB_OK;
}

static lb_status quick_check(struct lb_store *store)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "PRAGMA quick_check(1)", &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row && lb_span_is(lb_stmt_text(stmt, 0), "ok"), LB_STORE_FAILED,
              "the database is damaged");
    return LB_OK;
}

lb_status lb_backup_database_check(const char *path)
{
    const struct lb_store_options options = {
        .path = path, .read_only = true, .busy_timeout_ms = BUSY_TIMEOUT_MS};
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    LB_TRY(lb_store_open(&options, &store));
    return quick_check(store);
}
