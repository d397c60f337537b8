#include "gateway/base/wipe.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/log_state.h"

/*
 * One commit: leaves, details, tiles and the checkpoint that signs them, in one transaction.
 * Whatever fails here fails for good.
 */

lb_status lb_log_sign_head(struct lb_log *log, uint64_t size, const struct lb_hash *root,
                           struct lb_span *out_note)
{
    struct lb_checkpoint checkpoint = {.size = size, .root = *root};
    memcpy(checkpoint.origin, log->origin, sizeof(checkpoint.origin));
    LB_TRY(lb_checkpoint_sign(&checkpoint, log->key, log->writer.arena, out_note));
    const struct lb_sign_key *next = atomic_load(&log->next_key);
    if (next != NULL)
        LB_TRY(lb_note_sign(*out_note, true, log->origin, next, log->writer.arena, out_note));
    LB_ENSURE(out_note->len <= LB_RATCHET_MAX_NOTE_BYTES, LB_TOO_LARGE, "checkpoint is too long");
    return LB_OK;
}

static lb_status read_clock(struct lb_log *log, int64_t *out_ms)
{
    int64_t now = lb_clock_unix_ms(log->clock);
    int64_t last = log->writer.last_ms;
    if (now < last - LB_LOG_CLOCK_STEP_MS) {
        log->writer.trouble = LB_LOG_STATE_CLOCK_BACK;
        LB_FAIL(LB_LOG_UNAVAILABLE, "the clock is behind the last entry");
    }
    *out_ms = now > last ? now : last;
    return LB_OK;
}

/* The code an outsider may see of a guard's refusal. Its name always fits a leaf. A refused erasure
 * erases nothing, and must not look as if it had. */
static void set_refused(struct lb_log_entry *entry, lb_status refused)
{
    const char *name = lb_code_name(lb_code_outer(lb_status_code(refused)));
    memset(entry->leaf.code, 0, sizeof(entry->leaf.code));
    memcpy(entry->leaf.code, name, strnlen(name, sizeof(entry->leaf.code) - 1));
    memset(entry->leaf.answer_hash, 0, sizeof(entry->leaf.answer_hash));
    entry->refused = refused;
    if (entry->leaf.type == LB_LEAF_ERASURE)
        entry->leaf.type = LB_LEAF_ADMIN;
}

/* Runs the guard in a savepoint of its own. An entry the guard left unwritable is undone and told
 * so in `outcome`; what fails otherwise fails the batch. */
static lb_status run_guard(struct lb_log *log, struct lb_log_entry *entry)
{
    struct lb_store *store = log->writer.store;
    if (entry->guard == NULL)
        return LB_OK;
    LB_TRY(lb_store_savepoint(store));
    lb_status refused = entry->guard(entry, store);
    if (refused != LB_OK)
        set_refused(entry, refused);
    entry->outcome = lb_log_check_entry(entry);
    bool keep = refused == LB_OK && entry->outcome == LB_OK;
    return keep ? lb_store_release(store) : lb_store_undo(store);
}

/* The key under which an entry's detail goes; the job has a copy, since the next one may take the
 * place of the one borrowed. */
static lb_status take_key(struct lb_log *log, struct lb_log_job *job)
{
    static const uint8_t own[LB_DETAIL_SUBJECT_BYTES];
    struct lb_log_writer *writer = &log->writer;
    struct lb_log_entry *entry = job->entry;
    memset(entry->leaf.detail_hash, 0, sizeof(entry->leaf.detail_hash));
    memset(entry->leaf.fields_hash, 0, sizeof(entry->leaf.fields_hash));
    job->has_detail = writer->keyring != NULL && entry->detail.len + entry->fields.len > 0;
    if (!job->has_detail)
        return LB_OK;
    const struct lb_data_key *key = NULL;
    bool personal = entry->has_subject && entry->leaf.type != LB_LEAF_ERASURE;
    LB_TRY(lb_keyring_get(writer->keyring, personal ? entry->subject : own, &writer->records,
                          &key));
    job->key = *key;
    job->row.kid = key->kid;
    job->text.fields = entry->fields;
    job->text.detail = entry->detail;
    LB_TRY(lb_random_pool_take(&writer->random, job->text.salt, sizeof(job->text.salt)));
    return lb_random_pool_take(&writer->random, job->text.nonce, sizeof(job->text.nonce));
}

static lb_status erase_subject(struct lb_log *log, struct lb_log_entry *entry)
{
    if (entry->leaf.type != LB_LEAF_ERASURE)
        return LB_OK;
    if (log->writer.keyring != NULL)
        lb_keyring_forget(log->writer.keyring, entry->subject);
    return lb_records_erase(&log->writer.records, entry->index, entry->subject, &entry->leaf);
}

static lb_status tile_full(void *context, unsigned level, uint64_t n, const struct lb_hash *hashes)
{
    return lb_records_put_tile(context, level, n, hashes);
}

/* All that depends on the entries before: the guard's word, the place in the log, the key. */
static lb_status take_entry(struct lb_log *log, struct lb_log_entry *entry, int64_t now_ms)
{
    struct lb_log_writer *writer = &log->writer;
    entry->leaf.time_ms = now_ms;
    entry->index = lb_tree_size(writer->tree) + writer->num_jobs;
    LB_TRY(run_guard(log, entry));
    if (entry->outcome != LB_OK)
        return LB_OK;
    struct lb_log_job *job = &writer->jobs[writer->num_jobs];
    entry->leaf.time_ms = now_ms;
    job->entry = entry;
    LB_TRY(erase_subject(log, entry));
    LB_TRY(take_key(log, job));
    if (entry->next_officer != NULL)
        lb_keyring_change(writer->keyring, entry->next_officer);
    writer->num_jobs++;
    lb_log_seal_more(log);
    return LB_OK;
}

static lb_status grow_tree(struct lb_log_writer *writer)
{
    const struct lb_tree_sink sink = {tile_full, &writer->records};
    for (size_t i = 0; i < writer->num_jobs; i++)
        LB_TRY(lb_tree_add(writer->tree, &writer->jobs[i].entry->leaf_hash, &sink));
    return LB_OK;
}

static lb_status write_row(struct lb_log *log, const struct lb_log_job *job)
{
    struct lb_records *records = &log->writer.records;
    const struct lb_log_entry *entry = job->entry;
    LB_TRY(lb_log_seal(log, job));
    if (job->has_detail)
        LB_TRY(lb_records_put_detail(records, entry->index, &job->row));
    return lb_records_put_leaf(records, entry->index,
                               lb_span_of(entry->leaf_bytes, entry->leaf_len));
}

/* Until all are sealed, the rows of those that are: nobody waits for the second thread as long as
 * there is something to write. */
static lb_status write_meanwhile(struct lb_log *log, size_t *out_num)
{
    size_t num = 0;
    for (; num < log->writer.num_jobs && !lb_log_sealed(log); num++)
        LB_TRY(write_row(log, &log->writer.jobs[num]));
    *out_num = num;
    return lb_log_seal_all(log);
}

static lb_status write_rows(struct lb_log *log, size_t from)
{
    for (size_t i = from; i < log->writer.num_jobs; i++)
        LB_TRY(write_row(log, &log->writer.jobs[i]));
    return LB_OK;
}

static lb_status check_leaf(struct lb_log_writer *writer, struct lb_span bytes)
{
    uint8_t prefixed[1 + LB_MAX_LEAF_BYTES] = {0x00};
    struct lb_hash hash;
    memcpy(prefixed + 1, bytes.ptr, bytes.len);
    lb_sha256(lb_span_of(prefixed, 1 + bytes.len), hash.bytes);
    lb_merkle_frontier_add(&writer->check, &hash);
    return LB_OK;
}

static lb_status read_back(void *ctx, uint64_t index, struct lb_span bytes)
{
    struct lb_log_writer *writer = ctx;
    LB_ENSURE(index == writer->check.size, LB_LOG_FORK, "what was stored has a gap");
    return check_leaf(writer, bytes);
}

/* Reads the batch's leaves back from the store and hashes them by another road; one flipped bit
 * in a signed leaf hash would end this log for ever. */
static lb_status check_leaves(struct lb_log_writer *writer, const struct lb_hash *root)
{
    LB_TRY(lb_records_each_leaf(&writer->records, writer->check.size, read_back, writer));
    struct lb_hash again;
    lb_merkle_frontier_root(&writer->check, &again);
    bool same = writer->check.size == lb_tree_size(writer->tree) &&
                memcmp(again.bytes, root->bytes, LB_HASH_BYTES) == 0;
    LB_ENSURE(same, LB_LOG_FORK, "what was stored is not what was hashed");
    return LB_OK;
}

/* Signing needs the root alone, so the rows are written meanwhile. */
struct signing {
    struct lb_log *log;
    struct lb_records_checkpoint *head;
    lb_status status;
};

static void sign(void *ctx)
{
    struct signing *signing = ctx;
    struct lb_records_checkpoint *head = signing->head;
    signing->status = lb_log_sign_head(signing->log, head->size, &head->root, &head->note);
}

static lb_status write_and_sign(struct lb_log *log, size_t from,
                                struct lb_records_checkpoint *head)
{
    struct lb_log_writer *writer = &log->writer;
    struct signing signing = {log, head, LB_OK};
    bool shared = writer->num_jobs >= LB_LOG_SHARED_JOBS;
    if (shared)
        lb_helper_offer(writer->helper, sign, &signing);
    lb_status written = write_rows(log, from);
    if (written == LB_OK)
        written = check_leaves(writer, &head->root);
    if (!(shared && lb_helper_settle(writer->helper)) && written == LB_OK)
        sign(&signing);
    LB_TRY(written);
    return signing.status;
}

static lb_status seal_batch(struct lb_log *log, uint64_t from_size,
                            struct lb_records_checkpoint *out_head)
{
    struct lb_log_writer *writer = &log->writer;
    size_t num_written = 0;
    LB_TRY(write_meanwhile(log, &num_written));
    LB_TRY(grow_tree(writer));
    struct lb_records_checkpoint head = {.size = lb_tree_size(writer->tree)};
    LB_TRY(lb_tree_root(writer->tree, head.size, &head.root));
    LB_TRY(write_and_sign(log, num_written, &head));
    LB_TRY(lb_records_move_checkpoint(&writer->records, from_size, &writer->root, &head));
    *out_head = head;
    return LB_OK;
}

static lb_status fill_batch(struct lb_log *log, struct lb_log_entry *first,
                            struct lb_records_checkpoint *out_head)
{
    struct lb_log_writer *writer = &log->writer;
    int64_t now_ms = 0;
    uint64_t from_size = lb_tree_size(writer->tree);
    LB_TRY(read_clock(log, &now_ms));
    for (struct lb_log_entry *entry = first; entry != NULL; entry = entry->next)
        LB_TRY(take_entry(log, entry, now_ms));
    if (writer->keyring != NULL)
        LB_TRY(lb_keyring_settle(writer->keyring, &writer->records));
    writer->last_ms = now_ms;
    out_head->size = from_size;
    return writer->num_jobs == 0 ? LB_OK : seal_batch(log, from_size, out_head);
}

/* Keys and salts, also of a job that failed before it was counted. */
static void wipe_jobs(struct lb_log_writer *writer)
{
    size_t num = writer->num_jobs < LB_LOG_BATCH ? writer->num_jobs + 1 : LB_LOG_BATCH;
    lb_wipe(writer->jobs, num * sizeof(writer->jobs[0]));
}

static lb_status commit_batch(struct lb_log *log, struct lb_log_entry *first,
                              const struct lb_records_checkpoint *head)
{
    struct lb_log_writer *writer = &log->writer;
    const struct lb_log_pending *before = &writer->pending;
    if (before->first != NULL && before->num_leaves + writer->num_jobs > LB_LOG_BATCH)
        LB_TRY(lb_log_publish(log));
    LB_TRY(lb_store_commit(writer->store));
    atomic_fetch_add(&log->num_commits, 1);
    LB_TRY(lb_log_publish(log));
    return lb_log_pend(log, first, head);
}

lb_status lb_log_write_batch(struct lb_log *log, struct lb_log_entry *first)
{
    struct lb_log_writer *writer = &log->writer;
    struct lb_records_checkpoint head = {.size = 0};
    writer->num_jobs = 0;
    lb_log_seal_begin(log);
    lb_arena_reset(writer->arena);
    lb_arena_reset(writer->helper_arena);
    lb_status status = lb_store_begin(writer->store);
    if (status == LB_OK)
        status = fill_batch(log, first, &head);
    if (status == LB_OK)
        status = commit_batch(log, first, &head);
    lb_log_seal_stop(log);
    wipe_jobs(writer);
    if (status == LB_OK)
        return LB_OK;
    lb_store_rollback(writer->store);
    lb_log_fail(log, status);
    LB_FAIL(LB_LOG_UNAVAILABLE, "the log has stopped");
}
