#include "gateway/evidence/shard_keeper.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "gateway/base/hex.h"
#include "gateway/base/log.h"
#include "gateway/evidence/inspect_state.h"
#include "gateway/evidence/log_state.h"
#include "gateway/evidence/shards.h"

#define LOOK_S 1
#define MAX_FILES 4096  /* looked at in one folder */

struct lb_shard_keeper {
    struct lb_log *log;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool stopping;
    struct timespec seen;  /* the folder as it was when it was last gone through */
    bool again;            /* there is something to go on with */
    struct lb_diag said;   /* the last complaint, so that it is not repeated */
};

/* One look. */
struct look {
    struct lb_shard_keeper *keeper;
    struct lb_log *log;
    struct lb_log_reader *reader;
    struct lb_shards *shards;
    struct lb_diag diag;
};

/* The SHARD entry and its row, which commit together. */
struct link {
    struct lb_log_entry entry;
    struct lb_shards_row row;
    char detail[320];
};

/* --- the entry --- */

static lb_status put_row(struct lb_log_entry *entry, struct lb_store *store)
{
    struct link *link = entry->owner;
    link->row.leaf = entry->index;
    return lb_shards_insert(store, &link->row);
}

static void describe(struct link *link)
{
    const struct lb_shards_row *row = &link->row;
    struct lb_leaf *leaf = &link->entry.leaf;
    uint64_t num = row->to - row->from;
    char hash[2 * LB_HASH_BYTES + 1];
    lb_hex_encode(lb_span_of(row->file_hash.bytes, LB_HASH_BYTES), hash);
    int len = snprintf(link->detail, sizeof(link->detail),
                       "{\"shard\":\"%s\",\"from\":%llu,\"to\":%llu,\"file\":\"%s\"}", row->name,
                       (unsigned long long)row->from, (unsigned long long)row->to, hash);
    *leaf = (struct lb_leaf){.type = LB_LEAF_SHARD, .code = "LINKED"};
    leaf->count = num < UINT32_MAX ? (uint32_t)num : UINT32_MAX;
    memcpy(leaf->request_hash, row->note_hash.bytes, LB_HASH_BYTES);
    memcpy(leaf->answer_hash, row->file_hash.bytes, LB_HASH_BYTES);
    link->entry.detail = lb_span_of(link->detail, (size_t)len);
    link->entry.guard = put_row;
    link->entry.owner = link;
}

static lb_status append(struct look *look, const struct lb_shards_row *row)
{
    struct link *link = calloc(1, sizeof(*link));
    LB_ENSURE(link != NULL, LB_NO_MEMORY, "shard");
    link->row = *row;
    describe(link);
    lb_status status = lb_log_append_wait(look->log, &link->entry);
    if (status == LB_OK)
        status = link->entry.refused;
    free(link);
    return status;
}

/* --- a shard that is not linked --- */

/* The tree of this very log must have the same entries: a signature alone may be of another
 * history. */
static lb_status check_root(struct lb_log *log, const struct lb_shard_verdict *verdict)
{
    struct lb_hash root;
    (void)pthread_mutex_lock(&log->shown.lock);
    lb_status status = lb_tree_root(log->shown.tree, verdict->to, &root);
    (void)pthread_mutex_unlock(&log->shown.lock);
    LB_ENSURE(lb_status_code(status) != LB_MALFORMED, LB_LOG_FORK, "a shard past the log");
    LB_TRY(status);
    LB_ENSURE(memcmp(root.bytes, verdict->root.bytes, LB_HASH_BYTES) == 0, LB_LOG_FORK,
              "a shard of another history");
    return LB_OK;
}

static lb_status link_file(struct look *look, const char *name, const char *path)
{
    const struct lb_shard_check_options options = {
        .path = path,
        .verifier = &look->log->verifier,
        .reader = look->reader,
        .stop = &look->keeper->stopping,
    };
    struct lb_shard_verdict verdict;
    struct lb_shards_row row = {.from = 0};
    LB_TRY(lb_shard_check(&options, &look->diag, &verdict));
    LB_ENSURE(strcmp(verdict.name, name) == 0, LB_LOG_FORK, "a shard under another's name");
    LB_TRY(check_root(look->log, &verdict));
    LB_TRY(lb_shard_sync(look->log->folder, path));
    LB_TRY(lb_shard_file_hash(path, &row.file_hash, &row.file_bytes));
    memcpy(row.name, verdict.name, sizeof(row.name));
    row.from = verdict.from;
    row.to = verdict.to;
    row.note_hash = verdict.note_hash;
    LB_TRY(append(look, &row));
    lb_log_event(LB_LOG_INFO, "shard_linked", "\"shard\":\"%s\",\"entries\":%llu", row.name,
                 (unsigned long long)(row.to - row.from));
    return LB_OK;
}

/* Whether the file goes on where the last linked shard ends; what can't be read does not. */
static bool goes_on(struct look *look, const char *path)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    LB_DEFER(lb_shard_file_close) struct lb_shard_file file = {.store = NULL};
    struct lb_shard_meta meta;
    lb_status status = arena == NULL ? LB_FAULT(LB_NO_MEMORY, "shard") : LB_OK;
    if (status == LB_OK)
        status = lb_shard_file_open(path, &file);
    if (status == LB_OK)
        status = lb_shard_file_meta(&file, arena, &meta);
    if (status != LB_OK)
        lb_diag_set(&look->diag, "%s: this is no shard: %s", path, status->what);
    return status == LB_OK && meta.from == lb_shards_end(look->shards);
}

static bool is_linked(const struct look *look, const char *name)
{
    for (size_t i = 0; i < lb_shards_num(look->shards); i++) {
        if (strcmp(lb_shards_at(look->shards, i)->name, name) == 0)
            return true;
    }
    return false;
}

/* "2026h1.db" is the file of shard 2026h1. */
static bool is_file(const char *entry, char name[LB_SHARD_NAME_BYTES])
{
    if (strlen(entry) != LB_SHARD_NAME_BYTES - 2 + strlen(".db"))
        return false;
    memcpy(name, entry, LB_SHARD_NAME_BYTES - 2);
    name[LB_SHARD_NAME_BYTES - 2] = 0;
    return lb_shard_is_name(name) && strcmp(entry + LB_SHARD_NAME_BYTES - 2, ".db") == 0;
}

/* Finds the one file that can be linked next; "" for none. */
static lb_status find_next(struct look *look, char out_name[LB_SHARD_NAME_BYTES],
                           struct lb_shard_path *out_path)
{
    struct lb_shard_path folder;
    LB_TRY(lb_shard_path_make(look->log->folder, "", "", &folder));
    DIR *dir = opendir(folder.text);
    LB_ENSURE(dir != NULL, LB_FILE_FAILED, "the shards' folder cannot be read");
    const struct dirent *entry;
    lb_status status = LB_OK;
    out_name[0] = 0;
    for (unsigned i = 0; status == LB_OK && i < MAX_FILES && (entry = readdir(dir)) != NULL; i++) {
        char name[LB_SHARD_NAME_BYTES];
        if (!is_file(entry->d_name, name) || is_linked(look, name))
            continue;
        status = lb_shard_path_make(look->log->folder, name, ".db", out_path);
        if (status != LB_OK || !goes_on(look, out_path->text))
            continue;
        memcpy(out_name, name, sizeof(name));
        break;
    }
    (void)closedir(dir);
    return status;
}

static lb_status link_next(struct look *look, bool *out_linked)
{
    char name[LB_SHARD_NAME_BYTES];
    struct lb_shard_path path;
    *out_linked = false;
    if (lb_shards_num(look->shards) == LB_SHARD_MAX)
        return LB_OK;
    LB_TRY(find_next(look, name, &path));
    if (name[0] == 0)
        return LB_OK;
    LB_TRY(link_file(look, name, path.text));
    *out_linked = true;
    return lb_shards_load(look->shards);
}

/* --- rows that are in a linked shard --- */

static lb_status first_leaf(struct look *look, uint64_t *out_index)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(look->reader->store, "SELECT coalesce(min(idx), 0) FROM leaf", &stmt));
    lb_status status = lb_stmt_step(stmt, &row);
    if (status == LB_OK)
        *out_index = (uint64_t)lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return status;
}

/* Lets the sequencer remove the rows of one shard, whose bytes are looked at first, all of them.
 * Rows of one that is away stay. */
static lb_status let_go(struct look *look, bool *out_more)
{
    struct lb_shed *shed = &look->log->shed;
    struct lb_shard_path path;
    uint64_t first = 0;
    size_t which = 0;
    *out_more = atomic_load(&shed->to) != 0;
    if (*out_more)
        return LB_OK;
    LB_TRY(first_leaf(look, &first));
    lb_status status = lb_shards_find(look->shards, first, &which);
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    if (lb_shards_state(look->shards, which) == LB_SHARD_AWAY)
        return LB_OK;
    const struct lb_shards_row *row = lb_shards_at(look->shards, which);
    LB_TRY(lb_shards_hash(look->shards, which));
    LB_TRY(lb_shard_path_make(look->log->folder, row->name, ".db", &path));
    memcpy(shed->path, path.text, sizeof(shed->path));
    shed->bytes = row->file_bytes;
    atomic_store(&shed->to, row->to);
    *out_more = true;
    return LB_OK;
}

/* --- the thread --- */

static lb_status link_all(struct look *look)
{
    bool linked = true;
    while (linked && !atomic_load(&look->keeper->stopping))
        LB_TRY(link_next(look, &linked));
    return LB_OK;
}

/* A file that can't be linked is no reason to keep the rows of one that is. */
static lb_status go_through(struct look *look)
{
    LB_TRY(lb_log_reader_open(look->log->folder, &look->diag, &look->reader));
    look->shards = look->reader->records.shards;
    lb_status status = link_all(look);
    if (!atomic_load(&look->keeper->stopping))
        LB_TRY(let_go(look, &look->keeper->again));
    return status;
}

/* Damage stays until somebody does something about it; the rest may be better next time. */
static bool is_lasting(lb_status status)
{
    enum lb_code code = lb_status_code(status);
    return code == LB_LOG_FORK || code == LB_LOG_BEHIND || code == LB_LOG_UNAVAILABLE;
}

static void complain(struct look *look, lb_status status)
{
    struct lb_shard_keeper *keeper = look->keeper;
    const char *trouble = look->reader == NULL ? NULL : lb_log_reader_trouble(look->reader);
    const char *text = look->diag.text[0] != 0 ? look->diag.text
                       : trouble != NULL       ? trouble
                       : status != LB_OK       ? status->what
                                               : "";
    if (text[0] == 0 || strcmp(text, keeper->said.text) == 0)
        return;
    lb_diag_set(&keeper->said, "%s", text);
    lb_log_failure("shard_not_linked",
                   status != LB_OK ? status : LB_FAULT(LB_LOG_FORK, "a file that is no shard"));
}

static void look_once(struct lb_shard_keeper *keeper)
{
    struct look look = {.keeper = keeper, .log = keeper->log};
    keeper->again = false;
    lb_status status = go_through(&look);
    if (lb_status_code(status) != LB_STOPPING)
        complain(&look, status);
    if (status != LB_OK && !is_lasting(status))
        keeper->again = true;
    lb_log_reader_close(look.reader);
}

/* A log without shards costs one look at a folder that is not there. */
static bool has_changed(struct lb_shard_keeper *keeper)
{
    struct lb_shard_path folder;
    struct stat info;
    if (lb_shard_path_make(keeper->log->folder, "", "", &folder) != LB_OK ||
        stat(folder.text, &info) != 0)
        return false;
    bool same = info.st_mtim.tv_sec == keeper->seen.tv_sec &&
                info.st_mtim.tv_nsec == keeper->seen.tv_nsec;
    /* A change right behind another may bear the same time. */
    bool fresh = time(NULL) - info.st_mtim.tv_sec <= 2 * LOOK_S;
    keeper->seen = info.st_mtim;
    return !same || fresh;
}

static void *keep(void *arg)
{
    struct lb_shard_keeper *keeper = arg;
    while (!atomic_load(&keeper->stopping)) {
        struct timespec until;
        bool changed = has_changed(keeper);
        if (changed || keeper->again)
            look_once(keeper);
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += LOOK_S;
        (void)pthread_mutex_lock(&keeper->lock);
        int waited = 0;
        while (!atomic_load(&keeper->stopping) && waited == 0)
            waited = pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until);
        (void)pthread_mutex_unlock(&keeper->lock);
    }
    return NULL;
}

static void keeper_free(struct lb_shard_keeper *keeper)
{
    (void)pthread_mutex_destroy(&keeper->lock);
    (void)pthread_cond_destroy(&keeper->wake);
    free(keeper);
}

lb_status lb_shard_keeper_start(struct lb_log *log, struct lb_shard_keeper **out_keeper)
{
    struct lb_shard_keeper *keeper = calloc(1, sizeof(*keeper));
    pthread_condattr_t attr;
    LB_ENSURE(keeper != NULL, LB_NO_MEMORY, "shards");
    keeper->log = log;
    (void)pthread_mutex_init(&keeper->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&keeper->wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    if (pthread_create(&keeper->thread, NULL, keep, keeper) != 0) {
        keeper_free(keeper);
        LB_FAIL(LB_NO_MEMORY, "the shards' keeper cannot be started");
    }
    *out_keeper = keeper;
    return LB_OK;
}

void lb_shard_keeper_stop(struct lb_shard_keeper *keeper)
{
    if (keeper == NULL)
        return;
    (void)pthread_mutex_lock(&keeper->lock);
    atomic_store(&keeper->stopping, true);
    (void)pthread_cond_signal(&keeper->wake);
    (void)pthread_mutex_unlock(&keeper->lock);
    (void)pthread_join(keeper->thread, NULL);
    keeper_free(keeper);
}
