#include "certs/pki_index.h"

#define APPLICATION_ID 0x4c424341U /* "LBCA" */
#define BUSY_TIMEOUT_MS 5000
#define MAX_ENTRIES 100000

static const char *const migrations[] = {
    "CREATE TABLE issued ("
    "  seq INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  serial TEXT NOT NULL UNIQUE,"
    "  spiffe TEXT NOT NULL,"
    "  names TEXT NOT NULL,"
    "  not_before INTEGER NOT NULL,"
    "  not_after INTEGER NOT NULL,"
    "  revoked INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE crl ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  number INTEGER NOT NULL,"
    "  this_update INTEGER NOT NULL,"
    "  next_update INTEGER NOT NULL);",
    NULL,
};

static void stmt_freep(struct lb_stmt **stmt)
{
    if (*stmt != NULL)
        lb_stmt_free(*stmt);
}

lb_status lb_pki_index_open(const char *path, bool create, struct lb_store **out_store)
{
    const struct lb_store_options options = {
        .path = path,
        .migrations = migrations,
        .application_id = APPLICATION_ID,
        .create = create,
        .busy_timeout_ms = BUSY_TIMEOUT_MS,
    };
    return lb_store_open(&options, out_store);
}

lb_status lb_pki_index_add(struct lb_store *store, const struct lb_pki_entry *entry)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "INSERT INTO issued (serial, spiffe, names, not_before, not_after)"
                           " VALUES (?1, ?2, ?3, ?4, ?5)",
                           &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(entry->serial_hex)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(entry->spiffe)));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(entry->names)));
    LB_TRY(lb_stmt_bind_int(stmt, 4, entry->not_before_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 5, entry->not_after_unix_s));
    return lb_stmt_run(stmt);
}

#define ENTRY_COLUMNS "serial, spiffe, names, not_before, not_after, revoked"

static lb_status read_entry(const struct lb_stmt *stmt, struct lb_arena *arena,
                            struct lb_pki_entry *out)
{
    out->serial_hex = lb_arena_str(arena, lb_stmt_text(stmt, 0));
    out->spiffe = lb_arena_str(arena, lb_stmt_text(stmt, 1));
    out->names = lb_arena_str(arena, lb_stmt_text(stmt, 2));
    out->not_before_unix_s = lb_stmt_int(stmt, 3);
    out->not_after_unix_s = lb_stmt_int(stmt, 4);
    out->revoked_unix_s = lb_stmt_int(stmt, 5);
    LB_ENSURE(out->serial_hex != NULL && out->spiffe != NULL && out->names != NULL, LB_NO_MEMORY,
              "arena is full");
    return LB_OK;
}

lb_status lb_pki_index_find(struct lb_store *store, const char *serial_hex,
                            struct lb_arena *arena, struct lb_pki_entry *out_entry)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT " ENTRY_COLUMNS " FROM issued WHERE serial = ?1", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(serial_hex)));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_ABSENT, "no such serial number");
    struct lb_pki_entry entry;
    LB_TRY(read_entry(stmt, arena, &entry));
    *out_entry = entry;
    return LB_OK;
}

static lb_status count_issued(struct lb_store *store, size_t *out_num)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT count(*) FROM issued", &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row && lb_stmt_int(stmt, 0) <= MAX_ENTRIES, LB_TOO_LARGE, "index is too large");
    *out_num = (size_t)lb_stmt_int(stmt, 0);
    return LB_OK;
}

lb_status lb_pki_index_list(struct lb_store *store, bool revoked_only, struct lb_arena *arena,
                            struct lb_pki_entry **out_entries, size_t *out_num)
{
    size_t max = 0;
    LB_TRY(count_issued(store, &max));
    struct lb_pki_entry *entries = lb_arena_array(arena, max, sizeof(*entries));
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(
        store, "SELECT " ENTRY_COLUMNS " FROM issued WHERE revoked > 0 OR ?1 = 0 ORDER BY seq",
        &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, revoked_only ? 1 : 0));
    size_t num = 0;
    bool row = false;
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row && num < max) {
        LB_TRY(read_entry(stmt, arena, &entries[num++]));
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    *out_entries = entries;
    *out_num = num;
    return LB_OK;
}

lb_status lb_pki_index_revoke(struct lb_store *store, const char *serial_hex, int64_t now_unix_s,
                              bool *out_new)
{
    LB_DEFER(stmt_freep) struct lb_stmt *find = NULL;
    LB_DEFER(stmt_freep) struct lb_stmt *mark = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT revoked FROM issued WHERE serial = ?1", &find));
    LB_TRY(lb_stmt_bind_text(find, 1, lb_span_str(serial_hex)));
    LB_TRY(lb_stmt_step(find, &row));
    LB_ENSURE(row, LB_ABSENT, "no such serial number");
    bool is_new = lb_stmt_int(find, 0) == 0;
    lb_stmt_reset(find);
    LB_TRY(lb_stmt_prepare(
        store, "UPDATE issued SET revoked = ?2 WHERE serial = ?1 AND revoked = 0", &mark));
    LB_TRY(lb_stmt_bind_text(mark, 1, lb_span_str(serial_hex)));
    LB_TRY(lb_stmt_bind_int(mark, 2, now_unix_s));
    LB_TRY(lb_stmt_run(mark));
    *out_new = is_new;
    return LB_OK;
}

lb_status lb_pki_index_crl(struct lb_store *store, struct lb_pki_crl *out_crl)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    struct lb_pki_crl crl = {0};
    bool row = false;
    LB_TRY(lb_stmt_prepare(store, "SELECT number, this_update, next_update FROM crl", &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    if (row) {
        crl.number = (uint64_t)lb_stmt_int(stmt, 0);
        crl.this_update_unix_s = lb_stmt_int(stmt, 1);
        crl.next_update_unix_s = lb_stmt_int(stmt, 2);
    }
    *out_crl = crl;
    return LB_OK;
}

/* The number is taken before the list is signed: after a crash in between one number is never seen,
 * but no two lists carry the same. */
lb_status lb_pki_index_next_crl(struct lb_store *store, struct lb_pki_crl *crl)
{
    struct lb_pki_crl last;
    LB_TRY(lb_pki_index_crl(store, &last));
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store,
                           "INSERT OR REPLACE INTO crl (one, number, this_update, next_update)"
                           " VALUES (1, ?1, ?2, ?3)",
                           &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, (int64_t)last.number + 1));
    LB_TRY(lb_stmt_bind_int(stmt, 2, crl->this_update_unix_s));
    LB_TRY(lb_stmt_bind_int(stmt, 3, crl->next_update_unix_s));
    LB_TRY(lb_stmt_run(stmt));
    crl->number = last.number + 1;
    return LB_OK;
}
