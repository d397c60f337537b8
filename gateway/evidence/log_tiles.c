#include "gateway/evidence/export_state.h"
#include "gateway/evidence/log_state.h"

/* Tiles and bundles of a running log, of committed entries only. */

lb_status lb_log_tile(struct lb_log *log, unsigned level, uint64_t n, unsigned width,
                      struct lb_hash *out_hashes)
{
    LB_ENSURE(width >= 1 && width <= LB_TLOG_WIDTH, LB_MALFORMED, "no tile has this width");
    (void)pthread_mutex_lock(&log->shown.lock);
    lb_status status = lb_tree_tlog_tile(log->shown.tree, level, n, width, out_hashes);
    (void)pthread_mutex_unlock(&log->shown.lock);
    LB_ENSURE(lb_status_code(status) != LB_ABSENT, LB_MALFORMED, "no such tile in this log");
    return status;
}

lb_status lb_log_entries(struct lb_log *log, uint64_t index, unsigned count, size_t max_bytes,
                         struct lb_arena *arena, struct lb_span *out_entries)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf entries;
    lb_buf_init(&entries, max_bytes + 2 + LB_MAX_LEAF_BYTES);
    LB_ENSURE(count >= 1 && count <= LB_TLOG_WIDTH, LB_MALFORMED, "no bundle has this width");
    for (unsigned i = 0; i < count && entries.len < max_bytes; i++) {
        struct lb_span leaf = LB_SPAN_EMPTY;
        lb_status status = lb_log_leaf(log, index + i, arena, &leaf);
        if (lb_status_code(status) == LB_ABSENT)
            break;
        LB_TRY(status);
        lb_buf_put_field16(&entries, leaf);
    }
    LB_ENSURE(entries.len > 0, LB_MALFORMED, "no such entry in this log");
    LB_TRY(lb_buf_check(&entries));
    return lb_arena_copy(arena, lb_buf_span(&entries), out_entries);
}
