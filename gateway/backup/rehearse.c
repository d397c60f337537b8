#include "gateway/backup/rehearse.h"

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/backup/proof.h"

#define MAX_OPEN_FOLDERS 16

struct rehearsing {
    const struct lb_backup_options *options;
    struct lb_arena *arena;
    struct lb_diag *diag;
    struct lb_rehearsed *rows;
    const struct lb_store_schema *kinds[LB_REHEARSE_MAX];  /* of each row */
    size_t num;
};

static lb_status path_of(const struct rehearsing *rehearsing, const char *folder,
                         const char *name, const char **out)
{
    *out = lb_arena_printf(rehearsing->arena, "%s/%s", folder, name);
    LB_ENSURE(*out != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

/* --- what is there --- */

static lb_status too_new(const struct rehearsing *rehearsing, const struct lb_rehearsed *row)
{
    lb_diag_set(rehearsing->diag, "%s: a newer version wrote it (its stores have version %llu, and "
                                  "this program knows %llu); there is no way back: use that one",
                row->name, (unsigned long long)row->found, (unsigned long long)row->known);
    LB_FAIL(LB_VERSION_UNSUPPORTED, "a newer version's store");
}

static lb_status look_at(struct rehearsing *rehearsing, const struct lb_store_schema *kind)
{
    struct stat info;
    const char *path = NULL;
    LB_TRY(path_of(rehearsing, rehearsing->options->state, kind->name, &path));
    if (stat(path, &info) != 0)
        return LB_OK;
    struct lb_rehearsed *row = &rehearsing->rows[rehearsing->num];
    *row = (struct lb_rehearsed){.name = kind->name,
                                 .bytes = (uint64_t)info.st_size,
                                 .known = lb_store_schema_steps(kind)};
    LB_TRY(lb_store_schema_found(kind, path, &row->found));
    rehearsing->kinds[rehearsing->num++] = kind;
    return row->found > row->known ? too_new(rehearsing, row) : LB_OK;
}

/* --- what would become of it --- */

static lb_status raise_copy(const struct rehearsing *rehearsing, const char *state, size_t i)
{
    const struct lb_clock *clock = rehearsing->options->clock;
    struct lb_rehearsed *row = &rehearsing->rows[i];
    const char *path = NULL;
    LB_TRY(path_of(rehearsing, state, row->name, &path));
    int64_t begun_ms = lb_clock_monotonic_ms(clock);
    LB_TRY(lb_store_schema_raise(rehearsing->kinds[i], path));
    row->took_ms = row->found < row->known ? lb_clock_monotonic_ms(clock) - begun_ms : 0;
    return lb_backup_database_check(path);
}

static lb_status raise_all(const struct rehearsing *rehearsing, const char *state)
{
    for (size_t i = 0; i < rehearsing->num; i++) {
        lb_status status = raise_copy(rehearsing, state, i);
        if (status != LB_OK)
            lb_diag_set(rehearsing->diag, "%s: the copy cannot be brought to this version: %s",
                        rehearsing->rows[i].name, status->what);
        LB_TRY(status);
    }
    return LB_OK;
}

static lb_status rehearse(struct rehearsing *rehearsing)
{
    const struct lb_backup_options *options = rehearsing->options;
    struct lb_backup_work work = {.watch = options->watch};
    struct lb_backup_result copied;
    const char *state = NULL, *manifest = NULL;
    LB_TRY(lb_backup_make(options, rehearsing->arena, rehearsing->diag, &copied));
    LB_TRY(path_of(rehearsing, options->out, LB_BACKUP_STATE, &state));
    LB_TRY(path_of(rehearsing, options->out, LB_BACKUP_MANIFEST, &manifest));
    LB_ENSURE(unlink(manifest) == 0, LB_FILE_FAILED, "the copy cannot be changed");
    LB_TRY(raise_all(rehearsing, state));
    return lb_backup_log_verify(state, options->verifier, &work, rehearsing->arena,
                                rehearsing->diag, &copied.manifest);
}

lb_status lb_rehearse(const struct lb_backup_options *options,
                      const struct lb_store_schema *kinds, size_t num_kinds,
                      struct lb_arena *arena, struct lb_diag *diag,
                      struct lb_rehearsed out_rows[LB_REHEARSE_MAX], size_t *out_num)
{
    struct rehearsing rehearsing = {
        .options = options, .arena = arena, .diag = diag, .rows = out_rows};
    lb_status status = LB_OK;
    diag->text[0] = 0;
    LB_ENSURE(num_kinds <= LB_REHEARSE_MAX, LB_TOO_LARGE, "too many kinds");
    for (size_t i = 0; i < num_kinds && status == LB_OK; i++) {
        status = look_at(&rehearsing, &kinds[i]);
        if (status != LB_OK && diag->text[0] == 0)
            lb_diag_set(diag, "%s: %s", kinds[i].name, status->what);
    }
    if (status == LB_OK)
        status = rehearse(&rehearsing);
    *out_num = rehearsing.num;
    return status;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

lb_status lb_rehearse_clear(const char *out)
{
    LB_ENSURE(nftw(out, remove_one, MAX_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0, LB_FILE_FAILED,
              "the copy cannot be removed");
    return LB_OK;
}
