#include <string.h>
#include <strings.h>

#include "adapters/sqlite/inside.h"

/* What the database says of itself, for the person who writes views. */

#define MAX_LISTED 20000

static const char tables[] =
    "SELECT m.name, c.name, c.type, c.pk = 1 OR EXISTS (SELECT 1 FROM pragma_index_list(m.name) l"
    "  JOIN pragma_index_info(l.name) i WHERE i.seqno = 0 AND i.name = c.name)"
    " FROM sqlite_schema m, pragma_table_info(m.name) c"
    " WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid";

/* A step of the plan that looks a value up: "SEARCH wage USING INDEX wage_by_id (id_no=?)". */
static bool looks_up(struct lb_span step)
{
    static const char verb[] = "SEARCH ";
    return step.len > sizeof(verb) && memcmp(step.ptr, verb, sizeof(verb) - 1) == 0 &&
           memmem(step.ptr, step.len, "=?", 2) != NULL;
}

static lb_status read_plan(struct lb_stmt *plan, enum lb_source_lookup *out)
{
    bool more = false;
    *out = LB_SOURCE_LOOKUP_SCAN;
    LB_TRY(lb_stmt_step(plan, &more));
    while (more) {
        if (looks_up(lb_stmt_text(plan, 3)))
            *out = LB_SOURCE_LOOKUP_INDEX;
        LB_TRY(lb_stmt_step(plan, &more));
    }
    return LB_OK;
}

lb_status lb_sqlite_lookup(struct lb_source_stmt *stmt, enum lb_source_lookup *out_lookup)
{
    struct lb_source *source = stmt->source;
    struct lb_stmt *plan = NULL;
    enum lb_source_lookup lookup = LB_SOURCE_LOOKUP_UNKNOWN;
    const char *text = lb_arena_printf(source->arena, "EXPLAIN QUERY PLAN %s", stmt->text);
    LB_ENSURE(text != NULL, LB_NO_MEMORY, "arena full");
    LB_ENSURE(lb_stmt_prepare(source->store, text, &plan) == LB_OK, LB_SOURCE_UNAVAILABLE,
              "no plan");
    lb_status status = read_plan(plan, &lookup);
    lb_stmt_free(plan);
    LB_ENSURE(status == LB_OK, LB_SOURCE_UNAVAILABLE, "no plan");
    *out_lookup = lookup;
    return LB_OK;
}

static enum lb_source_want best(const char *type)
{
    if (strcasestr(type, "INT") != NULL)
        return LB_SOURCE_WANT_INT;
    if (strcasestr(type, "CHAR") != NULL || strcasestr(type, "TEXT") != NULL)
        return LB_SOURCE_WANT_TEXT;
    return strcasestr(type, "DATE") != NULL ? LB_SOURCE_WANT_DATE : LB_SOURCE_WANT_ANY;
}

static lb_status copy_listed(struct lb_stmt *stmt, struct lb_arena *arena,
                             struct lb_source_listed *out)
{
    out->schema = "";
    out->table = lb_arena_str(arena, lb_stmt_text(stmt, 0));
    out->column = lb_arena_str(arena, lb_stmt_text(stmt, 1));
    out->type = lb_arena_str(arena, lb_stmt_text(stmt, 2));
    LB_ENSURE(out->table != NULL && out->column != NULL && out->type != NULL, LB_NO_MEMORY,
              "arena full");
    out->want = best(out->type);
    out->indexed = lb_stmt_int(stmt, 3) != 0;
    return LB_OK;
}

static lb_status copy_all(struct lb_stmt *stmt, struct lb_arena *arena,
                          struct lb_source_listed *columns, size_t *out_num)
{
    bool more = false;
    size_t num = 0;
    LB_TRY(lb_stmt_step(stmt, &more));
    while (more && num < MAX_LISTED) {
        LB_TRY(copy_listed(stmt, arena, &columns[num++]));
        LB_TRY(lb_stmt_step(stmt, &more));
    }
    *out_num = num;
    return LB_OK;
}

lb_status lb_sqlite_catalog(struct lb_source *source, struct lb_arena *arena,
                            struct lb_source_catalog *out_catalog)
{
    struct lb_stmt *stmt = NULL;
    size_t num = 0;
    struct lb_source_listed *columns = lb_arena_array(arena, MAX_LISTED, sizeof(*columns));
    LB_ENSURE(columns != NULL, LB_NO_MEMORY, "arena full");
    LB_ENSURE(lb_stmt_prepare(source->store, tables, &stmt) == LB_OK, LB_SOURCE_UNAVAILABLE,
              "the schema can't be read");
    lb_status status = copy_all(stmt, arena, columns, &num);
    lb_stmt_free(stmt);
    LB_ENSURE(status == LB_OK || lb_status_code(status) == LB_NO_MEMORY, LB_SOURCE_UNAVAILABLE,
              "the schema can't be read");
    LB_TRY(status);
    *out_catalog = (struct lb_source_catalog){num, columns, "\""};
    return LB_OK;
}
