#include "adapters/serve/probe_rows.h"

#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/wipe.h"
#include "gateway/crypto/aead.h"
#include "gateway/crypto/hash.h"
#include "gateway/seal/padded.h"

/* Rows grow in steps, so that their length tells little of what is in them. */
#define STEP_BYTES 1024
#define MAX_ROW_BYTES (512 * 1024)
#define KEY_BYTES 32

enum statement {
    FIND_SUBJECT,
    PUT_SUBJECT,
    DROP_SUBJECT,
    FIND_CASE,
    PUT_CASE,
    PURGE_SUBJECTS,
    PURGE_CASES,
    NUM_STATEMENTS
};

static const char *const sql[NUM_STATEMENTS] = {
    [FIND_SUBJECT] = "SELECT wrapped, sealed FROM probe_subject WHERE id = ?1",
    [PUT_SUBJECT] = "INSERT INTO probe_subject(id, sealed, expires, wrapped) VALUES(?1, ?2, ?3, ?4)"
                    " ON CONFLICT(id) DO UPDATE SET sealed = ?2, expires = ?3, wrapped = ?4",
    [DROP_SUBJECT] = "DELETE FROM probe_subject WHERE id = ?1",
    [FIND_CASE] = "SELECT sealed FROM probe_case WHERE id = ?1",
    [PUT_CASE] = "INSERT INTO probe_case(id, sealed, expires) VALUES(?1, ?2, ?3)"
                 " ON CONFLICT(id) DO UPDATE SET sealed = ?2, expires = ?3",
    [PURGE_SUBJECTS] = "DELETE FROM probe_subject WHERE expires < ?1",
    [PURGE_CASES] = "DELETE FROM probe_case WHERE expires < ?1",
};

void lb_serve_probes_init(struct lb_serve_probes *probes, const struct lb_serve_epochs *epochs)
{
    *probes = (struct lb_serve_probes){.sql = {.texts = sql, .num = NUM_STATEMENTS},
                                       .epochs = epochs};
}

/* nonce[12] || AES-256-GCM(key, nonce, aad = name of the row, plain) */
static lb_status seal(const uint8_t key[KEY_BYTES], const uint8_t row[32], struct lb_span plain,
                      struct lb_arena *arena, struct lb_span *out)
{
    size_t len = LB_AEAD_NONCE_BYTES + plain.len + LB_AEAD_TAG_BYTES;
    uint8_t *sealed = lb_arena_alloc(arena, len);
    LB_ENSURE(sealed != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_crypto_random(sealed, LB_AEAD_NONCE_BYTES));
    LB_TRY(lb_aead_seal(lb_span_of(key, KEY_BYTES), sealed, lb_span_of(row, 32), plain,
                        sealed + LB_AEAD_NONCE_BYTES));
    *out = lb_span_of(sealed, len);
    return LB_OK;
}

/* A row that does not open was tampered with: forgetting it would lift every limit. */
static lb_status open_sealed(const uint8_t key[KEY_BYTES], const uint8_t row[32],
                             struct lb_span sealed, struct lb_arena *arena, struct lb_span *out)
{
    const size_t frame = LB_AEAD_NONCE_BYTES + LB_AEAD_TAG_BYTES;
    LB_ENSURE(sealed.len >= frame && sealed.len <= MAX_ROW_BYTES, LB_STORE_FAILED,
              "a remembered row has an impossible size");
    uint8_t *plain = lb_arena_alloc(arena, sealed.len - frame);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status =
        lb_aead_open(lb_span_of(key, KEY_BYTES), sealed.ptr, lb_span_of(row, 32),
                     lb_span_of(sealed.ptr + LB_AEAD_NONCE_BYTES, sealed.len - LB_AEAD_NONCE_BYTES),
                     plain);
    LB_ENSURE(status == LB_OK, LB_STORE_FAILED, "a remembered row does not open");
    *out = lb_span_of(plain, sealed.len - frame);
    return LB_OK;
}

/* --- reading --- */

/* The texts of one row, copied because the statement is used again. */
static lb_status find(struct lb_serve_probes *probes, struct lb_store *store, enum statement which,
                      const uint8_t row[32], struct lb_arena *arena, struct lb_span *out,
                      size_t num)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(lb_serve_sql_get(&probes->sql, store, which, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(row, 32)));
    LB_TRY(lb_stmt_step(stmt, &found));
    lb_status status = LB_OK;
    for (size_t i = 0; i < num && found && status == LB_OK; i++)
        status = lb_arena_copy(arena, lb_stmt_blob(stmt, (int)i), &out[i]);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    LB_ENSURE(found, LB_ABSENT, "nothing is remembered");
    return LB_OK;
}

static lb_status open_subject(struct lb_serve_probes *probes, int64_t now, size_t epoch,
                              const struct lb_span found[2], struct lb_arena *arena,
                              struct lb_probe_rows *rows)
{
    struct lb_span key, framed, plain;
    const uint8_t *row = rows->subject_rows[epoch];
    LB_TRY(open_sealed(lb_serve_epochs_keys(probes->epochs, epoch)->wrap, row, found[0], arena,
                       &key));
    LB_ENSURE(key.len == KEY_BYTES, LB_STORE_FAILED, "a remembered key has another size");
    memcpy(rows->key, key.ptr, KEY_BYTES);
    LB_TRY(open_sealed(rows->key, row, found[1], arena, &framed));
    LB_TRY(lb_padded_unwrap(framed, &plain));
    return lb_probe_events_decode(plain, now, arena, rows);
}

/* Looks under every epoch whatever it finds: it takes its time all the same, and that must not
 * tell who was asked about lately. */
static lb_status read_subject(struct lb_serve_probes *probes, struct lb_store *store, int64_t now,
                              struct lb_arena *arena, struct lb_probe_rows *rows)
{
    struct lb_span found[2]; /* wrapped key, sealed history */
    size_t epoch = rows->num_rows;
    for (size_t i = rows->num_rows; i > 0; i--) {
        struct lb_span texts[2];
        lb_status status =
            find(probes, store, FIND_SUBJECT, rows->subject_rows[i - 1], arena, texts, 2);
        if (lb_status_code(status) == LB_ABSENT)
            continue;
        LB_TRY(status);
        epoch = i - 1;
        memcpy(found, texts, sizeof(found));
    }
    if (epoch < rows->num_rows)
        return open_subject(probes, now, epoch, found, arena, rows);
    LB_TRY(lb_probe_rows_room_events(rows, 0, arena));
    return lb_crypto_random(rows->key, sizeof(rows->key));
}

static lb_status read_case(struct lb_serve_probes *probes, struct lb_store *store, int64_t now,
                           struct lb_arena *arena, struct lb_probe_rows *rows)
{
    struct lb_span sealed, framed, plain;
    lb_status status = find(probes, store, FIND_CASE, rows->case_row, arena, &sealed, 1);
    if (lb_status_code(status) == LB_ABSENT)
        return lb_probe_rows_room_answers(rows, 0, arena);
    LB_TRY(status);
    LB_TRY(open_sealed(rows->key, rows->case_row, sealed, arena, &framed));
    LB_TRY(lb_padded_unwrap(framed, &plain));
    return lb_probe_answers_decode(plain, now, arena, rows);
}

static void name_rows(const struct lb_serve_probes *probes, const struct lb_epoch_names *names,
                      struct lb_probe_rows *rows)
{
    rows->num_rows = names->num;
    for (size_t i = 0; i < names->num; i++)
        lb_hmac_sha256(lb_span_of(lb_serve_epochs_keys(probes->epochs, i)->names, KEY_BYTES),
                       lb_span_of(names->names[i], 32), rows->subject_rows[i]);
}

lb_status lb_probe_rows_read(struct lb_serve_probes *probes, struct lb_store *store, int64_t now,
                             const struct lb_probe_ask *ask, struct lb_arena *arena,
                             struct lb_probe_rows *out)
{
    const struct lb_span of_case[] = {lb_span_str("case"), lb_span_str(ask->requester),
                                      lb_span_str(ask->case_id)};
    struct lb_probe_rows rows = {.num_wants = ask->num_wants};
    name_rows(probes, ask->names, &rows);
    lb_probe_id(of_case, 3, rows.case_id);
    LB_TRY(read_subject(probes, store, now, arena, &rows));
    lb_hmac_sha256(lb_span_of(rows.key, KEY_BYTES), lb_span_of(rows.case_id, LB_PROBE_ID_BYTES),
                   rows.case_row);
    LB_TRY(read_case(probes, store, now, arena, &rows));
    *out = rows;
    return LB_OK;
}

/* --- writing --- */

typedef lb_status (*encode_fn)(const struct lb_probe_rows *rows, struct lb_buf *out);

static lb_status seal_list(const struct lb_probe_rows *rows, encode_fn encode,
                           const uint8_t row[32], struct lb_arena *arena, struct lb_span *out)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf text;
    struct lb_span framed = LB_SPAN_EMPTY;
    lb_buf_init(&text, MAX_ROW_BYTES - STEP_BYTES);
    LB_TRY(encode(rows, &text));
    LB_TRY(lb_padded_wrap(lb_buf_span(&text), lb_padded_size(text.len, STEP_BYTES), arena,
                          &framed));
    return seal(rows->key, row, framed, arena, out);
}

static lb_status put(struct lb_serve_probes *probes, struct lb_store *store, enum statement which,
                     const uint8_t row[32], struct lb_span sealed, int64_t expires,
                     const struct lb_span *wrapped)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&probes->sql, store, which, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(row, 32)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, sealed));
    LB_TRY(lb_stmt_bind_int(stmt, 3, expires));
    if (wrapped != NULL)
        LB_TRY(lb_stmt_bind_blob(stmt, 4, *wrapped));
    return lb_stmt_run(stmt);
}

/* The history's rows of the epochs from this one on to the oldest. */
static lb_status drop(struct lb_serve_probes *probes, struct lb_store *store,
                      const struct lb_probe_rows *rows, size_t epoch)
{
    for (size_t i = epoch; i < rows->num_rows; i++) {
        struct lb_stmt *stmt = NULL;
        LB_TRY(lb_serve_sql_get(&probes->sql, store, DROP_SUBJECT, &stmt));
        LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(rows->subject_rows[i], 32)));
        LB_TRY(lb_stmt_run(stmt));
    }
    return LB_OK;
}

lb_status lb_probe_rows_write(struct lb_serve_probes *probes, struct lb_store *store, int64_t now,
                              const struct lb_probe_rows *rows, struct lb_arena *arena)
{
    struct lb_span wrapped, events, answers;
    const uint8_t *subject = rows->subject_rows[0];
    LB_TRY(seal(lb_serve_epochs_keys(probes->epochs, 0)->wrap, subject,
                lb_span_of(rows->key, KEY_BYTES), arena, &wrapped));
    LB_TRY(seal_list(rows, lb_probe_events_encode, subject, arena, &events));
    LB_TRY(seal_list(rows, lb_probe_answers_encode, rows->case_row, arena, &answers));
    LB_TRY(drop(probes, store, rows, 1));
    LB_TRY(put(probes, store, PUT_SUBJECT, subject, events, now + LB_PROBE_HISTORY_KEEP_S,
               &wrapped));
    return put(probes, store, PUT_CASE, rows->case_row, answers, now + LB_PROBE_ANSWER_KEEP_S,
               NULL);
}

lb_status lb_probe_rows_purge(struct lb_serve_probes *probes, struct lb_store *store, int64_t now)
{
    if (now < probes->next_purge_unix_s)
        return LB_OK;
    probes->next_purge_unix_s = now + 60;
    LB_TRY(lb_serve_sql_run(&probes->sql, store, PURGE_SUBJECTS, now));
    return lb_serve_sql_run(&probes->sql, store, PURGE_CASES, now);
}

lb_status lb_serve_probes_erase(struct lb_serve_probes *probes, struct lb_store *store,
                                const struct lb_epoch_names *names)
{
    struct lb_probe_rows rows = {.num_wants = 0};
    name_rows(probes, names, &rows);
    return drop(probes, store, &rows, 0);
}
