#ifndef GATEWAY_STORE_STORE_H
#define GATEWAY_STORE_STORE_H

#include "gateway/base/diag.h"
#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * SQLite, the only place that sees it. A store is one database file used by one thread at a time;
 * a second thread opens its own. `what` of a failure names its kind, never data. Everything below
 * that runs SQL may return:
 *
 *   STORE_CONFLICT  a uniqueness or primary key violation
 *   STATE_LOCKED    another connection holds the file past the busy timeout
 *   DEADLINE        after lb_store_interrupt
 *   NO_MEMORY       memory is exhausted
 *   STORE_FAILED    anything else: disk full, I/O error, damage, wrong SQL, a read-only store
 */
struct lb_store;
struct lb_stmt;

/* What is behind a STORE_FAILED, for whoever has to say more than that it failed. */
enum lb_store_trouble {
    LB_STORE_TROUBLE_OTHER,      /* no failure of the store, or one without a kind of its own */
    LB_STORE_TROUBLE_FULL,       /* the disk took no more */
    LB_STORE_TROUBLE_DISK,       /* reading, writing or syncing failed */
    LB_STORE_TROUBLE_READ_ONLY,  /* the file can't be written any more */
    LB_STORE_TROUBLE_DAMAGED,    /* what was read is no database of SQLite's */
};
/* lb_store_trouble says it of a status that a store returned; it holds however late it is asked. */
enum lb_store_trouble lb_store_trouble(lb_status status);

#define LB_MAX_STORE_VALUE_BYTES (16 * 1024 * 1024) /* one value or row */

struct lb_store_options {
    /* ":memory:" is allowed; "", "file:..." and other names that start with ':' are not. */
    const char *path;
    /* Schema steps, oldest first; each is done in one transaction with PRAGMA user_version, which
     * counts them. A file with more steps than we know is refused with VERSION_UNSUPPORTED.
     * NULL-terminated; NULL for none. */
    const char *const *migrations;
    /* Given to a new file and demanded of an existing one, when migrations are given or the
     * opening is read-only; 0 for none. */
    uint32_t application_id;
    bool create;     /* may the file be made? with mode 0600, whatever the umask */
    bool read_only;  /* open read-only, query_only on; migrations must be NULL and create false */
    unsigned busy_timeout_ms;
    /* The owner moves the WAL into the database by lb_store_checkpoint. Otherwise SQLite does so
     * now and then inside a commit, and drops the failures. */
    bool own_checkpoints;
    /* A commit does not wait for the disk: the owner calls lb_store_sync before it lets anybody
     * know of what was committed. Whatever the disk keeps is some of the commits, in order, from
     * the first on. */
    bool own_syncs;
    /* A statement that is freed is kept, up to LB_STORE_KEPT_STMTS of them, and given out again to
     * whoever prepares the same text: for a store whose schema is ours alone. */
    bool keep_statements;
};
#define LB_STORE_KEPT_STMTS 32U

/*
 * lb_store_open opens in WAL mode with synchronous=FULL (but for own_syncs), foreign keys,
 * secure_delete, trusted_schema off and defensive mode. Nothing is written to an existing file
 * before its application id and version are found to be ours.
 *
 * Read-only, the file's own journal mode stays and the file is never written. A database in
 * rollback mode needs no more than read access. One in WAL mode needs its -wal and -shm files to be
 * there (its writer is running) or a folder where SQLite can make them; otherwise FILE_FAILED:
 * SQLite could then read it only by ignoring writers, and would give wrong rows once one comes.
 *
 * FILE_FAILED: missing, unreadable, not writable, or a path of a kind refused above; STATE_LOCKED:
 * locked by another process past the timeout; STORE_FAILED: not a database, damaged, another
 * program's (application id, or tables before our first step), or a failed step;
 * VERSION_UNSUPPORTED; NO_MEMORY.
 */
LB_MUST lb_status lb_store_open(const struct lb_store_options *options,
                                struct lb_store **out_store);
/* lb_store_close frees the store's statements too (pointers to them die with it) and rolls back
 * an open transaction; NULL is allowed. */
void lb_store_close(struct lb_store *store);
void lb_store_closep(struct lb_store **store);  /* for LB_DEFER */

/* lb_store_exec runs SQL text of ours (never built from input), one or more statements; rows are
 * dropped. */
LB_MUST lb_status lb_store_exec(struct lb_store *store, const char *sql);
/* lb_store_changes counts rows the last INSERT, UPDATE or DELETE changed. */
int64_t lb_store_changes(const struct lb_store *store);
/* lb_store_last_rowid is the rowid of the last successful INSERT; 0 if there was none. */
int64_t lb_store_last_rowid(const struct lb_store *store);
/* lb_store_error_text borrows SQLite's message for an operator's own diagnostics (may quote SQL,
 * never bound values). */
const char *lb_store_error_text(const struct lb_store *store);
/* lb_store_interrupt makes a running statement of the store fail soon; any thread may call it while
 * the store is open. Without a running statement it does nothing. */
void lb_store_interrupt(struct lb_store *store);

/*
 * Transactions: BEGIN IMMEDIATE; a store has at most one open (STORE_FAILED otherwise). On a
 * read-only store it is a snapshot that all reads until its end share. After a failed commit the
 * caller rolls back; rollback without a transaction does nothing.
 */
LB_MUST lb_status lb_store_begin(struct lb_store *store);
LB_MUST lb_status lb_store_commit(struct lb_store *store);
void lb_store_rollback(struct lb_store *store);
/* lb_store_wal_pages is how many pages the WAL held after the last commit of this store, and 0
 * after a checkpoint that moved all; lb_store_checkpoint moves what no reader holds back into the
 * database, durably. */
unsigned lb_store_wal_pages(const struct lb_store *store);
LB_MUST lb_status lb_store_checkpoint(struct lb_store *store);
/* lb_store_sync has on disk, when it returns, all that any connection had committed to this file
 * when it was called: so may a reader be sure that what it has read stays. The one call that any
 * thread may make while another uses the store. STORE_FAILED: then nobody knows what is there. */
LB_MUST lb_status lb_store_sync(const struct lb_store *store);
/* lb_store_commits counts, in a store with own_syncs, what may have to be synced: transactions that
 * were begun here, whatever they did, and statements that wrote by themselves; one whose commit
 * failed may count too. */
uint64_t lb_store_commits(const struct lb_store *store);
/* lb_store_savepoint, _release and _undo nest inside a transaction: _release keeps what was done
 * since the last savepoint, _undo drops it; either ends that savepoint. STORE_FAILED when there is
 * no transaction, one savepoint too many, or none to end. */
#define LB_STORE_MAX_SAVEPOINTS 2U
LB_MUST lb_status lb_store_savepoint(struct lb_store *store);
LB_MUST lb_status lb_store_release(struct lb_store *store);
LB_MUST lb_status lb_store_undo(struct lb_store *store);

/* Told between the steps of a copy, how many pages of how many; a failure ends it. */
struct lb_store_progress {
    lb_status (*tell)(void *ctx, uint64_t done, uint64_t all);
    void *ctx;
};
#define LB_STORE_COPY_PAGES 256 /* of one step */

/*
 * lb_store_copy writes the whole database, as it is when the copy begins and whoever writes
 * meanwhile, into a new file of mode 0600; writers are not held up, but their WAL grows until the
 * copy is done. The copy is in rollback mode, so that nothing but the file is needed to read it,
 * and it is synced with its folder. `progress` may be NULL. A failure leaves a file that is no
 * copy. FILE_FAILED when there is such a file already, or it can't be made or synced; what
 * `progress` says; STORE_FAILED with a transaction open; and as all SQL.
 */
LB_MUST lb_status lb_store_copy(struct lb_store *store, const char *path,
                                const struct lb_store_progress *progress);

/* lb_stmt_prepare compiles one statement; it belongs to the store. STORE_FAILED with the reason in
 * lb_store_error_text. Trailing SQL is refused, and so is a text without a statement. */
LB_MUST lb_status lb_stmt_prepare(struct lb_store *store, const char *sql,
                                  struct lb_stmt **out_stmt);
/* lb_stmt_free releases it, with what is bound to it, before its store is closed; NULL is
 * allowed. */
void lb_stmt_free(struct lb_stmt *stmt);
/* lb_stmt_readonly says whether it cannot write. */
bool lb_stmt_readonly(const struct lb_stmt *stmt);
/* lb_stmt_num_params is the highest parameter number, _num_columns the width of its rows (0 for
 * none); lb_stmt_column_name borrows a column's name from the statement, "" for a column it
 * lacks. */
int lb_stmt_num_params(const struct lb_stmt *stmt);
int lb_stmt_num_columns(const struct lb_stmt *stmt);
const char *lb_stmt_column_name(const struct lb_stmt *stmt, int column);
/* lb_stmt_param_name borrows a parameter's name without its ':'; "" for one without a name or
 * that it lacks. */
const char *lb_stmt_param_name(const struct lb_stmt *stmt, int param);

/* Binding: parameters count from 1; bytes are borrowed until lb_stmt_reset. STORE_FAILED for a
 * parameter that is not there, while rows are being read, or past LB_MAX_STORE_VALUE_BYTES;
 * MALFORMED for text that is not UTF-8 or has a NUL. Empty text and blob stay empty: only _null
 * binds NULL. */
LB_MUST lb_status lb_stmt_bind_int(struct lb_stmt *stmt, int param, int64_t value);
LB_MUST lb_status lb_stmt_bind_text(struct lb_stmt *stmt, int param, struct lb_span text);
LB_MUST lb_status lb_stmt_bind_blob(struct lb_stmt *stmt, int param, struct lb_span blob);
LB_MUST lb_status lb_stmt_bind_null(struct lb_stmt *stmt, int param);
/* lb_stmt_bind_named binds text to ":name" (given without the colon); ABSENT if there is none. */
LB_MUST lb_status lb_stmt_bind_named(struct lb_stmt *stmt, const char *name, struct lb_span text);

/* lb_stmt_step runs to the next row: *out_row false at the end, and ever after until
 * lb_stmt_reset. A failure repeats itself until then, too. DEADLINE after an interrupt. */
LB_MUST lb_status lb_stmt_step(struct lb_stmt *stmt, bool *out_row);
/* lb_stmt_run steps a statement without rows to its end and resets it, also on failure.
 * STORE_FAILED, with nothing run, for a statement that has columns. */
LB_MUST lb_status lb_stmt_run(struct lb_stmt *stmt);
/* lb_stmt_reset clears bindings and rewinds. */
void lb_stmt_reset(struct lb_stmt *stmt);

enum lb_column_type { LB_COL_NULL, LB_COL_INT, LB_COL_REAL, LB_COL_TEXT, LB_COL_BLOB };
/* lb_stmt_type says what the row has in a column, from 0; LB_COL_NULL for a column it lacks. */
enum lb_column_type lb_stmt_type(const struct lb_stmt *stmt, int column);
/* Columns count from 0; spans are borrowed until the next step or reset. Nothing is converted: a
 * value of another type gives 0 or the empty span, but _real takes INT and _blob takes TEXT.
 * Text of a database we did not write may be anything but UTF-8. */
int64_t lb_stmt_int(const struct lb_stmt *stmt, int column);
double lb_stmt_real(const struct lb_stmt *stmt, int column);
struct lb_span lb_stmt_text(const struct lb_stmt *stmt, int column);
struct lb_span lb_stmt_blob(const struct lb_stmt *stmt, int column);

#endif
