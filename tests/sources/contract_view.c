#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/sources/wants.h"
#include "tests/sources/contract.h"

/* What a view says of a column's codes, of '' and of NULL, on every kind of database. */

#define CODES ", codes: {\"01\": severe}"

static const char rules_text[] = "rules: test\nversion: 1\nin_force: 2026-07-01\n"
                                 "title: {zh: a, en: b}\n"
                                 "thresholds: {a: {value: 1, unit: cents, source: test}}\n";

static const struct lb_view *load(struct contract_case *one, const struct lb_rules *rules,
                                  const char *more)
{
    const struct lb_view *view = NULL;
    const char *text = lb_arena_printf(
        one->arena,
        "view: tax.odd\nversion: 1\ntitle: {zh: a, en: b}\n"
        "query: SELECT v FROM odd WHERE id_no = :id_no\nrows: one\n"
        "fields: {v: {column: v, type: code, class: G3%s}}\n", more);
    if (lb_view_load_text(lb_span_str(text), "v.yaml", rules, one->arena, &one->diag, &view) !=
        LB_OK)
        fail_msg("%s", one->diag.text);
    return view;
}

/* The form's word for what a person's row has; "-" for NULL, or the code that refuses it. */
static const char *word_of(struct contract_case *one, const struct lb_view_field *field,
                           struct lb_source_stmt *stmt, const char *id_no)
{
    static const char *const columns[] = {"v"};
    struct lb_source_cell cell = case_cell(one, stmt, id_no);
    const struct lb_cell cells[] = {
        {cell.kind == LB_SOURCE_TEXT ? LB_CELL_TEXT : LB_CELL_NULL, 0, cell.text}};
    const struct lb_rows rows = {1, columns, 1, cells};
    struct lb_rows mapped = rows;
    assert_int_not_equal(cell.kind, LB_SOURCE_INT);
    if (field->num_codes > 0 || field->empty != NULL) {
        lb_status status = lb_view_map_codes(field, &rows, 0, one->arena, &mapped);
        if (status != LB_OK)
            return lb_code_name(status->code);
    }
    return mapped.cells[0].kind == LB_CELL_NULL ? "-"
                                                : lb_arena_str(one->arena, mapped.cells[0].text);
}

void contract_codes(void **state)
{
    static const struct {
        const char *more, *id_no, *word;
    } cases[] = {
        {"", "empty", "-"},   {"", "blanks", "-"}, {"", "null", "-"}, {"", "padded", "01"},
        {CODES, "padded", "severe"}, {CODES, "empty", "-"}, {CODES, "null", "-"},
        {CODES, "han", "CODE_UNMAPPED"}, {CODES, "long", "CODE_UNMAPPED"}, {CODES, "longer", "-"},
        {CODES ", empty: none", "empty", "none"}, {CODES ", empty: none", "blanks", "none"},
        {CODES ", empty: none", "null", "-"}, {CODES ", empty: none", "longer", "-"},
        {CODES ", empty: none", "han", "CODE_UNMAPPED"},
        {CODES ", empty: none, null_is_empty: true", "null", "none"},
        {CODES ", empty: none, null_is_empty: true", "empty", "none"},
        {CODES ", empty: none, null_is_empty: true", "longer", "-"},
        {CODES ", empty: none, null_is_empty: true", "padded", "severe"},
        {", empty: none", "han", "张·伟"},
    };
    struct contract_case *one = *state;
    struct lb_rules *rules = NULL;
    assert_true(lb_rules_load_text(lb_span_str(rules_text), "r.yaml", &one->diag, &rules) == LB_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lb_source_stmt *stmt = NULL, *as_of = NULL;
        const struct lb_view *view = load(one, rules, cases[i].more);
        assert_true(lb_sources_prepare(one->contract->plugin, one->source, view, one->arena,
                                       &one->diag, &stmt, &as_of) == LB_OK);
        const char *word = word_of(one, &view->fields[0], stmt, cases[i].id_no);
        if (strcmp(word, cases[i].word) != 0)
            fail_msg("%s: %s of {%s}: %s", one->contract->name, cases[i].id_no, cases[i].more,
                     word);
    }
    lb_rules_free(rules);
}
