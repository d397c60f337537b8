#ifndef ADAPTERS_API_SOURCE_H
#define ADAPTERS_API_SOURCE_H

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/*
 * The contract of a source: a department's database behind a view. A source may block, hang and
 * reconnect; it runs on bounded workers and is told to cancel from another thread. It only ever
 * reads: statements come from view files, are prepared once and take bound parameters, never text.
 * Encodings, padding, decimals and NULL are the source's business: it hands up the cells of
 * policy/engine/value.h's meaning (integers, or UTF-8 text).
 */

#define LB_SOURCE_API_VERSION 2

enum lb_source_cell_kind { LB_SOURCE_NULL, LB_SOURCE_INT, LB_SOURCE_TEXT };

struct lb_source_cell {
    enum lb_source_cell_kind kind;
    int64_t number;
    struct lb_span text;
};

struct lb_source_param {
    const char *name;  /* without the colon: id_no, today, this_month, from_month; for the officer's
                          source those of adapters/officer/officer.h */
    struct lb_span value;
};

struct lb_source_result {
    size_t num_columns;
    const char *const *columns;
    size_t num_rows;
    const struct lb_source_cell *cells;  /* row by row, in the call's arena */
};

/* Limits of one read. */
struct lb_source_limits {
    size_t max_rows;      /* one row more is fetched to tell; then AMBIGUOUS */
    int64_t timeout_ms;   /* SOURCE_TIMEOUT past it */
};

struct lb_source;      /* one open connection, used by one thread at a time */
struct lb_source_stmt; /* a prepared query of it */

struct lb_source_plugin {
    int api_version;
    const char *name;  /* "sqlite" */
    void *ctx;         /* of a plugin with a state of its own, else NULL; open gets it */
    /* open connects read-only. `location` is the plugin's own text from the configuration (a path,
     * a connection string). CONFIG_INVALID with a sentence in diag when it never can work (missing
     * file, not a database); SOURCE_UNAVAILABLE when it may work later (locked, server down). */
    lb_status (*open)(void *ctx, const char *location, struct lb_diag *diag,
                      struct lb_source **out_source);
    void (*close)(struct lb_source *source);
    /* prepare compiles one query; refuses anything that could write, more than one statement,
     * unknown parameters, or columns that do not exist: CONFIG_INVALID with a sentence in diag. */
    lb_status (*prepare)(struct lb_source *source, const char *query, struct lb_diag *diag,
                         struct lb_source_stmt **out_stmt);
    /* read binds the parameters a query has (others are ignored), runs it and copies the rows into
     * the arena. SOURCE_UNAVAILABLE, SOURCE_TIMEOUT, AMBIGUOUS (too many rows), NO_MEMORY. */
    lb_status (*read)(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                      size_t num_params, const struct lb_source_limits *limits,
                      struct lb_arena *arena, struct lb_source_result *out_result);
    /* cancel makes a read of that source in another thread return SOURCE_TIMEOUT soon. */
    void (*cancel)(struct lb_source *source);
};

#endif
