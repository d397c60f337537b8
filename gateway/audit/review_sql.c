#include "gateway/audit/review_state.h"

/* The queue's schema and every statement it runs. */

static const char *const migrations[] = {
    "CREATE TABLE scan ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  origin TEXT NOT NULL, next INTEGER NOT NULL, last_ms INTEGER NOT NULL) STRICT;"
    /* What the rules remember of operators: nothing about whom they looked up. */
    "CREATE TABLE person ("
    "  actor TEXT PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    "  records INTEGER NOT NULL, class_max INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE day ("
    "  actor TEXT NOT NULL, day INTEGER NOT NULL, peers TEXT NOT NULL,"
    "  records INTEGER NOT NULL, usual INTEGER NOT NULL,"
    "  PRIMARY KEY (actor, day)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX day_peers ON day (peers, day);"
    /* The rows of the last day: what windows look at. */
    "CREATE TABLE recent ("
    "  idx INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, actor TEXT NOT NULL, subject BLOB,"
    "  place TEXT NOT NULL, org TEXT NOT NULL, purpose TEXT NOT NULL, basis TEXT NOT NULL,"
    "  case_no TEXT NOT NULL, code TEXT NOT NULL, missed INTEGER NOT NULL,"
    "  denied INTEGER NOT NULL, off INTEGER NOT NULL) STRICT;"
    "CREATE INDEX recent_actor ON recent (actor, time_ms);"
    "CREATE INDEX recent_subject ON recent (subject, time_ms) WHERE subject IS NOT NULL;"
    "CREATE TABLE alert ("
    "  id INTEGER PRIMARY KEY, key BLOB NOT NULL, round INTEGER NOT NULL, rule TEXT NOT NULL,"
    "  severity INTEGER NOT NULL, state INTEGER NOT NULL, title_zh TEXT NOT NULL,"
    "  title_en TEXT NOT NULL, why_zh TEXT NOT NULL, why_en TEXT NOT NULL, actor TEXT NOT NULL,"
    "  organization TEXT NOT NULL, unit TEXT NOT NULL, first_ms INTEGER NOT NULL,"
    "  last_ms INTEGER NOT NULL, num_entries INTEGER NOT NULL, most INTEGER NOT NULL,"
    "  opened_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
    "  rules BLOB NOT NULL, assignee TEXT NOT NULL DEFAULT '',"
    "  explanation TEXT NOT NULL DEFAULT '', explained_by TEXT NOT NULL DEFAULT '',"
    "  outcome INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',"
    "  UNIQUE (key, round)) STRICT;"
    "CREATE TABLE entry ("
    "  alert INTEGER NOT NULL REFERENCES alert (id), idx INTEGER NOT NULL,"
    "  PRIMARY KEY (alert, idx)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX entry_idx ON entry (idx);"
    "CREATE TABLE act ("
    "  seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, alert INTEGER NOT NULL,"
    "  what TEXT NOT NULL, who TEXT NOT NULL, text TEXT NOT NULL,"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32), leaf INTEGER) STRICT;"
    "CREATE INDEX act_alert ON act (alert);",
    NULL,
};

const struct lb_store_schema lb_review_schema = {"review.db", 0x4c425256U /* "LBRV" */, migrations};

/* Rows of a window: the newest 2,000 (LB_DETECT_MAX_WINDOW_ROWS) and no more, so that a flood costs
 * each of its rows the same. */
#define ACTOR_WINDOW                                                                               \
    " FROM recent WHERE actor = ?1 AND time_ms >= ?2 AND (?3 = 0 OR missed = 1)"                   \
    " AND (?4 = 0 OR off = 1) AND (?5 = 0 OR denied = 1) ORDER BY time_ms DESC LIMIT 2000"

#define ALERT_COLUMNS                                                                              \
    "id, rule, severity, state, title_zh, title_en, why_zh, why_en, actor, organization, unit,"    \
    " first_ms, last_ms, num_entries, opened_ms, due_ms, changed_ms, assignee, explanation,"       \
    " outcome, reason, explained_by"

#define LIST_WHERE                                                                                 \
    " FROM alert WHERE (?1 = 1 OR state <> 4) AND severity >= ?2 AND (?3 = '' OR rule = ?3)"       \
    " AND (?4 = '' OR assignee = ?4) AND opened_ms >= ?5 AND (?6 = 0 OR opened_ms < ?6)"

static const char *const texts[REVIEW_NUM_SQL] = {
    [REVIEW_GET_SCAN] = "SELECT origin, next, last_ms FROM scan WHERE id = 1",
    [REVIEW_PUT_SCAN] = "INSERT INTO scan (id, origin, next, last_ms) VALUES (1, ?1, ?2, ?3)"
                        " ON CONFLICT (id) DO UPDATE SET next = ?2, last_ms = ?3",
    [REVIEW_PUT_RECENT] = "INSERT INTO recent (idx, time_ms, actor, subject, place, org, purpose,"
                          " basis, case_no, code, missed, denied, off)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [REVIEW_PRUNE_RECENT] = "DELETE FROM recent WHERE time_ms < ?1",
    [REVIEW_PRUNE_DAY] = "DELETE FROM day WHERE day < ?1",
    [REVIEW_GET_PERSON] =
        "SELECT first_ms, last_ms, records, class_max FROM person WHERE actor = ?1",
    [REVIEW_PUT_PERSON] = "INSERT INTO person VALUES (?1, ?2, ?2, 1, ?3)"
                          " ON CONFLICT (actor) DO UPDATE SET last_ms = ?2, records = records + 1,"
                          " class_max = max(class_max, ?3)",
    [REVIEW_PUT_DAY] = "INSERT INTO day VALUES (?1, ?2, ?3, 1, 0)"
                       " ON CONFLICT (actor, day) DO UPDATE SET records = records + 1",
    [REVIEW_GET_DAY] = "SELECT records, usual FROM day WHERE actor = ?1 AND day = ?2",
    [REVIEW_SET_USUAL] = "UPDATE day SET usual = ?3 WHERE actor = ?1 AND day = ?2",
    [REVIEW_OWN_NUM] = "SELECT count(*) FROM day WHERE actor = ?1 AND day >= ?2 AND day < ?3",
    [REVIEW_OWN_AT] = "SELECT records FROM day WHERE actor = ?1 AND day >= ?2 AND day < ?3"
                      " ORDER BY records LIMIT 1 OFFSET ?4",
    [REVIEW_PEERS_NUM] = "SELECT count(*) FROM day WHERE peers = ?1 AND day >= ?2 AND day < ?3"
                         " AND actor <> ?4",
    [REVIEW_PEERS_AT] = "SELECT records FROM day WHERE peers = ?1 AND day >= ?2 AND day < ?3"
                        " AND actor <> ?4 ORDER BY records LIMIT 1 OFFSET ?5",
    [REVIEW_COUNT_ACTOR] = "SELECT count(*) FROM (SELECT 1" ACTOR_WINDOW ")",
    [REVIEW_COUNT_SUBJECTS] =
        "SELECT count(DISTINCT who) FROM (SELECT"
        " CASE WHEN ?3 = 1 THEN coalesce(subject, idx) ELSE subject END AS who" ACTOR_WINDOW ")",
    [REVIEW_COUNT_OFFICES] =
        "SELECT count(DISTINCT org) FROM (SELECT org FROM recent WHERE subject = ?1"
        " AND time_ms >= ?2 ORDER BY time_ms DESC LIMIT 2000)",
    [REVIEW_OTHER_PLACE] = "SELECT count(*) FROM (SELECT place" ACTOR_WINDOW ") WHERE place <> ?6",
    [REVIEW_DENIED] = "SELECT code, purpose, basis, case_no, subject FROM recent"
                      " WHERE actor = ?1 AND time_ms >= ?2 AND denied = 1"
                      " ORDER BY time_ms DESC LIMIT 64",
    [REVIEW_FIND_ALERT] = "SELECT id, state, round, num_entries, most FROM alert WHERE key = ?1"
                          " ORDER BY round DESC LIMIT 1",
    [REVIEW_PUT_ALERT] = "INSERT INTO alert (key, round, rule, severity, state, title_zh, title_en,"
                         " why_zh, why_en, actor, organization, unit, first_ms, last_ms,"
                         " num_entries, most, opened_ms, due_ms, changed_ms, rules)"
                         " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, '', '', ?7, ?8, ?9, ?10, ?10, 0, 0,"
                         " ?10, ?11, ?10, ?12)",
    [REVIEW_GROW_ALERT] = "UPDATE alert SET num_entries = ?2, most = ?3, why_zh = ?4, why_en = ?5,"
                          " last_ms = ?6, first_ms = coalesce((SELECT time_ms FROM recent"
                          " WHERE idx = (SELECT min(idx) FROM entry WHERE alert = ?1)), first_ms)"
                          " WHERE id = ?1",
    [REVIEW_PUT_ENTRY] = "INSERT OR IGNORE INTO entry VALUES (?1, ?2)",
    [REVIEW_TAKE_ACTOR] = "INSERT OR IGNORE INTO entry SELECT ?6, idx FROM"
                          " (SELECT idx" ACTOR_WINDOW ") LIMIT 999",
    [REVIEW_TAKE_SUBJECT] = "INSERT OR IGNORE INTO entry SELECT ?3, idx FROM recent"
                            " WHERE subject = ?1 AND time_ms >= ?2"
                            " ORDER BY time_ms DESC LIMIT 999",
    [REVIEW_COUNT_ENTRIES] = "SELECT count(*) FROM entry WHERE alert = ?1",
    [REVIEW_HAS_ENTRY] = "SELECT count(*) FROM (SELECT 1 FROM entry WHERE idx = ?1 LIMIT 1)",
    [REVIEW_LAST_ACT] = "SELECT seq, hash FROM act ORDER BY seq DESC LIMIT 1",
    [REVIEW_PUT_ACT] = "INSERT INTO act (seq, at_ms, alert, what, who, text, hash, leaf)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [REVIEW_ACTS] = "SELECT seq, at_ms, alert, what, who, text, hash, leaf FROM act ORDER BY seq",
    [REVIEW_ALERT_ACTS] = "SELECT seq, at_ms, alert, what, who, text, hash, leaf FROM act"
                          " WHERE alert = ?1 ORDER BY seq LIMIT 1000",
    [REVIEW_ALERT] = "SELECT " ALERT_COLUMNS " FROM alert WHERE id = ?1",
    [REVIEW_LIST] = "SELECT " ALERT_COLUMNS LIST_WHERE
                    " ORDER BY state = 4, severity DESC, opened_ms, id LIMIT 1000",
    [REVIEW_LIST_NUM] = "SELECT count(*)" LIST_WHERE,
    [REVIEW_ENTRIES] = "SELECT idx FROM entry WHERE alert = ?1 ORDER BY idx LIMIT 1000",
    [REVIEW_ASSIGN] = "UPDATE alert SET assignee = ?2, state = max(state, 2), changed_ms = ?3"
                      " WHERE id = ?1",
    [REVIEW_EXPLAIN] = "UPDATE alert SET explanation = ?2, explained_by = ?3, state = 3,"
                       " changed_ms = ?4 WHERE id = ?1",
    [REVIEW_CLOSE] = "UPDATE alert SET outcome = ?2, reason = ?3, state = 4, changed_ms = ?4"
                     " WHERE id = ?1",
};

const char *lb_review_sql(enum review_sql which)
{
    return texts[which];
}

/* --- running them --- */

lb_status lb_review_bind(struct lb_stmt *stmt, const struct review_value *values, size_t num)
{
    lb_stmt_reset(stmt);
    for (size_t i = 0; i < num; i++) {
        int param = (int)i + 1;
        switch (values[i].kind) {
        case REVIEW_INT:
            LB_TRY(lb_stmt_bind_int(stmt, param, values[i].number));
            break;
        case REVIEW_TEXT:
            LB_TRY(lb_stmt_bind_text(stmt, param, values[i].bytes));
            break;
        case REVIEW_BLOB:
            LB_TRY(lb_stmt_bind_blob(stmt, param, values[i].bytes));
            break;
        case REVIEW_NULL:
            LB_TRY(lb_stmt_bind_null(stmt, param));
            break;
        }
    }
    return LB_OK;
}

lb_status lb_review_run(struct lb_review *review, enum review_sql which,
                        const struct review_value *values, size_t num)
{
    LB_TRY(lb_review_bind(review->stmt[which], values, num));
    return lb_stmt_run(review->stmt[which]);
}

lb_status lb_review_number(struct lb_review *review, enum review_sql which,
                           const struct review_value *values, size_t num, int64_t *out_number)
{
    struct lb_stmt *stmt = review->stmt[which];
    bool row = false;
    LB_TRY(lb_review_bind(stmt, values, num));
    LB_TRY(lb_stmt_step(stmt, &row));
    *out_number = row ? lb_stmt_int(stmt, 0) : 0;
    lb_stmt_reset(stmt);
    return LB_OK;
}
