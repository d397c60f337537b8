#include "gateway/store/faults.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The plan in force, under a lock: the calls come from whatever thread uses a store. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct faults_plan plan;
static bool planned;
static unsigned calls;
static unsigned hits;
static long synced;

/* A file of ours holds SQLite's own in the bytes behind it. */
struct file {
    sqlite3_file base;
    const char *name;
    sqlite3_file *real;
};

static sqlite3_vfs *real_vfs;

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t tail = strlen(suffix);
    return len >= tail && strcmp(name + len - tail, suffix) == 0;
}

/* Whether this call is one of those that fail. */
static bool is_hit(enum faults_call call, const char *name, enum faults_answer *out_answer)
{
    (void)pthread_mutex_lock(&lock);
    bool hit = planned && plan.call == call && name != NULL && ends_with(name, plan.suffix);
    if (hit) {
        calls++;
        hit = calls >= plan.from && (plan.num == 0 || calls < plan.from + plan.num);
    }
    if (hit) {
        hits++;
        *out_answer = plan.answer;
    }
    (void)pthread_mutex_unlock(&lock);
    return hit;
}

static void die(void)
{
    (void)kill(getpid(), SIGKILL);
    (void)pause();
}

/* What a call that fails says; `done` is what it would have said. */
static int failure(enum faults_answer answer, int io_code, int done)
{
    if (answer == FAULTS_KILL_DONE)
        die();
    if (answer == FAULTS_IO_DONE && done != SQLITE_OK)
        return done;
    return answer == FAULTS_FULL ? SQLITE_FULL : io_code;
}

static bool is_done(enum faults_answer answer)
{
    return answer == FAULTS_IO_DONE || answer == FAULTS_KILL_DONE;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->real;
}

static const char *name_of(sqlite3_file *file)
{
    return ((struct file *)(void *)file)->name;
}

static int do_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int do_read(sqlite3_file *file, void *into, int len, sqlite3_int64 at)
{
    enum faults_answer answer;
    if (is_hit(FAULTS_READ, name_of(file), &answer))
        return failure(answer, SQLITE_IOERR_READ, SQLITE_OK);
    return real_of(file)->pMethods->xRead(real_of(file), into, len, at);
}

static int do_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 at)
{
    sqlite3_file *real = real_of(file);
    enum faults_answer answer;
    if (!is_hit(FAULTS_WRITE, name_of(file), &answer))
        return real->pMethods->xWrite(real, bytes, len, at);
    if (answer == FAULTS_KILL)
        die();
    if (answer == FAULTS_KILL_TORN) {
        (void)real->pMethods->xWrite(real, bytes, len / 2, at);
        die();
    }
    int done = is_done(answer) ? real->pMethods->xWrite(real, bytes, len, at) : SQLITE_OK;
    return failure(answer, SQLITE_IOERR_WRITE, done);
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = real_of(file);
    enum faults_answer answer;
    if (!is_hit(FAULTS_TRUNCATE, name_of(file), &answer))
        return real->pMethods->xTruncate(real, size);
    int done = is_done(answer) ? real->pMethods->xTruncate(real, size) : SQLITE_OK;
    return failure(answer, SQLITE_IOERR_TRUNCATE, done);
}

/* What is written while it goes on may not be on the disk after it. */
static int sync_and_note(sqlite3_file *file, int flags)
{
    sqlite3_file *real = real_of(file);
    sqlite3_int64 size = 0;
    int code = real->pMethods->xFileSize(real, &size);
    if (code == SQLITE_OK)
        code = real->pMethods->xSync(real, flags);
    (void)pthread_mutex_lock(&lock);
    bool meant = planned && name_of(file) != NULL && ends_with(name_of(file), plan.suffix);
    if (code == SQLITE_OK && meant)
        synced = (long)size;
    (void)pthread_mutex_unlock(&lock);
    return code;
}

static int do_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = real_of(file);
    enum faults_answer answer;
    if (!is_hit(FAULTS_SYNC, name_of(file), &answer))
        return sync_and_note(file, flags);
    if (answer == FAULTS_KILL || answer == FAULTS_KILL_TORN)
        die();
    int done = is_done(answer) ? real->pMethods->xSync(real, flags) : SQLITE_OK;
    return failure(answer, SQLITE_IOERR_FSYNC, done);
}

static int do_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int do_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int do_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int do_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int do_control(sqlite3_file *file, int verb, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), verb, arg);
}

static int do_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int do_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int do_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
}

static int do_shm_lock(sqlite3_file *file, int at, int num, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), at, num, flags);
}

static void do_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int do_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

/* Version 2: without memory-mapped reads, which would pass by. */
static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = do_close,
    .xRead = do_read,
    .xWrite = do_write,
    .xTruncate = do_truncate,
    .xSync = do_sync,
    .xFileSize = do_size,
    .xLock = do_lock,
    .xUnlock = do_unlock,
    .xCheckReservedLock = do_check_lock,
    .xFileControl = do_control,
    .xSectorSize = do_sector,
    .xDeviceCharacteristics = do_traits,
    .xShmMap = do_map,
    .xShmLock = do_shm_lock,
    .xShmBarrier = do_barrier,
    .xShmUnmap = do_unmap,
};

static int do_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *out, int flags,
                   int *out_flags)
{
    struct file *file = (struct file *)(void *)out;
    enum faults_answer answer;
    (void)vfs;
    out->pMethods = NULL;
    if (is_hit(FAULTS_OPEN, name, &answer))
        return SQLITE_CANTOPEN;
    file->name = name;
    file->real = (sqlite3_file *)(void *)(file + 1);
    int code = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
    if (file->real->pMethods != NULL)
        out->pMethods = &METHODS;
    return code;
}

void faults_install(void)
{
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(NULL);
    if (real_vfs == NULL || vfs.zName != NULL)
        abort();
    vfs = *real_vfs;
    vfs.zName = "faults";
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = do_open;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}

void faults_set(const struct faults_plan *wanted)
{
    (void)pthread_mutex_lock(&lock);
    planned = wanted != NULL;
    if (planned)
        plan = *wanted;
    calls = 0;
    hits = 0;
    synced = 0;
    (void)pthread_mutex_unlock(&lock);
}

unsigned faults_hits(void)
{
    (void)pthread_mutex_lock(&lock);
    unsigned num = hits;
    (void)pthread_mutex_unlock(&lock);
    return num;
}

long faults_synced(void)
{
    (void)pthread_mutex_lock(&lock);
    long size = synced;
    (void)pthread_mutex_unlock(&lock);
    return size;
}
