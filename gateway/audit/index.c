#include "gateway/audit/index.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "gateway/audit/inside.h"
#include "gateway/base/wipe.h"
#include "gateway/evidence/inspect.h"

#define BUSY_TIMEOUT_MS 5000
#define PATH_ARENA_BYTES 8192
#define LAG_ARENA_BYTES (64U * 1024)

const char *const *lb_audit_schema(void)
{
    static const char *const schema[] = {
        "CREATE TABLE word(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;"
        "CREATE TABLE subject(id INTEGER PRIMARY KEY, pseudonym BLOB NOT NULL UNIQUE) STRICT;"
        "CREATE TABLE subject_key(kid INTEGER PRIMARY KEY, subject INTEGER NOT NULL) STRICT;"
        "CREATE TABLE field_set(id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE) STRICT;"
        "CREATE TABLE set_field(field_set INTEGER, seq INTEGER, view INTEGER, field INTEGER,"
        " operator INTEGER, state INTEGER, PRIMARY KEY (field_set, seq)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE access(idx INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL,"
        " type INTEGER NOT NULL, decision INTEGER NOT NULL, code INTEGER, views INTEGER,"
        " count INTEGER NOT NULL, retry INTEGER NOT NULL, txn BLOB, policy INTEGER,"
        " peer INTEGER NOT NULL, detail INTEGER NOT NULL,"
        " inner INTEGER, requester INTEGER, org INTEGER, actor INTEGER, unit INTEGER,"
        " purpose INTEGER, basis INTEGER, role INTEGER, issuer INTEGER, on_behalf_of INTEGER,"
        " form INTEGER, grant_id TEXT, case_no TEXT, subject INTEGER, class_max INTEGER,"
        " verified INTEGER, field_set INTEGER, note TEXT) STRICT;"
        "CREATE INDEX access_subject ON access(subject, time_ms) WHERE subject IS NOT NULL;"
        "CREATE INDEX access_actor ON access(actor, time_ms) WHERE actor IS NOT NULL;"
        "CREATE INDEX access_code ON access(code, time_ms);"
        "CREATE INDEX access_case ON access(case_no) WHERE case_no IS NOT NULL;"
        "CREATE INDEX access_txn ON access(txn) WHERE txn IS NOT NULL;"
        "CREATE INDEX access_decision ON access(decision, time_ms) WHERE decision > 2;"
        "CREATE INDEX access_event ON access(type, time_ms) WHERE type > 4;"
        "CREATE TABLE source(id INTEGER PRIMARY KEY CHECK (id = 1), origin TEXT NOT NULL,"
        " log TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, last_ms INTEGER NOT NULL,"
        " built_ms INTEGER NOT NULL, copy INTEGER NOT NULL) STRICT;",
        /* of reads under standing grants, and of the decisions on them */
        "ALTER TABLE access ADD COLUMN every_days INTEGER;",
        NULL,
    };
    return schema;
}

const char *lb_audit_path(struct lb_arena *arena, const char *folder)
{
    return lb_arena_printf(arena, "%s/%s", folder, LB_AUDIT_DATABASE);
}

/* --- opening --- */

/* Whoever may read it reads what the officer's key opened. */
static bool is_private(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && (file.st_mode & 077) == 0;
}

static lb_status prepare(struct lb_audit_index *index)
{
    const struct {
        struct lb_stmt **stmt;
        const char *sql;
    } statements[] = {
        {&index->get_word, "SELECT text FROM word WHERE id = ?1"},
        {&index->find_word, "SELECT id FROM word WHERE text = ?1"},
        {&index->get_subject, "SELECT pseudonym FROM subject WHERE id = ?1"},
        {&index->get_time, "SELECT time_ms FROM access WHERE idx = ?1"},
    };
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        LB_TRY(lb_stmt_prepare(index->store, statements[i].sql, statements[i].stmt));
    return LB_OK;
}

static lb_status open_store(const char *folder, struct lb_audit_index *index)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(PATH_ARENA_BYTES);
    const char *path = arena == NULL ? NULL : lb_audit_path(arena, folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "path");
    LB_ENSURE(is_private(path), LB_FILE_FAILED, "the index is missing, or open to others");
    const struct lb_store_options options = {
        .path = path,
        .read_only = true,
        .application_id = LB_AUDIT_APPLICATION_ID,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_TRY(lb_store_open(&options, &index->store));
    return prepare(index);
}

lb_status lb_audit_index_open(const char *folder, struct lb_diag *diag,
                              struct lb_audit_index **out_index)
{
    struct lb_audit_index *index = calloc(1, sizeof(*index));
    LB_ENSURE(index != NULL, LB_NO_MEMORY, "index");
    lb_status status = open_store(folder, index);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: no index that can be read (%s): %s; build it with `lianban log"
                          " index`, and keep its file at mode 0600", folder,
                    lb_code_name(lb_status_code(status)), status->what);
        lb_audit_index_close(index);
        return status;
    }
    *out_index = index;
    return LB_OK;
}

void lb_audit_index_close(struct lb_audit_index *index)
{
    if (index == NULL)
        return;
    lb_store_close(index->store);
    for (size_t i = 0; i < LB_AUDIT_WORD_SLOTS; i++) {
        if (index->words[i].text != NULL)
            lb_wipe(index->words[i].text, strlen(index->words[i].text));
        free(index->words[i].text);
    }
    free(index);
}

/* --- what it was built from --- */

static lb_status take_state(const struct lb_stmt *stmt, struct lb_audit_state *out)
{
    struct lb_span origin = lb_stmt_text(stmt, 0);
    struct lb_span log = lb_stmt_text(stmt, 1);
    struct lb_span root = lb_stmt_blob(stmt, 3);
    LB_ENSURE(origin.len < sizeof(out->origin) && log.len < sizeof(out->log) &&
                  root.len == sizeof(out->root.bytes),
              LB_STORE_FAILED, "the index's own row is damaged");
    *out = (struct lb_audit_state){
        .size = (uint64_t)lb_stmt_int(stmt, 2),
        .last_ms = lb_stmt_int(stmt, 4),
        .built_ms = lb_stmt_int(stmt, 5),
        .copy = lb_stmt_int(stmt, 6) != 0,
    };
    memcpy(out->origin, origin.ptr, origin.len);
    memcpy(out->log, log.ptr, log.len);
    memcpy(out->root.bytes, root.ptr, root.len);
    return LB_OK;
}

lb_status lb_audit_read_state(struct lb_store *store, struct lb_audit_state *out)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store,
                           "SELECT origin, log, size, root, last_ms, built_ms, copy FROM source",
                           &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    if (status == LB_OK)
        status = row ? take_state(stmt, out) : LB_FAULT(LB_ABSENT, "nothing was built yet");
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_audit_index_state(struct lb_audit_index *index, struct lb_audit_state *out)
{
    return lb_audit_read_state(index->store, out);
}

static lb_status read_lag(struct lb_log_reader *reader, const struct lb_audit_state *state,
                          struct lb_audit_lag *out)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LAG_ARENA_BYTES);
    struct lb_audit_lag lag = {.known = true};
    struct lb_leaf leaf;
    struct lb_hash hash;
    uint64_t size = 0;
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "lag");
    LB_TRY(lb_log_reader_size(reader, &size));
    if (size > state->size) {
        LB_TRY(lb_log_reader_leaf(reader, size - 1, arena, &leaf, &hash));
        lag.entries = size - state->size;
        lag.seconds = (leaf.time_ms - state->last_ms) / 1000;
    }
    *out = lag;
    return LB_OK;
}

void lb_audit_index_lag(const struct lb_audit_state *state, struct lb_audit_lag *out)
{
    struct lb_log_reader *reader = NULL;
    struct lb_diag diag;
    *out = (struct lb_audit_lag){.known = false};
    lb_status status = lb_log_reader_open(state->log, &diag, &reader);
    if (status == LB_OK)
        status = read_lag(reader, state, out);
    lb_log_reader_close(reader);
    /* A folder that can't be read is not the officer's fault here: the lag is shown as unknown. */
    lb_status_ignore(status);
}

/* --- words --- */

static lb_status load_word(struct lb_audit_index *index, int64_t id, struct lb_audit_word *slot)
{
    bool row = false;
    LB_TRY(lb_stmt_bind_int(index->get_word, 1, id));
    LB_TRY(lb_stmt_step(index->get_word, &row));
    LB_ENSURE(row, LB_STORE_FAILED, "a word is missing");
    struct lb_span text = lb_stmt_text(index->get_word, 0);
    char *copy = malloc(text.len + 1);
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "word");
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    free(slot->text);
    *slot = (struct lb_audit_word){id, copy};
    return LB_OK;
}

lb_status lb_audit_word_text(struct lb_audit_index *index, int64_t id, struct lb_arena *arena,
                             const char **out_text)
{
    if (id <= 0) {
        *out_text = "";
        return LB_OK;
    }
    struct lb_audit_word *slot = &index->words[(uint64_t)id % LB_AUDIT_WORD_SLOTS];
    if (slot->id != id) {
        lb_status status = load_word(index, id, slot);
        lb_stmt_reset(index->get_word);
        LB_TRY(status);
    }
    *out_text = lb_arena_str(arena, lb_span_str(slot->text));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_audit_word_id(struct lb_audit_index *index, const char *text, int64_t *out_id)
{
    bool row = false;
    lb_status status = lb_stmt_bind_text(index->find_word, 1, lb_span_str(text));
    if (status == LB_OK)
        status = lb_stmt_step(index->find_word, &row);
    if (status == LB_OK)
        *out_id = row ? lb_stmt_int(index->find_word, 0) : -1;
    lb_stmt_reset(index->find_word);
    return status;
}

/* --- times --- */

static lb_status time_of(struct lb_audit_index *index, uint64_t idx, int64_t *out_ms)
{
    bool row = false;
    lb_status status = lb_stmt_bind_int(index->get_time, 1, (int64_t)idx);
    if (status == LB_OK)
        status = lb_stmt_step(index->get_time, &row);
    if (status == LB_OK && !row)
        status = LB_FAULT(LB_STORE_FAILED, "a row is missing");
    if (status == LB_OK)
        *out_ms = lb_stmt_int(index->get_time, 0);
    lb_stmt_reset(index->get_time);
    return status;
}

lb_status lb_audit_first_at(struct lb_audit_index *index, int64_t unix_ms, uint64_t *out_idx)
{
    struct lb_audit_state state;
    LB_TRY(lb_audit_read_state(index->store, &state));
    uint64_t low = 0, high = state.size;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int64_t at = 0;
        LB_TRY(time_of(index, middle, &at));
        if (at < unix_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *out_idx = low;
    return LB_OK;
}
