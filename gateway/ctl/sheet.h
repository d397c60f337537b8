#ifndef GATEWAY_CTL_SHEET_H
#define GATEWAY_CTL_SHEET_H

#include "gateway/ctl/env.h"
#include "gateway/json/json.h"

/*
 * A result in three forms: a table for the eye with facts under it, one JSON document, or CSV for a
 * spreadsheet (RFC 4180 with a byte order mark, and nothing in it that a spreadsheet would take for
 * a formula). Texts are copied into the arena, so its cap bounds the result.
 */
#define LB_CTL_SHEET_COLUMNS 32

enum lb_ctl_sheet_place {
    LB_CTL_IN_TABLE,
    LB_CTL_UNDER_ROW,  /* on a line of its own below the row, when it says something */
    LB_CTL_NOT_SHOWN,  /* in JSON and CSV only */
};

struct lb_ctl_column {
    const char *id;       /* its name in JSON and CSV */
    const char *en, *zh;
    enum lb_ctl_sheet_place place;
    bool number;          /* a decimal, or "" for none */
};

struct lb_ctl_sheet_row;

struct lb_ctl_fact {
    const char *id;
    const char *label;
    const char *value;
    bool number;
    struct lb_ctl_fact *next;
};

struct lb_ctl_sheet {
    const struct lb_ctl_env *env;
    struct lb_arena *arena;
    const struct lb_ctl_column *columns;
    size_t num_columns;
    struct lb_ctl_sheet_row *first, **last;
    size_t num_rows;
    struct lb_ctl_fact *facts, **last_fact;
    bool failed;
};

/* lb_ctl_sheet_init begins one; the columns outlive it. */
void lb_ctl_sheet_init(struct lb_ctl_sheet *sheet, const struct lb_ctl_env *env,
                       struct lb_arena *arena, const struct lb_ctl_column *columns,
                       size_t num_columns);
/* lb_ctl_sheet_row adds a row of as many cells as there are columns; NULL is an empty cell. */
void lb_ctl_sheet_row(struct lb_ctl_sheet *sheet, const char *const *cells);
/* lb_ctl_sheet_fact adds one named value about the whole; _number one that is a number. */
void lb_ctl_sheet_fact(struct lb_ctl_sheet *sheet, const char *id, const char *zh, const char *en,
                       const char *value);
void lb_ctl_sheet_number(struct lb_ctl_sheet *sheet, const char *id, const char *zh,
                         const char *en, int64_t value);
/* lb_ctl_sheet_print writes it to env->out: JSON when env->json, else CSV when asked (facts then go
 * to env->err), else the table. NO_MEMORY when something was lost to the arena's cap: then nothing
 * is written. */
LB_MUST lb_status lb_ctl_sheet_print(const struct lb_ctl_sheet *sheet, bool csv);

#endif
