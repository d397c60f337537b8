#include "adapters/api/cells.h"

#include "gateway/base/limits.h"
#include "gateway/base/utf8.h"

#define FIRST_ROWS 8

static lb_status make_room(struct lb_source_rows *rows)
{
    if (rows->num < rows->room)
        return LB_OK;
    size_t room = rows->room == 0 ? FIRST_ROWS : rows->room * 2;
    struct lb_source_cell *cells =
        lb_arena_array(rows->arena, room * rows->num_columns, sizeof(*cells));
    LB_ENSURE(cells != NULL, LB_NO_MEMORY, "arena full");
    if (rows->num > 0)
        memcpy(cells, rows->cells, rows->num * rows->num_columns * sizeof(*cells));
    rows->cells = cells;
    rows->room = room;
    return LB_OK;
}

lb_status lb_source_rows_next(struct lb_source_rows *rows, struct lb_source_cell **out_row)
{
    LB_ENSURE(rows->num < rows->max_rows, LB_AMBIGUOUS, "more rows than the view allows");
    LB_TRY(make_room(rows));
    *out_row = &rows->cells[rows->num * rows->num_columns];
    rows->num++;
    return LB_OK;
}

/* Systems that store fixed-width text leave blanks behind it. */
static struct lb_span cut_blanks(struct lb_span text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

lb_status lb_source_cell_text(struct lb_span text, struct lb_arena *arena,
                              struct lb_source_cell *out)
{
    text = cut_blanks(text);
    if (text.len == 0 || text.len > LB_MAX_VALUE_BYTES || !lb_utf8_valid(text) ||
        memchr(text.ptr, 0, text.len) != NULL)
        return LB_OK;
    LB_TRY(lb_arena_copy(arena, text, &out->text));
    out->kind = LB_SOURCE_TEXT;
    return LB_OK;
}

void lb_source_cell_empty(struct lb_span text, struct lb_source_cell *out)
{
    if (cut_blanks(text).len == 0)
        *out = (struct lb_source_cell){.kind = LB_SOURCE_TEXT};
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* YYYY-MM-DD, alone or before a time of day. */
static bool begins_with_date(struct lb_span text)
{
    static const char form[] = "dddd-dd-dd";
    if (text.len < sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] == 'd' ? !is_digit(text.ptr[i]) : text.ptr[i] != '-')
            return false;
    return text.len == sizeof(form) - 1 || text.ptr[10] == ' ' || text.ptr[10] == 'T';
}

lb_status lb_source_cell_date(struct lb_span text, size_t len, struct lb_arena *arena,
                              struct lb_source_cell *out)
{
    bool era = text.len > 2 && memcmp(text.ptr + text.len - 2, "BC", 2) == 0;
    if (!begins_with_date(text) || era || len > text.len)
        return LB_OK;
    LB_TRY(lb_arena_copy(arena, lb_span_of(text.ptr, len), &out->text));
    out->kind = LB_SOURCE_TEXT;
    return LB_OK;
}

static bool add_digit(int64_t *number, unsigned digit)
{
    int64_t shifted = 0;
    return !__builtin_mul_overflow(*number, (int64_t)10, &shifted) &&
           !__builtin_sub_overflow(shifted, (int64_t)digit, number);
}

/* Reads digits before and behind the point into a negative number, whose range is the wider. */
static bool read_decimal(struct lb_span text, unsigned places, int64_t *out)
{
    int64_t number = 0;
    unsigned behind = 0;
    bool point = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.' && !point && i > 0 && i + 1 < text.len) {
            point = true;
            continue;
        }
        if (!is_digit(text.ptr[i]))
            return false;
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        behind += point ? 1 : 0;
        if (behind > places ? digit != 0 : !add_digit(&number, digit))
            return false;
    }
    for (; behind < places; behind++)
        if (!add_digit(&number, 0))
            return false;
    *out = number;
    return text.len > 0;
}

void lb_source_cell_decimal(struct lb_span text, unsigned places, struct lb_source_cell *out)
{
    bool minus = text.len > 0 && text.ptr[0] == '-';
    int64_t number = 0;
    if (minus || (text.len > 0 && text.ptr[0] == '+'))
        text = lb_span_of(text.ptr + 1, text.len - 1);
    if (!read_decimal(text, places, &number) || (!minus && number == INT64_MIN))
        return;
    out->kind = LB_SOURCE_INT;
    out->number = minus ? number : -number;
}

const struct lb_source_column *lb_source_column_of(const struct lb_source_query *query,
                                                   const char *column)
{
    for (size_t i = 0; i < query->num_columns; i++)
        if (strcmp(query->columns[i].name, column) == 0)
            return &query->columns[i];
    return NULL;
}

enum lb_source_want lb_source_want_of(const struct lb_source_query *query, const char *column)
{
    const struct lb_source_column *found = lb_source_column_of(query, column);
    return found == NULL ? query->others : found->want;
}

static bool is_among(const char *const *names, size_t num, const char *name)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

lb_status lb_source_check_columns(const struct lb_source_query *query, const char *const *names,
                                  size_t num, struct lb_diag *diag)
{
    if (num < 1 || num > LB_MAX_FIELDS_PER_VIEW) {
        lb_diag_set(diag, "the query gives %zu columns; 1 to %d are allowed", num,
                    LB_MAX_FIELDS_PER_VIEW);
        LB_FAIL(LB_CONFIG_INVALID, "query with too many columns");
    }
    for (size_t i = 0; i < num; i++) {
        if (!is_among(names, i, names[i]))
            continue;
        lb_diag_set(diag, "two columns of the query are called \"%s\"; rename one with AS",
                    names[i]);
        LB_FAIL(LB_CONFIG_INVALID, "two columns of one name");
    }
    for (size_t i = 0; i < query->num_columns; i++) {
        if (is_among(names, num, query->columns[i].name))
            continue;
        lb_diag_set(diag, "the query gives no column \"%s\", which a field of the view names; add "
                          "it to the query", query->columns[i].name);
        LB_FAIL(LB_CONFIG_INVALID, "query without a column of the view");
    }
    return LB_OK;
}

const struct lb_source_param *lb_source_find_param(const struct lb_source_param *params, size_t num,
                                                   const char *name)
{
    for (size_t i = 0; i < num; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}
