#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/backup/backup.h"
#include "gateway/backup/files.h"
#include "gateway/backup/proof.h"
#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"

/* One copy while it is checked. */
struct checking {
    const char *folder;
    struct lb_arena *arena;
    struct lb_diag *diag;
    struct lb_backup_work work;
    struct lb_backup_result *result;
};

static lb_status broken(const struct checking *checking, const char *name, const char *sentence)
{
    lb_diag_set(checking->diag, "%s/%s: %s", checking->folder, name, sentence);
    LB_FAIL(LB_BACKUP_BROKEN, "the copy is not what was made");
}

static lb_status join(const struct checking *checking, const char *name, const char **out)
{
    *out = lb_arena_printf(checking->arena, "%s/%s", checking->folder, name);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status read_manifest(const struct checking *checking)
{
    const char *path = NULL;
    struct lb_span text;
    LB_TRY(join(checking, LB_BACKUP_MANIFEST, &path));
    lb_status status = lb_file_read(path, LB_BACKUP_MAX_MANIFEST_BYTES, checking->arena, &text);
    if (status == LB_OK) {
        lb_sha256(text, checking->result->manifest_sha256);
        status = lb_backup_manifest_read(text, checking->arena, &checking->result->manifest);
    }
    if (status != LB_OK)
        lb_diag_set(checking->diag, "%s: is not what `lianban backup` writes: %s", path,
                    status->what);
    return status;
}

/* Both lists are in the same order. */
static lb_status compare_names(const struct checking *checking,
                               const struct lb_backup_names *names)
{
    const struct lb_backup_manifest *manifest = &checking->result->manifest;
    size_t at = 0;
    for (size_t i = 0; i < names->num; i++) {
        const char *name =
            lb_arena_printf(checking->arena, LB_BACKUP_STATE "/%s", names->list[i]);
        LB_ENSURE(name != NULL, LB_NO_MEMORY, "arena is full");
        int order = at == manifest->num_files ? 1 : strcmp(manifest->files[at].name, name);
        if (order > 0)
            return broken(checking, name, "is not in the manifest");
        if (order < 0)
            return broken(checking, manifest->files[at].name, "is missing");
        at++;
    }
    if (at < manifest->num_files)
        return broken(checking, manifest->files[at].name, "is missing");
    return LB_OK;
}

static lb_status go_on(void *ctx, uint64_t done, uint64_t all)
{
    const struct checking *checking = ctx;
    lb_backup_work_tell(&checking->work, done, all);
    return LB_OK;
}

static lb_status check_file(struct checking *checking, const struct lb_backup_file *file)
{
    const struct lb_backup_pace pace = {go_on, checking};
    struct lb_backup_file found;
    const char *path = NULL;
    checking->work.what = file->name;
    LB_TRY(join(checking, file->name, &path));
    lb_status status = lb_backup_hash(path, &pace, &found);
    if (status != LB_OK)
        lb_diag_set(checking->diag, "%s: %s", path, status->what);
    LB_TRY(status);
    if (found.size != file->size || memcmp(found.sha256, file->sha256, sizeof(found.sha256)) != 0)
        return broken(checking, file->name, "was changed since the backup was made");
    return LB_OK;
}

static lb_status check_files(struct checking *checking)
{
    const struct lb_backup_manifest *manifest = &checking->result->manifest;
    struct lb_backup_names names;
    const char *state = NULL;
    LB_TRY(join(checking, LB_BACKUP_STATE, &state));
    LB_TRY(lb_backup_list(state, checking->arena, checking->diag, &names));
    LB_TRY(compare_names(checking, &names));
    for (size_t i = 0; i < manifest->num_files; i++)
        LB_TRY(check_file(checking, &manifest->files[i]));
    return LB_OK;
}

static lb_status check_log(struct checking *checking, const struct lb_note_verifier *verifier)
{
    const struct lb_backup_manifest *manifest = &checking->result->manifest;
    struct lb_backup_manifest found = {.log_size = 0};
    const char *state = NULL;
    LB_TRY(join(checking, LB_BACKUP_STATE, &state));
    LB_TRY(lb_backup_log_verify(state, verifier, &checking->work, checking->arena, checking->diag,
                                &found));
    bool same = strcmp(found.origin, manifest->origin) == 0 &&
                found.log_size == manifest->log_size &&
                memcmp(found.log_root.bytes, manifest->log_root.bytes, LB_HASH_BYTES) == 0;
    if (!same)
        return broken(checking, LB_BACKUP_MANIFEST, "says of the log what it is not");
    return LB_OK;
}

static lb_status count_keys(struct checking *checking)
{
    struct lb_backup_names names;
    const char *keys = NULL;
    LB_TRY(join(checking, LB_BACKUP_KEYS, &keys));
    LB_TRY(lb_backup_list(keys, checking->arena, checking->diag, &names));
    checking->result->num_keys = names.num;
    return LB_OK;
}

lb_status lb_backup_finished(const char *folder, struct lb_diag *diag)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/" LB_BACKUP_MANIFEST, folder);
    LB_ENSURE(len > 0 && (size_t)len < sizeof(path), LB_FILE_FAILED, "path is too long");
    if (access(path, F_OK) == 0)
        return LB_OK;
    lb_diag_set(diag, "%s: is missing: this is no backup, or one that was never finished; do not "
                      "use it", path);
    LB_FAIL(LB_BACKUP_BROKEN, "no manifest");
}

lb_status lb_backup_check(const char *folder, const struct lb_note_verifier *verifier,
                          const struct lb_backup_watch *watch, struct lb_arena *arena,
                          struct lb_diag *diag, struct lb_backup_result *out_result)
{
    struct lb_backup_result result = {.num_keys = 0};
    struct checking checking = {.folder = folder, .arena = arena, .diag = diag,
                                .work = {.watch = watch}, .result = &result};
    diag->text[0] = 0;
    LB_TRY(lb_backup_finished(folder, diag));
    LB_TRY(read_manifest(&checking));
    LB_TRY(check_files(&checking));
    LB_TRY(check_log(&checking, verifier));
    LB_TRY(count_keys(&checking));
    *out_result = result;
    return LB_OK;
}
