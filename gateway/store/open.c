#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/store/foreign.h"

#define MAX_MIGRATIONS 1000

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static bool is_memory(const char *path)
{
    return strcmp(path, ":memory:") == 0;
}

/* Debian's SQLite reads "file:" as a URI, whose parameters would override our settings; "" and ":x"
 * would be databases that vanish. */
static lb_status check_path(const char *path)
{
    LB_ENSURE(path[0] != 0 && strncmp(path, "file:", 5) != 0, LB_FILE_FAILED,
              "not a plain path");
    LB_ENSURE(path[0] != ':' || is_memory(path), LB_FILE_FAILED, "not a plain path");
    return LB_OK;
}

/* The folder's entry must be on the disk before anything is promised to be in the file. */
lb_status lb_store_sync_folder(const char *path)
{
    char folder[PATH_MAX];
    int len = snprintf(folder, sizeof(folder), "%s", path);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(folder), LB_FILE_FAILED, "path is too long");
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = 0;
    LB_DEFER(close_fd) int fd =
        open(slash == NULL ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LB_ENSURE(fd >= 0 && fsync(fd) == 0, LB_FILE_FAILED, "folder cannot be synced");
    return LB_OK;
}

/* SQLite would create with the umask's mode; its -wal and -shm files take over the mode set
 * here. */
static lb_status create_file(const char *path)
{
    LB_DEFER(close_fd) int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0 && errno == EEXIST)
        return LB_OK;
    LB_ENSURE(fd >= 0, LB_FILE_FAILED, "database file cannot be created");
    LB_ENSURE(fchmod(fd, 0600) == 0, LB_FILE_FAILED, "mode cannot be set");
    LB_ENSURE(fsync(fd) == 0, LB_FILE_FAILED, "database file cannot be synced");
    return lb_store_sync_folder(path);
}

/* A missing file is told apart here, and a FIFO or device is refused: opening it could block. */
static lb_status check_file(const char *path)
{
    struct stat info;
    LB_ENSURE(stat(path, &info) == 0, LB_FILE_FAILED, "database file is missing");
    LB_ENSURE(S_ISREG(info.st_mode), LB_FILE_FAILED, "not a regular file");
    return LB_OK;
}

static lb_status connect_file(const struct lb_store_options *options, sqlite3 **out_db)
{
    LB_TRY(check_path(options->path));
    if (!is_memory(options->path)) {
        if (options->create)
            LB_TRY(create_file(options->path));
        LB_TRY(check_file(options->path));
    }
    int flags = options->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    return lb_store_connect(options->path, flags, out_db);
}

/* One PRAGMA or SELECT that gives one integer. */
static lb_status query_int(sqlite3 *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt = NULL;
    LB_TRY(lb_store_status(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL)));
    int code = sqlite3_step(stmt);
    int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    LB_TRY(lb_store_status(code));
    LB_ENSURE(code == SQLITE_ROW, LB_STORE_FAILED, "SQLite lacks a setting");
    *out = value;
    return LB_OK;
}

static lb_status run(sqlite3 *db, const char *sql)
{
    return lb_store_status(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* Temporary tables and sorts hold what the rows hold, so they stay off the disk. */
static lb_status configure(sqlite3 *db, const struct lb_store_options *options)
{
    LB_TRY(lb_store_harden(db));
    int timeout = options->busy_timeout_ms > INT_MAX ? INT_MAX : (int)options->busy_timeout_ms;
    LB_TRY(lb_store_status(sqlite3_busy_timeout(db, timeout)));
    LB_TRY(run(db, "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
                   "PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
                   "PRAGMA synchronous=FULL;"));
    if (options->read_only)
        LB_TRY(run(db, "PRAGMA query_only=ON"));
    return LB_OK;
}

/* What the file says of itself. */
struct state {
    int64_t application_id;
    int64_t version;  /* steps done */
    int64_t objects;  /* tables, indexes, views, triggers */
};

/* Called in a transaction, so that the three answers are of one moment. */
static lb_status read_state(sqlite3 *db, struct state *out)
{
    struct state state;
    LB_TRY(query_int(db, "PRAGMA application_id", &state.application_id));
    LB_TRY(query_int(db, "PRAGMA user_version", &state.version));
    LB_TRY(query_int(db, "SELECT count(*) FROM sqlite_schema", &state.objects));
    *out = state;
    return LB_OK;
}

static lb_status read_state_once(sqlite3 *db, struct state *out)
{
    LB_TRY(run(db, "BEGIN"));
    lb_status status = read_state(db, out);
    (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* application_id is a signed number in the file. */
static bool is_ours(const struct state *state, uint32_t application_id)
{
    return application_id == 0 || (uint32_t)state->application_id == application_id;
}

static bool is_untouched(const struct state *state)
{
    return state->application_id == 0 && state->version == 0 && state->objects == 0;
}

static size_t count_steps(const char *const *migrations)
{
    size_t count = 0;
    while (migrations[count] != NULL)
        count++;
    return count;
}

static lb_status check_state(const struct state *state, const struct lb_store_options *options)
{
    if (is_untouched(state))
        return LB_OK;
    LB_ENSURE(is_ours(state, options->application_id), LB_STORE_FAILED,
              "database belongs to another program");
    LB_ENSURE(state->version > 0, LB_STORE_FAILED, "database has tables that are not ours");
    LB_ENSURE((uint64_t)state->version <= count_steps(options->migrations),
              LB_VERSION_UNSUPPORTED, "database was written by a newer version");
    return LB_OK;
}

/* One step, its version and the application id are one transaction: a crash leaves all or none. The
 * state is read again under the lock, since another process may have been quicker. */
static lb_status step_locked(sqlite3 *db, const struct lb_store_options *options, bool *out_more)
{
    struct state state;
    LB_TRY(read_state(db, &state));
    LB_TRY(check_state(&state, options));
    const char *step = options->migrations[state.version];
    *out_more = step != NULL;
    if (step == NULL)
        return run(db, "ROLLBACK");
    LB_TRY(run(db, step));
    LB_ENSURE(sqlite3_get_autocommit(db) == 0, LB_STORE_FAILED, "a step ended its transaction");
    char mark[128];
    (void)snprintf(mark, sizeof(mark), "PRAGMA user_version=%lld; PRAGMA application_id=%d; COMMIT",
                   (long long)state.version + 1, (int)options->application_id);
    return run(db, mark);
}

static lb_status migrate(sqlite3 *db, const struct lb_store_options *options)
{
    LB_ENSURE(count_steps(options->migrations) <= MAX_MIGRATIONS, LB_STORE_FAILED,
              "too many steps");
    for (bool more = true; more;) {
        LB_TRY(run(db, "BEGIN IMMEDIATE"));
        lb_status status = step_locked(db, options, &more);
        if (sqlite3_get_autocommit(db) == 0)
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        LB_TRY(status);
    }
    return LB_OK;
}

static lb_status enter_wal(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    LB_TRY(lb_store_status(sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL)));
    int code = sqlite3_step(stmt);
    const char *mode = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    bool entered = mode != NULL && (strcmp(mode, "wal") == 0 || strcmp(mode, "memory") == 0);
    (void)sqlite3_finalize(stmt);
    LB_TRY(lb_store_status(code));
    LB_ENSURE(entered, LB_STORE_FAILED, "WAL mode is not available");
    return LB_OK;
}

static int count_pages(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct lb_store *store = ctx;
    (void)db;
    (void)name;
    store->wal_pages = (unsigned)pages;
    return SQLITE_OK;
}

static int count_commit(void *ctx)
{
    struct lb_store *store = ctx;
    store->commits++;
    return 0;
}

static lb_status prepare_read_only(sqlite3 *db, const struct lb_store_options *options)
{
    struct state state;
    LB_TRY(read_state_once(db, &state));
    LB_ENSURE(is_ours(&state, options->application_id), LB_STORE_FAILED,
              "database belongs to another program");
    return LB_OK;
}

static lb_status prepare_writable(sqlite3 *db, const struct lb_store_options *options)
{
    struct state state;
    LB_ENSURE(sqlite3_db_readonly(db, "main") == 0, LB_FILE_FAILED,
              "database file is not writable");
    LB_TRY(read_state_once(db, &state));
    if (options->migrations != NULL)
        LB_TRY(check_state(&state, options));
    LB_TRY(enter_wal(db));
    return options->migrations == NULL ? LB_OK : migrate(db, options);
}

/* The first sync of a new file also syncs its folder, and the file handle takes note of that; from
 * then on a sync changes nothing in it, so that any thread may ask for one. */
static lb_status find_wal(struct lb_store *store, const struct lb_store_options *options)
{
    sqlite3_file *wal = NULL;
    LB_TRY(lb_store_status(
        sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal)));
    store->wal = wal == NULL || wal->pMethods == NULL ? NULL : wal;
    if (!options->own_syncs)
        return LB_OK;
    LB_TRY(lb_store_sync(store));
    return run(store->db, "PRAGMA synchronous=NORMAL");
}

lb_status lb_store_open(const struct lb_store_options *options, struct lb_store **out_store)
{
    LB_ENSURE(!options->read_only || (options->migrations == NULL && !options->create),
              LB_STORE_FAILED, "a read-only store cannot be made or migrated");
    LB_DEFER(lb_store_closep) struct lb_store *store = calloc(1, sizeof(*store));
    LB_ENSURE(store != NULL, LB_NO_MEMORY, "memory is exhausted");
    LB_TRY(connect_file(options, &store->db));
    LB_TRY(configure(store->db, options));
    LB_TRY(options->read_only ? prepare_read_only(store->db, options)
                              : prepare_writable(store->db, options));
    LB_TRY(find_wal(store, options));
    store->keep_statements = options->keep_statements;
    if (options->own_checkpoints)
        (void)sqlite3_wal_hook(store->db, count_pages, store);
    if (options->own_syncs)
        (void)sqlite3_commit_hook(store->db, count_commit, store);
    *out_store = store;
    store = NULL;
    return LB_OK;
}

void lb_store_close(struct lb_store *store)
{
    if (store == NULL)
        return;
    lb_store_drop_stmts(store);
    for (size_t i = 0; i < LB_STORE_NUM_STEPS; i++)
        (void)sqlite3_finalize(store->steps[i]);
    (void)sqlite3_close_v2(store->db);
    free(store);
}

void lb_store_closep(struct lb_store **store)
{
    lb_store_close(*store);
    *store = NULL;
}
