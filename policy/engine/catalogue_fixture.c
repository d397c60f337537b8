#include "policy/engine/catalogue_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_ROWS 2048
#define MAX_TEXT 65536

struct test_table table;
static char text[MAX_TEXT];

static enum lb_policy_status status_named(const char *name, int line)
{
    for (int status = LB_POLICY_UNMATCHED; status <= LB_POLICY_NEED_MORE; status++)
        if (strcmp(name, lb_policy_status_name((enum lb_policy_status)status)) == 0)
            return (enum lb_policy_status)status;
    fail_msg("line %d: no status %s", line, name);
    return LB_POLICY_NEED_MORE;
}

struct given {
    struct lb_span answers[LB_CATALOGUE_MAX_QUESTIONS];
};

static void add_row(const struct given *given, size_t policy, const char *expected, int line)
{
    assert_true(table.num_rows < MAX_ROWS);
    struct test_row *row = &table.rows[table.num_rows++];
    struct lb_diag diag = {{0}};
    *row = (struct test_row){
        .line = line, .policy = policy, .expected = status_named(expected, line)};
    assert_null(lb_answers_new(table.catalogue, &table.day, &row->answers));
    for (size_t i = 0; i < table.catalogue->num_questions; i++)
        if (given->answers[i].len > 0 &&
            lb_answers_put(row->answers, lb_span_str(table.catalogue->questions[i].id),
                           given->answers[i], &diag) != LB_OK)
            fail_msg("line %d: %s", line, diag.text);
}

/* Takes the first fact of `facts` and goes on with the others, once for each alternative. */
static void read_facts(struct given *given, const char *facts, size_t policy,
                       const char *expected, int line)
{
    if (*facts == '\0') {
        add_row(given, policy, expected, line);
        return;
    }
    const char *equals = strchr(facts, '=');
    const char *end = facts + strcspn(facts, " ");
    assert_true(equals != NULL && equals < end);
    size_t question =
        lb_catalogue_question_index(table.catalogue, lb_span_of(facts, (size_t)(equals - facts)));
    if (question == SIZE_MAX)
        fail_msg("line %d: no question %.*s", line, (int)(equals - facts), facts);
    for (const char *at = equals + 1; at <= end;) {
        size_t len = strcspn(at, "| ");
        given->answers[question] = lb_span_of(at, len);
        read_facts(given, end + (*end == ' '), policy, expected, line);
        at += len + 1;
    }
}

static void read_line(char *line, int number)
{
    static struct given base;
    static size_t policy;
    struct given given;
    char *facts = strchr(line, ',');
    assert_non_null(facts);
    *facts++ = '\0';
    char *expected = strchr(facts, ',');
    assert_non_null(expected);
    *expected++ = '\0';
    if (strcmp(line, "day") == 0) {
        assert_true(lb_date_parse(lb_span_str(facts), &table.day));
        return;
    }
    size_t first = table.num_rows;
    if (*line != '\0') {
        policy = lb_catalogue_policy_index(table.catalogue, lb_span_str(line));
        if (policy == SIZE_MAX)
            fail_msg("line %d: no policy %s", number, line);
        memset(&base, 0, sizeof(base));
    }
    given = base;
    read_facts(&given, facts, policy, expected, number);
    if (*line != '\0') {
        assert_true(table.num_rows == first + 1);
        base = given;
    }
}

static void read_table(void)
{
    FILE *file = fopen("tests/policies/boundaries.csv", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    assert_true(len > 0 && len < sizeof(text) - 1);
    assert_int_equal(fclose(file), 0);
    int number = 0;
    bool headed = false;
    for (char *line = text; *line != '\0';) {
        char *next = line + strcspn(line, "\n");
        *next = '\0';
        number++;
        if (*line != '\0' && *line != '#') {
            if (headed)
                read_line(line, number);
            headed = true;
        }
        line = next + 1;
    }
}

int test_table_load(void **state)
{
    struct lb_diag diag = {{0}};
    (void)state;
    if (lb_catalogue_load("policy/catalogue/catalogue.yaml", &diag, &table.catalogue) != LB_OK)
        fail_msg("%s", diag.text);
    table.rows = calloc(MAX_ROWS, sizeof(*table.rows));
    assert_non_null(table.rows);
    read_table();
    return 0;
}

int test_table_unload(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.num_rows; i++)
        lb_answers_free(table.rows[i].answers);
    free(table.rows);
    lb_catalogue_free(table.catalogue);
    return 0;
}
