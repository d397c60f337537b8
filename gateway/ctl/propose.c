#include "gateway/ctl/propose.h"

#include <stdio.h>
#include <strings.h>

#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"

#define MAX_COLUMNS 200
/* Within LB_MAX_NAME_BYTES with a department's id before, and with a number behind. */
#define MAX_VIEW_NAME 30
#define MAX_FIELD_NAME 48

bool lb_propose_next(const struct lb_source_catalog *catalog, size_t from,
                     struct lb_propose_table *out)
{
    size_t end = from + 1;
    if (from >= catalog->num)
        return false;
    while (end < catalog->num &&
           strcmp(catalog->columns[end].table, catalog->columns[from].table) == 0 &&
           strcmp(catalog->columns[end].schema, catalog->columns[from].schema) == 0)
        end++;
    *out = (struct lb_propose_table){catalog, from, end - from};
    return true;
}

static const struct lb_source_listed *column_of(const struct lb_propose_table *table, size_t i)
{
    return &table->catalog->columns[table->first + i];
}

/* As departments' tables call it: pinyin initials, national data elements, English, Chinese. */
static bool is_key_name(const char *name)
{
    static const char *const names[] = {
        "id_no",  "idno",   "id_card", "idcard", "id_number", "sfzh",   "sfzhm",     "gmsfhm",
        "gmsfzh", "zjhm",   "zjh",     "aac002", "aac147",    "certno", "cert_no",   "psn_cert_no",
        "citizen_id", "owner_id", "legal_id", "身份证号", "身份证号码", "公民身份号码", "证件号码",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

const struct lb_source_listed *lb_propose_key(const struct lb_propose_table *table)
{
    const struct lb_source_listed *found = NULL;
    for (size_t i = 0; i < table->num; i++) {
        const struct lb_source_listed *column = column_of(table, i);
        if (!is_key_name(column->column) || column->want != LB_SOURCE_WANT_TEXT)
            continue;
        if (found == NULL || (column->indexed && !found->indexed))
            found = column;
    }
    return found;
}

/* Small letters and digits as they are, everything else a '-', and no two of them. */
static size_t shorten(const char *text, char *out, size_t max)
{
    size_t len = 0;
    for (; *text != 0 && len < max; text++) {
        char c = *text;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && len > 0);
        if (plain)
            out[len++] = c;
        else if (len > 0 && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len > 0 && out[len - 1] == '-')
        len--;
    out[len] = 0;
    return len;
}

void lb_propose_name(const struct lb_propose_table *table, size_t number, char out[65])
{
    if (shorten(column_of(table, 0)->table, out, MAX_VIEW_NAME) == 0)
        (void)snprintf(out, 65, "table-%zu", number);
}

/* A text as a double-quoted scalar. Names with control characters are not offered. */
static bool is_plain(const char *text)
{
    if (!lb_utf8_valid(lb_span_str(text)) || strlen(text) > LB_MAX_VALUE_BYTES || text[0] == 0)
        return false;
    for (; *text != 0; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F || *text == ';')
            return false;
    return true;
}

static void put_scalar(struct lb_buf *out, const char *text)
{
    lb_buf_put_u8(out, '"');
    for (; *text != 0; text++) {
        if (*text == '"' || *text == '\\')
            lb_buf_put_u8(out, '\\');
        lb_buf_put_u8(out, (uint8_t)*text);
    }
    lb_buf_put_u8(out, '"');
}

static void put_quoted(struct lb_buf *out, const char *quote, const char *name)
{
    lb_buf_put_str(out, quote);
    for (; *name != 0; name++) {
        if (*name == quote[0])
            lb_buf_put_u8(out, (uint8_t)*name);
        lb_buf_put_u8(out, (uint8_t)*name);
    }
    lb_buf_put_str(out, quote);
}

static bool is_offered(const struct lb_source_listed *column, const struct lb_source_listed *key)
{
    return column != key && column->want != LB_SOURCE_WANT_ANY && is_plain(column->column);
}

static void put_query(const struct lb_propose_table *table, const struct lb_source_listed *key,
                      struct lb_buf *out)
{
    const char *quote = table->catalog->quote;
    bool first = true;
    lb_buf_put_str(out, "query: |\n  SELECT ");
    for (size_t i = 0; i < table->num && i < MAX_COLUMNS; i++) {
        if (!is_offered(column_of(table, i), key))
            continue;
        lb_buf_put_str(out, first ? "" : ", ");
        put_quoted(out, quote, column_of(table, i)->column);
        first = false;
    }
    lb_buf_put_str(out, first ? "1 AS found\n    FROM " : "\n    FROM ");
    if (key->schema[0] != 0) {
        put_quoted(out, quote, key->schema);
        lb_buf_put_u8(out, '.');
    }
    put_quoted(out, quote, key->table);
    lb_buf_put_str(out, "\n   WHERE ");
    put_quoted(out, quote, key->column);
    lb_buf_put_str(out, " = :id_no\n");
}

static bool ends(const char *name, const char *end)
{
    size_t len = strlen(name);
    return len >= strlen(end) && strcasecmp(name + len - strlen(end), end) == 0;
}

static const char *type_of(const struct lb_source_listed *column)
{
    switch (column->want) {
    case LB_SOURCE_WANT_DATE:
        return "date";
    case LB_SOURCE_WANT_CENTS:
        return "cents";
    case LB_SOURCE_WANT_INT:
        return ends(column->column, "cents") || ends(column->column, "_fen") ? "cents" : "int";
    default:
        return "text";
    }
}

static void put_field(const struct lb_source_listed *column, size_t number, struct lb_buf *out)
{
    char name[65];
    if (shorten(column->column, name, MAX_FIELD_NAME) == 0)
        (void)snprintf(name, sizeof(name), "column");
    /* The number keeps two columns apart whose names differ in what is not kept. */
    lb_buf_printf(out, "  # %s; decide: keep or remove it, its class, then its rules\n",
                  is_plain(column->type) ? column->type : "of another type");
    lb_buf_printf(out, "  %s.%zu:\n    column: ", name, number + 1);
    put_scalar(out, column->column);
    lb_buf_printf(out, "\n    type: %s\n    class: G4\n", type_of(column));
}

lb_status lb_propose_view(const struct lb_propose_table *table, const char *department,
                          const char *name, const struct lb_source_listed *key,
                          struct lb_buf *out)
{
    size_t num = 0;
    LB_ENSURE(is_plain(key->table) && is_plain(key->schema[0] == 0 ? "-" : key->schema) &&
                  is_plain(key->column),
              LB_ABSENT, "a name that can't be written");
    lb_buf_put_str(out, "# Proposed from the database's own tables. It releases nothing: no field "
                        "has a rule. Decide for each\n# field whether it is needed at all, its "
                        "class (G1 public, G2 internal, G3 personal, G4 sensitive\n# personal), "
                        "and to whom, for what and in which form it is given.\n");
    if (!key->indexed)
        lb_buf_put_str(out, "# The key has no index; `lianban view check --live` refuses that.\n");
    lb_buf_printf(out, "view: %s.%s\nversion: 1\ntitle: {zh: ", department, name);
    put_scalar(out, key->table);
    lb_buf_put_str(out, ", en: ");
    put_scalar(out, key->table);
    lb_buf_put_str(out, "}\n");
    put_query(table, key, out);
    lb_buf_put_str(out, "rows: many\ncomplete: false\nmax_rows: 400\ntimeout_ms: 3000\nfields:\n");
    for (size_t i = 0; i < table->num && i < MAX_COLUMNS; i++) {
        if (!is_offered(column_of(table, i), key))
            continue;
        put_field(column_of(table, i), i, out);
        num++;
    }
    if (num == 0)
        lb_buf_put_str(out, "  found:\n    type: row\n    class: G4\n");
    return lb_buf_check(out);
}
