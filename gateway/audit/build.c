#include "gateway/audit/build.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "gateway/audit/write.h"
#include "gateway/base/file.h"

#define BUSY_TIMEOUT_MS 5000
#define ROWS_PER_COMMIT 4096U
#define ENTRY_ARENA_BYTES (1024U * 1024)
#define PATH_ARENA_BYTES 16384

struct lb_audit_build {
    struct lb_audit_build_options options;
    int lock;
    struct lb_store *store;
    struct lb_audit_writer writer;
    struct lb_follow *follow;
    struct lb_arena *arena;        /* of one entry */
    struct lb_audit_draft *draft;
    struct lb_audit_state state;
};

/* --- opening --- */

static lb_status drop_old(const char *path, struct lb_arena *arena)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const char *file = lb_arena_printf(arena, "%s%s", path, endings[i]);
        LB_ENSURE(file != NULL, LB_NO_MEMORY, "path");
        if (access(file, F_OK) == 0)
            LB_TRY(lb_file_destroy(file));
    }
    return LB_OK;
}

static lb_status open_store(struct lb_audit_build *build)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(PATH_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "path");
    LB_TRY(lb_file_mkdirs(build->options.folder));
    LB_TRY(lb_file_lock(build->options.folder, &build->lock));
    const char *path = lb_audit_path(arena, build->options.folder);
    LB_ENSURE(path != NULL, LB_NO_MEMORY, "path");
    if (build->options.rebuild)
        LB_TRY(drop_old(path, arena));
    const struct lb_store_options options = {
        .path = path,
        .migrations = lb_audit_schema(),
        .application_id = LB_AUDIT_APPLICATION_ID,
        .create = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_TRY(lb_store_open(&options, &build->store));
    return lb_audit_writer_prepare(&build->writer, build->store);
}

/* A new index starts from nothing, with the log's own name. */
static lb_status begin_state(struct lb_audit_build *build)
{
    struct lb_audit_state *state = &build->state;
    char log[PATH_MAX];
    LB_ENSURE(realpath(build->options.log, log) != NULL && strlen(log) < sizeof(state->log),
              LB_FILE_FAILED, "the log's folder cannot be resolved");
    *state = (struct lb_audit_state){.copy = build->options.copy};
    (void)snprintf(state->origin, sizeof(state->origin), "%s", build->options.verifier->name);
    memcpy(state->log, log, strlen(log) + 1);
    lb_merkle_empty(&state->root);
    return LB_OK;
}

static lb_status check_state(struct lb_audit_build *build, struct lb_diag *diag)
{
    struct lb_audit_state *state = &build->state;
    lb_status status = lb_audit_read_state(build->store, state);
    if (lb_status_code(status) == LB_ABSENT)
        return begin_state(build);
    LB_TRY(status);
    bool same = strcmp(state->origin, build->options.verifier->name) == 0;
    if (!same)
        lb_diag_set(diag, "this index is of the log %s, not of %s; give each log a folder of its"
                          " own", state->origin, build->options.verifier->name);
    LB_ENSURE(same, LB_LOG_FORK, "an index of another log");
    if (state->copy != build->options.copy)
        lb_diag_set(diag, "this index was built from %s; say so again, or --rebuild it",
                    state->copy ? "a copy (--copy)" : "a node's own log, without --copy");
    LB_ENSURE(state->copy == build->options.copy, LB_CONFIG_INVALID, "copy or not");
    return LB_OK;
}

/* A node holds its log's lock for as long as it serves. */
static bool is_served(const char *log)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/lock", log);
    int fd = len > 0 && (size_t)len < sizeof(path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    bool served = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0;
    if (fd >= 0)
        (void)close(fd);
    return served;
}

static lb_status check_copy(const struct lb_audit_build *build, struct lb_diag *diag)
{
    bool fits = !build->options.copy || !is_served(build->options.log);
    if (!fits)
        lb_diag_set(diag, "%s is served by a node now, so it is no copy; leave out --copy",
                    build->options.log);
    LB_ENSURE(fits, LB_CONFIG_INVALID, "a copy that a node serves");
    return LB_OK;
}

static lb_status open_all(struct lb_audit_build *build, struct lb_diag *diag)
{
    build->arena = lb_arena_new(ENTRY_ARENA_BYTES);
    build->draft = calloc(1, sizeof(*build->draft));
    LB_ENSURE(build->arena != NULL && build->draft != NULL, LB_NO_MEMORY, "index");
    LB_TRY(check_copy(build, diag));
    LB_TRY(lb_follow_open(build->options.log, diag, &build->follow));
    lb_status status = open_store(build);
    if (status != LB_OK)
        lb_diag_set(diag, "%s: the index cannot be opened (%s): %s", build->options.folder,
                    lb_code_name(lb_status_code(status)), status->what);
    LB_TRY(status);
    return check_state(build, diag);
}

lb_status lb_audit_build_open(const struct lb_audit_build_options *options, struct lb_diag *diag,
                              struct lb_audit_build **out_build)
{
    struct lb_audit_build *build = calloc(1, sizeof(*build));
    LB_ENSURE(build != NULL, LB_NO_MEMORY, "index");
    build->options = *options;
    build->lock = -1;
    lb_status status = open_all(build, diag);
    if (status != LB_OK) {
        lb_audit_build_close(build);
        return status;
    }
    *out_build = build;
    return LB_OK;
}

void lb_audit_build_close(struct lb_audit_build *build)
{
    if (build == NULL)
        return;
    lb_follow_close(build->follow);
    lb_store_close(build->store);
    lb_arena_free(build->arena);
    free(build->draft);
    if (build->lock >= 0)
        (void)close(build->lock);
    free(build);
}

/* --- erasures --- */

struct forgetting {
    struct lb_audit_build *build;
    uint64_t num;
};

static lb_status forget_key(void *ctx, uint64_t erasure, uint64_t kid)
{
    struct forgetting *forgetting = ctx;
    forgetting->num++;
    return lb_audit_forget(&forgetting->build->writer, erasure, kid);
}

/* Before anything new is added: what a citizen had erased must not wait for a long catching up. */
static lb_status forget_erased(struct lb_audit_build *build, uint64_t to, uint64_t *out_num)
{
    struct forgetting forgetting = {.build = build};
    const struct lb_follow_visit visit = {forget_key, &forgetting};
    LB_TRY(lb_store_begin(build->store));
    lb_status status = lb_follow_erased(build->follow, build->state.size, to, &visit);
    if (status == LB_OK)
        status = lb_store_commit(build->store);
    if (status != LB_OK) {
        lb_store_rollback(build->store);
        return status;
    }
    *out_num = forgetting.num;
    /* Old pages must not stay behind in the write-ahead file. */
    return forgetting.num == 0 ? LB_OK
                               : lb_store_exec(build->store, "PRAGMA wal_checkpoint(TRUNCATE)");
}

/* --- what is new --- */

static lb_status add_one(struct lb_audit_build *build, uint64_t index,
                         struct lb_audit_progress *progress)
{
    struct lb_follow_entry entry;
    lb_arena_reset(build->arena);
    LB_TRY(lb_follow_read(build->follow, index, &build->options.officer, build->arena,
                          &entry));
    LB_TRY(lb_audit_draft_fill(&entry, build->arena, build->draft));
    LB_TRY(lb_audit_write(&build->writer, build->draft, entry.kid));
    progress->num_added++;
    progress->num_broken += entry.state == LB_FOLLOW_BROKEN ? 1 : 0;
    build->state.last_ms = entry.leaf.time_ms;
    return LB_OK;
}

static lb_status add_rows(struct lb_audit_build *build, uint64_t to,
                          struct lb_audit_progress *progress)
{
    for (uint64_t index = build->state.size; index < to; index++)
        LB_TRY(add_one(build, index, progress));
    build->state.size = to;
    build->state.built_ms = lb_clock_unix_ms(build->options.clock);
    LB_TRY(lb_follow_root(build->follow, to, &build->state.root));
    return lb_audit_put_state(&build->writer, &build->state);
}

static lb_status commit_rows(struct lb_audit_build *build, uint64_t to,
                             struct lb_audit_progress *progress)
{
    const struct lb_audit_state before = build->state;
    LB_TRY(lb_store_begin(build->store));
    lb_status status = add_rows(build, to, progress);
    if (status == LB_OK)
        status = lb_store_commit(build->store);
    if (status != LB_OK) {
        lb_store_rollback(build->store);
        build->state = before;
    }
    return status;
}

lb_status lb_audit_build_step(struct lb_audit_build *build, struct lb_diag *diag,
                              struct lb_audit_progress *out_progress)
{
    struct lb_audit_progress progress = {.size = 0};
    struct lb_checkpoint head;
    LB_TRY(lb_follow_advance(build->follow, build->options.verifier, build->state.size,
                             &build->state.root, diag, &head));
    LB_TRY(forget_erased(build, head.size, &progress.num_forgotten));
    do {
        uint64_t to = build->state.size + ROWS_PER_COMMIT;
        LB_TRY(commit_rows(build, to < head.size ? to : head.size, &progress));
    } while (build->state.size < head.size);
    progress.size = build->state.size;
    *out_progress = progress;
    return LB_OK;
}
