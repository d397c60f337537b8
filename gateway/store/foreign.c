#include "gateway/store/foreign.h"

#include <pthread.h>

/* Failures whose kind lb_store_trouble tells by the record itself. */
static const struct lb_fault DISK_FULL = {LB_STORE_FAILED, "disk full", __FILE__, __LINE__};
static const struct lb_fault IO_ERROR = {LB_STORE_FAILED, "I/O error", __FILE__, __LINE__};
static const struct lb_fault READ_ONLY = {LB_STORE_FAILED, "database is read-only", __FILE__,
                                          __LINE__};
static const struct lb_fault NOT_OURS = {LB_STORE_FAILED, "not a database", __FILE__, __LINE__};
static const struct lb_fault DAMAGED = {LB_STORE_FAILED, "database is damaged", __FILE__, __LINE__};

enum lb_store_trouble lb_store_trouble(lb_status status)
{
    if (status == &DISK_FULL)
        return LB_STORE_TROUBLE_FULL;
    if (status == &IO_ERROR)
        return LB_STORE_TROUBLE_DISK;
    if (status == &READ_ONLY)
        return LB_STORE_TROUBLE_READ_ONLY;
    bool damaged = status == &DAMAGED || status == &NOT_OURS;
    return damaged ? LB_STORE_TROUBLE_DAMAGED : LB_STORE_TROUBLE_OTHER;
}

static lb_status constraint_status(int code)
{
    switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        LB_FAIL(LB_STORE_CONFLICT, "uniqueness violated");
    default:
        LB_FAIL(LB_STORE_FAILED, "constraint violated");
    }
}

static lb_status io_status(int code)
{
    LB_ENSURE(code != SQLITE_IOERR_NOMEM, LB_NO_MEMORY, "memory is exhausted");
    return &IO_ERROR;
}

static lb_status read_only_status(int code)
{
    LB_ENSURE(code != SQLITE_READONLY_DIRECTORY && code != SQLITE_READONLY_CANTINIT, LB_FILE_FAILED,
              "a WAL database needs its -wal and -shm files or a folder to make them in");
    LB_ENSURE(code != SQLITE_READONLY_ROLLBACK && code != SQLITE_READONLY_RECOVERY, LB_STORE_FAILED,
              "database must be recovered by its writer first");
    return &READ_ONLY;
}

lb_status lb_store_status(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return LB_OK;
    case SQLITE_CONSTRAINT:
        return constraint_status(code);
    case SQLITE_IOERR:
        return io_status(code);
    case SQLITE_INTERRUPT:
        LB_FAIL(LB_DEADLINE, "statement interrupted");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        LB_FAIL(LB_STATE_LOCKED, "database is locked");
    case SQLITE_NOMEM:
        LB_FAIL(LB_NO_MEMORY, "memory is exhausted");
    case SQLITE_FULL:
        return &DISK_FULL;
    case SQLITE_CANTOPEN:
        LB_FAIL(LB_FILE_FAILED, "database file cannot be opened");
    case SQLITE_NOTADB:
        return &NOT_OURS;
    case SQLITE_CORRUPT:
        return &DAMAGED;
    case SQLITE_READONLY:
        return read_only_status(code);
    case SQLITE_TOOBIG:
        LB_FAIL(LB_STORE_FAILED, "value or statement is too large");
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
        LB_FAIL(LB_STORE_FAILED, "statement used wrongly");
    default:
        LB_FAIL(LB_STORE_FAILED, "statement failed");
    }
}

/* Beyond need, far below SQLite's own maxima. One attached database is what VACUUM needs. Columns
 * stay at SQLite's 2000: a department's table may be that wide. */
static void set_limits(sqlite3 *db)
{
    static const int limits[][2] = {
        {SQLITE_LIMIT_LENGTH, LB_MAX_STORE_VALUE_BYTES},
        {SQLITE_LIMIT_SQL_LENGTH, 256 * 1024},
        {SQLITE_LIMIT_EXPR_DEPTH, 256},
        {SQLITE_LIMIT_COMPOUND_SELECT, 64},
        {SQLITE_LIMIT_VDBE_OP, 250000},
        {SQLITE_LIMIT_FUNCTION_ARG, 32},
        {SQLITE_LIMIT_ATTACHED, 1},
        {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
        {SQLITE_LIMIT_VARIABLE_NUMBER, 1000},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 16},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        (void)sqlite3_limit(db, limits[i][0], limits[i][1]);
}

lb_status lb_store_harden(sqlite3 *db)
{
    static const int settings[][2] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0},
    };
    set_limits(db);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        int set = -1;
        LB_ENSURE(sqlite3_db_config(db, settings[i][0], settings[i][1], &set) == SQLITE_OK &&
                      set == settings[i][1],
                  LB_STORE_FAILED, "SQLite lacks a safety setting");
    }
    return LB_OK;
}

/* SQLite counts its memory under one lock for the whole process, in which connections of different
 * threads then meet at every statement. Nobody reads that count. */
static void count_no_memory(void)
{
    /* Somebody who was here first has settled it; then it is only slower. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

lb_status lb_store_connect(const char *path, int flags, sqlite3 **out_db)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, count_no_memory);
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(
        path, &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
        NULL);
    if (code != SQLITE_OK) {
        (void)sqlite3_close(db);
        return lb_store_status(code);
    }
    *out_db = db;
    return LB_OK;
}
