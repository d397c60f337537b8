#include "adapters/serve/memory.h"

#include <stdlib.h>
#include <string.h>

#include "adapters/serve/serve.h"
#include "adapters/serve/sql.h"
#include "gateway/base/limits.h"

/* A replay row may go once its message could not be opened any more: sealed age, the context's two
 * lifetimes, and skew, rounded up to a day. */
#define REPLAY_KEEP_S (24 * 3600)

const char *const lb_serve_migrations[] = {
    "CREATE TABLE replay(id BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE use(grant_id BLOB PRIMARY KEY, used INTEGER NOT NULL, expires INTEGER NOT NULL)"
    "  WITHOUT ROWID;"
    "CREATE TABLE rid(id BLOB PRIMARY KEY, digest BLOB NOT NULL, first INTEGER NOT NULL,"
    "  retries INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE status(uri TEXT PRIMARY KEY, seq INTEGER NOT NULL, sha256 BLOB NOT NULL)"
    "  WITHOUT ROWID;",
    "CREATE TABLE stop(grant_id BLOB PRIMARY KEY, expires INTEGER NOT NULL) WITHOUT ROWID;",
    /* budget.c and probe.c */
    "CREATE TABLE budget(id BLOB, slot INTEGER, used INTEGER NOT NULL, ends INTEGER NOT NULL,"
    "  PRIMARY KEY(id, slot)) WITHOUT ROWID;"
    "CREATE INDEX budget_ends ON budget(ends);"
    "CREATE TABLE probe_subject(id BLOB PRIMARY KEY, wrapped BLOB NOT NULL, sealed BLOB NOT NULL,"
    "  expires INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX probe_subject_expires ON probe_subject(expires);"
    "CREATE TABLE probe_case(id BLOB PRIMARY KEY, sealed BLOB NOT NULL, expires INTEGER NOT NULL)"
    "  WITHOUT ROWID;"
    "CREATE INDEX probe_case_expires ON probe_case(expires);",
    /* blind household sums: share_memory.h */
    "CREATE TABLE share_household(id INTEGER PRIMARY KEY, slot TEXT NOT NULL,"
    "  size INTEGER NOT NULL, expires INTEGER NOT NULL);"
    "CREATE INDEX share_household_expires ON share_household(expires);"
    "CREATE TABLE share_person(slot TEXT NOT NULL, person BLOB NOT NULL, household INTEGER NOT NULL"
    "  REFERENCES share_household(id) ON DELETE CASCADE, PRIMARY KEY(slot, person)) WITHOUT ROWID;"
    "CREATE INDEX share_person_household ON share_person(household);"
    "CREATE TABLE share_run(id BLOB PRIMARY KEY, bound BLOB NOT NULL, household INTEGER NOT NULL"
    "  REFERENCES share_household(id) ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE INDEX share_run_household ON share_run(household);"
    "CREATE TABLE share_place(run BLOB NOT NULL REFERENCES share_run(id) ON DELETE CASCADE,"
    "  person BLOB NOT NULL, slot TEXT NOT NULL, place INTEGER NOT NULL, at INTEGER NOT NULL,"
    "  PRIMARY KEY(run, person)) WITHOUT ROWID;"
    "CREATE INDEX share_place_person ON share_place(person, slot, at);"
    "CREATE TABLE share(run BLOB NOT NULL REFERENCES share_run(id) ON DELETE CASCADE,"
    "  person BLOB NOT NULL, part INTEGER NOT NULL, rid BLOB NOT NULL, share INTEGER NOT NULL,"
    "  PRIMARY KEY(run, person, part)) WITHOUT ROWID;",
    /* erasures.c */
    "CREATE TABLE erasure(subject BLOB PRIMARY KEY, by TEXT NOT NULL, basis TEXT NOT NULL,"
    "  at INTEGER NOT NULL) WITHOUT ROWID;",
    /* epochs.h */
    "CREATE TABLE pseudonym_epoch(id INTEGER PRIMARY KEY, mark BLOB NOT NULL UNIQUE);",
    /* probe.c: rows of a KiB and more are appended. Among others by name they would split a page at
     * nearly every new one, and who is new would show by time. */
    "ALTER TABLE probe_subject RENAME TO old_subject;"
    "CREATE TABLE probe_subject(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
    "  wrapped BLOB NOT NULL, sealed BLOB NOT NULL, expires INTEGER NOT NULL);"
    "INSERT INTO probe_subject(id, wrapped, sealed, expires)"
    "  SELECT id, wrapped, sealed, expires FROM old_subject;"
    "DROP TABLE old_subject;"
    "CREATE INDEX probe_subject_expires ON probe_subject(expires);"
    "ALTER TABLE probe_case RENAME TO old_case;"
    "CREATE TABLE probe_case(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, sealed BLOB NOT NULL,"
    "  expires INTEGER NOT NULL);"
    "INSERT INTO probe_case(id, sealed, expires) SELECT id, sealed, expires FROM old_case;"
    "DROP TABLE old_case;"
    "CREATE INDEX probe_case_expires ON probe_case(expires);",
    /* what departments are handed: intake_rows.h, intake_words.h, intake_key.h */
    "CREATE TABLE intake_key(id INTEGER PRIMARY KEY CHECK(id = 1), mark BLOB NOT NULL);"
    "CREATE TABLE intake(n INTEGER PRIMARY KEY AUTOINCREMENT, sender TEXT NOT NULL,"
    "  name BLOB NOT NULL, digest BLOB NOT NULL, matter BLOB NOT NULL, kind INTEGER NOT NULL,"
    "  about INTEGER NOT NULL, came INTEGER NOT NULL, ends INTEGER NOT NULL,"
    "  entry INTEGER NOT NULL, state INTEGER NOT NULL, words INTEGER NOT NULL,"
    "  bytes INTEGER NOT NULL, sealed BLOB, leased INTEGER NOT NULL DEFAULT 0, acked INTEGER,"
    "  tries INTEGER NOT NULL DEFAULT 0, failed TEXT, changed INTEGER NOT NULL,"
    "  UNIQUE(sender, name));"
    "CREATE INDEX intake_waiting ON intake(n, sender, bytes) WHERE acked IS NULL;"
    "CREATE INDEX intake_kept ON intake(acked) WHERE sealed IS NOT NULL AND acked IS NOT NULL;"
    "CREATE INDEX intake_empty ON intake(ends) WHERE sealed IS NULL;"
    "CREATE TABLE intake_person(person BLOB NOT NULL, n INTEGER NOT NULL REFERENCES intake(n)"
    "  ON DELETE CASCADE, PRIMARY KEY(person, n)) WITHOUT ROWID;"
    "CREATE INDEX intake_person_n ON intake_person(n);"
    "CREATE TABLE intake_word(id INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL UNIQUE,"
    "  about INTEGER NOT NULL REFERENCES intake(n), number INTEGER NOT NULL,"
    "  recipient TEXT NOT NULL, kind INTEGER NOT NULL, said INTEGER NOT NULL,"
    "  ends INTEGER NOT NULL, plain BLOB, key_id TEXT, enc BLOB, sender_key BLOB,"
    "  ciphertext BLOB, hashes BLOB, entry INTEGER, code TEXT, changed INTEGER NOT NULL,"
    "  UNIQUE(about, number));"
    "CREATE INDEX intake_word_open ON intake_word(id) WHERE code IS NULL;",
    /* event.h */
    "CREATE TABLE event(id BLOB PRIMARY KEY, rid BLOB NOT NULL, ends INTEGER NOT NULL)"
    "  WITHOUT ROWID;"
    "CREATE INDEX event_ends ON event(ends);",
    NULL,
};

enum statement {
    ADD_REPLAY,
    FIND_RID,
    ADD_RID,
    COUNT_RETRY,
    COUNT_USE,
    PURGE_REPLAY,
    PURGE_RID,
    PURGE_USE,
    FIND_STATUS,
    SET_STATUS,
    ADD_STOP,
    FIND_STOP,
    PURGE_STOP,
    NUM_STATEMENTS
};

static const char *const sql[NUM_STATEMENTS] = {
    [ADD_REPLAY] = "INSERT INTO replay(id, expires) VALUES(?1, ?2)",
    [FIND_RID] = "SELECT digest, first, retries FROM rid WHERE id = ?1",
    [ADD_RID] = "INSERT INTO rid(id, digest, first, retries) VALUES(?1, ?2, ?3, 0)",
    [COUNT_RETRY] = "UPDATE rid SET retries = retries + 1 WHERE id = ?1",
    [COUNT_USE] = "INSERT INTO use(grant_id, used, expires) VALUES(?1, 1, ?2)"
                  " ON CONFLICT(grant_id) DO UPDATE SET used = used + 1 WHERE used < ?3",
    [PURGE_REPLAY] = "DELETE FROM replay WHERE id >= ?1 AND id < ?2 AND expires < ?3",
    [PURGE_RID] = "DELETE FROM rid WHERE id >= ?1 AND id < ?2 AND first < ?3",
    [PURGE_USE] = "DELETE FROM use WHERE grant_id >= ?1 AND grant_id < ?2 AND expires < ?3",
    [FIND_STATUS] = "SELECT seq, sha256 FROM status WHERE uri = ?1",
    [SET_STATUS] = "INSERT INTO status(uri, seq, sha256) VALUES(?1, ?2, ?3)"
                   " ON CONFLICT(uri) DO UPDATE SET seq = ?2, sha256 = ?3",
    [ADD_STOP] = "INSERT INTO stop(grant_id, expires) VALUES(?1, ?2) ON CONFLICT(grant_id)"
                 " DO UPDATE SET expires = max(expires, ?2)",
    [FIND_STOP] = "SELECT 1 FROM stop WHERE grant_id = ?1",
    [PURGE_STOP] = "DELETE FROM stop WHERE grant_id >= ?1 AND grant_id < ?2 AND expires < ?3",
};

struct lb_serve_memory {
    struct lb_serve_sql sql;
    int64_t purged_unix_s;   /* 0: not yet */
};

lb_status lb_serve_memory_new(struct lb_serve_memory **out_memory)
{
    struct lb_serve_memory *memory = calloc(1, sizeof(*memory));
    LB_ENSURE(memory != NULL, LB_NO_MEMORY, "memory");
    memory->sql = (struct lb_serve_sql){.texts = sql, .num = NUM_STATEMENTS};
    *out_memory = memory;
    return LB_OK;
}

void lb_serve_memory_free(struct lb_serve_memory *memory)
{
    free(memory);
}

static lb_status statement(struct lb_serve_memory *memory, struct lb_store *store,
                           enum statement which, struct lb_stmt **out)
{
    return lb_serve_sql_get(&memory->sql, store, which, out);
}

/* The rows whose ids begin with one byte, of those that were over before a time. */
static lb_status purge_slice(struct lb_serve_memory *memory, struct lb_store *store,
                             enum statement which, uint8_t slice, int64_t before_unix_s)
{
    struct lb_stmt *stmt = NULL;
    uint8_t end[32 + 1]; /* longer than any id */
    memset(end, 0xff, sizeof(end));
    const uint8_t next = (uint8_t)(slice + 1);
    struct lb_span until = next == 0 ? lb_span_of(end, sizeof(end)) : lb_span_of(&next, 1);
    LB_TRY(statement(memory, store, which, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(&slice, 1)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, until));
    LB_TRY(lb_stmt_bind_int(stmt, 3, before_unix_s));
    return lb_stmt_run(stmt);
}

/* Forgetting is not urgent, and a day's rows are millions: each second has its slice of them, which
 * are even since every id is a hash. What passed without a read is made up for, but not at once. */
static lb_status purge(struct lb_serve_memory *memory, struct lb_store *store, int64_t now)
{
    int64_t from = memory->purged_unix_s;
    if (from < now - LB_MEMORY_SLICES_AT_ONCE || from > now)
        from = now - LB_MEMORY_SLICES_AT_ONCE;
    memory->purged_unix_s = now;
    for (int64_t second = from + 1; second <= now; second++) {
        const uint8_t slice = (uint8_t)second;
        LB_TRY(purge_slice(memory, store, PURGE_REPLAY, slice, now));
        LB_TRY(purge_slice(memory, store, PURGE_USE, slice, now - LB_CLOCK_SKEW_S));
        LB_TRY(purge_slice(memory, store, PURGE_STOP, slice, now - LB_CLOCK_SKEW_S));
        LB_TRY(purge_slice(memory, store, PURGE_RID, slice, now - LB_RETRY_WINDOW_S));
    }
    return LB_OK;
}

static lb_status note_message(struct lb_serve_memory *memory, struct lb_store *store, int64_t now,
                              const struct lb_memory_use *use)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(statement(memory, store, ADD_REPLAY, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(use->replay_id, 32)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, now + REPLAY_KEEP_S));
    lb_status status = lb_stmt_run(stmt);
    if (status != LB_OK && status->code == LB_STORE_CONFLICT)
        LB_FAIL(LB_REPLAY, "this sealed message was answered before");
    return status;
}

static lb_status find_rid(struct lb_serve_memory *memory, struct lb_store *store, int64_t now,
                          struct lb_memory_use *use, bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(statement(memory, store, FIND_RID, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(use->rid_id, 32)));
    LB_TRY(lb_stmt_step(stmt, &found));
    bool same = found && lb_span_eq(lb_stmt_blob(stmt, 0), lb_span_of(use->rid_digest, 32));
    bool in_time = found && lb_stmt_int(stmt, 1) >= now - LB_RETRY_WINDOW_S;
    int64_t retries = found ? lb_stmt_int(stmt, 2) : 0;
    lb_stmt_reset(stmt);
    if (found) {
        LB_ENSURE(same, LB_REQUEST_CHANGED, "rid was used for another request");
        LB_ENSURE(in_time && retries < LB_MAX_RETRIES, LB_RETRY_EXHAUSTED, "too many retries");
    }
    *out_found = found;
    return LB_OK;
}

static lb_status count_retry(struct lb_serve_memory *memory, struct lb_store *store,
                             const struct lb_memory_use *use)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(statement(memory, store, COUNT_RETRY, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(use->rid_id, 32)));
    return lb_stmt_run(stmt);
}

static lb_status count_use(struct lb_serve_memory *memory, struct lb_store *store, int64_t now,
                           const struct lb_memory_use *use)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(statement(memory, store, COUNT_USE, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(use->grant_id, 32)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, use->expires_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 3, use->max_uses));
    LB_TRY(lb_stmt_run(stmt));
    LB_ENSURE(lb_store_changes(store) == 1, LB_USE_EXHAUSTED, "no use of the grant is left");
    LB_TRY(statement(memory, store, ADD_RID, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(use->rid_id, 32)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(use->rid_digest, 32)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, now));
    return lb_stmt_run(stmt);
}

lb_status lb_serve_memory_take(struct lb_serve_memory *memory, struct lb_store *store,
                               int64_t now_unix_s, struct lb_memory_use *use)
{
    LB_TRY(purge(memory, store, now_unix_s));
    LB_TRY(note_message(memory, store, now_unix_s, use));
    LB_TRY(find_rid(memory, store, now_unix_s, use, &use->retry));
    if (use->retry)
        return count_retry(memory, store, use);
    LB_ENSURE(use->max_uses >= 1, LB_USE_EXHAUSTED, "the section allows no use");
    return count_use(memory, store, now_unix_s, use);
}

lb_status lb_serve_memory_status(struct lb_serve_memory *memory, struct lb_store *store,
                                 const char *uri, uint64_t seq, const uint8_t sha256[32])
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_ENSURE(seq <= INT64_MAX, LB_GRANT_MALFORMED, "sequence is out of range");
    LB_TRY(statement(memory, store, FIND_STATUS, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(uri)));
    LB_TRY(lb_stmt_step(stmt, &found));
    uint64_t known = found ? (uint64_t)lb_stmt_int(stmt, 0) : 0;
    bool same = found && lb_span_eq(lb_stmt_blob(stmt, 1), lb_span_of(sha256, 32));
    lb_stmt_reset(stmt);
    LB_ENSURE(!found || seq >= known, LB_STATUS_STALE, "an older list than the one in force");
    LB_ENSURE(!found || seq != known || same, LB_STATUS_FORK, "same sequence, other list");
    if (found && seq == known)
        return LB_OK;
    LB_TRY(statement(memory, store, SET_STATUS, &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(uri)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)seq));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(sha256, 32)));
    return lb_stmt_run(stmt);
}

lb_status lb_serve_memory_stop(struct lb_serve_memory *memory, struct lb_store *store,
                               const uint8_t grant_id[32], int64_t expires_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(statement(memory, store, ADD_STOP, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(grant_id, 32)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, expires_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_serve_memory_check_stop(struct lb_serve_memory *memory, struct lb_store *store,
                                     const uint8_t grant_id[32])
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(statement(memory, store, FIND_STOP, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(grant_id, 32)));
    LB_TRY(lb_stmt_step(stmt, &found));
    lb_stmt_reset(stmt);
    LB_ENSURE(!found, LB_GRANT_REVOKED, "the grant was stopped here");
    return LB_OK;
}
