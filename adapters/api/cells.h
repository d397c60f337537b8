#ifndef ADAPTERS_API_CELLS_H
#define ADAPTERS_API_CELLS_H

#include "adapters/api/source.h"

/*
 * From what a database gives to cells. Every source goes by these rules, so that one view means the
 * same wherever its rows are kept. What can't be read for certain stays NULL.
 */

/* Rows as they come in. Fill the cells of the row that _row gives; they start as NULL. */
struct lb_source_rows {
    size_t num_columns;
    size_t max_rows;
    struct lb_arena *arena;
    size_t num;
    size_t room;
    struct lb_source_cell *cells;
};

/* lb_source_rows_next gives the cells of one more row. AMBIGUOUS past max_rows, NO_MEMORY. */
LB_MUST lb_status lb_source_rows_next(struct lb_source_rows *rows,
                                      struct lb_source_cell **out_row);

/* lb_source_cell_text hands up text: trailing blanks are cut; text that is not UTF-8, has a NUL
 * inside or is longer than LB_MAX_VALUE_BYTES stays NULL, and so does empty text: databases
 * disagree whether it is a value. NO_MEMORY. */
LB_MUST lb_status lb_source_cell_text(struct lb_span text, struct lb_arena *arena,
                                      struct lb_source_cell *out);

/* lb_source_cell_empty hands up a text without bytes for text that is empty or blank; any other
 * leaves the cell as it is. For columns that are asked for so. */
void lb_source_cell_empty(struct lb_span text, struct lb_source_cell *out);

/* lb_source_cell_date hands up the first `len` characters (10: date, 7: month) of a date or time
 * in the form YYYY-MM-DD...; anything else stays NULL. NO_MEMORY. */
LB_MUST lb_status lb_source_cell_date(struct lb_span text, size_t len, struct lb_arena *arena,
                                      struct lb_source_cell *out);

/* lb_source_cell_decimal hands up a plain decimal number (sign, digits, point, digits), shifted by
 * `places` to the left: 2 makes cents of yuan. Digits behind those places other than 0, exponents,
 * words and what does not fit 64 bits stay NULL. No floating point is used. */
void lb_source_cell_decimal(struct lb_span text, unsigned places, struct lb_source_cell *out);

/* lb_source_column_of finds what a query makes of a column; NULL when it is not in its list. */
const struct lb_source_column *lb_source_column_of(const struct lb_source_query *query,
                                                   const char *column);

/* lb_source_want_of is what a query makes of a column. */
enum lb_source_want lb_source_want_of(const struct lb_source_query *query, const char *column);

/* lb_source_check_columns refuses no column, more than LB_MAX_FIELDS_PER_VIEW and two of one name,
 * and a query without a column that the view uses: CONFIG_INVALID with a sentence in diag. */
LB_MUST lb_status lb_source_check_columns(const struct lb_source_query *query,
                                          const char *const *names, size_t num,
                                          struct lb_diag *diag);

/* lb_source_find_param finds a parameter by name; NULL when there is none. */
const struct lb_source_param *lb_source_find_param(const struct lb_source_param *params, size_t num,
                                                   const char *name);

#endif
