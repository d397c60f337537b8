#include "adapters/api/cells.h"
#include "adapters/postgres/inside.h"
#include "gateway/base/limits.h"

/* Which of the server's types becomes which cell. Types are known when a query is prepared, so what
 * does not fit is refused then, with advice, and not turned into an unknown at the window. */

#define OID_BOOL 16
#define OID_NAME 19
#define OID_INT8 20
#define OID_INT2 21
#define OID_INT4 23
#define OID_TEXT 25
#define OID_UNKNOWN 705
#define OID_BPCHAR 1042
#define OID_VARCHAR 1043
#define OID_DATE 1082
#define OID_TIMESTAMP 1114
#define OID_NUMERIC 1700
#define MODIFIER_HEADER 4  /* a type's modifier is so much larger than what it says */
#define MAX_BYTES_PER_CHARACTER 4

static bool is_text(Oid type)
{
    return type == OID_TEXT || type == OID_VARCHAR || type == OID_BPCHAR || type == OID_NAME;
}

static bool is_integer(Oid type)
{
    return type == OID_INT2 || type == OID_INT4 || type == OID_INT8;
}

static bool is_date(Oid type)
{
    return type == OID_DATE || type == OID_TIMESTAMP;
}

/* Places of numeric(p,s); -1 for a numeric that does not say. */
static int places_of(const struct lb_postgres_column *column)
{
    if (column->modifier < MODIFIER_HEADER)
        return -1;
    return (column->modifier - MODIFIER_HEADER) & 0x7FF;
}

static bool is_whole(const struct lb_postgres_column *column)
{
    return is_integer(column->type) || (column->type == OID_NUMERIC && places_of(column) == 0);
}

static enum lb_postgres_how how_any(const struct lb_postgres_column *column)
{
    if (is_text(column->type))
        return LB_POSTGRES_TEXT;
    if (is_whole(column))
        return LB_POSTGRES_WHOLE;
    if (is_date(column->type))
        return LB_POSTGRES_DATE;
    return column->type == OID_BOOL ? LB_POSTGRES_BOOL : LB_POSTGRES_NOTHING;
}

static enum lb_postgres_how how_cents(const struct lb_postgres_column *column)
{
    if (is_whole(column))
        return LB_POSTGRES_WHOLE;
    if (column->type == OID_NUMERIC && places_of(column) > 0)
        return LB_POSTGRES_CENTS;
    return LB_POSTGRES_NOTHING;
}

static enum lb_postgres_how how(enum lb_source_want want, const struct lb_postgres_column *column)
{
    switch (want) {
    case LB_SOURCE_WANT_TEXT:
        return is_text(column->type) ? LB_POSTGRES_TEXT : LB_POSTGRES_NOTHING;
    case LB_SOURCE_WANT_DATE:
        return is_text(column->type)   ? LB_POSTGRES_TEXT
               : is_date(column->type) ? LB_POSTGRES_DATE
                                       : LB_POSTGRES_NOTHING;
    case LB_SOURCE_WANT_MONTH:
        return is_text(column->type)   ? LB_POSTGRES_TEXT
               : is_date(column->type) ? LB_POSTGRES_MONTH
                                       : LB_POSTGRES_NOTHING;
    case LB_SOURCE_WANT_INT:
        return is_whole(column)            ? LB_POSTGRES_WHOLE
               : column->type == OID_BOOL ? LB_POSTGRES_BOOL
                                           : LB_POSTGRES_NOTHING;
    case LB_SOURCE_WANT_CENTS:
        return how_cents(column);
    default:
        return how_any(column);
    }
}

static const char *advice(enum lb_source_want want)
{
    switch (want) {
    case LB_SOURCE_WANT_TEXT:
        return "text; write CAST(... AS text), or to_char with the zeros that a code has";
    case LB_SOURCE_WANT_DATE:
        return "a date; write CAST(... AS date), which for a time with time zone says in which";
    case LB_SOURCE_WANT_MONTH:
        return "a month; write to_char(..., 'YYYY-MM')";
    case LB_SOURCE_WANT_INT:
        return "a whole number; say how it becomes one, as in CAST(floor(...) AS bigint)";
    default:
        return "money; write CAST(... AS bigint) for cents or CAST(... AS numeric(16,2)) for yuan";
    }
}

/* So long that no text of the type is longer than a value may be. */
static bool is_bounded(const struct lb_postgres_column *column)
{
    if (column->type == OID_NAME)
        return true;
    return column->modifier >= MODIFIER_HEADER &&
           (column->modifier - MODIFIER_HEADER) * MAX_BYTES_PER_CHARACTER <= LB_MAX_VALUE_BYTES;
}

lb_status lb_postgres_column(enum lb_source_want want, struct lb_diag *diag,
                             struct lb_postgres_column *column)
{
    column->how = how(want, column);
    column->bounded = !is_text(column->type) || is_bounded(column);
    if (column->how != LB_POSTGRES_NOTHING || want == LB_SOURCE_WANT_ANY)
        return LB_OK;
    lb_diag_set(diag, "column \"%s\" is not of a type that a field takes for %s", column->name,
                advice(want));
    LB_FAIL(LB_CONFIG_INVALID, "a column of another type");
}

static const char *plain_name(Oid type)
{
    static const struct {
        Oid type;
        const char *name;
    } names[] = {
        {OID_BOOL, "boolean"},      {OID_NAME, "name"},       {OID_INT8, "bigint"},
        {OID_INT2, "smallint"},     {OID_INT4, "integer"},    {OID_TEXT, "text"},
        {OID_BPCHAR, "character"},  {OID_VARCHAR, "varchar"}, {OID_DATE, "date"},
        {OID_TIMESTAMP, "timestamp"}, {OID_NUMERIC, "numeric"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].type == type)
            return names[i].name;
    return "another type";
}

lb_status lb_postgres_type_name(const struct lb_postgres_column *column, struct lb_arena *arena,
                                const char **out)
{
    const char *name = plain_name(column->type);
    int size = column->modifier - MODIFIER_HEADER;
    if (column->type == OID_NUMERIC && size >= 0)
        *out = lb_arena_printf(arena, "numeric(%d,%d)", size >> 16 & 0xFFFF, size & 0x7FF);
    else if (is_text(column->type) && size >= 0)
        *out = lb_arena_printf(arena, "%s(%d)", name, size);
    else
        *out = lb_arena_printf(arena, "%s", name);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena full");
    return LB_OK;
}

lb_status lb_postgres_check_param(Oid type, const char *name, struct lb_diag *diag)
{
    if (is_text(type) || is_date(type) || type == OID_UNKNOWN)
        return LB_OK;
    lb_diag_set(diag, "the query compares :%s with something that is neither text nor a date; "
                      "write CAST(... AS text) = :%s", name, name);
    LB_FAIL(LB_CONFIG_INVALID, "a parameter of another type");
}

/* Bytes of another encoding may well be UTF-8 by chance, and then mean something else. */
static bool is_ascii(struct lb_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0x80)
            return false;
    return true;
}

static void fill_bool(struct lb_span text, struct lb_source_cell *out)
{
    if (!lb_span_is(text, "t") && !lb_span_is(text, "f"))
        return;
    out->kind = LB_SOURCE_INT;
    out->number = text.ptr[0] == 't';
}

lb_status lb_postgres_cell(const struct lb_postgres_column *column, struct lb_span text,
                           struct lb_arena *arena, struct lb_source_cell *out)
{
    switch (column->how) {
    case LB_POSTGRES_ASCII:
        if (!is_ascii(text))
            return LB_OK;
        return lb_source_cell_text(text, arena, out);
    case LB_POSTGRES_TEXT:
        return lb_source_cell_text(text, arena, out);
    case LB_POSTGRES_DATE:
        return lb_source_cell_date(text, 10, arena, out);
    case LB_POSTGRES_MONTH:
        return lb_source_cell_date(text, 7, arena, out);
    case LB_POSTGRES_BOOL:
        fill_bool(text, out);
        return LB_OK;
    case LB_POSTGRES_WHOLE:
        lb_source_cell_decimal(text, 0, out);
        return LB_OK;
    case LB_POSTGRES_CENTS:
        lb_source_cell_decimal(text, 2, out);
        return LB_OK;
    default:
        return LB_OK;
    }
}
