#include <stdio.h>

#include "gateway/base/hex.h"
#include "gateway/base/wipe.h"
#include "gateway/window/parts_inside.h"
#include "gateway/wire/pb.h"

/* What departments said, on disk. */

#define COLUMNS "SELECT sender, name, about, number, case_id, entry, sealed FROM word "
#define AAD_BYTES 64

static void free_stmt(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

/* What it is about and in which place; the sender is the submission's department. */
static struct lb_span aad_of(const struct lb_word_row *row, char out[AAD_BYTES])
{
    char hex[LB_PARCEL_NAME_BYTES_HEX];
    lb_hex_encode(lb_span_of(row->about, LB_PARCEL_NAME_BYTES), hex);
    (void)snprintf(out, AAD_BYTES, "lianban word row %s %u", hex, row->number);
    return lb_span_str(out);
}

static lb_status seal_row(struct lb_case_store *store, const struct lb_word_row *row,
                          struct lb_arena *arena, struct lb_span *out_sealed)
{
    Lianban__V1__KeptWord kept = LIANBAN__V1__KEPT_WORD__INIT;
    uint8_t key[LB_CASE_KEY_BYTES];
    char aad[AAD_BYTES];
    struct lb_span plain;
    kept.content = lb_pb_bytes(row->content);
    kept.taken_unix_s = row->taken_s;
    LB_TRY(lb_pb_pack(&kept, arena, &plain));
    LB_TRY(lb_case_key_get(store, row->case_id, key));
    lb_status status = lb_case_seal(key, aad_of(row, aad), plain, arena, out_sealed);
    lb_wipe(key, sizeof(key));
    return status;
}

static lb_status add(struct lb_case_store *store, const struct lb_word_row *row,
                     struct lb_arena *arena)
{
    LB_DEFER(free_stmt) struct lb_stmt *insert = NULL;
    struct lb_span sealed;
    LB_TRY(seal_row(store, row, arena, &sealed));
    LB_TRY(lb_stmt_prepare(store->store,
                           "INSERT INTO word(sender, name, about, number, case_id, sealed)"
                           " VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
                           &insert));
    LB_TRY(lb_stmt_bind_text(insert, 1, lb_span_str(row->sender)));
    LB_TRY(lb_stmt_bind_blob(insert, 2, lb_span_of(row->name, sizeof(row->name))));
    LB_TRY(lb_stmt_bind_blob(insert, 3, lb_span_of(row->about, sizeof(row->about))));
    LB_TRY(lb_stmt_bind_int(insert, 4, row->number));
    LB_TRY(lb_stmt_bind_text(insert, 5, lb_span_str(row->case_id)));
    LB_TRY(lb_stmt_bind_blob(insert, 6, sealed));
    return lb_stmt_run(insert);
}

lb_status lb_word_add(struct lb_case_store *store, const struct lb_word_row *row,
                      struct lb_arena *arena)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, add(store, row, arena));
}

static lb_status note_entry(struct lb_case_store *store, const struct lb_word_row *row,
                            uint64_t entry)
{
    LB_DEFER(free_stmt) struct lb_stmt *update = NULL;
    LB_TRY(lb_stmt_prepare(store->store,
                           "UPDATE word SET entry = ?3 WHERE sender = ?1 AND name = ?2", &update));
    LB_TRY(lb_stmt_bind_text(update, 1, lb_span_str(row->sender)));
    LB_TRY(lb_stmt_bind_blob(update, 2, lb_span_of(row->name, sizeof(row->name))));
    LB_TRY(lb_stmt_bind_int(update, 3, (int64_t)entry));
    return lb_stmt_run(update);
}

lb_status lb_word_logged(struct lb_case_store *store, const struct lb_word_row *row,
                         uint64_t entry)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, note_entry(store, row, entry));
}

/* --- reading --- */

static lb_status open_row(struct lb_case_store *store, struct lb_span sealed,
                          struct lb_arena *arena, struct lb_word_row *row)
{
    uint8_t key[LB_CASE_KEY_BYTES];
    char aad[AAD_BYTES];
    struct lb_span plain;
    Lianban__V1__KeptWord *kept = NULL;
    LB_TRY(lb_case_key_get(store, row->case_id, key));
    lb_status status = lb_case_unseal(key, aad_of(row, aad), sealed, arena, &plain);
    lb_wipe(key, sizeof(key));
    LB_ENSURE(lb_status_code(status) != LB_SEAL_BROKEN, LB_STORE_FAILED,
              "a kept word does not decrypt");
    LB_TRY(status);
    LB_TRY(lb_pb_unpack(&lianban__v1__kept_word__descriptor, plain, arena, &kept));
    row->content = lb_pb_span(kept->content);
    row->taken_s = kept->taken_unix_s;
    return LB_OK;
}

static lb_status read_row(struct lb_case_store *store, const struct lb_stmt *select,
                          struct lb_arena *arena, struct lb_word_row *out)
{
    struct lb_word_row row = {.sender = lb_arena_str(arena, lb_stmt_text(select, 0)),
                              .number = (uint32_t)lb_stmt_int(select, 3),
                              .logged = lb_stmt_type(select, 5) == LB_COL_INT,
                              .entry = (uint64_t)lb_stmt_int(select, 5)};
    struct lb_span name = lb_stmt_blob(select, 1), about = lb_stmt_blob(select, 2);
    struct lb_span case_id = lb_stmt_text(select, 4);
    LB_ENSURE(row.sender != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(name.len == sizeof(row.name) && about.len == sizeof(row.about) &&
                  case_id.len == sizeof(row.case_id) - 1,
              LB_STORE_FAILED, "a kept word is damaged");
    memcpy(row.name, name.ptr, name.len);
    memcpy(row.about, about.ptr, about.len);
    memcpy(row.case_id, case_id.ptr, case_id.len);
    LB_TRY(open_row(store, lb_stmt_blob(select, 6), arena, &row));
    *out = row;
    return LB_OK;
}

static lb_status get(struct lb_case_store *store, const char *sender, const uint8_t *name,
                     struct lb_arena *arena, struct lb_word_row *out_row)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool found = false;
    LB_TRY(lb_stmt_prepare(store->store, COLUMNS "WHERE sender = ?1 AND name = ?2", &select));
    LB_TRY(lb_stmt_bind_text(select, 1, lb_span_str(sender)));
    LB_TRY(lb_stmt_bind_blob(select, 2, lb_span_of(name, LB_PARCEL_NAME_BYTES)));
    LB_TRY(lb_stmt_step(select, &found));
    LB_ENSURE(found, LB_ABSENT, "no such word");
    return read_row(store, select, arena, out_row);
}

lb_status lb_word_get(struct lb_case_store *store, const char *sender, const uint8_t *name,
                      struct lb_arena *arena, struct lb_word_row *out_row)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, get(store, sender, name, arena, out_row));
}

static lb_status about(struct lb_case_store *store, const uint8_t *name, struct lb_arena *arena,
                       struct lb_word_row *rows, size_t *out_num)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool found = false;
    size_t num = 0;
    LB_TRY(lb_stmt_prepare(store->store, COLUMNS "WHERE about = ?1 ORDER BY number", &select));
    LB_TRY(lb_stmt_bind_blob(select, 1, lb_span_of(name, LB_PARCEL_NAME_BYTES)));
    LB_TRY(lb_stmt_step(select, &found));
    while (found && num < LB_PARTS_MAX_WORDS) {
        LB_TRY(read_row(store, select, arena, &rows[num]));
        if (rows[num].number != num + 1)
            break; /* what is before it has not come yet */
        num++;
        LB_TRY(lb_stmt_step(select, &found));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_words_about(struct lb_case_store *store, const uint8_t *name, struct lb_arena *arena,
                         struct lb_word_row **out_rows, size_t *out_num)
{
    struct lb_word_row *rows = lb_arena_array(arena, LB_PARTS_MAX_WORDS, sizeof(*rows));
    LB_ENSURE(rows != NULL, LB_NO_MEMORY, "arena is full");
    lb_case_store_enter(store);
    lb_status status = about(store, name, arena, rows, out_num);
    status = lb_case_store_leave(store, status);
    *out_rows = rows;
    return status;
}
