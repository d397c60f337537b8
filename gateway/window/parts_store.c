#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/* Parcels on disk. */

#define COLUMNS "SELECT name, about, case_id, open, next_s, rank, sealed FROM parcel "
#define FAR_S INT64_C(3600) /* no pause is longer: what is due later than that is due */
#define AAD_BYTES 64

static void free_stmt(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

static struct lb_span aad_of(const uint8_t *name, char out[AAD_BYTES])
{
    char hex[LB_PARCEL_NAME_BYTES_HEX];
    lb_hex_encode(lb_span_of(name, LB_PARCEL_NAME_BYTES), hex);
    (void)snprintf(out, AAD_BYTES, "lianban parcel row %s", hex);
    return lb_span_str(out);
}

/* --- writing, under the store's lock --- */

static lb_status seal_row(struct lb_case_store *store, const struct lb_parcel_row *row,
                          struct lb_arena *arena, struct lb_span *out_sealed)
{
    uint8_t key[LB_CASE_KEY_BYTES];
    char aad[AAD_BYTES];
    struct lb_span plain;
    LB_TRY(lb_pb_pack(row->kept, arena, &plain));
    LB_TRY(lb_case_key_get(store, row->case_id, key));
    lb_status status = lb_case_seal(key, aad_of(row->name, aad), plain, arena, out_sealed);
    lb_wipe(key, sizeof(key));
    return status;
}

static lb_status write_row(struct lb_case_store *store, const struct lb_parcel_row *row,
                           const char *sql, struct lb_arena *arena)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    struct lb_span sealed;
    LB_TRY(seal_row(store, row, arena, &sealed));
    LB_TRY(lb_stmt_prepare(store->store, sql, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(row->name, sizeof(row->name))));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(row->about, sizeof(row->about))));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(row->case_id)));
    LB_TRY(lb_stmt_bind_int(stmt, 4, row->open ? 1 : 0));
    LB_TRY(lb_stmt_bind_int(stmt, 5, row->next_s));
    LB_TRY(lb_stmt_bind_int(stmt, 6, row->rank));
    LB_TRY(lb_stmt_bind_blob(stmt, 7, sealed));
    return lb_stmt_run(stmt);
}

static lb_status add_rows(struct lb_case_store *store, const struct lb_parcel_row *rows,
                          size_t num, struct lb_arena *arena)
{
    for (size_t i = 0; i < num; i++)
        LB_TRY(write_row(store, &rows[i],
                         "INSERT INTO parcel(name, about, case_id, open, next_s, rank, sealed)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         arena));
    return LB_OK;
}

static lb_status in_transaction(struct lb_case_store *store, lb_status status)
{
    if (status == LB_OK)
        status = lb_store_commit(store->store);
    if (status != LB_OK)
        lb_store_rollback(store->store);
    return status;
}

lb_status lb_parcels_add(struct lb_case_store *store, const struct lb_parcel_row *rows, size_t num,
                         struct lb_arena *arena)
{
    lb_case_store_enter(store);
    lb_status status = lb_store_begin(store->store);
    if (status == LB_OK)
        status = in_transaction(store, add_rows(store, rows, num, arena));
    return lb_case_store_leave(store, status);
}

/* --- reading, under the store's lock --- */

static lb_status copy_name(struct lb_span blob, uint8_t out[LB_PARCEL_NAME_BYTES])
{
    LB_ENSURE(blob.len == LB_PARCEL_NAME_BYTES, LB_STORE_FAILED, "no parcel's name");
    memcpy(out, blob.ptr, LB_PARCEL_NAME_BYTES);
    return LB_OK;
}

static lb_status open_row(struct lb_case_store *store, struct lb_span sealed,
                          struct lb_arena *arena, struct lb_parcel_row *row)
{
    uint8_t key[LB_CASE_KEY_BYTES];
    char aad[AAD_BYTES];
    struct lb_span plain;
    LB_TRY(lb_case_key_get(store, row->case_id, key));
    lb_status status = lb_case_unseal(key, aad_of(row->name, aad), sealed, arena, &plain);
    lb_wipe(key, sizeof(key));
    LB_ENSURE(lb_status_code(status) != LB_SEAL_BROKEN, LB_STORE_FAILED,
              "a kept parcel does not decrypt");
    LB_TRY(status);
    return lb_pb_unpack(&lianban__v1__kept_parcel__descriptor, plain, arena, &row->kept);
}

static lb_status read_row(struct lb_case_store *store, const struct lb_stmt *select,
                          struct lb_arena *arena, struct lb_parcel_row *out)
{
    struct lb_parcel_row row = {.open = lb_stmt_int(select, 3) != 0,
                                .next_s = lb_stmt_int(select, 4),
                                .rank = lb_stmt_int(select, 5)};
    struct lb_span case_id = lb_stmt_text(select, 2);
    LB_TRY(copy_name(lb_stmt_blob(select, 0), row.name));
    LB_TRY(copy_name(lb_stmt_blob(select, 1), row.about));
    LB_ENSURE(case_id.len == LB_CASE_ID_BYTES - 1, LB_STORE_FAILED, "no case's id");
    memcpy(row.case_id, case_id.ptr, case_id.len);
    LB_TRY(open_row(store, lb_stmt_blob(select, 6), arena, &row));
    *out = row;
    return LB_OK;
}

static lb_status get(struct lb_case_store *store, const uint8_t *name, struct lb_arena *arena,
                     struct lb_parcel_row *out_row)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool found = false;
    LB_TRY(lb_stmt_prepare(store->store, COLUMNS "WHERE name = ?1", &select));
    LB_TRY(lb_stmt_bind_blob(select, 1, lb_span_of(name, LB_PARCEL_NAME_BYTES)));
    LB_TRY(lb_stmt_step(select, &found));
    LB_ENSURE(found, LB_ABSENT, "no such parcel");
    return read_row(store, select, arena, out_row);
}

lb_status lb_parcel_get(struct lb_case_store *store, const uint8_t *name, struct lb_arena *arena,
                        struct lb_parcel_row *out_row)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, get(store, name, arena, out_row));
}

static lb_status change_row(struct lb_case_store *store, const uint8_t *name,
                            lb_parcel_change_fn change, void *arg, struct lb_arena *arena,
                            struct lb_parcel_row *out_row)
{
    LB_TRY(get(store, name, arena, out_row));
    LB_TRY(change(out_row, arg));
    return write_row(store, out_row,
                     "UPDATE parcel SET about = ?2, case_id = ?3, open = ?4, next_s = ?5,"
                     " rank = ?6, sealed = ?7 WHERE name = ?1",
                     arena);
}

lb_status lb_parcel_change(struct lb_case_store *store, const uint8_t *name,
                           lb_parcel_change_fn change, void *arg, struct lb_arena *arena,
                           struct lb_parcel_row *out_row)
{
    lb_case_store_enter(store);
    lb_status status = lb_store_begin(store->store);
    if (status == LB_OK)
        status = in_transaction(store, change_row(store, name, change, arg, arena, out_row));
    return lb_case_store_leave(store, status);
}

/* --- lists --- */

static lb_status read_rows(struct lb_case_store *store, struct lb_stmt *select,
                           struct lb_arena *arena, struct lb_parcel_row *rows, size_t max,
                           size_t *out_num)
{
    bool found = false;
    size_t num = 0;
    LB_TRY(lb_stmt_step(select, &found));
    while (found && num < max) {
        LB_TRY(read_row(store, select, arena, &rows[num]));
        num++;
        LB_TRY(lb_stmt_step(select, &found));
    }
    *out_num = num;
    return LB_OK;
}

static lb_status of_case(struct lb_case_store *store, const char *case_id, struct lb_arena *arena,
                         struct lb_parcel_row *rows, size_t max, size_t *out_num)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    LB_TRY(lb_stmt_prepare(store->store, COLUMNS "WHERE case_id = ?1 ORDER BY rowid", &select));
    LB_TRY(lb_stmt_bind_text(select, 1, lb_span_str(case_id)));
    return read_rows(store, select, arena, rows, max, out_num);
}

lb_status lb_parcels_of_case(struct lb_case_store *store, const char *case_id,
                             struct lb_arena *arena, struct lb_parcel_row **out_rows,
                             size_t *out_num)
{
    struct lb_parcel_row *rows = lb_arena_array(arena, LB_PARTS_MAX_ROWS, sizeof(*rows));
    LB_ENSURE(rows != NULL, LB_NO_MEMORY, "arena is full");
    lb_case_store_enter(store);
    lb_status status = of_case(store, case_id, arena, rows, LB_PARTS_MAX_ROWS, out_num);
    status = lb_case_store_leave(store, status);
    LB_TRY(status);
    *out_rows = rows;
    return LB_OK;
}

static lb_status due(struct lb_case_store *store, int64_t now_s, size_t max,
                     uint8_t *names, size_t *out_num)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool found = false;
    size_t num = 0;
    LB_TRY(lb_stmt_prepare(store->store,
                           "SELECT name FROM parcel WHERE open = 1 AND (next_s <= ?1 OR"
                           " next_s > ?1 + ?2) ORDER BY rank, next_s LIMIT ?3",
                           &select));
    LB_TRY(lb_stmt_bind_int(select, 1, now_s));
    LB_TRY(lb_stmt_bind_int(select, 2, FAR_S));
    LB_TRY(lb_stmt_bind_int(select, 3, (int64_t)max));
    LB_TRY(lb_stmt_step(select, &found));
    while (found && num < max) {
        LB_TRY(copy_name(lb_stmt_blob(select, 0), names + num * LB_PARCEL_NAME_BYTES));
        num++;
        LB_TRY(lb_stmt_step(select, &found));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_parcels_due(struct lb_case_store *store, int64_t now_s, size_t max,
                         struct lb_arena *arena, const uint8_t **out_names, size_t *out_num)
{
    uint8_t *names = lb_arena_array(arena, max, LB_PARCEL_NAME_BYTES);
    LB_ENSURE(names != NULL, LB_NO_MEMORY, "arena is full");
    lb_case_store_enter(store);
    lb_status status = due(store, now_s, max, names, out_num);
    status = lb_case_store_leave(store, status);
    *out_names = names;
    return status;
}

lb_status lb_parcels_hurry(struct lb_case_store *store)
{
    lb_case_store_enter(store);
    lb_status status =
        lb_store_exec(store->store, "UPDATE parcel SET next_s = 0 WHERE open = 1 AND next_s > 0");
    return lb_case_store_leave(store, status);
}

static lb_status cases(struct lb_case_store *store, struct lb_arena *arena, const char **ids,
                       size_t *out_num)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool found = false;
    size_t num = 0;
    LB_TRY(lb_stmt_prepare(store->store, "SELECT DISTINCT case_id FROM parcel", &select));
    LB_TRY(lb_stmt_step(select, &found));
    while (found && num < LB_WINDOW_MAX_CASES) {
        ids[num] = lb_arena_str(arena, lb_stmt_text(select, 0));
        LB_ENSURE(ids[num] != NULL, LB_NO_MEMORY, "arena is full");
        num++;
        LB_TRY(lb_stmt_step(select, &found));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_parcels_cases(struct lb_case_store *store, struct lb_arena *arena,
                           const char ***out_ids, size_t *out_num)
{
    const char **ids = lb_arena_array(arena, LB_WINDOW_MAX_CASES, sizeof(*ids));
    LB_ENSURE(ids != NULL, LB_NO_MEMORY, "arena is full");
    lb_case_store_enter(store);
    lb_status status = cases(store, arena, ids, out_num);
    status = lb_case_store_leave(store, status);
    *out_ids = ids;
    return status;
}

static lb_status on_their_way(struct lb_case_store *store, const char *case_id, bool *out)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    LB_TRY(lb_stmt_prepare(store->store,
                           "SELECT 1 FROM parcel WHERE case_id = ?1 AND open = 1 LIMIT 1",
                           &select));
    LB_TRY(lb_stmt_bind_text(select, 1, lb_span_str(case_id)));
    return lb_stmt_step(select, out);
}

lb_status lb_parcels_on_their_way(struct lb_case_store *store, const char *case_id, bool *out)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, on_their_way(store, case_id, out));
}
