#include "adapters/serve/share_lapse.h"

enum statement { MAY_LAPSE, FREE_PERSONS, GIVE_UP, NUM_STATEMENTS };

/* A household of size 0 has runs that nobody can state again, since each states some persons. */
static const char *const texts[NUM_STATEMENTS] = {
    [MAY_LAPSE] =
        "SELECT NOT EXISTS(SELECT 1 FROM share_run AS r JOIN share_household AS h"
        "  ON h.id = r.household WHERE r.household = ?1"
        "  AND (SELECT count(DISTINCT person) FROM share WHERE run = r.id) >= h.size)"
        " AND NOT EXISTS(SELECT 1 FROM share_run AS r JOIN share_place AS p ON p.run = r.id"
        "  WHERE r.household = ?1 AND p.at > ?2)",
    [FREE_PERSONS] = "DELETE FROM share_person WHERE household = ?1",
    [GIVE_UP] = "UPDATE share_household SET size = 0 WHERE id = ?1",
};

void lb_share_lapse_init(struct lb_serve_sql *sql)
{
    *sql = (struct lb_serve_sql){.texts = texts, .num = NUM_STATEMENTS};
}

lb_status lb_share_may_lapse(struct lb_serve_sql *sql, struct lb_store *store, int64_t household,
                             int64_t since_unix_s, bool *out_may)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_serve_sql_get(sql, store, MAY_LAPSE, &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, household));
    LB_TRY(lb_stmt_bind_int(stmt, 2, since_unix_s));
    LB_TRY(lb_stmt_step(stmt, &row));
    *out_may = row && household != 0 && lb_stmt_int(stmt, 0) == 1;
    lb_stmt_reset(stmt);
    return LB_OK;
}

lb_status lb_share_lapse(struct lb_serve_sql *sql, struct lb_store *store, int64_t household)
{
    LB_TRY(lb_serve_sql_run(sql, store, FREE_PERSONS, household));
    return lb_serve_sql_run(sql, store, GIVE_UP, household);
}
