#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/serve/event.h"
#include "adapters/serve/serve.h"
#include "gateway/base/limits.h"

/* The intervals of standing grants over time, in a memory that never forgets. */

#define assert_code(status_, want_) assert_string_equal(lb_code_name(status_), lb_code_name(want_))
#define assert_ok(status_) assert_code(lb_status_code(status_), LB_CODE_OK)

#define EVERY 30
#define NOW INT64_C(1800000000)

struct ledger {
    struct lb_store *store;
    struct lb_serve_events events;
    struct lb_epoch_names names;
    uint8_t grant[32];
};

static enum lb_code take(struct ledger *ledger, int64_t now, uint8_t rid, int64_t days)
{
    const uint8_t rid_id[32] = {rid};
    const struct lb_event_use use = {"street-office", "social-assistance", ledger->grant, rid_id,
                                     &ledger->names, days};
    assert_ok(lb_store_begin(ledger->store));
    lb_status status = lb_serve_events_take(&ledger->events, ledger->store, now, &use);
    if (status == LB_OK || status->code == LB_EVENT_ASKED)
        assert_ok(lb_store_commit(ledger->store));
    else
        lb_store_rollback(ledger->store);
    return lb_status_code(status);
}

static void ledger_open(struct ledger *ledger)
{
    const struct lb_store_options options = {
        .path = ":memory:", .migrations = lb_serve_migrations, .create = true};
    *ledger = (struct ledger){.names = {1, {{1}}}, .grant = {1}};
    assert_ok(lb_store_open(&options, &ledger->store));
    lb_serve_events_init(&ledger->events);
}

static void an_interval_ends_by_the_clock_alone(void **state)
{
    (void)state;
    struct ledger ledger;
    int64_t end = NOW + EVERY * LB_DAY_S;
    ledger_open(&ledger);
    assert_code(take(&ledger, NOW, 1, EVERY), LB_CODE_OK);
    assert_code(take(&ledger, NOW - 400 * LB_DAY_S, 2, EVERY), LB_EVENT_TOO_SOON);
    assert_code(take(&ledger, end - 1, 2, EVERY), LB_EVENT_TOO_SOON);
    assert_code(take(&ledger, end - 1, 1, EVERY), LB_CODE_OK);
    assert_code(take(&ledger, end, 2, EVERY), LB_CODE_OK);
    assert_code(take(&ledger, end, 1, EVERY), LB_EVENT_TOO_SOON);
    assert_code(take(&ledger, end + EVERY * LB_DAY_S - 1, 3, EVERY), LB_EVENT_TOO_SOON);
    lb_store_close(ledger.store);
}

/* The interval of the grant that was used counts for the person, whichever is asked with next. */
static void a_person_has_one_interval(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_open(&ledger);
    assert_code(take(&ledger, NOW, 1, EVERY), LB_CODE_OK);
    ledger.grant[0] = 2;
    assert_code(take(&ledger, NOW + LB_DAY_S, 2, 1), LB_EVENT_ASKED);
    assert_code(take(&ledger, NOW + LB_DAY_S, 2, 1), LB_EVENT_ASKED);
    assert_code(take(&ledger, NOW + LB_DAY_S, 3, 1), LB_EVENT_TOO_SOON);
    assert_code(take(&ledger, NOW + EVERY * LB_DAY_S, 4, 1), LB_CODE_OK);
    ledger.names.names[0][0] = 9;
    ledger.grant[0] = 3;
    assert_code(take(&ledger, NOW, 5, EVERY), LB_CODE_OK);
    lb_store_close(ledger.store);
}

/* Nobody is asked about again because the department has a new pseudonym key. */
static void an_epoch_lifts_no_interval(void **state)
{
    (void)state;
    struct ledger ledger;
    ledger_open(&ledger);
    assert_code(take(&ledger, NOW, 1, EVERY), LB_CODE_OK);
    ledger.names = (struct lb_epoch_names){2, {{2}, {1}}};
    assert_code(take(&ledger, NOW + 1, 1, EVERY), LB_CODE_OK);
    ledger.grant[0] = 2;
    assert_code(take(&ledger, NOW + 2, 2, EVERY), LB_EVENT_ASKED);
    assert_code(take(&ledger, NOW + 2, 2, EVERY), LB_EVENT_ASKED);
    ledger.grant[0] = 1;
    assert_code(take(&ledger, NOW + 1 + EVERY * LB_DAY_S, 3, EVERY), LB_CODE_OK);
    lb_store_close(ledger.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interval_ends_by_the_clock_alone),
        cmocka_unit_test(a_person_has_one_interval),
        cmocka_unit_test(an_epoch_lifts_no_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
