#include "adapters/serve/erasures.h"

enum statement { ASK, FIND, DROP, PURGE, NUM_STATEMENTS };

static const char *const sql[NUM_STATEMENTS] = {
    [ASK] = ("INSERT INTO erasure(subject, by, basis, at) VALUES(?1, ?2, ?3, ?4)"
             " ON CONFLICT(subject) DO UPDATE SET by = ?2, basis = ?3, at = ?4"),
    [FIND] = "SELECT 1 FROM erasure WHERE subject = ?1 AND by <> ?2 AND basis = ?3 AND at > ?4",
    [DROP] = "DELETE FROM erasure WHERE subject = ?1",
    [PURGE] = "DELETE FROM erasure WHERE at <= ?1",
};

void lb_serve_erasures_init(struct lb_serve_erasures *erasures)
{
    erasures->sql = (struct lb_serve_sql){.texts = sql, .num = NUM_STATEMENTS};
}

static lb_status bind(struct lb_stmt *stmt, const uint8_t subject[32], const char *by,
                      const char *basis, int64_t at)
{
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(subject, 32)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(by)));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(basis)));
    return lb_stmt_bind_int(stmt, 4, at);
}

lb_status lb_serve_erasures_ask(struct lb_serve_erasures *erasures, struct lb_store *store,
                                const uint8_t subject[32], const char *by, const char *basis,
                                int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_run(&erasures->sql, store, PURGE, now_unix_s - LB_ERASURE_ASKED_S));
    LB_TRY(lb_serve_sql_get(&erasures->sql, store, ASK, &stmt));
    LB_TRY(bind(stmt, subject, by, basis, now_unix_s));
    return lb_stmt_run(stmt);
}

lb_status lb_serve_erasures_approve(struct lb_serve_erasures *erasures, struct lb_store *store,
                                    const uint8_t subject[32], const char *by, const char *basis,
                                    int64_t now_unix_s)
{
    struct lb_stmt *stmt = NULL;
    bool asked = false;
    LB_TRY(lb_serve_sql_get(&erasures->sql, store, FIND, &stmt));
    LB_TRY(bind(stmt, subject, by, basis, now_unix_s - LB_ERASURE_ASKED_S));
    lb_status status = lb_stmt_step(stmt, &asked);
    lb_stmt_reset(stmt);
    LB_TRY(status);
    LB_ENSURE(asked, LB_ERASURE_NOT_ASKED, "nobody else has asked for it");
    return LB_OK;
}

lb_status lb_serve_erasures_done(struct lb_serve_erasures *erasures, struct lb_store *store,
                                 const uint8_t subject[32])
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&erasures->sql, store, DROP, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(subject, 32)));
    return lb_stmt_run(stmt);
}
