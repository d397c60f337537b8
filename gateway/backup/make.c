#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/backup/backup.h"
#include "gateway/backup/files.h"
#include "gateway/backup/proof.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/evidence/copy.h"
#include "gateway/evidence/shard.h"
#include "gateway/store/store.h"

#define BUSY_TIMEOUT_MS 5000

/* One copy while it is made. */
struct making {
    const struct lb_backup_options *options;
    const struct lb_disk *disk;
    struct lb_arena *arena;
    struct lb_diag *diag;
    const char *into;          /* OUT/state */
    bool same_disk;            /* as the node's own */
    struct lb_backup_work work;
    struct lb_backup_file *files;
    size_t num_files;
    const char **left_out;
    size_t num_left_out;
};

static lb_status refuse(const struct making *making, lb_status status, const char *sentence)
{
    lb_diag_set(making->diag, "%s: %s", making->options->out, sentence);
    return status;
}

static lb_status join(const struct making *making, const char *folder, const char *name,
                      const char **out)
{
    *out = lb_arena_printf(making->arena, "%s/%s", folder, name);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(strlen(*out) < PATH_MAX, LB_FILE_FAILED, "path is too long");
    return LB_OK;
}

/* --- before anything is written --- */

/* SQLite may have to make its files beside the node's, and the node must be able to open them. */
static lb_status check_state(const struct making *making)
{
    const char *state = making->options->state;
    const char *log = NULL;
    struct stat info;
    LB_TRY(join(making, state, "evidence.db", &log));
    bool there = stat(state, &info) == 0 && access(log, F_OK) == 0;
    if (!there)
        lb_diag_set(making->diag, "%s: no node keeps its state here; check `state` in its "
                                  "configuration, and run this as the node's account", state);
    LB_ENSURE(there, LB_FILE_FAILED, "no state");
    if (info.st_uid != geteuid())
        lb_diag_set(making->diag, "%s: belongs to another account; run this as that one (`setpriv"
                                  " --reuid`, docs/OPERATIONS.md)", state);
    LB_ENSURE(info.st_uid == geteuid(), LB_FILE_FAILED, "another account's state");
    return LB_OK;
}

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

static bool is_empty(const char *folder)
{
    LB_DEFER(close_dir) DIR *dir = opendir(folder);
    if (dir == NULL)
        return false;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            return false;
    return true;
}

static bool is_inside(const char *inner, const char *outer)
{
    char inner_path[PATH_MAX];
    char outer_path[PATH_MAX];
    if (realpath(inner, inner_path) == NULL || realpath(outer, outer_path) == NULL)
        return true; /* not known to be outside */
    size_t len = strlen(outer_path);
    return strncmp(inner_path, outer_path, len) == 0 &&
           (inner_path[len] == 0 || inner_path[len] == '/');
}

static lb_status check_out(struct making *making)
{
    const char *out = making->options->out;
    struct stat info;
    struct stat own;
    if (stat(out, &info) != 0 || !S_ISDIR(info.st_mode) || stat(making->options->state, &own) != 0)
        return refuse(making, LB_FAULT(LB_FILE_FAILED, "no folder"), "is no folder");
    if (info.st_uid != geteuid() || (info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return refuse(making, LB_FAULT(LB_FILE_FAILED, "an open folder"),
                      "must belong to this account with mode 0700; what is copied is as secret as "
                      "the state itself");
    if (!is_empty(out))
        return refuse(making, LB_FAULT(LB_FILE_FAILED, "not empty"),
                      "is not empty; every backup has a folder of its own (one without "
                      LB_BACKUP_MANIFEST " is unfinished and may be removed)");
    making->same_disk = info.st_dev == own.st_dev;
    return LB_OK;
}

static lb_status make_folders(struct making *making)
{
    const char *out = making->options->out;
    if (lb_file_mkdirs(out) != LB_OK)
        return refuse(making, LB_FAULT(LB_FILE_FAILED, "no folder"), "cannot be made");
    if (is_inside(out, making->options->state)) {
        (void)rmdir(out);
        return refuse(making, LB_FAULT(LB_FILE_FAILED, "inside the state"),
                      "is inside the node's own state; give a folder elsewhere, best on another "
                      "disk");
    }
    LB_TRY(check_out(making));
    LB_TRY(join(making, out, LB_BACKUP_STATE, &making->into));
    return lb_file_mkdirs(making->into);
}

/* --- files --- */

/* The node needs room more than the copy does. */
static lb_status go_on(void *ctx, uint64_t done, uint64_t all)
{
    const struct making *making = ctx;
    struct lb_disk_space space;
    lb_backup_work_tell(&making->work, done, all);
    if (!making->same_disk)
        return LB_OK;
    LB_TRY(making->disk->look(making->disk, making->options->out, &space));
    if (space.free_bytes >= making->options->keep_free_bytes)
        return LB_OK;
    return refuse(making, LB_FAULT(LB_LOG_FULL, "too little room to copy"),
                  "the node's own disk would have less left than `alert_mb`; remove this folder "
                  "and give one on another disk");
}

static lb_status add_file(struct making *making, const char *name, struct lb_backup_file file)
{
    LB_ENSURE(making->num_files < LB_BACKUP_MAX_FILES, LB_TOO_LARGE, "too many files");
    file.name = lb_arena_printf(making->arena, LB_BACKUP_STATE "/%s", name);
    LB_ENSURE(file.name != NULL, LB_NO_MEMORY, "arena is full");
    if (!lb_backup_name_good(file.name))
        lb_diag_set(making->diag, "%s: a file there has a name that no backup can hold",
                    making->options->state);
    LB_ENSURE(lb_backup_name_good(file.name), LB_MALFORMED, "a name no manifest can hold");
    making->files[making->num_files++] = file;
    return LB_OK;
}

static lb_status make_parent(const struct making *making, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *parent = lb_arena_printf(making->arena, "%.*s", (int)(slash - path), path);
    LB_ENSURE(parent != NULL, LB_NO_MEMORY, "arena is full");
    return lb_file_mkdirs(parent);
}

static lb_status copy_database(const char *from, const char *to,
                               const struct lb_backup_pace *pace)
{
    const struct lb_store_options options = {
        .path = from, .read_only = true, .busy_timeout_ms = BUSY_TIMEOUT_MS};
    const struct lb_store_progress progress = {pace->go_on, pace->ctx};
    LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
    LB_TRY(lb_store_open(&options, &store));
    LB_TRY(lb_store_copy(store, to, &progress));
    return lb_backup_database_check(to);
}

static lb_status copy_one(struct making *making, const char *name, bool database)
{
    const struct lb_backup_pace pace = {go_on, making};
    const char *from = NULL;
    const char *to = NULL;
    struct lb_backup_file file;
    making->work.what = name;
    LB_TRY(join(making, making->options->state, name, &from));
    LB_TRY(join(making, making->into, name, &to));
    LB_TRY(make_parent(making, to));
    if (database)
        LB_TRY(copy_database(from, to, &pace));
    lb_status status = database ? lb_backup_hash(to, &pace, &file)
                                : lb_backup_copy(from, to, &pace, &file);
    /* A plain file may go while the node runs, a shard or database may not. */
    if (lb_status_code(status) == LB_ABSENT)
        return LB_OK;
    LB_TRY(status);
    return add_file(making, name, file);
}

static lb_status copy_name(struct making *making, const char *name)
{
    enum lb_backup_kind kind;
    LB_TRY(lb_backup_kind_of(making->options->state, name, &kind));
    if (kind == LB_BACKUP_KEY)
        making->left_out[making->num_left_out++] = name;
    if (kind != LB_BACKUP_DATABASE && kind != LB_BACKUP_PLAIN)
        return LB_OK;
    lb_status status = copy_one(making, name, kind == LB_BACKUP_DATABASE);
    if (status != LB_OK && making->diag->text[0] == 0)
        lb_diag_set(making->diag, "%s/%s: cannot be copied: %s", making->options->state, name,
                    status->what);
    return status;
}

static lb_status copy_files(struct making *making)
{
    struct lb_backup_names names;
    LB_TRY(lb_backup_list(making->options->state, making->arena, making->diag, &names));
    for (size_t i = 0; i < names.num; i++)
        LB_TRY(copy_name(making, names.list[i]));
    return LB_OK;
}

/* --- the log --- */

static lb_status hash_one(struct making *making, const char *name)
{
    const struct lb_backup_pace pace = {go_on, making};
    const char *path = NULL;
    struct lb_backup_file file;
    LB_TRY(join(making, making->into, name, &path));
    LB_TRY(lb_backup_hash(path, &pace, &file));
    return add_file(making, name, file);
}

static lb_status copy_shard(struct making *making, const struct lb_shard_line *line)
{
    const char *name = lb_arena_printf(making->arena, LB_SHARD_FOLDER "/%s.db", line->name);
    LB_ENSURE(name != NULL, LB_NO_MEMORY, "arena is full");
    size_t before = making->num_files;
    LB_TRY(copy_one(making, name, false));
    if (making->num_files == before)
        lb_diag_set(making->diag, "%s/%s: this linked shard is not here; a log is backed up with "
                                  "all its shards: put it back, or a hard link to it",
                    making->options->state, name);
    LB_ENSURE(making->num_files > before, LB_LOG_BEHIND, "a shard is missing");
    return LB_OK;
}

static lb_status copy_log(struct making *making)
{
    const struct lb_store_progress progress = {go_on, making};
    struct lb_shard_list *shards = lb_arena_alloc(making->arena, sizeof(*shards));
    LB_ENSURE(shards != NULL, LB_NO_MEMORY, "arena is full");
    making->work.what = "evidence.db";
    LB_TRY(lb_log_copy(making->options->state, making->into, &progress, making->diag));
    LB_TRY(lb_shard_list_read(making->into, making->diag, shards));
    for (size_t i = 0; i < shards->num; i++)
        LB_TRY(copy_shard(making, &shards->lines[i]));
    LB_TRY(hash_one(making, "evidence.db"));
    return hash_one(making, "ratchet");
}

/* --- keys --- */

static lb_status copy_key(const struct making *making, const char *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *to = NULL;
    struct lb_span key;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(4 * LB_BACKUP_MAX_KEY_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "backup");
    LB_TRY(join(making, folder, slash == NULL ? path : slash + 1, &to));
    bool once = access(to, F_OK) != 0;
    bool good = once && lb_file_read_secret(path, LB_BACKUP_MAX_KEY_BYTES, arena, &key) == LB_OK &&
                lb_file_write(to, key, 0600) == LB_OK;
    if (!good)
        lb_diag_set(making->diag, "%s: %s", path,
                    once ? "cannot be copied as a key; it must belong to this account, mode 0600"
                         : "two keys of one name; give each file a name of its own");
    LB_ENSURE(good, LB_FILE_FAILED, "a key cannot be copied");
    return LB_OK;
}

static lb_status copy_keys(struct making *making)
{
    const char *folder = NULL;
    if (making->options->num_keys == 0)
        return LB_OK;
    LB_TRY(join(making, making->options->out, LB_BACKUP_KEYS, &folder));
    LB_TRY(lb_file_mkdirs(folder));
    for (size_t i = 0; i < making->options->num_keys; i++)
        LB_TRY(copy_key(making, folder, making->options->keys[i]));
    return LB_OK;
}

/* --- the manifest --- */

static int by_name(const void *a, const void *b)
{
    const struct lb_backup_file *left = a;
    const struct lb_backup_file *right = b;
    return strcmp(left->name, right->name);
}

static lb_status sync_out(const struct making *making)
{
    const char *parent = lb_arena_printf(making->arena, "%s/..", making->options->out);
    LB_ENSURE(parent != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_backup_sync_folder(making->into));
    LB_TRY(lb_backup_sync_folder(making->options->out));
    return lb_backup_sync_folder(parent);
}

static lb_status finish(struct making *making, struct lb_backup_result *result)
{
    struct lb_backup_manifest *manifest = &result->manifest;
    const char *path = NULL;
    struct lb_span text;
    qsort(making->files, making->num_files, sizeof(making->files[0]), by_name);
    manifest->node = making->options->node;
    manifest->version = making->options->version;
    manifest->time_ms = lb_clock_unix_ms(making->options->clock);
    manifest->files = making->files;
    manifest->num_files = making->num_files;
    LB_TRY(lb_backup_manifest_write(manifest, making->arena, &text));
    LB_TRY(sync_out(making));
    LB_TRY(join(making, making->options->out, LB_BACKUP_MANIFEST, &path));
    LB_TRY(lb_file_write(path, text, 0600));
    lb_sha256(text, result->manifest_sha256);
    return LB_OK;
}

static lb_status make(struct making *making, struct lb_backup_result *result)
{
    LB_TRY(check_state(making));
    LB_TRY(make_folders(making));
    LB_TRY(copy_files(making));
    LB_TRY(copy_log(making));
    LB_TRY(copy_keys(making));
    LB_TRY(lb_backup_log_verify(making->into, making->options->verifier, &making->work,
                                making->arena, making->diag, &result->manifest));
    return finish(making, result);
}

lb_status lb_backup_make(const struct lb_backup_options *options, struct lb_arena *arena,
                         struct lb_diag *diag, struct lb_backup_result *out_result)
{
    struct lb_backup_result result = {.num_keys = options->num_keys};
    struct making making = {
        .options = options,
        .disk = options->disk != NULL ? options->disk : lb_disk_system(),
        .arena = arena,
        .diag = diag,
        .work = {.watch = options->watch},
        .files = lb_arena_array(arena, LB_BACKUP_MAX_FILES, sizeof(struct lb_backup_file)),
        .left_out = lb_arena_array(arena, LB_BACKUP_MAX_FILES, sizeof(const char *)),
    };
    diag->text[0] = 0;
    LB_ENSURE(making.files != NULL && making.left_out != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = make(&making, &result);
    if (status != LB_OK && diag->text[0] == 0)
        lb_diag_set(diag, "%s: the backup was not finished: %s", options->out, status->what);
    LB_TRY(status);
    result.left_out = making.left_out;
    result.num_left_out = making.num_left_out;
    *out_result = result;
    return LB_OK;
}
