#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/exchange/fixture.h"
#include "gateway/token/status_list.h"
#include "gateway/wire/pb.h"

/* How calls and links begin, meet and end: deadlines that strike in the middle, callers and
 * adapters that stay away, links that replace each other, and the end of the whole. */

static uint64_t log_size(struct fixture *fx)
{
    struct lb_log_head head;
    assert_ok(lb_log_head(fx->log, fx->arena, &head));
    return head.size;
}

/* Waits up to 60 s for a DENY entry with this code at or behind an index. */
static bool denial_recorded(struct fixture *fx, uint64_t from, const char *code)
{
    for (int i = 0; i < 600; i++) {
        for (uint64_t at = from; at < log_size(fx); at++) {
            struct lb_span bytes = LB_SPAN_EMPTY;
            struct lb_leaf leaf;
            assert_ok(lb_log_leaf(fx->log, at, fx->arena, &bytes));
            assert_ok(lb_leaf_decode(bytes, &leaf));
            if (leaf.type == LB_LEAF_DENY && strcmp(leaf.code, code) == 0)
                return true;
        }
        (void)usleep(100000);
    }
    return false;
}

/* A request whose first read a test spoils. */
static struct lb_span spoilt_request(struct fixture *fx, uint8_t txn,
                                     void (*spoil)(Lianban__V1__ReadRequest *read))
{
    Lianban__V1__CollectRequest *request = NULL;
    struct lb_span bytes = LB_SPAN_EMPTY;
    assert_ok(lb_pb_unpack(&lianban__v1__collect_request__descriptor,
                           fx_request(fx, 1, txn, FX_PATIENT_MS), fx->arena, &request));
    spoil(request->reads[0]);
    assert_ok(lb_pb_pack(request, fx->arena, &bytes));
    return bytes;
}

static void the_end_waits_for_what_is_under_way(void **state)
{
    (void)state;
    struct fixture fx;
    struct fx_call call;
    fx_setup(&fx);
    uint64_t before = log_size(&fx);
    fx_collect(&fx, &call, fx_operator_token(&fx), fx_request(&fx, 200, 1, 30000));
    fx_leave(&call);
    lb_workers_free(fx.workers);
    lb_exchange_free(fx.exchange);
    fx.workers = NULL;
    fx.exchange = NULL;
    assert_int_equal(log_size(&fx), before + 2 * 200); /* every ROUTE has its FAILURE */
    fx_teardown(&fx);
}

static void a_caller_that_takes_nothing_is_given_up(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    /* Its time was over long ago: nothing arrives, and nobody waits for the caller any more. */
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 3, 1, -60000));
    fx_wait(&call);
    for (int i = 0; i < 6000 && !__atomic_load_n(&call.failed, __ATOMIC_ACQUIRE); i++)
        (void)usleep(10000);
    assert_true(call.failed);
    assert_code(lb_status_code(call.status), LB_DEADLINE);
    fx_close(&call);
}

static void what_waits_for_callers_is_bounded(void **state)
{
    struct fixture *fx = *state;
    struct fx_call first, second;
    struct lb_span request = fx_request(fx, 200, 0, FX_PATIENT_MS);
    fx_collect(fx, &first, fx_operator_token(fx), request);
    fx_wait(&first);
    fx_collect(fx, &second, fx_operator_token(fx), request);
    fx_close(&second);
    assert_code(lb_status_code(second.status), LB_BUSY);
    fx_close(&first);
    fx_collect(fx, &second, fx_operator_token(fx), request);
    fx_close(&second);
    assert_ok(second.status);
}

static void ignore_kick(void *ctx)
{
    (void)ctx;
}

static void note_failure(void *ctx, lb_status status)
{
    *(lb_status *)ctx = status;
}

static void a_replaced_link_takes_and_gives_no_frame(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    struct fx_reply reply;
    struct lb_buf frame;
    lb_status second_failed = LB_OK;
    const struct lb_broker_port port = {&second_failed, ignore_kick, note_failure, false};
    struct lb_broker_link *second = NULL;
    fx_link(fx);
    Lianban__V1__Batch *batch = fx_collect_briefly(fx, &call, 4, 60);
    assert_non_null(batch);
    fx_reply_honest(fx, batch->reads[0], &reply);
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &second));
    assert_code(lb_status_code(fx->failed), LB_CANCELLED);
    assert_code(lb_status_code(fx_send(fx, &reply)), LB_CANCELLED);
    lb_buf_init(&frame, LB_MAX_MESSAGE_BYTES);
    assert_false(lb_broker_link_fill(fx->link, &frame));
    lb_buf_cleanup(&frame);
    /* The old link is not closed yet when the deadline strikes. */
    for (int i = 0; i < 4; i++) {
        Lianban__V1__CollectEvent *event = fx_event(fx, &call);
        assert_non_null(event);
        assert_string_equal(event->code, "DEADLINE");
    }
    fx_close(&call);
    fx_unlink(fx);
    lb_broker_link_close(second);
    assert_ok(second_failed);
}

/* An adapter that both listens and attaches has one link, and it stays. */
static void what_the_adapter_dialled_wins(void **state)
{
    struct fixture *fx = *state;
    lb_status theirs_failed = LB_OK, ours_failed = LB_OK;
    const struct lb_broker_port theirs = {&theirs_failed, ignore_kick, note_failure, true};
    const struct lb_broker_port ours = {&ours_failed, ignore_kick, note_failure, false};
    struct lb_broker_link *first = NULL, *attached = NULL, *again = NULL;
    assert_false(lb_exchange_attached(fx->exchange, FX_ADAPTER));
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &ours, &first));
    assert_false(lb_exchange_attached(fx->exchange, FX_ADAPTER));
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &theirs, &attached));
    assert_code(lb_status_code(ours_failed), LB_CANCELLED);
    lb_broker_link_close(first);
    assert_true(lb_exchange_attached(fx->exchange, FX_ADAPTER));
    assert_code(lb_status_code(lb_broker_link_new(fx->exchange, FX_ADAPTER, &ours, &first)),
                LB_CANCELLED);
    assert_ok(theirs_failed);
    /* A newer one of its own replaces the older, which it may have lost without our knowing. */
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &theirs, &again));
    assert_code(lb_status_code(theirs_failed), LB_CANCELLED);
    lb_broker_link_close(attached);
    assert_true(lb_exchange_attached(fx->exchange, FX_ADAPTER));
    lb_broker_link_close(again);
    assert_false(lb_exchange_attached(fx->exchange, FX_ADAPTER));
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &ours, &first));
    lb_broker_link_close(first);
}

static void expect_code(struct fixture *fx, uint8_t txn, const char *code)
{
    struct fx_call call;
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, txn, FX_PATIENT_MS));
    Lianban__V1__CollectEvent *event = fx_event(fx, &call);
    assert_non_null(event);
    assert_string_equal(event->code, code);
    fx_close(&call);
}

/* Who took leave is expected back, as is everybody after our own start, however often it is dialled
 * meanwhile; who was lost is not. */
static void who_took_leave_is_expected_back(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    expect_code(fx, 200, "STOPPING");
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 201, FX_PATIENT_MS));
    assert_non_null(fx_reads(fx));
    lb_broker_link_leave(fx->link);
    fx_unlink(fx);
    assert_string_equal(fx_event(fx, &call)->code, "STOPPING");
    fx_close(&call);
    expect_code(fx, 202, "STOPPING");
    fx_link_in_vain(fx);
    expect_code(fx, 203, "STOPPING");
    fx_link(fx);
    fx_unlink(fx);
    expect_code(fx, 204, "UNAVAILABLE");
}

/* A broker that stops waits for what it has taken on. */
static void a_drain_waits_for_collects(void **state)
{
    struct fixture *fx = *state;
    struct fx_call call;
    lb_exchange_drain(fx->exchange, FX_PATIENT_MS);
    fx_link(fx);
    fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 1, 210, 300));
    int64_t began = lb_clock_monotonic_ms(lb_clock_system());
    lb_exchange_drain(fx->exchange, 50);
    assert_true(lb_clock_monotonic_ms(lb_clock_system()) - began >= 50);
    assert_string_equal(fx_event(fx, &call)->code, "DEADLINE");
    fx_close(&call);
    lb_exchange_drain(fx->exchange, FX_PATIENT_MS);
    fx_unlink(fx);
}

static void a_deadline_in_the_middle_loses_nothing(void **state)
{
    struct fixture *fx = *state;
    fx_link(fx);
    for (int round = 0; round < 60; round++) {
        struct fx_call call;
        struct lb_buf frame;
        size_t num = 0;
        fx_collect(fx, &call, fx_operator_token(fx), fx_request(fx, 100, 100, 2 + round % 30));
        lb_buf_init(&frame, LB_MAX_MESSAGE_BYTES);
        for (int i = 0; i < 300 && !__atomic_load_n(&call.finished, __ATOMIC_ACQUIRE); i++) {
            while (lb_broker_link_fill(fx->link, &frame))
                frame.len = 0;
            (void)usleep(1000);
        }
        lb_buf_cleanup(&frame);
        fx_wait(&call);
        while (fx_event(fx, &call) != NULL)
            num++;
        assert_int_equal(num, 100);
        fx_close(&call);
    }
    fx_unlink(fx);
}

static void long_key_name(Lianban__V1__ReadRequest *read)
{
    static char name[900 * 1024];
    memset(name, 'k', sizeof(name) - 1);
    read->sealed->key_id = name;
}

static void long_key(Lianban__V1__ReadRequest *read)
{
    static uint8_t key[900 * 1024];
    read->sealed->enc = lb_pb_bytes(lb_span_of(key, sizeof(key)));
}

static void two_views_in_one(Lianban__V1__ReadRequest *read)
{
    static char *views[] = {(char *)(uintptr_t)"tax.wage,tax.business"};
    read->views = views;
}

static void view_of_control_characters(Lianban__V1__ReadRequest *read)
{
    static char *views[] = {(char *)(uintptr_t)"tax.\x01wage"};
    read->views = views;
}

static void huge_answer(Lianban__V1__ReadRequest *read)
{
    read->answer_bytes = LB_MAX_ANSWER_BYTES + 1;
}

static void an_impossible_read_costs_its_caller_only(void **state)
{
    struct fixture *fx = *state;
    void (*const spoils[])(Lianban__V1__ReadRequest *) = {
        long_key_name, long_key, two_views_in_one, view_of_control_characters, huge_answer};
    struct fx_call other, call;
    fx_link(fx);
    fx_collect(fx, &other, fx_operator_token(fx), fx_request(fx, 1, 70, FX_PATIENT_MS));
    Lianban__V1__Batch *batch = fx_reads(fx);
    struct fx_reply reply;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        fx_collect(fx, &call, fx_operator_token(fx),
                   spoilt_request(fx, (uint8_t)(71 + i), spoils[i]));
        fx_close(&call);
        assert_code(lb_status_code(call.status), LB_MALFORMED);
    }
    fx_reply_honest(fx, batch->reads[0], &reply);
    assert_ok(fx_send(fx, &reply));
    assert_string_equal(fx_event(fx, &other)->code, "ANSWERED");
    fx_close(&other);
    assert_ok(fx->failed);
    fx_unlink(fx);
}

static void our_own_short_log_is_not_held_against_the_adapter(void **state)
{
    struct fixture *fx = *state;
    Lianban__V1__Hello hello = LIANBAN__V1__HELLO__INIT;
    Lianban__V1__Frame frame = LIANBAN__V1__FRAME__INIT;
    struct lb_span bytes = LB_SPAN_EMPTY;
    lb_status failed = LB_OK;
    const struct lb_broker_port port = {&failed, ignore_kick, note_failure, false};
    struct lb_broker_link *link = NULL;
    uint64_t before = log_size(fx);
    hello.version_min = hello.version_max = 1;
    hello.seen_size = 1 << 30;
    frame.body_case = LIANBAN__V1__FRAME__BODY_HELLO;
    frame.hello = &hello;
    assert_ok(lb_pb_pack(&frame, fx->arena, &bytes));
    assert_ok(lb_broker_link_new(fx->exchange, FX_ADAPTER, &port, &link));
    assert_code(lb_status_code(lb_broker_link_receive(link, bytes)), LB_LOG_BEHIND);
    lb_broker_link_close(link);
    assert_true(denial_recorded(fx, before, "LOG_BEHIND"));
    fx_link(fx); /* not in quarantine */
    fx_unlink(fx);
}

static struct lb_span status_list(struct fixture *fx, const char *uri, uint64_t seq)
{
    static const uint8_t states[16];
    struct lb_span token = LB_SPAN_EMPTY;
    assert_ok(lb_status_list_sign("consent-hall", "h1", uri, seq,
                                  lb_clock_unix_s(lb_clock_system()), 900,
                                  lb_span_of(states, sizeof(states)), fx->hall.issuer_key,
                                  fx->arena, &token));
    return token;
}

static enum lb_code relay(struct fixture *fx, struct lb_span token)
{
    Lianban__V1__RelayStatusResponse *response = NULL;
    return lb_status_code(
        lb_exchange_relay_status(fx->exchange, token, 100, fx->arena, &response));
}

static void a_list_that_is_not_in_force_is_not_called_so(void **state)
{
    struct fixture *fx = *state;
    static const char uri[] = "https://hall.test.gov/1";
    struct lb_span fifth = status_list(fx, uri, 5);
    assert_code(relay(fx, fifth), LB_CODE_OK);
    assert_code(relay(fx, fifth), LB_CODE_OK);
    assert_code(relay(fx, status_list(fx, uri, 5)), LB_STATUS_FORK);
    assert_code(relay(fx, status_list(fx, uri, 4)), LB_STATUS_STALE);
    assert_code(relay(fx, status_list(fx, uri, 6)), LB_CODE_OK);
    /* An office can't fill the broker with lists that nobody knows. */
    assert_code(relay(fx, status_list(fx, "https://hall.test.gov/2", 1)), LB_GRANT_MALFORMED);
}

#define WITH_FIXTURE(test_) cmocka_unit_test_setup_teardown(test_, fx_begin, fx_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_waits_for_what_is_under_way),
        WITH_FIXTURE(a_caller_that_takes_nothing_is_given_up),
        WITH_FIXTURE(what_waits_for_callers_is_bounded),
        WITH_FIXTURE(a_replaced_link_takes_and_gives_no_frame),
        WITH_FIXTURE(what_the_adapter_dialled_wins),
        WITH_FIXTURE(who_took_leave_is_expected_back),
        WITH_FIXTURE(a_drain_waits_for_collects),
        WITH_FIXTURE(a_deadline_in_the_middle_loses_nothing),
        WITH_FIXTURE(an_impossible_read_costs_its_caller_only),
        WITH_FIXTURE(our_own_short_log_is_not_held_against_the_adapter),
        WITH_FIXTURE(a_list_that_is_not_in_force_is_not_called_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
