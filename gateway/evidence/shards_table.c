#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/evidence/records.h"
#include "gateway/evidence/shards.h"

/* The table of linked shards, and whether their files are there. */

static const char CREATE[] =
    "CREATE TABLE IF NOT EXISTS shard(first INTEGER PRIMARY KEY, until INTEGER NOT NULL,"
    " name TEXT NOT NULL, note_hash BLOB NOT NULL, file_hash BLOB NOT NULL,"
    " file_bytes INTEGER NOT NULL, leaf INTEGER NOT NULL) STRICT";

lb_status lb_shards_new(const char *folder, struct lb_store *store, struct lb_shards **out_shards)
{
    struct lb_shards *shards = calloc(1, sizeof(*shards));
    LB_ENSURE(shards != NULL, LB_NO_MEMORY, "shards");
    shards->store = store;
    shards->folder = strdup(folder);
    lb_status status = shards->folder == NULL ? LB_FAULT(LB_NO_MEMORY, "shards") : LB_OK;
    if (status == LB_OK)
        status = lb_stmt_prepare(store, "SELECT hashes FROM tile WHERE key = ?1",
                                 &shards->get_tile);
    if (status == LB_OK)
        status = lb_shards_load(shards);
    if (status != LB_OK) {
        lb_shards_free(shards);
        return status;
    }
    *out_shards = shards;
    return LB_OK;
}

void lb_shards_free(struct lb_shards *shards)
{
    if (shards == NULL)
        return;
    for (size_t i = 0; i < LB_SHARDS_OPEN; i++)
        lb_shard_file_close(&shards->slots[i].file);
    lb_stmt_free(shards->get_tile);
    free(shards->folder);
    free(shards);
}

static lb_status has_table(struct lb_store *store, bool *out_has)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'shard'",
                           &stmt));
    lb_status status = lb_stmt_step(stmt, out_has);
    lb_stmt_free(stmt);
    return status;
}

/* A row is believed when it goes on where the one before it ended. */
static lb_status read_row(const struct lb_stmt *stmt, uint64_t from, struct lb_shards_row *out)
{
    struct lb_shards_row row = {.from = from};
    struct lb_span note_hash;
    struct lb_span file_hash;
    int64_t to = lb_stmt_int(stmt, 1);
    struct lb_span name = lb_stmt_text(stmt, 2);
    int64_t bytes = lb_stmt_int(stmt, 5);
    int64_t leaf = lb_stmt_int(stmt, 6);
    LB_ENSURE(name.len == LB_SHARD_NAME_BYTES - 2, LB_LOG_FORK, "a linked shard's name");
    memcpy(row.name, name.ptr, name.len);
    LB_ENSURE(lb_shard_is_name(row.name), LB_LOG_FORK, "a linked shard's name");
    bool follows = lb_stmt_int(stmt, 0) == (int64_t)from && to > (int64_t)from &&
                   to % LB_TILE_HASHES == 0 && leaf >= to && bytes > 0;
    LB_ENSURE(follows, LB_LOG_FORK, "a linked shard's range");
    LB_TRY(lb_records_column(stmt, 3, LB_HASH_BYTES, &note_hash));
    LB_TRY(lb_records_column(stmt, 4, LB_HASH_BYTES, &file_hash));
    row.to = (uint64_t)to;
    row.file_bytes = (uint64_t)bytes;
    row.leaf = (uint64_t)leaf;
    memcpy(row.note_hash.bytes, note_hash.ptr, LB_HASH_BYTES);
    memcpy(row.file_hash.bytes, file_hash.ptr, LB_HASH_BYTES);
    *out = row;
    return LB_OK;
}

static lb_status read_rows(struct lb_stmt *stmt, struct lb_shards_row *rows, size_t *out_num)
{
    bool row = false;
    size_t num = 0;
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row) {
        LB_ENSURE(num < LB_SHARD_MAX, LB_LOG_FORK, "too many linked shards");
        LB_TRY(read_row(stmt, num == 0 ? 0 : rows[num - 1].to, &rows[num]));
        num++;
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    *out_num = num;
    return LB_OK;
}

static bool same_rows(const struct lb_shards *shards, const struct lb_shards_row *rows, size_t num)
{
    if (num < shards->num)
        return false;
    return shards->num == 0 || memcmp(rows, shards->rows, shards->num * sizeof(*rows)) == 0;
}

/* Rows are only ever added; should it be otherwise, no open file is what it was. */
static void take_rows(struct lb_shards *shards, const struct lb_shards_row *rows, size_t num)
{
    if (!same_rows(shards, rows, num)) {
        for (size_t i = 0; i < LB_SHARDS_OPEN; i++) {
            lb_shard_file_close(&shards->slots[i].file);
            shards->slots[i].tick = 0;
        }
        shards->has_tile = false;
    }
    memset(shards->rows, 0, sizeof(shards->rows));
    memcpy(shards->rows, rows, num * sizeof(*rows));
    shards->num = num;
}

lb_status lb_shards_load(struct lb_shards *shards)
{
    bool has = false;
    size_t num = 0;
    LB_TRY(has_table(shards->store, &has));
    if (!has) {
        take_rows(shards, shards->rows, 0);
        return LB_OK;
    }
    struct lb_shards_row *rows = calloc(LB_SHARD_MAX, sizeof(*rows));
    struct lb_stmt *stmt = NULL;
    lb_status status = rows == NULL ? LB_FAULT(LB_NO_MEMORY, "shards") : LB_OK;
    if (status == LB_OK)
        status = lb_stmt_prepare(shards->store,
                                 "SELECT first, until, name, note_hash, file_hash, file_bytes, leaf"
                                 " FROM shard ORDER BY first",
                                 &stmt);
    if (status == LB_OK)
        status = read_rows(stmt, rows, &num);
    lb_stmt_free(stmt);
    if (status == LB_OK)
        take_rows(shards, rows, num);
    else if (lb_status_code(status) == LB_LOG_FORK)
        lb_diag_set(&shards->trouble, "the table of linked shards was changed; restore the folder");
    free(rows);
    return status;
}

size_t lb_shards_num(const struct lb_shards *shards)
{
    return shards->num;
}

const struct lb_shards_row *lb_shards_at(const struct lb_shards *shards, size_t i)
{
    return &shards->rows[i];
}

uint64_t lb_shards_end(const struct lb_shards *shards)
{
    return shards->num == 0 ? 0 : shards->rows[shards->num - 1].to;
}

const char *lb_shards_trouble(const struct lb_shards *shards)
{
    return shards->trouble.text[0] == 0 ? NULL : shards->trouble.text;
}

void lb_shards_say(struct lb_shards *shards, size_t which, const char *what)
{
    const struct lb_shards_row *row = &shards->rows[which];
    lb_diag_set(&shards->trouble,
                "shard %s (entries %llu to %llu) %s; put " LB_SHARD_FOLDER "/%s.db back as it was"
                " linked", row->name, (unsigned long long)row->from,
                (unsigned long long)(row->to - 1), what, row->name);
}

lb_status lb_shards_find(struct lb_shards *shards, uint64_t index, size_t *out_which)
{
    if (index >= lb_shards_end(shards))
        LB_TRY(lb_shards_load(shards));
    for (size_t i = shards->num; i > 0; i--) {
        const struct lb_shards_row *row = &shards->rows[i - 1];
        if (index >= row->from && index < row->to) {
            *out_which = i - 1;
            return LB_OK;
        }
    }
    LB_FAIL(LB_ABSENT, "in no shard");
}

enum lb_shard_state lb_shards_state(const struct lb_shards *shards, size_t i)
{
    const struct lb_shards_row *row = &shards->rows[i];
    struct lb_shard_path path;
    struct stat info;
    if (lb_shard_path_make(shards->folder, row->name, ".db", &path) == LB_OK &&
        stat(path.text, &info) == 0)
        return (uint64_t)info.st_size == row->file_bytes ? LB_SHARD_LINKED : LB_SHARD_MISSING;
    bool away = lb_shard_path_make(shards->folder, row->name, ".away", &path) == LB_OK &&
                access(path.text, F_OK) == 0;
    return away ? LB_SHARD_AWAY : LB_SHARD_MISSING;
}

lb_status lb_shards_present(struct lb_shards *shards)
{
    for (size_t i = 0; i < shards->num; i++) {
        if (lb_shards_state(shards, i) != LB_SHARD_MISSING)
            continue;
        lb_shards_say(shards, i,
                      "is missing, or not as long as it was, and was not declared away"
                      " (`lianban log shard --away`)");
        LB_FAIL(LB_LOG_BEHIND, "a shard of the log is missing");
    }
    return LB_OK;
}

static lb_status bind_row(struct lb_stmt *stmt, const struct lb_shards_row *row)
{
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)row->from));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)row->to));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(row->name)));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(row->note_hash.bytes, LB_HASH_BYTES)));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, lb_span_of(row->file_hash.bytes, LB_HASH_BYTES)));
    LB_TRY(lb_stmt_bind_int(stmt, 6, (int64_t)row->file_bytes));
    return lb_stmt_bind_int(stmt, 7, (int64_t)row->leaf);
}

lb_status lb_shards_insert(struct lb_store *store, const struct lb_shards_row *row)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_store_exec(store, CREATE));
    LB_TRY(lb_stmt_prepare(store,
                           "INSERT INTO shard(first, until, name, note_hash, file_hash,"
                           " file_bytes, leaf) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                           &stmt));
    lb_status status = bind_row(stmt, row);
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}
