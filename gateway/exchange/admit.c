#include "gateway/exchange/inside.h"
#include "gateway/wire/count.h"

/* A form's place among those that the broker has in hand. It is asked for before anything of the
 * request is read but how many reads it has, which is what it weighs, and given back when the last
 * of them has ended, or when what is left waits for somebody else: a department that is slow must
 * not hold the places of those who do not need it. */

/* In hand is what is done in so long. */
#define AIM_MS 1000
/* Reads in hand whatever the rate: what one agent collects at a time, of ten departments. */
#define MIN_PLACES 640U
#define MAX_PLACES 16384U
#define MAX_WAITING 4096U
/* Once half of a form's reads have ended, the others get as much time again, and at least this. */
#define STRAGGLE_MS 50
/* What is in hand for so many times the aim waits for somebody, whoever it is. */
#define LONG_AIMS 2
/* Of CollectRequest. */
#define READS_FIELD 4U

lb_status lb_exchange_admission_new(const struct lb_exchange_options *options,
                                    struct lb_admission **out_admission)
{
    const struct lb_admission_options admission = {
        .clock = options->clock,
        .aim_ms = AIM_MS,
        .wait_ms = options->wait_ms > 0 ? options->wait_ms : LB_EXCHANGE_WAIT_MS,
        .min_places = options->min_places > 0 ? options->min_places : MIN_PLACES,
        .max_places = MAX_PLACES,
        .max_waiting = MAX_WAITING,
    };
    return lb_admission_new(&admission, out_admission);
}

static int64_t now_ms(const struct lb_collect *collect)
{
    return lb_clock_monotonic_ms(collect->exchange->options.clock);
}

static bool is_detached(struct lb_collect *collect)
{
    (void)pthread_mutex_lock(&collect->lock);
    bool detached = collect->detached;
    (void)pthread_mutex_unlock(&collect->lock);
    return detached;
}

void lb_exchange_refused(struct lb_exchange *exchange, const char *caller, lb_status status)
{
    lb_meter_count(exchange->options.meter, LB_METER_COLLECT, status->code);
    if (status->code == LB_BUSY)
        lb_log_count_denial(exchange->options.log, caller, LB_BUSY);
}

/* Whoever went away while it waited is not asked for any more; nothing was routed. */
static void begin(struct lb_ticket *ticket, lb_status status)
{
    struct lb_collect *collect =
        (struct lb_collect *)(void *)((char *)ticket - offsetof(struct lb_collect, ticket));
    if (status == LB_OK && is_detached(collect))
        status = LB_FAULT(LB_CANCELLED, "nobody waits for it any more");
    if (status == LB_OK) {
        (void)pthread_mutex_lock(&collect->lock);
        collect->began_ms = now_ms(collect);
        collect->yields_ms = collect->began_ms + (int64_t)LONG_AIMS * AIM_MS;
        (void)pthread_mutex_unlock(&collect->lock);
        status = lb_workers_submit(collect->exchange->options.workers, &collect->job);
    }
    if (status == LB_OK)
        return;
    lb_collect_yield(collect, false);
    lb_collect_refuse(collect, status);
    lb_collect_release(collect);
}

lb_status lb_collect_ask(struct lb_collect *collect)
{
    char who[LB_MAX_NAME_BYTES + 1];
    int64_t left_ms =
        collect->deadline_unix_ms - lb_clock_unix_ms(collect->exchange->options.clock);
    size_t weight = lb_pb_count(collect->request_bytes, READS_FIELD);
    weight = weight > LB_MAX_READS_PER_COLLECT ? LB_MAX_READS_PER_COLLECT : weight;
    lb_admission_who(collect->caller, who);
    collect->ticket.begin = begin;
    lb_status status = lb_admission_enter(collect->exchange->admission, who, LB_ADMIT_FINISHES,
                                          weight, left_ms, &collect->ticket);
    if (status != LB_OK)
        lb_exchange_refused(collect->exchange, collect->caller, status);
    return status;
}

lb_status lb_exchange_may_collect(struct lb_exchange *exchange, const char *caller,
                                  int64_t deadline_unix_ms)
{
    char who[LB_MAX_NAME_BYTES + 1];
    int64_t left_ms = deadline_unix_ms - lb_clock_unix_ms(exchange->options.clock);
    lb_admission_who(caller, who);
    lb_status status = lb_admission_peek(exchange->admission, who, LB_ADMIT_FINISHES, left_ms);
    if (status != LB_OK)
        lb_exchange_refused(exchange, caller, status);
    return status;
}

void lb_collect_yield(struct lb_collect *collect, bool served)
{
    lb_admission_leave(collect->exchange->admission, &collect->ticket, served);
}

void lb_collect_progress(struct lb_collect *collect)
{
    size_t ended = collect->num_reads - collect->num_open;
    int64_t now = now_ms(collect), took = now - collect->began_ms;
    if (2 * ended < collect->num_reads)
        return;
    int64_t until = now + (took > STRAGGLE_MS ? took : STRAGGLE_MS);
    if (until < collect->yields_ms)
        collect->yields_ms = until;
}

/* One whose time to yield has come, with a reference; NULL when there is none. */
static struct lb_collect *next_due(struct lb_exchange *exchange, int64_t now)
{
    struct lb_collect *found = NULL;
    (void)pthread_mutex_lock(&exchange->lock);
    for (struct lb_collect *c = exchange->collects; c != NULL && found == NULL; c = c->next) {
        (void)pthread_mutex_lock(&c->lock);
        if (c->refs > 0 && now >= c->yields_ms) {
            c->yields_ms = INT64_MAX;
            c->refs++;
            found = c;
        }
        (void)pthread_mutex_unlock(&c->lock);
    }
    (void)pthread_mutex_unlock(&exchange->lock);
    return found;
}

void lb_exchange_yield_due(struct lb_exchange *exchange)
{
    int64_t now = lb_clock_monotonic_ms(exchange->options.clock);
    struct lb_collect *collect;
    while ((collect = next_due(exchange, now)) != NULL) {
        lb_collect_yield(collect, true);
        lb_collect_release(collect);
    }
    lb_admission_sweep(exchange->admission);
}
