#include "gateway/evidence/shard_write.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* Writing one shard. Nothing of the log is changed. */

#define CHUNK 4096U /* entries of one transaction */
#define UNFINISHED ".db.new"

/* --- rows --- */

/* A table's rows of a range, as they are, in order. */
struct table {
    const char *read;
    const char *write;
    int num_columns;
    bool blobs[5];  /* else integers */
};

static const struct table LEAVES = {
    "SELECT idx, bytes FROM leaf WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
    "INSERT INTO leaf(idx, bytes) VALUES (?1, ?2)", 2, {false, true}};
static const struct table DETAILS = {
    "SELECT idx, kid, nonce, sealed, plain_hash FROM detail WHERE idx >= ?1 AND idx < ?2"
    " ORDER BY idx",
    "INSERT INTO detail(idx, kid, nonce, sealed, plain_hash) VALUES (?1, ?2, ?3, ?4, ?5)", 5,
    {false, false, true, true, true}};
static const struct table TILES = {
    "SELECT key, hashes FROM tile WHERE key >= ?1 AND key < ?2 ORDER BY key",
    "INSERT INTO tile(key, hashes) VALUES (?1, ?2)", 2, {false, true}};

static lb_status copy_row(const struct table *table, const struct lb_stmt *in, struct lb_stmt *out)
{
    for (int i = 0; i < table->num_columns; i++) {
        struct lb_span blob;
        if (!table->blobs[i]) {
            LB_TRY(lb_stmt_bind_int(out, i + 1, lb_stmt_int(in, i)));
            continue;
        }
        LB_TRY(lb_records_column(in, i, 0, &blob));
        LB_TRY(lb_stmt_bind_blob(out, i + 1, blob));
    }
    return lb_stmt_run(out);
}

static lb_status copy_rows(const struct table *table, struct lb_stmt *in, struct lb_stmt *out,
                           uint64_t from, uint64_t to)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_int(in, 1, (int64_t)from));
    LB_TRY(lb_stmt_bind_int(in, 2, (int64_t)to));
    LB_TRY(lb_stmt_step(in, &row));
    while (row) {
        LB_TRY(copy_row(table, in, out));
        LB_TRY(lb_stmt_step(in, &row));
    }
    return LB_OK;
}

static lb_status copy_table(struct lb_shard_part *part, const struct table *table, uint64_t from,
                            uint64_t to)
{
    struct lb_stmt *in = NULL;
    struct lb_stmt *out = NULL;
    LB_TRY(lb_stmt_prepare(part->copying->reader->store, table->read, &in));
    lb_status status = lb_stmt_prepare(part->out, table->write, &out);
    if (status == LB_OK)
        status = copy_rows(table, in, out, from, to);
    lb_stmt_free(out);
    lb_stmt_free(in);
    return status;
}

/* A copy must not take the room that the log needs. */
static lb_status check_room(const struct lb_shard_copying *copying)
{
    const struct lb_disk *disk = copying->options->disk;
    struct lb_disk_space space;
    if (disk == NULL)
        disk = lb_disk_system();
    LB_TRY(disk->look(disk, copying->options->folder, &space));
    if (space.free_bytes < LB_DISK_ALERT_BYTES)
        lb_diag_set(copying->diag, "%s: less than %llu MB are left on this file system; make room"
                                   " first", copying->options->folder,
                    (unsigned long long)(LB_DISK_ALERT_BYTES >> 20));
    LB_ENSURE(space.free_bytes >= LB_DISK_ALERT_BYTES, LB_LOG_FULL, "too little room to copy");
    return LB_OK;
}

static lb_status copy_chunk(struct lb_shard_part *part, uint64_t from, uint64_t to)
{
    LB_TRY(check_room(part->copying));
    LB_TRY(lb_store_begin(part->out));
    LB_TRY(copy_table(part, &LEAVES, from, to));
    LB_TRY(copy_table(part, &DETAILS, from, to));
    LB_TRY(copy_table(part, &TILES, from / LB_TILE_HASHES, to / LB_TILE_HASHES));
    return lb_store_commit(part->out);
}

/* --- what it says of itself --- */

/* The edge of the tree of the entries before this shard. */
static lb_status find_before(struct lb_shard_part *part, struct lb_hash out[64], size_t *out_num)
{
    const struct lb_tree_source source = lb_records_source(&part->copying->reader->records);
    struct lb_merkle_frontier frontier;
    struct lb_tree *tree = NULL;
    LB_TRY(lb_tree_new(&source, &tree));
    lb_status status = lb_tree_restore(tree, part->from);
    if (status == LB_OK)
        lb_tree_frontier(tree, &frontier);
    lb_tree_free(tree);
    LB_TRY(status);
    size_t num = 0;
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((part->from >> bit & 1) != 0)
            out[num++] = frontier.edge[bit];
    }
    *out_num = num;
    return LB_OK;
}

static lb_status bind_meta(struct lb_shard_part *part, struct lb_stmt *stmt)
{
    struct lb_shard_copying *copying = part->copying;
    struct lb_hash before[64];
    struct lb_hash *proof = NULL;
    size_t num_before = 0;
    size_t num_proof = 0;
    LB_TRY(find_before(part, before, &num_before));
    lb_arena_reset(copying->arena);
    LB_TRY(lb_tree_consistency(copying->tree, part->to, copying->head.size, copying->arena,
                               &proof, &num_proof));
    struct lb_span edge = lb_span_of(before, num_before * LB_HASH_BYTES);
    struct lb_span path = lb_span_of(proof, num_proof * LB_HASH_BYTES);
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(part->name)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(copying->head.origin)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)part->from));
    LB_TRY(lb_stmt_bind_int(stmt, 4, (int64_t)part->to));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, lb_span_of(copying->note, copying->note_len)));
    LB_TRY(lb_stmt_bind_blob(stmt, 6, edge));
    LB_TRY(lb_stmt_bind_blob(stmt, 7, path));
    return lb_stmt_run(stmt);
}

static lb_status write_meta(struct lb_shard_part *part)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(part->out,
                           "INSERT INTO shard(id, name, origin, first, until, note, before, proof)"
                           " VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                           &stmt));
    lb_status status = bind_meta(part, stmt);
    lb_stmt_free(stmt);
    return status;
}

/* --- the file --- */

/* What an interrupted copy left. */
static lb_status clear(const struct lb_shard_part *part)
{
    static const char *const suffixes[] = {UNFINISHED, UNFINISHED "-wal", UNFINISHED "-shm",
                                           UNFINISHED "-journal"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct lb_shard_path path;
        LB_TRY(lb_shard_path_make(part->copying->options->folder, part->name, suffixes[i], &path));
        LB_ENSURE(unlink(path.text) == 0 || errno == ENOENT, LB_FILE_FAILED,
                  "an unfinished shard cannot be removed");
    }
    return LB_OK;
}

/* The journal's mode is the file's own, so whoever may only read it can open it. */
static lb_status fill(struct lb_shard_part *part)
{
    for (uint64_t at = part->from; at < part->to; at += CHUNK)
        LB_TRY(copy_chunk(part, at, part->to - at < CHUNK ? part->to : at + CHUNK));
    LB_TRY(write_meta(part));
    return lb_store_exec(part->out, "PRAGMA journal_mode=DELETE");
}

static lb_status write_file(struct lb_shard_part *part, const char *path)
{
    const struct lb_store_options options = {
        .path = path,
        .migrations = lb_shard_schema(),
        .application_id = LB_SHARD_APPLICATION_ID,
        .create = true,
    };
    LB_TRY(clear(part));
    LB_TRY(lb_store_open(&options, &part->out));
    lb_status status = fill(part);
    if (status != LB_OK)
        lb_store_rollback(part->out);
    lb_store_close(part->out);
    part->out = NULL;
    LB_TRY(status);
    return lb_shard_sync(part->copying->options->folder, path);
}

static lb_status check_file(const struct lb_shard_part *part, const char *path)
{
    struct lb_shard_copying *copying = part->copying;
    const struct lb_shard_check_options options = {
        .path = path, .verifier = copying->options->verifier, .reader = copying->reader};
    struct lb_shard_verdict verdict;
    LB_TRY(lb_shard_check(&options, copying->diag, &verdict));
    bool wanted = verdict.from == part->from && verdict.to == part->to &&
                  strcmp(verdict.name, part->name) == 0;
    if (!wanted)
        lb_diag_set(copying->diag, "%s: it has other entries than this half-year; remove it and"
                                   " run this again", path);
    LB_ENSURE(wanted, LB_LOG_FORK, "another shard");
    return LB_OK;
}

/* Makes the file, or finds it made by a run before. */
lb_status lb_shard_write(struct lb_shard_part *part)
{
    const char *folder = part->copying->options->folder;
    struct lb_shard_path path, unfinished;
    LB_TRY(lb_shard_path_make(folder, part->name, ".db", &path));
    LB_TRY(lb_shard_path_make(folder, part->name, UNFINISHED, &unfinished));
    if (access(path.text, F_OK) == 0)
        return check_file(part, path.text);
    LB_TRY(write_file(part, unfinished.text));
    LB_TRY(check_file(part, unfinished.text));
    LB_ENSURE(rename(unfinished.text, path.text) == 0, LB_FILE_FAILED,
              "a shard cannot be given its name");
    LB_TRY(lb_shard_sync(folder, path.text));
    part->copying->copied.num++;
    part->copying->copied.num_entries += part->to - part->from;
    return LB_OK;
}
