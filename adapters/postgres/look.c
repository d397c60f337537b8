#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/postgres/inside.h"
#include "gateway/base/buf.h"

/* What the database says of itself, for the person who writes views. */

#define LOOK_MS 10000
#define MAX_EXPLAIN_BYTES 4096

static const char tables[] =
    "SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
    "  EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisvalid"
    "    AND i.indkey[0] = a.attnum AND i.indpred IS NULL),"
    "  CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE a.atttypid END,"
    "  CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END"
    " FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    "   AND NOT a.attisdropped"
    " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition"
    "   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    "   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    "   AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')"
    " ORDER BY 1, 2, a.attnum LIMIT 20000";

lb_status lb_postgres_describe(struct lb_source_stmt *stmt, struct lb_arena *arena,
                               struct lb_source_shape *out_shape)
{
    const char **types = lb_arena_array(arena, stmt->given.num, sizeof(*types));
    LB_ENSURE(types != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < stmt->given.num; i++)
        LB_TRY(lb_postgres_type_name(&stmt->columns[i], arena, &types[i]));
    *out_shape = (struct lb_source_shape){stmt->given.num, stmt->given.names, types};
    return LB_OK;
}

/* Whether a line of a plan looks up one of the person's marks, "$2" and not "$21". */
static bool mentions(const char *line, const struct lb_source_stmt *stmt)
{
    for (size_t i = 0; i < stmt->text.num_marks; i++) {
        char mark[8];
        int len = snprintf(mark, sizeof(mark), "$%zu", i + 1);
        if (strcmp(stmt->text.names[i], "id_no") != 0)
            continue;
        for (const char *at = line; (at = strstr(at, mark)) != NULL; at += len)
            if (at[len] < '0' || at[len] > '9')
                return true;
    }
    return false;
}

static enum lb_source_lookup judge(const PGresult *plan, const struct lb_source_stmt *stmt)
{
    for (int i = 0; i < PQntuples(plan); i++) {
        const char *line = PQgetvalue(plan, i, 0);
        if (strstr(line, "Index Cond:") != NULL && mentions(line, stmt))
            return LB_SOURCE_LOOKUP_INDEX;
    }
    return LB_SOURCE_LOOKUP_SCAN;
}

static lb_status explain(struct lb_source_stmt *stmt, int64_t until_ms, PGresult **out)
{
    uint8_t text[MAX_EXPLAIN_BYTES];
    struct lb_buf buf;
    lb_buf_over(&buf, text, sizeof(text));
    lb_buf_printf(&buf, "EXPLAIN (COSTS OFF) EXECUTE %s(", stmt->name);
    for (size_t i = 0; i < stmt->text.num_marks; i++)
        lb_buf_put_str(&buf, "NULL, ");
    lb_buf_put_str(&buf, "1)");
    lb_buf_put_u8(&buf, 0);
    LB_TRY(lb_buf_check(&buf));
    return lb_postgres_ask(stmt->source, (const char *)text, NULL, 0, until_ms, out);
}

static lb_status set(struct lb_source *source, const char *text, int64_t until_ms)
{
    LB_DEFER(lb_postgres_clear) PGresult *result = NULL;
    return lb_postgres_ask(source, text, NULL, 0, until_ms, &result);
}

/* A small table is read whole even where there is an index; the plan is asked for as if it were
 * large. */
lb_status lb_postgres_lookup(struct lb_source_stmt *stmt, enum lb_source_lookup *out_lookup)
{
    LB_DEFER(lb_postgres_clear) PGresult *plan = NULL;
    struct lb_source *source = stmt->source;
    int64_t until_ms = lb_postgres_now_ms() + LOOK_MS;
    LB_TRY(set(source, "SET plan_cache_mode = force_generic_plan", until_ms));
    LB_TRY(set(source, "SET enable_seqscan = off", until_ms));
    lb_status status = explain(stmt, until_ms, &plan);
    LB_TRY(set(source, "RESET enable_seqscan", until_ms));
    LB_TRY(set(source, "RESET plan_cache_mode", until_ms));
    LB_TRY(status);
    *out_lookup = judge(plan, stmt);
    return LB_OK;
}

static enum lb_source_want best(const PGresult *result, int row)
{
    static const enum lb_source_want order[] = {
        LB_SOURCE_WANT_TEXT, LB_SOURCE_WANT_DATE, LB_SOURCE_WANT_INT, LB_SOURCE_WANT_CENTS};
    struct lb_diag diag;
    struct lb_postgres_column column = {
        .name = "",
        .type = (Oid)strtoul(PQgetvalue(result, row, 5), NULL, 10),
        .modifier = (int)strtol(PQgetvalue(result, row, 6), NULL, 10),
    };
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (lb_postgres_column(order[i], &diag, &column) == LB_OK)
            return order[i];
    return LB_SOURCE_WANT_ANY;
}

static lb_status copy_text(const PGresult *result, int row, int column, struct lb_arena *arena,
                           const char **out)
{
    *out = lb_arena_str(arena, lb_span_str(PQgetvalue(result, row, column)));
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

lb_status lb_postgres_catalog(struct lb_source *source, struct lb_arena *arena,
                              struct lb_source_catalog *out_catalog)
{
    LB_DEFER(lb_postgres_clear) PGresult *result = NULL;
    LB_TRY(lb_postgres_ask(source, tables, NULL, 0, lb_postgres_now_ms() + LOOK_MS, &result));
    size_t num = (size_t)PQntuples(result);
    struct lb_source_listed *columns = lb_arena_array(arena, num, sizeof(*columns));
    LB_ENSURE(columns != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        int row = (int)i;
        LB_TRY(copy_text(result, row, 0, arena, &columns[i].schema));
        LB_TRY(copy_text(result, row, 1, arena, &columns[i].table));
        LB_TRY(copy_text(result, row, 2, arena, &columns[i].column));
        LB_TRY(copy_text(result, row, 3, arena, &columns[i].type));
        columns[i].indexed = strcmp(PQgetvalue(result, row, 4), "t") == 0;
        columns[i].want = best(result, row);
    }
    *out_catalog = (struct lb_source_catalog){num, columns, "\""};
    return LB_OK;
}
