#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/consent/fixture.h"
#include "gateway/consent/inside.h"
#include "gateway/store/store.h"

/* Who writes at once shares a transaction and a wait for the disk, and nothing else. */

#define NUM_WRITERS 6U

struct writer {
    struct fixture *fx;
    struct lb_consent_job job;
    const char *name;
    bool refused;            /* after it has written */
    struct lb_log_entry *entry;
    unsigned runs;
    int64_t seen;            /* rows that are there when it has written its own */
    int64_t committed;       /* of them, those that another connection sees */
    lb_status status;
    pthread_t thread;
};

static int64_t count_committed(const struct fixture *fx)
{
    const struct lb_store_options options = {.path = fx->store_path, .read_only = true};
    struct lb_store *store = NULL;
    struct lb_stmt *select = NULL;
    bool row = false;
    assert_ok(lb_store_open(&options, &store));
    assert_ok(lb_stmt_prepare(store, "SELECT count(*) FROM slip_try", &select));
    assert_ok(lb_stmt_step(select, &row));
    int64_t num = lb_stmt_int(select, 0);
    lb_store_close(store);
    return num;
}

static lb_status write_row(void *self, struct lb_log_entry **out_entry)
{
    struct writer *writer = self;
    struct lb_consent_store *store = writer->fx->consent->store;
    struct lb_consent_tries tries = {0};
    writer->runs++;
    LB_TRY(lb_consent_try_add(store, FX_DESK, writer->name, FX_NOW));
    LB_TRY(lb_consent_try_count(store, FX_DESK, writer->name, 0, &tries));
    writer->seen = tries.all;
    writer->committed = count_committed(writer->fx);
    LB_ENSURE(!writer->refused, LB_GRANT_UNKNOWN, "a refusal of its own");
    *out_entry = writer->entry;
    return LB_OK;
}

static void *run(void *arg)
{
    struct writer *writer = arg;
    writer->status = lb_consent_together(writer->fx->consent, &writer->job);
    return NULL;
}

static void await_waiting(struct lb_consent *consent, size_t num)
{
    size_t waiting = 0;
    bool led = false;
    while (waiting < num || !led) {
        (void)usleep(1000);
        (void)pthread_mutex_lock(&consent->turns.lock);
        led = consent->turns.led;
        waiting = 0;
        for (const struct lb_consent_job *job = consent->turns.first; job != NULL; job = job->next)
            waiting++;
        (void)pthread_mutex_unlock(&consent->turns.lock);
    }
}

/* One who leads is held up at the office's lock until all the others wait behind it. */
static void write_at_once(struct fixture *fx, struct writer *writers)
{
    static const char *const names[NUM_WRITERS] = {"a", "b", "c", "d", "e", "f"};
    struct lb_consent *locked = lb_consent_lock(fx->consent);
    for (size_t i = 0; i < NUM_WRITERS; i++) {
        writers[i].fx = fx;
        writers[i].name = names[i];
        writers[i].job = (struct lb_consent_job){.write = write_row, .self = &writers[i]};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, run, &writers[i]), 0);
        await_waiting(fx->consent, i);
    }
    lb_consent_unlock(&locked);
    for (size_t i = 0; i < NUM_WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
}

static int64_t rows(struct fixture *fx, const char *name)
{
    struct lb_consent_tries tries = {0};
    assert_ok(lb_consent_try_count(fx->consent->store, FX_DESK, name, 0, &tries));
    return tries.officer;
}

static void those_who_wait_share_a_commit(void **state)
{
    struct fixture *fx = *state;
    struct writer writers[NUM_WRITERS] = {0};
    write_at_once(fx, writers);
    for (size_t i = 0; i < NUM_WRITERS; i++) {
        assert_ok(writers[i].status);
        assert_int_equal(writers[i].seen, i + 1);
        assert_int_equal(writers[i].committed, i == 0 ? 0 : 1); /* the first one's own turn */
    }
    assert_int_equal(count_committed(fx), NUM_WRITERS);
}

static void a_refusal_undoes_ones_own_alone(void **state)
{
    struct fixture *fx = *state;
    struct writer writers[NUM_WRITERS] = {0};
    writers[3].refused = true;
    write_at_once(fx, writers);
    for (size_t i = 0; i < NUM_WRITERS; i++) {
        assert_code(writers[i].status, i == 3 ? LB_GRANT_UNKNOWN : LB_CODE_OK);
        assert_int_equal(rows(fx, writers[i].name), i == 3 ? 0 : 1);
    }
    assert_int_equal(count_committed(fx), NUM_WRITERS - 1);
}

static struct lb_log_entry *make_entry(struct fixture *fx)
{
    struct lb_log_entry *entry = lb_arena_alloc(fx->arena, sizeof(*entry));
    entry->leaf = (struct lb_leaf){.type = LB_LEAF_CONSENT, .count = 1};
    (void)snprintf(entry->leaf.code, sizeof(entry->leaf.code), "%s", "GRANTED");
    return entry;
}

static void entries_are_there_before_anything_counts(void **state)
{
    struct fixture *fx = *state;
    struct writer writers[NUM_WRITERS] = {0};
    for (size_t i = 0; i < NUM_WRITERS; i += 2)
        writers[i].entry = make_entry(fx);
    writers[4].refused = true; /* and brings none */
    write_at_once(fx, writers);
    assert_int_equal(count_committed(fx), NUM_WRITERS - 1);
    assert_int_equal(fx_entries(fx, "GRANTED"), 2);
}

/* Without the log nothing counts that has to be in it; whoever needs it not is not held up. */
static void a_log_that_is_gone_refuses_those_it_concerns(void **state)
{
    struct fixture *fx = *state;
    struct writer writers[NUM_WRITERS] = {0};
    const Lianban__V1__GrantRequest request = fx_request(fx);
    (void)fx_agree(fx, fx_file(fx, &request)); /* so that the log has a time */
    writers[2].entry = make_entry(fx);
    writers[4].entry = make_entry(fx);
    writers[5].refused = true;
    fx->log_clock.now_unix_ms -= 10000;
    write_at_once(fx, writers);
    for (size_t i = 0; i < NUM_WRITERS; i++) {
        bool logged = i == 2 || i == 4;
        assert_code(writers[i].status, logged   ? LB_LOG_UNAVAILABLE
                                       : i == 5 ? LB_GRANT_UNKNOWN
                                                : LB_CODE_OK);
        assert_int_equal(rows(fx, writers[i].name), logged || i == 5 ? 0 : 1);
        assert_int_equal(writers[i].runs, i == 1 || i == 3 ? 2 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(those_who_wait_share_a_commit, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_refusal_undoes_ones_own_alone, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(entries_are_there_before_anything_counts, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_log_that_is_gone_refuses_those_it_concerns, fx_setup,
                                        fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
