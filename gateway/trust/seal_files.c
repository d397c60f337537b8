#include "gateway/trust/seal_files.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/json/json.h"
#include "gateway/trust/keys.h"
#include "gateway/trust/reader.h"

#define KEY_SUFFIX ".key"
#define ENTRY_SUFFIX ".json"
#define ENTRY_ARENA_BYTES (64 * 1024)
#define MAX_ENTRY_BYTES 4096

bool lb_seal_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* `<id>.json` for `<id>.key`; false for a path that does not end so. */
static bool entry_path(const char *path, char out[PATH_MAX])
{
    size_t len = strlen(path), cut = strlen(KEY_SUFFIX);
    if (len <= cut || strcmp(path + len - cut, KEY_SUFFIX) != 0)
        return false;
    int made = snprintf(out, PATH_MAX, "%.*s" ENTRY_SUFFIX, (int)(len - cut), path);
    return made > 0 && made < PATH_MAX;
}

/* 0 when there is no entry that says it. */
static int64_t read_end(const char *path)
{
    char entry[PATH_MAX];
    int64_t not_after = 0;
    struct lb_span text;
    if (!entry_path(path, entry) || !lb_seal_file_exists(entry))
        return 0;
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(ENTRY_ARENA_BYTES);
    LB_DEFER(lb_json_freep) struct lb_json *json = NULL;
    if (arena == NULL || lb_file_read(entry, MAX_ENTRY_BYTES, arena, &text) != LB_OK ||
        lb_json_parse(text, &json) != LB_OK ||
        lb_json_get_int(json, "not_after", &not_after) != LB_OK)
        return 0;
    return not_after;
}

lb_status lb_seal_file_load(const struct lb_seal_file *file, struct lb_ring_key *out)
{
    struct lb_ring_key key = {.not_after = 0};
    size_t id_len = strlen(file->id), path_len = strlen(file->path);
    LB_ENSURE(lb_reader_name_ok(file->id) && id_len < sizeof(key.own.id), LB_MALFORMED,
              "key id is no name");
    LB_ENSURE(path_len < sizeof(key.path), LB_FILE_FAILED, "path is too long");
    LB_TRY(lb_keys_load_x25519(file->path, &key.own.key));
    memcpy(key.own.id, file->id, id_len + 1);
    memcpy(key.path, file->path, path_len + 1);
    key.not_after = read_end(file->path);
    *out = key;
    lb_own_key_wipe(&key.own);
    return LB_OK;
}

void lb_seal_folder_ends(struct lb_ring_key *keys, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        int64_t end = read_end(keys[i].path);
        if (end != 0 && (keys[i].not_after == 0 || end < keys[i].not_after))
            keys[i].not_after = end;
    }
}

/* --- the folder --- */

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

static bool take_name(const char *folder, const char *name, struct lb_seal_folder *out)
{
    size_t len = strlen(name), cut = strlen(KEY_SUFFIX);
    if (len <= cut || strcmp(name + len - cut, KEY_SUFFIX) != 0)
        return true;
    if (out->num == LB_SEAL_RING_MAX || len - cut >= sizeof(out->ids[0]))
        return false;
    memcpy(out->ids[out->num], name, len - cut);
    out->ids[out->num][len - cut] = 0;
    int made = snprintf(out->paths[out->num], PATH_MAX, "%s/%s", folder, name);
    if (made <= 0 || made >= PATH_MAX)
        return false;
    out->num++;
    return true;
}

static lb_status check_mode(const char *folder, struct lb_diag *diag)
{
    struct stat info;
    bool there = stat(folder, &info) == 0 && S_ISDIR(info.st_mode);
    if (there && (info.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return LB_OK;
    lb_diag_set(diag, "%s: %s", folder,
                there ? "the folder of keys is open to others; chmod 700 it"
                      : "there is no such folder; make it with mode 0700");
    LB_FAIL(LB_CONFIG_INVALID, "folder of sealing keys cannot be used");
}

lb_status lb_seal_folder_read(const char *folder, struct lb_seal_folder *out, struct lb_diag *diag)
{
    out->num = 0;
    if (folder == NULL)
        return LB_OK;
    LB_TRY(check_mode(folder, diag));
    out->stamp = lb_file_stamp_of(folder);
    LB_DEFER(close_dir) DIR *dir = opendir(folder);
    bool fits = dir != NULL;
    for (struct dirent *entry = fits ? readdir(dir) : NULL; entry != NULL && fits;
         entry = readdir(dir))
        fits = take_name(folder, entry->d_name, out);
    if (fits)
        return LB_OK;
    lb_diag_set(diag, "%s: cannot be read, or has more than %d keys; destroy old ones", folder,
                LB_SEAL_RING_MAX);
    LB_FAIL(LB_CONFIG_INVALID, "folder of sealing keys cannot be read");
}

lb_status lb_seal_folder_changed(const char *folder, struct lb_seal_folder *seen,
                                 bool *out_changed)
{
    struct lb_diag diag;
    *out_changed = false;
    if (folder == NULL)
        return LB_OK;
    struct lb_file_stamp now = lb_file_stamp_of(folder);
    if (lb_file_stamp_eq(&now, &seen->stamp))
        return LB_OK;
    seen->stamp = now; /* a mistake in it is told once */
    LB_TRY(lb_seal_folder_read(folder, seen, &diag));
    *out_changed = true;
    return LB_OK;
}
