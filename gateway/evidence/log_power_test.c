#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/evidence/copy.h"
#include "gateway/evidence/test_log.h"
#include "gateway/store/faults.h"

/* The power goes: of the WAL nothing is left but what was synced. */

#define ENTRIES 96
#define BATCH 4

struct sent {
    struct lb_log_entry entry;
    struct crowd *crowd;
};

/* Entries that all wait at once, so that commits overlap what makes the ones before public. */
struct crowd {
    struct sent sent[ENTRIES];
    atomic_size_t num_durable;
    sem_t told;
};

static int set_up(void **state)
{
    faults_set(NULL);
    return test_set_up(state);
}

static int tear_down(void **state)
{
    faults_set(NULL);
    return test_tear_down(state);
}

static void told(struct lb_log_entry *entry, lb_status status)
{
    struct crowd *crowd = ((struct sent *)(void *)entry)->crowd;
    if (status == LB_OK)
        atomic_fetch_add(&crowd->num_durable, 1);
    (void)sem_post(&crowd->told);
}

/* How many of them were told that they are durable. */
static size_t send_all(struct lb_log *log)
{
    static struct crowd crowd;
    size_t num_sent = 0;
    atomic_store(&crowd.num_durable, 0);
    (void)sem_init(&crowd.told, 0, 0);
    for (; num_sent < ENTRIES; num_sent++) {
        struct sent *sent = &crowd.sent[num_sent];
        *sent = (struct sent){.entry = test_detailed(num_sent), .crowd = &crowd};
        sent->entry.done = told;
        if (lb_log_append(log, &sent->entry) != LB_OK)
            break; /* it has stopped meanwhile */
    }
    for (size_t i = 0; i < num_sent; i++)
        while (sem_wait(&crowd.told) != 0)
            continue;
    (void)sem_destroy(&crowd.told);
    return atomic_load(&crowd.num_durable);
}

static struct lb_log *open_small_batches(struct fixture *fixture)
{
    struct lb_log_options options = test_options(fixture);
    struct lb_log *log = NULL;
    options.max_batch = BATCH;
    assert_ok(lb_log_open(&options, &fixture->diag, &log));
    return log;
}

static void a_power_cut_takes_only_what_nobody_was_told(void **state)
{
    for (unsigned from = 2; from <= 20; from += 3) {
        (void)set_up(state);
        struct fixture *fixture = *state;
        struct lb_log *log = open_small_batches(fixture);
        const struct faults_plan plan = {FAULTS_SYNC, FAULTS_IO, "-wal", from, 0};
        faults_set(&plan);
        size_t durable = send_all(log);
        uint64_t shown = test_size(fixture, log);
        assert_true(durable > 0 && durable < ENTRIES);
        assert_true(shown >= durable);
        const char *cut = test_copy_log(fixture, fixture->folder, "cut");
        const char *wal = test_path(fixture, cut, "evidence.db-wal");
        assert_true(test_file_size(wal) > faults_synced());
        assert_int_equal(truncate(wal, faults_synced()), 0);
        faults_set(NULL);
        lb_log_close(log);
        (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s", cut);
        log = test_open(fixture);
        assert_true(test_size(fixture, log) >= shown);
        test_append(log, 1);
        lb_log_close(log);
        struct lb_log_verdict verdict;
        assert_ok(test_verify(fixture, fixture->folder, &verdict));
        (void)tear_down(state);
    }
}

/* Else a checkpoint could be out that the log, after a power cut, has never signed. */
static void nobody_reads_what_is_not_on_disk(void **state)
{
    struct fixture *fixture = *state;
    const struct faults_plan plan = {FAULTS_SYNC, FAULTS_IO, "-wal", 1, 0};
    struct lb_log_reader *reader = NULL;
    uint64_t size = 0;
    struct lb_log *log = test_open(fixture);
    test_append(log, 3);
    const char *to = test_path(fixture, fixture->root, "");
    assert_ok(lb_log_reader_open(fixture->folder, &fixture->diag, &reader));
    faults_set(&plan);
    assert_code(lb_log_reader_size(reader, &size), LB_STORE_FAILED);
    assert_code(lb_log_copy(fixture->folder, to, NULL, &fixture->diag), LB_STORE_FAILED);
    faults_set(NULL);
    assert_ok(lb_log_reader_size(reader, &size));
    assert_int_equal(size, 3);
    lb_log_reader_close(reader);
    lb_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_power_cut_takes_only_what_nobody_was_told),
        cmocka_unit_test_setup_teardown(nobody_reads_what_is_not_on_disk, set_up, tear_down),
    };
    faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
