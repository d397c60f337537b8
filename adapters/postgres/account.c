#include "adapters/api/powers.h"
#include "adapters/postgres/inside.h"

static bool is_set(const struct lb_source *source, const char *name, const char *value)
{
    const char *found = PQparameterStatus(source->conn, name);
    return found != NULL && strcmp(found, value) == 0;
}

lb_status lb_postgres_check_account(struct lb_source *source, int64_t until_ms,
                                    struct lb_diag *diag)
{
    LB_DEFER(lb_postgres_clear) PGresult *result = NULL;
    LB_TRY(lb_postgres_ask(source, lb_source_postgres_powers, NULL, 0, until_ms, &result));
    if (PQntuples(result) > 0) {
        lb_diag_set(diag, "the database account %.200s; the adapter only reads: have the "
                          "administrator make an account with CONNECT, USAGE on the schema and "
                          "SELECT on the tables of the views, and nothing else",
                    PQgetvalue(result, 0, 0));
        LB_FAIL(LB_SOURCE_WRITABLE, "an account that can write");
    }
    if (!is_set(source, "client_encoding", "UTF8") ||
        !is_set(source, "standard_conforming_strings", "on") ||
        (PQserverVersion(source->conn) >= 140000 &&
         !is_set(source, "default_transaction_read_only", "on"))) {
        lb_diag_set(diag, "the server does not keep to the session's settings; a pooler in between "
                          "may be the reason, connect to the server itself");
        LB_FAIL(LB_CONFIG_INVALID, "session settings do not hold");
    }
    return LB_OK;
}
