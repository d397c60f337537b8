#include "gateway/evidence/log_state.h"

/*
 * From committed to public: the commit on disk, then the ratchet, then the head that others see,
 * then the entries' owners. All that goes on beside the next batch, whose commit may come first:
 * the database is ahead of the ratchet by LB_LOG_BATCH entries at most. A power cut leaves the
 * commits in their order, up to one that nobody was told of.
 */

/* Tells an entry's owner. Nothing of the entry may be touched afterwards. */
static void finish(struct lb_log *log, struct lb_log_entry *entry, lb_status status)
{
    if (entry->done != NULL) {
        entry->done(entry, status);
        return;
    }
    (void)pthread_mutex_lock(&log->queue.lock);
    entry->outcome = status;
    entry->finished = true;
    (void)pthread_cond_broadcast(&log->queue.finished);
    (void)pthread_mutex_unlock(&log->queue.lock);
}

void lb_log_finish(struct lb_log *log, struct lb_log_entry *first, lb_status failure)
{
    while (first != NULL) {
        struct lb_log_entry *next = first->next;
        finish(log, first, failure != LB_OK ? failure : first->outcome);
        first = next;
    }
}

lb_status lb_log_pend(struct lb_log *log, struct lb_log_entry *first,
                      const struct lb_records_checkpoint *head)
{
    struct lb_log_pending *pending = &log->writer.pending;
    size_t num_leaves = log->writer.num_jobs;
    if (num_leaves > 0) {
        LB_TRY(lb_tree_follow(pending->tree, log->writer.tree));
        log->writer.root = head->root;
        pending->root = head->root;
        pending->note_len = head->note.len;
        memcpy(pending->note, head->note.ptr, head->note.len);
    }
    pending->first = first;
    pending->num_leaves = num_leaves;
    pending->offered = false;
    pending->files_changed = false;
    return LB_OK;
}

static lb_status show_head(struct lb_log *log)
{
    const struct lb_log_pending *pending = &log->writer.pending;
    struct lb_log_shown *shown = &log->shown;
    (void)pthread_mutex_lock(&shown->lock);
    lb_status status = lb_tree_follow(shown->tree, pending->tree);
    shown->root = pending->root;
    memcpy(shown->note, pending->note, pending->note_len);
    shown->note_len = pending->note_len;
    (void)pthread_mutex_unlock(&shown->lock);
    return status;
}

static lb_status set_head(struct lb_log *log)
{
    const struct lb_log_writer *writer = &log->writer;
    struct lb_log_pending *pending = &log->writer.pending;
    LB_TRY(lb_store_sync(writer->store));
    LB_TRY(lb_ratchet_put(writer->ratchet_fd, writer->ratchet_slot,
                          lb_span_of(pending->note, pending->note_len)));
    /* What went into files that nobody will find again is no evidence. */
    lb_status found = lb_watched_check(&writer->watched);
    pending->files_changed = found != LB_OK;
    LB_TRY(found);
    return show_head(log);
}

/* On either thread. Of a failure the sequencer tells the owners, once the log has stopped. */
static void make_public(void *ctx)
{
    struct lb_log *log = ctx;
    struct lb_log_pending *pending = &log->writer.pending;
    pending->status = pending->num_leaves > 0 ? set_head(log) : LB_OK;
    if (pending->status == LB_OK)
        lb_log_finish(log, pending->first, LB_OK);
}

void lb_log_publish_beside(struct lb_log *log)
{
    struct lb_log_pending *pending = &log->writer.pending;
    if (pending->first == NULL)
        return;
    pending->offered = true;
    lb_helper_offer(log->writer.publisher, make_public, log);
}

lb_status lb_log_publish(struct lb_log *log)
{
    struct lb_log_writer *writer = &log->writer;
    struct lb_log_pending *pending = &writer->pending;
    if (pending->first == NULL)
        return LB_OK;
    if (!(pending->offered && lb_helper_settle(writer->publisher)))
        make_public(log);
    struct lb_log_entry *first = pending->first;
    pending->first = NULL;
    if (pending->status != LB_OK) {
        if (pending->files_changed)
            writer->trouble = LB_LOG_STATE_FILES_CHANGED;
        lb_log_fail(log, pending->status);
        lb_log_finish(log, first, LB_FAULT(LB_LOG_UNAVAILABLE, "the log has stopped"));
        LB_FAIL(LB_LOG_UNAVAILABLE, "the log has stopped");
    }
    writer->ratchet_slot ^= pending->num_leaves > 0 ? 1 : 0;
    writer->idle_since_ms = lb_clock_monotonic_ms(log->clock);
    return LB_OK;
}

lb_status lb_log_write_own(struct lb_log *log, struct lb_log_entry *first)
{
    LB_TRY(lb_log_write_batch(log, first));
    return lb_log_publish(log);
}
