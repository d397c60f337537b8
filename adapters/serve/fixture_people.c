#include "adapters/serve/fixture_people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define VIEW(name_)                                                                                \
    "view: tax." name_ "\nversion: 1\ntitle: {zh: 人, en: People}\n"                               \
    "query: SELECT name, code, cents FROM people WHERE id_no = :id_no\nrows: one\n"
#define RULE                                                                                       \
    "        requesters: [street-office]\n        bases: [mandate]\n"                              \
    "        issuers: [street-office]\n        laws: [SAL41]\n        min_level: 2\n"
#define FIELD(name_, column_, type_)                                                               \
    "  " name_ ":\n" column_ "    type: " type_ "\n    class: G3\n    rules:\n"                    \
    "      - purpose: social-assistance\n"

/* "NAME(<prefix>0), NAME(<prefix>1), ..." */
static const char *calls(struct fixture *fx, const char *operator_name, const char *prefix)
{
    const char *list = "";
    for (int i = 0; i <= FX_NUM_NAMES; i++)
        list = lb_arena_printf(fx->arena, "%s%s\"%s(%s.%d)\"", list, i == 0 ? "" : ", ",
                               operator_name, prefix, i);
    assert_non_null(list);
    return list;
}

static void write_text(struct fixture *fx, const char *name, const char *text)
{
    assert_non_null(text);
    fed_write(&fx->fed, name, lb_span_str(text));
}

void fx_write_people(struct fixture *fx)
{
    write_text(fx, "people.yaml",
               lb_arena_printf(fx->arena,
                               VIEW("people") "fields:\n"
                               FIELD("name", "    column: name\n", "name")
                               "        operators: [EQ]\n" RULE
                               FIELD("code", "    column: code\n", "code")
                               "        operators: [%s]\n" RULE
                               FIELD("income", "    column: cents\n", "cents")
                               "        operators: [%s]\n" RULE
                               FIELD("trial", "    column: code\n", "code")
                               "        operators: [IN(s.1)]\n        dry_run: true\n" RULE
                               FIELD("listed", "", "row") "        operators: [EXISTS]\n" RULE,
                               calls(fx, "IN", "s"), calls(fx, "CMP", "<,t")));
    write_text(fx, "counted.yaml",
               lb_arena_printf(fx->arena,
                               VIEW("counted")
                               "budgets: {operator: {hour: %d}, requester: {hour: %d}}\n"
                               "fields:\n" FIELD("listed", "", "row")
                               "        operators: [EXISTS]\n" RULE,
                               FX_OPERATOR_HOUR, FX_REQUESTER_HOUR));
    write_text(fx, "complete.yaml",
               VIEW("complete") "complete: true\nfields:\n" FIELD("listed", "", "row")
               "        operators: [EXISTS]\n" RULE);
}

const char *fx_people_rules(struct fixture *fx)
{
    const char *text = "";
    for (int i = 0; i <= FX_NUM_NAMES; i++)
        text = lb_arena_printf(fx->arena, "%s  t.%d: {value: %d, unit: cents, source: test}\n",
                               text, i, i == 0 ? 0 : FX_NUM_PEOPLE / 2 * 1000);
    text = lb_arena_printf(fx->arena, "%ssets:\n", text);
    for (int i = 0; i <= FX_NUM_NAMES; i++)
        text = lb_arena_printf(fx->arena, "%s  s.%d: {codes: [\"%s\"], source: test}\n", text, i,
                               i == 0 ? "9" : "1");
    assert_non_null(text);
    return text;
}

/* GB 11643: people of one day, one after the other, and of the days after it. */
static void write_id(size_t n, char out[19])
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    (void)snprintf(out, 19, "990201%04u%02u%02u%03u", (unsigned)(n / 145800 % 30 + 1960),
                   (unsigned)(n / 16200 % 9 + 1), (unsigned)(n / 900 % 18 + 10),
                   (unsigned)(n % 900 + 1));
    for (size_t i = 0; i < 17; i++)
        sum += (out[i] - '0') * weights[i];
    out[17] = "10X98765432"[sum % 11];
    out[18] = 0;
}

const char *fx_person(struct fixture *fx, size_t n)
{
    char *id_no = lb_arena_alloc(fx->arena, 19);
    assert_non_null(id_no);
    write_id(n, id_no);
    return id_no;
}

const char *fx_person_name(struct fixture *fx, size_t n)
{
    const char *name = lb_arena_printf(fx->arena, "人%zu", n);
    assert_non_null(name);
    return name;
}

void fx_fill_people(struct lb_store *store)
{
    struct lb_stmt *stmt = NULL;
    assert_ok(lb_store_exec(store, "CREATE TABLE people(id_no TEXT PRIMARY KEY, name TEXT,"
                                   " code TEXT, cents INT)"));
    assert_ok(lb_store_begin(store));
    assert_ok(lb_stmt_prepare(store, "INSERT INTO people VALUES(?1, ?2, ?3, ?4)", &stmt));
    for (size_t n = 0; n < FX_NUM_PEOPLE; n++) {
        char id_no[19], name[32];
        write_id(n, id_no);
        (void)snprintf(name, sizeof(name), "人%zu", n);
        assert_ok(lb_stmt_bind_text(stmt, 1, lb_span_str(id_no)));
        assert_ok(lb_stmt_bind_text(stmt, 2, lb_span_str(name)));
        assert_ok(lb_stmt_bind_text(stmt, 3, lb_span_str(n % 2 == 0 ? "1" : "2")));
        assert_ok(lb_stmt_bind_int(stmt, 4, (int64_t)n * 1000));
        assert_ok(lb_stmt_run(stmt));
    }
    assert_ok(lb_store_commit(store));
}

void fx_ask_people(struct fixture *fx, const struct fx_question *question, struct fx_ask *ask)
{
    struct lb_section_field *field = lb_arena_alloc(fx->arena, sizeof(*field));
    struct lb_section_view *view = lb_arena_alloc(fx->arena, sizeof(*view));
    const char *call =
        question->arg == NULL
            ? question->operator_name
            : lb_arena_printf(fx->arena, "%s(%s)", question->operator_name, question->arg);
    assert_non_null(field);
    assert_non_null(view);
    assert_non_null(call);
    fx_ask_honest(fx, ask);
    *field = (struct lb_section_field){question->field, call};
    *view = (struct lb_section_view){question->view, 1, 1, field};
    ask->id_no = ask->granted_id = fx_person(fx, question->person);
    ask->section.case_id = question->case_id;
    ask->section.views = view;
    ask->views[0] = question->view;
    ask->field = question->field;
    ask->operator_name = question->operator_name;
    ask->arg = question->arg;
    ask->claim = question->claim;
}
