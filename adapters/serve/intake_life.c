#include <stdlib.h>
#include <string.h>

#include "adapters/serve/admin.h"
#include "adapters/serve/intake_post.h"
#include "adapters/serve/intake_program.h"

/* The intake's beginning and end: its key, its worker, and its own look at what is committed. */

#define MAX_QUEUED 32
#define BUSY_TIMEOUT_MS 10000

struct lb_store *lb_intake_reader(struct lb_intake *intake)
{
    (void)pthread_mutex_lock(&intake->reader_lock);
    return intake->reader;
}

void lb_intake_reader_done(struct lb_intake *intake)
{
    (void)pthread_mutex_unlock(&intake->reader_lock);
}

static lb_status open_reader(struct lb_intake *intake)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "intake");
    const struct lb_store_options options = {
        .path = lb_arena_printf(arena, "%s/evidence.db", intake->serve->options.log_folder),
        .read_only = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_ENSURE(options.path != NULL, LB_NO_MEMORY, "intake");
    return lb_store_open(&options, &intake->reader);
}

/* --- the key and the store's mark of it --- */

static lb_status read_mark(struct lb_store *store, uint8_t out[32], bool *out_found)
{
    struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT mark FROM intake_key WHERE id = 1", &stmt));
    lb_status status = lb_stmt_step(stmt, &found);
    if (status == LB_OK && found && lb_stmt_blob(stmt, 0).len == 32)
        memcpy(out, lb_stmt_blob(stmt, 0).ptr, 32);
    lb_stmt_free(stmt);
    LB_TRY(status);
    *out_found = found;
    return LB_OK;
}

static lb_status write_mark(struct lb_log_entry *entry, struct lb_store *store)
{
    const struct lb_intake *intake = entry->owner;
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store, "INSERT INTO intake_key(id, mark) VALUES(1, ?1)", &stmt));
    lb_status status = lb_stmt_bind_blob(stmt, 1, lb_span_of(intake->key.mark, 32));
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    return status;
}

/* A key is begun with only while nothing was ever kept under another. */
static lb_status settle_key(struct lb_intake *intake, struct lb_diag *diag)
{
    const struct lb_serve_options *options = &intake->serve->options;
    uint8_t mark[32] = {0};
    bool marked = false;
    LB_TRY(read_mark(intake->reader, mark, &marked));
    if (!marked && options->policy->intake == NULL)
        return LB_OK;
    LB_TRY(lb_intake_key_load(options->log_folder, !marked, diag, &intake->key));
    if (!marked)
        return lb_serve_admin(options->log, "INTAKE_KEY", write_mark, intake);
    if (memcmp(mark, intake->key.mark, sizeof(mark)) != 0)
        lb_diag_set(diag, "%s/intake.key: is not the one that what was handed in is kept under; "
                          "restore that", options->log_folder);
    LB_ENSURE(memcmp(mark, intake->key.mark, sizeof(mark)) == 0, LB_CONFIG_INVALID,
              "another intake key");
    return LB_OK;
}

lb_status lb_intake_new(struct lb_serve *serve, struct lb_diag *diag,
                        struct lb_intake **out_intake)
{
    struct lb_intake *intake = calloc(1, sizeof(*intake));
    LB_ENSURE(intake != NULL, LB_NO_MEMORY, "intake");
    intake->serve = serve;
    (void)pthread_mutex_init(&intake->reader_lock, NULL);
    (void)pthread_mutex_init(&intake->pull_lock, NULL);
    lb_intake_rows_init(&intake->rows);
    lb_intake_rows_init(&intake->read_rows);
    lb_intake_words_init(&intake->words);
    lb_intake_words_init(&intake->read_words);
    lb_status status = open_reader(intake);
    if (status == LB_OK)
        status = settle_key(intake, diag);
    if (status == LB_OK)
        status = lb_workers_new(1, MAX_QUEUED, &intake->workers);
    if (status == LB_OK && intake->key.ready)
        status = lb_intake_post_new(intake, &intake->post);
    if (status == LB_OK && serve->options.policy->intake != NULL &&
        serve->options.policy->intake->program.path != NULL)
        status = lb_intake_runner_new(intake, &intake->runner);
    if (status != LB_OK) {
        lb_intake_free(intake);
        return status;
    }
    *out_intake = intake;
    return LB_OK;
}

void lb_intake_free(struct lb_intake *intake)
{
    if (intake == NULL)
        return;
    lb_intake_runner_free(intake->runner);
    lb_workers_free(intake->workers);
    lb_intake_post_free(intake->post);
    lb_store_close(intake->reader);
    lb_intake_key_wipe(&intake->key);
    (void)pthread_mutex_destroy(&intake->reader_lock);
    (void)pthread_mutex_destroy(&intake->pull_lock);
    free(intake);
}
