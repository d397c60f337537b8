#include <stdatomic.h>

#include "gateway/evidence/log_state.h"

/*
 * Between the guards of a batch and its rows: details are sealed, leaves written out and hashed.
 * None of it touches the database or another entry, so a batch of some size is shared by two
 * threads.
 */

struct sharing {
    struct lb_log *log;
    atomic_size_t next;
};

static lb_status seal(const struct lb_log *log, struct lb_log_job *job, struct lb_arena *arena)
{
    struct lb_log_entry *entry = job->entry;
    const struct lb_detail_place place = {
        .origin = log->origin,
        .index = entry->index,
        .txn = entry->leaf.txn,
        .key_hash = job->key.key_hash,
    };
    struct lb_buf bytes;
    if (job->has_detail)
        LB_TRY(lb_detail_seal(&place, job->key.key, &job->text, arena, &job->row, &entry->leaf));
    lb_buf_over(&bytes, entry->leaf_bytes, sizeof(entry->leaf_bytes));
    LB_TRY(lb_leaf_encode(&entry->leaf, &bytes));
    entry->leaf_len = bytes.len;
    lb_merkle_leaf(lb_buf_span(&bytes), &entry->leaf_hash);
    return LB_OK;
}

static void seal_some(struct sharing *sharing, struct lb_arena *arena)
{
    struct lb_log *log = sharing->log;
    struct lb_log_writer *writer = &log->writer;
    for (size_t i = atomic_fetch_add(&sharing->next, 1); i < writer->num_jobs;
         i = atomic_fetch_add(&sharing->next, 1))
        writer->jobs[i].status = seal(log, &writer->jobs[i], arena);
}

static void help(void *ctx)
{
    struct sharing *sharing = ctx;
    seal_some(sharing, sharing->log->writer.helper_arena);
}

lb_status lb_log_seal(struct lb_log *log)
{
    struct lb_log_writer *writer = &log->writer;
    struct sharing sharing = {.log = log, .next = 0};
    bool shared = writer->num_jobs >= LB_LOG_SHARED_JOBS;
    if (shared)
        lb_helper_offer(writer->helper, help, &sharing);
    seal_some(&sharing, writer->arena);
    if (shared)
        (void)lb_helper_settle(writer->helper);
    for (size_t i = 0; i < writer->num_jobs; i++)
        LB_TRY(writer->jobs[i].status);
    return LB_OK;
}
