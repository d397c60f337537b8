#include "adapters/postgres/inside.h"

/* What the account could do besides reading. The server is asked, not believed to be set up well: a
 * row is a power the account has, and none is what is wanted. Through a role it could take on, a
 * power counts as well. */
static const char powers[] =
    "WITH me AS (SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolname = current_user),"
    " roles AS (SELECT r.* FROM pg_catalog.pg_roles r, me"
    "  WHERE pg_catalog.pg_has_role(me.oid, r.oid, 'MEMBER')),"
    " tables AS (SELECT c.oid, c.relowner, c.relkind,"
    "   pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name"
    "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    "  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
    "   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')"
    " SELECT 'is a superuser, or may become one' FROM roles WHERE rolsuper"
    " UNION ALL SELECT 'may make roles or databases, replicate, or pass over row security'"
    "  FROM roles WHERE rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
    " UNION ALL SELECT 'is a member of ' || rolname FROM roles WHERE rolname IN"
    "  ('pg_write_all_data', 'pg_write_server_files', 'pg_read_server_files',"
    "   'pg_execute_server_program', 'pg_signal_backend', 'pg_database_owner')"
    " UNION ALL SELECT 'takes on another role at its login' WHERE session_user <> current_user"
    " UNION ALL SELECT 'owns the database' FROM pg_catalog.pg_database d, me"
    "  WHERE d.datname = pg_catalog.current_database()"
    "   AND pg_catalog.pg_has_role(me.oid, d.datdba, 'MEMBER')"
    " UNION ALL SELECT 'may make schemas in the database' FROM me WHERE"
    "  pg_catalog.has_database_privilege(me.oid, pg_catalog.current_database(), 'CREATE')"
    " UNION ALL SELECT 'may make tables in schema ' || n.nspname"
    "  FROM pg_catalog.pg_namespace n, me WHERE n.nspname !~ '^pg_'"
    "   AND pg_catalog.has_schema_privilege(me.oid, n.oid, 'CREATE')"
    "   AND NOT (n.nspname = 'public'"
    "    AND pg_catalog.current_setting('server_version_num')::int < 150000)"
    " UNION ALL SELECT 'owns ' || t.name FROM tables t, me"
    "  WHERE pg_catalog.pg_has_role(me.oid, t.relowner, 'MEMBER')"
    " UNION ALL SELECT 'may write ' || t.name FROM tables t, roles WHERE t.relkind <> 'S'"
    "   AND (pg_catalog.has_table_privilege(roles.oid, t.oid,"
    "     'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')"
    "    OR pg_catalog.has_any_column_privilege(roles.oid, t.oid, 'INSERT, UPDATE'))"
    " UNION ALL SELECT 'may move sequence ' || t.name FROM tables t, roles WHERE t.relkind = 'S'"
    "   AND pg_catalog.has_sequence_privilege(roles.oid, t.oid, 'USAGE, UPDATE')"
    " LIMIT 1";

static bool is_set(const struct lb_source *source, const char *name, const char *value)
{
    const char *found = PQparameterStatus(source->conn, name);
    return found != NULL && strcmp(found, value) == 0;
}

lb_status lb_postgres_check_account(struct lb_source *source, int64_t until_ms,
                                    struct lb_diag *diag)
{
    LB_DEFER(lb_postgres_clear) PGresult *result = NULL;
    LB_TRY(lb_postgres_ask(source, powers, NULL, 0, until_ms, &result));
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
