#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/api/cells.h"
#include "adapters/postgres/inside.h"
#include "gateway/base/limits.h"

/* Reading: parameters are bound as values of the extended protocol, rows come one at a time. */

#define STEP_MS 1000
#define SPARE_MS 1000  /* the server's own limit lies behind ours */
#define SETTLE_MS 2000 /* how long what was given up may take to end */

/* What a read binds. */
struct bound {
    const char *values[LB_SOURCE_MAX_MARKS + 1];
    char max_rows[24];
};

static lb_status bind(const struct lb_source_stmt *stmt, const struct lb_source_param *params,
                      size_t num_params, const struct lb_source_limits *limits,
                      struct lb_arena *arena, struct bound *out)
{
    for (size_t i = 0; i < stmt->text.num_marks; i++) {
        const struct lb_source_param *param =
            lb_source_find_param(params, num_params, stmt->text.names[i]);
        LB_ENSURE(param != NULL, LB_INTERNAL, "the caller lacks a parameter of the query");
        out->values[i] = lb_arena_str(arena, param->value);
        LB_ENSURE(out->values[i] != NULL, LB_NO_MEMORY, "arena full");
    }
    (void)snprintf(out->max_rows, sizeof(out->max_rows), "%zu", limits->max_rows + 1);
    out->values[stmt->text.num_marks] = out->max_rows;
    return LB_OK;
}

/* After a read that was given up the server is told to cancel; its answer to that comes first. */
static lb_status settle(struct lb_source *source, int64_t until_ms)
{
    int64_t settled_ms = lb_postgres_now_ms() + SETTLE_MS;
    PGresult *result = NULL;
    if (!source->broken)
        return LB_OK;
    do {
        PQclear(result);
        result = NULL;
        int64_t end_ms = settled_ms < until_ms ? settled_ms : until_ms;
        LB_TRY(lb_postgres_next(source, end_ms, &result));
    } while (result != NULL);
    source->broken = false;
    return LB_OK;
}

/* The server ends by itself what nobody waits for any more, also when our word to it got lost. Set
 * in steps, so that it is seldom set at all. */
static lb_status limit_server(struct lb_source *source, int64_t timeout_ms, int64_t until_ms)
{
    char text[64];
    LB_DEFER(lb_postgres_clear) PGresult *result = NULL;
    int64_t limit_ms = (timeout_ms + STEP_MS - 1) / STEP_MS * STEP_MS + SPARE_MS;
    if (limit_ms == source->server_limit_ms)
        return LB_OK;
    (void)snprintf(text, sizeof(text), "SET statement_timeout = %lld", (long long)limit_ms);
    LB_TRY(lb_postgres_ask(source, text, NULL, 0, until_ms, &result));
    source->server_limit_ms = limit_ms;
    return LB_OK;
}

/* A table that was changed meanwhile shows in the types of what comes. */
static lb_status check_types(const struct lb_source_stmt *stmt, const PGresult *result)
{
    LB_ENSURE((size_t)PQnfields(result) == stmt->given.num, LB_SOURCE_CHANGED,
              "another number of columns");
    for (size_t i = 0; i < stmt->given.num; i++) {
        const struct lb_postgres_column *column = &stmt->columns[i];
        LB_ENSURE(column->how == LB_POSTGRES_NOTHING ||
                      (PQftype(result, (int)i) == column->type &&
                       (!column->bounded || column->null_is_empty ||
                        PQfmod(result, (int)i) == column->modifier)),
                  LB_SOURCE_CHANGED, "a column of another type");
    }
    return LB_OK;
}

static lb_status copy_row(const struct lb_source_stmt *stmt, const PGresult *result,
                          const struct lb_source_taken *taken, struct lb_source_rows *rows)
{
    struct lb_source_cell *row = NULL;
    LB_TRY(lb_source_rows_next(rows, &row));
    for (size_t i = 0; i < taken->num; i++) {
        const struct lb_postgres_column *column = &stmt->columns[taken->at[i]];
        int at = (int)taken->at[i];
        if (PQgetisnull(result, 0, at) != 0)
            continue;
        struct lb_span text =
            lb_span_of(PQgetvalue(result, 0, at), (size_t)PQgetlength(result, 0, at));
        LB_TRY(lb_postgres_cell(column, text, rows->arena, &row[i]));
        if (column->empty)
            lb_source_cell_empty(text, &row[i]);
    }
    return LB_OK;
}

static lb_status take_result(const struct lb_source_stmt *stmt, const PGresult *result,
                             const struct lb_source_taken *taken, struct lb_source_rows *rows)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        LB_TRY(check_types(stmt, result));
        return copy_row(stmt, result, taken, rows);
    case PGRES_TUPLES_OK:
        return check_types(stmt, result);
    default:
        return lb_postgres_failure(stmt->source, result);
    }
}

/* The first thing wrong counts; what comes behind it is taken off the line all the same. */
static lb_status copy_rows(struct lb_source_stmt *stmt, int64_t until_ms,
                           const struct lb_source_taken *taken, struct lb_source_rows *rows)
{
    lb_status wrong = LB_OK;
    for (;;) {
        PGresult *result = NULL;
        LB_TRY(lb_postgres_next(stmt->source, until_ms, &result));
        if (result == NULL)
            return wrong;
        if (wrong == LB_OK)
            wrong = take_result(stmt, result, taken, rows);
        PQclear(result);
    }
}

static lb_status run(struct lb_source_stmt *stmt, const struct bound *bound,
                     const struct lb_source_limits *limits, const struct lb_source_taken *taken,
                     struct lb_source_rows *rows)
{
    struct lb_source *source = stmt->source;
    int64_t until_ms = lb_postgres_now_ms() + limits->timeout_ms;
    LB_TRY(settle(source, until_ms));
    LB_TRY(limit_server(source, limits->timeout_ms, until_ms));
    LB_ENSURE(PQsendQueryPrepared(source->conn, stmt->name, (int)stmt->text.num_marks + 1,
                                  bound->values, NULL, NULL, 0) == 1 &&
                  PQsetSingleRowMode(source->conn) == 1,
              LB_SOURCE_UNAVAILABLE, "connection lost");
    return copy_rows(stmt, until_ms, taken, rows);
}

/* A cancel that came too early or too late for the last read does not end this one. */
static void begin(struct lb_source *source)
{
    uint64_t count = 0;
    atomic_store(&source->cancelled, false);
    ssize_t got = read(source->wake, &count, sizeof(count));
    (void)got;
    atomic_store(&source->reading, true);
}

lb_status lb_postgres_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                           size_t num_params, const struct lb_source_limits *limits,
                           struct lb_arena *arena, struct lb_source_result *out_result)
{
    struct lb_source *source = stmt->source;
    struct bound bound;
    struct lb_source_taken taken;
    LB_TRY(lb_source_columns_take(&stmt->given, limits, arena, &taken));
    struct lb_source_rows rows = {
        .num_columns = taken.num, .max_rows = limits->max_rows, .arena = arena};
    LB_TRY(bind(stmt, params, num_params, limits, arena, &bound));
    LB_ENSURE(limits->timeout_ms > 0, LB_SOURCE_TIMEOUT, "no time is left for the query");
    begin(source);
    lb_status status = run(stmt, &bound, limits, &taken, &rows);
    atomic_store(&source->reading, false);
    if (lb_status_code(status) == LB_SOURCE_TIMEOUT && !source->broken)
        lb_postgres_give_up(source);
    LB_TRY(status);
    *out_result = (struct lb_source_result){
        .num_columns = taken.num,
        .columns = taken.names,
        .num_rows = rows.num,
        .cells = rows.cells,
    };
    return LB_OK;
}
