#include "gateway/audit/health.h"

#include "gateway/audit/inside.h"

#define UNCLOSED_GRACE_MS 60000

/* Runs a query over ?1 (first entry) and ?2 (a time) for its first `num` columns. */
static lb_status ask(struct lb_audit_index *index, const char *sql, uint64_t first, int64_t time_ms,
                     int64_t *out, int num)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(index->store, sql, &stmt));
    lb_status status = lb_stmt_bind_int(stmt, 1, (int64_t)first);
    if (status == LB_OK && lb_stmt_num_params(stmt) > 1)
        status = lb_stmt_bind_int(stmt, 2, time_ms);
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &row);
    for (int i = 0; i < num; i++)
        out[i] = status == LB_OK && row ? lb_stmt_int(stmt, i) : 0;
    lb_stmt_free(stmt);
    return status;
}

static lb_status count_kinds(struct lb_audit_index *index, uint64_t first,
                             struct lb_audit_health *out)
{
    int64_t counts[5];
    LB_TRY(ask(index,
               "SELECT sum(decision = 4), sum(decision = 3), sum(decision = 5), sum(detail = 3),"
               " sum(type = 12) FROM access WHERE idx >= ?1",
               first, 0, counts, 5));
    out->denials = (uint64_t)counts[0];
    out->emergencies = (uint64_t)counts[1];
    out->errors = (uint64_t)counts[2];
    out->broken = (uint64_t)counts[3];
    out->recoveries = (uint64_t)counts[4];
    return LB_OK;
}

/* While a node is stopped it writes nothing, and says so before and after. */
static lb_status find_gap(struct lb_audit_index *index, uint64_t first, struct lb_audit_health *out)
{
    int64_t gap[2];
    LB_TRY(ask(index,
               "SELECT gap, idx FROM (SELECT a.idx AS idx, a.code AS code,"
               " a.time_ms - lag(a.time_ms) OVER (ORDER BY a.idx) AS gap"
               " FROM access a WHERE a.idx >= ?1)"
               " WHERE gap > 0 AND coalesce(code, 0) <>"
               " coalesce((SELECT id FROM word WHERE text = 'STARTED'), -1)"
               " ORDER BY gap DESC LIMIT 1",
               first, 0, gap, 2));
    out->longest_gap_ms = gap[0];
    out->gap_index = (uint64_t)gap[1];
    return LB_OK;
}

static lb_status count_starts(struct lb_audit_index *index, uint64_t first,
                              struct lb_audit_health *out)
{
    int64_t starts[2];
    LB_TRY(ask(index,
               "SELECT count(*), sum(before.code IS NOT NULL AND before.code <>"
               " coalesce((SELECT id FROM word WHERE text = 'STOPPED'), -1))"
               " FROM access a LEFT JOIN access before ON before.idx = a.idx - 1"
               " WHERE a.type = 6 AND a.type > 4 AND a.idx >= ?1"
               " AND a.code = (SELECT id FROM word WHERE text = 'STARTED')",
               first, 0, starts, 2));
    out->restarts = (uint64_t)starts[0];
    out->unclean = (uint64_t)starts[1];
    return LB_OK;
}

lb_status lb_audit_health(struct lb_audit_index *index, int64_t since_ms, int64_t now_ms,
                          struct lb_audit_health *out)
{
    struct lb_audit_health health = {.unclosed = 0};
    uint64_t first = 0;
    int64_t unclosed = 0;
    LB_TRY(lb_audit_first_at(index, since_ms, &first));
    LB_TRY(count_kinds(index, first, &health));
    LB_TRY(find_gap(index, first, &health));
    LB_TRY(count_starts(index, first, &health));
    LB_TRY(ask(index,
               "SELECT count(*) FROM access r WHERE r.idx >= ?1 AND r.type = 2 AND r.time_ms < ?2"
               " AND (SELECT count(*) FROM access e WHERE e.txn = r.txn AND e.type IN (3, 4))"
               " < (SELECT count(*) FROM access s WHERE s.txn = r.txn AND s.type = 2)",
               first, now_ms - UNCLOSED_GRACE_MS, &unclosed, 1));
    health.unclosed = (uint64_t)unclosed;
    *out = health;
    return LB_OK;
}

/* --- what is due --- */

/* A person's time of keeping runs from the newest access, whatever officers look up meanwhile. */
#define NOT_SEEN_SINCE                                                                             \
    " AND NOT EXISTS (SELECT 1 FROM access AS later WHERE later.subject = a.subject"               \
    " AND later.time_ms >= ?2 AND later.detail = 1 AND later.type IN (1, 2, 3, 4, 5, 8, 14))"

static lb_status count_held(struct lb_audit_index *index, int64_t before_ms, const char *case_no,
                            uint64_t *total)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    LB_TRY(lb_stmt_prepare(index->store,
                           "SELECT count(*) FROM access AS a WHERE case_no = ?1 AND time_ms < ?2"
                           " AND detail = 1 AND subject IS NOT NULL" NOT_SEEN_SINCE,
                           &stmt));
    lb_status status = lb_stmt_bind_text(stmt, 1, lb_span_str(case_no));
    if (status == LB_OK)
        status = lb_stmt_bind_int(stmt, 2, before_ms);
    if (status == LB_OK)
        status = lb_stmt_step(stmt, &row);
    if (status == LB_OK && row)
        *total += (uint64_t)lb_stmt_int(stmt, 0);
    lb_stmt_free(stmt);
    return status;
}

lb_status lb_audit_due(struct lb_audit_index *index, int64_t before_ms, const char *const *held,
                       struct lb_audit_due *out)
{
    struct lb_audit_due due = {.entries = 0};
    uint64_t end = 0;
    int64_t counts[3];
    LB_TRY(lb_audit_first_at(index, before_ms, &end));
    LB_TRY(ask(index,
               "SELECT count(*), count(DISTINCT subject), min(time_ms) FROM access AS a"
               " WHERE idx < ?1 AND detail = 1 AND subject IS NOT NULL" NOT_SEEN_SINCE,
               end, before_ms, counts, 3));
    due.entries = (uint64_t)counts[0];
    due.subjects = (uint64_t)counts[1];
    due.oldest_ms = counts[2];
    for (; held != NULL && *held != NULL; held++)
        LB_TRY(count_held(index, before_ms, *held, &due.held_entries));
    *out = due;
    return LB_OK;
}
