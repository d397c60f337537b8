#include "gateway/consent/records.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/consent/consent.h"

#define APPLICATION_ID 0x4C42434FU  /* "LBCO" */
#define PURGE_EVERY_S 60
/* An index may serve again once its grant can't be presented any more, clocks included. */
#define GRANT_GRACE_S (24 * 3600)

static const char *const migrations[] = {
    "CREATE TABLE request(id TEXT PRIMARY KEY, state INTEGER NOT NULL, keep_until INTEGER NOT NULL,"
    " caller TEXT NOT NULL, form TEXT NOT NULL, form_version INTEGER NOT NULL,"
    " form_sha256 BLOB NOT NULL, case_id TEXT NOT NULL, requester_key BLOB NOT NULL,"
    " role TEXT NOT NULL, operator TEXT NOT NULL, relation TEXT, subject BLOB NOT NULL,"
    " guardian BLOB NOT NULL, commitment BLOB NOT NULL, grant_id TEXT, sd_jwt TEXT) STRICT;"
    "CREATE INDEX request_pending ON request(caller) WHERE state = 0;"
    "CREATE INDEX request_end ON request(keep_until);"
    "CREATE TABLE grants(id TEXT PRIMARY KEY, request TEXT NOT NULL UNIQUE,"
    " status_index INTEGER NOT NULL UNIQUE, state INTEGER NOT NULL, exp INTEGER NOT NULL,"
    " requester TEXT NOT NULL, form TEXT NOT NULL, form_version INTEGER NOT NULL,"
    " form_sha256 BLOB NOT NULL, case_id TEXT NOT NULL, role TEXT NOT NULL,"
    " has_guardian INTEGER NOT NULL, subject BLOB NOT NULL, guardian BLOB NOT NULL) STRICT;"
    "CREATE INDEX grants_end ON grants(exp);"
    "CREATE INDEX grants_withdrawn ON grants(state) WHERE state != 0;"
    "CREATE TABLE status_list(uri TEXT PRIMARY KEY, seq INTEGER NOT NULL, iat INTEGER NOT NULL,"
    " entries INTEGER NOT NULL, token BLOB NOT NULL) STRICT;"
    "CREATE TABLE office(id INTEGER PRIMARY KEY CHECK (id = 1), capacity INTEGER NOT NULL) STRICT;"
    "INSERT INTO office(id, capacity) VALUES (1, 1024);"
    "CREATE TABLE consent_record(id TEXT PRIMARY KEY, request TEXT NOT NULL, at INTEGER NOT NULL,"
    " keep_until INTEGER NOT NULL, record TEXT NOT NULL) STRICT;"
    "CREATE INDEX record_request ON consent_record(request);"
    "CREATE INDEX record_end ON consent_record(keep_until);",
    "ALTER TABLE grants ADD COLUMN changed_seq INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE grants ADD COLUMN stops_by INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX grants_changed ON grants(changed_seq) WHERE changed_seq != 0;"
    "ALTER TABLE office ADD COLUMN listed_until INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE proved(adapter TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT;",
    /* who has to agree, what a first officer or the decision recorded, emergencies and slips */
    "ALTER TABLE request ADD COLUMN party INTEGER NOT NULL DEFAULT 0;"
    "UPDATE request SET party = 1 WHERE relation IS NOT NULL;"
    "ALTER TABLE request ADD COLUMN scope TEXT;"
    "ALTER TABLE request ADD COLUMN agent_until INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE request ADD COLUMN agent_document BLOB;"
    "ALTER TABLE request ADD COLUMN interest TEXT;"
    "ALTER TABLE request ADD COLUMN first_officer TEXT;"
    "ALTER TABLE request ADD COLUMN first_digest BLOB;"
    "ALTER TABLE request ADD COLUMN decided_by TEXT;"
    "ALTER TABLE request ADD COLUMN digest BLOB;"
    "CREATE INDEX request_waiting ON request(id) WHERE state = 0;"
    "ALTER TABLE grants ADD COLUMN slip BLOB;"
    "CREATE UNIQUE INDEX grants_slip ON grants(slip) WHERE slip IS NOT NULL;"
    "CREATE TABLE emergency(grant_id TEXT PRIMARY KEY, request TEXT NOT NULL, form TEXT NOT NULL,"
    " case_id TEXT NOT NULL, role TEXT NOT NULL, requester TEXT NOT NULL, reason TEXT NOT NULL,"
    " desk TEXT NOT NULL, officer TEXT NOT NULL, subject BLOB NOT NULL, other BLOB NOT NULL,"
    " day TEXT NOT NULL, issued INTEGER NOT NULL, due INTEGER NOT NULL, closed INTEGER) STRICT;"
    "CREATE INDEX emergency_day ON emergency(day, officer);"
    "CREATE INDEX emergency_open ON emergency(due) WHERE closed IS NULL;"
    "CREATE TABLE slip_try(desk TEXT NOT NULL, at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX slip_try_at ON slip_try(at);",
    "ALTER TABLE slip_try ADD COLUMN officer TEXT NOT NULL DEFAULT '';",
    NULL,
};

const struct lb_store_schema lb_consent_schema = {"consent.db", APPLICATION_ID, migrations};

#define REQUEST_COLUMNS                                                                            \
    "id, state, keep_until, caller, form, form_version, form_sha256, case_id, requester_key,"      \
    " role, operator, relation, subject, guardian, commitment, grant_id, sd_jwt, party, scope,"    \
    " agent_until, agent_document, interest, first_officer, first_digest, decided_by, digest"      \
    " FROM request"
#define GRANT_COLUMNS                                                                              \
    "id, request, status_index, state, exp, requester, form, form_version, form_sha256, case_id,"  \
    " role, has_guardian, subject, guardian, changed_seq, stops_by FROM grants"
#define EMERGENCY_COLUMNS                                                                          \
    "grant_id, request, form, case_id, role, requester, reason, desk, officer, subject, other,"    \
    " issued, due FROM emergency"

static const char *const sql[LB_NUM_SQL] = {
    [LB_SQL_COUNT_PENDING] = "SELECT count(*) FROM request WHERE state = 0",
    [LB_SQL_COUNT_OWN] = "SELECT count(*) FROM request WHERE state = 0 AND caller = ?1",
    [LB_SQL_ADD_REQUEST] =
        "INSERT INTO request(id, state, keep_until, caller, form, form_version, form_sha256,"
        " case_id, requester_key, role, operator, relation, subject, guardian, commitment, party,"
        " scope, agent_until, agent_document, interest)"
        " VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
        " ?18, ?19)",
    [LB_SQL_FIND_REQUEST] = "SELECT " REQUEST_COLUMNS " WHERE id = ?1 AND keep_until > ?2",
    [LB_SQL_WAITING] = "SELECT " REQUEST_COLUMNS
                       " WHERE state = 0 AND id > ?1 AND keep_until > ?2 ORDER BY id LIMIT ?3",
    [LB_SQL_FIRST_OFFICER] =
        "UPDATE request SET first_officer = ?2, first_digest = ?3 WHERE id = ?1 AND state = 0",
    [LB_SQL_DECIDE] = "UPDATE request SET state = ?2, keep_until = ?3, grant_id = ?4, sd_jwt = ?5,"
                      " decided_by = ?6, digest = ?7 WHERE id = ?1 AND state = 0",
    [LB_SQL_SHORTEN] = "UPDATE request SET keep_until = ?2 WHERE id = ?1 AND keep_until > ?2",
    [LB_SQL_PURGE_REQUEST] = "DELETE FROM request WHERE keep_until <= ?1",
    [LB_SQL_PURGE_GRANT] = "DELETE FROM grants WHERE exp <= ?1",
    [LB_SQL_PURGE_DOCUMENT] = "DELETE FROM consent_record WHERE keep_until <= ?1",
    [LB_SQL_ADD_GRANT] =
        "INSERT INTO grants(id, request, status_index, state, exp, requester, form, form_version,"
        " form_sha256, case_id, role, has_guardian, subject, guardian, slip)"
        " VALUES (?1, ?2, ?3, 0, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [LB_SQL_FIND_GRANT] = "SELECT " GRANT_COLUMNS " WHERE id = ?1",
    [LB_SQL_FIND_SLIP] = "SELECT " GRANT_COLUMNS " WHERE slip = ?1",
    [LB_SQL_SET_SLIP] = "UPDATE grants SET slip = ?2 WHERE id = ?1",
    [LB_SQL_CHANGE] = "UPDATE grants SET state = ?2 WHERE id = ?1",
    [LB_SQL_MARK] = "UPDATE grants SET changed_seq = ?2, stops_by = ?3 WHERE id = ?1",
    [LB_SQL_LAST_CHANGE] = "SELECT coalesce(max(changed_seq), 0) FROM grants"
                           " WHERE changed_seq != 0",
    [LB_SQL_FORGET_COPY] = "UPDATE request SET state = 3, sd_jwt = NULL WHERE id = ?1",
    [LB_SQL_COUNT_GRANTS] = "SELECT count(*) FROM grants",
    [LB_SQL_FIND_INDEX] = "SELECT 1 FROM grants WHERE status_index = ?1",
    [LB_SQL_STATES] = "SELECT status_index, state FROM grants WHERE state != 0",
    [LB_SQL_GET_CAPACITY] = "SELECT capacity FROM office WHERE id = 1",
    [LB_SQL_SET_CAPACITY] = "UPDATE office SET capacity = ?1 WHERE id = 1",
    [LB_SQL_FIND_LIST] = "SELECT seq, iat, entries, token FROM status_list WHERE uri = ?1",
    [LB_SQL_SET_LIST] =
        "INSERT INTO status_list(uri, seq, iat, entries, token) VALUES (?1, ?2, ?3, ?4, ?5)"
        " ON CONFLICT(uri) DO UPDATE SET seq = excluded.seq, iat = excluded.iat,"
        " entries = excluded.entries, token = excluded.token WHERE excluded.seq > seq",
    [LB_SQL_GET_UNTIL] = "SELECT listed_until FROM office WHERE id = 1",
    [LB_SQL_SET_UNTIL] = "UPDATE office SET listed_until = max(listed_until, ?1) WHERE id = 1",
    [LB_SQL_FIND_PROVED] = "SELECT seq FROM proved WHERE adapter = ?1",
    [LB_SQL_SET_PROVED] = "INSERT INTO proved(adapter, seq) VALUES (?1, ?2) ON CONFLICT(adapter)"
                          " DO UPDATE SET seq = max(seq, excluded.seq)",
    [LB_SQL_ADD_DOCUMENT] = "INSERT INTO consent_record(id, request, at, keep_until, record)"
                            " VALUES (?1, ?2, ?3, ?4, ?5)",
    [LB_SQL_DOCUMENTS] =
        "SELECT record FROM consent_record WHERE request = ?1 ORDER BY rowid LIMIT ?2",
    [LB_SQL_ADD_TRY] = "INSERT INTO slip_try(desk, officer, at) VALUES (?1, ?2, ?3)",
    [LB_SQL_COUNT_TRIES] = "SELECT count(*) FILTER (WHERE desk = ?1), count(*) FILTER (WHERE"
                           " officer = ?2), count(*) FROM slip_try WHERE at > ?3",
    [LB_SQL_PURGE_TRIES] = "DELETE FROM slip_try WHERE at <= ?1",
    [LB_SQL_ADD_EMERGENCY] =
        "INSERT INTO emergency(grant_id, request, form, case_id, role, requester, reason, desk,"
        " officer, subject, other, day, issued, due)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [LB_SQL_COUNT_EMERGENCIES] =
        "SELECT count(*) FILTER (WHERE officer = ?2), count(*) FROM emergency WHERE day = ?1",
    [LB_SQL_COUNT_OVERDUE] = "SELECT count(*) FROM emergency WHERE closed IS NULL AND due < ?1",
    [LB_SQL_COUNT_OPEN] = "SELECT count(*) FROM emergency WHERE closed IS NULL AND subject = ?1"
                          " AND case_id = ?2",
    [LB_SQL_FIND_EMERGENCY] =
        "SELECT " EMERGENCY_COLUMNS " WHERE grant_id = ?1 AND closed IS NULL",
    [LB_SQL_LIST_OPEN] =
        "SELECT " EMERGENCY_COLUMNS " WHERE closed IS NULL ORDER BY due, grant_id LIMIT ?1",
    [LB_SQL_CLOSE_EMERGENCY] =
        "UPDATE emergency SET closed = ?2 WHERE grant_id = ?1 AND closed IS NULL",
    [LB_SQL_SUPPLEMENT] = "UPDATE emergency SET closed = ?1 WHERE closed IS NULL AND subject = ?2"
                          " AND case_id = ?3 AND form = ?4 AND role = ?5",
    [LB_SQL_PURGE_EMERGENCY] = "DELETE FROM emergency WHERE closed IS NOT NULL AND closed <= ?1",
    [LB_SQL_FIRST_DOCUMENT] =
        "SELECT record FROM consent_record WHERE request = ?1 ORDER BY rowid LIMIT 1",
};

struct lb_consent_store {
    struct lb_store *store;
    struct lb_stmt *stmts[LB_NUM_SQL];  /* belong to the store */
    int64_t next_purge_unix_s;
    int lock;
};

/* --- life --- */

static void store_freep(struct lb_consent_store **store)
{
    lb_consent_store_close(*store);
}

/* Two offices on one store could hand out one status index twice. The lock is a file of its own,
 * since SQLite's would keep out those too who only read, such as a backup. */
static lb_status keep_others_out(const char *path, int *out_lock)
{
    char lock[PATH_MAX];
    int len = snprintf(lock, sizeof(lock), "%s.lock", path);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(lock), LB_FILE_FAILED, "path is too long");
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "lock file cannot be opened");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd);
        LB_FAIL(LB_STATE_LOCKED, "another process holds this store");
    }
    *out_lock = fd;
    return LB_OK;
}

static lb_status open_file(const char *path, struct lb_consent_store *store)
{
    const struct lb_store_options options = {
        .path = path,
        .migrations = migrations,
        .application_id = APPLICATION_ID,
        .create = true,
        .busy_timeout_ms = 1000,
    };
    LB_TRY(keep_others_out(path, &store->lock));
    LB_TRY(lb_store_open(&options, &store->store));
    for (size_t i = 0; i < LB_NUM_SQL; i++)
        LB_TRY(lb_stmt_prepare(store->store, sql[i], &store->stmts[i]));
    return LB_OK;
}

static const char *advice(enum lb_code code)
{
    switch (code) {
    case LB_STATE_LOCKED:
        return "another process is using it; stop that one first";
    case LB_FILE_FAILED:
        return "it cannot be opened for writing; check the folder and its owner";
    case LB_VERSION_UNSUPPORTED:
        return "a newer version wrote it; start that version";
    default:
        return "it is not a store of a consent office, or it is damaged; restore it from a backup "
               "together with the evidence log";
    }
}

lb_status lb_consent_store_open(const char *path, struct lb_diag *diag,
                                struct lb_consent_store **out_store)
{
    LB_DEFER(store_freep) struct lb_consent_store *store = calloc(1, sizeof(*store));
    LB_ENSURE(store != NULL, LB_NO_MEMORY, "a consent store");
    store->lock = -1;
    lb_status status = open_file(path, store);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: %s", path, advice(status->code));
        return status;
    }
    *out_store = store;
    store = NULL;
    return LB_OK;
}

void lb_consent_store_close(struct lb_consent_store *store)
{
    if (store == NULL)
        return;
    lb_store_close(store->store);
    if (store->lock >= 0)
        (void)close(store->lock);
    free(store);
}

lb_status lb_consent_store_begin(struct lb_consent_store *store)
{
    return lb_store_begin(store->store);
}

lb_status lb_consent_store_commit(struct lb_consent_store *store)
{
    return lb_store_commit(store->store);
}

void lb_consent_store_rollback(struct lb_consent_store *store)
{
    lb_store_rollback(store->store);
}

lb_status lb_consent_store_savepoint(struct lb_consent_store *store)
{
    return lb_store_savepoint(store->store);
}

lb_status lb_consent_store_release(struct lb_consent_store *store)
{
    return lb_store_release(store->store);
}

lb_status lb_consent_store_undo(struct lb_consent_store *store)
{
    return lb_store_undo(store->store);
}

/* --- statements --- */

struct lb_stmt *lb_consent_stmt(struct lb_consent_store *store, enum lb_consent_sql which)
{
    lb_stmt_reset(store->stmts[which]);
    return store->stmts[which];
}

int64_t lb_consent_changed(const struct lb_consent_store *store)
{
    return lb_store_changes(store->store);
}

lb_status lb_consent_row(struct lb_stmt *stmt)
{
    bool row = false;
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_ABSENT, "no such row");
    return LB_OK;
}

lb_status lb_consent_column_text(const struct lb_stmt *stmt, int column, struct lb_arena *arena,
                                 const char **out_text)
{
    *out_text = NULL;
    if (lb_stmt_type(stmt, column) == LB_COL_NULL)
        return LB_OK;
    *out_text = lb_arena_str(arena, lb_stmt_text(stmt, column));
    LB_ENSURE(*out_text != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

lb_status lb_consent_bind_text(struct lb_stmt *stmt, int param, const char *text)
{
    return text == NULL ? lb_stmt_bind_null(stmt, param)
                        : lb_stmt_bind_text(stmt, param, lb_span_str(text));
}

lb_status lb_consent_bind_32(struct lb_stmt *stmt, int param, const uint8_t *bytes)
{
    return bytes == NULL ? lb_stmt_bind_null(stmt, param)
                         : lb_stmt_bind_blob(stmt, param, lb_span_of(bytes, 32));
}

lb_status lb_consent_two(struct lb_stmt *stmt, int64_t *out_first, int64_t *out_second)
{
    lb_status status = lb_consent_row(stmt);
    if (status == LB_OK) {
        *out_first = lb_stmt_int(stmt, 0);
        *out_second = lb_stmt_int(stmt, 1);
    }
    lb_stmt_reset(stmt);
    return status;
}

lb_status lb_consent_column_32(const struct lb_stmt *stmt, int column, uint8_t out[32])
{
    struct lb_span blob = lb_stmt_blob(stmt, column);
    LB_ENSURE(blob.len == 32, LB_STORE_FAILED, "a hash of the wrong length");
    memcpy(out, blob.ptr, 32);
    return LB_OK;
}

static lb_status run_before(struct lb_consent_store *store, enum lb_consent_sql which,
                            int64_t unix_s)
{
    struct lb_stmt *stmt = lb_consent_stmt(store, which);
    LB_TRY(lb_stmt_bind_int(stmt, 1, unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_consent_store_purge(struct lb_consent_store *store, int64_t now_unix_s)
{
    if (now_unix_s < store->next_purge_unix_s)
        return LB_OK;
    store->next_purge_unix_s = now_unix_s + PURGE_EVERY_S;
    LB_TRY(run_before(store, LB_SQL_PURGE_REQUEST, now_unix_s));
    LB_TRY(run_before(store, LB_SQL_PURGE_TRIES, now_unix_s - LB_CONSENT_TRIES_KEPT_S));
    LB_TRY(run_before(store, LB_SQL_PURGE_EMERGENCY, now_unix_s - LB_CONSENT_CLOSED_KEPT_S));
    LB_TRY(run_before(store, LB_SQL_PURGE_GRANT, now_unix_s - GRANT_GRACE_S));
    return run_before(store, LB_SQL_PURGE_DOCUMENT, now_unix_s);
}
