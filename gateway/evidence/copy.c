#include "gateway/evidence/copy.h"

#include "gateway/evidence/log_state.h"

#define ARENA_BYTES (64U * 1024)
#define BUSY_TIMEOUT_MS 5000

static lb_status open_database(const char *folder, struct lb_store **out_store)
{
    struct lb_log_path path;
    LB_TRY(lb_log_path_make(folder, LB_LOG_DATABASE, &path));
    const struct lb_store_options options = {
        .path = path.text,
        .read_only = true,
        .application_id = LB_RECORDS_APPLICATION_ID,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    return lb_store_open(&options, out_store);
}

static lb_status write_ratchet(const char *folder)
{
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_records records = {.store = NULL};
    struct lb_records_checkpoint row;
    struct lb_log_path path;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "copy");
    LB_TRY(open_database(folder, &store));
    LB_TRY(lb_records_prepare(&records, store, true));
    lb_status status = lb_records_checkpoint(&records, arena, &row);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_LOG_FORK, "the log has no checkpoint");
    LB_TRY(status);
    LB_TRY(lb_log_path_make(folder, LB_LOG_RATCHET, &path));
    return lb_ratchet_begin(path.text, row.note);
}

lb_status lb_log_copy(const char *from, const char *to, const struct lb_store_progress *progress,
                      struct lb_diag *diag)
{
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    struct lb_log_path path;
    diag->text[0] = 0;
    lb_status status = lb_log_path_make(to, LB_LOG_DATABASE, &path);
    if (status == LB_OK)
        status = open_database(from, &store);
    if (status == LB_OK)
        status = lb_store_copy(store, path.text, progress);
    if (status == LB_OK)
        status = lb_store_sync(store);
    if (status == LB_OK)
        status = write_ratchet(to);
    if (status != LB_OK && diag->text[0] == 0)
        lb_diag_set(diag, "%s: the evidence log cannot be copied (%s): %s", from,
                    lb_code_name(lb_status_code(status)), status->what);
    return status;
}
