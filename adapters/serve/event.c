#include "adapters/serve/event.h"

#include <string.h>

#include "gateway/base/limits.h"
#include "gateway/crypto/hash.h"

enum statement { BEGIN, FIND, PURGE, NUM_STATEMENTS };

/* The row is written whoever holds it: time must not tell whether there was one. */
static const char *const sql[NUM_STATEMENTS] = {
    [BEGIN] = ("INSERT INTO event(id, rid, ends) VALUES(?1, ?2, ?3) ON CONFLICT(id) DO UPDATE SET"
               " rid = iif(ends <= ?4, excluded.rid, rid),"
               " ends = iif(ends <= ?4, excluded.ends, ends)"),
    [FIND] = "SELECT rid, ends FROM event WHERE id = ?1",
    [PURGE] = "DELETE FROM event WHERE ends < ?1",
};

void lb_serve_events_init(struct lb_serve_events *events)
{
    *events = (struct lb_serve_events){.sql = {.texts = sql, .num = NUM_STATEMENTS}};
}

struct taking {
    struct lb_serve_events *events;
    struct lb_store *store;
    int64_t now;
    const struct lb_event_use *use;
};

static void name_grant(const struct lb_event_use *use, uint8_t out[LB_SHA256_BYTES])
{
    const struct lb_span parts[] = {lb_span_str("lianban event grant v1"), lb_span_of("", 1),
                                    lb_span_of(use->grant_id, 32)};
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

/* Names are ended by a NUL, pseudonyms have one length. */
static void name_person(const struct lb_event_use *use, const uint8_t name[32],
                        uint8_t out[LB_SHA256_BYTES])
{
    const struct lb_span end = lb_span_of("", 1);
    const struct lb_span parts[] = {
        lb_span_str("lianban event person v1"), end, lb_span_str(use->requester), end,
        lb_span_str(use->trigger),              end, lb_span_of(name, 32),
    };
    lb_sha256_parts(parts, sizeof(parts) / sizeof(parts[0]), out);
}

/* Whether nobody but this rid holds an interval now. */
static lb_status is_free(const struct taking *taking, const uint8_t id[LB_SHA256_BYTES],
                         bool *out_free)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_serve_sql_get(&taking->events->sql, taking->store, FIND, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(id, LB_SHA256_BYTES)));
    LB_TRY(lb_stmt_step(stmt, &row));
    bool own = row && lb_span_eq(lb_stmt_blob(stmt, 0), lb_span_of(taking->use->rid_id, 32));
    *out_free = !row || own || lb_stmt_int(stmt, 1) <= taking->now;
    lb_stmt_reset(stmt);
    return LB_OK;
}

/* Leaves an interval that is not over as it is. */
static lb_status begin(const struct taking *taking, const uint8_t id[LB_SHA256_BYTES],
                       int64_t days)
{
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_serve_sql_get(&taking->events->sql, taking->store, BEGIN, &stmt));
    LB_TRY(lb_stmt_bind_blob(stmt, 1, lb_span_of(id, LB_SHA256_BYTES)));
    LB_TRY(lb_stmt_bind_blob(stmt, 2, lb_span_of(taking->use->rid_id, 32)));
    LB_TRY(lb_stmt_bind_int(stmt, 3, taking->now + days * LB_DAY_S));
    LB_TRY(lb_stmt_bind_int(stmt, 4, taking->now));
    return lb_stmt_run(stmt);
}

static lb_status take_grant(const struct taking *taking)
{
    uint8_t id[LB_SHA256_BYTES];
    bool free = false;
    name_grant(taking->use, id);
    LB_TRY(is_free(taking, id, &free));
    LB_ENSURE(free, LB_EVENT_TOO_SOON, "the grant's interval is not over");
    return begin(taking, id, taking->use->days);
}

/* Under each epoch's name; a new interval is written under the newest one's, and for who is refused
 * one that is over at once. */
static lb_status take_person(const struct taking *taking)
{
    const struct lb_epoch_names *names = taking->use->names;
    uint8_t id[LB_SHA256_BYTES];
    bool all_free = true;
    for (size_t i = 0; i < names->num; i++) {
        bool free = false;
        name_person(taking->use, names->names[i], id);
        LB_TRY(is_free(taking, id, &free));
        all_free = all_free && free;
    }
    name_person(taking->use, names->names[0], id);
    LB_TRY(begin(taking, id, all_free ? taking->use->days : 0));
    LB_ENSURE(all_free, LB_EVENT_ASKED, "the person's interval is not over");
    return LB_OK;
}

/* Once a minute at most: forgetting must not cost every read. */
static lb_status purge(struct lb_serve_events *events, struct lb_store *store, int64_t now)
{
    if (now < events->next_purge_unix_s)
        return LB_OK;
    events->next_purge_unix_s = now + 60;
    return lb_serve_sql_run(&events->sql, store, PURGE, now);
}

lb_status lb_serve_events_take(struct lb_serve_events *events, struct lb_store *store,
                               int64_t now_unix_s, const struct lb_event_use *use)
{
    const struct taking taking = {events, store, now_unix_s, use};
    LB_TRY(purge(events, store, now_unix_s));
    LB_TRY(take_grant(&taking));
    return take_person(&taking);
}
