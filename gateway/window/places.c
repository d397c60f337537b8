#include "gateway/window/places.h"

#include <stdlib.h>

#include "gateway/crypto/hash.h"

/* With a rate that nobody knows yet, all places are thought to be over in so long. */
#define AIM_MS 1000
/* Up to a part of it more is waited before a broker is asked again. */
#define JITTER_SHARE 2

struct lb_place {
    struct lb_job job;
    struct lb_ticket ticket;
    struct lb_window_case *entry;
    lb_status (*run)(struct lb_window_case *entry);
    void (*end)(struct lb_window_case *entry, lb_status status);
};

lb_status lb_places_new(const struct lb_window_options *options,
                        struct lb_admission **out_admission)
{
    size_t num = options->max_collects > 0 ? options->max_collects : LB_WINDOW_MAX_COLLECTS;
    const struct lb_admission_options admission = {
        .clock = options->clock,
        .aim_ms = AIM_MS,
        .wait_ms = options->wait_ms > 0 ? options->wait_ms : LB_WINDOW_WAIT_MS,
        .min_places = num,
        .max_places = num, /* each has a thread */
        .max_waiting = LB_WINDOW_MAX_CASES,
    };
    return lb_admission_new(&admission, out_admission);
}

static void give_back(struct lb_place *place, lb_status status)
{
    struct lb_window_case *entry = place->entry;
    void (*end)(struct lb_window_case *, lb_status) = place->end;
    lb_admission_leave(entry->window->admission, &place->ticket, status == LB_OK);
    free(place);
    end(entry, status);
}

static void run_job(struct lb_job *job)
{
    struct lb_place *place = (struct lb_place *)job;
    give_back(place, place->run(place->entry));
}

static void begin(struct lb_ticket *ticket, lb_status status)
{
    struct lb_place *place =
        (struct lb_place *)(void *)((char *)ticket - offsetof(struct lb_place, ticket));
    if (status == LB_OK)
        status = lb_workers_submit(place->entry->window->options.workers, &place->job);
    if (status != LB_OK)
        give_back(place, status);
}

lb_status lb_place_new(struct lb_window_case *entry,
                       lb_status (*run)(struct lb_window_case *entry),
                       void (*end)(struct lb_window_case *entry, lb_status status),
                       struct lb_place **out_place)
{
    struct lb_place *place = calloc(1, sizeof(*place));
    LB_ENSURE(place != NULL, LB_NO_MEMORY, "collect");
    *place = (struct lb_place){.job = {.run = run_job},
                               .ticket = {.begin = begin},
                               .entry = entry,
                               .run = run,
                               .end = end};
    *out_place = place;
    return LB_OK;
}

/* A case's deadline begins with its turn. */
static int64_t time_of(const struct lb_window *window)
{
    const struct lb_window_options *options = &window->options;
    return (options->wait_ms > 0 ? options->wait_ms : LB_WINDOW_WAIT_MS) +
           (options->deadline_ms > 0 ? options->deadline_ms : LB_CASE_DEADLINE_MS);
}

lb_status lb_places_may_open(struct lb_window *window, const char *unit)
{
    return lb_admission_peek(window->admission, unit, LB_ADMIT_BEGINS, time_of(window));
}

void lb_place_ask(struct lb_place *place)
{
    struct lb_window *window = place->entry->window;
    lb_status status = lb_admission_enter(window->admission, place->entry->unit, LB_ADMIT_FINISHES,
                                          1, time_of(window), &place->ticket);
    if (status != LB_OK)
        give_back(place, status);
}

bool lb_places_refused(struct lb_collect_run *run, lb_status asked)
{
    int64_t ms = lb_later_ms(asked);
    uint8_t dice = 0;
    if (ms == 0 || run->spoke)
        return false;
    lb_status_ignore(lb_crypto_random(&dice, 1)); /* without one all wait alike */
    run->pause_ms = ms + ms * dice / (JITTER_SHARE * 255);
    return true;
}
