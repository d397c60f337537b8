#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"
#include "gateway/store/foreign.h"

struct lb_stmt {
    sqlite3_stmt *handle;
    struct lb_store *store;
    struct lb_stmt *next;
    struct lb_stmt **link;  /* what points at this one */
    bool ended;             /* SQLite would start anew on the next step */
    lb_status failure;
};

static lb_status refuse_tail(const char *tail)
{
    for (; *tail != 0; tail++) {
        LB_ENSURE(*tail == ' ' || *tail == '\t' || *tail == '\r' || *tail == '\n' || *tail == ';',
                  LB_STORE_FAILED, "more than one statement");
    }
    return LB_OK;
}

static lb_status compile(struct lb_store *store, const char *sql, sqlite3_stmt **out_handle)
{
    sqlite3_stmt *handle = NULL;
    const char *tail = "";
    store->refusal = NULL;
    LB_TRY(lb_store_status(
        sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail)));
    lb_status status = handle == NULL ? LB_FAULT(LB_STORE_FAILED, "no statement")
                                      : refuse_tail(tail);
    if (status != LB_OK) {
        store->refusal = status->what;
        (void)sqlite3_finalize(handle);
        return status;
    }
    *out_handle = handle;
    return LB_OK;
}

/* --- lists of statements --- */

static void put_in(struct lb_stmt **list, struct lb_stmt *stmt)
{
    stmt->next = *list;
    stmt->link = list;
    if (stmt->next != NULL)
        stmt->next->link = &stmt->next;
    *list = stmt;
}

static void take_out(struct lb_stmt *stmt)
{
    *stmt->link = stmt->next;
    if (stmt->next != NULL)
        stmt->next->link = stmt->link;
}

static void destroy(struct lb_stmt *stmt)
{
    take_out(stmt);
    (void)sqlite3_finalize(stmt->handle);
    free(stmt);
}

/* The one that has not been wanted for the longest time makes room. */
static void keep(struct lb_store *store, struct lb_stmt *stmt)
{
    unsigned num = 0;
    take_out(stmt);
    put_in(&store->kept, stmt);
    for (struct lb_stmt *next, *at = store->kept; at != NULL; at = next) {
        next = at->next;
        if (++num > LB_STORE_KEPT_STMTS)
            destroy(at);
    }
}

static struct lb_stmt *find_kept(const struct lb_store *store, const char *sql)
{
    struct lb_stmt *stmt = store->kept;
    while (stmt != NULL && strcmp(sqlite3_sql(stmt->handle), sql) != 0)
        stmt = stmt->next;
    return stmt;
}

/* --- life --- */

lb_status lb_stmt_prepare(struct lb_store *store, const char *sql, struct lb_stmt **out_stmt)
{
    struct lb_stmt *stmt = find_kept(store, sql);
    if (stmt != NULL) {
        take_out(stmt);
    } else {
        sqlite3_stmt *handle;
        LB_TRY(compile(store, sql, &handle));
        stmt = calloc(1, sizeof(*stmt));
        if (stmt == NULL) {
            (void)sqlite3_finalize(handle);
            LB_FAIL(LB_NO_MEMORY, "memory is exhausted");
        }
        *stmt = (struct lb_stmt){.handle = handle, .store = store};
    }
    put_in(&store->stmts, stmt);
    *out_stmt = stmt;
    return LB_OK;
}

void lb_stmt_free(struct lb_stmt *stmt)
{
    if (stmt == NULL)
        return;
    if (!stmt->store->keep_statements) {
        destroy(stmt);
        return;
    }
    lb_stmt_reset(stmt);
    keep(stmt->store, stmt);
}

void lb_store_drop_stmts(struct lb_store *store)
{
    while (store->stmts != NULL)
        destroy(store->stmts);
    while (store->kept != NULL)
        destroy(store->kept);
}

bool lb_stmt_readonly(const struct lb_stmt *stmt)
{
    return sqlite3_stmt_readonly(stmt->handle) != 0;
}

int lb_stmt_num_params(const struct lb_stmt *stmt)
{
    return sqlite3_bind_parameter_count(stmt->handle);
}

int lb_stmt_num_columns(const struct lb_stmt *stmt)
{
    return sqlite3_column_count(stmt->handle);
}

const char *lb_stmt_column_name(const struct lb_stmt *stmt, int column)
{
    const char *name = sqlite3_column_name(stmt->handle, column);
    return name == NULL ? "" : name;
}

const char *lb_stmt_param_name(const struct lb_stmt *stmt, int param)
{
    const char *name = sqlite3_bind_parameter_name(stmt->handle, param);
    return name == NULL || name[0] != ':' ? "" : name + 1;
}

lb_status lb_stmt_bind_int(struct lb_stmt *stmt, int param, int64_t value)
{
    return lb_store_status(sqlite3_bind_int64(stmt->handle, param, value));
}

/* SQLite binds NULL for a NULL pointer, whatever the length; an empty value must stay a value. */
lb_status lb_stmt_bind_text(struct lb_stmt *stmt, int param, struct lb_span text)
{
    LB_ENSURE(text.len == 0 || memchr(text.ptr, 0, text.len) == NULL, LB_MALFORMED,
              "text has a NUL");
    LB_ENSURE(lb_utf8_valid(text), LB_MALFORMED, "text is not UTF-8");
    const char *bytes = text.len == 0 ? "" : (const char *)text.ptr;
    return lb_store_status(sqlite3_bind_text64(stmt->handle, param, bytes, text.len, SQLITE_STATIC,
                                               SQLITE_UTF8));
}

lb_status lb_stmt_bind_blob(struct lb_stmt *stmt, int param, struct lb_span blob)
{
    const void *bytes = blob.len == 0 ? "" : (const void *)blob.ptr;
    return lb_store_status(
        sqlite3_bind_blob64(stmt->handle, param, bytes, blob.len, SQLITE_STATIC));
}

lb_status lb_stmt_bind_null(struct lb_stmt *stmt, int param)
{
    return lb_store_status(sqlite3_bind_null(stmt->handle, param));
}

lb_status lb_stmt_bind_named(struct lb_stmt *stmt, const char *name, struct lb_span text)
{
    char full[LB_MAX_NAME_BYTES + 2];
    int len = snprintf(full, sizeof(full), ":%s", name);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(full), LB_ABSENT, "no such parameter");
    int param = sqlite3_bind_parameter_index(stmt->handle, full);
    LB_ENSURE(param > 0, LB_ABSENT, "no such parameter");
    return lb_stmt_bind_text(stmt, param, text);
}

lb_status lb_stmt_step(struct lb_stmt *stmt, bool *out_row)
{
    LB_TRY(stmt->failure);
    if (stmt->ended) {
        *out_row = false;
        return LB_OK;
    }
    stmt->store->refusal = NULL;
    int code = sqlite3_step(stmt->handle);
    stmt->failure = lb_store_status(code);
    LB_TRY(stmt->failure);
    stmt->ended = code != SQLITE_ROW;
    *out_row = code == SQLITE_ROW;
    return LB_OK;
}

lb_status lb_stmt_run(struct lb_stmt *stmt)
{
    bool row = false;
    lb_status status = lb_stmt_num_columns(stmt) == 0
                           ? lb_stmt_step(stmt, &row)
                           : LB_FAULT(LB_STORE_FAILED, "statement gives rows");
    lb_stmt_reset(stmt);
    return status;
}

void lb_stmt_reset(struct lb_stmt *stmt)
{
    /* sqlite3_reset only repeats the failure that step has told already. */
    (void)sqlite3_reset(stmt->handle);
    (void)sqlite3_clear_bindings(stmt->handle);
    stmt->ended = false;
    stmt->failure = LB_OK;
}

enum lb_column_type lb_stmt_type(const struct lb_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt->handle, column)) {
    case SQLITE_INTEGER:
        return LB_COL_INT;
    case SQLITE_FLOAT:
        return LB_COL_REAL;
    case SQLITE_TEXT:
        return LB_COL_TEXT;
    case SQLITE_BLOB:
        return LB_COL_BLOB;
    default:
        return LB_COL_NULL;
    }
}

int64_t lb_stmt_int(const struct lb_stmt *stmt, int column)
{
    return lb_stmt_type(stmt, column) == LB_COL_INT ? sqlite3_column_int64(stmt->handle, column)
                                                    : 0;
}

double lb_stmt_real(const struct lb_stmt *stmt, int column)
{
    enum lb_column_type type = lb_stmt_type(stmt, column);
    return type == LB_COL_REAL || type == LB_COL_INT ? sqlite3_column_double(stmt->handle, column)
                                                     : 0;
}

/* A UTF-16 database's text comes as UTF-8 too. The pointer is taken before the length, as SQLite
 * demands. */
static struct lb_span text_of(const struct lb_stmt *stmt, int column)
{
    const void *bytes = sqlite3_column_text(stmt->handle, column);
    return lb_span_of(bytes, (size_t)sqlite3_column_bytes(stmt->handle, column));
}

struct lb_span lb_stmt_text(const struct lb_stmt *stmt, int column)
{
    return lb_stmt_type(stmt, column) == LB_COL_TEXT ? text_of(stmt, column) : LB_SPAN_EMPTY;
}

struct lb_span lb_stmt_blob(const struct lb_stmt *stmt, int column)
{
    if (lb_stmt_type(stmt, column) != LB_COL_BLOB)
        return lb_stmt_text(stmt, column);
    const void *bytes = sqlite3_column_blob(stmt->handle, column);
    return lb_span_of(bytes, (size_t)sqlite3_column_bytes(stmt->handle, column));
}
