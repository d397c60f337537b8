#include "adapters/serve/intake_rows.h"

#define DAY_S (INT64_C(24) * 3600)
#define SILENT_S (366 * DAY_S)

#define COLUMNS                                                                                    \
    "n, sender, name, digest, matter, kind, about, came, ends, entry, state, words, bytes,"        \
    " sealed, leased, acked, tries, failed"

enum statement {
    FIND,
    GET,
    NEXT,
    NEXT_TRY,
    LIST,
    ROOM,
    ADD,
    ADD_PERSON,
    SET_STATE,
    LEASE,
    ACK,
    CLOSE,
    TRIED,
    ANY_OLD,
    EMPTY_OLD,
    DROP_PEOPLE,
    FORGET,
    EMPTY_PERSON,
    EMPTY_WORDS,
    NUM_STATEMENTS
};

static const char *const sql[NUM_STATEMENTS] = {
    [FIND] = "SELECT " COLUMNS " FROM intake WHERE sender = ?1 AND name = ?2",
    [GET] = "SELECT " COLUMNS " FROM intake WHERE n = ?1",
    /* 6: a signal, which no program answers */
    [NEXT] = "SELECT " COLUMNS " FROM intake WHERE acked IS NULL AND leased <= ?1"
             " AND (tries >= ?2 OR kind = 6) ORDER BY n LIMIT 1",
    [NEXT_TRY] = "SELECT " COLUMNS " FROM intake WHERE acked IS NULL AND leased <= ?1"
                 " AND tries < ?2 AND kind <> 6 AND NOT EXISTS (SELECT 1 FROM intake AS first"
                 " WHERE first.n = intake.about AND first.acked IS NULL) ORDER BY n LIMIT 1",
    [LIST] = "SELECT " COLUMNS " FROM intake WHERE n > ?1 AND (acked IS NULL OR NOT ?2)"
             " ORDER BY n LIMIT ?3",
    [ROOM] = "SELECT count(*), COALESCE(SUM(bytes), 0), COALESCE(SUM(sender = ?1), 0) FROM intake"
             " WHERE acked IS NULL",
    [ADD] = "INSERT INTO intake(sender, name, digest, matter, kind, about, came, ends, entry,"
            " state, words, bytes, sealed, changed)"
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12, ?7)",
    [ADD_PERSON] = "INSERT OR IGNORE INTO intake_person(person, n) VALUES(?1, ?2)",
    [SET_STATE] = "UPDATE intake SET state = ?2, words = ?3, changed = ?4 WHERE n = ?1",
    [LEASE] = "UPDATE intake SET leased = ?2 WHERE n = ?1",
    [ACK] = "UPDATE intake SET acked = ?2 WHERE n = ?1 AND acked IS NULL",
    [CLOSE] = "UPDATE intake SET sealed = NULL, acked = COALESCE(acked, ?2)"
              " WHERE n = ?1 OR about = ?1",
    [TRIED] = "UPDATE intake SET tries = tries + 1, failed = ?2, leased = ?3 WHERE n = ?1",
    [ANY_OLD] = "SELECT 1 FROM intake WHERE sealed IS NOT NULL AND acked <= ?1 LIMIT 1",
    [EMPTY_OLD] = "UPDATE intake SET sealed = NULL WHERE sealed IS NOT NULL AND acked <= ?1",
    [DROP_PEOPLE] = "DELETE FROM intake_person WHERE n IN"
                    " (SELECT n FROM intake WHERE sealed IS NULL)",
    /* A submission is answered long after it came; what is behind one is not answered at all. */
    [FORGET] = "DELETE FROM intake WHERE sealed IS NULL AND ends <= ?1"
               " AND (state = 0 OR changed <= ?2)"
               " AND n NOT IN (SELECT about FROM intake_word)",
    [EMPTY_PERSON] = "UPDATE intake SET sealed = NULL, acked = COALESCE(acked, ?2) WHERE n IN"
                     " (SELECT n FROM intake_person WHERE person = ?1)",
    [EMPTY_WORDS] = "UPDATE intake_word SET plain = NULL, ciphertext = NULL, code ="
                    " COALESCE(code, 'ERASED') WHERE about IN"
                    " (SELECT n FROM intake_person WHERE person = ?1)",
};

void lb_intake_rows_init(struct lb_intake_rows *rows)
{
    rows->sql = (struct lb_serve_sql){.texts = sql, .num = NUM_STATEMENTS};
}

static lb_status read_row(struct lb_stmt *stmt, struct lb_arena *arena, struct lb_intake_row *out)
{
    *out = (struct lb_intake_row){
        .n = lb_stmt_int(stmt, 0),
        .kind = (Lianban__V1__Part__Kind)lb_stmt_int(stmt, 5),
        .about = lb_stmt_int(stmt, 6),
        .came_unix_s = lb_stmt_int(stmt, 7),
        .ends_unix_s = lb_stmt_int(stmt, 8),
        .entry = (uint64_t)lb_stmt_int(stmt, 9),
        .state = (enum lb_intake_state)lb_stmt_int(stmt, 10),
        .num_words = lb_stmt_int(stmt, 11),
        .bytes = lb_stmt_int(stmt, 12),
        .leased_unix_s = lb_stmt_int(stmt, 14),
        .acked_unix_s = lb_stmt_int(stmt, 15),
        .tries = lb_stmt_int(stmt, 16),
    };
    lb_serve_sql_copy_text(stmt, 1, out->sender, sizeof(out->sender));
    lb_serve_sql_copy_blob(stmt, 2, out->name, sizeof(out->name));
    lb_serve_sql_copy_blob(stmt, 3, out->digest, sizeof(out->digest));
    lb_serve_sql_copy_blob(stmt, 4, out->matter, sizeof(out->matter));
    lb_serve_sql_copy_text(stmt, 17, out->failed, sizeof(out->failed));
    return lb_arena_copy(arena, lb_stmt_blob(stmt, 13), &out->closed);
}

static lb_status take_one(struct lb_stmt *stmt, struct lb_arena *arena, struct lb_intake_row *out,
                          bool *out_found)
{
    bool found = false;
    lb_status status = lb_stmt_step(stmt, &found);
    if (status == LB_OK && found)
        status = read_row(stmt, arena, out);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    *out_found = found;
    return LB_OK;
}

lb_status lb_intake_rows_find(struct lb_intake_rows *rows, struct lb_store *store,
                              const char *sender, const uint8_t name[16], struct lb_arena *arena,
                              struct lb_intake_row *out, bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, FIND, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(sender)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(name, LB_PARCEL_NAME_BYTES)));
    return take_one(stmt, arena, out, out_found);
}

lb_status lb_intake_rows_get(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                             struct lb_arena *arena, struct lb_intake_row *out, bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, GET, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, n));
    return take_one(stmt, arena, out, out_found);
}

static lb_status next(struct lb_intake_rows *rows, struct lb_store *store, size_t which,
                      int64_t now_unix_s, int64_t tries, struct lb_arena *arena,
                      struct lb_intake_row *out, bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, which, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, now_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 2, tries));
    return take_one(stmt, arena, out, out_found);
}

lb_status lb_intake_rows_next(struct lb_intake_rows *rows, struct lb_store *store,
                              int64_t now_unix_s, int64_t at_least, struct lb_arena *arena,
                              struct lb_intake_row *out, bool *out_found)
{
    return next(rows, store, NEXT, now_unix_s, at_least, arena, out, out_found);
}

lb_status lb_intake_rows_next_try(struct lb_intake_rows *rows, struct lb_store *store,
                                  int64_t now_unix_s, int64_t below, struct lb_arena *arena,
                                  struct lb_intake_row *out, bool *out_found)
{
    return next(rows, store, NEXT_TRY, now_unix_s, below, arena, out, out_found);
}

static lb_status take_all(struct lb_stmt *stmt, size_t max, struct lb_arena *arena,
                          struct lb_intake_row *out, size_t *out_num)
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

lb_status lb_intake_rows_list(struct lb_intake_rows *rows, struct lb_store *store, int64_t after,
                              bool waiting, size_t max, struct lb_arena *arena,
                              struct lb_intake_row **out, size_t *out_num)
{
    struct lb_stmt *stmt = NULL;
    size_t num = 0;
    struct lb_intake_row *list = lb_arena_array(arena, max, sizeof(*list));
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_serve_sql_get(&rows->sql, store, LIST, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, after));
    LB_TRY(lb_stmt_bind_int(stmt, 2, waiting ? 1 : 0));
    LB_TRY(lb_stmt_bind_int(stmt, 3, (int64_t)max));
    lb_status status = take_all(stmt, max, arena, list, &num);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    *out = list;
    *out_num = num;
    return LB_OK;
}

lb_status lb_intake_rows_room(struct lb_intake_rows *rows, struct lb_store *store,
                              const struct lb_intake_policy *policy, const char *sender,
                              int64_t bytes)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, ROOM, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(sender)));
    LB_TRY(lb_stmt_step(stmt, &row));
    bool fits = row && lb_stmt_int(stmt, 0) < policy->max_parcels &&
                lb_stmt_int(stmt, 1) + bytes <= policy->max_bytes &&
                lb_stmt_int(stmt, 2) < policy->max_of_requester;
    lb_stmt_reset(stmt);
    LB_ENSURE(fits, LB_INTAKE_FULL, "too much waits to be taken out");
    return LB_OK;
}

static lb_status bind_row(struct lb_stmt *stmt, const struct lb_intake_row *row)
{
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(row->sender)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(row->name, sizeof(row->name))));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(row->digest, sizeof(row->digest))));
    LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(row->matter, sizeof(row->matter))));
    LB_TRY(lb_stmt_bind_int(stmt, 5, row->kind));
    LB_TRY(lb_stmt_bind_int(stmt, 6, row->about));
    LB_TRY(lb_stmt_bind_int(stmt, 7, row->came_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 8, row->ends_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 9, (int64_t)row->entry));
    LB_TRY(lb_stmt_bind_int(stmt, 10, row->state));
    LB_TRY(lb_stmt_bind_int(stmt, 11, row->bytes));
    return lb_stmt_bind_blob(stmt, 12, row->closed);
}

lb_status lb_intake_rows_add(struct lb_intake_rows *rows, struct lb_store *store,
                             struct lb_intake_row *row, const uint8_t (*people)[32],
                             size_t num_people)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, ADD, &stmt));
    LB_TRY(bind_row(stmt, row));
    LB_TRY(lb_stmt_run(stmt));
    row->n = lb_store_last_rowid(store);
    for (size_t i = 0; i < num_people; i++) {
        LB_TRY(lb_serve_sql_get(&rows->sql, store, ADD_PERSON, &stmt));
        LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(people[i], 32)));
        LB_TRY(lb_stmt_bind_int(stmt, 2, row->n));
        LB_TRY(lb_stmt_run(stmt));
    }
    return LB_OK;
}

lb_status lb_intake_rows_state(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                               enum lb_intake_state state, int64_t num_words, int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, SET_STATE, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, n));
    LB_TRY(lb_stmt_bind_int(stmt, 2, state));
    LB_TRY(lb_stmt_bind_int(stmt, 3, num_words));
    LB_TRY(lb_stmt_bind_int(stmt, 4, now_unix_s));
    return lb_stmt_run(stmt);
}

/* Statement number `which` of a row and a time. */
static lb_status run_at(struct lb_intake_rows *rows, struct lb_store *store, size_t which,
                        int64_t n, int64_t at_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, which, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, n));
    LB_TRY(lb_stmt_bind_int(stmt, 2, at_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_intake_rows_lease(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                               int64_t until_unix_s)
{
    return run_at(rows, store, LEASE, n, until_unix_s);
}

lb_status lb_intake_rows_ack(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                             int64_t now_unix_s)
{
    return run_at(rows, store, ACK, n, now_unix_s);
}

lb_status lb_intake_rows_tried(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                               const char *why, int64_t again_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, TRIED, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, n));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(why)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, again_unix_s));
    return lb_stmt_run(stmt);
}

static lb_status drop_people(struct lb_intake_rows *rows, struct lb_store *store)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, DROP_PEOPLE, &stmt));
    return lb_stmt_run(stmt);
}

lb_status lb_intake_rows_close(struct lb_intake_rows *rows, struct lb_store *store, int64_t n,
                               int64_t now_unix_s)
{
    LB_TRY(run_at(rows, store, CLOSE, n, now_unix_s));
    return drop_people(rows, store);
}

lb_status lb_intake_rows_purge(struct lb_intake_rows *rows, struct lb_store *store, int64_t keep_s,
                               int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_run(&rows->sql, store, EMPTY_OLD, now_unix_s - keep_s));
    if (lb_store_changes(store) > 0)
        LB_TRY(drop_people(rows, store));
    LB_TRY(lb_serve_sql_get(&rows->sql, store, FORGET, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, now_unix_s - DAY_S));
    LB_TRY(lb_stmt_bind_int(stmt, 2, now_unix_s - SILENT_S));
    return lb_stmt_run(stmt);
}

lb_status lb_intake_rows_any_over(struct lb_intake_rows *rows, struct lb_store *store,
                                  int64_t before_unix_s, bool *out_any)
{
    struct lb_stmt *stmt = NULL;
    bool any = false;
    LB_TRY(lb_serve_sql_get(&rows->sql, store, ANY_OLD, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, before_unix_s));
    lb_status status = lb_stmt_step(stmt, &any);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    *out_any = any;
    return LB_OK;
}

lb_status lb_intake_rows_erase(struct lb_intake_rows *rows, struct lb_store *store,
                               const struct lb_epoch_names *names, int64_t now_unix_s)
{
    for (size_t i = 0; i < names->num; i++) {
        struct lb_span name = lb_span_of(names->names[i], 32);
        struct lb_stmt *stmt = NULL;
        LB_TRY(lb_serve_sql_get(&rows->sql, store, EMPTY_WORDS, &stmt));
        LB_TRY(lb_stmt_bind_blob(stmt, 1, name));
        LB_TRY(lb_stmt_run(stmt));
        LB_TRY(lb_serve_sql_get(&rows->sql, store, EMPTY_PERSON, &stmt));
        LB_TRY(lb_stmt_bind_blob(stmt, 1, name));
        LB_TRY(lb_stmt_bind_int(stmt, 2, now_unix_s));
        LB_TRY(lb_stmt_run(stmt));
    }
    return drop_people(rows, store);
}
