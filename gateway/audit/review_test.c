#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "gateway/audit/review_fixture.h"
#include "gateway/store/store.h"

/* The queue: its steps and no others, each act in the chain and in the node's log. */

#define WHY "the citizen had come back with the missing paper"

/* One alert of the rule, over one row. */
static int64_t raise_one(struct fixture *fixture, const char *rule)
{
    struct lb_review_alert alert;
    fixture_rules(fixture, rule);
    fixture_row(fixture, FIXTURE_TEN, 1)->case_no = "";
    fixture_scan(fixture);
    assert_int_equal(fixture_alerts(fixture, &alert), 1);
    return alert.id;
}

static struct lb_review_alert now(struct fixture *fixture, int64_t id)
{
    struct lb_review_case one;
    assert_ok(lb_review_show(fixture->review, id, fixture->arena, &one));
    return one.alert;
}

static void test_from_open_to_closed(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review *review = fixture->review;
    struct lb_review_case one;
    int64_t num = 0, id = raise_one(fixture, "no-case");
    assert_int_equal(now(fixture, id).due_ms, FIXTURE_TEN + 3 * FIXTURE_DAY);
    assert_ok(lb_review_assign(review, id, "li", "chen", FIXTURE_TEN + 1));
    assert_ok(lb_review_explain(review, id, WHY, "li", FIXTURE_TEN + 2));
    assert_ok(lb_review_conclude(review, id, LB_REVIEW_LAWFUL, WHY, "chen", FIXTURE_TEN + 3));
    assert_ok(lb_review_show(review, id, fixture->arena, &one));
    assert_int_equal(one.alert.state, LB_REVIEW_CLOSED);
    assert_string_equal(one.alert.assignee, "li");
    assert_string_equal(one.alert.explanation, WHY);
    assert_string_equal(one.alert.reason, WHY);
    assert_int_equal(one.alert.outcome, LB_REVIEW_LAWFUL);
    assert_int_equal(one.num_acts, 3);
    assert_string_equal(one.acts[2].what, "CLOSED");
    assert_true(one.acts[2].recorded);
    assert_int_equal(one.acts[2].leaf, 1002);
    assert_int_equal(fixture->num_recorded, 3);
    assert_ok(lb_review_verify(review, &num));
    assert_int_equal(num, 3);
}

static void test_steps_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review *review = fixture->review;
    int64_t id = raise_one(fixture, "no-case");
    assert_code(lb_review_explain(review, id, WHY, "li", 1), LB_REVIEW_STATE);
    assert_code(lb_review_conclude(review, id, LB_REVIEW_LAWFUL, WHY, "li", 1), LB_REVIEW_STATE);
    assert_ok(lb_review_assign(review, id, "li", "chen", 1));
    assert_code(lb_review_conclude(review, id, LB_REVIEW_LAWFUL, WHY, "chen", 1),
                LB_REVIEW_STATE);
    assert_ok(lb_review_explain(review, id, WHY, "li", 1));
    assert_ok(lb_review_assign(review, id, "wang", "chen", 1)); /* handing over loses nothing */
    assert_int_equal(now(fixture, id).state, LB_REVIEW_EXPLAINED);
    /* It is grave, so the one who explained it does not close it. */
    assert_code(lb_review_conclude(review, id, LB_REVIEW_LAWFUL, WHY, "li", 1), LB_REVIEW_STATE);
    assert_ok(lb_review_conclude(review, id, LB_REVIEW_MISUSE, WHY, "wang", 1));
    assert_code(lb_review_assign(review, id, "li", "chen", 1), LB_REVIEW_STATE);
    assert_code(lb_review_explain(review, id, WHY, "li", 1), LB_REVIEW_STATE);
    assert_code(lb_review_conclude(review, id, LB_REVIEW_LAWFUL, WHY, "li", 1), LB_REVIEW_STATE);
    assert_code(lb_review_assign(review, id + 1, "li", "chen", 1), LB_ABSENT);
}

static void test_closing_needs_a_reason(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review *review = fixture->review;
    char long_text[LB_REVIEW_MAX_TEXT_BYTES + 2];
    int64_t id = raise_one(fixture, "no-case");
    memset(long_text, 'a', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = 0;
    assert_ok(lb_review_assign(review, id, "li", "chen", 1));
    assert_ok(lb_review_explain(review, id, WHY, "li", 1));
    const char *const wrong[] = {"", "ok", long_text, "two\nlines of it", "tab\tin a reason",
                                 "it was 110101199003074514 himself"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_code(lb_review_conclude(review, id, LB_REVIEW_LAWFUL, wrong[i], "chen", 1),
                    LB_MALFORMED);
    assert_code(lb_review_conclude(review, id, (enum lb_review_outcome)0, WHY, "chen", 1),
                LB_MALFORMED);
    assert_code(lb_review_assign(review, id, "", "chen", 1), LB_MALFORMED);
    assert_code(lb_review_assign(review, id, "li", "", 1), LB_MALFORMED);
    assert_int_equal(now(fixture, id).state, LB_REVIEW_EXPLAINED);
    assert_int_equal(fixture->num_recorded, 2);
}

static void test_no_evidence_no_act(void **state)
{
    struct fixture *fixture = *state;
    int64_t num = 0, id = raise_one(fixture, "no-case");
    fixture->record_fails = lb_status_of(LB_LOG_UNAVAILABLE);
    assert_code(lb_review_assign(fixture->review, id, "li", "chen", 1), LB_LOG_UNAVAILABLE);
    assert_int_equal(now(fixture, id).state, LB_REVIEW_OPEN);
    assert_ok(lb_review_verify(fixture->review, &num));
    assert_int_equal(num, 0);
}

/* What comes after an early close makes a new alert. */
static void test_closed_is_not_forgotten(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = raise_one(fixture, "no-case");
    assert_ok(lb_review_assign(fixture->review, id, "li", "chen", 1));
    assert_ok(lb_review_explain(fixture->review, id, WHY, "li", 1));
    assert_ok(lb_review_conclude(fixture->review, id, LB_REVIEW_LAWFUL, WHY, "chen", 1));
    fixture_row(fixture, FIXTURE_TEN + 1, 1)->case_no = "";
    fixture_scan(fixture);
    assert_int_equal(fixture_alerts(fixture, NULL), 2);
    assert_int_equal(now(fixture, id + 1).state, LB_REVIEW_OPEN);
    assert_int_equal(now(fixture, id).num_entries, 1);
}

static void test_chain_shows_tampering(void **state)
{
    static const char *const blows[] = {
        "UPDATE act SET text = 'lawful: another reason' WHERE seq = 2",
        "UPDATE act SET at_ms = at_ms + 1 WHERE seq = 1",
        "UPDATE act SET who = 'nobody' WHERE seq = 2",
        "DELETE FROM act WHERE seq = 1",
        "UPDATE act SET seq = 9 WHERE seq = 2",
    };
    struct fixture *fixture = *state;
    char path[96];
    int64_t num = 0, id = raise_one(fixture, "no-case");
    assert_ok(lb_review_assign(fixture->review, id, "li", "chen", 1));
    assert_ok(lb_review_explain(fixture->review, id, WHY, "li", 1));
    (void)snprintf(path, sizeof(path), "%s/review/review.db", fixture->folder);
    for (size_t i = 0; i < sizeof(blows) / sizeof(blows[0]); i++) {
        LB_DEFER(lb_store_closep) struct lb_store *store = NULL;
        const struct lb_store_options options = {.path = path, .busy_timeout_ms = 1000};
        assert_ok(lb_store_open(&options, &store));
        assert_ok(lb_store_exec(store, "CREATE TABLE kept AS SELECT * FROM act"));
        assert_ok(lb_store_exec(store, blows[i]));
        assert_code(lb_review_verify(fixture->review, &num), LB_LOG_FORK);
        assert_ok(lb_store_exec(store, "DELETE FROM act; INSERT INTO act SELECT * FROM kept;"
                                       "DROP TABLE kept"));
        assert_ok(lb_review_verify(fixture->review, &num));
        assert_int_equal(num, 2);
    }
}

static void test_queue_of_another_log(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review_progress progress;
    (void)raise_one(fixture, "no-case");
    fixture->origin = "city.gov/adapter/housing";
    struct lb_review_source source = fixture_source(fixture, 1);
    assert_code(lb_review_scan(fixture->review, fixture->rules, NULL, &source, 0, &progress),
                LB_LOG_FORK);
    fixture->origin = "city.gov/adapter/tax";
    source = fixture_source(fixture, 0); /* what was judged comes again */
    assert_code(lb_review_scan(fixture->review, fixture->rules, NULL, &source, 0, &progress),
                LB_LOG_FORK);
}

static void test_folder_open_to_others(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review *other = NULL;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/review", fixture->folder);
    assert_int_equal(chmod(path, 0755), 0);
    assert_code(lb_review_open(path, false, NULL, &fixture->diag, &other), LB_FILE_FAILED);
    assert_code(lb_review_open("/nowhere/at/all", false, NULL, &fixture->diag, &other),
                LB_FILE_FAILED);
}

/* --- drawing --- */

static void test_sample(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review_alert first;
    uint64_t seen = 0, drawn = 0;
    fixture_rules(fixture, "no-case");
    for (int i = 0; i < 200; i++)
        fixture_row(fixture, FIXTURE_TEN + i, (uint8_t)i)->case_no = i < 20 ? "" : "SA-1";
    fixture_scan(fixture);
    struct lb_review_draw draw = {
        .since_ms = FIXTURE_TEN, .until_ms = FIXTURE_TEN + 150, .per_mille = 200, .seed = {7}};
    const struct lb_review_source source = fixture_source(fixture, 0);
    assert_ok(lb_review_sample(fixture->review, fixture->rules, &source, &draw, "chen", 5, &seen,
                               &drawn));
    assert_int_equal(seen, 130); /* those with an alert are not drawn, nor what is outside */
    assert_true(drawn > 10 && drawn < 50);
    assert_int_equal(fixture_alerts(fixture, &first), 1 + drawn);
    int64_t id = first.id + 1;
    assert_string_equal(now(fixture, id).rule, "sample");
    /* A drawn row that is in order needs somebody and a reason, no explanation. */
    assert_ok(lb_review_assign(fixture->review, id, "li", "chen", 6));
    assert_ok(lb_review_conclude(fixture->review, id, LB_REVIEW_LAWFUL, WHY, "li", 7));
    draw.per_mille = 0;
    assert_code(lb_review_sample(fixture->review, fixture->rules, &source, &draw, "chen", 5,
                                 &seen, &drawn),
                LB_MALFORMED);
}

static void test_sample_depends_on_the_seed_alone(void **state)
{
    struct fixture *fixture = *state;
    uint64_t seen = 0, drawn = 0;
    fixture_rules(fixture, "no-case");
    for (int i = 0; i < 200; i++)
        (void)fixture_row(fixture, FIXTURE_TEN + i, (uint8_t)i);
    fixture_scan(fixture);
    const struct lb_review_draw draw = {
        .since_ms = FIXTURE_TEN, .until_ms = FIXTURE_TEN + 999, .per_mille = 100, .seed = {1}};
    struct lb_review_source source = fixture_source(fixture, 0);
    assert_ok(lb_review_sample(fixture->review, fixture->rules, &source, &draw, "chen", 5, &seen,
                               &drawn));
    source = fixture_source(fixture, 0);
    assert_ok(lb_review_sample(fixture->review, fixture->rules, &source, &draw, "chen", 6, &seen,
                               &drawn));
    assert_int_equal(drawn, 0); /* the same rows, and those have their alert */
}

/* --- listing --- */

static void test_list_filters(void **state)
{
    struct fixture *fixture = *state;
    struct lb_review_alert *alerts = NULL;
    size_t num = 0;
    uint64_t left = 0;
    int64_t id = raise_one(fixture, "no-case");
    const struct lb_review_filter none[] = {
        {.min_severity = LB_DETECT_CRITICAL},
        {.rule = "bulk"},
        {.assignee = "li"},
        {.since_ms = FIXTURE_TEN + 1},
        {.until_ms = FIXTURE_TEN},
    };
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_ok(lb_review_list(fixture->review, &none[i], fixture->arena, &alerts, &num, &left));
        assert_int_equal(num, 0);
    }
    assert_ok(lb_review_assign(fixture->review, id, "li", "chen", 1));
    const struct lb_review_filter filter = {
        .min_severity = LB_DETECT_HIGH, .rule = "no-case", .assignee = "li",
        .since_ms = FIXTURE_TEN, .until_ms = FIXTURE_TEN + 1};
    assert_ok(lb_review_list(fixture->review, &filter, fixture->arena, &alerts, &num, &left));
    assert_int_equal(num, 1);
    assert_int_equal(left, 0);
}

#define RUN(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_from_open_to_closed), RUN(test_steps_in_their_order),
        RUN(test_closing_needs_a_reason), RUN(test_no_evidence_no_act),
        RUN(test_closed_is_not_forgotten), RUN(test_chain_shows_tampering),
        RUN(test_queue_of_another_log), RUN(test_folder_open_to_others), RUN(test_sample),
        RUN(test_sample_depends_on_the_seed_alone), RUN(test_list_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
