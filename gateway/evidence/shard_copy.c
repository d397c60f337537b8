#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/evidence/shard_write.h"

/* Which half-years of a log are copied out. */

#define ARENA_BYTES (256U * 1024)

static lb_status time_of(struct lb_shard_copying *copying, uint64_t index, int64_t *out_ms)
{
    struct lb_leaf leaf;
    struct lb_hash hash;
    lb_arena_reset(copying->arena);
    LB_TRY(lb_log_reader_leaf(copying->reader, index, copying->arena, &leaf, &hash));
    *out_ms = leaf.time_ms;
    return LB_OK;
}

/* The first entry from `from` on that is not before a time; times rise with the indexes. */
static lb_status find_time(struct lb_shard_copying *copying, uint64_t from, int64_t time_ms,
                           uint64_t *out_index)
{
    uint64_t high = copying->head.size;
    while (from < high) {
        uint64_t middle = from + (high - from) / 2;
        int64_t ms = 0;
        LB_TRY(time_of(copying, middle, &ms));
        if (ms < time_ms)
            from = middle + 1;
        else
            high = middle;
    }
    *out_index = from;
    return LB_OK;
}

static bool is_linked(const struct lb_shard_copying *copying, const char *name)
{
    const struct lb_shards *shards = copying->reader->records.shards;
    for (size_t i = 0; i < lb_shards_num(shards); i++) {
        if (strcmp(lb_shards_at(shards, i)->name, name) == 0)
            return true;
    }
    return false;
}

/* The next half-year that has ended and has whole tiles from `from` on; none when part->to stays
 * `from`. */
static lb_status choose(struct lb_shard_copying *copying, uint64_t from, int64_t *half,
                        struct lb_shard_part *part)
{
    int64_t first_ms = 0;
    *part = (struct lb_shard_part){.copying = copying, .from = from, .to = from};
    if (from >= copying->head.size)
        return LB_OK;
    LB_TRY(time_of(copying, from, &first_ms));
    if (*half < lb_shard_half(first_ms))
        *half = lb_shard_half(first_ms);
    for (; lb_shard_half_begin(*half + 1) <= copying->options->until_ms; (*half)++) {
        uint64_t end = 0;
        lb_shard_half_name(*half, part->name);
        if (is_linked(copying, part->name))
            continue;
        LB_TRY(find_time(copying, from, lb_shard_half_begin(*half + 1), &end));
        part->to = end - end % LB_TILE_HASHES;
        if (part->to > from)
            return LB_OK;
    }
    part->to = from;
    return LB_OK;
}

static lb_status copy_all(struct lb_shard_copying *copying)
{
    uint64_t from = lb_shards_end(copying->reader->records.shards);
    int64_t half = 0;
    for (unsigned i = 0; i < LB_SHARD_MAX; i++) {
        struct lb_shard_part part;
        LB_TRY(choose(copying, from, &half, &part));
        if (part.to == from)
            return LB_OK;
        LB_TRY(lb_shard_write(&part));
        from = part.to;
        half++;
    }
    LB_FAIL(LB_TOO_LARGE, "too many half-years");
}

/* The log as it stands: a signed checkpoint, and the tree that gives it. */
static lb_status read_log(struct lb_shard_copying *copying)
{
    const struct lb_tree_source source = lb_records_source(&copying->reader->records);
    struct lb_records_checkpoint row;
    struct lb_hash root;
    LB_TRY(lb_records_checkpoint(&copying->reader->records, copying->arena, &row));
    LB_TRY(lb_checkpoint_open(row.note, copying->options->verifier, &copying->head));
    LB_ENSURE(row.note.len <= sizeof(copying->note), LB_LOG_FORK, "the note is too long");
    memcpy(copying->note, row.note.ptr, row.note.len);
    copying->note_len = row.note.len;
    LB_TRY(lb_tree_new(&source, &copying->tree));
    LB_TRY(lb_tree_restore(copying->tree, copying->head.size));
    LB_TRY(lb_tree_root(copying->tree, copying->head.size, &root));
    LB_ENSURE(memcmp(root.bytes, copying->head.root.bytes, LB_HASH_BYTES) == 0, LB_LOG_FORK,
              "the entries do not give the signed root");
    return LB_OK;
}

static lb_status copy_locked(struct lb_shard_copying *copying)
{
    const char *folder = copying->options->folder;
    LB_TRY(lb_log_reader_open(folder, copying->diag, &copying->reader));
    LB_TRY(read_log(copying));
    return copy_all(copying);
}

static lb_status take_folder(const struct lb_shard_copy_options *options, int *out_lock)
{
    struct lb_shard_path path;
    struct lb_log_reader *reader = NULL;
    struct lb_diag unused;
    /* Nothing is made where there is no log. */
    LB_TRY(lb_log_reader_open(options->folder, &unused, &reader));
    lb_log_reader_close(reader);
    LB_TRY(lb_shard_path_make(options->folder, "", "", &path));
    LB_TRY(lb_file_mkdirs(path.text));
    return lb_file_lock(path.text, out_lock);
}

static void cleanup(struct lb_shard_copying *copying)
{
    lb_tree_free(copying->tree);
    lb_log_reader_close(copying->reader);
    lb_arena_free(copying->arena);
}

/* A sentence for whatever has none yet. */
static lb_status tell(const struct lb_shard_copying *copying, lb_status status)
{
    const char *trouble =
        copying->reader == NULL ? NULL : lb_log_reader_trouble(copying->reader);
    if (status != LB_OK && copying->diag->text[0] == 0)
        lb_diag_set(copying->diag, "%s: %s", copying->options->folder,
                    trouble != NULL ? trouble : status->what);
    return status;
}

lb_status lb_shard_copy(const struct lb_shard_copy_options *options, struct lb_diag *diag,
                        struct lb_shard_copied *out_copied)
{
    LB_DEFER(cleanup) struct lb_shard_copying copying = {.options = options, .diag = diag};
    int lock = -1;
    diag->text[0] = 0;
    copying.arena = lb_arena_new(ARENA_BYTES);
    LB_ENSURE(copying.arena != NULL, LB_NO_MEMORY, "shards");
    LB_TRY(tell(&copying, take_folder(options, &lock)));
    lb_status status = tell(&copying, copy_locked(&copying));
    (void)close(lock);
    LB_TRY(status);
    *out_copied = copying.copied;
    return LB_OK;
}
