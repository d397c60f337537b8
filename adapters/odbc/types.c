#include "adapters/odbc/inside.h"
#include "gateway/base/limits.h"

/* Which of ODBC's types becomes which cell; what does not fit is refused when it is prepared. */

static bool is_text(SQLSMALLINT type)
{
    return type == SQL_CHAR || type == SQL_VARCHAR || type == SQL_LONGVARCHAR ||
           type == SQL_WCHAR || type == SQL_WVARCHAR || type == SQL_WLONGVARCHAR;
}

static bool is_decimal(SQLSMALLINT type)
{
    return type == SQL_DECIMAL || type == SQL_NUMERIC;
}

static bool is_date(SQLSMALLINT type)
{
    return type == SQL_TYPE_DATE || type == SQL_TYPE_TIMESTAMP;
}

static bool is_whole(const struct lb_odbc_column *column)
{
    return column->type == SQL_TINYINT || column->type == SQL_SMALLINT ||
           column->type == SQL_INTEGER || column->type == SQL_BIGINT || column->type == SQL_BIT ||
           (is_decimal(column->type) && column->places == 0);
}

static enum lb_odbc_how how_any(const struct lb_odbc_column *column)
{
    if (is_text(column->type))
        return LB_ODBC_TEXT;
    if (is_whole(column))
        return LB_ODBC_WHOLE;
    return is_date(column->type) ? LB_ODBC_DATE : LB_ODBC_NOTHING;
}

static enum lb_odbc_how how(enum lb_source_want want, const struct lb_odbc_column *column)
{
    bool text = is_text(column->type);
    switch (want) {
    case LB_SOURCE_WANT_TEXT:
        return text ? LB_ODBC_TEXT : LB_ODBC_NOTHING;
    case LB_SOURCE_WANT_DATE:
        return text ? LB_ODBC_TEXT : is_date(column->type) ? LB_ODBC_DATE : LB_ODBC_NOTHING;
    case LB_SOURCE_WANT_MONTH:
        return text ? LB_ODBC_TEXT : is_date(column->type) ? LB_ODBC_MONTH : LB_ODBC_NOTHING;
    case LB_SOURCE_WANT_INT:
        return is_whole(column) ? LB_ODBC_WHOLE : LB_ODBC_NOTHING;
    case LB_SOURCE_WANT_CENTS:
        return is_whole(column)            ? LB_ODBC_WHOLE
               : is_decimal(column->type) ? LB_ODBC_CENTS
                                           : LB_ODBC_NOTHING;
    default:
        return how_any(column);
    }
}

static const char *advice(enum lb_source_want want)
{
    switch (want) {
    case LB_SOURCE_WANT_TEXT:
        return "text; cast it, with the zeros that a code has";
    case LB_SOURCE_WANT_DATE:
        return "a date; cast it to one";
    case LB_SOURCE_WANT_MONTH:
        return "a month; give it as text YYYY-MM";
    case LB_SOURCE_WANT_INT:
        return "a whole number; say in the query how it becomes one";
    default:
        return "money; give whole cents, or a decimal with two places for yuan";
    }
}

lb_status lb_odbc_column_how(enum lb_source_want want, struct lb_diag *diag,
                             struct lb_odbc_column *column)
{
    column->how = how(want, column);
    if (column->how != LB_ODBC_NOTHING || want == LB_SOURCE_WANT_ANY)
        return LB_OK;
    lb_diag_set(diag, "column \"%s\" is not of a type that a field takes for %s", column->name,
                advice(want));
    LB_FAIL(LB_CONFIG_INVALID, "a column of another type");
}

lb_status lb_odbc_column_empty(const struct lb_source_column *wanted,
                               const struct lb_odbc_dbms *dbms, struct lb_diag *diag,
                               struct lb_odbc_column *column)
{
    if (wanted == NULL)
        return LB_OK;
    column->empty = wanted->empty;
    column->null_is_empty = wanted->null_is_empty;
    if (!dbms->empty_is_null || !column->empty || column->null_is_empty)
        return LB_OK;
    lb_diag_set(diag, "column \"%s\": this DBMS keeps '' as NULL, so that the word in `empty` "
                      "would never come; say null_is_empty: true, or leave `empty` out",
                column->name);
    LB_FAIL(LB_CONFIG_INVALID, "'' and NULL are one here");
}

lb_status lb_odbc_type_name(const struct lb_odbc_column *column, struct lb_arena *arena,
                            const char **out)
{
    if (is_text(column->type))
        *out = lb_arena_printf(arena, "text(%lu)", (unsigned long)column->size);
    else if (is_decimal(column->type))
        *out = lb_arena_printf(arena, "decimal(%lu,%d)", (unsigned long)column->size,
                               (int)column->places);
    else if (is_whole(column))
        *out = lb_arena_printf(arena, "integer(%lu)", (unsigned long)column->size);
    else if (is_date(column->type))
        *out = column->type == SQL_TYPE_DATE ? "date" : "timestamp";
    else
        *out = lb_arena_printf(arena, "type %d", (int)column->type);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

/* A driver says some number of places for a decimal that has none of its own, such as a sum; then
 * the text has fewer, and whether it is yuan is not certain. */
static bool has_places(struct lb_span text, SQLSMALLINT places)
{
    const uint8_t *point = text.len > 0 ? memchr(text.ptr, '.', text.len) : NULL;
    size_t behind = point == NULL ? 0 : text.len - (size_t)(point - text.ptr) - 1;
    return behind == (size_t)places;
}

lb_status lb_odbc_cell(const struct lb_source_stmt *stmt, const struct lb_odbc_column *column,
                       struct lb_span text, struct lb_arena *arena, struct lb_source_cell *out)
{
    switch (column->how) {
    case LB_ODBC_TEXT:
        return lb_source_cell_text(text, arena, out);
    case LB_ODBC_DATE:
        return lb_source_cell_date(text, 10, arena, out);
    case LB_ODBC_MONTH:
        return lb_source_cell_date(text, 7, arena, out);
    case LB_ODBC_WHOLE:
        lb_source_cell_decimal(text, 0, out);
        return LB_OK;
    case LB_ODBC_CENTS:
        if (!stmt->core->dbms->exact_places || has_places(text, column->places))
            lb_source_cell_decimal(text, 2, out);
        return LB_OK;
    default:
        return LB_OK;
    }
}
