#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/audit/review_fixture.h"

/* Each kind of rule: what is just short of it raises nothing, what fulfils it raises one alert that
 * names the rows it rests on. */

static struct lb_review_case only_alert(struct fixture *fixture)
{
    struct lb_review_alert alert;
    struct lb_review_case one;
    fixture_scan(fixture);
    assert_int_equal(fixture_alerts(fixture, &alert), 1);
    assert_ok(lb_review_show(fixture->review, alert.id, fixture->arena, &one));
    assert_int_equal(one.num_entries, alert.num_entries);
    assert_int_equal(alert.state, LB_REVIEW_OPEN);
    return one;
}

static void no_alert(struct fixture *fixture)
{
    fixture_scan(fixture);
    assert_int_equal(fixture_alerts(fixture, NULL), 0);
}

static void test_case_less(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "no-case");
    (void)fixture_row(fixture, FIXTURE_TEN, 1);
    fixture_deny(fixture_row(fixture, FIXTURE_TEN + 1, 1), "GRANT_EXPIRED");
    no_alert(fixture);
    fixture_row(fixture, FIXTURE_TEN + 2, 1)->case_no = "";
    fixture_deny(fixture_row(fixture, FIXTURE_TEN + 3, 1), "NO_CASE");
    struct lb_review_case one = only_alert(fixture);
    assert_int_equal(one.num_entries, 2);
    assert_int_equal(one.entries[0], 2);
    assert_non_null(strstr(one.alert.why_en, "2 times"));
}

static void test_after_hours(void **state)
{
    struct fixture *fixture = *state;
    const int64_t night = FIXTURE_TEN + 10 * 60 * FIXTURE_MINUTE;
    fixture_rules(fixture, "after-hours");
    for (uint8_t i = 0; i < 3; i++)
        (void)fixture_row(fixture, night + i * FIXTURE_MINUTE, i);
    no_alert(fixture);
    (void)fixture_row(fixture, night + 3 * FIXTURE_MINUTE, 4);
    struct lb_review_case one = only_alert(fixture);
    assert_int_equal(one.num_entries, 4);
    assert_int_equal(one.alert.first_ms, night);
    assert_int_equal(one.alert.severity, LB_DETECT_MEDIUM);
}

static void test_holiday_is_after_hours(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "after-hours");
    for (uint8_t i = 0; i < 8; i++) /* Saturday the 10th is worked, Sunday the 11th is not */
        (void)fixture_row(fixture, FIXTURE_TEN - 3 * FIXTURE_DAY + i * FIXTURE_MINUTE, i);
    no_alert(fixture);
    for (uint8_t i = 0; i < 4; i++)
        (void)fixture_row(fixture, FIXTURE_TEN - 2 * FIXTURE_DAY + i * FIXTURE_MINUTE, i);
    assert_int_equal(only_alert(fixture).num_entries, 4);
}

static void test_bulk(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "bulk");
    for (int i = 0; i < 90; i++) /* 30 persons, three times each */
        (void)fixture_row(fixture, FIXTURE_TEN + i * 1000, (uint8_t)(i % 30));
    no_alert(fixture);
    for (int i = 0; i < 9; i++)
        (void)fixture_row(fixture, FIXTURE_TEN + 90000 + i * 1000, (uint8_t)(100 + i));
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 99000, 200);
    struct lb_review_case one = only_alert(fixture);
    assert_int_equal(one.num_entries, 100);
    assert_non_null(strstr(one.alert.why_en, "40 persons"));
    assert_non_null(strstr(one.alert.why_zh, "40"));
}

static void test_bulk_needs_the_window(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "bulk");
    for (int i = 0; i < 60; i++)
        (void)fixture_row(fixture, FIXTURE_TEN + i * 2 * FIXTURE_MINUTE, (uint8_t)i);
    no_alert(fixture);
}

static void test_enumeration(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "enumeration");
    for (int i = 0; i < 30; i++) { /* the same wrong number again and again is no enumeration */
        fixture->missed[fixture->num] = true;
        (void)fixture_row(fixture, FIXTURE_TEN + i * 1000, 9);
    }
    no_alert(fixture);
    for (int i = 0; i < 4; i++) {
        fixture->missed[fixture->num] = true;
        (void)fixture_row(fixture, FIXTURE_TEN + 40000 + i * 1000, (uint8_t)(20 + i));
    }
    for (int i = 0; i < 3; i++) { /* numbers that are none have no pseudonym */
        struct lb_audit_row *row = fixture_row(fixture, FIXTURE_TEN + 50000 + i * 1000, 0);
        row->inner = "ID_INVALID";
        row->decision = LB_AUDIT_DENY;
        row->has_subject = false;
    }
    struct lb_review_case one = only_alert(fixture);
    assert_int_equal(one.num_entries, 37);
    assert_non_null(strstr(one.alert.why_en, " 8 different"));
}

static void test_many_offices(void **state)
{
    static const char *const offices[] = {"office-1", "office-2", "office-3", "office-4"};
    struct fixture *fixture = *state;
    fixture_rules(fixture, "many-offices");
    for (size_t i = 0; i < 3; i++)
        fixture_row(fixture, FIXTURE_TEN + (int64_t)i, 5)->organization = offices[i];
    fixture_row(fixture, FIXTURE_TEN + 10, 6)->organization = offices[3];
    no_alert(fixture);
    fixture_row(fixture, FIXTURE_TEN + 11, 5)->organization = offices[3];
    struct lb_review_case one = only_alert(fixture);
    assert_int_equal(one.num_entries, 4);
    assert_string_equal(one.alert.actor, ""); /* it is nobody's alone */
}

#define P7 "0707070707070707070707070707070707070707070707070707070707070707"
#define ONE "00000000000000000000000000000001"

static void test_own_relative(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "own-relative");
    fixture_lists(fixture, "kin:\n  - {actor: " ONE ", subject: " P7 ", relation: relative}\n");
    fixture_row(fixture, FIXTURE_TEN, 7)->actor = "00000000000000000000000000000002";
    (void)fixture_row(fixture, FIXTURE_TEN + 1, 8);
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 2, 7);
    struct lb_review_case one = only_alert(fixture);
    assert_int_equal(one.entries[0], 2);
    assert_string_equal(one.alert.actor, ONE);
}

static void test_colleague_is_another_rule(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "own-relative");
    fixture_lists(fixture, "kin:\n  - {actor: " ONE ", subject: " P7 ", relation: colleague}\n");
    (void)fixture_row(fixture, FIXTURE_TEN, 7);
    no_alert(fixture);
}

static void test_honey(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "honey");
    fixture_lists(fixture, "honey: [" P7 "]\n");
    (void)fixture_row(fixture, FIXTURE_TEN, 8);
    no_alert(fixture);
    struct lb_audit_row *row = fixture_row(fixture, FIXTURE_TEN + 1, 7);
    row->decision = LB_AUDIT_DENY; /* refused or not: nobody had a reason to ask */
    row->inner = "SUBJECT_MISMATCH";
    assert_int_equal(only_alert(fixture).alert.severity, LB_DETECT_CRITICAL);
}

static void test_dormant(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "dormant");
    (void)fixture_row(fixture, FIXTURE_TEN, 1);
    (void)fixture_row(fixture, FIXTURE_TEN + 60 * FIXTURE_DAY, 1);
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 121 * FIXTURE_DAY, 1);
    assert_int_equal(only_alert(fixture).entries[0], 2);
}

static void test_deny_then_allow(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "deny-then-allow");
    for (int i = 0; i < 2; i++)
        fixture_deny(fixture_row(fixture, FIXTURE_TEN + i, 1), "PURPOSE_NOT_ALLOWED");
    fixture_deny(fixture_row(fixture, FIXTURE_TEN + 3, 1), "GRANT_EXPIRED"); /* not of the list */
    (void)fixture_row(fixture, FIXTURE_TEN + 4, 1);
    no_alert(fixture);
    fixture_deny(fixture_row(fixture, FIXTURE_TEN + 5, 1), "FIELD_NOT_GRANTED");
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 6, 1);
    assert_non_null(strstr(only_alert(fixture).alert.why_en, "After 3 refusals"));
}

static void test_another_story(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "deny-then-allow");
    struct lb_audit_row *row = fixture_row(fixture, FIXTURE_TEN, 1);
    fixture_deny(row, "PURPOSE_NOT_ALLOWED");
    row->purpose = "housing";
    (void)fixture_row(fixture, FIXTURE_TEN + 130 * FIXTURE_MINUTE, 1); /* too late */
    no_alert(fixture);
    row = fixture_row(fixture, FIXTURE_TEN + 131 * FIXTURE_MINUTE, 1);
    fixture_deny(row, "PURPOSE_NOT_ALLOWED");
    row->purpose = "housing";
    (void)fixture_row(fixture, FIXTURE_TEN + 132 * FIXTURE_MINUTE, 1);
    assert_int_equal(only_alert(fixture).num_entries, 2);
}

static void test_first_class(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "first-class");
    fixture_row(fixture, FIXTURE_TEN, 1)->actor = "00000000000000000000000000000002";
    fixture->rows[0].class_max = 4; /* a newcomer's first is nothing yet */
    for (int i = 0; i < 60; i++)
        (void)fixture_row(fixture, FIXTURE_TEN + i * FIXTURE_DAY / 3, (uint8_t)i);
    no_alert(fixture);
    fixture_row(fixture, FIXTURE_TEN + 30 * FIXTURE_DAY, 1)->class_max = 4;
    fixture_row(fixture, FIXTURE_TEN + 31 * FIXTURE_DAY, 1)->class_max = 4;
    assert_int_equal(only_alert(fixture).entries[0], 61);
}

static void test_shared_credential(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "shared-credential");
    (void)fixture_row(fixture, FIXTURE_TEN, 1);
    fixture_row(fixture, FIXTURE_TEN + 21 * FIXTURE_MINUTE, 1)->requester =
        "spiffe://city.gov/window/office-1/hall-2";
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 30 * FIXTURE_MINUTE, 1);
    assert_int_equal(only_alert(fixture).num_entries, 2);
}

/* --- volume --- */

static void usual_days(struct fixture *fixture, const char *actor, int num)
{
    for (int day = 0; day < 6; day++)
        for (int i = 0; i < num; i++)
            fixture_row(fixture, FIXTURE_TEN + day * FIXTURE_DAY + i * FIXTURE_MINUTE,
                        (uint8_t)i)->actor = actor;
}

static void test_volume(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "volume");
    fixture->rules->rules[0].param[LB_DETECT_MIN_RECORDS] = 10;
    usual_days(fixture, ONE, 8);
    for (int i = 0; i < 16; i++) /* twice the usual is the most */
        (void)fixture_row(fixture, FIXTURE_TEN + 7 * FIXTURE_DAY + i, (uint8_t)i);
    no_alert(fixture);
    fixture_row(fixture, FIXTURE_TEN + 7 * FIXTURE_DAY + 17, 1)->retry = true; /* no second one */
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 7 * FIXTURE_DAY + 18, 1);
    struct lb_review_case one = only_alert(fixture);
    assert_non_null(strstr(one.alert.why_en, "17 look-ups"));
}

static void test_volume_of_peers(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "volume");
    fixture->rules->rules[0].param[LB_DETECT_MIN_RECORDS] = 10;
    for (int i = 0; i < 30; i++) /* nobody knows yet what is usual */
        fixture_row(fixture, FIXTURE_TEN - FIXTURE_DAY + i, 1)->actor =
            "00000000000000000000000000000003";
    usual_days(fixture, "00000000000000000000000000000002", 8);
    for (int i = 0; i < 12; i++)
        (void)fixture_row(fixture, FIXTURE_TEN + 7 * FIXTURE_DAY + i, (uint8_t)i);
    fixture->rules->rules[0].param[LB_DETECT_PERCENT] = 50; /* leaves that one odd day out */
    no_alert(fixture);
    (void)fixture_row(fixture, FIXTURE_TEN + 7 * FIXTURE_DAY + 12, 1);
    assert_int_equal(only_alert(fixture).alert.num_entries, 13);
}

/* --- what is left alone --- */

static void test_other_entries_are_passed_over(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, "no-case");
    fixture_row(fixture, FIXTURE_TEN, 1)->type = LB_LEAF_ADMIN;
    fixture_row(fixture, FIXTURE_TEN, 1)->detail = LB_AUDIT_DETAIL_ERASED;
    fixture->rows[0].case_no = fixture->rows[1].case_no = "";
    no_alert(fixture);
}

static void test_rows_without_an_operator(void **state)
{
    struct fixture *fixture = *state;
    fixture_rules(fixture, NULL);
    for (int i = 0; i < 100; i++) {
        struct lb_audit_row *row = fixture_row(fixture, FIXTURE_TEN + i, (uint8_t)i);
        fixture_deny(row, "SIGNATURE_INVALID");
        row->actor = row->unit = row->case_no = "";
    }
    no_alert(fixture);
}

#define RUN(test_) cmocka_unit_test_setup_teardown(test_, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(test_case_less), RUN(test_after_hours), RUN(test_holiday_is_after_hours),
        RUN(test_bulk), RUN(test_bulk_needs_the_window), RUN(test_enumeration),
        RUN(test_many_offices), RUN(test_own_relative), RUN(test_colleague_is_another_rule),
        RUN(test_honey), RUN(test_dormant), RUN(test_deny_then_allow), RUN(test_another_story),
        RUN(test_first_class), RUN(test_shared_credential), RUN(test_volume),
        RUN(test_volume_of_peers), RUN(test_other_entries_are_passed_over),
        RUN(test_rows_without_an_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
