#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/audit/review.h"
#include "gateway/base/file.h"
#include "gateway/base/hex.h"
#include "gateway/crypto/hash.h"
#include "gateway/mains/stores.h"
#include "gateway/register/register.h"

/*
 * Stores that earlier versions have left: tests/frozen/stores/<kind>.sql, a dump of each kind as
 * version 0.1.0 wrote it. Whatever today's programs know, they bring each forward, keep every row,
 * and come to the same tables as a store that begins today. And the steps that ever were stay what
 * they were: `steps` has the SHA-256 of each.
 */

#define FOLDER "tests/frozen/stores"
#define ARENA_BYTES (8U << 20)
#define MAX_TABLES 64

/* A dump's kind: the evidence log's is the one of an adapter, which has the most tables. */
struct kind {
    const char *dump;
    enum lb_node_kind node;
    const char *name;  /* of the file; NULL: not in a node's state folder */
    const struct lb_store_schema *schema;
};

static const struct kind kinds[] = {
    {"evidence-adapter", LB_NODE_ADAPTER, "evidence.db", NULL},
    {"cosigned", LB_NODE_ADAPTER, "cosigned.db", NULL},
    {"witness", LB_NODE_ADAPTER, "witness.db", NULL},
    {"withdrawals", LB_NODE_BROKER, "withdrawals.db", NULL},
    {"consent", LB_NODE_CONSENT, "consent.db", NULL},
    {"cases", LB_NODE_WINDOW, "cases.db", NULL},
    {"register", LB_NODE_WINDOW, NULL, &lb_register_schema},
    {"review", LB_NODE_ADAPTER, NULL, &lb_review_schema},
};
#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct table {
    char name[64];
    int64_t rows;
};

static struct lb_store_schema schema_of(const struct kind *kind, struct lb_arena *arena)
{
    const struct lb_store_schema *list = NULL;
    size_t num = 0;
    if (kind->schema != NULL)
        return *kind->schema;
    assert_true(lb_stores_of(kind->node, arena, &list, &num) == LB_OK);
    size_t i = 0;
    while (i < num && strcmp(list[i].name, kind->name) != 0)
        i++;
    assert_true(i < num);
    return list[i];
}

/* --- what is in a file --- */

static const char *ask(struct lb_store *store, struct lb_arena *arena, const char *sql)
{
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_true(lb_stmt_prepare(store, sql, &stmt) == LB_OK);
    assert_true(lb_stmt_step(stmt, &row) == LB_OK && row);
    const char *text = lb_arena_str(arena, lb_stmt_text(stmt, 0));
    assert_non_null(text);
    lb_stmt_free(stmt);
    return text;
}

static const char *tables_of(const char *path, struct lb_arena *arena)
{
    const struct lb_store_options options = {.path = path, .read_only = true};
    struct lb_store *store = NULL;
    assert_true(lb_store_open(&options, &store) == LB_OK);
    const char *text = ask(store, arena,
                           "SELECT group_concat(coalesce(sql, name), x'0a') FROM (SELECT * FROM"
                           " sqlite_schema WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type,"
                           " name)");
    assert_string_equal(ask(store, arena, "PRAGMA quick_check(1)"), "ok");
    lb_store_close(store);
    return text;
}

static size_t count_rows(const char *path, struct table out[MAX_TABLES])
{
    const struct lb_store_options options = {.path = path, .read_only = true};
    struct lb_store *store = NULL;
    struct lb_stmt *names = NULL;
    size_t num = 0;
    bool row = false;
    assert_true(lb_store_open(&options, &store) == LB_OK);
    assert_true(lb_stmt_prepare(store, "SELECT name FROM sqlite_schema WHERE type = 'table' AND"
                                       " name NOT LIKE 'sqlite_%'", &names) == LB_OK);
    assert_true(lb_stmt_step(names, &row) == LB_OK);
    for (; row && num < MAX_TABLES; num++) {
        struct lb_stmt *count = NULL;
        struct lb_span name = lb_stmt_text(names, 0);
        char sql[128];
        (void)snprintf(out[num].name, sizeof(out[num].name), "%.*s", (int)name.len,
                       (const char *)name.ptr);
        (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM \"%s\"", out[num].name);
        assert_true(lb_stmt_prepare(store, sql, &count) == LB_OK);
        assert_true(lb_stmt_step(count, &row) == LB_OK && row);
        out[num].rows = lb_stmt_int(count, 0);
        lb_stmt_free(count);
        assert_true(lb_stmt_step(names, &row) == LB_OK);
    }
    lb_store_close(store);
    return num;
}

/* --- files --- */

static void restore(const char *dump, const char *path, struct lb_arena *arena)
{
    const struct lb_store_options options = {.path = path, .create = true};
    const char *file = lb_arena_printf(arena, FOLDER "/%s.sql", dump);
    struct lb_store *store = NULL;
    struct lb_span text = LB_SPAN_EMPTY;
    assert_non_null(file);
    assert_true(lb_file_read(file, 1U << 20, arena, &text) == LB_OK);
    assert_true(lb_store_open(&options, &store) == LB_OK);
    if (lb_store_exec(store, lb_arena_str(arena, text)) != LB_OK)
        fail_msg("%s: %s", file, lb_store_error_text(store));
    lb_store_close(store);
}

static void begin_today(const struct lb_store_schema *schema, const char *path)
{
    const struct lb_store_options options = {.path = path, .migrations = schema->migrations,
                                             .application_id = schema->application_id,
                                             .create = true};
    struct lb_store *store = NULL;
    assert_true(lb_store_open(&options, &store) == LB_OK);
    lb_store_close(store);
}

static void remove_store(const char *path, struct lb_arena *arena)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++)
        (void)unlink(lb_arena_printf(arena, "%s%s", path, ends[i]));
}

static void check(const struct kind *kind, const char *folder, struct lb_arena *arena)
{
    const struct lb_store_schema schema = schema_of(kind, arena);
    const char *old = lb_arena_printf(arena, "%s/old.db", folder);
    const char *fresh = lb_arena_printf(arena, "%s/fresh.db", folder);
    struct table before[MAX_TABLES], after[MAX_TABLES];
    uint64_t version = 0;
    print_message("%s\n", kind->dump);
    restore(kind->dump, old, arena);
    size_t num = count_rows(old, before);
    assert_true(lb_store_schema_found(&schema, old, &version) == LB_OK);
    assert_in_range(version, 1, lb_store_schema_steps(&schema));
    assert_true(lb_store_schema_raise(&schema, old) == LB_OK);
    assert_true(lb_store_schema_found(&schema, old, &version) == LB_OK);
    assert_int_equal(version, lb_store_schema_steps(&schema));
    begin_today(&schema, fresh);
    assert_string_equal(tables_of(old, arena), tables_of(fresh, arena));
    size_t num_after = count_rows(old, after);
    for (size_t i = 0; i < num; i++)
        for (size_t j = 0; j < num_after; j++)
            if (strcmp(before[i].name, after[j].name) == 0)
                assert_int_equal(before[i].rows, after[j].rows);
    remove_store(old, arena);
    remove_store(fresh, arena);
}

static void every_store_is_brought_forward_with_its_rows(void **state)
{
    char folder[] = "/tmp/lb_stores_XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < NUM_KINDS; i++) {
        struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
        assert_non_null(arena);
        check(&kinds[i], folder, arena);
        lb_arena_free(arena);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* A step that was ever done is never changed: there are stores that have it behind them. A new one
 * comes last, and its line at the end of its kind's in `steps`. */
static void no_step_has_changed(void **state)
{
    struct lb_arena *arena = lb_arena_new(ARENA_BYTES);
    struct lb_span kept = LB_SPAN_EMPTY;
    char lines[NUM_KINDS * 16 * 128];
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < NUM_KINDS; i++) {
        const struct lb_store_schema schema = schema_of(&kinds[i], arena);
        for (size_t step = 0; schema.migrations[step] != NULL; step++) {
            uint8_t digest[32];
            char hex[2 * 32 + 1];
            lb_sha256(lb_span_str(schema.migrations[step]), digest);
            lb_hex_encode(lb_span_of(digest, sizeof(digest)), hex);
            int more = snprintf(lines + len, sizeof(lines) - len, "%s %zu %s\n", kinds[i].dump,
                                step + 1, hex);
            assert_in_range(more, 1, sizeof(lines) - len - 1);
            len += (size_t)more;
        }
    }
    assert_true(lb_file_read(FOLDER "/steps", sizeof(lines), arena, &kept) == LB_OK);
    bool same = lb_span_is(kept, lines);
    if (!same)
        (void)fputs(lines, stdout); /* what `steps` would have to be */
    assert_true(same);
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_store_is_brought_forward_with_its_rows),
        cmocka_unit_test(no_step_has_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
