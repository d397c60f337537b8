#include "gateway/evidence/inspect.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/key_seal.h"
#include "gateway/evidence/log_state.h"
#include "gateway/evidence/shards.h"

#define BUSY_TIMEOUT_MS 5000

static lb_status prepare(struct lb_log_reader *reader)
{
    LB_TRY(lb_records_prepare(&reader->records, reader->store, true));
    LB_TRY(lb_stmt_prepare(reader->store,
                           "SELECT kid, nonce, sealed, plain_hash FROM detail WHERE idx = ?1",
                           &reader->get_detail));
    return lb_stmt_prepare(reader->store,
                           "SELECT subject, sealed, key_hash, erased_by FROM detail_key"
                           " WHERE kid = ?1",
                           &reader->get_key);
}

static lb_status open_files(struct lb_log_reader *reader, const char *folder)
{
    struct lb_log_path database;
    struct lb_log_path ratchet;
    LB_TRY(lb_log_path_make(folder, LB_LOG_DATABASE, &database));
    LB_TRY(lb_log_path_make(folder, LB_LOG_RATCHET, &ratchet));
    reader->ratchet = strdup(ratchet.text);
    LB_ENSURE(reader->ratchet != NULL, LB_NO_MEMORY, "reader");
    const struct lb_store_options options = {
        .path = database.text,
        .read_only = true,
        .application_id = LB_RECORDS_APPLICATION_ID,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_TRY(lb_store_open(&options, &reader->store));
    LB_TRY(prepare(reader));
    return lb_shards_new(folder, reader->store, &reader->records.shards);
}

lb_status lb_log_reader_open(const char *folder, struct lb_diag *diag,
                             struct lb_log_reader **out_reader)
{
    struct lb_log_reader *reader = calloc(1, sizeof(*reader));
    LB_ENSURE(reader != NULL, LB_NO_MEMORY, "reader");
    lb_status status = open_files(reader, folder);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: the evidence log cannot be read (%s): %s; check the path", folder,
                    lb_code_name(lb_status_code(status)), status->what);
        lb_log_reader_close(reader);
        return status;
    }
    *out_reader = reader;
    return LB_OK;
}

void lb_log_reader_close(struct lb_log_reader *reader)
{
    if (reader == NULL)
        return;
    lb_shards_free(reader->records.shards);
    lb_store_close(reader->store);
    free(reader->ratchet);
    free(reader);
}

void lb_log_reader_closep(struct lb_log_reader **reader)
{
    lb_log_reader_close(*reader);
}

lb_status lb_log_reader_size(struct lb_log_reader *reader, uint64_t *out_size)
{
    struct lb_records_bounds bounds;
    LB_TRY(lb_records_bounds(&reader->records, &bounds));
    *out_size = (uint64_t)bounds.num_leaves;
    return LB_OK;
}

lb_status lb_log_reader_leaf(struct lb_log_reader *reader, uint64_t index, struct lb_arena *arena,
                             struct lb_leaf *out_leaf, struct lb_hash *out_hash)
{
    uint8_t *bytes = lb_arena_alloc(arena, LB_MAX_LEAF_BYTES);
    size_t len = 0;
    LB_ENSURE(bytes != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(index <= INT64_MAX, LB_ABSENT, "index is past the log");
    LB_TRY(lb_records_leaf(&reader->records, index, bytes, &len));
    LB_TRY(lb_leaf_decode(lb_span_of(bytes, len), out_leaf));
    lb_merkle_leaf(lb_span_of(bytes, len), out_hash);
    return LB_OK;
}

static lb_status parse_active(const struct lb_stmt *stmt, uint64_t kid, struct lb_key_row *out)
{
    struct lb_span subject;
    struct lb_span sealed;
    LB_TRY(lb_records_column(stmt, 0, sizeof(out->subject), &subject));
    LB_TRY(lb_records_column(stmt, 1, sizeof(out->sealed), &sealed));
    LB_ENSURE(lb_stmt_type(stmt, 3) == LB_COL_NULL, LB_STORE_FAILED, "half an erasure");
    memcpy(out->subject, subject.ptr, subject.len);
    memcpy(out->sealed, sealed.ptr, sealed.len);
    lb_detail_key_hash(kid, out->subject, out->sealed, out->key_hash);
    return LB_OK;
}

static lb_status parse_erased(const struct lb_stmt *stmt, struct lb_key_row *out)
{
    struct lb_span key_hash;
    LB_TRY(lb_records_column(stmt, 2, sizeof(out->key_hash), &key_hash));
    bool gone = lb_stmt_type(stmt, 0) == LB_COL_NULL && lb_stmt_type(stmt, 1) == LB_COL_NULL;
    LB_ENSURE(gone && lb_stmt_type(stmt, 3) == LB_COL_INT, LB_STORE_FAILED, "half an erasure");
    memcpy(out->key_hash, key_hash.ptr, key_hash.len);
    out->erased_by = lb_stmt_int(stmt, 3);
    out->erased = true;
    return LB_OK;
}

static lb_status parse_key(struct lb_stmt *stmt, uint64_t kid, struct lb_key_row *out)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)kid));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_ABSENT, "no such data key");
    if (lb_stmt_type(stmt, 2) == LB_COL_NULL)
        return parse_active(stmt, kid, out);
    return parse_erased(stmt, out);
}

lb_status lb_reader_key(struct lb_log_reader *reader, uint64_t kid, struct lb_key_row *out_row)
{
    struct lb_key_row key = {.erased = false};
    lb_status status = parse_key(reader->get_key, kid, &key);
    lb_stmt_reset(reader->get_key);
    LB_TRY(status);
    *out_row = key;
    return LB_OK;
}

lb_status lb_reader_detail_row(const struct lb_stmt *stmt, int first, struct lb_detail_row *out_row)
{
    struct lb_detail_row row = {.kid = 0};
    struct lb_span nonce;
    struct lb_span plain_hash;
    LB_ENSURE(lb_stmt_type(stmt, first) == LB_COL_INT, LB_STORE_FAILED, "kid is not a number");
    LB_TRY(lb_records_column(stmt, first + 1, sizeof(row.nonce), &nonce));
    LB_TRY(lb_records_column(stmt, first + 2, 0, &row.sealed));
    LB_TRY(lb_records_column(stmt, first + 3, sizeof(row.plain_hash), &plain_hash));
    row.kid = (uint64_t)lb_stmt_int(stmt, first);
    memcpy(row.nonce, nonce.ptr, nonce.len);
    memcpy(row.plain_hash, plain_hash.ptr, plain_hash.len);
    *out_row = row;
    return LB_OK;
}

static lb_status find_detail(struct lb_log_reader *reader, uint64_t index, struct lb_arena *arena,
                             struct lb_detail_row *out_row)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_reader_find_detail(reader, index, &stmt));
    lb_status status = lb_reader_detail_row(stmt, 0, out_row);
    if (status == LB_OK)
        status = lb_arena_copy(arena, out_row->sealed, &out_row->sealed);
    lb_stmt_reset(stmt);
    return status;
}

/* The origin is the first line of the stored checkpoint; what it says is proved by the AEAD. It is
 * always the same one, and a listing asks for it with every detail. */
static lb_status find_origin(struct lb_log_reader *reader, struct lb_arena *arena)
{
    struct lb_records_checkpoint row;
    if (reader->origin[0] != 0)
        return LB_OK;
    LB_TRY(lb_records_checkpoint(&reader->records, arena, &row));
    const uint8_t *lf = row.note.len == 0 ? NULL : memchr(row.note.ptr, '\n', row.note.len);
    LB_ENSURE(lf != NULL, LB_SEAL_BROKEN, "the checkpoint has no origin");
    size_t len = (size_t)(lf - row.note.ptr);
    bool fits = len < sizeof(reader->origin) && memchr(row.note.ptr, 0, len) == NULL;
    LB_ENSURE(fits, LB_SEAL_BROKEN, "the checkpoint has no origin");
    memcpy(reader->origin, row.note.ptr, len);
    return LB_OK;
}

lb_status lb_log_reader_origin(struct lb_log_reader *reader, struct lb_arena *arena,
                               const char **out_origin)
{
    LB_TRY(find_origin(reader, arena));
    const char *origin = lb_arena_printf(arena, "%s", reader->origin);
    LB_ENSURE(origin != NULL, LB_NO_MEMORY, "arena is full");
    *out_origin = origin;
    return LB_OK;
}

lb_status lb_log_reader_detail(struct lb_log_reader *reader, uint64_t index,
                               const struct lb_x25519_key *officer, struct lb_arena *arena,
                               struct lb_span *out_detail)
{
    struct lb_leaf leaf;
    struct lb_hash leaf_hash;
    struct lb_detail_row row;
    struct lb_key_row key;
    const char *origin = reader->origin;
    uint8_t data_key[LB_DETAIL_KEY_BYTES];
    LB_TRY(lb_log_reader_leaf(reader, index, arena, &leaf, &leaf_hash));
    LB_TRY(find_origin(reader, arena));
    LB_TRY(find_detail(reader, index, arena, &row));
    lb_status known = lb_reader_key(reader, row.kid, &key);
    LB_ENSURE(known == LB_OK, LB_SEAL_BROKEN, "the detail's data key is missing or damaged");
    LB_ENSURE(!key.erased, LB_ABSENT, "the detail was erased");
    const struct lb_detail_place place = {origin, index, leaf.txn, key.key_hash};
    const struct lb_sealed_key sealed = {row.kid, key.subject, key.sealed};
    LB_TRY(lb_key_seal_open(officer, origin, &sealed, NULL, data_key));
    lb_status status = lb_detail_open(&place, data_key, &row, &leaf, arena, out_detail);
    lb_wipe(data_key, sizeof(data_key));
    return status;
}
