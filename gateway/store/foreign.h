#ifndef GATEWAY_STORE_FOREIGN_H
#define GATEWAY_STORE_FOREIGN_H

#include <sqlite3.h>

#include "gateway/store/store.h"

/* What the files of this folder share. Nobody else includes it. */

/* Statements every transaction runs, compiled when they are first needed. */
enum lb_store_step {
    LB_STORE_BEGIN,
    LB_STORE_COMMIT,
    LB_STORE_SAVEPOINT,
    LB_STORE_RELEASE,
    LB_STORE_ROLLBACK_TO,
    LB_STORE_NUM_STEPS
};

struct lb_store {
    sqlite3 *db;
    sqlite3_stmt *steps[LB_STORE_NUM_STEPS];
    struct lb_stmt *stmts;  /* all that live, so that closing can free them */
    struct lb_stmt *kept;   /* freed and ready to be given out again, the latest first */
    bool keep_statements;
    uint64_t commits;       /* counted when the owner syncs */
    const char *refusal;    /* a reason of ours that SQLite does not know, or NULL */
    unsigned num_savepoints;
    unsigned wal_pages;     /* counted when the owner makes its checkpoints itself */
    sqlite3_file *wal;      /* NULL: the file is not in WAL mode; never changes once it is open */
};

/* lb_store_status turns SQLite's (extended) result code into ours; SQLITE_OK, ROW and DONE are
 * OK. */
LB_MUST lb_status lb_store_status(int code);

/* lb_store_connect opens a connection of one thread at a time; flags are SQLite's READONLY,
 * READWRITE, CREATE and MEMORY. The result code is that of lb_store_status. */
LB_MUST lb_status lb_store_connect(const char *path, int flags, sqlite3 **out_db);

/* lb_store_harden sets what every connection of ours has: limits, defensive mode, no extensions, no
 * double-quoted strings. */
LB_MUST lb_status lb_store_harden(sqlite3 *db);

/* lb_store_sync_folder makes a path's name durable. FILE_FAILED. */
LB_MUST lb_status lb_store_sync_folder(const char *path);

/* lb_store_drop_stmts frees every statement of a store that is being closed, but its steps. */
void lb_store_drop_stmts(struct lb_store *store);

#endif
