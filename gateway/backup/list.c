#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/backup/files.h"

#define MAX_LEVELS 8

struct listing {
    const char *folder;
    struct lb_arena *arena;
    struct lb_diag *diag;
    struct lb_backup_names names;
};

static void close_dir(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

static int by_bytes(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

static lb_status add(struct listing *listing, const char *name)
{
    if (listing->names.num == LB_BACKUP_MAX_FILES)
        lb_diag_set(listing->diag, "%s: more than %u files", listing->folder,
                    LB_BACKUP_MAX_FILES);
    LB_ENSURE(listing->names.num < LB_BACKUP_MAX_FILES, LB_TOO_LARGE, "too many files");
    listing->names.list[listing->names.num++] = name;
    return LB_OK;
}

static lb_status list_folder(struct listing *listing, const char *under, unsigned level);

static lb_status list_entry(struct listing *listing, const char *under, const char *entry,
                            unsigned level)
{
    const char *name = lb_arena_printf(listing->arena, "%s%s%s", under, under[0] == 0 ? "" : "/",
                                       entry);
    const char *path = lb_arena_printf(listing->arena, "%s/%s", listing->folder, name);
    struct stat info;
    LB_ENSURE(name != NULL && path != NULL, LB_NO_MEMORY, "arena is full");
    if (lstat(path, &info) != 0 && errno == ENOENT)
        return LB_OK; /* a temporary file of the node's */
    if (S_ISREG(info.st_mode))
        return add(listing, name);
    if (S_ISSOCK(info.st_mode))
        return LB_OK;
    if (!S_ISDIR(info.st_mode))
        lb_diag_set(listing->diag, "%s: neither a file nor a folder; nothing was finished", path);
    LB_ENSURE(S_ISDIR(info.st_mode), LB_FILE_FAILED, "neither a file nor a folder");
    return list_folder(listing, name, level + 1);
}

static lb_status list_folder(struct listing *listing, const char *under, unsigned level)
{
    const char *path = lb_arena_printf(listing->arena, "%s/%s", listing->folder, under);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(level < MAX_LEVELS, LB_FILE_FAILED, "folders are too deep");
    LB_DEFER(close_dir) DIR *dir = opendir(path);
    if (dir == NULL && errno == ENOENT)
        return LB_OK;
    LB_ENSURE(dir != NULL, LB_FILE_FAILED, "a folder cannot be read");
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        LB_ENSURE(entry != NULL || errno == 0, LB_FILE_FAILED, "a folder cannot be read");
        if (entry == NULL)
            return LB_OK;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            LB_TRY(list_entry(listing, under, entry->d_name, level));
    }
}

lb_status lb_backup_list(const char *folder, struct lb_arena *arena, struct lb_diag *diag,
                         struct lb_backup_names *out_names)
{
    struct listing listing = {.folder = folder, .arena = arena, .diag = diag};
    diag->text[0] = 0;
    listing.names.list = lb_arena_array(arena, LB_BACKUP_MAX_FILES, sizeof(const char *));
    LB_ENSURE(listing.names.list != NULL, LB_NO_MEMORY, "arena is full");
    lb_status status = list_folder(&listing, "", 0);
    if (status != LB_OK && diag->text[0] == 0)
        lb_diag_set(diag, "%s: %s", folder, status->what);
    LB_TRY(status);
    qsort(listing.names.list, listing.names.num, sizeof(const char *), by_bytes);
    *out_names = listing.names;
    return LB_OK;
}
