#include "gateway/evidence/log_state.h"

/*
 * Between an entry's guard and its row: the detail is sealed, the leaf written out and hashed. None
 * of it touches the database or another entry, so in a batch of some size a second thread does it
 * while the guards of later entries run and the rows of earlier ones are written.
 */

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

static bool claim(struct lb_log_sealing *sealing, size_t *out_job)
{
    size_t job = atomic_load(&sealing->next);
    while (job < atomic_load(&sealing->num_ready)) {
        if (atomic_compare_exchange_weak(&sealing->next, &job, job + 1)) {
            *out_job = job;
            return true;
        }
    }
    return false;
}

/* Seals one that nobody has begun; false when there is none. */
static bool seal_next(struct lb_log *log, struct lb_arena *arena)
{
    struct lb_log_writer *writer = &log->writer;
    size_t i = 0;
    if (!claim(&writer->sealing, &i))
        return false;
    writer->jobs[i].status = seal(log, &writer->jobs[i], arena);
    atomic_store(&writer->jobs[i].sealed, true);
    atomic_fetch_add(&writer->sealing.num_sealed, 1);
    return true;
}

static void help(void *ctx)
{
    struct lb_log *log = ctx;
    while (seal_next(log, log->writer.helper_arena))
        continue;
}

void lb_log_seal_begin(struct lb_log *log)
{
    struct lb_log_sealing *sealing = &log->writer.sealing;
    atomic_store(&sealing->num_ready, 0);
    atomic_store(&sealing->next, 0);
    atomic_store(&sealing->num_sealed, 0);
    sealing->offered = false;
}

void lb_log_seal_more(struct lb_log *log)
{
    struct lb_log_writer *writer = &log->writer;
    struct lb_log_sealing *sealing = &writer->sealing;
    atomic_store(&sealing->num_ready, writer->num_jobs);
    bool many = writer->num_jobs - atomic_load(&sealing->next) >= LB_LOG_SHARED_JOBS;
    if (!many || (sealing->offered && !lb_helper_done(writer->helper)))
        return;
    sealing->offered = true;
    lb_helper_offer(writer->helper, help, log);
}

void lb_log_seal_stop(struct lb_log *log)
{
    struct lb_log_sealing *sealing = &log->writer.sealing;
    if (sealing->offered)
        (void)lb_helper_settle(log->writer.helper);
    sealing->offered = false;
}

bool lb_log_sealed(const struct lb_log *log)
{
    return atomic_load(&log->writer.sealing.num_sealed) == log->writer.num_jobs;
}

lb_status lb_log_seal(struct lb_log *log, const struct lb_log_job *job)
{
    while (!atomic_load(&job->sealed)) {
        if (!seal_next(log, log->writer.arena))
            lb_log_seal_stop(log); /* the second thread has it */
    }
    return job->status;
}

lb_status lb_log_seal_all(struct lb_log *log)
{
    lb_log_seal_stop(log);
    for (size_t i = 0; i < log->writer.num_jobs; i++)
        LB_TRY(lb_log_seal(log, &log->writer.jobs[i]));
    return LB_OK;
}
