#ifndef ADAPTERS_ODBC_INSIDE_H
#define ADAPTERS_ODBC_INSIDE_H

#include <sql.h>
#include <sqlext.h>

#include "adapters/api/cells.h"
#include "adapters/api/columns.h"
#include "adapters/api/query.h"
#include "adapters/odbc/lane.h"
#include "adapters/odbc/odbc.h"

/* What the files of this folder share. */

#define LB_ODBC_PARAM_BYTES 64
#define LB_ODBC_NAMES 2

/* What is known of a DBMS. */
struct lb_odbc_dbms {
    const char *names[LB_ODBC_NAMES];  /* as SQL_DBMS_NAME begins; "" for any other */
    struct lb_source_dialect dialect;
    const char *const *settings;  /* statements for each session, NULL-terminated */
    const char *powers;           /* adapters/api/powers.h; NULL: it can't be asked */
    const char *session;          /* a query for the session's number, and what ends its query */
    const char *kill;             /* from another session; NULL: the driver's own cancel does */
    bool empty_is_null;           /* '' is kept as NULL, and can't be told from it */
    bool exact_places;            /* a decimal's text has all places of its type, so that one with
                                     fewer is of a type that the driver made up */
};

/* How a column's text becomes a cell. */
enum lb_odbc_how {
    LB_ODBC_NOTHING,
    LB_ODBC_TEXT,
    LB_ODBC_WHOLE,
    LB_ODBC_CENTS,
    LB_ODBC_DATE,
    LB_ODBC_MONTH,
};

struct lb_odbc_column {
    const char *name;
    SQLSMALLINT type;
    SQLULEN size;
    SQLSMALLINT places;
    enum lb_odbc_how how;
    bool empty, null_is_empty;  /* as lb_source_column has them */
};

/* All that a driver's calls touch: it belongs to the lane. */
struct lb_odbc_core {
    SQLHENV env;
    SQLHDBC dbc;
    bool connected;
    const struct lb_odbc_dbms *dbms;
    struct lb_arena *arena;       /* statements */
    struct lb_source_stmt *stmts; /* all that have a handle */
    struct lb_diag said;          /* by the work that failed */
    char session[32];             /* its number at the server */
    /* the work in hand */
    char *location;               /* with the password; wiped in the end */
    bool read_only_checked;
    struct lb_source_query query;
    struct lb_source_stmt *stmt;
    char values[LB_SOURCE_MAX_MARKS][LB_ODBC_PARAM_BYTES];
    SQLLEN lengths[LB_SOURCE_MAX_MARKS];
    size_t max_rows;
    int64_t timeout_ms;
    struct lb_arena *rows_arena;
    size_t *taken;                /* which columns, as many as the rows have */
    struct lb_source_rows rows;
    struct lb_arena *look_arena;  /* NULL until the database is first looked at */
    struct lb_source_catalog catalog;
    enum lb_source_lookup lookup;
};

struct lb_source_stmt {
    struct lb_source *source;
    struct lb_odbc_core *core;
    SQLHSTMT handle;
    struct lb_source_stmt *next;
    const char *query;            /* as the view has it */
    struct lb_source_text text;
    struct lb_source_columns given;
    struct lb_odbc_column *columns;  /* of each */
};

/* lb_odbc_dbms_of finds what is known of a DBMS; never NULL. */
const struct lb_odbc_dbms *lb_odbc_dbms_of(const char *name);

/* lb_odbc_location checks a connection string and puts the password behind it: CONFIG_INVALID with
 * a sentence. The result is on the heap and to be wiped. */
LB_MUST lb_status lb_odbc_location(const struct lb_source_options *options, struct lb_diag *diag,
                                   char **out_location);

/* Wide text is UTF-16. lb_odbc_wide makes some from UTF-8, with a NUL behind; lb_odbc_narrow makes
 * UTF-8 from some, ABSENT when it is not well formed. NO_MEMORY. */
LB_MUST lb_status lb_odbc_wide(const char *text, struct lb_arena *arena, SQLWCHAR **out);
LB_MUST lb_status lb_odbc_narrow(const SQLWCHAR *wide, size_t len, struct lb_arena *arena,
                                 struct lb_span *out);

/* lb_odbc_column_how says how a column is read for what the view makes of it: CONFIG_INVALID with a
 * sentence when it is not. */
LB_MUST lb_status lb_odbc_column_how(enum lb_source_want want, struct lb_diag *diag,
                                     struct lb_odbc_column *column);
/* lb_odbc_column_empty says what becomes of '' and NULL in a column; NULL: nothing. CONFIG_INVALID
 * with a sentence when the view wants to tell them apart and the DBMS does not. */
LB_MUST lb_status lb_odbc_column_empty(const struct lb_source_column *wanted,
                                       const struct lb_odbc_dbms *dbms, struct lb_diag *diag,
                                       struct lb_odbc_column *column);
/* lb_odbc_type_name is a column's type in words; NO_MEMORY. */
LB_MUST lb_status lb_odbc_type_name(const struct lb_odbc_column *column, struct lb_arena *arena,
                                    const char **out);
/* lb_odbc_cell fills one cell, which is NULL, from the text of a column. NO_MEMORY. */
LB_MUST lb_status lb_odbc_cell(const struct lb_source_stmt *stmt,
                               const struct lb_odbc_column *column, struct lb_span text,
                               struct lb_arena *arena, struct lb_source_cell *out);

/* Work for the lane: `own` is the core. */
lb_status lb_odbc_work_connect(void *own);
lb_status lb_odbc_work_prepare(void *own);
lb_status lb_odbc_work_read(void *own);
/* lb_odbc_work_catalog lists the tables into core->catalog, lb_odbc_work_lookup judges the
 * statement in hand into core->lookup. */
lb_status lb_odbc_work_catalog(void *own);
lb_status lb_odbc_work_lookup(void *own);
/* lb_odbc_work_cancel tells the server to end the statement in hand; it runs aside. */
void lb_odbc_work_cancel(void *own);
/* lb_odbc_core_free closes the connection and releases all. */
void lb_odbc_core_free(void *own);

/* lb_odbc_failure is what a handle says of its last failure, in the words of the contract. */
LB_MUST lb_status lb_odbc_failure(SQLSMALLINT kind, SQLHANDLE handle, struct lb_diag *diag);

#endif
