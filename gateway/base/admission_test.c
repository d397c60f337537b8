#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/admission.h"

#define AIM_MS 1000
#define PLACES 10U
#define PATIENT_MS 60000

struct work {
    struct lb_ticket ticket; /* first: begin gets it */
    int began, late;
};

struct desk {
    struct lb_clock_fixed clock;
    struct lb_admission *admission;
};

static void begin(struct lb_ticket *ticket, lb_status status)
{
    struct work *work = (struct work *)ticket;
    if (status == LB_OK)
        work->began++;
    else
        work->late++;
}

static void open_desk(struct desk *desk, uint64_t max_places)
{
    lb_clock_fixed_init(&desk->clock, 1000000);
    const struct lb_admission_options options = {.clock = &desk->clock.clock,
                                                 .aim_ms = AIM_MS,
                                                 .wait_ms = AIM_MS,
                                                 .min_places = PLACES,
                                                 .max_places = max_places,
                                                 .max_waiting = 1000};
    assert_null(lb_admission_new(&options, &desk->admission));
}

static lb_status enter(struct desk *desk, const char *who, enum lb_admit_kind kind,
                       uint64_t weight, struct work *work)
{
    *work = (struct work){.ticket = {.begin = begin}};
    return lb_admission_enter(desk->admission, who, kind, weight, PATIENT_MS, &work->ticket);
}

static struct lb_admission_view look(struct desk *desk)
{
    struct lb_admission_view view;
    lb_admission_view(desk->admission, &view);
    return view;
}

/* Fills all places, and returns when so many of `who` wait besides. */
static void fill(struct desk *desk, const char *who, struct work *works, size_t num)
{
    for (size_t i = 0; i < num; i++)
        assert_null(enter(desk, who, LB_ADMIT_FINISHES, 1, &works[i]));
}

static void leave_all(struct desk *desk, struct work *works, size_t num)
{
    for (size_t i = 0; i < num; i++)
        lb_admission_leave(desk->admission, &works[i].ticket, true);
}

static void what_fits_begins_at_once_and_the_next_waits(void **state)
{
    struct desk desk;
    struct work works[PLACES + 1];
    (void)state;
    open_desk(&desk, 100);
    fill(&desk, "a", works, PLACES + 1);
    for (size_t i = 0; i < PLACES; i++)
        assert_int_equal(works[i].began, 1);
    assert_int_equal(works[PLACES].began, 0);
    assert_int_equal(look(&desk).num_waiting, 1);
    lb_admission_leave(desk.admission, &works[3].ticket, true);
    assert_int_equal(works[PLACES].began, 1);
    lb_admission_leave(desk.admission, &works[3].ticket, true); /* given back once */
    assert_int_equal(look(&desk).in_hand, PLACES);
    leave_all(&desk, works, PLACES + 1);
    assert_int_equal(look(&desk).in_hand, 0);
    assert_int_equal(look(&desk).num_askers, 0);
    lb_admission_free(desk.admission);
}

/* Ten places are meant for a second, so ten a second is what is counted on: nine more wait a
 * second, and no more; what begins something new, half of that. */
static void what_would_wait_too_long_is_told_when_to_come(void **state)
{
    struct desk desk;
    struct work works[2 * PLACES], more;
    (void)state;
    open_desk(&desk, 100);
    fill(&desk, "a", works, 2 * PLACES);
    lb_status status = enter(&desk, "a", LB_ADMIT_FINISHES, 1, &more);
    assert_int_equal(lb_status_code(status), LB_BUSY);
    assert_in_range(lb_later_ms(status), AIM_MS, 2 * AIM_MS);
    assert_int_equal(more.began + more.late, 0);
    assert_int_equal(look(&desk).num_refused, 1);
    leave_all(&desk, works, PLACES); /* the others have begun */
    fill(&desk, "b", works, PLACES / 2);
    status = enter(&desk, "b", LB_ADMIT_BEGINS, 1, &more);
    assert_int_equal(lb_status_code(status), LB_BUSY);
    status = lb_admission_peek(desk.admission, "b", LB_ADMIT_BEGINS, PATIENT_MS);
    assert_int_equal(lb_status_code(status), LB_BUSY);
    assert_null(lb_admission_peek(desk.admission, "c", LB_ADMIT_BEGINS, PATIENT_MS));
    assert_null(enter(&desk, "b", LB_ADMIT_FINISHES, 1, &more));
    leave_all(&desk, works + PLACES, PLACES);
    leave_all(&desk, works, PLACES / 2);
    lb_admission_leave(desk.admission, &more.ticket, true);
    lb_admission_free(desk.admission);
}

/* Nobody is let to wait for what would come too late for him. */
static void a_near_deadline_is_not_queued_for(void **state)
{
    struct desk desk;
    struct work works[PLACES + 5], more = {.ticket = {.begin = begin}};
    (void)state;
    open_desk(&desk, 100);
    fill(&desk, "a", works, PLACES + 5);
    lb_status status =
        lb_admission_enter(desk.admission, "b", LB_ADMIT_FINISHES, 1, 50, &more.ticket);
    assert_int_equal(lb_status_code(status), LB_BUSY);
    status = lb_admission_enter(desk.admission, "b", LB_ADMIT_FINISHES, 1, 1200, &more.ticket);
    assert_null(status);
    desk.clock.now_monotonic_ms += 1201;
    lb_admission_sweep(desk.admission);
    assert_int_equal(more.late, 1);
    assert_int_equal(more.began, 0);
    assert_int_equal(look(&desk).num_given_up, 1);
    leave_all(&desk, works, PLACES + 5);
    lb_admission_free(desk.admission);
}

/* What is done in the aim, at the rate measured, may be in hand. */
static void places_follow_the_rate(void **state)
{
    struct desk desk;
    struct work works[PLACES];
    (void)state;
    open_desk(&desk, 60);
    for (int round = 0; round < 200; round++) {
        fill(&desk, "a", works, 5);
        desk.clock.now_monotonic_ms += 100; /* fifty a second */
        leave_all(&desk, works, 5);
    }
    assert_in_range(look(&desk).rate, 45, 55);
    assert_in_range(look(&desk).places, 45, 55);
    desk.clock.now_monotonic_ms += 3600000; /* a quiet hour says nothing */
    assert_in_range(look(&desk).places, 45, 55);
    for (int round = 0; round < 200; round++) {
        fill(&desk, "a", works, 10);
        desk.clock.now_monotonic_ms += 20;
        leave_all(&desk, works, 10);
    }
    assert_int_equal(look(&desk).places, 60); /* the bound */
    for (int round = 0; round < 100; round++) {
        fill(&desk, "a", works, 1);
        desk.clock.now_monotonic_ms += 1000;
        leave_all(&desk, works, 1);
    }
    assert_int_equal(look(&desk).places, PLACES); /* never less */
    lb_admission_free(desk.admission);
}

/* What was given up, or refused elsewhere at once, is no work that was done. */
static void what_fails_is_no_rate(void **state)
{
    struct desk desk;
    struct work work;
    (void)state;
    open_desk(&desk, 1000);
    for (int i = 0; i < 10000; i++) {
        assert_null(enter(&desk, "a", LB_ADMIT_FINISHES, 1, &work));
        desk.clock.now_monotonic_ms += 1;
        lb_admission_leave(desk.admission, &work.ticket, false);
    }
    assert_int_equal(look(&desk).places, PLACES);
    lb_admission_free(desk.admission);
}

/* The attack: one asker asks for as much as it gets, all the time. Another comes now and then. */
static void a_greedy_asker_keeps_nobody_out(void **state)
{
    struct desk desk;
    struct work greedy[400], modest[20];
    size_t in = 0, refused = 0, next = 0;
    (void)state;
    open_desk(&desk, 100);
    for (int tick = 0; tick < 20; tick++) {
        for (int i = 0; i < 20; i++) {
            bool took = enter(&desk, "greedy", LB_ADMIT_FINISHES, 1, &greedy[in]) == LB_OK;
            in += took;
            refused += !took;
        }
        assert_null(enter(&desk, "modest", LB_ADMIT_FINISHES, 1, &modest[tick]));
        for (int done = 0; done < 4; done++) { /* of what is in hand the oldest is over */
            desk.clock.now_monotonic_ms += 25;
            while (next < in && greedy[next].began == 0)
                next++;
            lb_admission_leave(desk.admission, &greedy[next++].ticket, true);
        }
        assert_int_equal(modest[tick].began, 1); /* within the next places given back */
        lb_admission_leave(desk.admission, &modest[tick].ticket, true);
    }
    assert_true(refused > 200);
    leave_all(&desk, greedy, in);
    lb_admission_free(desk.admission);
}

/* Weight counts, not how many tickets it comes in. */
static void turns_are_by_weight(void **state)
{
    struct desk desk;
    struct work heavy[8], light[400];
    size_t began = 0;
    (void)state;
    open_desk(&desk, 1000);
    assert_null(enter(&desk, "x", LB_ADMIT_FINISHES, PLACES, &heavy[0])); /* all places */
    for (size_t i = 1; i < 8; i++)
        heavy[i].ticket.begin = begin;
    assert_null(enter(&desk, "heavy", LB_ADMIT_FINISHES, 5, &heavy[1]));
    for (size_t i = 0; i < 4; i++)
        assert_null(enter(&desk, "light", LB_ADMIT_FINISHES, 1, &light[i]));
    lb_admission_leave(desk.admission, &heavy[0].ticket, true);
    for (size_t i = 0; i < 4; i++)
        began += light[i].began == 1;
    assert_int_equal(heavy[1].began, 1);
    assert_int_equal(began, 4);
    lb_admission_leave(desk.admission, &heavy[1].ticket, true);
    leave_all(&desk, light, 4);
    lb_admission_free(desk.admission);
}

static void what_finishes_goes_before_what_begins(void **state)
{
    struct desk desk;
    struct work works[PLACES], begins, finishes;
    (void)state;
    open_desk(&desk, 100);
    fill(&desk, "a", works, PLACES);
    assert_null(enter(&desk, "a", LB_ADMIT_BEGINS, 1, &begins));
    assert_null(enter(&desk, "a", LB_ADMIT_FINISHES, 1, &finishes));
    lb_admission_leave(desk.admission, &works[0].ticket, true);
    assert_int_equal(finishes.began, 1);
    assert_int_equal(begins.began, 0);
    leave_all(&desk, works, PLACES);
    assert_int_equal(begins.began, 1);
    lb_admission_leave(desk.admission, &begins.ticket, true);
    lb_admission_leave(desk.admission, &finishes.ticket, true);
    lb_admission_free(desk.admission);
}

/* A department that hangs holds the places of those who need it, and then nobody gives one back:
 * the wait of the others ends all the same. */
static void nobody_waits_for_ever(void **state)
{
    struct desk desk;
    struct work works[2 * PLACES];
    (void)state;
    open_desk(&desk, 100);
    fill(&desk, "a", works, 2 * PLACES);
    desk.clock.now_monotonic_ms += 2 * AIM_MS + 1;
    lb_admission_sweep(desk.admission);
    for (size_t i = PLACES; i < 2 * PLACES; i++) {
        assert_int_equal(works[i].late, 1);
        assert_int_equal(works[i].began, 0);
    }
    leave_all(&desk, works, PLACES);
    lb_admission_free(desk.admission);
}

static void an_asker_is_an_organization(void **state)
{
    char who[LB_MAX_NAME_BYTES + 1];
    (void)state;
    lb_admission_who("spiffe://test.gov/window/street-office", who);
    assert_string_equal(who, "street-office");
    lb_admission_who("spiffe://test.gov/window/street-office/hall-2", who);
    assert_string_equal(who, "street-office");
    lb_admission_who("unit 7", who);
    assert_string_equal(who, "unit 7");
    lb_admission_who("spiffe://", who);
    assert_string_equal(who, "");
}

static void a_time_to_come_again_is_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(lb_later_ms(lb_later(1)), 50);
    assert_int_equal(lb_later_ms(lb_later(301)), 400);
    assert_int_equal(lb_later_ms(lb_later(INT64_MAX)), 60000);
    assert_int_equal(lb_later_ms(lb_status_of(LB_BUSY)), 0);
    assert_int_equal(lb_later_ms(LB_OK), 0);
    assert_int_equal(lb_status_code(lb_later(7)), LB_BUSY);
}

#define NUM_THREADS 4
#define NUM_EACH 20000

static void leave_from_begin(struct lb_ticket *ticket, lb_status status)
{
    struct work *work = (struct work *)ticket;
    __atomic_store_n(status == LB_OK ? &work->began : &work->late, 1, __ATOMIC_RELEASE);
}

static void *hammer(void *arg)
{
    struct desk *desk = arg;
    struct work work;
    char who[2] = {(char)('a' + ((uintptr_t)&work >> 12) % 3), 0};
    for (int i = 0; i < NUM_EACH; i++) {
        work = (struct work){.ticket = {.begin = leave_from_begin}};
        if (lb_admission_enter(desk->admission, who, LB_ADMIT_BEGINS, 1 + (uint64_t)i % 7,
                               PATIENT_MS, &work.ticket) != LB_OK)
            continue;
        while (!__atomic_load_n(&work.began, __ATOMIC_ACQUIRE) &&
               !__atomic_load_n(&work.late, __ATOMIC_ACQUIRE))
            (void)sched_yield();
        if (work.began)
            lb_admission_leave(desk->admission, &work.ticket, true);
    }
    return NULL;
}

static void many_threads_leave_nothing_behind(void **state)
{
    struct desk desk;
    pthread_t threads[NUM_THREADS];
    (void)state;
    open_desk(&desk, 100);
    for (size_t i = 0; i < NUM_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &desk), 0);
    for (size_t i = 0; i < NUM_THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    struct lb_admission_view view = look(&desk);
    assert_int_equal(view.in_hand + view.num_waiting + view.num_askers, 0);
    assert_int_equal(view.num_admitted + view.num_refused + view.num_given_up,
                     NUM_THREADS * NUM_EACH);
    lb_admission_free(desk.admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_begins_at_once_and_the_next_waits),
        cmocka_unit_test(what_would_wait_too_long_is_told_when_to_come),
        cmocka_unit_test(a_near_deadline_is_not_queued_for),
        cmocka_unit_test(places_follow_the_rate),
        cmocka_unit_test(what_fails_is_no_rate),
        cmocka_unit_test(a_greedy_asker_keeps_nobody_out),
        cmocka_unit_test(turns_are_by_weight),
        cmocka_unit_test(what_finishes_goes_before_what_begins),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(an_asker_is_an_organization),
        cmocka_unit_test(a_time_to_come_again_is_rounded_up),
        cmocka_unit_test(many_threads_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
