#include <stdio.h>
#include <unistd.h>

#include "gateway/store/store.h"
#include "gateway/witness/witness.h"

/* What a witness cosigned, read beside it. */

#define BUSY_TIMEOUT_MS 5000
#define MAX_PATH_BYTES 4096

static lb_status find_cosigned(struct lb_store *store, const char *origin, struct lb_arena *arena,
                               struct lb_span *out_note)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    struct lb_span note = LB_SPAN_EMPTY;
    LB_TRY(lb_stmt_prepare(store, "SELECT note FROM witnessed WHERE origin = ?1", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(origin)));
    LB_TRY(lb_stmt_step(stmt, &row));
    if (row)
        LB_TRY(lb_arena_copy(arena, lb_stmt_blob(stmt, 0), &note));
    *out_note = note;
    return LB_OK;
}

lb_status lb_witness_read(const char *folder, const char *origin, struct lb_arena *arena,
                          struct lb_span *out_note)
{
    char path[MAX_PATH_BYTES];
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    int len = snprintf(path, sizeof(path), "%s/" LB_WITNESS_DATABASE, folder);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_FILE_FAILED, "path is too long");
    LB_ENSURE(access(path, F_OK) == 0, LB_ABSENT, "this node is no witness");
    const struct lb_store_options options = {.path = path, .read_only = true,
                                             .application_id = LB_WITNESS_APPLICATION_ID,
                                             .busy_timeout_ms = BUSY_TIMEOUT_MS};
    struct lb_span note;
    LB_TRY(lb_store_open(&options, &store));
    LB_TRY(find_cosigned(store, origin, arena, &note));
    LB_ENSURE(note.len > 0, LB_ABSENT, "nothing was cosigned of this log");
    *out_note = note;
    return LB_OK;
}
