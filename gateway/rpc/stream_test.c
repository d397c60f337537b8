/* Streams: order, coalescing, bounds, and both ways of ending. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "gateway/rpc/ends.h"

#define NUM_THREADS 4
#define PER_THREAD 2500
#define NUM_RECORDS (NUM_THREADS * PER_THREAD)
#define RECORD_BYTES 8

/* --- ten thousand records from four threads --- */

struct sender {
    struct lb_rpc_stream *stream;
    struct outbox outbox;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint8_t seen[NUM_RECORDS];
    size_t num_seen;
    bool wrong;
    bool closed;
    enum lb_code code;
};

struct writer {
    struct sender *sender;
    uint32_t first;
};

static void sender_message(void *self, struct lb_rpc_stream *stream, struct lb_span bytes)
{
    (void)stream;
    struct sender *sender = self;
    struct lb_cursor cur = lb_cursor_of(bytes);
    (void)pthread_mutex_lock(&sender->lock);
    while (cur.left > 0 && !cur.failed) {
        uint64_t record = lb_cursor_u64(&cur);
        sender->wrong = sender->wrong || cur.failed || record >= NUM_RECORDS ||
                        sender->seen[record]++ != 0;
        sender->num_seen++;
    }
    (void)pthread_cond_broadcast(&sender->changed);
    (void)pthread_mutex_unlock(&sender->lock);
}

static bool sender_fill(void *self, struct lb_rpc_stream *stream, struct lb_buf *out)
{
    (void)stream;
    struct sender *sender = self;
    return outbox_take(&sender->outbox, out);
}

static void sender_closed(void *self, struct lb_rpc_stream *stream, lb_status status)
{
    (void)stream;
    struct sender *sender = self;
    (void)pthread_mutex_lock(&sender->lock);
    sender->closed = true;
    sender->code = lb_status_code(status);
    (void)pthread_cond_broadcast(&sender->changed);
    (void)pthread_mutex_unlock(&sender->lock);
}

static const struct lb_rpc_stream_events sender_events = {
    .message = sender_message,
    .fill = sender_fill,
    .closed = sender_closed,
};

/* However slowly the connection comes up, what waits goes in more than one frame. */
static void wait_until_taken(struct outbox *outbox)
{
    bool taken = false;
    for (int i = 0; i < 60000 && !taken; i++) {
        (void)pthread_mutex_lock(&outbox->lock);
        taken = outbox->waiting.len == 0;
        (void)pthread_mutex_unlock(&outbox->lock);
        if (!taken)
            fixture_sleep_ms(1);
    }
}

static void *write_records(void *arg)
{
    const struct writer *writer = arg;
    for (uint32_t i = 0; i < PER_THREAD; i++) {
        struct lb_buf record;
        lb_buf_init(&record, RECORD_BYTES);
        lb_buf_put_u64(&record, writer->first + i);
        outbox_add(&writer->sender->outbox, lb_buf_span(&record));
        lb_buf_cleanup(&record);
        lb_rpc_stream_kick(writer->sender->stream);
        if (i % 50 == 0)
            fixture_sleep_ms(1);
        if (i % (PER_THREAD / 10) == 0)
            wait_until_taken(&writer->sender->outbox);
    }
    return NULL;
}

static void records_coalesce_and_none_is_lost(void **state)
{
    (void)state;
    struct fixture fixture;
    pthread_t threads[NUM_THREADS];
    struct writer writers[NUM_THREADS];
    struct sender *sender = calloc(1, sizeof(*sender));
    assert_non_null(sender);
    ends_start(&fixture, 64);
    outbox_init(&sender->outbox);
    (void)pthread_mutex_init(&sender->lock, NULL);
    (void)pthread_cond_init(&sender->changed, NULL);
    assert_null(lb_rpc_open(fixture.channel, ENDS_STREAM, NULL, 0, 0, &sender_events,
                            sender, &sender->stream));
    for (uint32_t i = 0; i < NUM_THREADS; i++) {
        writers[i] = (struct writer){sender, i * PER_THREAD};
        assert_int_equal(pthread_create(&threads[i], NULL, write_records, &writers[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    lb_rpc_stream_finish(sender->stream, LB_OK);
    (void)pthread_mutex_lock(&sender->lock);
    while (!sender->closed)
        (void)pthread_cond_wait(&sender->changed, &sender->lock);
    (void)pthread_mutex_unlock(&sender->lock);
    assert_int_equal(sender->code, LB_CODE_OK);
    assert_int_equal(sender->num_seen, NUM_RECORDS);
    assert_false(sender->wrong);
    assert_in_range(sender->outbox.frames, 10, NUM_RECORDS / 2);
    print_message("%d records in %u frames\n", NUM_RECORDS, sender->outbox.frames);
    lb_rpc_stream_unref(sender->stream);
    outbox_cleanup(&sender->outbox);
    (void)pthread_cond_destroy(&sender->changed);
    (void)pthread_mutex_destroy(&sender->lock);
    free(sender);
    fixture_stop(&fixture, 1000);
}

/* --- ending --- */

static void queued_messages_go_before_the_status(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_TEN, 5000), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("again")));
    assert_int_equal(recorder_end(&recorder), LB_GRANT_EXPIRED);
    assert_int_equal(recorder.num_messages, 10);
    assert_string_equal(recorder.last, "again");
    fixture_stop(&fixture, 1000);
}

static void half_close_ends_both_sides(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_STREAM, 0), 0);
    for (int i = 0; i < 20; i++)
        assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("12345678")));
    lb_rpc_stream_finish(recorder.stream, LB_OK);
    assert_int_equal(recorder_end(&recorder), LB_CODE_OK);
    assert_int_equal(recorder.num_bytes, 160);
    assert_int_equal(recorder.half_closed, 1);
    fixture_stop(&fixture, 1000);
    assert_int_equal(atomic_load(&ends_seen.closed_times), 1);
    assert_int_equal(atomic_load(&ends_seen.closed_code), LB_CODE_OK);
}

static void refused_stream_gets_its_code(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_REFUSED, 5000), 0);
    assert_int_equal(recorder_end(&recorder), LB_ROLE_NOT_ALLOWED);
    fixture_stop(&fixture, 1000);
}

static void server_cancels_with_a_code(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_CUT, 5000), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("x")));
    assert_int_equal(recorder_end(&recorder), LB_CONTEXT_UNKNOWN);
    fixture_stop(&fixture, 1000);
}

/* Sends until the queue stays full, so that a write is in flight; returns how many were taken. */
static size_t fill_up(struct lb_rpc_stream *stream, struct lb_span bytes)
{
    size_t sent = 0;
    int refused = 0;
    while (refused < 50) {
        if (lb_rpc_stream_send(stream, bytes) == LB_OK)
            sent++;
        else
            refused++;
        fixture_sleep_ms(1);
    }
    return sent;
}

/* In the middle of a write that the client does not take, too. */
static void server_cancels_a_blocked_write(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    uint8_t *bytes = calloc(1, LB_MAX_MESSAGE_BYTES);
    assert_non_null(bytes);
    ends_start(&fixture, 64);
    recorder_init(&recorder);
    recorder.pause_each = true;
    assert_null(lb_rpc_open(fixture.channel, ENDS_COUNT, NULL, 0, 0, &recorder_events, &recorder,
                            &recorder.stream));
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("first")));
    while (atomic_load(&ends_seen.counting) == NULL)
        fixture_sleep_ms(1);
    struct lb_rpc_stream *end = atomic_load(&ends_seen.counting);
    size_t sent = fill_up(end, lb_span_of(bytes, LB_MAX_MESSAGE_BYTES));
    lb_rpc_stream_cancel(end, LB_FAULT(LB_GRANT_REVOKED, "test"));
    int64_t start = fixture_now_ms();
    while (atomic_load(&ends_seen.closed_times) == 0 && fixture_now_ms() - start < 5000)
        fixture_sleep_ms(1);
    assert_int_equal(atomic_load(&ends_seen.closed_code), LB_GRANT_REVOKED);
    while (!recorder_wait_closed(&recorder, 10))
        lb_rpc_stream_resume(recorder.stream);
    assert_int_equal(recorder_end(&recorder), LB_GRANT_REVOKED);
    assert_in_range(recorder.num_messages, 1, sent - 8);
    lb_rpc_stream_unref(end);
    free(bytes);
    fixture_stop(&fixture, 1000);
}

static void client_cancels_with_its_reason(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_STREAM, 0), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("12345678")));
    assert_true(recorder_wait_messages(&recorder, 1, 5000));
    lb_rpc_stream_cancel(recorder.stream, LB_FAULT(LB_STOPPING, "test"));
    assert_int_equal(recorder_end(&recorder), LB_STOPPING);
    fixture_stop(&fixture, 2000);
    assert_int_equal(atomic_load(&ends_seen.closed_times), 1);
    assert_int_equal(atomic_load(&ends_seen.closed_code), LB_CANCELLED);
}

static void stream_deadline_is_kept(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_STREAM, 1000), 0);
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("12345678")));
    assert_true(recorder_wait_messages(&recorder, 1, 5000));
    assert_int_equal(recorder_end(&recorder), LB_DEADLINE);
    fixture_stop(&fixture, 2000);
    assert_int_equal(atomic_load(&ends_seen.closed_times), 1);
    assert_int_equal(atomic_load(&ends_seen.closed_code), LB_DEADLINE);
}

static void stop_ends_open_streams(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder[3];
    ends_start(&fixture, 64);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(recorder_open(&recorder[i], fixture.channel, ENDS_STREAM, 0), 0);
        assert_null(lb_rpc_stream_send(recorder[i].stream, lb_span_str("12345678")));
        assert_true(recorder_wait_messages(&recorder[i], 1, 5000));
    }
    lb_rpc_server_stop(fixture.server, 100);
    fixture.server = NULL;
    assert_int_equal(atomic_load(&ends_seen.closed_times), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(recorder_end(&recorder[i]), LB_STOPPING);
    fixture_stop(&fixture, 0);
}

/* --- bounds --- */

static void full_queue_is_busy(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    uint8_t *bytes = calloc(1, LB_MAX_MESSAGE_BYTES + 1);
    assert_non_null(bytes);
    struct lb_span big = lb_span_of(bytes, LB_MAX_MESSAGE_BYTES);
    assert_int_equal(recorder_open(&recorder, fixture.channel, ENDS_DEAF, 0), 0);
    size_t sent = 0;
    lb_status status = LB_OK;
    for (; sent < 100 && status == LB_OK; sent++) {
        status = lb_rpc_stream_send(recorder.stream, big);
        fixture_sleep_ms(2);
    }
    assert_int_equal(lb_status_code(status), LB_BUSY);
    assert_in_range(sent, 8, 20); /* 8 MiB queued, and a little taken by the peer */
    big.len++;
    assert_int_equal(lb_status_code(lb_rpc_stream_send(recorder.stream, big)), LB_TOO_LARGE);
    lb_rpc_stream_cancel(recorder.stream, LB_OK);
    assert_int_equal(recorder_end(&recorder), LB_CANCELLED);
    free(bytes);
    fixture_stop(&fixture, 1000);
}

static void paused_stream_reads_nothing_more(void **state)
{
    (void)state;
    struct fixture fixture;
    struct recorder recorder;
    ends_start(&fixture, 64);
    recorder_init(&recorder);
    recorder.pause_each = true;
    assert_null(lb_rpc_open(fixture.channel, ENDS_TEN, NULL, 0, 0, &recorder_events,
                            &recorder, &recorder.stream));
    assert_null(lb_rpc_stream_send(recorder.stream, lb_span_str("again")));
    for (size_t i = 1; i <= 10; i++) {
        assert_true(recorder_wait_messages(&recorder, i, 5000));
        fixture_sleep_ms(5);
        assert_int_equal(recorder.num_messages, i);
        assert_true(i == 10 || recorder.closed == 0); /* the status comes behind the last */
        lb_rpc_stream_resume(recorder.stream);
    }
    assert_int_equal(recorder_end(&recorder), LB_GRANT_EXPIRED);
    fixture_stop(&fixture, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_coalesce_and_none_is_lost),
        cmocka_unit_test(queued_messages_go_before_the_status),
        cmocka_unit_test(half_close_ends_both_sides),
        cmocka_unit_test(refused_stream_gets_its_code),
        cmocka_unit_test(server_cancels_with_a_code),
        cmocka_unit_test(server_cancels_a_blocked_write),
        cmocka_unit_test(client_cancels_with_its_reason),
        cmocka_unit_test(stream_deadline_is_kept),
        cmocka_unit_test(stop_ends_open_streams),
        cmocka_unit_test(full_queue_is_busy),
        cmocka_unit_test(paused_stream_reads_nothing_more),
    };
    return cmocka_run_group_tests(tests, fixture_certs, fixture_clean);
}
