#include "gateway/evidence/shard_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "gateway/evidence/records.h"

#define BUSY_TIMEOUT_MS 5000

static const char *const SCHEMA[] = {
    "CREATE TABLE leaf(idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    "CREATE TABLE tile(key INTEGER PRIMARY KEY, hashes BLOB NOT NULL) STRICT;"
    "CREATE TABLE detail(idx INTEGER PRIMARY KEY, kid INTEGER NOT NULL, nonce BLOB NOT NULL,"
    " sealed BLOB NOT NULL, plain_hash BLOB NOT NULL) STRICT;"
    "CREATE TABLE shard(id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL,"
    " origin TEXT NOT NULL, first INTEGER NOT NULL, until INTEGER NOT NULL, note BLOB NOT NULL,"
    " before BLOB NOT NULL, proof BLOB NOT NULL) STRICT;",
    NULL,
};

const char *const *lb_shard_schema(void)
{
    return SCHEMA;
}

/* --- names --- */

int64_t lb_shard_half(int64_t unix_ms)
{
    struct tm parts;
    time_t seconds = (time_t)(unix_ms / 1000);
    if (gmtime_r(&seconds, &parts) == NULL)
        return 0;
    return 2 * ((int64_t)parts.tm_year + 1900) + (parts.tm_mon >= 6);
}

int64_t lb_shard_half_begin(int64_t half)
{
    struct tm parts = {
        .tm_year = (int)(half / 2 - 1900), .tm_mon = half % 2 == 0 ? 0 : 6, .tm_mday = 1};
    return (int64_t)timegm(&parts) * 1000;
}

void lb_shard_half_name(int64_t half, char out[LB_SHARD_NAME_BYTES])
{
    unsigned year = (unsigned)(half / 2) % 10000;
    (void)snprintf(out, LB_SHARD_NAME_BYTES, "%04uh%c", year, half % 2 == 0 ? '1' : '2');
}

bool lb_shard_is_name(const char *text)
{
    if (strlen(text) != LB_SHARD_NAME_BYTES - 2)
        return false;
    for (size_t i = 0; i < 4; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return text[4] == 'h' && (text[5] == '1' || text[5] == '2');
}

lb_status lb_shard_path_make(const char *folder, const char *name, const char *suffix,
                             struct lb_shard_path *out)
{
    int len = snprintf(out->text, sizeof(out->text), "%s/" LB_SHARD_FOLDER "/%s%s", folder, name,
                       suffix);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(out->text), LB_FILE_FAILED, "path is too long");
    return LB_OK;
}

/* --- one file --- */

lb_status lb_shard_file_open(const char *path, struct lb_shard_file *out_file)
{
    const struct lb_store_options options = {
        .path = path,
        .read_only = true,
        .application_id = LB_SHARD_APPLICATION_ID,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_DEFER(lb_shard_file_close) struct lb_shard_file file = {.store = NULL};
    LB_TRY(lb_store_open(&options, &file.store));
    LB_TRY(lb_stmt_prepare(file.store, "SELECT bytes FROM leaf WHERE idx = ?1", &file.get_leaf));
    LB_TRY(lb_stmt_prepare(file.store, "SELECT hashes FROM tile WHERE key = ?1", &file.get_tile));
    LB_TRY(lb_stmt_prepare(file.store,
                           "SELECT kid, nonce, sealed, plain_hash FROM detail WHERE idx = ?1",
                           &file.get_detail));
    *out_file = file;
    file.store = NULL;
    return LB_OK;
}

void lb_shard_file_close(struct lb_shard_file *file)
{
    lb_store_close(file->store);
    *file = (struct lb_shard_file){.store = NULL};
}

static lb_status copy_text(const struct lb_stmt *stmt, int column, char *out, size_t size)
{
    struct lb_span text = lb_stmt_text(stmt, column);
    LB_ENSURE(text.len > 0 && text.len < size && memchr(text.ptr, 0, text.len) == NULL,
              LB_STORE_FAILED, "a shard's text");
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return LB_OK;
}

static lb_status read_hashes(const struct lb_stmt *stmt, int column, struct lb_hash *out,
                             size_t max, size_t *out_num)
{
    struct lb_span blob;
    LB_TRY(lb_records_column(stmt, column, 0, &blob));
    LB_ENSURE(blob.len % LB_HASH_BYTES == 0 && blob.len / LB_HASH_BYTES <= max, LB_STORE_FAILED,
              "a shard's hashes");
    if (blob.len > 0)
        memcpy(out, blob.ptr, blob.len);
    *out_num = blob.len / LB_HASH_BYTES;
    return LB_OK;
}

static lb_status read_before(const struct lb_stmt *stmt, uint64_t from,
                             struct lb_merkle_frontier *out)
{
    struct lb_hash edge[64];
    size_t num = 0;
    size_t at = 0;
    LB_TRY(read_hashes(stmt, 5, edge, 64, &num));
    LB_ENSURE(num == (size_t)__builtin_popcountll(from), LB_STORE_FAILED, "a shard's edge");
    lb_merkle_frontier_init(out);
    out->size = from;
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((from >> bit & 1) != 0)
            out->edge[bit] = edge[at++];
    }
    return LB_OK;
}

static lb_status read_meta(const struct lb_stmt *stmt, struct lb_arena *arena,
                           struct lb_shard_meta *meta)
{
    struct lb_span note;
    LB_TRY(copy_text(stmt, 0, meta->name, sizeof(meta->name)));
    LB_TRY(copy_text(stmt, 1, meta->origin, sizeof(meta->origin)));
    int64_t from = lb_stmt_int(stmt, 2);
    int64_t to = lb_stmt_int(stmt, 3);
    LB_ENSURE(lb_shard_is_name(meta->name) && from >= 0 && from < to &&
                  from % LB_TILE_HASHES == 0 && to % LB_TILE_HASHES == 0,
              LB_STORE_FAILED, "a shard's range");
    meta->from = (uint64_t)from;
    meta->to = (uint64_t)to;
    LB_TRY(lb_records_column(stmt, 4, 0, &note));
    LB_TRY(lb_arena_copy(arena, note, &meta->note));
    LB_TRY(read_before(stmt, meta->from, &meta->before));
    return read_hashes(stmt, 6, meta->proof, LB_MAX_PROOF_HASHES, &meta->num_proof);
}

lb_status lb_shard_file_meta(const struct lb_shard_file *file, struct lb_arena *arena,
                             struct lb_shard_meta *out_meta)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(file->store,
                           "SELECT name, origin, first, until, note, before, proof FROM shard"
                           " WHERE id = 1",
                           &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    if (status == LB_OK && !row)
        status = LB_FAULT(LB_STORE_FAILED, "a shard that says nothing of itself");
    if (status == LB_OK)
        status = read_meta(stmt, arena, out_meta);
    lb_stmt_free(stmt);
    return status;
}

/* --- its content as a whole --- */

static lb_status sync_path(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "a shard cannot be opened");
    int synced = fsync(fd);
    (void)close(fd);
    LB_ENSURE(synced == 0, LB_FILE_FAILED, "a shard cannot be synced");
    return LB_OK;
}

lb_status lb_shard_sync(const char *folder, const char *path)
{
    struct lb_shard_path shards;
    LB_TRY(lb_shard_path_make(folder, "", "", &shards));
    LB_TRY(sync_path(path));
    LB_TRY(sync_path(shards.text));
    return sync_path(folder);
}

/* Fills the piece as far as the file goes. */
static lb_status read_piece(int fd, uint8_t *piece, size_t *out_len)
{
    size_t len = 0;
    while (len < LB_SHARD_PIECE_BYTES) {
        ssize_t got = read(fd, piece + len, LB_SHARD_PIECE_BYTES - len);
        LB_ENSURE(got >= 0, LB_FILE_FAILED, "a shard cannot be read");
        if (got == 0)
            break;
        len += (size_t)got;
    }
    *out_len = len;
    return LB_OK;
}

static lb_status hash_pieces(int fd, uint8_t *piece, struct lb_hash *out_hash, uint64_t *out_bytes)
{
    struct lb_merkle_frontier frontier;
    uint64_t bytes = 0;
    size_t len = LB_SHARD_PIECE_BYTES;
    lb_merkle_frontier_init(&frontier);
    while (len == LB_SHARD_PIECE_BYTES) {
        struct lb_hash hash;
        LB_TRY(read_piece(fd, piece, &len));
        if (len == 0)
            break;
        lb_merkle_leaf(lb_span_of(piece, len), &hash);
        lb_merkle_frontier_add(&frontier, &hash);
        bytes += len;
    }
    lb_merkle_frontier_root(&frontier, out_hash);
    *out_bytes = bytes;
    return LB_OK;
}

lb_status lb_shard_file_hash(const char *path, struct lb_hash *out_hash, uint64_t *out_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "a shard cannot be opened");
    uint8_t *piece = malloc(LB_SHARD_PIECE_BYTES);
    lb_status status = piece == NULL ? LB_FAULT(LB_NO_MEMORY, "a shard's piece")
                                     : hash_pieces(fd, piece, out_hash, out_bytes);
    free(piece);
    (void)close(fd);
    return status;
}
