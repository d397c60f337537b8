#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/odbc/inside.h"
#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"

/* The driver's calls, on the lane's thread. */

#define CONNECT_S 5
#define MAX_NAME 256
#define UNKNOWN_HOST 2005  /* MySQL's and MariaDB's number */
#define CELL_UNITS (LB_MAX_VALUE_BYTES + 2)

/* PostgreSQL's states, MySQL's numbers: no room on the disk, no connection or thread left. */
static bool is_full(const char *state, SQLINTEGER native)
{
    static const SQLINTEGER numbers[] = {1021, 1040, 1114, 1135, 1203, 1226};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (native == numbers[i])
            return true;
    return strncmp(state, "53", 2) == 0;
}

lb_status lb_odbc_failure(SQLSMALLINT kind, SQLHANDLE handle, struct lb_diag *diag)
{
    SQLCHAR state[6] = "";
    SQLCHAR text[512] = "";
    SQLINTEGER native = 0;
    SQLSMALLINT len = 0;
    (void)SQLGetDiagRec(kind, handle, 1, state, &native, text, sizeof(text), &len);
    if (diag != NULL)
        lb_diag_set(diag, "%.500s", (const char *)text);
    const char *is = (const char *)state;
    LB_ENSURE(strcmp(is, "HYT00") != 0 && strcmp(is, "HYT01") != 0 && strcmp(is, "HY008") != 0 &&
                  strcmp(is, "57014") != 0 && strcmp(is, "70100") != 0 &&
                  strcmp(is, "HY018") != 0,
              LB_SOURCE_TIMEOUT, "the server cancelled the query");
    LB_ENSURE(!is_full(is, native), LB_SOURCE_FULL, "the server has no room");
    LB_ENSURE(strncmp(is, "42", 2) != 0 && strncmp(is, "0A", 2) != 0, LB_SOURCE_CHANGED,
              "the query no longer fits the tables");
    LB_FAIL(LB_SOURCE_UNAVAILABLE, "the database failed");
}

static lb_status run_statement(struct lb_odbc_core *core, const char *text, bool *out_row,
                               char said[MAX_NAME])
{
    SQLHSTMT handle = SQL_NULL_HSTMT;
    SQLLEN len = 0;
    LB_ENSURE(SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, core->dbc, &handle)),
              LB_SOURCE_UNAVAILABLE, "no statement");
    lb_status status = LB_OK;
    SQLRETURN done = SQLExecDirect(handle, (SQLCHAR *)(uintptr_t)text, SQL_NTS);
    *out_row = false;
    if (!SQL_SUCCEEDED(done) && done != SQL_NO_DATA)
        status = lb_odbc_failure(SQL_HANDLE_STMT, handle, &core->said);
    else if (said != NULL && SQL_SUCCEEDED(SQLFetch(handle)))
        *out_row = SQL_SUCCEEDED(SQLGetData(handle, 1, SQL_C_CHAR, said, MAX_NAME, &len));
    (void)SQLFreeHandle(SQL_HANDLE_STMT, handle);
    return status;
}

static lb_status check_account(struct lb_odbc_core *core)
{
    char power[MAX_NAME] = "";
    bool found = false;
    if (core->dbms->powers == NULL) {
        if (core->read_only_checked)
            return LB_OK;
        lb_diag_set(&core->said, "this DBMS can't be asked what the account may do; have its "
                                 "administrator look, and write who did and when into "
                                 "read_only_checked");
        LB_FAIL(LB_CONFIG_INVALID, "an account that nobody checked");
    }
    LB_ENSURE(run_statement(core, core->dbms->powers, &found, power) == LB_OK,
              LB_SOURCE_UNAVAILABLE, "the account can't be checked");
    if (!found)
        return LB_OK;
    lb_diag_set(&core->said, "the database account %.200s; the adapter only reads: have the "
                             "administrator make an account with SELECT on the tables of the "
                             "views, and nothing else", power);
    LB_FAIL(LB_SOURCE_WRITABLE, "an account that can write");
}

static lb_status ask_session(struct lb_odbc_core *core)
{
    char number[MAX_NAME] = "";
    bool found = false;
    LB_TRY(run_statement(core, core->dbms->session, &found, number));
    size_t digits = strspn(number, "0123456789");
    LB_ENSURE(found && digits > 0 && digits < sizeof(core->session) && number[digits] == 0,
              LB_SOURCE_UNAVAILABLE, "the session has no number");
    memcpy(core->session, number, digits + 1);
    return LB_OK;
}

static lb_status set_up(struct lb_odbc_core *core)
{
    SQLCHAR name[MAX_NAME] = "";
    SQLSMALLINT len = 0;
    bool row = false;
    LB_ENSURE(SQL_SUCCEEDED(SQLGetInfo(core->dbc, SQL_DBMS_NAME, name, sizeof(name), &len)),
              LB_SOURCE_UNAVAILABLE, "the DBMS does not say its name");
    core->dbms = lb_odbc_dbms_of((const char *)name);
    for (const char *const *setting = core->dbms->settings; *setting != NULL; setting++)
        LB_ENSURE(run_statement(core, *setting, &row, NULL) == LB_OK, LB_SOURCE_UNAVAILABLE,
                  "the session can't be set up");
    if (core->dbms->session != NULL)
        LB_TRY(ask_session(core));
    return check_account(core);
}

static SQLPOINTER number(uintptr_t value)
{
    return (SQLPOINTER)value;
}

static lb_status allocate(struct lb_odbc_core *core)
{
    LB_ENSURE(SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &core->env)) &&
                  SQL_SUCCEEDED(SQLSetEnvAttr(core->env, SQL_ATTR_ODBC_VERSION,
                                              number(SQL_OV_ODBC3), 0)) &&
                  SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, core->env, &core->dbc)),
              LB_NO_MEMORY, "no ODBC handles");
    (void)SQLSetConnectAttr(core->dbc, SQL_ATTR_LOGIN_TIMEOUT, number(CONNECT_S), 0);
    (void)SQLSetConnectAttr(core->dbc, SQL_ATTR_ACCESS_MODE, number(SQL_MODE_READ_ONLY), 0);
    return LB_OK;
}

/* Drivers that pass a server's sentence on without its state say what is wrong in words alone. */
static bool tells(const char *text, const char *const words[])
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

/* Why there is no connection; the driver's own sentence names host and account. */
static lb_status why_not(const char *state, SQLINTEGER native, const char *text)
{
    static const char *const denied[] = {"authentication failed", "no password supplied",
                                         "pg_hba.conf", "认证失败", NULL};
    static const char *const full[] = {"too many connections", "too many clients",
                                       "connection slots are reserved", NULL};
    static const char *const nameless[] = {"could not translate host name", NULL};
    static const char *const driverless[] = {"Can't open lib", NULL};
    LB_ENSURE(strncmp(state, "IM", 2) != 0 && !tells(text, driverless), LB_SOURCE_NO_DRIVER,
              "there is no such driver, or data source");
    LB_ENSURE(strncmp(state, "28", 2) != 0 && !tells(text, denied), LB_SOURCE_DENIED,
              "the server refused the account");
    LB_ENSURE(native != UNKNOWN_HOST && !tells(text, nameless), LB_SOURCE_NO_HOST,
              "the server's name can't be resolved");
    LB_ENSURE(!is_full(state, native) && !tells(text, full), LB_SOURCE_FULL,
              "the server has no room");
    LB_FAIL(LB_SOURCE_UNAVAILABLE, "the database can't be reached");
}

static lb_status refused(struct lb_odbc_core *core)
{
    SQLCHAR state[6] = "";
    SQLCHAR text[512] = "";
    SQLINTEGER native = 0;
    SQLSMALLINT len = 0;
    (void)SQLGetDiagRec(SQL_HANDLE_DBC, core->dbc, 1, state, &native, text, sizeof(text), &len);
    lb_diag_set(&core->said, "the database can't be reached: %.600s; check that it runs, and "
                             "driver, server, account and password", (const char *)text);
    return why_not((const char *)state, native, (const char *)text);
}

lb_status lb_odbc_work_connect(void *own)
{
    struct lb_odbc_core *core = own;
    LB_TRY(allocate(core));
    SQLRETURN done = SQLDriverConnect(core->dbc, NULL, (SQLCHAR *)core->location, SQL_NTS, NULL, 0,
                                      NULL, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(done))
        return refused(core);
    core->connected = true;
    return set_up(core);
}

static lb_status describe_one(struct lb_source_stmt *stmt, size_t i, struct lb_odbc_column *out)
{
    SQLCHAR name[MAX_NAME] = "";
    SQLSMALLINT len = 0, nullable = 0;
    LB_ENSURE(SQL_SUCCEEDED(SQLDescribeCol(stmt->handle, (SQLUSMALLINT)(i + 1), name, sizeof(name),
                                           &len, &out->type, &out->size, &out->places, &nullable)),
              LB_SOURCE_UNAVAILABLE, "a column is not described");
    out->name = lb_arena_str(stmt->core->arena, lb_span_str((const char *)name));
    LB_ENSURE(out->name != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

static lb_status read_columns(struct lb_source_stmt *stmt)
{
    struct lb_odbc_core *core = stmt->core;
    SQLSMALLINT num = 0;
    LB_ENSURE(SQL_SUCCEEDED(SQLNumResultCols(stmt->handle, &num)) && num >= 0,
              LB_SOURCE_UNAVAILABLE, "the columns are not described");
    const char **names = lb_arena_array(core->arena, (size_t)num, sizeof(*names));
    stmt->columns = lb_arena_array(core->arena, (size_t)num, sizeof(*stmt->columns));
    LB_ENSURE(stmt->columns != NULL && names != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < (size_t)num; i++) {
        LB_TRY(describe_one(stmt, i, &stmt->columns[i]));
        names[i] = stmt->columns[i].name;
    }
    LB_TRY(lb_source_check_columns(&core->query, names, (size_t)num, &core->said));
    LB_TRY(lb_source_columns_make(names, (size_t)num, core->arena, &stmt->given));
    for (size_t i = 0; i < (size_t)num; i++) {
        struct lb_odbc_column *column = &stmt->columns[i];
        LB_TRY(lb_odbc_column_how(lb_source_want_of(&core->query, names[i]), &core->said, column));
        LB_TRY(lb_odbc_column_empty(lb_source_column_of(&core->query, names[i]), core->dbms,
                                    &core->said, column));
    }
    return LB_OK;
}

static lb_status bind_params(struct lb_source_stmt *stmt)
{
    struct lb_odbc_core *core = stmt->core;
    for (size_t i = 0; i < stmt->text.num_marks; i++)
        LB_ENSURE(SQL_SUCCEEDED(SQLBindParameter(
                      stmt->handle, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR,
                      LB_ODBC_PARAM_BYTES - 1, 0, core->values[i], LB_ODBC_PARAM_BYTES,
                      &core->lengths[i])),
                  LB_SOURCE_UNAVAILABLE, "a parameter is not bound");
    return LB_OK;
}

static lb_status compile(struct lb_source_stmt *stmt)
{
    struct lb_odbc_core *core = stmt->core;
    SQLWCHAR *wide = NULL;
    struct lb_diag inner = {""};
    LB_TRY(lb_odbc_wide(stmt->text.text, core->arena, &wide));
    LB_ENSURE(SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, core->dbc, &stmt->handle)),
              LB_SOURCE_UNAVAILABLE, "no statement");
    stmt->next = core->stmts;
    core->stmts = stmt;
    LB_TRY(bind_params(stmt));
    SQLSMALLINT num = 0;
    if (SQL_SUCCEEDED(SQLPrepareW(stmt->handle, wide, SQL_NTS)) &&
        SQL_SUCCEEDED(SQLNumResultCols(stmt->handle, &num)))
        return LB_OK;
    lb_status status = lb_odbc_failure(SQL_HANDLE_STMT, stmt->handle, &inner);
    lb_diag_set(&core->said, "the query does not compile: %.700s", inner.text);
    LB_ENSURE(lb_status_code(status) != LB_SOURCE_CHANGED, LB_CONFIG_INVALID,
              "query that does not compile");
    return status;
}

lb_status lb_odbc_work_prepare(void *own)
{
    struct lb_odbc_core *core = own;
    struct lb_source_stmt *stmt = core->stmt;
    LB_TRY(lb_source_translate(core->query.text, &core->dbms->dialect, core->arena, &core->said,
                               &stmt->text));
    LB_TRY(compile(stmt));
    return read_columns(stmt);
}

/* A table that was changed meanwhile shows in the types of what comes. */
static lb_status check_types(struct lb_source_stmt *stmt)
{
    SQLSMALLINT num = 0;
    LB_ENSURE(SQL_SUCCEEDED(SQLNumResultCols(stmt->handle, &num)) &&
                  (size_t)num == stmt->given.num,
              LB_SOURCE_CHANGED, "another number of columns");
    for (size_t i = 0; i < stmt->given.num; i++) {
        const struct lb_odbc_column *column = &stmt->columns[i];
        SQLCHAR name[MAX_NAME];
        SQLSMALLINT len = 0, type = 0, places = 0, nullable = 0;
        SQLULEN size = 0;
        LB_ENSURE(SQL_SUCCEEDED(SQLDescribeCol(stmt->handle, (SQLUSMALLINT)(i + 1), name,
                                               sizeof(name), &len, &type, &size, &places,
                                               &nullable)) &&
                      type == column->type && places == column->places,
                  LB_SOURCE_CHANGED, "a column of another type");
    }
    return LB_OK;
}

static lb_status copy_cell(struct lb_source_stmt *stmt, size_t i, struct lb_source_cell *out)
{
    struct lb_arena *arena = stmt->core->rows_arena;
    const struct lb_odbc_column *column = &stmt->columns[i];
    SQLWCHAR wide[CELL_UNITS];
    SQLLEN len = 0;
    struct lb_span text = LB_SPAN_EMPTY;
    SQLRETURN done = SQLGetData(stmt->handle, (SQLUSMALLINT)(i + 1), SQL_C_WCHAR, wide,
                                sizeof(wide), &len);
    if (!SQL_SUCCEEDED(done))
        return lb_odbc_failure(SQL_HANDLE_STMT, stmt->handle, NULL);
    /* Cut off, or of a length that is not told: too long. */
    if (len == SQL_NULL_DATA && column->null_is_empty)
        lb_source_cell_empty(LB_SPAN_EMPTY, out);
    if (len == SQL_NULL_DATA || len < 0 || len > (SQLLEN)(sizeof(wide) - sizeof(wide[0])))
        return LB_OK;
    lb_status status = lb_odbc_narrow(wide, (size_t)len / sizeof(wide[0]), arena, &text);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    if (column->empty)
        lb_source_cell_empty(text, out);
    return lb_odbc_cell(stmt, column, text, arena, out);
}

static lb_status copy_row(struct lb_source_stmt *stmt)
{
    struct lb_odbc_core *core = stmt->core;
    struct lb_source_cell *row = NULL;
    LB_TRY(lb_source_rows_next(&core->rows, &row));
    for (size_t i = 0; i < core->rows.num_columns; i++)
        if (stmt->columns[core->taken[i]].how != LB_ODBC_NOTHING)
            LB_TRY(copy_cell(stmt, core->taken[i], &row[i]));
    return LB_OK;
}

static lb_status fetch_all(struct lb_source_stmt *stmt)
{
    LB_TRY(check_types(stmt));
    for (;;) {
        SQLRETURN done = SQLFetch(stmt->handle);
        if (done == SQL_NO_DATA)
            return LB_OK;
        if (!SQL_SUCCEEDED(done))
            return lb_odbc_failure(SQL_HANDLE_STMT, stmt->handle, NULL);
        LB_TRY(copy_row(stmt));
    }
}

lb_status lb_odbc_work_read(void *own)
{
    struct lb_odbc_core *core = own;
    struct lb_source_stmt *stmt = core->stmt;
    uintptr_t limit_s = (uintptr_t)(core->timeout_ms / 1000 + 2);
    (void)SQLSetStmtAttr(stmt->handle, SQL_ATTR_QUERY_TIMEOUT, number(limit_s), 0);
    (void)SQLSetStmtAttr(stmt->handle, SQL_ATTR_MAX_ROWS, number(core->max_rows + 1), 0);
    SQLRETURN done = SQLExecute(stmt->handle);
    lb_status status = LB_OK;
    if (!SQL_SUCCEEDED(done) && done != SQL_NO_DATA)
        status = lb_odbc_failure(SQL_HANDLE_STMT, stmt->handle, NULL);
    else
        status = fetch_all(stmt);
    (void)SQLFreeStmt(stmt->handle, SQL_CLOSE);
    return status;
}

/* MariaDB's driver may answer a cancel by talking into the line that is being waited on. */
static void kill_query(const struct lb_odbc_core *core)
{
    struct lb_odbc_core other = {.dbms = core->dbms};
    char text[64];
    bool row = false;
    (void)snprintf(text, sizeof(text), "%s%s", core->dbms->kill, core->session);
    if (allocate(&other) == LB_OK &&
        SQL_SUCCEEDED(SQLDriverConnect(other.dbc, NULL, (SQLCHAR *)core->location, SQL_NTS, NULL,
                                       0, NULL, SQL_DRIVER_NOPROMPT))) {
        lb_status status = run_statement(&other, text, &row, NULL);
        (void)status;
        (void)SQLDisconnect(other.dbc);
    }
    if (other.dbc != NULL)
        (void)SQLFreeHandle(SQL_HANDLE_DBC, other.dbc);
    if (other.env != NULL)
        (void)SQLFreeHandle(SQL_HANDLE_ENV, other.env);
}

void lb_odbc_work_cancel(void *own)
{
    const struct lb_odbc_core *core = own;
    if (core->dbms->kill == NULL)
        (void)SQLCancel(core->stmt->handle);
    else
        kill_query(core);
}

void lb_odbc_core_free(void *own)
{
    struct lb_odbc_core *core = own;
    for (struct lb_source_stmt *stmt = core->stmts; stmt != NULL; stmt = stmt->next)
        (void)SQLFreeHandle(SQL_HANDLE_STMT, stmt->handle);
    if (core->connected)
        (void)SQLDisconnect(core->dbc);
    if (core->dbc != NULL)
        (void)SQLFreeHandle(SQL_HANDLE_DBC, core->dbc);
    if (core->env != NULL)
        (void)SQLFreeHandle(SQL_HANDLE_ENV, core->env);
    if (core->location != NULL) {
        lb_wipe(core->location, strlen(core->location));
        free(core->location);
    }
    lb_arena_free(core->look_arena);
    lb_arena_free(core->rows_arena);
    lb_arena_free(core->arena);
    lb_wipe(core->values, sizeof(core->values));
    free(core);
}
