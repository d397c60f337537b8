#include "gateway/base/limits.h"
#include "gateway/register/inside.h"

/* Reading the register. */

#define COLUMNS "badge, unit, hash, device, not_before, not_after, suspended"

static void stmt_freep(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

static lb_status read_entry(const struct lb_stmt *stmt, struct lb_arena *arena,
                            struct lb_register_entry *out)
{
    struct lb_register_entry entry = {
        .badge = lb_arena_str(arena, lb_stmt_text(stmt, 0)),
        .unit = lb_arena_str(arena, lb_stmt_text(stmt, 1)),
        .not_before = lb_stmt_int(stmt, 4),
        .not_after = lb_stmt_int(stmt, 5),
        .suspended = lb_stmt_int(stmt, 6) != 0,
    };
    struct lb_span hash = lb_stmt_text(stmt, 2), device = lb_stmt_blob(stmt, 3);
    LB_ENSURE(entry.badge != NULL && entry.unit != NULL, LB_NO_MEMORY, "arena is full");
    LB_ENSURE(hash.len == LB_REGISTER_HASH_CHARS, LB_STORE_FAILED, "a hash has another length");
    memcpy(entry.hash, hash.ptr, LB_REGISTER_HASH_CHARS);
    entry.has_device = lb_stmt_type(stmt, 3) != LB_COL_NULL;
    LB_ENSURE(!entry.has_device || device.len == sizeof(entry.device), LB_STORE_FAILED,
              "a device key has another length");
    if (entry.has_device)
        memcpy(entry.device, device.ptr, sizeof(entry.device));
    *out = entry;
    return LB_OK;
}

static lb_status read_relatives(struct lb_register *reg, struct lb_arena *arena,
                                struct lb_register_entry *entry)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    bool row = false;
    const char **list = lb_arena_array(arena, LB_REGISTER_MAX_RELATIVES, sizeof(*list));
    LB_ENSURE(list != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_stmt_prepare(reg->store,
                           "SELECT hash FROM relative WHERE badge = ?1 ORDER BY hash", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(entry->badge)));
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row && entry->num_relatives < LB_REGISTER_MAX_RELATIVES) {
        char *hash = lb_arena_str(arena, lb_stmt_text(stmt, 0));
        LB_ENSURE(hash != NULL, LB_NO_MEMORY, "arena is full");
        list[entry->num_relatives++] = hash;
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    entry->relatives = list;
    return LB_OK;
}

static lb_status find(struct lb_register *reg, const char *sql, const char *key,
                      struct lb_arena *arena, struct lb_register_entry *out)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    struct lb_register_entry entry;
    bool row = false;
    LB_TRY(lb_stmt_prepare(reg->store, sql, &stmt));
    lb_status bound = lb_stmt_bind_text(stmt, 1, lb_span_str(key));
    LB_ENSURE(lb_status_code(bound) != LB_MALFORMED, LB_BADGE_UNKNOWN, "no such badge");
    LB_TRY(bound);
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_BADGE_UNKNOWN, "no such badge");
    LB_TRY(read_entry(stmt, arena, &entry));
    LB_TRY(read_relatives(reg, arena, &entry));
    *out = entry;
    return LB_OK;
}

lb_status lb_register_find(struct lb_register *reg, const char *badge, struct lb_arena *arena,
                           struct lb_register_entry *out)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status =
        find(reg, "SELECT " COLUMNS " FROM person WHERE badge = ?1", badge, arena, out);
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}

lb_status lb_register_find_hash(struct lb_register *reg, const char *hash, struct lb_arena *arena,
                                struct lb_register_entry *out)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status =
        find(reg, "SELECT " COLUMNS " FROM person WHERE hash = ?1", hash, arena, out);
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}

static lb_status list(struct lb_register *reg, struct lb_arena *arena,
                      struct lb_register_entry **out_entries, size_t *out_num)
{
    struct lb_register_entry *entries =
        lb_arena_array(arena, LB_REGISTER_MAX_ENTRIES, sizeof(*entries));
    LB_ENSURE(entries != NULL, LB_NO_MEMORY, "arena is full");
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    size_t num = 0;
    bool row = false;
    LB_TRY(lb_stmt_prepare(reg->store, "SELECT " COLUMNS " FROM person ORDER BY badge", &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row && num < LB_REGISTER_MAX_ENTRIES) {
        LB_TRY(read_entry(stmt, arena, &entries[num++]));
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    *out_entries = entries;
    *out_num = num;
    return LB_OK;
}

lb_status lb_register_list(struct lb_register *reg, struct lb_arena *arena,
                           struct lb_register_entry **out_entries, size_t *out_num)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status = list(reg, arena, out_entries, out_num);
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}

/* --- what is not in the evidence log yet --- */

static lb_status read_change(const struct lb_stmt *stmt, struct lb_arena *arena,
                             struct lb_register_change *out)
{
    out->seq = lb_stmt_int(stmt, 0);
    out->at_unix_s = lb_stmt_int(stmt, 1);
    out->badge = lb_arena_str(arena, lb_stmt_text(stmt, 2));
    out->what = lb_arena_str(arena, lb_stmt_text(stmt, 3));
    out->by = lb_arena_str(arena, lb_stmt_text(stmt, 4));
    LB_ENSURE(out->badge != NULL && out->what != NULL && out->by != NULL, LB_NO_MEMORY,
              "arena is full");
    return LB_OK;
}

static lb_status pending(struct lb_register *reg, struct lb_arena *arena,
                         struct lb_register_change **out_changes, size_t *out_num)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    struct lb_register_change *changes = NULL;
    size_t num = 0;
    bool row = false;
    LB_TRY(lb_stmt_prepare(reg->store,
                           "SELECT seq, at, badge, what, who FROM change WHERE evidence IS NULL"
                           " ORDER BY seq LIMIT 64",
                           &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    if (row) {
        changes = lb_arena_array(arena, LB_REGISTER_PENDING, sizeof(*changes));
        LB_ENSURE(changes != NULL, LB_NO_MEMORY, "arena is full");
    }
    while (row && num < LB_REGISTER_PENDING) {
        LB_TRY(read_change(stmt, arena, &changes[num++]));
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    *out_changes = changes;
    *out_num = num;
    return LB_OK;
}

lb_status lb_register_pending(struct lb_register *reg, struct lb_arena *arena,
                              struct lb_register_change **out_changes, size_t *out_num)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status = pending(reg, arena, out_changes, out_num);
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}

static lb_status evidenced(struct lb_register *reg, int64_t seq, uint64_t index)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(
        reg->store, "UPDATE change SET evidence = ?2 WHERE seq = ?1 AND evidence IS NULL", &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, seq));
    LB_TRY(lb_stmt_bind_int(stmt, 2, (int64_t)index));
    return lb_stmt_run(stmt);
}

lb_status lb_register_evidenced(struct lb_register *reg, int64_t seq, uint64_t index)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status = evidenced(reg, seq, index);
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}
