#ifndef ADAPTERS_POSTGRES_INSIDE_H
#define ADAPTERS_POSTGRES_INSIDE_H

#include <postgresql/libpq-fe.h>

#include "adapters/api/columns.h"
#include "adapters/api/query.h"
#include "adapters/postgres/postgres.h"

/* What the files of this folder share. */

/* How a column's text becomes a cell. */
enum lb_postgres_how {
    LB_POSTGRES_NOTHING,  /* not read: no field uses it, and it has no cell */
    LB_POSTGRES_TEXT,
    LB_POSTGRES_ASCII,    /* text of a database that does not know its encoding */
    LB_POSTGRES_BOOL,
    LB_POSTGRES_WHOLE,    /* an integer, or a decimal without places */
    LB_POSTGRES_CENTS,    /* yuan with places */
    LB_POSTGRES_DATE,
    LB_POSTGRES_MONTH,
};

struct lb_postgres_column {
    const char *name;
    Oid type;
    int modifier;
    enum lb_postgres_how how;
    bool bounded;   /* by its type, to LB_MAX_VALUE_BYTES */
    bool empty, null_is_empty;  /* as lb_source_column has them */
};

struct lb_source {
    PGconn *conn;
    struct lb_arena *arena;    /* statements */
    int wake;                  /* an eventfd that ends a wait */
    atomic_bool cancelled;
    atomic_bool reading;
    const atomic_bool *stopping;
    int64_t server_limit_ms;   /* statement_timeout in force */
    bool broken;               /* the server may still be at work on what was given up */
    unsigned num_statements;
};

struct lb_source_stmt {
    struct lb_source *source;
    char name[16];
    struct lb_source_text text;   /* its parameters' names */
    struct lb_source_columns given;
    struct lb_postgres_column *columns;  /* of each */
};

/* lb_postgres_now_ms is the monotonic clock. */
int64_t lb_postgres_now_ms(void);

/* lb_postgres_wait waits for the connection's socket until a time of the monotonic clock.
 * SOURCE_TIMEOUT past it and when cancelled, SOURCE_UNAVAILABLE when the socket is gone or the
 * adapter stops. */
LB_MUST lb_status lb_postgres_wait(struct lb_source *source, bool for_writing, int64_t until_ms);

/* lb_postgres_connect opens source->conn; the statuses of a plugin's open, with a sentence. */
LB_MUST lb_status lb_postgres_connect(struct lb_source *source,
                                      const struct lb_source_options *options, int64_t until_ms,
                                      struct lb_diag *diag);

/* lb_postgres_check_account refuses with SOURCE_WRITABLE an account that could do more than read,
 * with a sentence of what it could. */
LB_MUST lb_status lb_postgres_check_account(struct lb_source *source, int64_t until_ms,
                                            struct lb_diag *diag);

/* lb_postgres_next gives the next result of what was sent, NULL behind the last; the caller clears
 * it. SOURCE_TIMEOUT, SOURCE_UNAVAILABLE. */
LB_MUST lb_status lb_postgres_next(struct lb_source *source, int64_t until_ms, PGresult **out);

/* lb_postgres_finish gives the last result of what was sent, having dropped the others. */
LB_MUST lb_status lb_postgres_finish(struct lb_source *source, int64_t until_ms, PGresult **out);

/* lb_postgres_ask runs one statement of this folder's own, text parameters only. */
LB_MUST lb_status lb_postgres_ask(struct lb_source *source, const char *text,
                                  const char *const *values, int num_values, int64_t until_ms,
                                  PGresult **out);

/* lb_postgres_give_up tells the server to end what it does, and marks the connection. */
void lb_postgres_give_up(struct lb_source *source);

/* lb_postgres_failure is what a result or the connection says, in the words of the contract. */
LB_MUST lb_status lb_postgres_failure(const struct lb_source *source, const PGresult *result);

/* lb_postgres_clear is PQclear for LB_DEFER. */
void lb_postgres_clear(PGresult **result);

/* lb_postgres_column says how a column is read for what the view makes of it: CONFIG_INVALID with a
 * sentence when it is not. */
LB_MUST lb_status lb_postgres_column(enum lb_source_want want, struct lb_diag *diag,
                                     struct lb_postgres_column *column);

/* lb_postgres_type_name is a column's type in words; NO_MEMORY. */
LB_MUST lb_status lb_postgres_type_name(const struct lb_postgres_column *column,
                                        struct lb_arena *arena, const char **out);

/* lb_postgres_check_param refuses a parameter that the server would read as something other than
 * text or a date. */
LB_MUST lb_status lb_postgres_check_param(Oid type, const char *name, struct lb_diag *diag);

/* lb_postgres_cell fills one cell, which is NULL, from the text of a column. NO_MEMORY. */
LB_MUST lb_status lb_postgres_cell(const struct lb_postgres_column *column, struct lb_span text,
                                   struct lb_arena *arena, struct lb_source_cell *out);

/* These are the plugin's functions of the same names. */
LB_MUST lb_status lb_postgres_prepare(struct lb_source *source,
                                      const struct lb_source_query *query, struct lb_diag *diag,
                                      struct lb_source_stmt **out_stmt);
LB_MUST lb_status lb_postgres_read(struct lb_source_stmt *stmt,
                                   const struct lb_source_param *params, size_t num_params,
                                   const struct lb_source_limits *limits, struct lb_arena *arena,
                                   struct lb_source_result *out_result);
LB_MUST lb_status lb_postgres_describe(struct lb_source_stmt *stmt, struct lb_arena *arena,
                                       struct lb_source_shape *out_shape);
LB_MUST lb_status lb_postgres_lookup(struct lb_source_stmt *stmt,
                                     enum lb_source_lookup *out_lookup);
LB_MUST lb_status lb_postgres_catalog(struct lb_source *source, struct lb_arena *arena,
                                      struct lb_source_catalog *out_catalog);

#endif
