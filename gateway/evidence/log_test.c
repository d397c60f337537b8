#include <pthread.h>
#include <semaphore.h>

#include "gateway/evidence/test_log.h"

static void an_entry_is_written_signed_and_proved(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entry = test_entry();
    assert_ok(lb_log_append_wait(log, &entry));
    assert_int_equal(entry.index, 0);
    assert_int_equal(entry.leaf.time_ms, TEST_NOW_MS);
    struct lb_leaf leaf;
    struct lb_span bytes = lb_span_of(entry.leaf_bytes, entry.leaf_len);
    assert_ok(lb_leaf_decode(bytes, &leaf));
    assert_string_equal(leaf.code, "ANSWERED");
    assert_int_equal(leaf.count, 1);
    test_append(log, 9);
    struct lb_log_head head;
    struct lb_checkpoint checkpoint;
    assert_ok(lb_log_head(log, fixture->arena, &head));
    assert_ok(lb_checkpoint_open(head.checkpoint, &fixture->verifier, &checkpoint));
    assert_int_equal(checkpoint.size, 10);
    assert_hash(&head.root, checkpoint.root);
    struct lb_hash *path;
    size_t num = 0;
    assert_ok(lb_log_inclusion(log, 0, 10, fixture->arena, &path, &num));
    assert_ok(lb_merkle_verify_inclusion(&entry.leaf_hash, 0, 10, path, num, &head.root));
    struct lb_span stored;
    assert_ok(lb_log_leaf(log, 0, fixture->arena, &stored));
    assert_true(lb_span_eq(stored, bytes));
    assert_code(lb_log_leaf(log, 10, fixture->arena, &stored), LB_ABSENT);
    assert_code(lb_log_inclusion(log, 10, 10, fixture->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_log_inclusion(log, 0, 11, fixture->arena, &path, &num), LB_MALFORMED);
    assert_code(lb_log_consistency(log, 3, 11, fixture->arena, &path, &num), LB_MALFORMED);
    assert_string_equal(lb_log_origin(log), TEST_ORIGIN);
    assert_true(lb_log_healthy(log));
    lb_log_close(log);
}

static void a_reopened_log_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_head before;
    assert_int_equal(test_size(fixture, log), 0);
    test_append(log, 300);
    assert_ok(lb_log_head(log, fixture->arena, &before));
    lb_log_close(log);
    log = test_open(fixture);
    struct lb_log_head after;
    assert_ok(lb_log_head(log, fixture->arena, &after));
    assert_int_equal(after.size, 300);
    assert_true(lb_span_eq(before.checkpoint, after.checkpoint));
    test_append(log, 300);
    struct lb_hash *path;
    size_t num = 0;
    assert_ok(lb_log_head(log, fixture->arena, &after));
    assert_ok(lb_log_consistency(log, 300, 600, fixture->arena, &path, &num));
    assert_ok(lb_merkle_verify_consistency(300, &before.root, 600, &after.root, path, num));
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, 600);
}

/* What a callback saw through connections of its own. */
struct seen {
    struct fixture *fixture;
    uint64_t size;
    enum lb_code verified;
    enum lb_code told;
    sem_t done;
};

static void look_from_outside(struct lb_log_entry *entry, lb_status status)
{
    struct seen *seen = entry->owner;
    struct lb_log_verdict verdict = {.size = 0};
    seen->told = lb_status_code(status);
    seen->verified =
        lb_status_code(test_verify(seen->fixture, seen->fixture->folder, &verdict));
    seen->size = verdict.size;
    (void)sem_post(&seen->done);
}

static void done_is_called_after_the_commit(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct seen seen = {.fixture = fixture};
    (void)sem_init(&seen.done, 0, 0);
    for (uint64_t i = 0; i < 5; i++) {
        struct lb_log_entry entry = test_entry();
        entry.done = look_from_outside;
        entry.owner = &seen;
        assert_ok(lb_log_append(log, &entry));
        (void)sem_wait(&seen.done);
        assert_int_equal(seen.told, LB_CODE_OK);
        assert_int_equal(seen.verified, LB_CODE_OK);
        assert_int_equal(seen.size, i + 1);
    }
    (void)sem_destroy(&seen.done);
    lb_log_close(log);
}

static void impossible_entries_are_refused_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    static const uint8_t big[LB_MAX_DETAIL_BYTES + 1];
    struct lb_log_entry entry = test_entry();
    entry.leaf.type = LB_LEAF_TYPE_END;
    assert_code(lb_log_append_wait(log, &entry), LB_MALFORMED);
    entry = test_entry();
    entry.detail = lb_span_of(big, sizeof(big));
    assert_code(lb_log_append_wait(log, &entry), LB_TOO_LARGE);
    entry = test_entry();
    entry.fields = lb_span_of(big, sizeof(big));
    assert_code(lb_log_append_wait(log, &entry), LB_TOO_LARGE);
    entry = test_entry();
    entry.leaf.type = LB_LEAF_ERASURE;
    assert_code(lb_log_append_wait(log, &entry), LB_MALFORMED);
    entry = test_entry();
    assert_code(lb_log_append(log, &entry), LB_MALFORMED);
    entry.done = look_from_outside;
    assert_code(lb_log_append_wait(log, &entry), LB_MALFORMED);
    entry = test_entry();
    entry.detail = lb_span_of(big, LB_MAX_DETAIL_BYTES);
    assert_ok(lb_log_append_wait(log, &entry));
    assert_int_equal(test_size(fixture, log), 1);
    lb_log_close(log);
}

static void a_clock_a_little_behind_is_clamped(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entry = test_entry();
    test_append(log, 1);
    fixture->clock.now_unix_ms = TEST_NOW_MS - LB_LOG_CLOCK_STEP_MS;
    assert_ok(lb_log_append_wait(log, &entry));
    assert_int_equal(entry.leaf.time_ms, TEST_NOW_MS);
    lb_log_close(log);
}

static void a_clock_far_behind_stops_the_log(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entry = test_entry();
    test_append(log, 1);
    fixture->clock.now_unix_ms = TEST_NOW_MS - LB_LOG_CLOCK_STEP_MS - 1;
    assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
    assert_false(lb_log_healthy(log));
    fixture->clock.now_unix_ms = TEST_NOW_MS;
    entry = test_entry();
    assert_code(lb_log_append_wait(log, &entry), LB_LOG_UNAVAILABLE);
    assert_int_equal(test_size(fixture, log), 1);
    lb_log_close(log);
    fixture->clock.now_unix_ms = TEST_NOW_MS - LB_LOG_CLOCK_STEP_MS - 1;
    test_refused(fixture, LB_LOG_UNAVAILABLE);
    fixture->clock.now_unix_ms = TEST_NOW_MS;
    log = test_open(fixture);
    test_append(log, 1);
    lb_log_close(log);
}

#define THREADS 8
#define PER_THREAD 625

static void *append_many(void *log)
{
    for (size_t i = 0; i < PER_THREAD; i++) {
        struct lb_log_entry entry = test_entry();
        entry.detail = lb_span_str("{\"purpose\":\"social-assistance\"}");
        entry.has_subject = true;
        memset(entry.subject, (int)(i % 50) + 1, sizeof(entry.subject));
        if (lb_log_append_wait(log, &entry) != LB_OK)
            return log;
    }
    return NULL;
}

static void eight_threads_write_five_thousand_entries(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, log), 0);
    /* Verification beside a running log never takes its progress for damage. */
    struct lb_log_verdict verdict;
    for (size_t i = 0; i < 10; i++) {
        lb_status status = test_verify(fixture, fixture->folder, &verdict);
        if (status != LB_OK)
            print_error("%s\n", fixture->diag.text);
        assert_ok(status);
    }
    for (size_t i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    lb_log_close(log);
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, THREADS * PER_THREAD);
    assert_int_equal(verdict.num_details, THREADS * PER_THREAD);
}

#define LOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

static void several_are_waited_for(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entries[3] = {test_entry(), test_entry(), test_entry()};
    assert_ok(lb_log_append_all(log, entries, 3));
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(entries[i].index, i);
    entries[1].detail = lb_span_of("", LB_MAX_DETAIL_BYTES + 1);
    assert_code(lb_log_append_all(log, entries, 3), LB_TOO_LARGE);
    assert_int_equal(entries[0].index, 3); /* is in; what comes behind the wrong one is not */
    assert_int_equal(entries[2].index, 2);
    entries[1] = test_entry();
    entries[2].done = look_from_outside;
    assert_code(lb_log_append_all(log, entries, 3), LB_MALFORMED);
    assert_int_equal(test_size(fixture, log), 4);
    assert_ok(lb_log_append_all(log, NULL, 0));
    lb_log_close(log);
}

/* --- lists --- */

struct told {
    size_t num;
    enum lb_code codes[16];
    uint64_t indexes[16];
    sem_t done;
};

static void tell(struct lb_log_entry *entry, lb_status status)
{
    struct told *told = entry->owner;
    told->codes[told->num] = lb_status_code(status);
    told->indexes[told->num++] = entry->index;
    (void)sem_post(&told->done);
}

static void make_list(struct lb_log_entry *entries, struct lb_log_entry **list, size_t num,
                      struct told *told)
{
    told->num = 0;
    (void)sem_init(&told->done, 0, 0);
    for (size_t i = 0; i < num; i++) {
        entries[i] = test_entry();
        entries[i].done = tell;
        entries[i].owner = told;
        list[i] = &entries[i];
    }
}

static void a_list_shares_one_commit(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entries[10], *list[10];
    struct lb_log_health before, after;
    struct told told;
    lb_status status = LB_OK;
    make_list(entries, list, 10, &told);
    lb_log_health(log, &before);
    assert_int_equal(lb_log_append_list(log, list, 10, &status), 10);
    assert_ok(status);
    for (size_t i = 0; i < 10; i++)
        (void)sem_wait(&told.done);
    lb_log_health(log, &after);
    assert_int_equal(after.num_commits, before.num_commits + 1);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(told.codes[i], LB_CODE_OK);
        assert_int_equal(told.indexes[i], i);
    }
    (void)sem_destroy(&told.done);
    lb_log_close(log);
}

/* What comes behind a wrong one is not queued, and nobody is told of it but the caller. */
static void a_list_goes_as_far_as_it_can(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct lb_log_entry entries[3], *list[3];
    struct told told;
    lb_status status = LB_OK;
    make_list(entries, list, 3, &told);
    entries[1].done = NULL;
    assert_int_equal(lb_log_append_list(log, list, 3, &status), 1);
    assert_code(status, LB_MALFORMED);
    (void)sem_wait(&told.done);
    entries[1].done = tell;
    entries[1].detail = lb_span_of("", LB_MAX_DETAIL_BYTES + 1);
    assert_int_equal(lb_log_append_list(log, list, 3, &status), 1);
    assert_code(status, LB_TOO_LARGE);
    (void)sem_wait(&told.done);
    assert_int_equal(lb_log_append_list(log, list, 0, &status), 0);
    assert_ok(status);
    assert_int_equal(test_size(fixture, log), 2);
    assert_int_equal(told.num, 2);
    (void)sem_destroy(&told.done);
    lb_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(an_entry_is_written_signed_and_proved),
        LOG_TEST(a_reopened_log_goes_on),
        LOG_TEST(done_is_called_after_the_commit),
        LOG_TEST(impossible_entries_are_refused_at_once),
        LOG_TEST(several_are_waited_for),
        LOG_TEST(a_list_shares_one_commit),
        LOG_TEST(a_list_goes_as_far_as_it_can),
        LOG_TEST(a_clock_a_little_behind_is_clamped),
        LOG_TEST(a_clock_far_behind_stops_the_log),
        LOG_TEST(eight_threads_write_five_thousand_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
