#include <string.h>
#include <strings.h>

#include "adapters/api/mentions.h"
#include "adapters/odbc/inside.h"
#include "gateway/base/buf.h"

/* What the database says of itself, by ODBC's own catalog functions, on the lane's thread. */

#define LOOK_BYTES (32 * 1024 * 1024)
#define MAX_TABLES 4096
#define MAX_LISTED 20000
#define MAX_NAME_UNITS 512
#define MAX_PROBE_BYTES 2048

struct table {
    const char *schema;  /* "" where there is none */
    const char *name;
    bool is_view;        /* the indexes of what it reads are not known */
};

/* One look at the database; names live in the core's arena for that. */
struct look {
    struct lb_odbc_core *core;
    struct lb_arena *arena;
    SQLWCHAR *catalog;  /* of the connection; NULL where there are none */
    char quote[4];
    size_t num_tables;
    struct table *tables;
    size_t num;
    struct lb_source_listed *columns;
};

static void free_handle(SQLHSTMT *handle)
{
    if (*handle != SQL_NULL_HSTMT)
        (void)SQLFreeHandle(SQL_HANDLE_STMT, *handle);
}

static lb_status new_handle(const struct look *look, SQLHSTMT *out)
{
    LB_ENSURE(SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, look->core->dbc, out)),
              LB_SOURCE_UNAVAILABLE, "no statement");
    return LB_OK;
}

/* Text of the row in hand; "" for NULL, and for what is no text that a view could write. */
static lb_status get_text(const struct look *look, SQLHSTMT handle, SQLUSMALLINT column,
                          const char **out)
{
    SQLWCHAR wide[MAX_NAME_UNITS];
    SQLLEN len = 0;
    struct lb_span text = LB_SPAN_EMPTY;
    *out = "";
    if (!SQL_SUCCEEDED(SQLGetData(handle, column, SQL_C_WCHAR, wide, sizeof(wide), &len)) ||
        len < 0 || len > (SQLLEN)(sizeof(wide) - sizeof(wide[0])))
        return LB_OK;
    lb_status status = lb_odbc_narrow(wide, (size_t)len / sizeof(wide[0]), look->arena, &text);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    *out = lb_arena_str(look->arena, text);
    if (*out == NULL)
        *out = "";
    return LB_OK;
}

static SQLINTEGER get_number(SQLHSTMT handle, SQLUSMALLINT column)
{
    SQLINTEGER number = 0;
    SQLLEN len = 0;
    bool found = SQL_SUCCEEDED(SQLGetData(handle, column, SQL_C_SLONG, &number, 0, &len));
    return found && len != SQL_NULL_DATA ? number : 0;
}

/* --- tables --- */

/* The server's own. */
static bool is_own(const char *schema)
{
    static const char *const own[] = {"information_schema", "pg_catalog", "pg_toast", "sys",
                                      "mysql", "performance_schema"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (strcasecmp(schema, own[i]) == 0)
            return true;
    return false;
}

static lb_status take_table(struct look *look, SQLHSTMT handle)
{
    const char *kind = "";
    struct table *table = &look->tables[look->num_tables];
    LB_TRY(get_text(look, handle, 2, &table->schema));
    LB_TRY(get_text(look, handle, 3, &table->name));
    LB_TRY(get_text(look, handle, 4, &kind));
    table->is_view = strcasecmp(kind, "TABLE") != 0 && strcasecmp(kind, "BASE TABLE") != 0;
    if (table->name[0] != 0 && !is_own(table->schema))
        look->num_tables++;
    return LB_OK;
}

static lb_status list_tables(struct look *look)
{
    SQLHSTMT LB_DEFER(free_handle) handle = SQL_NULL_HSTMT;
    SQLWCHAR *kinds = NULL;
    look->tables = lb_arena_array(look->arena, MAX_TABLES, sizeof(*look->tables));
    LB_ENSURE(look->tables != NULL, LB_NO_MEMORY, "arena full");
    LB_TRY(lb_odbc_wide("TABLE,VIEW,MATERIALIZED VIEW", look->arena, &kinds));
    LB_TRY(new_handle(look, &handle));
    if (!SQL_SUCCEEDED(SQLTablesW(handle, look->catalog, SQL_NTS, NULL, 0, NULL, 0, kinds,
                                  SQL_NTS)))
        return lb_odbc_failure(SQL_HANDLE_STMT, handle, NULL);
    while (look->num_tables < MAX_TABLES && SQL_SUCCEEDED(SQLFetch(handle)))
        LB_TRY(take_table(look, handle));
    return LB_OK;
}

static void put_quoted(const struct look *look, const char *name, struct lb_buf *out)
{
    lb_buf_put_str(out, look->quote);
    for (; *name != 0; name++) {
        if (*name == look->quote[0])
            lb_buf_put_u8(out, (uint8_t)*name);
        lb_buf_put_u8(out, (uint8_t)*name);
    }
    lb_buf_put_str(out, look->quote);
}

/* Drivers list what the account may not read as well. */
static lb_status is_readable(const struct look *look, const struct table *table, bool *out)
{
    SQLHSTMT LB_DEFER(free_handle) handle = SQL_NULL_HSTMT;
    SQLWCHAR *wide = NULL;
    uint8_t text[MAX_PROBE_BYTES];
    struct lb_buf buf;
    *out = false;
    lb_buf_over(&buf, text, sizeof(text));
    lb_buf_put_str(&buf, "SELECT 1 FROM ");
    if (table->schema[0] != 0) {
        put_quoted(look, table->schema, &buf);
        lb_buf_put_u8(&buf, '.');
    }
    put_quoted(look, table->name, &buf);
    lb_buf_put_str(&buf, " WHERE 1 = 0");
    lb_buf_put_u8(&buf, 0);
    if (lb_buf_check(&buf) != LB_OK)
        return LB_OK;
    LB_TRY(lb_odbc_wide((const char *)text, look->arena, &wide));
    LB_TRY(new_handle(look, &handle));
    SQLRETURN done = SQLExecDirectW(handle, wide, SQL_NTS);
    *out = SQL_SUCCEEDED(done) || done == SQL_NO_DATA;
    return LB_OK;
}

/* --- columns --- */

static enum lb_source_want best(struct lb_odbc_column *column)
{
    static const enum lb_source_want order[] = {
        LB_SOURCE_WANT_TEXT, LB_SOURCE_WANT_DATE, LB_SOURCE_WANT_INT, LB_SOURCE_WANT_CENTS};
    struct lb_diag diag;
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        if (lb_odbc_column_how(order[i], &diag, column) == LB_OK)
            return order[i];
    return LB_SOURCE_WANT_ANY;
}

/* The names given to SQLColumns are patterns, so that others' columns may come as well. */
static lb_status take_column(struct look *look, const struct table *table, SQLHSTMT handle)
{
    const char *schema = "", *name = "", *column = "";
    struct lb_odbc_column made = {.name = ""};
    LB_TRY(get_text(look, handle, 2, &schema));
    LB_TRY(get_text(look, handle, 3, &name));
    LB_TRY(get_text(look, handle, 4, &column));
    made.type = (SQLSMALLINT)get_number(handle, 5);
    made.size = (SQLULEN)get_number(handle, 7);
    made.places = (SQLSMALLINT)get_number(handle, 9);
    if (strcmp(name, table->name) != 0 || strcmp(schema, table->schema) != 0 || column[0] == 0)
        return LB_OK;
    struct lb_source_listed *listed = &look->columns[look->num];
    *listed = (struct lb_source_listed){
        .schema = table->schema, .table = table->name, .column = column, .want = best(&made)};
    LB_TRY(lb_odbc_type_name(&made, look->arena, &listed->type));
    look->num++;
    return LB_OK;
}

struct wide_table {
    SQLWCHAR *schema;  /* NULL where there is none */
    SQLWCHAR *name;
};

static lb_status list_columns(struct look *look, const struct table *table,
                              const struct wide_table *wide)
{
    SQLHSTMT LB_DEFER(free_handle) handle = SQL_NULL_HSTMT;
    LB_TRY(new_handle(look, &handle));
    if (!SQL_SUCCEEDED(SQLColumnsW(handle, look->catalog, SQL_NTS, wide->schema, SQL_NTS,
                                   wide->name, SQL_NTS, NULL, 0)))
        return lb_odbc_failure(SQL_HANDLE_STMT, handle, NULL);
    while (look->num < MAX_LISTED && SQL_SUCCEEDED(SQLFetch(handle)))
        LB_TRY(take_column(look, table, handle));
    return LB_OK;
}

static void mark(struct look *look, size_t first, const char *column)
{
    for (size_t i = first; i < look->num; i++)
        if (strcmp(look->columns[i].column, column) == 0)
            look->columns[i].indexed = true;
}

/* First columns of indexes over all rows. A view has none, and some drivers say so by failing. */
static lb_status mark_indexed(struct look *look, size_t first, const struct wide_table *wide)
{
    SQLHSTMT LB_DEFER(free_handle) handle = SQL_NULL_HSTMT;
    LB_TRY(new_handle(look, &handle));
    if (!SQL_SUCCEEDED(SQLStatisticsW(handle, look->catalog, SQL_NTS, wide->schema, SQL_NTS,
                                      wide->name, SQL_NTS, SQL_INDEX_ALL, SQL_QUICK)))
        return LB_OK;
    while (SQL_SUCCEEDED(SQLFetch(handle))) {
        const char *column = "", *filter = "";
        bool is_index = get_number(handle, 7) != SQL_TABLE_STAT;
        bool is_first = get_number(handle, 8) == 1;
        LB_TRY(get_text(look, handle, 9, &column));
        LB_TRY(get_text(look, handle, 13, &filter));
        if (is_index && is_first && filter[0] == 0)
            mark(look, first, column);
    }
    return LB_OK;
}

static lb_status mark_keys(struct look *look, size_t first, const struct wide_table *wide)
{
    SQLHSTMT LB_DEFER(free_handle) handle = SQL_NULL_HSTMT;
    LB_TRY(new_handle(look, &handle));
    if (!SQL_SUCCEEDED(SQLPrimaryKeysW(handle, look->catalog, SQL_NTS, wide->schema, SQL_NTS,
                                       wide->name, SQL_NTS)))
        return LB_OK;
    while (SQL_SUCCEEDED(SQLFetch(handle))) {
        const char *column = "";
        LB_TRY(get_text(look, handle, 4, &column));
        if (get_number(handle, 5) == 1)
            mark(look, first, column);
    }
    return LB_OK;
}

static lb_status list_table(struct look *look, const struct table *table)
{
    struct wide_table wide = {NULL, NULL};
    size_t first = look->num;
    if (table->schema[0] != 0)
        LB_TRY(lb_odbc_wide(table->schema, look->arena, &wide.schema));
    LB_TRY(lb_odbc_wide(table->name, look->arena, &wide.name));
    LB_TRY(list_columns(look, table, &wide));
    LB_TRY(mark_indexed(look, first, &wide));
    return mark_keys(look, first, &wide);
}

/* --- the two questions --- */

static lb_status begin(struct lb_odbc_core *core, struct look *look)
{
    SQLWCHAR catalog[MAX_NAME_UNITS] = {0};
    SQLCHAR quote[sizeof(look->quote)] = "";
    SQLSMALLINT len = 0;
    if (core->look_arena == NULL)
        core->look_arena = lb_arena_new(LOOK_BYTES);
    LB_ENSURE(core->look_arena != NULL, LB_NO_MEMORY, "memory is exhausted");
    lb_arena_reset(core->look_arena);
    *look = (struct look){.core = core, .arena = core->look_arena};
    look->columns = lb_arena_array(look->arena, MAX_LISTED, sizeof(*look->columns));
    look->catalog = lb_arena_alloc(look->arena, sizeof(catalog));
    LB_ENSURE(look->columns != NULL && look->catalog != NULL, LB_NO_MEMORY, "arena full");
    bool named = SQL_SUCCEEDED(SQLGetInfoW(core->dbc, SQL_DATABASE_NAME, catalog,
                                           sizeof(catalog) - sizeof(catalog[0]), &len));
    memcpy(look->catalog, catalog, sizeof(catalog));
    if (!named || catalog[0] == 0)
        look->catalog = NULL;
    (void)SQLGetInfo(core->dbc, SQL_IDENTIFIER_QUOTE_CHAR, quote, sizeof(quote), &len);
    memcpy(look->quote, quote[0] == ' ' ? (const SQLCHAR *)"" : quote,
           quote[0] == ' ' ? 1 : sizeof(quote));
    return list_tables(look);
}

lb_status lb_odbc_work_catalog(void *own)
{
    struct lb_odbc_core *core = own;
    struct look look;
    LB_TRY(begin(core, &look));
    for (size_t i = 0; i < look.num_tables; i++) {
        bool readable = false;
        LB_TRY(is_readable(&look, &look.tables[i], &readable));
        if (readable)
            LB_TRY(list_table(&look, &look.tables[i]));
    }
    const char *quote = lb_arena_str(look.arena, lb_span_str(look.quote));
    LB_ENSURE(quote != NULL, LB_NO_MEMORY, "arena full");
    core->catalog = (struct lb_source_catalog){look.num, look.columns, quote};
    return LB_OK;
}

static bool is_named(struct lb_span span, const char *name)
{
    return strlen(name) == span.len && strncasecmp(name, (const char *)span.ptr, span.len) == 0;
}

static bool is_mentioned(const struct lb_source_mentions *mentions, const char *name)
{
    for (size_t i = 0; i < mentions->num_names; i++)
        if (is_named(mentions->names[i], name))
            return true;
    return false;
}

/* All tables that the query could find the person in have an index there, or none has; anything
 * else is not known. */
static lb_status judge(struct look *look, const struct lb_source_mentions *mentions,
                       enum lb_source_lookup *out)
{
    size_t num_indexed = 0, num_plain = 0;
    for (size_t t = 0; t < look->num_tables; t++) {
        const struct table *table = &look->tables[t];
        if (!is_mentioned(mentions, table->name))
            continue;
        look->num = 0;
        LB_TRY(list_table(look, table));
        for (size_t i = 0; i < look->num; i++)
            for (size_t k = 0; k < mentions->num_keys; k++) {
                if (!is_named(mentions->keys[k], look->columns[i].column))
                    continue;
                if (table->is_view)
                    return LB_OK;
                *(look->columns[i].indexed ? &num_indexed : &num_plain) += 1;
            }
    }
    if (num_indexed > 0 && num_plain == 0)
        *out = LB_SOURCE_LOOKUP_INDEX;
    if (num_plain > 0 && num_indexed == 0)
        *out = LB_SOURCE_LOOKUP_SCAN;
    return LB_OK;
}

lb_status lb_odbc_work_lookup(void *own)
{
    struct lb_odbc_core *core = own;
    struct lb_source_mentions mentions;
    struct look look;
    core->lookup = LB_SOURCE_LOOKUP_UNKNOWN;
    lb_source_mention(core->stmt->query, &core->dbms->dialect, &mentions);
    if (!mentions.sure || mentions.num_keys == 0)
        return LB_OK;
    LB_TRY(begin(core, &look));
    return judge(&look, &mentions, &core->lookup);
}
