#include <stdio.h>
#include <string.h>

#include "adapters/api/cells.h"
#include "adapters/postgres/inside.h"
#include "gateway/base/buf.h"
#include "gateway/base/limits.h"

/* Preparing a query: once as the view has it, to learn its columns; then inside of another SELECT,
 * which leaves out what no cell is made of and cells that are too long, before they travel, and
 * bounds the rows. That the server accepts it there says that it is a query and nothing else. */

#define PREPARE_MS 10000
#define OWN_MARKS 1  /* the number of rows */

static const struct lb_source_dialect dialect = {.marks = LB_SOURCE_DOLLAR_MARKS, .dollar = true};

static lb_status refuse(const PGresult *result, struct lb_diag *diag)
{
    const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    lb_diag_set(diag, "the query does not compile: %.700s", said == NULL ? "no reason" : said);
    LB_FAIL(LB_CONFIG_INVALID, "query that does not compile");
}

/* What has to do with the query is its author's to mend; the rest may be otherwise tomorrow: a lock
 * that somebody holds, a server that stops or has no room. */
static lb_status judge(const struct lb_source *source, const PGresult *result,
                       struct lb_diag *diag)
{
    static const char *const passing[] = {"40", "53", "55", "57", "58", "XX"};
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (PQresultStatus(result) == PGRES_COMMAND_OK)
        return LB_OK;
    bool passes = state == NULL || PQstatus(source->conn) != CONNECTION_OK;
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]) && !passes; i++)
        passes = strncmp(state, passing[i], 2) == 0;
    return passes ? lb_postgres_failure(source, result) : refuse(result, diag);
}

static lb_status compile(struct lb_source *source, const char *name, const char *text,
                         int64_t until_ms, struct lb_diag *diag, PGresult **out_described)
{
    LB_DEFER(lb_postgres_clear) PGresult *parsed = NULL;
    LB_DEFER(lb_postgres_clear) PGresult *described = NULL;
    LB_ENSURE(PQsendPrepare(source->conn, name, text, 0, NULL) == 1, LB_SOURCE_UNAVAILABLE,
              "connection lost");
    LB_TRY(lb_postgres_finish(source, until_ms, &parsed));
    LB_TRY(judge(source, parsed, diag));
    LB_ENSURE(PQsendDescribePrepared(source->conn, name) == 1, LB_SOURCE_UNAVAILABLE,
              "connection lost");
    LB_TRY(lb_postgres_finish(source, until_ms, &described));
    LB_TRY(judge(source, described, diag));
    *out_described = described;
    described = NULL;
    return LB_OK;
}

static lb_status check_params(const struct lb_source_stmt *stmt, const PGresult *described,
                              size_t extra, struct lb_diag *diag)
{
    LB_ENSURE((size_t)PQnparams(described) == stmt->text.num_marks + extra, LB_CONFIG_INVALID,
              "another number of parameters");
    for (size_t i = 0; i < stmt->text.num_marks; i++)
        LB_TRY(lb_postgres_check_param(PQparamtype(described, (int)i), stmt->text.names[i], diag));
    return LB_OK;
}

/* The server converts what it knows the encoding of, and hands out the rest as bytes. */
static bool knows_encoding(const struct lb_source *source)
{
    const char *encoding = PQparameterStatus(source->conn, "server_encoding");
    return encoding != NULL && strcmp(encoding, "SQL_ASCII") != 0;
}

static lb_status read_columns(struct lb_source_stmt *stmt, const struct lb_source_query *query,
                              const PGresult *described, struct lb_diag *diag)
{
    struct lb_arena *arena = stmt->source->arena;
    size_t num = (size_t)PQnfields(described);
    const char **names = lb_arena_array(arena, num, sizeof(*names));
    stmt->columns = lb_arena_array(arena, num, sizeof(*stmt->columns));
    LB_ENSURE(stmt->columns != NULL && names != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        struct lb_postgres_column *column = &stmt->columns[i];
        names[i] = lb_arena_str(arena, lb_span_str(PQfname(described, (int)i)));
        LB_ENSURE(names[i] != NULL, LB_NO_MEMORY, "arena full");
        *column = (struct lb_postgres_column){.name = names[i],
                                              .type = PQftype(described, (int)i),
                                              .modifier = PQfmod(described, (int)i)};
    }
    LB_TRY(lb_source_check_columns(query, names, num, diag));
    LB_TRY(lb_source_columns_make(names, num, arena, &stmt->given));
    bool knows = knows_encoding(stmt->source);
    for (size_t i = 0; i < num; i++) {
        struct lb_postgres_column *column = &stmt->columns[i];
        LB_TRY(lb_postgres_column(lb_source_want_of(query, column->name), diag, column));
        if (column->how == LB_POSTGRES_TEXT && !knows)
            column->how = LB_POSTGRES_ASCII;
        const struct lb_source_column *wanted = lb_source_column_of(query, column->name);
        column->empty = wanted != NULL && wanted->empty;
        column->null_is_empty = wanted != NULL && wanted->null_is_empty;
    }
    return LB_OK;
}

/* Here alone a NULL of the table's can be told from one that stands for what is too long. */
static void put_case(const struct lb_postgres_column *column, const char *name, struct lb_buf *buf)
{
    lb_buf_put_str(buf, "CASE ");
    if (column->null_is_empty)
        lb_buf_printf(buf, "WHEN q.%s IS NULL THEN '' ", name);
    lb_buf_printf(buf, "WHEN pg_catalog.octet_length(q.%s) <= %d THEN q.%s END AS %s", name,
                  LB_MAX_VALUE_BYTES, name, name);
}

static lb_status put_column(struct lb_source *source, const struct lb_postgres_column *column,
                            struct lb_buf *buf)
{
    char *name = PQescapeIdentifier(source->conn, column->name, strlen(column->name));
    LB_ENSURE(name != NULL, LB_NO_MEMORY, "memory is exhausted");
    if (column->how == LB_POSTGRES_NOTHING)
        lb_buf_printf(buf, "NULL AS %s", name);
    else if (column->bounded && !column->null_is_empty)
        lb_buf_printf(buf, "q.%s", name);
    else
        put_case(column, name, buf);
    PQfreemem(name);
    return LB_OK;
}

static lb_status wrap(const struct lb_source_stmt *stmt, struct lb_buf *buf)
{
    lb_buf_put_str(buf, "SELECT ");
    for (size_t i = 0; i < stmt->given.num; i++) {
        lb_buf_put_str(buf, i == 0 ? "" : ", ");
        LB_TRY(put_column(stmt->source, &stmt->columns[i], buf));
    }
    lb_buf_printf(buf, " FROM (%s\n) AS q LIMIT $%zu", stmt->text.text, stmt->text.num_marks + 1);
    lb_buf_put_u8(buf, 0);
    return lb_buf_check(buf);
}

static lb_status compile_wrapped(struct lb_source_stmt *stmt, int64_t until_ms,
                                 struct lb_diag *diag)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    LB_DEFER(lb_postgres_clear) PGresult *described = NULL;
    lb_buf_init(&buf, LB_MAX_MESSAGE_BYTES);
    LB_TRY(wrap(stmt, &buf));
    (void)snprintf(stmt->name, sizeof(stmt->name), "lb%u", stmt->source->num_statements++);
    LB_TRY(compile(stmt->source, stmt->name, (const char *)buf.ptr, until_ms, diag, &described));
    return check_params(stmt, described, OWN_MARKS, diag);
}

lb_status lb_postgres_prepare(struct lb_source *source, const struct lb_source_query *query,
                              struct lb_diag *diag, struct lb_source_stmt **out_stmt)
{
    LB_DEFER(lb_postgres_clear) PGresult *described = NULL;
    int64_t until_ms = lb_postgres_now_ms() + PREPARE_MS;
    struct lb_source_stmt *stmt = lb_arena_alloc(source->arena, sizeof(*stmt));
    LB_ENSURE(stmt != NULL, LB_NO_MEMORY, "arena full");
    LB_ENSURE(!source->broken, LB_SOURCE_UNAVAILABLE, "connection given up");
    stmt->source = source;
    LB_TRY(lb_source_translate(query->text, &dialect, source->arena, diag, &stmt->text));
    LB_TRY(compile(source, "", stmt->text.text, until_ms, diag, &described));
    LB_TRY(check_params(stmt, described, 0, diag));
    LB_TRY(read_columns(stmt, query, described, diag));
    LB_TRY(compile_wrapped(stmt, until_ms, diag));
    *out_stmt = stmt;
    return LB_OK;
}
