#include "gateway/base/limits.h"
#include "gateway/register/inside.h"

/* What people change; each change leaves a row about itself in the same transaction. */

static void stmt_freep(struct lb_stmt **stmt)
{
    lb_stmt_free(*stmt);
}

/* A badge and a unit end up in tokens and lists: printable, short, no control characters. */
static bool is_word(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > LB_MAX_NAME_BYTES)
        return false;
    for (const char *at = text; *at != 0; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return false;
    }
    return true;
}

static bool is_hash(const char *text)
{
    return strlen(text) == LB_REGISTER_HASH_CHARS &&
           strspn(text, "0123456789abcdef") == LB_REGISTER_HASH_CHARS;
}

static lb_status check_entry(const struct lb_register_entry *entry)
{
    LB_ENSURE(is_word(entry->badge) && is_word(entry->unit), LB_MALFORMED,
              "badge or unit is empty, too long or has blanks");
    LB_ENSURE(is_hash(entry->hash), LB_MALFORMED, "hash is not one");
    LB_ENSURE(entry->not_before >= 0 && entry->not_after > entry->not_before, LB_MALFORMED,
              "validity ends before it begins");
    LB_ENSURE(entry->num_relatives <= LB_REGISTER_MAX_RELATIVES, LB_MALFORMED,
              "too many relatives");
    for (size_t i = 0; i < entry->num_relatives; i++)
        LB_ENSURE(is_hash(entry->relatives[i]), LB_MALFORMED, "a relative's hash is not one");
    return LB_OK;
}

static lb_status add_change(struct lb_register *reg, const char *badge, const char *what,
                            const char *by, int64_t now_unix_s)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(
        reg->store, "INSERT INTO change (at, badge, what, who) VALUES (?1, ?2, ?3, ?4)", &stmt));
    LB_TRY(lb_stmt_bind_int(stmt, 1, now_unix_s));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(badge)));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(what)));
    LB_TRY(lb_stmt_bind_text(stmt, 4, lb_span_str(by)));
    return lb_stmt_run(stmt);
}

static lb_status check_room(struct lb_register *reg)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(reg->store, "SELECT count(*) FROM person", &stmt));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row && lb_stmt_int(stmt, 0) < LB_REGISTER_MAX_ENTRIES, LB_TOO_LARGE,
              "register is full");
    return LB_OK;
}

static lb_status insert_person(struct lb_register *reg, const struct lb_register_entry *entry)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(reg->store,
                           "INSERT INTO person (badge, unit, hash, device, not_before, not_after,"
                           " suspended) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
                           &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(entry->badge)));
    LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(entry->unit)));
    LB_TRY(lb_stmt_bind_text(stmt, 3, lb_span_str(entry->hash)));
    if (entry->has_device)
        LB_TRY(lb_stmt_bind_blob(stmt, 4, lb_span_of(entry->device, sizeof(entry->device))));
    LB_TRY(lb_stmt_bind_int(stmt, 5, entry->not_before));
    LB_TRY(lb_stmt_bind_int(stmt, 6, entry->not_after));
    return lb_stmt_run(stmt);
}

static lb_status insert_relatives(struct lb_register *reg, const struct lb_register_entry *entry)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(reg->store,
                           "INSERT OR IGNORE INTO relative (badge, hash) VALUES (?1, ?2)", &stmt));
    for (size_t i = 0; i < entry->num_relatives; i++) {
        LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(entry->badge)));
        LB_TRY(lb_stmt_bind_text(stmt, 2, lb_span_str(entry->relatives[i])));
        LB_TRY(lb_stmt_run(stmt));
    }
    return LB_OK;
}

static lb_status add(struct lb_register *reg, const struct lb_register_entry *entry,
                     const char *by, int64_t now_unix_s)
{
    LB_TRY(check_room(reg));
    LB_TRY(insert_person(reg, entry));
    LB_TRY(insert_relatives(reg, entry));
    return add_change(reg, entry->badge, "OPERATOR_ADDED", by, now_unix_s);
}

static lb_status end(struct lb_register *reg, lb_status status)
{
    if (status == LB_OK)
        status = lb_store_commit(reg->store);
    if (status != LB_OK)
        lb_store_rollback(reg->store);
    return status;
}

lb_status lb_register_add(struct lb_register *reg, const struct lb_register_entry *entry,
                          const char *by, int64_t now_unix_s)
{
    LB_TRY(check_entry(entry));
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status = lb_store_begin(reg->store);
    if (status == LB_OK)
        status = end(reg, add(reg, entry, by, now_unix_s));
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}

static lb_status is_known(struct lb_register *reg, const char *badge, bool *out_suspended)
{
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(reg->store, "SELECT suspended FROM person WHERE badge = ?1", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(badge)));
    LB_TRY(lb_stmt_step(stmt, &row));
    LB_ENSURE(row, LB_BADGE_UNKNOWN, "no such badge");
    *out_suspended = lb_stmt_int(stmt, 0) != 0;
    return LB_OK;
}

static lb_status set_suspended(struct lb_register *reg, const char *badge, bool suspended,
                               const char *by, int64_t now_unix_s)
{
    bool before = false;
    LB_TRY(is_known(reg, badge, &before));
    if (before == suspended)
        return LB_OK;
    LB_DEFER(stmt_freep) struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(reg->store, "UPDATE person SET suspended = ?2 WHERE badge = ?1", &stmt));
    LB_TRY(lb_stmt_bind_text(stmt, 1, lb_span_str(badge)));
    LB_TRY(lb_stmt_bind_int(stmt, 2, suspended ? 1 : 0));
    LB_TRY(lb_stmt_run(stmt));
    return add_change(reg, badge, suspended ? "OPERATOR_SUSPENDED" : "OPERATOR_RESUMED", by,
                      now_unix_s);
}

lb_status lb_register_suspend(struct lb_register *reg, const char *badge, bool suspended,
                              const char *by, int64_t now_unix_s)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status = lb_store_begin(reg->store);
    if (status == LB_OK)
        status = end(reg, set_suspended(reg, badge, suspended, by, now_unix_s));
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}

static lb_status note_token(struct lb_register *reg, const char *badge, const char *by,
                            int64_t now_unix_s)
{
    bool suspended = false;
    LB_TRY(is_known(reg, badge, &suspended));
    return add_change(reg, badge, "OPERATOR_TOKEN", by, now_unix_s);
}

lb_status lb_register_note_token(struct lb_register *reg, const char *badge, const char *by,
                                 int64_t now_unix_s)
{
    (void)pthread_mutex_lock(&reg->lock);
    lb_status status = lb_store_begin(reg->store);
    if (status == LB_OK)
        status = end(reg, note_token(reg, badge, by, now_unix_s));
    (void)pthread_mutex_unlock(&reg->lock);
    return status;
}
