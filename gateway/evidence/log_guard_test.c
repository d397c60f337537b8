#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/evidence/test_log.h"

static const char *const OWNER_TABLES[] = {
    "CREATE TABLE used(name TEXT PRIMARY KEY) STRICT",
    NULL,
};

/* A guard that uses a name once and then says what the test wants. */
struct use {
    const char *name;
    lb_status verdict;
    const char *code;
};

static lb_status use_once(struct lb_log_entry *entry, struct lb_store *store)
{
    struct use *use = entry->owner;
    struct lb_stmt *stmt = NULL;
    LB_TRY(lb_stmt_prepare(store, "INSERT INTO used(name) VALUES (?1)", &stmt));
    lb_status status = lb_stmt_bind_text(stmt, 1, lb_span_str(use->name));
    if (status == LB_OK)
        status = lb_stmt_run(stmt);
    lb_stmt_free(stmt);
    if (lb_status_code(status) == LB_STORE_CONFLICT)
        return LB_FAULT(LB_REPLAY, "used before");
    LB_TRY(status);
    if (use->code != NULL)
        (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", use->code);
    return use->verdict;
}

static int64_t count_used(struct fixture *fixture)
{
    const struct lb_store_options options = {
        .path = test_path(fixture, fixture->folder, "evidence.db"), .read_only = true};
    struct lb_store *store = NULL;
    struct lb_stmt *stmt = NULL;
    bool row = false;
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_stmt_prepare(store, "SELECT count(*) FROM used", &stmt));
    assert_ok(lb_stmt_step(stmt, &row));
    int64_t count = lb_stmt_int(stmt, 0);
    lb_store_close(store);
    return count;
}

static struct lb_log_entry guarded(struct use *use)
{
    struct lb_log_entry entry = test_entry();
    entry.guard = use_once;
    entry.owner = use;
    return entry;
}

static void a_refusal_is_written_with_its_outer_code(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t zeros[32];
    /* Not inside the braces, where clang 14 leaves a record empty. */
    lb_status outer = LB_FAULT(LB_USE_EXHAUSTED, "outer");
    lb_status inner = LB_FAULT(LB_SUBJECT_MISMATCH, "inner");
    lb_status local = LB_FAULT(LB_ABSENT, "local");
    const struct {
        lb_status verdict;
        const char *code;
    } cases[] = {{outer, "USE_EXHAUSTED"}, {inner, "ANSWERED"}, {local, "INTERNAL"}};
    fixture->migrations = OWNER_TABLES;
    struct lb_log *log = test_open(fixture);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct use use = {.name = "a", .verdict = cases[i].verdict};
        struct lb_log_entry entry = guarded(&use);
        assert_ok(lb_log_append_wait(log, &entry));
        assert_ptr_equal(entry.refused, cases[i].verdict);
        assert_string_equal(entry.leaf.code, cases[i].code);
        assert_memory_equal(entry.leaf.answer_hash, zeros, 32);
        assert_int_equal(entry.index, i);
        assert_int_equal(count_used(fixture), 0);
    }
    struct use use = {.name = "a", .code = "RETRIED"};
    struct lb_log_entry entry = guarded(&use);
    assert_ok(lb_log_append_wait(log, &entry));
    assert_null(entry.refused);
    assert_string_equal(entry.leaf.code, "RETRIED");
    assert_int_equal(count_used(fixture), 1);
    lb_log_close(log);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
}

/* Holds the sequencer inside a callback while the test fills the queue. */
struct hold {
    sem_t reached;
    sem_t go_on;
};

static void hold_here(struct lb_log_entry *entry, lb_status status)
{
    struct hold *hold = entry->owner;
    assert_null(status);
    (void)sem_post(&hold->reached);
    (void)sem_wait(&hold->go_on);
}

static void hold_log(struct lb_log *log, struct hold *hold, struct lb_log_entry *entry)
{
    (void)sem_init(&hold->reached, 0, 0);
    (void)sem_init(&hold->go_on, 0, 0);
    *entry = test_entry();
    entry->done = hold_here;
    entry->owner = hold;
    assert_ok(lb_log_append(log, entry));
    (void)sem_wait(&hold->reached);
}

struct tally {
    sem_t done;
    enum lb_code codes[4];
    size_t num;
};

struct tallied {
    struct lb_log_entry entry;
    struct use use;
    struct tally *tally;
};

static void count_one(struct lb_log_entry *entry, lb_status status)
{
    struct tallied *one = (struct tallied *)(void *)entry;
    one->tally->codes[one->tally->num++ % 4] = lb_status_code(status);
    (void)sem_post(&one->tally->done);
}

static void a_conflict_undoes_only_its_own_changes(void **state)
{
    struct fixture *fixture = *state;
    fixture->migrations = OWNER_TABLES;
    struct lb_log *log = test_open(fixture);
    struct hold hold;
    struct lb_log_entry holder;
    struct tally tally = {.num = 0};
    (void)sem_init(&tally.done, 0, 0);
    static const char *const names[] = {"a", "b", "a", "c"};
    struct tallied *batch = calloc(4, sizeof(*batch));
    hold_log(log, &hold, &holder);
    for (size_t i = 0; i < 4; i++) {
        batch[i].use.name = names[i];
        batch[i].tally = &tally;
        batch[i].entry = guarded(&batch[i].use);
        batch[i].entry.done = count_one;
        assert_ok(lb_log_append(log, &batch[i].entry));
    }
    (void)sem_post(&hold.go_on);
    for (size_t i = 0; i < 4; i++) {
        (void)sem_wait(&tally.done);
        assert_int_equal(tally.codes[i], LB_CODE_OK);
    }
    assert_null(batch[0].entry.refused);
    assert_null(batch[1].entry.refused);
    assert_code(batch[2].entry.refused, LB_REPLAY);
    assert_string_equal(batch[2].entry.leaf.code, "REPLAY");
    assert_null(batch[3].entry.refused);
    assert_int_equal(batch[3].entry.index, 4);
    assert_int_equal(count_used(fixture), 3);
    lb_log_close(log);
    free(batch);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, 5);
}

static void a_guard_that_spoils_its_leaf_is_undone(void **state)
{
    struct fixture *fixture = *state;
    fixture->migrations = OWNER_TABLES;
    struct lb_log *log = test_open(fixture);
    struct use use = {.name = "a", .code = "BAD\nCODE"};
    struct lb_log_entry entry = guarded(&use);
    assert_code(lb_log_append_wait(log, &entry), LB_MALFORMED);
    assert_int_equal(count_used(fixture), 0);
    assert_int_equal(test_size(fixture, log), 0);
    test_append(log, 1);
    assert_true(lb_log_healthy(log));
    lb_log_close(log);
}

static void a_full_queue_says_busy(void **state)
{
    struct fixture *fixture = *state;
    struct lb_log *log = test_open(fixture);
    struct hold hold;
    struct lb_log_entry holder;
    struct tally tally = {.num = 0};
    (void)sem_init(&tally.done, 0, 0);
    struct tallied *many = calloc(LB_LOG_QUEUE + 1, sizeof(*many));
    hold_log(log, &hold, &holder);
    for (size_t i = 0; i <= LB_LOG_QUEUE; i++) {
        many[i].entry = test_entry();
        many[i].entry.done = count_one;
        many[i].tally = &tally;
        lb_status status = lb_log_append(log, &many[i].entry);
        if (i < LB_LOG_QUEUE)
            assert_ok(status);
        else
            assert_code(status, LB_BUSY);
    }
    (void)sem_post(&hold.go_on);
    /* Closing commits what is queued. */
    lb_log_close(log);
    assert_int_equal(tally.num, LB_LOG_QUEUE);
    free(many);
    struct lb_log_verdict verdict;
    assert_ok(test_verify(fixture, fixture->folder, &verdict));
    assert_int_equal(verdict.size, LB_LOG_QUEUE + 1);
}

#define LOG_TEST(test_) cmocka_unit_test_setup_teardown(test_, test_set_up, test_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_refusal_is_written_with_its_outer_code),
        LOG_TEST(a_conflict_undoes_only_its_own_changes),
        LOG_TEST(a_guard_that_spoils_its_leaf_is_undone),
        LOG_TEST(a_full_queue_says_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
