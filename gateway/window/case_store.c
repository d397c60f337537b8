#include <stdlib.h>

#include "gateway/base/wipe.h"
#include "gateway/crypto/aead.h"
#include "gateway/crypto/hash.h"
#include "gateway/store/store.h"
#include "gateway/window/inside.h"

/*
 * Cases on disk: one row each, nonce || AES-256-GCM(case key, nonce, AAD = case id, JSON). A row
 * that is moved under another id does not open. One more row proves that the key is the one the
 * file was made with, so that a wrong key is told at start and not by the first case.
 */

#define APPLICATION_ID 0x4c42574eU /* "LBWN" */
#define BUSY_TIMEOUT_MS 5000U
#define PROOF_ID "lianban window cases v1"

static const char *const migrations[] = {
    "CREATE TABLE cases(id TEXT PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE proof(id INTEGER PRIMARY KEY CHECK(id = 1), sealed BLOB NOT NULL);",
    NULL,
};

const struct lb_store_schema lb_window_schema = {"cases.db", APPLICATION_ID, migrations};

struct lb_case_store {
    pthread_mutex_t lock;
    struct lb_store *store;
    struct lb_stmt *put;
    struct lb_stmt *erase;
    uint8_t key[32];
};

/* --- sealing --- */

static lb_status seal(const struct lb_case_store *store, const char *id, struct lb_span plain,
                      struct lb_arena *arena, struct lb_span *out_sealed)
{
    size_t size = LB_AEAD_NONCE_BYTES + plain.len + LB_AEAD_TAG_BYTES;
    uint8_t *sealed = lb_arena_alloc(arena, size);
    LB_ENSURE(sealed != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_crypto_random(sealed, LB_AEAD_NONCE_BYTES));
    LB_TRY(lb_aead_seal(lb_span_of(store->key, sizeof(store->key)), sealed, lb_span_str(id), plain,
                        sealed + LB_AEAD_NONCE_BYTES));
    *out_sealed = lb_span_of(sealed, size);
    return LB_OK;
}

static lb_status unseal(const struct lb_case_store *store, struct lb_span id, struct lb_span sealed,
                        struct lb_arena *arena, struct lb_span *out_plain)
{
    LB_ENSURE(sealed.len >= LB_AEAD_NONCE_BYTES + LB_AEAD_TAG_BYTES, LB_SEAL_BROKEN,
              "too short to be sealed");
    size_t len = sealed.len - LB_AEAD_NONCE_BYTES - LB_AEAD_TAG_BYTES;
    uint8_t *plain = lb_arena_alloc(arena, len);
    LB_ENSURE(plain != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_aead_open(lb_span_of(store->key, sizeof(store->key)), sealed.ptr, id,
                        lb_span_of(sealed.ptr + LB_AEAD_NONCE_BYTES,
                                   sealed.len - LB_AEAD_NONCE_BYTES),
                        plain));
    *out_plain = lb_span_of(plain, len);
    return LB_OK;
}

/* --- opening --- */

static lb_status make_proof(struct lb_case_store *store, struct lb_arena *arena)
{
    struct lb_stmt *insert = NULL;
    struct lb_span sealed;
    LB_TRY(seal(store, PROOF_ID, LB_SPAN_EMPTY, arena, &sealed));
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
        status = unseal(store, lb_span_str(PROOF_ID), lb_stmt_blob(select, 0), arena, &plain);
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
    LB_TRY(lb_stmt_prepare(store->store,
                           "INSERT INTO cases(id, sealed) VALUES(?1, ?2)"
                           " ON CONFLICT(id) DO UPDATE SET sealed = excluded.sealed",
                           &store->put));
    return lb_stmt_prepare(store->store, "DELETE FROM cases WHERE id = ?1", &store->erase);
}

lb_status lb_case_store_open(const char *path, const uint8_t key[32], struct lb_diag *diag,
                             struct lb_case_store **out_store)
{
    struct lb_case_store *store = calloc(1, sizeof(*store));
    LB_ENSURE(store != NULL, LB_NO_MEMORY, "case store");
    (void)pthread_mutex_init(&store->lock, NULL);
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
    lb_wipe(store, sizeof(*store));
    free(store);
}

/* --- writing --- */

static lb_status put_row(struct lb_stmt *put, const char *id, struct lb_span sealed)
{
    LB_TRY(lb_stmt_bind_text(put, 1, lb_span_str(id)));
    LB_TRY(lb_stmt_bind_blob(put, 2, sealed));
    return lb_stmt_run(put);
}

lb_status lb_case_store_put(struct lb_case_store *store, const struct lb_window_case *entry)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_span text, sealed;
    LB_TRY(lb_case_to_text(entry, arena, &text));
    LB_ENSURE(text.len <= LB_MAX_JSON_BYTES, LB_TOO_LARGE, "case is too large to be kept");
    LB_TRY(seal(store, entry->id, text, arena, &sealed));
    (void)pthread_mutex_lock(&store->lock);
    lb_status status = put_row(store->put, entry->id, sealed);
    lb_stmt_reset(store->put);
    (void)pthread_mutex_unlock(&store->lock);
    return status;
}

static lb_status erase_row(struct lb_case_store *store, const char *case_id)
{
    LB_TRY(lb_stmt_bind_text(store->erase, 1, lb_span_str(case_id)));
    LB_TRY(lb_stmt_run(store->erase));
    lb_stmt_reset(store->erase);
    /* What was there still stands in the log of earlier writes. */
    return lb_store_exec(store->store, "PRAGMA wal_checkpoint(TRUNCATE)");
}

lb_status lb_case_store_erase(struct lb_case_store *store, const char *case_id)
{
    (void)pthread_mutex_lock(&store->lock);
    lb_status status = erase_row(store, case_id);
    lb_stmt_reset(store->erase);
    (void)pthread_mutex_unlock(&store->lock);
    return status;
}

lb_status lb_case_store_tidy(struct lb_case_store *store)
{
    (void)pthread_mutex_lock(&store->lock);
    lb_status status = lb_store_exec(store->store, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)pthread_mutex_unlock(&store->lock);
    return status;
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
    return entry->decided ? lb_window_push_result(entry) : LB_OK;
}

static lb_status load_row(struct lb_case_store *store, struct lb_window *window,
                          const struct lb_stmt *select)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    LB_ENSURE(arena != NULL, LB_NO_MEMORY, "arena");
    struct lb_span id = lb_stmt_text(select, 0), text;
    LB_DEFER(lb_case_freep) struct lb_window_case *entry = NULL;
    lb_status status = unseal(store, id, lb_stmt_blob(select, 1), arena, &text);
    LB_ENSURE(lb_status_code(status) != LB_SEAL_BROKEN, LB_STORE_FAILED,
              "a stored case does not decrypt");
    LB_TRY(status);
    LB_TRY(lb_case_from_text(window, text, &entry));
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

lb_status lb_case_store_load(struct lb_case_store *store, struct lb_window *window,
                             struct lb_diag *diag)
{
    struct lb_stmt *select = NULL;
    LB_TRY(lb_stmt_prepare(store->store, "SELECT id, sealed FROM cases", &select));
    lb_status status = load_rows(store, window, select);
    lb_stmt_free(select);
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
