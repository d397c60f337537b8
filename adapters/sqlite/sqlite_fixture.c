#include "adapters/sqlite/sqlite_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/store/store.h"

static const char schema[] =
    "CREATE TABLE wage(id_no TEXT, month TEXT, cents INTEGER);"
    "INSERT INTO wage VALUES('a', '2026-05', 100), ('a', '2026-06', 250), ('b', '2026-06', 7);"
    "CREATE TABLE odd(id_no TEXT, v);"
    "INSERT INTO odd VALUES('null', NULL), ('int', -9223372036854775807), ('real', 12.0),"
    " ('blob', x'00ff'), ('empty', ''), ('blanks', '   '), ('padded', '01   '),"
    " ('han', '张·伟'), ('utf', CAST(x'e5bcff' AS TEXT)), ('nul', CAST(x'610062' AS TEXT)),"
    " ('long', printf('%.*c', 512, 'x')), ('longer', printf('%.*c', 513, 'x'));"
    "CREATE TABLE many(id_no TEXT, v INTEGER);"
    "INSERT INTO many WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT 'm', i FROM n;";

/* A department's own database: an ordinary one, with a rollback journal. */
static void make_database(const char *path)
{
    const struct lb_store_options options = {.path = path, .create = true};
    struct lb_store *store = NULL;
    assert_true(lb_store_open(&options, &store) == LB_OK);
    assert_true(lb_store_exec(store, schema) == LB_OK);
    assert_true(lb_store_exec(store, "PRAGMA journal_mode=DELETE") == LB_OK);
    lb_store_close(store);
}

int fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/lb_sqlite_test_XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/d.db", fixture->folder);
    make_database(fixture->path);
    fixture->plugin = lb_source_sqlite();
    fixture->arena = lb_arena_new(LB_CALL_ARENA_BYTES);
    assert_non_null(fixture->arena);
    assert_true(fixture_open(fixture, fixture->path, &fixture->diag, &fixture->source) == LB_OK);
    *state = fixture;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    fixture->plugin->close(fixture->source);
    lb_arena_free(fixture->arena);
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

lb_status fixture_open(struct fixture *fixture, const char *location, struct lb_diag *diag,
                       struct lb_source **out)
{
    const struct lb_source_options options = {.location = location};
    return fixture->plugin->open(NULL, &options, diag, out);
}

lb_status fixture_try(struct fixture *fixture, const char *query, struct lb_diag *diag,
                      struct lb_source_stmt **out)
{
    const struct lb_source_query wanted = {.text = query};
    return fixture->plugin->prepare(fixture->source, &wanted, diag, out);
}

struct lb_source_stmt *fixture_prepare(struct fixture *fixture, const char *query)
{
    struct lb_source_stmt *stmt = NULL;
    if (fixture_try(fixture, query, &fixture->diag, &stmt) != LB_OK)
        fail_msg("%s", fixture->diag.text);
    return stmt;
}

enum lb_code fixture_read_within(struct fixture *fixture, struct lb_source_stmt *stmt,
                                const char *id_no, struct lb_source_limits limits,
                                struct lb_source_result *out)
{
    const struct lb_source_param params[] = {
        {"today", lb_span_str("2026-07-15")},
        {"id_no", lb_span_str(id_no)},
        {"this_month", lb_span_str("2026-07")},
        {"from_month", lb_span_str("2025-07")},
    };
    return lb_status_code(
        fixture->plugin->read(stmt, params, 4, &limits, fixture->arena, out));
}

enum lb_code fixture_read_as(struct fixture *fixture, struct lb_source_stmt *stmt,
                            const char *id_no, struct lb_source_result *out)
{
    return fixture_read_within(fixture, stmt, id_no, lb_source_all(4096, 5000), out);
}
