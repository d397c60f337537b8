#include "gateway/audit/totals.h"

#include "gateway/audit/where.h"

#define DAY_MS 86400000

#define WORD(column_) "(SELECT text FROM word WHERE id = a." column_ ")"
#define LOCAL "(a.time_ms + %lld)"

/* Grouping is by the column itself; the text is looked up once a group. */
struct key {
    const char *group;  /* may hold the zone once */
    const char *text;
};

static const struct key keys[LB_AUDIT_NUM_KEYS] = {
    [LB_AUDIT_BY_NONE] = {"1", "''"},
    [LB_AUDIT_BY_OPERATOR] = {"a.actor", WORD("actor")},
    [LB_AUDIT_BY_OFFICE] = {"a.org", WORD("org")},
    [LB_AUDIT_BY_UNIT] = {"a.unit", WORD("unit")},
    [LB_AUDIT_BY_PURPOSE] = {"a.purpose", WORD("purpose")},
    [LB_AUDIT_BY_BASIS] = {"a.basis", WORD("basis")},
    [LB_AUDIT_BY_CASE] = {"a.case_no", "a.case_no"},
    [LB_AUDIT_BY_CODE] = {"a.code", WORD("code")},
    [LB_AUDIT_BY_INNER] = {"a.inner", WORD("inner")},
    [LB_AUDIT_BY_CLASS] = {"a.class_max", "CAST(a.class_max AS TEXT)"},
    [LB_AUDIT_BY_VIEWS] = {"a.views", WORD("views")},
    [LB_AUDIT_BY_FORM] = {"a.form", WORD("form")},
    [LB_AUDIT_BY_DECISION] = {"a.decision", "CAST(a.decision AS TEXT)"},
    [LB_AUDIT_BY_DAY] = {LOCAL " / 86400000", "date(" LOCAL " / 1000, 'unixepoch')"},
    [LB_AUDIT_BY_HOUR] = {LOCAL " / 3600000 %% 24",
                          "strftime('%%H', " LOCAL " / 1000, 'unixepoch')"},
    [LB_AUDIT_BY_SUBJECT] = {"a.subject",
                             "(SELECT lower(hex(pseudonym)) FROM subject WHERE id = a.subject)"},
};

/* The texts above hold at most one number, the zone, and come from this file alone. */
static void put_key(struct lb_buf *out, const char *format, int64_t zone_ms)
{
    for (const char *at = format; *at != 0; at++) {
        if (strncmp(at, "%lld", 4) == 0) {
            lb_buf_printf(out, "%lld", (long long)zone_ms);
            at += 3;
        } else {
            at += at[0] == '%' ? 1 : 0;
            lb_buf_put_u8(out, (uint8_t)*at);
        }
    }
}

static void put_select(struct lb_audit_where *where, const struct lb_audit_totals_options *options)
{
    struct lb_buf *text = &where->text;
    lb_audit_where_begin(where, "SELECT ");
    put_key(text, keys[options->by].text, options->zone_ms);
    lb_buf_put_str(text, ", ");
    put_key(text, keys[options->by2].text, options->zone_ms);
    lb_buf_printf(text,
                  ", count(*), sum(a.count), sum(a.decision = 4), sum(a.decision = 3),"
                  " count(DISTINCT a.subject), count(DISTINCT (a.time_ms + %lld) / %d) AS days,"
                  " min(a.time_ms) AS first, max(a.time_ms), min(a.idx), max(a.idx),"
                  " max(a.class_max) FROM access a",
                  (long long)options->zone_ms, DAY_MS);
}

static void put_groups(struct lb_audit_where *where, const struct lb_audit_totals_options *options)
{
    struct lb_buf *text = &where->text;
    lb_buf_put_str(text, " GROUP BY ");
    put_key(text, keys[options->by].group, options->zone_ms);
    lb_buf_put_str(text, ", ");
    put_key(text, keys[options->by2].group, options->zone_ms);
    lb_buf_printf(text, " HAVING days >= %llu AND first >= %lld ORDER BY %s LIMIT %zu",
                  (unsigned long long)options->min_days, (long long)options->first_since_ms,
                  options->by_first ? "first DESC, 1, 2" : "count(*) DESC, 1, 2", options->limit);
}

static lb_status take(const struct lb_stmt *stmt, struct lb_arena *arena,
                      struct lb_audit_total *out)
{
    *out = (struct lb_audit_total){
        .key = lb_arena_str(arena, lb_stmt_text(stmt, 0)),
        .key2 = lb_arena_str(arena, lb_stmt_text(stmt, 1)),
        .rows = (uint64_t)lb_stmt_int(stmt, 2), .requests = (uint64_t)lb_stmt_int(stmt, 3),
        .denied = (uint64_t)lb_stmt_int(stmt, 4), .emergencies = (uint64_t)lb_stmt_int(stmt, 5),
        .subjects = (uint64_t)lb_stmt_int(stmt, 6), .days = (uint64_t)lb_stmt_int(stmt, 7),
        .first_ms = lb_stmt_int(stmt, 8), .last_ms = lb_stmt_int(stmt, 9),
        .first_index = (uint64_t)lb_stmt_int(stmt, 10),
        .last_index = (uint64_t)lb_stmt_int(stmt, 11), .class_max = (int)lb_stmt_int(stmt, 12),
    };
    LB_ENSURE(out->key != NULL && out->key2 != NULL, LB_NO_MEMORY, "arena is full");
    return LB_OK;
}

static lb_status collect(struct lb_stmt *stmt, size_t limit, struct lb_arena *arena,
                         struct lb_audit_total **out_totals, size_t *out_num)
{
    struct lb_audit_total *totals = lb_arena_array(arena, limit, sizeof(*totals));
    size_t num = 0;
    bool row = false;
    LB_ENSURE(totals != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_stmt_step(stmt, &row));
    while (row && num < limit) {
        LB_TRY(take(stmt, arena, &totals[num++]));
        LB_TRY(lb_stmt_step(stmt, &row));
    }
    *out_totals = totals;
    *out_num = num;
    return LB_OK;
}

lb_status lb_audit_totals(struct lb_audit_index *index,
                          const struct lb_audit_totals_options *options, struct lb_arena *arena,
                          struct lb_audit_total **out_totals, size_t *out_num)
{
    struct lb_audit_where where;
    struct lb_stmt *stmt = NULL;
    put_select(&where, options);
    lb_status status = lb_audit_where_filter(&where, index, options->filter);
    put_groups(&where, options);
    if (status == LB_OK)
        status = lb_audit_where_prepare(&where, index, &stmt);
    if (status == LB_OK)
        status = collect(stmt, options->limit, arena, out_totals, out_num);
    lb_stmt_free(stmt);
    lb_buf_cleanup(&where.text);
    return status;
}
