#include "gateway/evidence/watched.h"

#include <stdio.h>
#include <sys/stat.h>

lb_status lb_watched_note(struct lb_watched *watched, const char *folder)
{
    static const char *const names[LB_WATCHED_FILES] = {"evidence.db", "evidence.db-wal",
                                                        "evidence.db-shm", "ratchet", "lock"};
    watched->num = 0;
    for (size_t i = 0; i < LB_WATCHED_FILES; i++) {
        struct lb_watched_file *file = &watched->files[i];
        struct stat info;
        int len = snprintf(file->path, sizeof(file->path), "%s/%s", folder, names[i]);
        LB_ENSURE(len > 0 && (size_t)len < sizeof(file->path), LB_FILE_FAILED, "path is too long");
        LB_ENSURE(stat(file->path, &info) == 0, LB_FILE_FAILED, "a file of the log is missing");
        file->device = info.st_dev;
        file->number = info.st_ino;
    }
    watched->num = LB_WATCHED_FILES;
    return LB_OK;
}

lb_status lb_watched_check(const struct lb_watched *watched)
{
    for (size_t i = 0; i < watched->num; i++) {
        const struct lb_watched_file *file = &watched->files[i];
        struct stat info;
        LB_ENSURE(stat(file->path, &info) == 0, LB_FILE_FAILED, "a file of the log is gone");
        LB_ENSURE(info.st_dev == file->device && info.st_ino == file->number, LB_FILE_FAILED,
                  "a file of the log was replaced");
    }
    return LB_OK;
}
