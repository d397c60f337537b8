#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/limits.h"
#include "gateway/window/events.h"

/* The list of events and its listeners, alone. */

struct ear {
    size_t kicks;
    size_t finishes;
    lb_status status;
    struct lb_case_listener *listener;
};

static void kick(void *ctx)
{
    ((struct ear *)ctx)->kicks++;
}

static void finish(void *ctx, lb_status status)
{
    struct ear *ear = ctx;
    ear->finishes++;
    ear->status = status;
}

static void listen(struct lb_feed *feed, enum lb_feed_from from, struct ear *ear)
{
    const struct lb_listener_port port = {ear, kick, finish};
    *ear = (struct ear){0};
    assert_true(lb_feed_listen(feed, from, &port, &ear->listener) == LB_OK);
}

static void push(struct lb_feed *feed, unsigned number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", number);
    assert_true(lb_feed_push(feed, lb_span_str(text)) == LB_OK);
}

/* The next event's number, -1 when there is none. */
static int next(struct ear *ear)
{
    struct lb_buf out;
    int number = -1;
    lb_buf_init(&out, 64);
    if (lb_case_listener_fill(ear->listener, &out)) {
        lb_buf_put_u8(&out, 0);
        assert_int_equal(sscanf((const char *)out.ptr, "%d", &number), 1);
    }
    lb_buf_cleanup(&out);
    return number;
}

static void silent_until_started(void **state)
{
    struct lb_feed *feed = lb_feed_new();
    struct ear ear;
    (void)state;
    listen(feed, LB_FEED_FIRST, &ear);
    push(feed, 1);
    assert_int_equal(ear.kicks, 0);
    lb_feed_start(ear.listener);
    assert_int_equal(ear.kicks, 1);
    push(feed, 2);
    assert_int_equal(ear.kicks, 2);
    assert_int_equal(next(&ear), 1);
    assert_int_equal(next(&ear), 2);
    assert_int_equal(next(&ear), -1);
    lb_case_listener_close(ear.listener);
    push(feed, 3);
    assert_int_equal(ear.kicks, 2); /* the port is forgotten */
    lb_feed_unref(feed);
}

static void collect_ends(void **state)
{
    struct lb_feed *feed = lb_feed_new();
    struct ear first, watch, late;
    (void)state;
    push(feed, 1);
    lb_feed_begin(feed);
    listen(feed, LB_FEED_COLLECT, &first);
    listen(feed, LB_FEED_FIRST, &watch);
    listen(feed, LB_FEED_COLLECT, &late);
    lb_feed_start(first.listener);
    lb_feed_start(watch.listener);
    push(feed, 2);
    lb_feed_end(feed, LB_FAULT(LB_GRANT_PENDING, "test"));
    assert_int_equal(first.finishes, 1);
    assert_int_equal(first.status->code, LB_GRANT_PENDING);
    assert_int_equal(watch.finishes, 0);
    lb_feed_start(late.listener); /* started after the end: told all the same */
    assert_int_equal(late.kicks, 1);
    assert_int_equal(late.finishes, 1);
    lb_feed_begin(feed);
    push(feed, 3); /* of the next collect */
    assert_int_equal(first.kicks, 1);
    assert_int_equal(next(&first), 2);
    assert_int_equal(next(&first), -1);
    assert_int_equal(next(&late), 2);
    assert_int_equal(next(&late), -1);
    assert_int_equal(next(&watch), 1);
    assert_int_equal(next(&watch), 2);
    assert_int_equal(next(&watch), 3);
    lb_feed_close(feed);
    assert_int_equal(first.finishes, 1);
    assert_int_equal(watch.finishes, 1);
    assert_true(watch.status == LB_OK);
    lb_case_listener_close(first.listener);
    lb_case_listener_close(late.listener);
    lb_feed_unref(feed); /* one listener still holds it */
    assert_int_equal(next(&watch), -1);
    lb_case_listener_close(watch.listener);
}

static void listening_to_a_closed_case(void **state)
{
    struct lb_feed *feed = lb_feed_new();
    struct ear ear;
    (void)state;
    push(feed, 1);
    lb_feed_close(feed);
    listen(feed, LB_FEED_FIRST, &ear);
    assert_int_equal(ear.finishes, 0);
    lb_feed_start(ear.listener);
    assert_int_equal(ear.finishes, 1);
    assert_int_equal(next(&ear), -1);
    lb_case_listener_close(ear.listener);
    lb_feed_unref(feed);
}

/* The oldest go between collects; the numbers of those that stay don't move. */
static void bounded(void **state)
{
    struct lb_feed *feed = lb_feed_new();
    struct ear slow, quick;
    (void)state;
    listen(feed, LB_FEED_FIRST, &slow);
    listen(feed, LB_FEED_FIRST, &quick);
    lb_feed_start(slow.listener);
    lb_feed_start(quick.listener);
    for (unsigned i = 0; i < LB_FEED_MAX_EVENTS + 10; i++) {
        push(feed, i);
        assert_int_equal(next(&quick), (int)i);
    }
    lb_feed_begin(feed);
    push(feed, 70000);
    assert_int_equal(next(&slow), 10);
    assert_int_equal(next(&slow), 11);
    assert_int_equal(next(&quick), 70000);
    assert_int_equal(next(&quick), -1);
    lb_case_listener_close(slow.listener);
    lb_case_listener_close(quick.listener);
    lb_feed_unref(feed);
}

/* An event that does not fit ends the listener instead of leaving a gap. */
static void too_large_an_event(void **state)
{
    struct lb_feed *feed = lb_feed_new();
    struct ear ear;
    static const char large[200] = "1";
    (void)state;
    listen(feed, LB_FEED_FIRST, &ear);
    lb_feed_start(ear.listener);
    assert_true(lb_feed_push(feed, lb_span_of(large, sizeof(large))) == LB_OK);
    assert_int_equal(next(&ear), -1);
    assert_int_equal(ear.finishes, 1);
    assert_int_equal(ear.status->code, LB_TOO_LARGE);
    lb_case_listener_close(ear.listener);
    lb_feed_unref(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_until_started),
        cmocka_unit_test(collect_ends),
        cmocka_unit_test(listening_to_a_closed_case),
        cmocka_unit_test(bounded),
        cmocka_unit_test(too_large_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
