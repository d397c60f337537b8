#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/foreign.h"

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void close_db(sqlite3 **db)
{
    (void)sqlite3_close(*db);
}

/* Never over a file that is there. */
static lb_status make_file(const char *path)
{
    LB_DEFER(close_fd) int fd =
        open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0600);
    LB_ENSURE(fd >= 0 || errno != EEXIST, LB_FILE_FAILED, "there is a file of the copy's name");
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "the copy's file cannot be made");
    LB_ENSURE(fchmod(fd, 0600) == 0, LB_FILE_FAILED, "mode cannot be set");
    return LB_OK;
}

static lb_status run(sqlite3 *db, const char *sql)
{
    return lb_store_status(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

static lb_status step_all(sqlite3_backup *backup, const struct lb_store_progress *progress)
{
    int code = SQLITE_OK;
    while (code == SQLITE_OK) {
        code = sqlite3_backup_step(backup, LB_STORE_COPY_PAGES);
        if (code != SQLITE_OK && code != SQLITE_DONE)
            return lb_store_status(code);
        uint64_t all = (uint64_t)sqlite3_backup_pagecount(backup);
        uint64_t left = (uint64_t)sqlite3_backup_remaining(backup);
        if (progress != NULL)
            LB_TRY(progress->tell(progress->ctx, all - left, all));
    }
    return LB_OK;
}

static lb_status copy_pages(struct lb_store *store, const char *path,
                            const struct lb_store_progress *progress)
{
    LB_DEFER(close_db) sqlite3 *out = NULL;
    LB_TRY(lb_store_connect(path, SQLITE_OPEN_READWRITE, &out));
    /* What a crash leaves of it is no copy anyhow; the whole is synced once. */
    LB_TRY(run(out, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"));
    sqlite3_backup *backup = sqlite3_backup_init(out, "main", store->db, "main");
    LB_ENSURE(backup != NULL, LB_STORE_FAILED, "the copy cannot begin");
    lb_status status = step_all(backup, progress);
    int code = sqlite3_backup_finish(backup);
    LB_TRY(status);
    return lb_store_status(code);
}

/* The pages say that they are of a WAL database, as the original's do. */
static lb_status leave_wal(const char *path)
{
    LB_DEFER(close_db) sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    LB_TRY(lb_store_connect(path, SQLITE_OPEN_READWRITE, &db));
    LB_TRY(lb_store_harden(db));
    LB_TRY(lb_store_status(
        sqlite3_prepare_v2(db, "PRAGMA journal_mode=DELETE", -1, &stmt, NULL)));
    int code = sqlite3_step(stmt);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    bool left = mode != NULL && strcmp(mode, "delete") == 0;
    (void)sqlite3_finalize(stmt);
    LB_TRY(lb_store_status(code));
    LB_ENSURE(left, LB_STORE_FAILED, "the copy cannot leave WAL mode");
    return LB_OK;
}

static lb_status sync_file(const char *path)
{
    LB_DEFER(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    LB_ENSURE(fd >= 0 && fsync(fd) == 0, LB_FILE_FAILED, "the copy cannot be synced");
    return lb_store_sync_folder(path);
}

lb_status lb_store_copy(struct lb_store *store, const char *path,
                        const struct lb_store_progress *progress)
{
    store->refusal = NULL;
    LB_ENSURE(sqlite3_get_autocommit(store->db) != 0, LB_STORE_FAILED,
              "a transaction is open already");
    LB_TRY(make_file(path));
    /* A read of our own keeps all steps in one snapshot; without it, each would begin anew when
     * somebody has written. */
    LB_TRY(run(store->db, "BEGIN; SELECT count(*) FROM sqlite_schema"));
    lb_status status = copy_pages(store, path, progress);
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    LB_TRY(status);
    LB_TRY(leave_wal(path));
    return sync_file(path);
}
