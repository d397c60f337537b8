#include "gateway/ctl/table.h"

#include "gateway/ctl/text.h"

struct lb_ctl_row {
    struct lb_ctl_row *next;
    const char *note;                       /* instead of cells */
    const char *cells[LB_CTL_MAX_COLUMNS];
};

static const char *copy(struct lb_ctl_table *table, const char *text)
{
    const char *kept = lb_arena_str(table->arena, lb_span_str(text == NULL ? "" : text));
    if (kept == NULL)
        table->failed = true;
    return kept;
}

static struct lb_ctl_row *add_row(struct lb_ctl_table *table)
{
    struct lb_ctl_row *row = lb_arena_alloc(table->arena, sizeof(*row));
    if (row == NULL) {
        table->failed = true;
        return NULL;
    }
    if (table->last == NULL)
        table->first = row;
    else
        table->last->next = row;
    table->last = row;
    return row;
}

static void add_cells(struct lb_ctl_table *table, const char *const *cells)
{
    struct lb_ctl_row *row = add_row(table);
    for (size_t i = 0; row != NULL && i < table->num_columns; i++)
        row->cells[i] = copy(table, cells[i]);
}

void lb_ctl_table_init(struct lb_ctl_table *table, struct lb_arena *arena,
                       const char *const *headings)
{
    *table = (struct lb_ctl_table){.arena = arena};
    while (table->num_columns < LB_CTL_MAX_COLUMNS && headings[table->num_columns] != NULL)
        table->num_columns++;
    add_cells(table, headings);
}

void lb_ctl_table_row(struct lb_ctl_table *table, const char *const *cells)
{
    add_cells(table, cells);
    table->num_rows++;
}

void lb_ctl_table_note(struct lb_ctl_table *table, const char *text)
{
    struct lb_ctl_row *row = add_row(table);
    if (row != NULL)
        row->note = copy(table, text);
}

static void measure(const struct lb_ctl_table *table, size_t widths[LB_CTL_MAX_COLUMNS])
{
    for (const struct lb_ctl_row *row = table->first; row != NULL; row = row->next) {
        for (size_t i = 0; row->note == NULL && i < table->num_columns; i++) {
            size_t width = lb_ctl_width(lb_span_str(row->cells[i]));
            if (width > widths[i])
                widths[i] = width;
        }
    }
}

static void print_row(const struct lb_ctl_table *table, const struct lb_ctl_row *row,
                      const size_t *widths, FILE *out)
{
    size_t owed = 0; /* blanks are written only before something, so no line ends in them */
    for (size_t i = 0; i < table->num_columns; i++) {
        const char *cell = row->cells[i];
        if (cell[0] != 0) {
            (void)fprintf(out, "%*s", (int)owed, "");
            lb_ctl_put(out, cell);
            owed = 0;
        }
        owed += widths[i] - lb_ctl_width(lb_span_str(cell)) + 2;
    }
    (void)fputc('\n', out);
}

lb_status lb_ctl_table_print(const struct lb_ctl_table *table, FILE *out)
{
    size_t widths[LB_CTL_MAX_COLUMNS] = {0};
    LB_ENSURE(!table->failed, LB_NO_MEMORY, "the table is too large");
    measure(table, widths);
    for (const struct lb_ctl_row *row = table->first; row != NULL; row = row->next) {
        if (row->note == NULL) {
            print_row(table, row, widths, out);
            continue;
        }
        (void)fputs("    ", out);
        lb_ctl_put(out, row->note);
        (void)fputc('\n', out);
    }
    return LB_OK;
}
