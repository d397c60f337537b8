#ifndef GATEWAY_STORE_FOREIGN_H
#define GATEWAY_STORE_FOREIGN_H

#include <sqlite3.h>

#include "gateway/store/store.h"

/* What the files of this folder share. Nobody else includes it. */

struct lb_store {
    sqlite3 *db;
    struct lb_stmt *stmts;  /* all that live, so that closing can free them */
    const char *refusal;    /* a reason of ours that SQLite does not know, or NULL */
    unsigned num_savepoints;
    unsigned wal_pages;     /* counted when the owner makes its checkpoints itself */
};

/* lb_store_status turns SQLite's (extended) result code into ours; SQLITE_OK, ROW and DONE are
 * OK. */
LB_MUST lb_status lb_store_status(int code);

/* lb_store_harden sets what every connection of ours has: limits, defensive mode, no extensions, no
 * double-quoted strings. */
LB_MUST lb_status lb_store_harden(sqlite3 *db);

/* lb_store_drop_stmts frees every statement of a store that is being closed. */
void lb_store_drop_stmts(struct lb_store *store);

#endif
