#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/ctl/propose.h"
#include "policy/engine/view.h"

/* Whoever may make a table chooses its names; a proposed file says no more than it should. */

static struct lb_source_listed column(const char *name, const char *type, enum lb_source_want want)
{
    return (struct lb_source_listed){"public", "t", name, type, want, false};
}

static const struct lb_view *proposed(const struct lb_source_catalog *catalog,
                                      struct lb_arena *arena, char *text, size_t size)
{
    LB_DEFER(lb_buf_cleanup) struct lb_buf buf;
    const struct lb_view *view = NULL;
    struct lb_propose_table table;
    struct lb_diag diag = {""};
    char name[65];
    assert_true(lb_propose_next(catalog, 0, &table));
    assert_int_equal(table.num, catalog->num);
    const struct lb_source_listed *key = lb_propose_key(&table);
    assert_non_null(key);
    lb_propose_name(&table, 1, name);
    lb_buf_init(&buf, size - 1);
    assert_true(lb_propose_view(&table, "tax", name, key, &buf) == LB_OK);
    memcpy(text, buf.ptr, buf.len);
    text[buf.len] = 0;
    if (lb_view_load_text(lb_span_str(text), "proposed", NULL, arena, &diag, &view) != LB_OK)
        fail_msg("%s\n%s", diag.text, text);
    return view;
}

static void hostile_names_stay_names(void **state)
{
    const struct lb_source_listed columns[] = {
        column("ID_NO", "text", LB_SOURCE_WANT_TEXT),
        column("a\"b\\c: #d", "text", LB_SOURCE_WANT_TEXT),
        column("x\n    rules: [{purpose: all}]", "text", LB_SOURCE_WANT_TEXT),
        column("y", "text\n    rules: []", LB_SOURCE_WANT_TEXT),
        column("z; DROP TABLE t", "text", LB_SOURCE_WANT_TEXT),
        column("姓名", "text", LB_SOURCE_WANT_TEXT),
        column("bad\xFF", "text", LB_SOURCE_WANT_TEXT),
        column("pay_cents", "bigint", LB_SOURCE_WANT_INT),
        column("pay", "numeric(12,2)", LB_SOURCE_WANT_CENTS),
        column("photo", "bytea", LB_SOURCE_WANT_ANY),
    };
    const struct lb_source_catalog catalog = {sizeof(columns) / sizeof(columns[0]), columns, "\""};
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    char text[16384];
    (void)state;
    const struct lb_view *view = proposed(&catalog, arena, text, sizeof(text));
    assert_int_equal(view->num_fields, 5);
    for (size_t i = 0; i < view->num_fields; i++) {
        assert_int_equal(view->fields[i].num_rules, 0);
        assert_int_equal(view->fields[i].data_class, 4);
    }
    assert_string_equal(view->fields[0].column, "a\"b\\c: #d");
    assert_string_equal(view->fields[2].column, "姓名");
    assert_int_equal(view->fields[3].type, LB_FIELD_CENTS);
    assert_int_equal(view->fields[4].type, LB_FIELD_CENTS);
    assert_non_null(strstr(view->query, "\"a\"\"b\\c: #d\""));
    assert_null(strstr(text, "DROP"));
    lb_arena_free(arena);
}

static void a_table_without_a_person_is_left_out(void **state)
{
    const struct lb_source_listed columns[] = {
        column("plate", "text", LB_SOURCE_WANT_TEXT),
        column("id_no", "bigint", LB_SOURCE_WANT_INT),
    };
    const struct lb_source_catalog catalog = {2, columns, "\""};
    struct lb_propose_table table;
    (void)state;
    assert_true(lb_propose_next(&catalog, 0, &table));
    assert_null(lb_propose_key(&table));
    assert_false(lb_propose_next(&catalog, 2, &table));
}

static void a_table_of_a_key_alone_tells_that_there_is_a_row(void **state)
{
    const struct lb_source_listed columns[] = {column("sfzh", "text", LB_SOURCE_WANT_TEXT)};
    const struct lb_source_catalog catalog = {1, columns, "`"};
    struct lb_arena *arena = lb_arena_new(LB_FILE_ARENA_BYTES);
    char text[4096];
    (void)state;
    const struct lb_view *view = proposed(&catalog, arena, text, sizeof(text));
    assert_int_equal(view->num_fields, 1);
    assert_int_equal(view->fields[0].type, LB_FIELD_ROW);
    assert_non_null(strstr(view->query, "WHERE `sfzh` = :id_no"));
    lb_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_names_stay_names),
        cmocka_unit_test(a_table_without_a_person_is_left_out),
        cmocka_unit_test(a_table_of_a_key_alone_tells_that_there_is_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
