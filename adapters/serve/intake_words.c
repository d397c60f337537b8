#include "adapters/serve/intake_words.h"

#define SILENT_S (INT64_C(366) * 24 * 3600)

#define COLUMNS                                                                                    \
    "id, name, about, number, recipient, kind, said, ends, plain, key_id, enc, sender_key,"        \
    " ciphertext, hashes, entry, code"

enum statement { ADD, SEAL, END, EMPTY, FORGET, FIND, OPEN, ABOUT, NUM_STATEMENTS };

static const char *const sql[NUM_STATEMENTS] = {
    [ADD] = "INSERT INTO intake_word(name, about, number, recipient, kind, said, ends, plain,"
            " changed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?6)",
    [SEAL] = "UPDATE intake_word SET key_id = ?2, enc = ?3, sender_key = ?4, ciphertext = ?5,"
             " hashes = ?6, entry = ?7, changed = ?8 WHERE id = ?1 AND code IS NULL",
    [END] = "UPDATE intake_word SET code = ?2, ciphertext = NULL, changed = ?3"
            " WHERE id = ?1 AND code IS NULL",
    [EMPTY] = "UPDATE intake_word SET plain = NULL WHERE plain IS NOT NULL AND code IS NOT NULL"
              " AND about IN (SELECT n FROM intake WHERE sealed IS NULL)",
    [FORGET] = "DELETE FROM intake_word WHERE code IS NOT NULL AND changed <= ?1",
    [FIND] = "SELECT " COLUMNS " FROM intake_word WHERE name = ?1",
    [OPEN] = "SELECT id, name, about, number, recipient, kind, said, ends, NULL, NULL, NULL, NULL,"
             " NULL, NULL, NULL, NULL FROM intake_word WHERE code IS NULL AND id > ?1 ORDER BY id"
             " LIMIT ?2",
    [ABOUT] = "SELECT " COLUMNS " FROM intake_word WHERE about = ?3 AND number > ?1"
              " ORDER BY number LIMIT ?2",
};

void lb_intake_words_init(struct lb_intake_words *words)
{
    words->sql = (struct lb_serve_sql){.texts = sql, .num = NUM_STATEMENTS};
}

static lb_status read_row(struct lb_stmt *stmt, struct lb_arena *arena, struct lb_intake_word *out)
{
    *out = (struct lb_intake_word){
        .id = lb_stmt_int(stmt, 0),
        .about = lb_stmt_int(stmt, 2),
        .number = lb_stmt_int(stmt, 3),
        .kind = (Lianban__V1__Word__Kind)lb_stmt_int(stmt, 5),
        .said_unix_s = lb_stmt_int(stmt, 6),
        .ends_unix_s = lb_stmt_int(stmt, 7),
        .entry = (uint64_t)lb_stmt_int(stmt, 14),
    };
    lb_serve_sql_copy_blob(stmt, 1, out->name, sizeof(out->name));
    lb_serve_sql_copy_text(stmt, 4, out->recipient, sizeof(out->recipient));
    lb_serve_sql_copy_text(stmt, 9, out->key_id, sizeof(out->key_id));
    lb_serve_sql_copy_blob(stmt, 10, out->enc, sizeof(out->enc));
    lb_serve_sql_copy_blob(stmt, 11, out->sender_key, sizeof(out->sender_key));
    lb_serve_sql_copy_text(stmt, 15, out->code, sizeof(out->code));
    LB_TRY(lb_arena_copy(arena, lb_stmt_blob(stmt, 8), &out->closed));
    LB_TRY(lb_arena_copy(arena, lb_stmt_blob(stmt, 12), &out->ciphertext));
    return lb_arena_copy(arena, lb_stmt_blob(stmt, 13), &out->hashes);
}

static lb_status take_all(struct lb_stmt *stmt, size_t max, struct lb_arena *arena,
                          struct lb_intake_word *out, size_t *out_num)
{
    bool row = false;
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row && *out_num < max) {
        LB_TRY(read_row(stmt, arena, &out[*out_num]));
        (*out_num)++;
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    return LB_OK;
}

static lb_status take_list(struct lb_stmt *stmt, size_t max, struct lb_arena *arena,
                           struct lb_intake_word **out, size_t *out_num)
{
    size_t num = 0;
    struct lb_intake_word *list = lb_arena_array(arena, max, sizeof(*list));
    lb_status status = list == NULL ? LB_FAULT(LB_NO_MEMORY, "arena is full")
                                    : take_all(stmt, max, arena, list, &num);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    *out = list;
    *out_num = num;
    return LB_OK;
}

lb_status lb_intake_words_add(struct lb_intake_words *words, struct lb_store *store,
                              const struct lb_intake_word *word)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&words->sql, store, ADD, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(word->name, sizeof(word->name))));
    LB_TRY(lb_stmt_bind_int(stmt, 2, word->about));
    LB_TRY(lb_stmt_bind_int(stmt, 3, word->number));
    LB_TRY(lb_stmt_bind_text(stmt, 4, lb_span_str(word->recipient)));
    LB_TRY(lb_stmt_bind_int(stmt, 5, word->kind));
    LB_TRY(lb_stmt_bind_int(stmt, 6, word->said_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 7, word->ends_unix_s));
    LB_TRY(lb_stmt_bind_blob(stmt, 8, word->closed));
    return lb_stmt_run(stmt);
}

lb_status lb_intake_words_seal(struct lb_intake_words *words, struct lb_store *store,
                               const struct lb_intake_word *word, int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&words->sql, store, SEAL, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, word->id));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(word->key_id)));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(word->enc, sizeof(word->enc))));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(word->sender_key, sizeof(word->sender_key))));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, word->ciphertext));
    LB_TRY(lb_stmt_bind_blob(stmt, 6, word->hashes));
    LB_TRY(lb_stmt_bind_int(stmt, 7, (int64_t)word->entry));
    LB_TRY(lb_stmt_bind_int(stmt, 8, now_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_intake_words_end(struct lb_intake_words *words, struct lb_store *store, int64_t id,
                              const char *code, int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&words->sql, store, END, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, id));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(code)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, now_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_intake_words_purge(struct lb_intake_words *words, struct lb_store *store,
                                int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&words->sql, store, EMPTY, &stmt));
    LB_TRY(lb_stmt_run(stmt));
    return lb_serve_sql_run(&words->sql, store, FORGET, now_unix_s - SILENT_S);
}

lb_status lb_intake_words_find(struct lb_intake_words *words, struct lb_store *store,
                               const uint8_t name[16], struct lb_arena *arena,
                               struct lb_intake_word *out, bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(lb_serve_sql_get(&words->sql, store, FIND, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(name, LB_PARCEL_NAME_BYTES)));
    lb_status status = lb_stmt_step(stmt, &found);
    if (status == LB_OK && found)
        status = read_row(stmt, arena, out);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    *out_found = found;
    return LB_OK;
}

lb_status lb_intake_words_open(struct lb_intake_words *words, struct lb_store *store,
                               int64_t after, size_t max, struct lb_arena *arena,
                               struct lb_intake_word **out, size_t *out_num)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&words->sql, store, OPEN, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, after));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)max));
    return take_list(stmt, max, arena, out, out_num);
}

lb_status lb_intake_words_about(struct lb_intake_words *words, struct lb_store *store,
                                int64_t about, int64_t above, size_t max, struct lb_arena *arena,
                                struct lb_intake_word **out, size_t *out_num)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&words->sql, store, ABOUT, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, above));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)max));
    LB_TRY(lb_stmt_bind_int(stmt, 3, about));
    return take_list(stmt, max, arena, out, out_num);
}
