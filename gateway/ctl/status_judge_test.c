#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/status.h"
#include "gateway/ctl/status_judge.h"

/* Red, yellow and green, by what a broker says. */

#define NOW_MS INT64_C(1800000000000)
#define NOW_S (NOW_MS / 1000)
#define DAY_S INT64_C(86400)

static Lianban__V1__MemberStatus adapter(void)
{
    Lianban__V1__MemberStatus member = LIANBAN__V1__MEMBER_STATUS__INIT;
    member.spiffe = (char *)(uintptr_t) "spiffe://test.gov/adapter/tax";
    member.linked = true;
    member.changed_unix_ms = NOW_MS - 60000;
    member.certificate_not_after_unix_s = NOW_S + 90 * DAY_S;
    member.log_shown_unix_ms = NOW_MS - 1000;
    return member;
}

static int level(const Lianban__V1__MemberStatus *member, enum lb_node_kind kind)
{
    struct lb_status_finding findings[LB_STATUS_MAX_FINDINGS];
    size_t num = lb_status_judge(member, kind, NOW_MS, findings);
    for (size_t i = 1; i < num; i++)
        assert_true(findings[i - 1].level >= findings[i].level);
    return num == 0 ? LB_STATUS_GREEN : (int)findings[0].level;
}

static void test_adapters(void **state)
{
    Lianban__V1__MemberStatus member = adapter();
    (void)state;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_GREEN);
    member.unacknowledged_lists = 1;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_YELLOW);
    member.changed_unix_ms = NOW_MS - 1000; /* it has only just linked */
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_GREEN);
    member.pending = 2000;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_YELLOW);
    member = adapter();
    member.pending = 1;
    member.log_shown_unix_ms = NOW_MS - 3600000;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_YELLOW);
    member = adapter();
    member.linked = false;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_RED);
    member = adapter();
    member.quarantine = (char *)(uintptr_t) "LOG_FORK";
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_RED);
}

static void test_parcels(void **state)
{
    Lianban__V1__MemberStatus member = adapter();
    Lianban__V1__GetStatusResponse response = LIANBAN__V1__GET_STATUS_RESPONSE__INIT;
    struct lb_status_finding findings[LB_STATUS_MAX_FINDINGS];
    (void)state;
    member.parcels_since_unix_s = NOW_S - 600;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_GREEN); /* of none */
    member.parcels = 1;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_GREEN);
    member.parcels_since_unix_s--;
    assert_int_equal(level(&member, LB_NODE_ADAPTER), LB_STATUS_YELLOW);
    assert_int_equal(level(&member, LB_NODE_WINDOW), LB_STATUS_YELLOW);
    member.parcels_since_unix_s = NOW_S - DAY_S - 1;
    assert_int_equal(level(&member, LB_NODE_WINDOW), LB_STATUS_RED);
    response.unix_ms = NOW_MS;
    response.directory_expires_unix_s = NOW_S + 30 * DAY_S;
    response.log_state = (char *)(uintptr_t)"ok";
    response.outbox_percent = 89;
    assert_int_equal(lb_status_judge_broker(&response, findings), 0);
    response.outbox_percent = 90;
    assert_int_equal(lb_status_judge_broker(&response, findings), 1);
    assert_int_equal(findings[0].level, LB_STATUS_RED);
}

static void test_certificates(void **state)
{
    static const struct {
        int64_t left_s;
        int level;
    } cases[] = {
        {31 * DAY_S, LB_STATUS_GREEN}, {30 * DAY_S, LB_STATUS_YELLOW},
        {7 * DAY_S, LB_STATUS_YELLOW}, {DAY_S + 1, LB_STATUS_YELLOW},
        {DAY_S, LB_STATUS_RED},        {-1, LB_STATUS_RED},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        Lianban__V1__MemberStatus member = adapter();
        member.certificate_not_after_unix_s = NOW_S + cases[i].left_s;
        assert_int_equal(level(&member, LB_NODE_ADAPTER), cases[i].level);
        assert_int_equal(level(&member, LB_NODE_WINDOW), cases[i].level);
    }
}

static void test_offices_and_others(void **state)
{
    Lianban__V1__MemberStatus member = LIANBAN__V1__MEMBER_STATUS__INIT;
    (void)state;
    member.spiffe = (char *)(uintptr_t) "spiffe://test.gov/consent/hall";
    assert_int_equal(level(&member, LB_NODE_CONSENT), LB_STATUS_RED); /* never seen */
    member.seen_unix_ms = NOW_MS - 5000;
    assert_int_equal(level(&member, LB_NODE_CONSENT), LB_STATUS_GREEN);
    member.seen_unix_ms = 0;
    member.spiffe = (char *)(uintptr_t) "spiffe://test.gov/consent/hall/desk-1";
    assert_int_equal(level(&member, LB_NODE_CONSENT), LB_STATUS_GREEN);
    assert_int_equal(level(&member, LB_NODE_WINDOW), LB_STATUS_GREEN);
}

static void test_brokers(void **state)
{
    Lianban__V1__GetStatusResponse response = LIANBAN__V1__GET_STATUS_RESPONSE__INIT;
    struct lb_status_finding findings[LB_STATUS_MAX_FINDINGS];
    (void)state;
    response.unix_ms = NOW_MS;
    response.log_state = (char *)(uintptr_t) "ok";
    response.directory_expires_unix_s = NOW_S + 30 * DAY_S;
    assert_int_equal(lb_status_judge_broker(&response, findings), 0);
    response.directory_expires_unix_s = NOW_S + DAY_S;
    assert_int_equal(lb_status_judge_broker(&response, findings), 1);
    assert_int_equal(findings[0].level, LB_STATUS_YELLOW);
    response.log_state = (char *)(uintptr_t) "space_full";
    assert_int_equal(lb_status_judge_broker(&response, findings), 2);
    assert_int_equal(findings[0].level, LB_STATUS_RED);
    assert_int_equal(findings[1].level, LB_STATUS_YELLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adapters),
        cmocka_unit_test(test_parcels),
        cmocka_unit_test(test_certificates),
        cmocka_unit_test(test_offices_and_others),
        cmocka_unit_test(test_brokers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
