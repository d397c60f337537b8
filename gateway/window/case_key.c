#include "gateway/window/case_key.h"
#include "gateway/window/figures.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/aead.h"
#include "gateway/crypto/hash.h"

#define KEY_LABEL "lianban case key v1"
#define END_LABEL "lianban case end v1"
#define WRAPPED_BYTES (LB_AEAD_NONCE_BYTES + LB_CASE_KEY_BYTES + LB_AEAD_TAG_BYTES)
#define MAX_AAD_BYTES 64
#define END_COLUMNS "SELECT id, time_s, commitment, entry FROM ended "

/* --- sealing --- */

lb_status lb_case_seal(const uint8_t key[LB_CASE_KEY_BYTES], struct lb_span aad,
                       struct lb_span plain, struct lb_arena *arena, struct lb_span *out_sealed)
{
    size_t size = LB_AEAD_NONCE_BYTES + plain.len + LB_AEAD_TAG_BYTES;
    uint8_t *sealed = lb_arena_alloc(arena, size);
    LB_ENSURE(sealed != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_crypto_random(sealed, LB_AEAD_NONCE_BYTES));
    LB_TRY(lb_aead_seal(lb_span_of(key, LB_CASE_KEY_BYTES), sealed, aad, plain,
                        sealed + LB_AEAD_NONCE_BYTES));
    *out_sealed = lb_span_of(sealed, size);
    return LB_OK;
}

lb_status lb_case_unseal(const uint8_t key[LB_CASE_KEY_BYTES], struct lb_span aad,
                         struct lb_span sealed, struct lb_arena *arena, struct lb_span *out_plain)
{
    LB_ENSURE(sealed.len >= LB_AEAD_NONCE_BYTES + LB_AEAD_TAG_BYTES, LB_SEAL_BROKEN,
              "too short to be sealed");
    size_t len = sealed.len - LB_AEAD_NONCE_BYTES - LB_AEAD_TAG_BYTES;
    uint8_t *plain = lb_arena_alloc(arena, len);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_aead_open(lb_span_of(key, LB_CASE_KEY_BYTES), sealed.ptr, aad,
                        lb_span_of(sealed.ptr + LB_AEAD_NONCE_BYTES,
                                   sealed.len - LB_AEAD_NONCE_BYTES),
                        plain));
    *out_plain = lb_span_of(plain, len);
    return LB_OK;
}

/* --- keys --- */

static struct lb_span key_aad(const char *case_id, char out[MAX_AAD_BYTES])
{
    (void)snprintf(out, MAX_AAD_BYTES, KEY_LABEL " %.40s", case_id);
    return lb_span_str(out);
}

static lb_status unwrap(const struct lb_case_store *store, const char *case_id,
                        struct lb_span wrapped, uint8_t out_key[LB_CASE_KEY_BYTES])
{
    char aad[MAX_AAD_BYTES];
    LB_ENSURE(wrapped.len == WRAPPED_BYTES, LB_SEAL_BROKEN, "no wrapped key");
    return lb_aead_open(lb_span_of(store->key, sizeof(store->key)), wrapped.ptr,
                        key_aad(case_id, aad),
                        lb_span_of(wrapped.ptr + LB_AEAD_NONCE_BYTES,
                                   wrapped.len - LB_AEAD_NONCE_BYTES),
                        out_key);
}

static void free_stmt(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

/* Prepares a statement whose first parameter is a case's id. */
static lb_status about(struct lb_case_store *store, const char *sql, const char *case_id,
                       struct lb_stmt **out_stmt)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store->store, sql, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(case_id)));
    *out_stmt = stmt;
    stmt = NULL;
    return LB_OK;
}

lb_status lb_case_key_get(struct lb_case_store *store, const char *case_id,
                          uint8_t out_key[LB_CASE_KEY_BYTES])
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool row = false;
    LB_TRY(about(store, "SELECT wrapped FROM case_key WHERE id = ?1", case_id, &select));
    LB_TRY(lb_stmt_step(select, &row));
    LB_ENSURE(row, LB_ABSENT, "a case without a key");
    return unwrap(store, case_id, lb_stmt_blob(select, 0), out_key);
}

static lb_status insert_key(struct lb_case_store *store, const char *case_id,
                            const uint8_t key[LB_CASE_KEY_BYTES])
{
    LB_DEFER(free_stmt) struct lb_stmt *insert = NULL;
    uint8_t wrapped[WRAPPED_BYTES];
    char aad[MAX_AAD_BYTES];
    LB_TRY(lb_crypto_random(wrapped, LB_AEAD_NONCE_BYTES));
    LB_TRY(lb_aead_seal(lb_span_of(store->key, sizeof(store->key)), wrapped,
                        key_aad(case_id, aad), lb_span_of(key, LB_CASE_KEY_BYTES),
                        wrapped + LB_AEAD_NONCE_BYTES));
    LB_TRY(about(store, "INSERT INTO case_key(id, wrapped) VALUES(?1, ?2)", case_id, &insert));
    LB_TRY(lb_stmt_bind_blob(insert, 2, lb_span_of(wrapped, sizeof(wrapped))));
    return lb_stmt_run(insert);
}

lb_status lb_case_key_make(struct lb_case_store *store, const char *case_id,
                           uint8_t out_key[LB_CASE_KEY_BYTES])
{
    uint8_t key[LB_CASE_KEY_BYTES];
    LB_TRY(lb_crypto_random(key, sizeof(key)));
    lb_status status = insert_key(store, case_id, key);
    if (status == LB_OK)
        memcpy(out_key, key, sizeof(key));
    lb_wipe(key, sizeof(key));
    return status;
}

/* --- the end of a case --- */

static void commit_to(const char *case_id, const uint8_t key[LB_CASE_KEY_BYTES], uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str(KEY_LABEL), lb_span_str(case_id),
                                    lb_span_of(key, LB_CASE_KEY_BYTES)};
    lb_sha256_parts(parts, 3, out);
}

static void name_end(const char *case_id, uint8_t out[32])
{
    const struct lb_span parts[] = {lb_span_str(END_LABEL), lb_span_str(case_id)};
    lb_sha256_parts(parts, 2, out);
}

static lb_status note_end(struct lb_case_store *store, const char *case_id, int64_t now_s)
{
    LB_DEFER(free_stmt) struct lb_stmt *insert = NULL;
    uint8_t key[LB_CASE_KEY_BYTES], commitment[32], id[32];
    lb_status status = lb_case_key_get(store, case_id, key);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK; /* nothing was ever kept of it */
    LB_TRY(status);
    commit_to(case_id, key, commitment);
    lb_wipe(key, sizeof(key));
    name_end(case_id, id);
    LB_TRY(lb_stmt_prepare(
        store->store, "INSERT OR IGNORE INTO ended(id, time_s, commitment) VALUES(?1, ?2, ?3)",
        &insert));
    LB_TRY(lb_stmt_bind_blob(insert, 1, lb_span_of(id, sizeof(id))));
    LB_TRY(lb_stmt_bind_int(insert, 2, now_s));
    LB_TRY(lb_stmt_bind_blob(insert, 3, lb_span_of(commitment, sizeof(commitment))));
    return lb_stmt_run(insert);
}

/* What is deleted is overwritten (secure_delete); the key is overwritten first all the same. */
static lb_status delete_rows(struct lb_case_store *store, const char *case_id)
{
    static const char *const steps[] = {
        "UPDATE case_key SET wrapped = zeroblob(60) WHERE id = ?1",
        "DELETE FROM case_key WHERE id = ?1",
        "DELETE FROM word WHERE case_id = ?1",
        "DELETE FROM parcel WHERE case_id = ?1",
        "DELETE FROM cases WHERE id = ?1",
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
        LB_TRY(about(store, steps[i], case_id, &stmt));
        LB_TRY(lb_stmt_run(stmt));
    }
    return LB_OK;
}

lb_status lb_case_key_destroy(struct lb_case_store *store, const char *case_id, int64_t now_s,
                              const struct lb_case_figures *figures)
{
    store->wal_clean = false;
    LB_TRY(lb_store_begin(store->store));
    lb_status status = note_end(store, case_id, now_s);
    if (status == LB_OK)
        status = delete_rows(store, case_id);
    if (status == LB_OK && figures != NULL)
        status = lb_figures_add(store->store, figures);
    if (status == LB_OK)
        status = lb_store_commit(store->store);
    if (status != LB_OK)
        lb_store_rollback(store->store);
    return status;
}

/* Its row says first of all whether somebody who reads kept it from being done. */
lb_status lb_case_wal_empty(struct lb_case_store *store)
{
    LB_DEFER(free_stmt) struct lb_stmt *checkpoint = NULL;
    bool row = false;
    if (store->wal_clean)
        return LB_OK;
    LB_TRY(lb_stmt_prepare(store->store, "PRAGMA wal_checkpoint(TRUNCATE)", &checkpoint));
    LB_TRY(lb_stmt_step(checkpoint, &row));
    LB_ENSURE(row && lb_stmt_int(checkpoint, 0) == 0, LB_STATE_LOCKED,
              "the write-ahead log is being read");
    store->wal_clean = true;
    return LB_OK;
}

static lb_status read_end(const struct lb_stmt *select, struct lb_case_end *out)
{
    struct lb_span id = lb_stmt_blob(select, 0), commitment = lb_stmt_blob(select, 2);
    struct lb_case_end end = {.time_s = lb_stmt_int(select, 1)};
    LB_ENSURE(id.len == sizeof(end.id) && commitment.len == sizeof(end.commitment), LB_STORE_FAILED,
              "the end of a case is damaged");
    memcpy(end.id, id.ptr, id.len);
    memcpy(end.commitment, commitment.ptr, commitment.len);
    end.logged = lb_stmt_type(select, 3) == LB_COL_INT;
    end.entry = (uint64_t)lb_stmt_int(select, 3);
    *out = end;
    return LB_OK;
}

lb_status lb_case_end_get(struct lb_case_store *store, const char *case_id,
                          struct lb_case_end *out)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    uint8_t id[32];
    bool row = false;
    name_end(case_id, id);
    LB_TRY(lb_stmt_prepare(store->store, END_COLUMNS "WHERE id = ?1", &select));
    LB_TRY(lb_stmt_bind_blob(select, 1, lb_span_of(id, sizeof(id))));
    LB_TRY(lb_stmt_step(select, &row));
    LB_ENSURE(row, LB_ABSENT, "no such end of a case");
    return read_end(select, out);
}

lb_status lb_case_ends_open(struct lb_case_store *store, struct lb_case_end *out, size_t max,
                            size_t *out_num)
{
    LB_DEFER(free_stmt) struct lb_stmt *select = NULL;
    bool row = false;
    size_t num = 0;
    LB_TRY(lb_stmt_prepare(store->store, END_COLUMNS "WHERE entry IS NULL LIMIT ?1", &select));
    LB_TRY(lb_stmt_bind_int(select, 1, (int64_t)max));
    LB_TRY(lb_stmt_step(select, &row));
    while (row && num < max) {
        LB_TRY(read_end(select, &out[num]));
        num++;
        LB_TRY(lb_stmt_step(select, &row));
    }
    *out_num = num;
    return LB_OK;
}

static lb_status note_entries(struct lb_case_store *store, const struct lb_case_end *ends,
                              size_t num)
{
    for (size_t i = 0; i < num; i++) {
        LB_DEFER(free_stmt) struct lb_stmt *update = NULL;
        LB_TRY(lb_stmt_prepare(store->store, "UPDATE ended SET entry = ?2 WHERE id = ?1",
                               &update));
        LB_TRY(lb_stmt_bind_blob(update, 1, lb_span_of(ends[i].id, sizeof(ends[i].id))));
        LB_TRY(lb_stmt_bind_int(update, 2, (int64_t)ends[i].entry));
        LB_TRY(lb_stmt_run(update));
    }
    return LB_OK;
}

lb_status lb_case_ends_logged(struct lb_case_store *store, const struct lb_case_end *ends,
                              size_t num)
{
    LB_TRY(lb_store_begin(store->store));
    lb_status status = note_entries(store, ends, num);
    if (status == LB_OK)
        status = lb_store_commit(store->store);
    if (status != LB_OK)
        lb_store_rollback(store->store);
    return status;
}
