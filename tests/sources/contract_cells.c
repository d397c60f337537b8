#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "tests/sources/contract.h"

/* What the department's values become. */

void contract_cells(void **state)
{
    struct contract_case *one = *state;
    struct lb_source_stmt *stmt =
        case_prepare(one, "SELECT cents FROM wage WHERE id_no = :id_no", "cents",
                     LB_SOURCE_WANT_INT);
    struct lb_source_cell cell = case_cell(one, stmt, "b");
    assert_int_equal(cell.kind, LB_SOURCE_INT);
    assert_int_equal(cell.number, 7);
    assert_int_equal(cell.text.len, 0);
}

static struct lb_source_cell text_of(struct contract_case *one, const char *id_no)
{
    struct lb_source_stmt *stmt = case_prepare(one, "SELECT v FROM odd WHERE id_no = :id_no", "v",
                                               LB_SOURCE_WANT_TEXT);
    return case_cell(one, stmt, id_no);
}

void contract_text(void **state)
{
    struct contract_case *one = *state;
    static const char *const nulls[] = {"null", "empty", "blanks", "longer"};
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
        struct lb_source_cell cell = text_of(one, nulls[i]);
        if (cell.kind != LB_SOURCE_NULL || cell.number != 0 || cell.text.len != 0)
            fail_msg("%s: %s", one->contract->name, nulls[i]);
    }
    assert_true(lb_span_is(text_of(one, "padded").text, "01"));
    assert_true(lb_span_is(text_of(one, "han").text, "张·伟"));
    assert_int_equal(text_of(one, "long").text.len, LB_MAX_VALUE_BYTES);
    struct lb_source_stmt *fixed = case_prepare(
        one, "SELECT v FROM fixed WHERE id_no = :id_no", "v", LB_SOURCE_WANT_TEXT);
    assert_true(lb_span_is(case_cell(one, fixed, "a").text, "01"));
}

static void expect_money(struct contract_case *one, const char *column, enum lb_source_want want,
                         const char *id_no, int64_t cents)
{
    char query[96];
    (void)snprintf(query, sizeof(query), "SELECT %s FROM money WHERE id_no = :id_no", column);
    struct lb_source_stmt *stmt = case_prepare(one, query, column, want);
    struct lb_source_cell cell = case_cell(one, stmt, id_no);
    if (cell.kind != LB_SOURCE_INT || cell.number != cents)
        fail_msg("%s: %s of %s: kind %d, %lld", one->contract->name, column, id_no, (int)cell.kind,
                 (long long)cell.number);
}

static void expect_unknown(struct contract_case *one, const char *column, const char *id_no)
{
    char query[96];
    (void)snprintf(query, sizeof(query), "SELECT %s FROM money WHERE id_no = :id_no", column);
    struct lb_source_stmt *stmt = case_prepare(one, query, column, LB_SOURCE_WANT_CENTS);
    assert_int_equal(case_cell(one, stmt, id_no).kind, LB_SOURCE_NULL);
}

void contract_money(void **state)
{
    struct contract_case *one = *state;
    if (!one->contract->has_types)
        return;
    expect_money(one, "yuan", LB_SOURCE_WANT_CENTS, "a", 123456);
    expect_money(one, "yuan", LB_SOURCE_WANT_CENTS, "b", -1);
    expect_money(one, "yuan", LB_SOURCE_WANT_CENTS, "d", INT64_MAX);
    expect_money(one, "fine", LB_SOURCE_WANT_CENTS, "a", 123);
    /* A decimal without places is a whole number already, cents where cents are wanted. */
    expect_money(one, "whole", LB_SOURCE_WANT_CENTS, "a", 12);
    expect_money(one, "whole", LB_SOURCE_WANT_INT, "b", -1);
    expect_unknown(one, "fine", "b");
    expect_unknown(one, "yuan", "c");
}

void contract_dates(void **state)
{
    struct contract_case *one = *state;
    if (!one->contract->has_types)
        return;
    struct lb_source_stmt *born = case_prepare(
        one, "SELECT born FROM day WHERE id_no = :id_no", "born", LB_SOURCE_WANT_DATE);
    assert_true(lb_span_is(case_cell(one, born, "a").text, "1990-02-28"));
    struct lb_source_stmt *month = case_prepare(
        one, "SELECT born FROM day WHERE id_no = :id_no", "born", LB_SOURCE_WANT_MONTH);
    assert_true(lb_span_is(case_cell(one, month, "a").text, "1990-02"));
    struct lb_source_stmt *at = case_prepare(
        one, "SELECT at FROM day WHERE id_no = :id_no", "at", LB_SOURCE_WANT_DATE);
    assert_true(lb_span_is(case_cell(one, at, "a").text, "2024-01-02"));
    struct lb_source_stmt *compared = case_prepare(
        one, "SELECT born FROM day WHERE id_no = :id_no AND born <= :today", "born",
        LB_SOURCE_WANT_DATE);
    assert_int_equal(case_cell(one, compared, "a").text.len, 10);
}

void contract_types_are_checked(void **state)
{
    struct contract_case *one = *state;
    static const struct {
        const char *query;
        const char *column;
        enum lb_source_want want;
    } wrong[] = {
        {"SELECT v FROM odd WHERE id_no = :id_no", "v", LB_SOURCE_WANT_CENTS},
        {"SELECT v FROM odd WHERE id_no = :id_no", "v", LB_SOURCE_WANT_INT},
        {"SELECT cents FROM wage WHERE id_no = :id_no", "cents", LB_SOURCE_WANT_TEXT},
        {"SELECT cents FROM wage WHERE id_no = :id_no", "cents", LB_SOURCE_WANT_DATE},
        {"SELECT yuan FROM money WHERE id_no = :id_no", "yuan", LB_SOURCE_WANT_INT},
        {"SELECT yuan FROM money WHERE id_no = :id_no", "yuan", LB_SOURCE_WANT_TEXT},
        {"SELECT born FROM day WHERE id_no = :id_no", "born", LB_SOURCE_WANT_CENTS},
        {"SELECT CAST(cents AS double precision) AS cents FROM wage WHERE id_no = :id_no", "cents",
         LB_SOURCE_WANT_CENTS},
    };
    if (!one->contract->has_types)
        return;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (case_try(one, wrong[i].query, wrong[i].column, wrong[i].want) != LB_CONFIG_INVALID)
            fail_msg("%s: %s", one->contract->name, wrong[i].query);
}
