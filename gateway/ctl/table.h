#ifndef GATEWAY_CTL_TABLE_H
#define GATEWAY_CTL_TABLE_H

#include <stdio.h>

#include "gateway/base/arena.h"

/*
 * A table whose columns line up under Chinese text as well. Cells are copied into the arena, so its
 * cap bounds the table; what does not fit is told by the print.
 */
#define LB_CTL_MAX_COLUMNS 12

struct lb_ctl_row;

struct lb_ctl_table {
    struct lb_arena *arena;
    size_t num_columns;
    struct lb_ctl_row *first;
    struct lb_ctl_row *last;
    size_t num_rows;  /* without the headings */
    bool failed;
};

/* lb_ctl_table_init begins a table; headings are NULL-terminated, at most LB_CTL_MAX_COLUMNS. */
void lb_ctl_table_init(struct lb_ctl_table *table, struct lb_arena *arena,
                       const char *const *headings);
/* lb_ctl_table_row adds a row of as many cells as there are headings; NULL is an empty cell. */
void lb_ctl_table_row(struct lb_ctl_table *table, const char *const *cells);
/* lb_ctl_table_note adds an indented line under the last row. */
void lb_ctl_table_note(struct lb_ctl_table *table, const char *text);
/* lb_ctl_table_print writes it, unsafe characters replaced (text.h), the last column unpadded.
 * NO_MEMORY when rows were lost to the arena's cap: then nothing is written. */
LB_MUST lb_status lb_ctl_table_print(const struct lb_ctl_table *table, FILE *out);

#endif
