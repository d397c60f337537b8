#include "gateway/evidence/log_state.h"

/* What any thread may ask of a log: the newest head, leaves and proofs, all of committed
 * entries. */

lb_status lb_log_head(struct lb_log *log, struct lb_arena *arena, struct lb_log_head *out_head)
{
    struct lb_log_shown *shown = &log->shown;
    struct lb_log_head head;
    (void)pthread_mutex_lock(&shown->lock);
    head.size = lb_tree_size(shown->tree);
    head.root = shown->root;
    lb_status status =
        lb_arena_copy(arena, lb_span_of(shown->note, shown->note_len), &head.checkpoint);
    (void)pthread_mutex_unlock(&shown->lock);
    LB_TRY(status);
    *out_head = head;
    return LB_OK;
}

lb_status lb_log_inclusion(struct lb_log *log, uint64_t index, uint64_t size,
                           struct lb_arena *arena, struct lb_hash **out_path, size_t *out_num)
{
    (void)pthread_mutex_lock(&log->shown.lock);
    lb_status status =
        lb_tree_inclusion(log->shown.tree, index, size, arena, out_path, out_num);
    (void)pthread_mutex_unlock(&log->shown.lock);
    return status;
}

lb_status lb_log_consistency(struct lb_log *log, uint64_t from, uint64_t to,
                             struct lb_arena *arena, struct lb_hash **out_path, size_t *out_num)
{
    (void)pthread_mutex_lock(&log->shown.lock);
    lb_status status = lb_tree_consistency(log->shown.tree, from, to, arena, out_path, out_num);
    (void)pthread_mutex_unlock(&log->shown.lock);
    return status;
}

lb_status lb_log_leaf(struct lb_log *log, uint64_t index, struct lb_arena *arena,
                      struct lb_span *out_leaf)
{
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    lb_status status = LB_OK;
    (void)pthread_mutex_lock(&log->shown.lock);
    if (index >= lb_tree_size(log->shown.tree))
        status = LB_FAULT(LB_ABSENT, "index is past the head");
    else
        status = lb_records_leaf(&log->shown.records, index, bytes, &len);
    (void)pthread_mutex_unlock(&log->shown.lock);
    LB_TRY(status);
    return lb_arena_copy(arena, lb_span_of(bytes, len), out_leaf);
}
