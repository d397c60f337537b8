#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "adapters/serve/fixture.h"
#include "adapters/sqlite/sqlite.h"

/* What a view says beside its rules: codes in the form's words, '' and NULL, and hours at which the
 * database is not asked. */

static struct lb_source_plugin counting;
static unsigned num_reads;
static size_t num_given;   /* columns of the last read */
static char first_given[16];

static lb_status count_read(struct lb_source_stmt *stmt, const struct lb_source_param *params,
                            size_t num_params, const struct lb_source_limits *limits,
                            struct lb_arena *arena, struct lb_source_result *out_result)
{
    num_reads++;
    LB_TRY(lb_source_sqlite()->read(stmt, params, num_params, limits, arena, out_result));
    num_given = out_result->num_columns;
    (void)snprintf(first_given, sizeof(first_given), "%s", out_result->columns[0]);
    return LB_OK;
}

#define RULES                                                                                      \
    "[{purpose: social-assistance, operators: [PASS], requesters: [street-office],"                \
    " bases: [mandate], issuers: [street-office], laws: [SAL41], min_level: 2}]"

/* `codes` goes to the field, `more` to the view, `columns` behind the field's own in the query. */
static void use_wide_view(struct fixture *fx, const char *codes, const char *more,
                          const char *columns)
{
    const char *view = lb_arena_printf(
        fx->arena,
        "view: tax.grade\nversion: 1\ntitle: {zh: 等级, en: Grade}\n"
        "query: SELECT code%s FROM grade WHERE id_no = :id_no\nrows: one\n%s"
        "fields: {grade: {column: code, type: code, class: G3%s, rules: " RULES "},"
        " note: {column: note, type: text, class: G3}, born: {column: born, type: date, class: G3}"
        "}\n", columns, more, codes);
    fed_write(&fx->fed, "grade.yaml", lb_span_str(view));
    fed_write(&fx->fed, "policy.yaml", lb_span_str(fx_policy_of(fx, "grade.yaml")));
    fx_start_again(fx);
    num_reads = 0;
}

static void use_view(struct fixture *fx, const char *codes, const char *more)
{
    use_wide_view(fx, codes, more, ", 'x' AS note, '1990-02-28' AS born");
}

static Lianban__V1__Fact *ask(struct fixture *fx, const char *code)
{
    static const struct lb_section_field fields[] = {{"grade", "PASS"}};
    static const struct lb_section_view views[] = {{"tax.grade", 1, 1, fields}};
    struct fx_ask *asked = lb_arena_alloc(fx->arena, sizeof(*asked));
    struct fx_built built;
    struct lb_serve_answer answer;
    fx_execute(fx, lb_arena_printf(fx->arena, "DELETE FROM grade; INSERT INTO grade VALUES('"
                                              FX_ADULT "', %s)", code));
    assert_non_null(asked);
    fx_ask_honest(fx, asked);
    asked->section.views = views;
    asked->section.case_id = asked->grant.jti;  /* within a case an answer stands */
    asked->views[0] = views[0].id;
    asked->field = "grade";
    asked->operator_name = "PASS";
    asked->arg = NULL;
    asked->deadline_ms = 30000;
    fx_build(fx, asked, &built);
    assert_code(fx_send(fx, &built, &answer), LB_ANSWERED);
    Lianban__V1__SealedAnswer *opened = fx_open(fx, &built, &answer);
    assert_string_equal(opened->code, "OK");
    assert_int_equal(opened->n_facts, 1);
    return opened->facts[0];
}

static void expect_word(struct fixture *fx, const char *code, const char *word)
{
    const Lianban__V1__Fact *fact = ask(fx, code);
    assert_int_equal(fact->state, LIANBAN__V1__FACT__STATE__OK);
    assert_int_equal(fact->kind, word == NULL ? LIANBAN__V1__FACT__KIND__KIND_UNKNOWN
                                              : LIANBAN__V1__FACT__KIND__TEXT);
    assert_string_equal(fact->text, word == NULL ? "" : word);
}

static void codes_leave_as_words_or_not_at_all(void **state)
{
    struct fixture *fx = *state;
    use_view(fx, ", codes: {\"01\": severe, \"02\": mild}", "");
    expect_word(fx, "'01'", "severe");
    expect_word(fx, "'02  '", "mild");
    expect_word(fx, "''", NULL);
    expect_word(fx, "NULL", NULL);
    static const char *const strangers[] = {"'1'", "'03'", "'severe'", "1"};
    for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
        const Lianban__V1__Fact *fact = ask(fx, strangers[i]);
        assert_int_equal(fact->state, LIANBAN__V1__FACT__STATE__UNAVAILABLE);
        assert_int_equal(fact->why, LIANBAN__V1__FACT__WHY__CODE);
        assert_int_equal(fact->again_unix_s, 0);
        assert_string_equal(fact->text, "");
    }
    use_view(fx, ", codes: {\"01\": severe}, empty: none, null_is_empty: true", "");
    expect_word(fx, "''", "none");
    expect_word(fx, "NULL", "none");
    expect_word(fx, "'01'", "severe");
}

/* A pause of two hours around now, and one that was over an hour ago. */
static const char *pause_around(struct fixture *fx, int from_h, int to_h)
{
    time_t from = time(NULL) + from_h * 3600, to = time(NULL) + to_h * 3600;
    struct tm begin, end;
    (void)localtime_r(&from, &begin);
    (void)localtime_r(&to, &end);
    return lb_arena_printf(fx->arena, "maintenance: [{from: \"%02d:%02d\", to: \"%02d:%02d\"}]\n",
                           begin.tm_hour, begin.tm_min, end.tm_hour, end.tm_min);
}

static void nobody_asks_a_database_in_its_hours(void **state)
{
    struct fixture *fx = *state;
    use_view(fx, "", pause_around(fx, -1, 1));
    int64_t now = lb_clock_unix_s(lb_clock_system());
    const Lianban__V1__Fact *fact = ask(fx, "'01'");
    assert_int_equal(fact->state, LIANBAN__V1__FACT__STATE__UNAVAILABLE);
    assert_int_equal(fact->why, LIANBAN__V1__FACT__WHY__MAINTENANCE);
    assert_in_range(fact->again_unix_s, now + 3600 - 120, now + 3600 + 120);
    assert_int_equal(fact->again_unix_s % 60, 0);
    assert_int_equal(num_reads, 0);
    use_view(fx, "", pause_around(fx, -2, -1));
    expect_word(fx, "'01'", "01");
    assert_int_equal(num_reads, 1);
}

/* Of what a view's query gives, what the facts asked are made of is all that leaves the source:
 * not the view's other fields, nor columns of no field. */
static void other_fields_stay_in_the_database(void **state)
{
    struct fixture *fx = *state;
    struct lb_buf columns;
    lb_buf_init(&columns, 64 * 1024);
    lb_buf_put_str(&columns, ", 'secret' AS note, '1990-02-28' AS born");
    for (int i = 0; i < 200; i++)
        lb_buf_printf(&columns, ", 'secret' AS c%d", i);
    lb_buf_put_u8(&columns, 0);
    assert_true(lb_buf_check(&columns) == LB_OK);
    use_wide_view(fx, "", "", (const char *)columns.ptr);
    lb_buf_cleanup(&columns);
    expect_word(fx, "'01'", "01");
    assert_int_equal(num_reads, 1);
    assert_int_equal(num_given, 1);
    assert_string_equal(first_given, "code");
}

static int set_up(void **state)
{
    static struct fixture fx;
    counting = *lb_source_sqlite();
    counting.read = count_read;
    fx_setup_with(&fx, &counting);
    fx_execute(&fx, "CREATE TABLE grade(id_no TEXT, code)");
    *state = &fx;
    return 0;
}

static int tear_down(void **state)
{
    fx_teardown(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(codes_leave_as_words_or_not_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(other_fields_stay_in_the_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_asks_a_database_in_its_hours, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
