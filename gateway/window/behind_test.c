#include <stdio.h>
#include <string.h>

#include "gateway/base/file.h"
#include "gateway/window/fixture.h"
#include "gateway/window/inside.h"

/* What is written later than it is told is found again after a power cut, and what has to be there
 * before a read goes out is. */

static void copy_file(struct fixture *fx, const char *from, const char *to)
{
    struct lb_span content;
    struct lb_arena *arena = lb_arena_new(64 * 1024 * 1024);
    assert_ok(lb_file_read(fx_path(fx, from), 32 * 1024 * 1024, arena, &content));
    assert_ok(lb_file_write(fx_path(fx, to), content, 0600));
    lb_arena_free(arena);
}

/* The disk as it is now is what the agent finds when it starts again. */
static void cut_power(struct fixture *fx)
{
    copy_file(fx, "cases.db", "frozen.db");
    copy_file(fx, "cases.db-wal", "frozen.db-wal");
    (void)snprintf(fx->store_path, sizeof(fx->store_path), "%s", fx_path(fx, "frozen.db"));
}

static const char *collected(struct fixture *fx, struct fx_collected *out)
{
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx_run(fx, case_id, out);
    assert_string_equal(out->result->class_id, "FULL");
    return case_id;
}

static uint64_t puts_of(struct fixture *fx, const char *case_id, bool *out_behind)
{
    struct lb_window_case *entry = NULL;
    assert_ok(lb_window_hold(fx->window, case_id, &entry));
    uint64_t puts = entry->puts;
    *out_behind = entry->behind;
    lb_window_let_go(&entry);
    return puts;
}

static void pass_time(struct fixture *fx, Lianban__V1__CollectEvent *event, struct lb_arena *arena)
{
    (void)event;
    (void)arena;
    fx->clock.now_monotonic_ms += 77;
}

static void what_was_told_is_found_again(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    fx->tamper = pass_time;
    const char *case_id = collected(fx, &got);
    fx->tamper = NULL;
    assert_true(got.result->millis >= 77);
    const char *note = fx_records(fx, case_id)->records[0]->note;
    cut_power(fx);
    fx_restart(fx);
    const Lianban__V1__CaseResult *kept = fx_get(fx, case_id);
    assert_string_equal(kept->state, "DECIDED");
    assert_string_equal(kept->class_id, "FULL");
    assert_int_equal(kept->millis, got.result->millis);
    assert_int_equal(kept->facts_ok, got.result->facts_ok);
    assert_int_equal(kept->receipts_checked, got.result->receipts_checked);
    assert_int_equal(kept->amounts[0]->value, got.result->amounts[0]->value);
    const Lianban__V1__GetRecordsResponse *records = fx_records(fx, case_id);
    assert_int_equal(records->n_records, 1);
    assert_string_equal(records->records[0]->note, note); /* the same, entered once more */
    assert_int_equal(fx->num_entered, 2);
    assert_int_equal(records->records[0]->log_entry, 1001);
}

/* Whoever watches a case gets its result after the start as before. */
static void listeners_get_what_was_caught_up(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct fx_listener watch;
    const char *case_id = collected(fx, &got);
    cut_power(fx);
    fx_restart(fx);
    fx_listener_init(&watch);
    const struct lb_listener_port port = fx_listener_port(&watch);
    assert_ok(lb_window_watch(fx->window, case_id, &port, &watch.listener));
    for (size_t i = 0; i < got.num_facts; i++)
        assert_int_equal(fx_listener_next(fx, &watch)->body_case,
                         LIANBAN__V1__CASE_EVENT__BODY_FACT);
    assert_string_equal(fx_listener_next(fx, &watch)->result->class_id, "FULL");
    assert_null(fx_listener_next(fx, &watch));
    fx_listener_close(&watch);
}

static void it_is_written_in_its_own_time(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    bool behind = false;
    const char *case_id = collected(fx, &got);
    assert_int_equal(puts_of(fx, case_id, &behind), 3);
    assert_true(behind);
    assert_ok(lb_window_tick(fx->window));
    assert_int_equal(puts_of(fx, case_id, &behind), 4);
    assert_false(behind);
    assert_ok(lb_window_tick(fx->window));
    assert_int_equal(puts_of(fx, case_id, &behind), 4);
    cut_power(fx);
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    assert_int_equal(fx->num_entered, 1); /* nothing was left to enter */
}

static void who_stops_in_order_leaves_nothing_behind(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = collected(fx, &got);
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->class_id, "FULL");
    assert_int_equal(fx->num_entered, 1);
}

/* A case that is in use is left alone, and its turn comes again. */
static void nobody_is_waited_for(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    struct lb_window_case *entry = NULL;
    bool behind = false;
    const char *case_id = collected(fx, &got);
    assert_ok(lb_window_hold(fx->window, case_id, &entry));
    (void)pthread_mutex_lock(&entry->asking);
    assert_ok(lb_window_tick(fx->window));
    (void)pthread_mutex_unlock(&entry->asking);
    (void)pthread_mutex_lock(&entry->lock);
    assert_ok(lb_window_tick(fx->window));
    (void)pthread_mutex_unlock(&entry->lock);
    lb_window_let_go(&entry);
    assert_int_equal(puts_of(fx, case_id, &behind), 3);
    assert_ok(lb_window_tick(fx->window));
    assert_int_equal(puts_of(fx, case_id, &behind), 4);
}

/* Writing late does not bring back what was erased. */
static void an_erased_case_stays_erased(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    Lianban__V1__CaseResult *result = NULL;
    const char *case_id = collected(fx, &got);
    assert_ok(lb_window_close_case(fx->window, case_id));
    assert_ok(lb_window_tick(fx->window));
    assert_false(fx_in_files(fx, case_id, strlen(case_id)));
    fx_restart(fx);
    assert_code(lb_window_get(fx->window, case_id, fx->arena, &result), LB_CASE_UNKNOWN);
}

/* No record, no result: also when the log takes nothing while the agent starts. */
static void a_result_needs_its_record(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = collected(fx, &got);
    cut_power(fx);
    fx->record_fails = LB_FAULT(LB_LOG_UNAVAILABLE, "the disk is full");
    fx_restart(fx);
    assert_string_equal(fx_get(fx, case_id)->class_id, "");
    assert_int_equal(fx_records(fx, case_id)->n_records, 0);
    fx->record_fails = LB_OK;
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(got.num_facts, 0); /* nobody was asked again */
    assert_int_equal(fx_records(fx, case_id)->n_records, 1);
    assert_int_equal(fx->num_entered, 2);
}

/* --- before a read goes out --- */

static struct lb_window_case *watched_case;

static void look_at_case(struct fixture *fx, Lianban__V1__CollectEvent *event,
                         struct lb_arena *arena)
{
    (void)event;
    (void)arena;
    if (fx->which++ > 0)
        return;
    assert_false(watched_case->unkept);
    assert_int_equal(watched_case->puts, 2); /* opened, and asked for grants */
}

/* What goes out was written with the ticket, and is the same after a power cut: the rids, and the
 * mandate. */
static void what_goes_out_was_kept_with_the_ticket(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    assert_ok(lb_window_hold(fx->window, case_id, &watched_case));
    char *mandate = lb_arena_str(fx->arena, lb_span_str(watched_case->members[0].mandate.sd_jwt));
    cut_power(fx);
    fx->tamper = look_at_case;
    fx_run(fx, case_id, &got);
    assert_true(fx->which > 0);
    lb_window_let_go(&watched_case);
    fx->tamper = NULL;
    fx_restart(fx);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_ok(lb_window_hold(fx->window, case_id, &watched_case));
    assert_string_equal(watched_case->members[0].mandate.sd_jwt, mandate);
    lb_window_let_go(&watched_case);
    for (size_t i = 0; i < FX_DEPARTMENTS; i++) {
        assert_int_equal(fx->adapters[i].num_asked, 2);
        assert_memory_equal(fx->adapters[i].asked[0].rid, fx->adapters[i].asked[1].rid, 16);
    }
}

/* A mandate that ran out is made anew, and on disk before it goes out. */
static void a_new_mandate_is_kept_first(void **state)
{
    struct fixture *fx = *state;
    struct fx_collected got;
    bool behind = false;
    const char *case_id = fx_open(fx, false);
    fx_agree(fx, case_id);
    fx->clock.now_unix_ms += 3400 * INT64_C(1000);
    fx_run(fx, case_id, &got);
    assert_string_equal(got.result->class_id, "FULL");
    assert_int_equal(puts_of(fx, case_id, &behind), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_told_is_found_again, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(listeners_get_what_was_caught_up, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(it_is_written_in_its_own_time, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(who_stops_in_order_leaves_nothing_behind, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(nobody_is_waited_for, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(an_erased_case_stays_erased, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(a_result_needs_its_record, fx_setup, fx_teardown),
        cmocka_unit_test_setup_teardown(what_goes_out_was_kept_with_the_ticket, fx_setup,
                                        fx_teardown),
        cmocka_unit_test_setup_teardown(a_new_mandate_is_kept_first, fx_setup, fx_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
