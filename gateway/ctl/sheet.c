#include "gateway/ctl/sheet.h"

#include <stdlib.h>

#include "gateway/ctl/say.h"
#include "gateway/ctl/table.h"
#include "gateway/ctl/text.h"

struct lb_ctl_sheet_row {
    struct lb_ctl_sheet_row *next;
    const char *cells[LB_CTL_SHEET_COLUMNS];
};

void lb_ctl_sheet_init(struct lb_ctl_sheet *sheet, const struct lb_ctl_env *env,
                       struct lb_arena *arena, const struct lb_ctl_column *columns,
                       size_t num_columns)
{
    *sheet = (struct lb_ctl_sheet){
        .env = env, .arena = arena, .columns = columns,
        .num_columns = num_columns < LB_CTL_SHEET_COLUMNS ? num_columns : LB_CTL_SHEET_COLUMNS,
    };
    sheet->last = &sheet->first;
    sheet->last_fact = &sheet->facts;
}

static const char *copy(struct lb_ctl_sheet *sheet, const char *text)
{
    const char *kept = lb_ctl_utf8(sheet->arena, text == NULL ? "" : text);
    sheet->failed = sheet->failed || kept == NULL;
    return kept == NULL ? "" : kept;
}

void lb_ctl_sheet_row(struct lb_ctl_sheet *sheet, const char *const *cells)
{
    struct lb_ctl_sheet_row *row = lb_arena_alloc(sheet->arena, sizeof(*row));
    if (row == NULL) {
        sheet->failed = true;
        return;
    }
    for (size_t i = 0; i < sheet->num_columns; i++)
        row->cells[i] = copy(sheet, cells[i]);
    *sheet->last = row;
    sheet->last = &row->next;
    sheet->num_rows++;
}

void lb_ctl_sheet_fact(struct lb_ctl_sheet *sheet, const char *id, const char *zh, const char *en,
                       const char *value)
{
    struct lb_ctl_fact *fact = lb_arena_alloc(sheet->arena, sizeof(*fact));
    if (fact == NULL) {
        sheet->failed = true;
        return;
    }
    *fact = (struct lb_ctl_fact){.id = id, .label = lb_ctl_pick(sheet->env, zh, en),
                                 .value = copy(sheet, value)};
    *sheet->last_fact = fact;
    sheet->last_fact = &fact->next;
}

void lb_ctl_sheet_number(struct lb_ctl_sheet *sheet, const char *id, const char *zh,
                         const char *en, int64_t value)
{
    struct lb_ctl_fact **at = sheet->last_fact;
    char text[24];
    (void)snprintf(text, sizeof(text), "%lld", (long long)value);
    lb_ctl_sheet_fact(sheet, id, zh, en, text);
    if (*at != NULL)
        (*at)->number = true;
}

/* --- as a table --- */

static const char *heading(const struct lb_ctl_sheet *sheet, size_t i)
{
    return lb_ctl_pick(sheet->env, sheet->columns[i].zh, sheet->columns[i].en);
}

static void put_facts(const struct lb_ctl_sheet *sheet, FILE *out)
{
    for (const struct lb_ctl_fact *fact = sheet->facts; fact != NULL; fact = fact->next) {
        lb_ctl_put(out, fact->label);
        (void)fputs(lb_ctl_pick(sheet->env, "：", ": "), out);
        lb_ctl_put(out, fact->value);
        (void)fputc('\n', out);
    }
}

static void add_notes(const struct lb_ctl_sheet *sheet, const struct lb_ctl_sheet_row *row,
                      struct lb_ctl_table *table)
{
    for (size_t i = 0; i < sheet->num_columns; i++) {
        if (sheet->columns[i].place != LB_CTL_UNDER_ROW || row->cells[i][0] == 0)
            continue;
        const char *note = lb_arena_printf(sheet->arena, "%s%s%s", heading(sheet, i),
                                           lb_ctl_pick(sheet->env, "：", ": "), row->cells[i]);
        table->failed = table->failed || note == NULL;
        lb_ctl_table_note(table, note == NULL ? "" : note);
    }
}

static void shown_cells(const struct lb_ctl_sheet *sheet, const struct lb_ctl_sheet_row *row,
                        const char *out[LB_CTL_MAX_COLUMNS + 1])
{
    size_t num = 0;
    for (size_t i = 0; i < sheet->num_columns && num < LB_CTL_MAX_COLUMNS; i++) {
        if (sheet->columns[i].place != LB_CTL_IN_TABLE)
            continue;
        const char *cell = row == NULL ? heading(sheet, i) : row->cells[i];
        out[num++] = cell[0] == 0 ? "-" : cell;
    }
    out[num] = NULL;
}

static lb_status print_table(const struct lb_ctl_sheet *sheet)
{
    const char *cells[LB_CTL_MAX_COLUMNS + 1];
    struct lb_ctl_table table;
    shown_cells(sheet, NULL, cells);
    if (sheet->num_columns > 0) {
        lb_ctl_table_init(&table, sheet->arena, cells);
        for (const struct lb_ctl_sheet_row *row = sheet->first; row != NULL; row = row->next) {
            shown_cells(sheet, row, cells);
            lb_ctl_table_row(&table, cells);
            add_notes(sheet, row, &table);
        }
        LB_TRY(lb_ctl_table_print(&table, sheet->env->out));
    }
    put_facts(sheet, sheet->env->out);
    return LB_OK;
}

/* --- as JSON --- */

static void set_value(struct lb_json *object, const char *id, const char *value, bool number)
{
    if (number && value[0] == 0)
        lb_json_set_null(object, id);
    else if (number)
        lb_json_set_int(object, id, strtoll(value, NULL, 10));
    else
        lb_json_set_cstr(object, id, value);
}

static lb_status print_json(const struct lb_ctl_sheet *sheet)
{
    LB_DEFER(lb_json_freep) struct lb_json *root = lb_json_object();
    for (const struct lb_ctl_fact *fact = sheet->facts; fact != NULL; fact = fact->next)
        set_value(root, fact->id, fact->value, fact->number);
    if (sheet->num_columns == 0)
        return lb_ctl_print_json(sheet->env, root);
    struct lb_json *rows = lb_json_array();
    for (const struct lb_ctl_sheet_row *row = sheet->first; row != NULL; row = row->next) {
        struct lb_json *object = lb_json_object();
        for (size_t i = 0; i < sheet->num_columns; i++)
            set_value(object, sheet->columns[i].id, row->cells[i], sheet->columns[i].number);
        lb_json_append(rows, object);
    }
    lb_json_set(root, "rows", rows);
    return lb_ctl_print_json(sheet->env, root);
}

/* --- as CSV --- */

/* A cell that begins so is a formula to a spreadsheet; an apostrophe makes it a text. */
static bool is_formula(const char *cell)
{
    return cell[0] != 0 && strchr("=+-@|%\t\r\n", cell[0]) != NULL;
}

static void put_cell(FILE *out, const char *cell)
{
    (void)fputs(is_formula(cell) ? "\"'" : "\"", out);
    for (size_t len; *cell != 0; cell += len) {
        char part[256];
        len = strcspn(cell, "\"");
        len = len < sizeof(part) - 1 ? len : sizeof(part) - 1;
        memcpy(part, cell, len);
        part[len] = 0;
        lb_ctl_put(out, part);
        if (len == 0) {
            (void)fputs("\"\"", out);
            len = 1;
        }
    }
    (void)fputc('"', out);
}

static void put_line(const struct lb_ctl_sheet *sheet, const struct lb_ctl_sheet_row *row)
{
    FILE *out = sheet->env->out;
    for (size_t i = 0; i < sheet->num_columns; i++) {
        if (i > 0)
            (void)fputc(',', out);
        put_cell(out, row == NULL ? sheet->columns[i].id : row->cells[i]);
    }
    (void)fputs("\r\n", out);
}

static lb_status print_csv(const struct lb_ctl_sheet *sheet)
{
    (void)fputs("\xEF\xBB\xBF", sheet->env->out);
    put_line(sheet, NULL);
    for (const struct lb_ctl_sheet_row *row = sheet->first; row != NULL; row = row->next)
        put_line(sheet, row);
    put_facts(sheet, sheet->env->err);
    return LB_OK;
}

lb_status lb_ctl_sheet_print(const struct lb_ctl_sheet *sheet, bool csv)
{
    LB_ENSURE(!sheet->failed, LB_NO_MEMORY, "the result is too large; lower --limit");
    if (sheet->env->json)
        return print_json(sheet);
    return csv ? print_csv(sheet) : print_table(sheet);
}
