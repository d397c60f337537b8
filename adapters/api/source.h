#ifndef ADAPTERS_API_SOURCE_H
#define ADAPTERS_API_SOURCE_H

#include <stdatomic.h>

#include "gateway/base/arena.h"
#include "gateway/base/diag.h"

/*
 * The contract of a source: a department's database behind a view. A source may block, hang and
 * reconnect; it runs on bounded workers and is told to cancel from another thread. It only ever
 * reads: statements come from view files, are prepared once and take bound parameters, never text.
 * Encodings, padding, decimals and NULL are the source's business: it hands up the cells of
 * policy/engine/value.h's meaning (integers, or UTF-8 text). What it can't read for certain it
 * hands up as NULL, hence as unknown, and never as a guess.
 */

#define LB_SOURCE_API_VERSION 4

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
    const char *const *columns;          /* their names: the asker's own; where all were asked, as
                                            long as the statement */
    size_t num_rows;
    const struct lb_source_cell *cells;  /* row by row, in the call's arena */
};

/* Limits of one read. */
struct lb_source_limits {
    size_t max_rows;      /* one row more is fetched to tell; then AMBIGUOUS */
    int64_t timeout_ms;   /* SOURCE_TIMEOUT past it */
    /* The columns asked, by name: no cell is made of another. NULL: all that the query gives. */
    const char *const *columns;
    size_t num_columns;
};

/* lb_source_all is a read of every column. */
static inline struct lb_source_limits lb_source_all(size_t max_rows, int64_t timeout_ms)
{
    return (struct lb_source_limits){.max_rows = max_rows, .timeout_ms = timeout_ms};
}

/* How a database is reached. All is borrowed. */
struct lb_source_options {
    const char *location;          /* the plugin's own text: a path, a connection string */
    const char *password_file;     /* a private file with the password in its first line, or NULL */
    const char *read_only_checked; /* who found, and when, that the account can't write, for a DBMS
                                      that can't be asked; or NULL */
    int64_t timeout_ms;            /* for connecting; 0: the plugin's own patience */
    const atomic_bool *stopping;   /* connecting gives up soon once it is true; NULL: never */
};

/* What a view makes of a column, by which a source knows how to hand it up, or refuses. */
enum lb_source_want {
    LB_SOURCE_WANT_ANY,    /* as it is; NULL when its type has no cell */
    LB_SOURCE_WANT_TEXT,
    LB_SOURCE_WANT_DATE,   /* YYYY-MM-DD */
    LB_SOURCE_WANT_MONTH,  /* YYYY-MM */
    LB_SOURCE_WANT_INT,    /* a whole number */
    LB_SOURCE_WANT_CENTS,  /* an integer is cents; a decimal with places is yuan */
};

struct lb_source_column {
    const char *name;
    enum lb_source_want want;
    bool empty;          /* the view has a word for '': it is handed up as a text without bytes */
    bool null_is_empty;  /* and for NULL, which is handed up as the same. What can't be read for
                            certain stays NULL */
};

struct lb_source_query {
    const char *text;
    size_t num_columns;                      /* that the view uses; the query may give more */
    const struct lb_source_column *columns;
    enum lb_source_want others;              /* of columns not in the list */
};

/* What the database says of a prepared query. */
struct lb_source_shape {
    size_t num_columns;
    const char *const *names;
    const char *const *types;  /* in the database's words, such as "numeric(12,2)" */
};

/* How the rows of one person are found. */
enum lb_source_lookup {
    LB_SOURCE_LOOKUP_UNKNOWN,  /* the database does not tell */
    LB_SOURCE_LOOKUP_INDEX,
    LB_SOURCE_LOOKUP_SCAN,     /* by reading a whole table */
};

/* A column of a table that the account may read. */
struct lb_source_listed {
    const char *schema;    /* "" where there is none */
    const char *table;
    const char *column;
    const char *type;
    enum lb_source_want want;  /* what a view would best make of it; ANY when there is nothing */
    bool indexed;              /* first column of an index */
};

struct lb_source_catalog {
    size_t num;
    const struct lb_source_listed *columns;  /* table by table */
    const char *quote;                       /* what names are put in, such as "\"" */
};

struct lb_source;      /* one open connection, used by one thread at a time */
struct lb_source_stmt; /* a prepared query of it */

struct lb_source_plugin {
    int api_version;
    const char *name;  /* "sqlite" */
    void *ctx;         /* of a plugin with a state of its own, else NULL; open gets it */
    /* Its reads are work of this process that mostly ends within a millisecond, and that waits for
     * nobody: reads that came together may be done one after another on one thread. */
    bool in_process;
    /* open connects read-only, or fails with a sentence in diag. Until somebody has done something:
     * CONFIG_INVALID (missing file, not a database), SOURCE_WRITABLE (the account could do more
     * than read), SOURCE_DENIED (account or password), SOURCE_NO_DRIVER. It may work later:
     * SOURCE_UNAVAILABLE (locked, server down), SOURCE_NO_HOST (its name can't be resolved),
     * SOURCE_FULL (no room, or no connection left). */
    lb_status (*open)(void *ctx, const struct lb_source_options *options, struct lb_diag *diag,
                      struct lb_source **out_source);
    void (*close)(struct lb_source *source);
    /* prepare compiles one query; refuses anything that could write, more than one statement,
     * unknown parameters, columns that do not exist or are not what the view makes of them:
     * CONFIG_INVALID with a sentence in diag. SOURCE_UNAVAILABLE, SOURCE_TIMEOUT, SOURCE_FULL,
     * NO_MEMORY. */
    lb_status (*prepare)(struct lb_source *source, const struct lb_source_query *query,
                         struct lb_diag *diag, struct lb_source_stmt **out_stmt);
    /* read binds the parameters a query has (others are ignored), runs it and copies what is asked
     * of its rows into the arena, in the query's order of columns. SOURCE_UNAVAILABLE,
     * SOURCE_TIMEOUT, SOURCE_FULL, SOURCE_CHANGED (the tables or the account's rights are no longer
     * those that the query was prepared with), AMBIGUOUS (too many rows), NO_MEMORY.
     * After SOURCE_TIMEOUT a source may be spent and say SOURCE_UNAVAILABLE from then on; after
     * that one it is. */
    lb_status (*read)(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                      size_t num_params, const struct lb_source_limits *limits,
                      struct lb_arena *arena, struct lb_source_result *out_result);
    /* cancel makes a read of that source in another thread return SOURCE_TIMEOUT soon. */
    void (*cancel)(struct lb_source *source);
    /* describe says what a prepared query gives; NULL in a plugin without a schema.
     * SOURCE_UNAVAILABLE, SOURCE_TIMEOUT, NO_MEMORY. */
    lb_status (*describe)(struct lb_source_stmt *stmt, struct lb_arena *arena,
                          struct lb_source_shape *out_shape);
    /* lookup asks how the query would find :id_no, whatever the tables' sizes are now; NULL in a
     * plugin that can't know. SOURCE_UNAVAILABLE, SOURCE_TIMEOUT, NO_MEMORY. */
    lb_status (*lookup)(struct lb_source_stmt *stmt, enum lb_source_lookup *out_lookup);
    /* catalog lists what the account may read; NULL in a plugin without a schema.
     * SOURCE_UNAVAILABLE, SOURCE_TIMEOUT, NO_MEMORY. */
    lb_status (*catalog)(struct lb_source *source, struct lb_arena *arena,
                         struct lb_source_catalog *out_catalog);
};

#endif
