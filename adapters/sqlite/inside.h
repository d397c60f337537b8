#ifndef ADAPTERS_SQLITE_INSIDE_H
#define ADAPTERS_SQLITE_INSIDE_H

#include "adapters/api/columns.h"
#include "adapters/sqlite/sqlite.h"
#include "adapters/sqlite/watchdog.h"
#include "gateway/store/store.h"

/* What the files of this folder share. */

struct lb_source {
    struct lb_store *store;
    struct lb_watchdog *watchdog;
    struct lb_arena *arena;  /* statements and their column names */
};

struct lb_source_stmt {
    struct lb_source *source;
    const char *text;      /* as the view has it */
    struct lb_stmt *stmt;  /* belongs to the store */
    struct lb_source_columns columns;
    struct lb_source_column *made;  /* of each: what the view makes of it */
};

/* These are the plugin's functions of the same names. */
LB_MUST lb_status lb_sqlite_lookup(struct lb_source_stmt *stmt, enum lb_source_lookup *out_lookup);
LB_MUST lb_status lb_sqlite_catalog(struct lb_source *source, struct lb_arena *arena,
                                    struct lb_source_catalog *out_catalog);

#endif
