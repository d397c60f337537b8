#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/evidence/log_state.h"
#include "gateway/evidence/shards.h"

#define BUSY_TIMEOUT_MS 5000

/* One opening: what is found on the way from the files to a log that may serve. */
struct opening {
    struct lb_log *log;
    const struct lb_log_options *options;
    struct lb_diag *diag;
    struct lb_log_path database;
    struct lb_log_path ratchet;
    bool had_ratchet;
    struct lb_records_bounds bounds;
    struct lb_records_checkpoint row;
};

lb_status lb_log_path_make(const char *folder, const char *name, struct lb_log_path *out)
{
    int len = snprintf(out->text, sizeof(out->text), "%s/%s", folder, name);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(out->text), LB_FILE_FAILED, "path is too long");
    return LB_OK;
}

/* Puts a sentence for the operator beside a failure. */
static lb_status refuse(const struct opening *opening, lb_status status, const char *sentence)
{
    lb_diag_set(opening->diag, "%s: %s", opening->options->folder, sentence);
    return status;
}

static lb_status claim_folder(struct opening *opening)
{
    const struct lb_log_options *options = opening->options;
    LB_TRY(lb_log_path_make(options->folder, LB_LOG_DATABASE, &opening->database));
    LB_TRY(lb_log_path_make(options->folder, LB_LOG_RATCHET, &opening->ratchet));
    if (options->create)
        LB_TRY(lb_file_mkdirs(options->folder));
    lb_status status = lb_file_lock(options->folder, &opening->log->lock_fd);
    if (lb_status_code(status) == LB_STATE_LOCKED)
        return refuse(opening, status, "another process uses this evidence log; stop it first");
    LB_TRY(status);
    bool had_database = access(opening->database.text, F_OK) == 0;
    opening->had_ratchet = access(opening->ratchet.text, F_OK) == 0;
    if (!had_database && opening->had_ratchet)
        return refuse(opening, LB_FAULT(LB_LOG_BEHIND, "the database is gone"),
                      "evidence.db is missing beside its ratchet; restore it, do not begin anew");
    if (!had_database && !options->create)
        return refuse(opening, LB_FAULT(LB_FILE_FAILED, "no log"),
                      "there is no evidence log here; check the path or allow a new one");
    return LB_OK;
}

static size_t count_steps(const char *const *steps)
{
    size_t num = 0;
    while (steps != NULL && steps[num] != NULL)
        num++;
    return num;
}

size_t lb_log_schema(const char *const *migrations)
{
    return count_steps(lb_records_migrations()) + count_steps(migrations);
}

/* The log's own schema steps, then the owner's. The array is freed by the caller. */
static lb_status join_migrations(const char *const *owners, const char ***out_all)
{
    const char *const *own = lb_records_migrations();
    const char **all = calloc(lb_log_schema(owners) + 1, sizeof(*all));
    LB_ENSURE(all != NULL, LB_NO_MEMORY, "migrations");
    size_t at = 0;
    for (size_t i = 0; own[i] != NULL; i++)
        all[at++] = own[i];
    for (size_t i = 0; owners != NULL && owners[i] != NULL; i++)
        all[at++] = owners[i];
    *out_all = all;
    return LB_OK;
}

lb_status lb_log_kind(const char *const *migrations, struct lb_arena *arena,
                      struct lb_store_schema *out)
{
    size_t num = lb_log_schema(migrations) + 1;
    const char **joined = NULL;
    LB_TRY(join_migrations(migrations, &joined));
    const char **steps = lb_arena_array(arena, num, sizeof(*steps));
    for (size_t i = 0; steps != NULL && i < num; i++)
        steps[i] = joined[i];
    free(joined);
    LB_ENSURE(steps != NULL, LB_NO_MEMORY, "arena is full");
    *out = (struct lb_store_schema){LB_LOG_DATABASE, LB_RECORDS_APPLICATION_ID, steps};
    return LB_OK;
}

static lb_status open_writer(struct opening *opening)
{
    struct lb_log_writer *writer = &opening->log->writer;
    const char **migrations = NULL;
    LB_TRY(join_migrations(opening->options->migrations, &migrations));
    const struct lb_store_options options = {
        .path = opening->database.text,
        .migrations = migrations,
        .application_id = LB_RECORDS_APPLICATION_ID,
        .create = opening->options->create,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .own_checkpoints = true,
        .own_syncs = true,
    };
    lb_status status = lb_store_open(&options, &writer->store);
    free(migrations);
    LB_TRY(status);
    LB_TRY(lb_records_prepare(&writer->records, writer->store, false));
    return lb_records_bounds(&writer->records, &opening->bounds);
}

static lb_status open_reader(struct opening *opening)
{
    struct lb_log_shown *shown = &opening->log->shown;
    const struct lb_store_options options = {
        .path = opening->database.text,
        .read_only = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_TRY(lb_store_open(&options, &shown->store));
    LB_TRY(lb_records_prepare(&shown->records, shown->store, true));
    return lb_shards_new(opening->options->folder, shown->store, &shown->records.shards);
}

/* Nothing is read from them here, so that opening takes as long whatever is in them. */
static lb_status check_shards(struct opening *opening)
{
    struct lb_shards *shards = opening->log->shown.records.shards;
    lb_status status = lb_shards_present(shards);
    return status == LB_OK ? LB_OK : refuse(opening, status, lb_shards_trouble(shards));
}

/* A new log starts with a signed checkpoint of the empty tree. */
static lb_status begin_log(struct opening *opening)
{
    struct lb_log *log = opening->log;
    struct lb_records_checkpoint row = {.size = 0};
    lb_merkle_empty(&row.root);
    LB_TRY(lb_log_sign_head(log, 0, &row.root, &row.note));
    LB_TRY(lb_store_begin(log->writer.store));
    lb_status status = lb_records_put_checkpoint(&log->writer.records, &row);
    if (status == LB_OK)
        status = lb_store_commit(log->writer.store);
    if (status != LB_OK)
        lb_store_rollback(log->writer.store);
    LB_TRY(status);
    opening->row = row;
    return lb_store_sync(log->writer.store);
}

static lb_status load_checkpoint(struct opening *opening)
{
    struct lb_log_writer *writer = &opening->log->writer;
    lb_status status = lb_records_checkpoint(&writer->records, writer->arena, &opening->row);
    bool fresh = opening->bounds.num_leaves == 0 && !opening->had_ratchet;
    if (lb_status_code(status) == LB_ABSENT && fresh && opening->options->create)
        return begin_log(opening);
    if (status != LB_OK)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "no checkpoint"),
                      "the stored checkpoint is missing or damaged; restore the folder");
    return LB_OK;
}

static lb_status check_checkpoint(struct opening *opening)
{
    const struct lb_records_checkpoint *row = &opening->row;
    struct lb_checkpoint signed_head;
    if (lb_checkpoint_open(row->note, &opening->log->verifier, &signed_head) != LB_OK)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "checkpoint does not verify"),
                      "the stored checkpoint is not signed with this node's key and origin");
    bool same = signed_head.size == row->size &&
                memcmp(signed_head.root.bytes, row->root.bytes, LB_HASH_BYTES) == 0;
    bool fits = row->note.len <= LB_RATCHET_MAX_NOTE_BYTES;
    if (!same || !fits)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "checkpoint columns differ"),
                      "the stored checkpoint was changed; restore the folder");
    uint64_t num_leaves = (uint64_t)opening->bounds.num_leaves;
    if (num_leaves < row->size)
        return refuse(opening, LB_FAULT(LB_LOG_BEHIND, "leaves are missing"),
                      "entries are missing at the log's end; restore the folder");
    if (num_leaves > row->size)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "leaves nobody signed"),
                      "there are entries that no checkpoint covers; restore the folder");
    return LB_OK;
}

static lb_status restore_tree(struct opening *opening, struct lb_records *records,
                              struct lb_tree **out_tree)
{
    struct lb_tree_source source = lb_records_source(records);
    struct lb_hash root;
    LB_TRY(lb_tree_new(&source, out_tree));
    lb_status status = lb_tree_restore(*out_tree, opening->row.size);
    if (status == LB_OK)
        status = lb_tree_root(*out_tree, opening->row.size, &root);
    if (status != LB_OK)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "the tree has a hole"),
                      "a leaf or tile of the evidence log is missing or damaged");
    if (memcmp(root.bytes, opening->row.root.bytes, LB_HASH_BYTES) != 0)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "another root"),
                      "the entries do not give the signed root; some were changed");
    return LB_OK;
}

/* A ratchet that is a little behind is what a crash between commit and ratchet leaves: roll it
 * forward. */
static lb_status advance_ratchet(struct opening *opening, const struct lb_checkpoint *newest)
{
    struct lb_log_writer *writer = &opening->log->writer;
    uint64_t size = opening->row.size;
    struct lb_hash root;
    if (newest->size > size)
        return refuse(opening, LB_FAULT(LB_LOG_BEHIND, "the ratchet is ahead"),
                      "the database is shorter than what this node has signed; restore it");
    LB_TRY(lb_tree_root(writer->tree, newest->size, &root));
    bool same = memcmp(root.bytes, newest->root.bytes, LB_HASH_BYTES) == 0;
    if (!same || size - newest->size > LB_LOG_BATCH)
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "the ratchet is of another history"),
                      "the ratchet does not belong to this database; restore both together");
    if (newest->size == size)
        return LB_OK;
    LB_TRY(lb_ratchet_put(writer->ratchet_fd, writer->ratchet_slot, opening->row.note));
    writer->ratchet_slot ^= 1;
    return LB_OK;
}

/* A slot that a power cut damaged is written again, so that both vouch from here on. */
static lb_status mend_ratchet(struct opening *opening, const struct lb_ratchet *ratchet,
                              unsigned newest)
{
    const struct lb_ratchet_slot *good = &ratchet->slots[newest];
    if (ratchet->slots[newest ^ 1].intact)
        return LB_OK;
    return lb_ratchet_put(opening->log->writer.ratchet_fd, newest ^ 1,
                          lb_span_of(good->note, good->note_len));
}

static lb_status check_ratchet(struct opening *opening)
{
    struct lb_log *log = opening->log;
    struct lb_ratchet ratchet;
    struct lb_checkpoint newest;
    unsigned slot = 0;
    if (!opening->had_ratchet && (opening->row.size > 0 || !opening->options->create))
        return refuse(opening, LB_FAULT(LB_LOG_FORK, "no ratchet"),
                      "the ratchet file is missing; restore it with the database");
    if (!opening->had_ratchet)
        LB_TRY(lb_ratchet_begin(opening->ratchet.text, opening->row.note));
    LB_TRY(lb_ratchet_read(opening->ratchet.text, &ratchet));
    lb_status status = lb_ratchet_newest(&ratchet, &log->verifier, &newest, &slot);
    if (status != LB_OK)
        return refuse(opening, status, "the ratchet is damaged or signed with another key");
    LB_TRY(lb_ratchet_open(opening->ratchet.text, &log->writer.ratchet_fd));
    LB_TRY(mend_ratchet(opening, &ratchet, slot));
    log->writer.ratchet_slot = slot ^ 1;
    return advance_ratchet(opening, &newest);
}

static lb_status check_clock(struct opening *opening)
{
    struct lb_log_writer *writer = &opening->log->writer;
    uint8_t bytes[LB_MAX_LEAF_BYTES];
    size_t len = 0;
    struct lb_leaf leaf;
    if (opening->row.size == 0)
        return LB_OK;
    LB_TRY(lb_records_leaf(&writer->records, opening->row.size - 1, bytes, &len));
    LB_TRY(lb_leaf_decode(lb_span_of(bytes, len), &leaf));
    writer->last_ms = leaf.time_ms;
    if (lb_clock_unix_ms(opening->log->clock) < leaf.time_ms - LB_LOG_CLOCK_STEP_MS)
        return refuse(opening, LB_FAULT(LB_LOG_UNAVAILABLE, "the clock is behind the log"),
                      "this machine's clock is behind the last entry; set it right first");
    return LB_OK;
}

static lb_status set_head(struct opening *opening)
{
    struct lb_log *log = opening->log;
    log->writer.root = opening->row.root;
    log->shown.root = opening->row.root;
    memcpy(log->shown.note, opening->row.note.ptr, opening->row.note.len);
    log->shown.note_len = opening->row.note.len;
    const struct lb_tree_source source = lb_records_source(&log->shown.records);
    LB_TRY(lb_tree_new(&source, &log->writer.pending.tree));
    lb_tree_frontier(log->writer.tree, &log->writer.check);
    if (opening->options->officer_key == NULL)
        return LB_OK;
    return lb_keyring_new(opening->options->officer_key, log->origin,
                          (uint64_t)opening->bounds.max_kid + 1, &log->writer.keyring);
}

lb_status lb_log_restore(struct lb_log *log, const struct lb_log_options *options,
                         struct lb_diag *diag)
{
    struct opening opening = {.log = log, .options = options, .diag = diag};
    LB_TRY(claim_folder(&opening));
    LB_TRY(open_writer(&opening));
    LB_TRY(load_checkpoint(&opening));
    LB_TRY(check_checkpoint(&opening));
    LB_TRY(open_reader(&opening));
    LB_TRY(check_shards(&opening));
    LB_TRY(restore_tree(&opening, &log->writer.records, &log->writer.tree));
    LB_TRY(restore_tree(&opening, &log->shown.records, &log->shown.tree));
    LB_TRY(check_ratchet(&opening));
    LB_TRY(check_clock(&opening));
    return set_head(&opening);
}
