#include <stdarg.h>
#include <stdio.h>

#include "gateway/crypto/hash.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/shard_file.h"

/* The verification of one shard: its rows are read in order and hashed by code that has no part in
 * writing or serving them. */

#define META_ARENA_BYTES (64U * 1024)

struct rows {
    struct lb_stmt *stmt;
    bool row;  /* one stands ready */
};

struct check {
    const struct lb_shard_check_options *options;
    struct lb_diag *diag;
    struct lb_shard_file file;
    struct lb_shard_meta meta;
    struct lb_checkpoint head;
    struct rows leaves;
    struct rows tiles;
    struct rows details;
    struct lb_merkle_frontier frontier;
    int64_t last_ms;
    uint8_t tile[LB_TILE_HASHES * LB_HASH_BYTES];  /* what the leaves since its begin give */
};

static void say(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct check *check, const char *format, ...)
{
    char text[200];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lb_diag_set(check->diag, "%s: %s", check->options->path, text);
}

static lb_status ask(struct check *check, const char *sql, const char *answer)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(check->file.store, sql, &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    bool same = status == LB_OK && row && lb_span_is(lb_stmt_text(stmt, 0), answer);
    lb_stmt_free(stmt);
    LB_ENSURE(same, LB_LOG_FORK, "a shard's pages are damaged");
    return LB_OK;
}

/* A file in WAL mode could not be read without writing beside it. */
static lb_status check_pages(struct check *check)
{
    LB_TRY(ask(check, "PRAGMA journal_mode", "delete"));
    return ask(check, "PRAGMA integrity_check(1)", "ok");
}

static lb_status check_meta(struct check *check, struct lb_arena *arena)
{
    const struct lb_note_verifier *verifier = check->options->verifier;
    LB_TRY(lb_shard_file_meta(&check->file, arena, &check->meta));
    lb_status status = lb_checkpoint_open(check->meta.note, verifier, &check->head);
    bool own = status == LB_OK && strcmp(check->meta.origin, verifier->name) == 0;
    if (!own)
        say(check, "it is of another log, or not signed with the key of %s", verifier->name);
    LB_ENSURE(own, LB_LOG_FORK, "a shard of another log");
    LB_ENSURE(check->meta.to <= check->head.size, LB_LOG_FORK, "a shard past its checkpoint");
    check->frontier = check->meta.before;
    return LB_OK;
}

static lb_status start(struct check *check, const char *sql, struct rows *rows)
{
    LB_TRY(lb_stmt_prepare(check->file.store, sql, &rows->stmt));
    return lb_stmt_step(rows->stmt, &rows->row);
}

static lb_status next(struct rows *rows)
{
    return lb_stmt_step(rows->stmt, &rows->row);
}

static bool is_zero(const uint8_t hash[32])
{
    static const uint8_t zeros[32];
    return memcmp(hash, zeros, sizeof(zeros)) == 0;
}

static lb_status check_row(struct check *check, const struct lb_leaf *leaf)
{
    struct lb_detail_row row;
    struct lb_key_row key;
    uint8_t detail_hash[32];
    LB_TRY(lb_reader_detail_row(check->details.stmt, 1, &row));
    if (check->options->reader == NULL)
        return LB_OK;
    LB_TRY(lb_reader_key(check->options->reader, row.kid, &key));
    lb_detail_hash(&row, key.key_hash, detail_hash);
    LB_ENSURE(memcmp(detail_hash, leaf->detail_hash, sizeof(detail_hash)) == 0, LB_LOG_FORK,
              "the leaf commits to another detail");
    return LB_OK;
}

static lb_status check_detail(struct check *check, uint64_t index, const struct lb_leaf *leaf)
{
    struct rows *details = &check->details;
    bool present = details->row && lb_stmt_int(details->stmt, 0) == (int64_t)index;
    LB_ENSURE(present != is_zero(leaf->detail_hash), LB_LOG_FORK, "detail and leaf disagree");
    if (!present)
        return LB_OK;
    LB_TRY(check_row(check, leaf));
    return next(details);
}

/* Takes a leaf's hash into the tree; a tile that is full must be the one stored. */
static lb_status add_hash(struct check *check, uint64_t index, const uint8_t hash[LB_HASH_BYTES])
{
    struct lb_hash leaf;
    struct lb_span stored;
    size_t at = (size_t)(index % LB_TILE_HASHES);
    memcpy(leaf.bytes, hash, LB_HASH_BYTES);
    lb_merkle_frontier_add(&check->frontier, &leaf);
    memcpy(check->tile + at * LB_HASH_BYTES, hash, LB_HASH_BYTES);
    if (at + 1 < LB_TILE_HASHES)
        return LB_OK;
    const struct lb_stmt *stmt = check->tiles.stmt;
    LB_ENSURE(check->tiles.row && lb_stmt_int(stmt, 0) == (int64_t)(index / LB_TILE_HASHES),
              LB_LOG_FORK, "a tile is missing");
    LB_TRY(lb_records_column(stmt, 1, sizeof(check->tile), &stored));
    LB_ENSURE(memcmp(stored.ptr, check->tile, sizeof(check->tile)) == 0, LB_LOG_FORK,
              "a tile does not follow from its leaves");
    return next(&check->tiles);
}

static lb_status check_leaf(struct check *check, uint64_t index)
{
    const struct lb_stmt *stmt = check->leaves.stmt;
    struct lb_span bytes;
    struct lb_leaf leaf;
    uint8_t hash[LB_HASH_BYTES];
    LB_ENSURE(check->leaves.row && lb_stmt_int(stmt, 0) == (int64_t)index, LB_LOG_FORK,
              "an entry is missing");
    LB_TRY(lb_records_column(stmt, 1, 0, &bytes));
    LB_TRY(lb_leaf_decode(bytes, &leaf));
    LB_ENSURE(leaf.time_ms >= check->last_ms, LB_LOG_FORK, "an entry before its time");
    check->last_ms = leaf.time_ms;
    const struct lb_span parts[] = {lb_span_of("\0", 1), bytes};
    lb_sha256_parts(parts, 2, hash);
    LB_TRY(check_detail(check, index, &leaf));
    LB_TRY(add_hash(check, index, hash));
    return next(&check->leaves);
}

static lb_status walk(struct check *check)
{
    const atomic_bool *stop = check->options->stop;
    LB_TRY(start(check, "SELECT idx, bytes FROM leaf ORDER BY idx", &check->leaves));
    LB_TRY(start(check, "SELECT key, hashes FROM tile ORDER BY key", &check->tiles));
    LB_TRY(start(check, "SELECT idx, kid, nonce, sealed, plain_hash FROM detail ORDER BY idx",
                 &check->details));
    for (uint64_t index = check->meta.from; index < check->meta.to; index++) {
        LB_ENSURE(stop == NULL || !atomic_load(stop), LB_STOPPING, "told to stop");
        lb_status status = check_leaf(check, index);
        if (status != LB_OK)
            say(check, "entry %llu, its detail or its tile is missing or was changed (%s)",
                (unsigned long long)index, status->what);
        LB_TRY(status);
    }
    bool rest = check->leaves.row || check->tiles.row || check->details.row;
    LB_ENSURE(!rest, LB_LOG_FORK, "rows that belong to no entry");
    return LB_OK;
}

static lb_status check_root(const struct check *check, struct lb_hash *out_root)
{
    const struct lb_checkpoint *head = &check->head;
    lb_merkle_frontier_root(&check->frontier, out_root);
    return lb_merkle_verify_consistency(check->meta.to, out_root, head->size, &head->root,
                                        check->meta.proof, check->meta.num_proof);
}

static lb_status check_all(struct check *check, struct lb_arena *arena,
                           struct lb_shard_verdict *out_verdict)
{
    struct lb_shard_verdict verdict = {.from = 0};
    LB_TRY(lb_shard_file_open(check->options->path, &check->file));
    LB_TRY(check_meta(check, arena));
    LB_TRY(check_pages(check));
    LB_TRY(walk(check));
    LB_TRY(check_root(check, &verdict.root));
    verdict.from = check->meta.from;
    verdict.to = check->meta.to;
    memcpy(verdict.name, check->meta.name, sizeof(verdict.name));
    lb_sha256(check->meta.note, verdict.note_hash.bytes);
    *out_verdict = verdict;
    return LB_OK;
}

/* What can't be read of a file that nobody writes any more was damaged. */
static lb_status judge(struct check *check, lb_status status)
{
    enum lb_code code = lb_status_code(status);
    if (code == LB_STOPPING || code == LB_NO_MEMORY || code == LB_CODE_OK)
        return status;
    if (check->diag->text[0] == 0)
        say(check, "this is no whole shard of the log: %s", status->what);
    LB_ENSURE(code != LB_FILE_FAILED, LB_FILE_FAILED, "a shard cannot be opened");
    LB_FAIL(LB_LOG_FORK, "a shard does not verify");
}

lb_status lb_shard_check(const struct lb_shard_check_options *options, struct lb_diag *diag,
                         struct lb_shard_verdict *out_verdict)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(META_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "shard");
    struct check check = {.options = options, .diag = diag};
    diag->text[0] = 0;
    lb_status status = judge(&check, check_all(&check, arena, out_verdict));
    lb_shard_file_close(&check.file);
    return status;
}
