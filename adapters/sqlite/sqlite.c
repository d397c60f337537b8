#include "adapters/sqlite/sqlite.h"

#include <stdlib.h>
#include <strings.h>

#include "adapters/api/cells.h"
#include "adapters/sqlite/inside.h"

#define BUSY_TIMEOUT_MS 200  /* waiting for a writer can't be interrupted, so it is short */
#define SOURCE_ARENA_BYTES (1024 * 1024)

static void sqlite_close(struct lb_source *source)
{
    if (source == NULL)
        return;
    lb_watchdog_free(source->watchdog);
    lb_store_close(source->store);
    lb_arena_free(source->arena);
    free(source);
}

static void sqlite_closep(struct lb_source **source)
{
    sqlite_close(*source);
}

static lb_status connect_store(const char *location, struct lb_diag *diag,
                               struct lb_store **out_store)
{
    const struct lb_store_options options = {
        .path = location, .read_only = true, .busy_timeout_ms = BUSY_TIMEOUT_MS};
    lb_status status = lb_store_open(&options, out_store);
    switch (lb_status_code(status)) {
    case LB_FILE_FAILED:
        lb_diag_set(diag, "%s: the database file is missing or can't be read; check the path and "
                          "that this user may read the file and enter its folder", location);
        LB_FAIL(LB_CONFIG_INVALID, "database file missing or unreadable");
    case LB_STORE_FAILED:
        lb_diag_set(diag, "%s: not an SQLite database, or a damaged one; check the file", location);
        LB_FAIL(LB_CONFIG_INVALID, "not an SQLite database");
    case LB_STATE_LOCKED:
        lb_diag_set(diag, "%s: locked by another program; it is tried again", location);
        LB_FAIL(LB_SOURCE_UNAVAILABLE, "database locked");
    default:
        return status;
    }
}

static lb_status sqlite_open(void *ctx, const struct lb_source_options *options,
                             struct lb_diag *diag, struct lb_source **out_source)
{
    (void)ctx;
    struct lb_source LB_DEFER(sqlite_closep) *source = calloc(1, sizeof(*source));
    LB_ENSURE(source != NULL, LB_NO_MEMORY, "memory is exhausted");
    source->arena = lb_arena_new(SOURCE_ARENA_BYTES);
    LB_ENSURE(source->arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(connect_store(options->location, diag, &source->store));
    LB_TRY(lb_watchdog_new(source->store, &source->watchdog));
    *out_source = source;
    source = NULL;
    return LB_OK;
}

static const char *skip_blanks(const char *text)
{
    while (*text == ' ' || *text == '\t' || *text == '\r' || *text == '\n')
        text++;
    return text;
}

/* SQLite calls BEGIN, PRAGMA and ATTACH read-only as well, so the verb is looked at too. */
static bool is_select(const char *query)
{
    const char *verb = skip_blanks(query);
    return strncasecmp(verb, "SELECT", 6) == 0 || strncasecmp(verb, "WITH", 4) == 0;
}

static bool is_known_param(const char *name)
{
    static const char *const names[] = {"id_no", "today", "this_month", "from_month"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static lb_status check_params(const struct lb_stmt *stmt, struct lb_diag *diag)
{
    for (int i = 1; i <= lb_stmt_num_params(stmt); i++) {
        const char *name = lb_stmt_param_name(stmt, i);
        if (is_known_param(name))
            continue;
        lb_diag_set(diag, "the query has a parameter \"%s\" that nobody fills; use :id_no, :today, "
                          ":this_month or :from_month", name);
        LB_FAIL(LB_CONFIG_INVALID, "query with an unknown parameter");
    }
    return LB_OK;
}

static lb_status check_statement(const struct lb_stmt *stmt, const char *query,
                                 struct lb_diag *diag)
{
    if (!is_select(query) || !lb_stmt_readonly(stmt)) {
        lb_diag_set(diag, "the query is not one that only reads; write one SELECT");
        LB_FAIL(LB_CONFIG_INVALID, "query that is no SELECT");
    }
    return check_params(stmt, diag);
}

static lb_status read_columns(struct lb_source_stmt *query, const struct lb_source_query *wanted,
                              struct lb_diag *diag)
{
    struct lb_arena *arena = query->source->arena;
    size_t num = (size_t)lb_stmt_num_columns(query->stmt);
    const char **names = lb_arena_array(arena, num, sizeof(*names));
    query->made = lb_arena_array(arena, num, sizeof(query->made[0]));
    LB_ENSURE(names != NULL && query->made != NULL, LB_NO_MEMORY, "arena full");
    for (size_t i = 0; i < num; i++) {
        const char *name = lb_stmt_column_name(query->stmt, (int)i);
        names[i] = lb_arena_str(arena, lb_span_str(name));
        LB_ENSURE(names[i] != NULL, LB_NO_MEMORY, "arena full");
        const struct lb_source_column *made = lb_source_column_of(wanted, names[i]);
        if (made != NULL)
            query->made[i] = *made;
    }
    LB_TRY(lb_source_check_columns(wanted, names, num, diag));
    return lb_source_columns_make(names, num, arena, &query->columns);
}

static lb_status compile(struct lb_source *source, const char *text, struct lb_diag *diag,
                         struct lb_stmt **out_stmt)
{
    lb_status status = lb_stmt_prepare(source->store, text, out_stmt);
    enum lb_code code = lb_status_code(status);
    if (status == LB_OK || code == LB_NO_MEMORY)
        return status;
    lb_diag_set(diag, "the query does not compile: %s", lb_store_error_text(source->store));
    LB_ENSURE(code != LB_STATE_LOCKED, LB_SOURCE_UNAVAILABLE, "database locked");
    LB_FAIL(LB_CONFIG_INVALID, "query that does not compile");
}

static lb_status sqlite_prepare(struct lb_source *source, const struct lb_source_query *query,
                                struct lb_diag *diag, struct lb_source_stmt **out_stmt)
{
    struct lb_source_stmt *prepared = lb_arena_alloc(source->arena, sizeof(*prepared));
    LB_ENSURE(prepared != NULL, LB_NO_MEMORY, "arena full");
    prepared->source = source;
    prepared->text = lb_arena_str(source->arena, lb_span_str(query->text));
    LB_ENSURE(prepared->text != NULL, LB_NO_MEMORY, "arena full");
    LB_TRY(compile(source, query->text, diag, &prepared->stmt));
    lb_status status = check_statement(prepared->stmt, query->text, diag);
    if (status == LB_OK)
        status = read_columns(prepared, query, diag);
    if (status != LB_OK) {
        lb_stmt_free(prepared->stmt);
        return status;
    }
    *out_stmt = prepared;
    return LB_OK;
}

static lb_status bind_params(struct lb_stmt *stmt, const struct lb_source_param *params,
                             size_t num_params)
{
    for (int i = 1; i <= lb_stmt_num_params(stmt); i++) {
        const struct lb_source_param *param =
            lb_source_find_param(params, num_params, lb_stmt_param_name(stmt, i));
        LB_ENSURE(param != NULL, LB_INTERNAL, "the caller lacks a parameter of the query");
        LB_TRY(lb_stmt_bind_text(stmt, i, param->value));
    }
    return LB_OK;
}

static lb_status copy_cell(const struct lb_source_stmt *query, int column,
                           struct lb_arena *arena, struct lb_source_cell *out)
{
    enum lb_column_type type = lb_stmt_type(query->stmt, column);
    const struct lb_source_column *made = &query->made[column];
    struct lb_span text = type == LB_COL_TEXT ? lb_stmt_text(query->stmt, column) : LB_SPAN_EMPTY;
    if ((type == LB_COL_TEXT && made->empty) || (type == LB_COL_NULL && made->null_is_empty))
        lb_source_cell_empty(text, out);
    if (type == LB_COL_TEXT)
        return lb_source_cell_text(text, arena, out);
    if (type != LB_COL_INT)
        return LB_OK;
    out->kind = LB_SOURCE_INT;
    out->number = lb_stmt_int(query->stmt, column);
    return LB_OK;
}

static lb_status copy_rows(struct lb_source_stmt *query, const struct lb_source_taken *taken,
                           struct lb_source_rows *rows)
{
    bool more = false;
    LB_TRY(lb_stmt_step(query->stmt, &more));
    LB_ENSURE((size_t)lb_stmt_num_columns(query->stmt) == query->columns.num, LB_SOURCE_CHANGED,
              "the table's columns changed");
    while (more) {
        struct lb_source_cell *row = NULL;
        LB_TRY(lb_source_rows_next(rows, &row));
        for (size_t i = 0; i < taken->num; i++)
            LB_TRY(copy_cell(query, (int)taken->at[i], rows->arena, &row[i]));
        LB_TRY(lb_stmt_step(query->stmt, &more));
    }
    return LB_OK;
}

/* A table or column that is gone shows when the query is compiled again. */
static bool still_fits(const struct lb_source_stmt *query)
{
    struct lb_stmt *again = NULL;
    lb_status status = lb_stmt_prepare(query->source->store, query->text, &again);
    lb_stmt_free(again);
    return lb_status_code(status) != LB_STORE_FAILED;
}

/* What SQLite said, in the words of the contract. */
static lb_status outcome(const struct lb_source_stmt *query, lb_status status, bool interrupted)
{
    LB_ENSURE(!interrupted, LB_SOURCE_TIMEOUT, "read interrupted");
    switch (lb_status_code(status)) {
    case LB_CODE_OK:
    case LB_AMBIGUOUS:
    case LB_NO_MEMORY:
    case LB_SOURCE_UNAVAILABLE:
    case LB_SOURCE_CHANGED:
        return status;
    case LB_DEADLINE:
        LB_FAIL(LB_SOURCE_TIMEOUT, "read interrupted");
    case LB_STORE_FAILED:
        LB_ENSURE(still_fits(query), LB_SOURCE_CHANGED, "the query no longer fits the tables");
        LB_FAIL(LB_SOURCE_UNAVAILABLE, "the database failed");
    default:
        LB_FAIL(LB_SOURCE_UNAVAILABLE, "the database failed");
    }
}

static lb_status sqlite_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                             size_t num_params, const struct lb_source_limits *limits,
                             struct lb_arena *arena, struct lb_source_result *out_result)
{
    struct lb_source_taken taken;
    LB_TRY(lb_source_columns_take(&stmt->columns, limits, arena, &taken));
    struct lb_source_rows rows = {
        .num_columns = taken.num, .max_rows = limits->max_rows, .arena = arena};
    struct lb_watchdog *watchdog = stmt->source->watchdog;
    lb_status status = bind_params(stmt->stmt, params, num_params);
    if (status == LB_OK) {
        lb_watchdog_begin(watchdog, limits->timeout_ms);
        status = copy_rows(stmt, &taken, &rows);
        status = outcome(stmt, status, lb_watchdog_end(watchdog));
    }
    lb_stmt_reset(stmt->stmt);
    LB_TRY(status);
    *out_result = (struct lb_source_result){
        .num_columns = taken.num,
        .columns = taken.names,
        .num_rows = rows.num,
        .cells = rows.cells,
    };
    return LB_OK;
}

static void sqlite_cancel(struct lb_source *source)
{
    lb_watchdog_cancel(source->watchdog);
}

const struct lb_source_plugin *lb_source_sqlite(void)
{
    static const struct lb_source_plugin plugin = {
        .api_version = LB_SOURCE_API_VERSION,
        .name = "sqlite",
        .in_process = true,
        .open = sqlite_open,
        .close = sqlite_close,
        .prepare = sqlite_prepare,
        .read = sqlite_read,
        .cancel = sqlite_cancel,
        .lookup = lb_sqlite_lookup,
        .catalog = lb_sqlite_catalog,
    };
    return &plugin;
}
