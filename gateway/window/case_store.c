#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/wipe.h"
#include "gateway/window/case_key.h"
#include "gateway/window/figures.h"
#include "gateway/window/inside.h"

/*
 * Cases on disk: one row each, sealed under the case's own key (case_key.h) with its id as AAD. One
 * more row proves that the agent's key is the one the file was made with, so that a wrong key is
 * told at start and not by the first case. The first version had cases under the agent's key
 * itself; such a row gets a key of its own when it is loaded.
 */

#define APPLICATION_ID 0x4c42574eU /* "LBWN" */
#define BUSY_TIMEOUT_MS 5000U
#define PROOF_ID "lianban window cases v1"

static const char *const migrations[] = {
    "CREATE TABLE cases(id TEXT PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE proof(id INTEGER PRIMARY KEY CHECK(id = 1), sealed BLOB NOT NULL);",
    /* What tells when to send which parcel, and nothing of its content, is not sealed. */
    "CREATE TABLE case_key(id TEXT PRIMARY KEY, wrapped BLOB NOT NULL);"
    "CREATE TABLE parcel(name BLOB PRIMARY KEY, case_id TEXT NOT NULL, about BLOB NOT NULL,"
    " open INTEGER NOT NULL, next_s INTEGER NOT NULL, rank INTEGER NOT NULL, sealed BLOB NOT NULL);"
    "CREATE INDEX parcel_case ON parcel(case_id);"
    "CREATE INDEX parcel_due ON parcel(open, next_s);"
    "CREATE TABLE word(sender TEXT NOT NULL, name BLOB NOT NULL, about BLOB NOT NULL,"
    " number INTEGER NOT NULL, case_id TEXT NOT NULL, entry INTEGER, sealed BLOB NOT NULL,"
    " PRIMARY KEY(sender, name), UNIQUE(about, number));"
    "CREATE INDEX word_case ON word(case_id);"
    "CREATE TABLE ended(id BLOB PRIMARY KEY, time_s INTEGER NOT NULL, commitment BLOB NOT NULL,"
    " entry INTEGER);"
    "CREATE INDEX ended_open ON ended(id) WHERE entry IS NULL;",
    LB_FIGURES_SQL,
    /* From here on cases are written as kept.proto has them; they were JSON before, which is read
     * on, but an older program can't read these. */
    "SELECT 1;",
    NULL,
};

const struct lb_store_schema lb_window_schema = {"cases.db", APPLICATION_ID, migrations};

/* --- opening --- */

static lb_status make_proof(struct lb_case_store *store, struct lb_arena *arena)
{
    struct lb_stmt *insert = NULL;
    struct lb_span sealed;
    LB_TRY(lb_case_seal(store->key, lb_span_str(PROOF_ID), LB_SPAN_EMPTY, arena, &sealed));
    LB_TRY(lb_stmt_prepare(store->store, "INSERT INTO proof(id, sealed) VALUES(1, ?1)", &insert));
    lb_status status = lb_stmt_bind_blob(insert, 1, sealed);
    if (status == LB_OK)
        status = lb_stmt_run(insert);
    lb_stmt_free(insert);
    return status;
}

static lb_status prove_key(struct lb_case_store *store, const char *path, struct lb_arena *arena,
                           struct lb_diag *diag)
{
    struct lb_stmt *select = NULL;
    struct lb_span plain;
    bool found = false;
    LB_TRY(lb_stmt_prepare(store->store, "SELECT sealed FROM proof", &select));
    lb_status status = lb_stmt_step(select, &found);
    if (status == LB_OK && found)
        status = lb_case_unseal(store->key, lb_span_str(PROOF_ID), lb_stmt_blob(select, 0), arena,
                                &plain);
    lb_stmt_free(select);
    if (lb_status_code(status) == LB_SEAL_BROKEN) {
        lb_diag_set(diag,
                    "%s: was made under another case key; give the key it was made with, or "
                    "move the file away to begin anew",
                    path);
        LB_FAIL(LB_CONFIG_INVALID, "wrong case key");
    }
    if (status == LB_OK && !found)
        status = make_proof(store, arena);
    return status;
}

static lb_status open_file(struct lb_case_store *store, const char *path, struct lb_diag *diag)
{
    const struct lb_store_options options = {
        .path = path,
        .migrations = migrations,
        .application_id = APPLICATION_ID,
        .create = true,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
        .own_syncs = true,
        .keep_statements = true,
    };
    lb_status status = lb_store_open(&options, &store->store);
    if (status != LB_OK) {
        lb_diag_set(diag, "%s: %s", path,
                    status->code == LB_VERSION_UNSUPPORTED
                        ? "a newer version wrote it; start that version"
                        : lb_code_text_en(status->code));
        return status;
    }
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(64 * 1024);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    LB_TRY(prove_key(store, path, arena, diag));
    return lb_stmt_prepare(store->store,
                           "INSERT INTO cases(id, sealed) VALUES(?1, ?2)"
                           " ON CONFLICT(id) DO UPDATE SET sealed = excluded.sealed",
                           &store->put);
}

lb_status lb_case_store_open(const char *path, const uint8_t key[32], struct lb_diag *diag,
                             struct lb_case_store **out_store)
{
    struct lb_case_store *store = calloc(1, sizeof(*store));
    LB_ENSURE(store != NULL, LB_NO_MEMORY, "case store");
    (void)pthread_mutex_init(&store->lock, NULL);
    (void)pthread_mutex_init(&store->syncing, NULL);
    memcpy(store->key, key, sizeof(store->key));
    lb_status status = open_file(store, path, diag);
    if (status != LB_OK) {
        lb_case_store_close(store);
        return status;
    }
    *out_store = store;
    return LB_OK;
}

void lb_case_store_close(struct lb_case_store *store)
{
    if (store == NULL)
        return;
    lb_store_close(store->store);
    (void)pthread_mutex_destroy(&store->lock);
    (void)pthread_mutex_destroy(&store->syncing);
    lb_wipe(store, sizeof(*store));
    free(store);
}

/* --- writing --- */

/* A case gets its key with its first row. */
static lb_status put_row(struct lb_case_store *store, const char *id, struct lb_span plain,
                         struct lb_arena *arena)
{
    uint8_t key[LB_CASE_KEY_BYTES];
    struct lb_span sealed;
    lb_status status = lb_case_key_get(store, id, key);
    if (lb_status_code(status) == LB_ABSENT)
        status = lb_case_key_make(store, id, key);
    if (status == LB_OK)
        status = lb_case_seal(key, lb_span_str(id), plain, arena, &sealed);
    lb_wipe(key, sizeof(key));
    LB_TRY(status);
    LB_TRY(lb_stmt_bind_text(store->put, 1, lb_span_str(id)));
    LB_TRY(lb_stmt_bind_blob(store->put, 2, sealed));
    return lb_stmt_run(store->put);
}

static lb_status put(struct lb_case_store *store, const char *id, struct lb_span plain,
                     struct lb_arena *arena)
{
    LB_TRY(lb_store_begin(store->store));
    lb_status status = put_row(store, id, plain, arena);
    lb_stmt_reset(store->put);
    if (status == LB_OK)
        status = lb_store_commit(store->store);
    if (status != LB_OK)
        lb_store_rollback(store->store);
    return status;
}

lb_status lb_case_store_put(struct lb_case_store *store, struct lb_window_case *entry)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_span plain;
    LB_TRY(lb_case_write(entry, arena, &plain));
    lb_case_store_enter(store);
    LB_TRY(lb_case_store_leave(store, put(store, entry->id, plain, arena)));
    entry->unkept = false;
    entry->behind = false;
    entry->puts++;
    return LB_OK;
}

lb_status lb_case_store_erase(struct lb_case_store *store, const char *case_id, int64_t now_s,
                              const struct lb_case_figures *figures)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, lb_case_key_destroy(store, case_id, now_s, figures));
}

lb_status lb_case_store_figures(struct lb_case_store *store, const char *month,
                                struct lb_arena *arena, struct lb_figures_row **out_rows,
                                size_t *out_num)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, lb_figures_read(store->store, month, arena, out_rows,
                                                      out_num));
}

lb_status lb_case_store_tidy(struct lb_case_store *store)
{
    lb_case_store_enter(store);
    return lb_case_store_leave(store, lb_case_wal_empty(store));
}

/* --- reading --- */

/* The fact that came next after `order`; false when there is none. */
static bool next_fact(const struct lb_window_case *entry, uint64_t order, size_t *out_member,
                      size_t *out_fact)
{
    const size_t num_facts = entry->form->form->num_facts;
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < entry->num_members * num_facts; i++) {
        uint64_t at = entry->members[i / num_facts].facts[i % num_facts].order;
        if (at > order && at < best) {
            best = at;
            *out_member = i / num_facts;
            *out_fact = i % num_facts;
        }
    }
    return best != UINT64_MAX;
}

/* Facts in the order they came, then the result: what a listener gets of a case from before. */
static lb_status replay(struct lb_window_case *entry)
{
    uint64_t order = 0;
    size_t member = 0, fact = 0;
    while (next_fact(entry, order, &member, &fact)) {
        LB_TRY(lb_window_push_fact(entry, member, fact));
        order = entry->members[member].facts[fact].order;
    }
    /* What is pending comes first (lb_case_catch_up). */
    bool stands = entry->decided && entry->records.pending == NULL;
    return stands ? lb_window_push_result(entry) : LB_OK;
}

static lb_status open_row(struct lb_case_store *store, struct lb_span id, struct lb_span sealed,
                          struct lb_arena *arena, struct lb_span *out_plain)
{
    uint8_t key[LB_CASE_KEY_BYTES];
    const char *case_id = lb_arena_str(arena, id);
    LB_ENSURE(case_id != NULL, LB_STORE_FAILED, "a case's id is damaged");
    lb_status status = lb_case_key_get(store, case_id, key);
    if (lb_status_code(status) == LB_ABSENT)
        return lb_case_unseal(store->key, id, sealed, arena, out_plain);
    if (status == LB_OK)
        status = lb_case_unseal(key, id, sealed, arena, out_plain);
    lb_wipe(key, sizeof(key));
    return status;
}

static lb_status load_row(struct lb_case_store *store, struct lb_window *window,
                          const struct lb_stmt *select)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_span id = lb_stmt_text(select, 0), plain;
    LB_DEFER(lb_case_freep) struct lb_window_case *entry = NULL;
    lb_status status = open_row(store, id, lb_stmt_blob(select, 1), arena, &plain);
    LB_ENSURE(lb_status_code(status) != LB_SEAL_BROKEN, LB_STORE_FAILED,
              "a stored case does not decrypt");
    LB_TRY(status);
    LB_TRY(lb_case_read(window, plain, arena, &entry));
    LB_ENSURE(lb_span_is(id, entry->id), LB_STORE_FAILED, "a case under another id");
    LB_TRY(replay(entry));
    LB_TRY(lb_window_add(window, entry));
    entry = NULL;
    return LB_OK;
}

static lb_status load_rows(struct lb_case_store *store, struct lb_window *window,
                           struct lb_stmt *select)
{
    bool row = false;
    LB_TRY(lb_stmt_step(select, &row));
    while (row) {
        LB_TRY(load_row(store, window, select));
        LB_TRY(lb_stmt_step(select, &row));
    }
    return LB_OK;
}

/* The id of a case that has no key yet; false when all have. */
static lb_status find_keyless(struct lb_case_store *store, char out_id[LB_CASE_ID_BYTES],
                              bool *out_found)
{
    struct lb_stmt *select = NULL;
    LB_TRY(lb_stmt_prepare(store->store,
                           "SELECT id FROM cases WHERE id NOT IN (SELECT id FROM case_key) LIMIT 1",
                           &select));
    lb_status status = lb_stmt_step(select, out_found);
    struct lb_span id = lb_stmt_text(select, 0);
    if (status == LB_OK && *out_found && id.len < LB_CASE_ID_BYTES)
        (void)snprintf(out_id, LB_CASE_ID_BYTES, "%.*s", (int)id.len, (const char *)id.ptr);
    lb_stmt_free(select);
    return status;
}

/* Cases of the first version get keys of their own; what lay under the agent's is overwritten. */
static lb_status give_keys(struct lb_case_store *store, struct lb_window *window)
{
    char id[LB_CASE_ID_BYTES] = "";
    bool found = false, any = false;
    LB_TRY(find_keyless(store, id, &found));
    while (found) {
        LB_DEFER(lb_window_let_go) struct lb_window_case *entry = NULL;
        LB_TRY(lb_window_hold(window, id, &entry));
        LB_TRY(lb_case_store_put(store, entry));
        any = true;
        LB_TRY(find_keyless(store, id, &found));
    }
    return any ? lb_case_store_tidy(store) : LB_OK;
}

lb_status lb_case_store_load(struct lb_case_store *store, struct lb_window *window,
                             struct lb_diag *diag)
{
    struct lb_stmt *select = NULL;
    LB_TRY(lb_stmt_prepare(store->store, "SELECT id, sealed FROM cases", &select));
    lb_status status = load_rows(store, window, select);
    lb_stmt_free(select);
    if (status == LB_OK)
        status = give_keys(store, window);
    if (lb_status_code(status) == LB_FORM_UNKNOWN)
        lb_diag_set(diag,
                    "%s: holds cases of a form that is not configured; keep the old form's "
                    "file beside the new one until its cases are closed",
                    window->options.store_path);
    else if (status != LB_OK)
        lb_diag_set(diag, "%s: a stored case cannot be read (%s); restore the file from a backup",
                    window->options.store_path, lb_code_name(lb_status_code(status)));
    return status;
}
