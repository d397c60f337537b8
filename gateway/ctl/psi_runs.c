#include <stdio.h>

#include "gateway/base/file.h"
#include "gateway/crypto/hash.h"
#include "gateway/ctl/psi.h"

/* What was compared with whom: one list once, and no list again before its time. A step that was
 * cut off finds its run here and does the same again; an ended run keeps no secret. */

#define APPLICATION_ID 0x4C425053 /* "LBPS" */
#define BUSY_TIMEOUT_MS 10000
#define DAY_S 86400
#define LIFE_S (30 * DAY_S) /* a run that was never finished keeps its secrets no longer */

static const char *const migrations[] = {
    "CREATE TABLE memory (key BLOB NOT NULL);"
    "INSERT INTO memory VALUES (randomblob(32));"
    "CREATE TABLE run (run BLOB PRIMARY KEY, agreement TEXT NOT NULL, peer TEXT NOT NULL,"
    " asks INTEGER NOT NULL, version BLOB NOT NULL, salt BLOB, offer BLOB, seed BLOB,"
    " started_unix_s INTEGER NOT NULL, rows BLOB, UNIQUE (peer, asks, version)) WITHOUT ROWID;",
    NULL,
};

#define COLUMNS "run, agreement, peer, asks, version, salt, offer, seed, started_unix_s, rows"

/* A statement at a row would keep the secrets in the log of writes. */
static void free_stmt(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

static lb_status open_store(struct lb_ctl_psi *psi)
{
    const struct lb_store_options options = {
        .path = lb_arena_printf(psi->arena, "%s/psi.db", psi->state),
        .migrations = migrations,
        .application_id = APPLICATION_ID,
        .create = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    LB_ENSURE(options.path != NULL, LB_NO_MEMORY, "arena is full");
    return lb_store_open(&options, &psi->runs);
}

static lb_status forget_old(struct lb_ctl_psi *psi)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(psi->runs, "UPDATE run SET seed = NULL, rows = NULL WHERE seed NOT NULL"
                                      " AND started_unix_s < ?1", &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, lb_clock_unix_s(psi->node.env->clock) - LIFE_S));
    return lb_stmt_run(stmt);
}

lb_status lb_ctl_psi_runs_open(struct lb_ctl_psi *psi)
{
    lb_status status = lb_file_mkdirs(psi->state);
    if (status == LB_OK)
        status = lb_file_lock(psi->state, &psi->lock);
    if (status == LB_OK)
        status = open_store(psi);
    if (status == LB_OK)
        status = forget_old(psi);
    if (status != LB_OK)
        lb_diag_set(&psi->node.diag, "%s: %s", psi->state, status->what);
    return status;
}

/* --- reading --- */

static lb_status take_blob(const struct lb_stmt *stmt, int column, uint8_t *out, size_t len)
{
    struct lb_span blob = lb_stmt_blob(stmt, column);
    LB_ENSURE(blob.len == len || blob.len == 0, LB_STORE_FAILED, "a run of another shape");
    memset(out, 0, len);
    if (blob.len > 0)
        memcpy(out, blob.ptr, len);
    return LB_OK;
}

static lb_status take_run(const struct lb_stmt *stmt, struct lb_arena *arena,
                          struct lb_ctl_psi_run *out)
{
    struct lb_ctl_psi_run run = {.again = true};
    LB_TRY(take_blob(stmt, 0, run.run, sizeof(run.run)));
    run.agreement = lb_arena_str(arena, lb_stmt_text(stmt, 1));
    run.peer = lb_arena_str(arena, lb_stmt_text(stmt, 2));
    LB_ENSURE(run.agreement != NULL && run.peer != NULL, LB_NO_MEMORY, "arena is full");
    run.asks = lb_stmt_int(stmt, 3) != 0;
    LB_TRY(take_blob(stmt, 4, run.version, sizeof(run.version)));
    LB_TRY(take_blob(stmt, 5, run.salt, sizeof(run.salt)));
    LB_TRY(take_blob(stmt, 6, run.offer, sizeof(run.offer)));
    LB_TRY(take_blob(stmt, 7, run.seed, sizeof(run.seed)));
    run.ended = lb_stmt_type(stmt, 7) == LB_COL_NULL;
    run.started_unix_s = lb_stmt_int(stmt, 8);
    LB_TRY(lb_arena_copy(arena, lb_stmt_blob(stmt, 9), &run.rows));
    *out = run;
    return LB_OK;
}

static lb_status find_version(struct lb_ctl_psi *psi, const uint8_t version[32],
                              struct lb_ctl_psi_run *out, bool *found)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(psi->runs, "SELECT " COLUMNS " FROM run WHERE peer = ?1 AND asks = ?2"
                                      " AND version = ?3", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(lb_ctl_psi_peer(psi)->spiffe)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, psi->agreement->asks));
    LB_TRY(lb_stmt_bind_blob(stmt, 3, lb_span_of(version, 32)));
    LB_TRY(lb_stmt_step(stmt, found));
    return *found ? take_run(stmt, psi->arena, out) : LB_OK;
}

static lb_status find_id(struct lb_ctl_psi *psi, const uint8_t id[LB_PSI_RUN_BYTES],
                         struct lb_ctl_psi_run *out, bool *found)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(psi->runs, "SELECT " COLUMNS " FROM run WHERE run = ?1", &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(id, LB_PSI_RUN_BYTES)));
    LB_TRY(lb_stmt_step(stmt, found));
    return *found ? take_run(stmt, psi->arena, out) : LB_OK;
}

/* --- admitting --- */

static lb_status name_version(struct lb_ctl_psi *psi, const struct lb_ctl_psi_list *list,
                              uint8_t out[32])
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(lb_stmt_prepare(psi->runs, "SELECT key FROM memory", &stmt));
    LB_TRY(lb_stmt_step(stmt, &found));
    LB_ENSURE(found && lb_stmt_blob(stmt, 0).len == 32, LB_STORE_FAILED, "no key of the memory");
    lb_hmac_sha256(lb_stmt_blob(stmt, 0), list->joined, out);
    return LB_OK;
}

/* A run a day with a list that changes by one person would tell who that is. */
static lb_status check_pace(struct lb_ctl_psi *psi)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    bool found = false;
    int64_t now = lb_clock_unix_s(psi->node.env->clock);
    LB_TRY(lb_stmt_prepare(psi->runs, "SELECT max(started_unix_s) FROM run WHERE peer = ?1 AND"
                                      " agreement = ?2", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(lb_ctl_psi_peer(psi)->spiffe)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(psi->agreement->name)));
    LB_TRY(lb_stmt_step(stmt, &found));
    LB_ENSURE(!found || lb_stmt_type(stmt, 0) == LB_COL_NULL ||
                  now - lb_stmt_int(stmt, 0) >= psi->agreement->every_days * DAY_S,
              LB_PSI_REPEATED, "compared too lately");
    return LB_OK;
}

static lb_status check_same(const struct lb_ctl_psi *psi, const struct lb_ctl_psi_run *asked,
                            const struct lb_ctl_psi_run *known)
{
    bool same = strcmp(known->agreement, psi->agreement->name) == 0 && !known->ended;
    if (!psi->agreement->asks)
        same = same && memcmp(known->run, asked->run, sizeof(known->run)) == 0 &&
               memcmp(known->offer, asked->offer, sizeof(known->offer)) == 0;
    LB_ENSURE(same, LB_PSI_REPEATED, "this list was compared before");
    return LB_OK;
}

static lb_status begin(struct lb_ctl_psi *psi, struct lb_ctl_psi_run *run)
{
    LB_TRY(check_pace(psi));
    if (psi->agreement->asks)
        LB_TRY(lb_crypto_random(run->run, sizeof(run->run)));
    LB_TRY(lb_crypto_random(run->salt, sizeof(run->salt)));
    LB_TRY(lb_crypto_random(run->seed, sizeof(run->seed)));
    run->agreement = psi->agreement->name;
    run->peer = lb_ctl_psi_peer(psi)->spiffe;
    run->asks = psi->agreement->asks;
    run->started_unix_s = lb_clock_unix_s(psi->node.env->clock);
    return LB_OK;
}

lb_status lb_ctl_psi_runs_admit(struct lb_ctl_psi *psi, const struct lb_ctl_psi_list *list,
                                struct lb_ctl_psi_run *run)
{
    struct lb_ctl_psi_run known;
    bool found = false;
    LB_TRY(name_version(psi, list, run->version));
    LB_TRY(find_version(psi, run->version, &known, &found));
    if (found) {
        LB_TRY(check_same(psi, run, &known));
        *run = known;
        return LB_OK;
    }
    if (!psi->agreement->asks) {
        LB_TRY(find_id(psi, run->run, &known, &found));
        LB_ENSURE(!found, LB_PSI_REPEATED, "this run was answered with another list");
    }
    return begin(psi, run);
}

/* --- writing --- */

lb_status lb_ctl_psi_runs_keep(struct lb_ctl_psi *psi, const struct lb_ctl_psi_run *run)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    if (run->again)
        return LB_OK;
    LB_TRY(lb_stmt_prepare(psi->runs, "INSERT INTO run (" COLUMNS ") VALUES"
                                      " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(run->run, sizeof(run->run))));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(run->agreement)));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(run->peer)));
    LB_TRY(lb_stmt_bind_int(stmt, 4, run->asks));
    LB_TRY(lb_stmt_bind_blob(stmt, 5, lb_span_of(run->version, sizeof(run->version))));
    LB_TRY(lb_stmt_bind_blob(stmt, 6, lb_span_of(run->salt, sizeof(run->salt))));
    LB_TRY(lb_stmt_bind_blob(stmt, 7, lb_span_of(run->offer, sizeof(run->offer))));
    LB_TRY(lb_stmt_bind_blob(stmt, 8, lb_span_of(run->seed, sizeof(run->seed))));
    LB_TRY(lb_stmt_bind_int(stmt, 9, run->started_unix_s));
    LB_TRY(lb_stmt_bind_blob(stmt, 10, run->rows));
    return lb_stmt_run(stmt);
}

lb_status lb_ctl_psi_runs_find(struct lb_ctl_psi *psi, const uint8_t id[LB_PSI_RUN_BYTES],
                               struct lb_ctl_psi_run *out)
{
    bool found = false;
    struct lb_ctl_psi_run run;
    LB_TRY(find_id(psi, id, &run, &found));
    LB_ENSURE(found && run.asks && strcmp(run.peer, lb_ctl_psi_peer(psi)->spiffe) == 0 &&
                  strcmp(run.agreement, psi->agreement->name) == 0,
              LB_ABSENT, "no run of ours");
    LB_ENSURE(!run.ended, LB_PSI_REPEATED, "this run has ended");
    *out = run;
    return LB_OK;
}

lb_status lb_ctl_psi_runs_end(struct lb_ctl_psi *psi, const uint8_t id[LB_PSI_RUN_BYTES])
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(psi->runs, "UPDATE run SET seed = NULL, rows = NULL WHERE run = ?1",
                           &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(id, LB_PSI_RUN_BYTES)));
    LB_TRY(lb_stmt_run(stmt));
    return lb_store_checkpoint(psi->runs); /* the secrets are in the log of writes till then */
}

lb_status lb_ctl_psi_runs_each(struct lb_ctl_psi *psi,
                               lb_status (*tell)(void *arg, const struct lb_ctl_psi_run *run),
                               void *arg)
{
    LB_DEFER(free_stmt) struct lb_stmt *stmt = NULL;
    bool found = false;
    LB_TRY(lb_stmt_prepare(psi->runs, "SELECT " COLUMNS " FROM run ORDER BY started_unix_s, run",
                           &stmt));
    LB_TRY(lb_stmt_step(stmt, &found));
    while (found) {
        struct lb_ctl_psi_run run;
        LB_TRY(take_run(stmt, psi->arena, &run));
        LB_TRY(tell(arg, &run));
        LB_TRY(lb_stmt_step(stmt, &found));
    }
    return LB_OK;
}
