#include "gateway/evidence/inspect_state.h"

/* How long a subject's newest detail has been kept. */

static const char newest[] = "SELECT max(idx) FROM detail WHERE kid IN"
                             " (SELECT kid FROM detail_key WHERE subject = ?1)";

static lb_status find_index(struct lb_stmt *stmt, struct lb_span subject, uint64_t *out_index)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_blob(stmt, 1, subject));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row && lb_stmt_type(stmt, 0) == LB_COL_INT, LB_ABSENT, "no detail about it");
    *out_index = (uint64_t)lb_stmt_int(stmt, 0);
    return LB_OK;
}

lb_status lb_log_reader_newest(struct lb_log_reader *reader,
                               const uint8_t subject[LB_DETAIL_SUBJECT_BYTES],
                               int64_t *out_time_ms)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(2 * LB_MAX_LEAF_BYTES);
    struct lb_stmt *stmt = NULL;
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint64_t index = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(lb_stmt_prepare(reader->store, newest, &stmt));
    lb_status status = find_index(stmt, lb_span_of(subject, LB_DETAIL_SUBJECT_BYTES), &index);
    lb_stmt_free(stmt);
    LB_TRY(status);
    LB_TRY(lb_log_reader_leaf(reader, index, arena, &leaf, &hash));
    *out_time_ms = leaf.time_ms;
    return LB_OK;
}
