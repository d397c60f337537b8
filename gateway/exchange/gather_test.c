#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/exchange/fixture.h"
#include "gateway/exchange/gather.h"

#define MOST (2 * LB_LOG_BATCH + 7)

struct waiting {
    struct lb_log_entry entry;
    enum lb_code code;
    sem_t done;
};

static void tell(struct lb_log_entry *entry, lb_status status)
{
    struct waiting *waiting = entry->owner;
    waiting->code = lb_status_code(status);
    (void)sem_post(&waiting->done);
}

static struct lb_log_entry *make(struct waiting *waiting)
{
    memset(waiting, 0, sizeof(*waiting));
    (void)sem_init(&waiting->done, 0, 0);
    waiting->entry = (struct lb_log_entry){
        .leaf = {.type = LB_LEAF_ADMIN, .code = "TEST"}, .done = tell, .owner = waiting};
    return &waiting->entry;
}

/* Nothing is lost that waits, and nothing waits for ever. */
static void what_waits_goes_on_by_itself(void **state)
{
    struct fixture *fx = *state;
    struct lb_gather *gather = NULL;
    assert_ok(lb_gather_new(fx->log, &gather));
    for (int i = 0; i < 3; i++) {
        static struct waiting one;
        struct lb_log_entry *entry = make(&one);
        lb_gather_add(gather, &entry, 1, i == 0 ? INT64_MAX : 1000);
        (void)sem_wait(&one.done);
        assert_int_equal(one.code, LB_CODE_OK);
    }
    lb_gather_free(gather);
}

/* Who does not wait takes along who does, and does not come before it. */
static void one_in_a_hurry_takes_along_what_waits(void **state)
{
    struct fixture *fx = *state;
    struct lb_gather *gather = NULL;
    static struct waiting patient, hurried;
    size_t in_one = 0;
    assert_ok(lb_gather_new(fx->log, &gather));
    for (int i = 0; i < 20; i++) {
        struct lb_log_health before, after;
        struct lb_log_entry *first = make(&patient), *second = make(&hurried);
        lb_log_health(fx->log, &before);
        lb_gather_add(gather, &first, 1, LB_GATHER_MOST_US);
        lb_gather_add(gather, &second, 1, 0);
        (void)sem_wait(&hurried.done);
        (void)sem_wait(&patient.done);
        lb_log_health(fx->log, &after);
        assert_int_equal(hurried.entry.index, patient.entry.index + 1);
        in_one += after.num_commits == before.num_commits + 1 ? 1 : 0;
    }
    assert_true(in_one > 0); /* a busy machine may not come to it in time each time */
    lb_gather_free(gather);
}

/* More than there is room for, and one among them that the log does not take: all are told. */
static void every_entry_is_told(void **state)
{
    struct fixture *fx = *state;
    struct lb_gather *gather = NULL;
    static struct waiting all[MOST];
    static struct lb_log_entry *entries[MOST];
    assert_ok(lb_gather_new(fx->log, &gather));
    for (size_t i = 0; i < MOST; i++)
        entries[i] = make(&all[i]);
    all[100].entry.detail = lb_span_of("", LB_MAX_DETAIL_BYTES + 1);
    lb_gather_add(gather, entries, MOST, LB_GATHER_MOST_US);
    for (size_t i = 0; i < MOST; i++) {
        (void)sem_wait(&all[i].done);
        assert_int_equal(all[i].code, i == 100 ? LB_TOO_LARGE : LB_CODE_OK);
    }
    for (size_t i = 101; i < MOST; i++)
        assert_true(all[i].entry.index > all[99].entry.index);
    lb_gather_free(gather);
    lb_gather_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_goes_on_by_itself),
        cmocka_unit_test(one_in_a_hurry_takes_along_what_waits),
        cmocka_unit_test(every_entry_is_told),
    };
    return cmocka_run_group_tests(tests, fx_begin, fx_end);
}
