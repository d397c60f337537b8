#include "gateway/store/store.h"

#include "gateway/store/foreign.h"

lb_status lb_store_exec(struct lb_store *store, const char *sql)
{
    store->refusal = NULL;
    return lb_store_status(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

int64_t lb_store_changes(const struct lb_store *store)
{
    return sqlite3_changes64(store->db);
}

int64_t lb_store_last_rowid(const struct lb_store *store)
{
    return sqlite3_last_insert_rowid(store->db);
}

const char *lb_store_error_text(const struct lb_store *store)
{
    return store->refusal != NULL ? store->refusal : sqlite3_errmsg(store->db);
}

void lb_store_interrupt(struct lb_store *store)
{
    sqlite3_interrupt(store->db);
}

static bool in_transaction(const struct lb_store *store)
{
    return sqlite3_get_autocommit(store->db) == 0;
}

static lb_status run_step(struct lb_store *store, enum lb_store_step step)
{
    static const char *const texts[LB_STORE_NUM_STEPS] = {
        [LB_STORE_BEGIN] = "BEGIN IMMEDIATE",
        [LB_STORE_COMMIT] = "COMMIT",
        [LB_STORE_SAVEPOINT] = "SAVEPOINT inner_step",
        [LB_STORE_RELEASE] = "RELEASE inner_step",
        [LB_STORE_ROLLBACK_TO] = "ROLLBACK TO inner_step",
    };
    store->refusal = NULL;
    if (store->steps[step] == NULL)
        LB_TRY(lb_store_status(sqlite3_prepare_v3(store->db, texts[step], -1,
                                                  SQLITE_PREPARE_PERSISTENT, &store->steps[step],
                                                  NULL)));
    int code = sqlite3_step(store->steps[step]);
    (void)sqlite3_reset(store->steps[step]);
    return lb_store_status(code);
}

lb_status lb_store_begin(struct lb_store *store)
{
    LB_ENSURE(!in_transaction(store), LB_STORE_FAILED, "a transaction is open already");
    LB_TRY(run_step(store, LB_STORE_BEGIN));
    store->num_savepoints = 0;
    return LB_OK;
}

lb_status lb_store_commit(struct lb_store *store)
{
    LB_ENSURE(in_transaction(store), LB_STORE_FAILED, "no transaction is open");
    LB_ENSURE(store->num_savepoints == 0, LB_STORE_FAILED, "a savepoint is open");
    return run_step(store, LB_STORE_COMMIT);
}

void lb_store_rollback(struct lb_store *store)
{
    store->num_savepoints = 0;
    if (!in_transaction(store))
        return;
    /* ROLLBACK fails only when SQLite has rolled back by itself already. */
    lb_status_ignore(lb_store_exec(store, "ROLLBACK"));
}

uint64_t lb_store_commits(const struct lb_store *store)
{
    return store->commits;
}

unsigned lb_store_wal_pages(const struct lb_store *store)
{
    return store->wal_pages;
}

lb_status lb_store_checkpoint(struct lb_store *store)
{
    int in_wal = 0;
    int moved = 0;
    LB_ENSURE(!in_transaction(store), LB_STORE_FAILED, "a transaction is open");
    LB_TRY(lb_store_status(sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                                     &in_wal, &moved)));
    if (in_wal == moved)
        store->wal_pages = 0;
    return LB_OK;
}

lb_status lb_store_sync(const struct lb_store *store)
{
    if (store->wal == NULL)
        return LB_OK;
    return lb_store_status(store->wal->pMethods->xSync(store->wal, SQLITE_SYNC_NORMAL));
}

lb_status lb_store_savepoint(struct lb_store *store)
{
    LB_ENSURE(in_transaction(store), LB_STORE_FAILED, "no transaction is open");
    LB_ENSURE(store->num_savepoints < LB_STORE_MAX_SAVEPOINTS, LB_STORE_FAILED,
              "too many savepoints are open already");
    LB_TRY(run_step(store, LB_STORE_SAVEPOINT));
    store->num_savepoints++;
    return LB_OK;
}

lb_status lb_store_release(struct lb_store *store)
{
    LB_ENSURE(store->num_savepoints > 0, LB_STORE_FAILED, "no savepoint is open");
    LB_TRY(run_step(store, LB_STORE_RELEASE));
    store->num_savepoints--;
    return LB_OK;
}

lb_status lb_store_undo(struct lb_store *store)
{
    LB_ENSURE(store->num_savepoints > 0, LB_STORE_FAILED, "no savepoint is open");
    LB_TRY(run_step(store, LB_STORE_ROLLBACK_TO));
    LB_TRY(run_step(store, LB_STORE_RELEASE));
    store->num_savepoints--;
    return LB_OK;
}
