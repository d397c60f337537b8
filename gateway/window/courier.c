#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/wipe.h"
#include "gateway/evidence/link.h"
#include "gateway/window/corrections.h"
#include "gateway/window/ends.h"
#include "gateway/wire/pb.h"

/*
 * Threads of the courier. Each broker's follower waits in the port and queues what comes; the
 * worker takes it from there to the disk, says so, and sends what is due. An event that was queued
 * and is lost with the process comes again, since nobody has said that it is here.
 */

#define MAX_QUEUED 1024U
#define PERIOD_MS 1000
#define FIRST_PAUSE_MS 200
#define LAST_PAUSE_MS 10000
#define CATCH_UP_MS 10000
#define BATCH_EVENTS 16U /* taken in one arena, and said to be taken at once */

struct event {
    struct event *next;
    size_t broker;
    size_t len;
    uint8_t bytes[];
};

struct follower {
    struct lb_courier *courier;
    size_t broker;
    pthread_t thread;
    bool again;             /* to be followed anew */
};

struct lb_courier {
    struct lb_window *window;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    size_t num_queued;
    struct event *first, **last;
    unsigned down;          /* brokers that were down when they were last looked at */
    bool caught_up;         /* with what a crash had left half done */
    int64_t next_try_ms;
    struct lb_case_ends ends;
    pthread_t worker;
    bool started;
    size_t num_followers;
    struct follower followers[LB_WINDOW_MAX_BROKERS];
};

/* --- the queue --- */

static void free_event(struct event *event)
{
    lb_wipe(event->bytes, event->len);
    free(event);
}

lb_status lb_courier_event(struct lb_courier *courier, size_t broker, struct lb_span bytes)
{
    LB_ENSURE(bytes.len <= LB_MAX_MESSAGE_BYTES, LB_TOO_LARGE, "an event");
    struct event *event = malloc(sizeof(*event) + bytes.len);
    LB_ENSURE(event != NULL, LB_NO_MEMORY, "an event");
    event->next = NULL;
    event->broker = broker;
    event->len = bytes.len;
    if (bytes.len > 0)
        memcpy(event->bytes, bytes.ptr, bytes.len);
    (void)pthread_mutex_lock(&courier->lock);
    bool full = courier->num_queued >= MAX_QUEUED || courier->stopping;
    if (!full) {
        *courier->last = event;
        courier->last = &event->next;
        courier->num_queued++;
        (void)pthread_cond_signal(&courier->wake);
    }
    (void)pthread_mutex_unlock(&courier->lock);
    if (full)
        free_event(event);
    LB_ENSURE(!full, LB_BUSY, "too many events wait");
    return LB_OK;
}

/* Takes a broker's events off the queue's head, at most max. */
static struct event *take_events(struct lb_courier *courier, size_t max)
{
    (void)pthread_mutex_lock(&courier->lock);
    struct event *first = courier->first, **at = &courier->first;
    size_t num = 0;
    for (; *at != NULL && num < max && (*at)->broker == first->broker; num++)
        at = &(*at)->next;
    courier->first = *at;
    *at = NULL;
    if (courier->first == NULL)
        courier->last = &courier->first;
    courier->num_queued -= num;
    (void)pthread_mutex_unlock(&courier->lock);
    return num > 0 ? first : NULL;
}

/* --- what came --- */

struct batch {
    struct lb_window *window;
    struct lb_arena *arena;
    Lianban__V1__TakeRequest request;
};

static lb_status take_word(struct batch *batch, const Lianban__V1__ParcelHanded *handed)
{
    Lianban__V1__ParcelReceipt *receipt = lb_arena_alloc(batch->arena, sizeof(*receipt));
    LB_ENSURE(receipt != NULL, LB_NO_MEMORY, "arena is full");
    LB_TRY(lb_parts_word(batch->window, handed, batch->arena, receipt));
    batch->request.receipts[batch->request.n_receipts++] = receipt;
    return LB_OK;
}

static lb_status take_news(struct batch *batch, size_t broker,
                           const Lianban__V1__ParcelEvent *news)
{
    bool ended = false;
    LB_ENSURE(news->receipt != NULL, LB_MALFORMED, "news without a receipt");
    LB_TRY(lb_parts_receipt(batch->window, broker, news->receipt, &ended));
    if (ended)
        batch->request.ended[batch->request.n_ended++] = news->receipt->name;
    return LB_OK;
}

static lb_status take_event(struct batch *batch, const struct event *event)
{
    Lianban__V1__FollowEvent *message = NULL;
    LB_TRY(lb_pb_unpack(&lianban__v1__follow_event__descriptor,
                        lb_span_of(event->bytes, event->len), batch->arena, &message));
    switch (message->body_case) {
    case LIANBAN__V1__FOLLOW_EVENT__BODY_HANDED:
        return take_word(batch, message->handed);
    case LIANBAN__V1__FOLLOW_EVENT__BODY_EVENT:
        return take_news(batch, event->broker, message->event);
    case LIANBAN__V1__FOLLOW_EVENT__BODY_CAUGHT_UP:
        lb_window_brokers_answered(&batch->window->brokers, event->broker);
        return LB_OK;
    default:
        LB_FAIL(LB_VERSION_UNSUPPORTED, "news of a kind that is not known here");
    }
}

static lb_status say_taken(struct batch *batch, size_t broker)
{
    const struct lb_window_port *port = &batch->window->options.port;
    Lianban__V1__TakeRequest *request = &batch->request;
    if (request->n_receipts == 0 && request->n_ended == 0)
        return LB_OK;
    LB_TRY(lb_parts_prove_taken(batch->window, request, batch->arena));
    return port->take(port->ctx, broker, request);
}

static lb_status begin(struct batch *batch)
{
    LB_ENSURE(batch->arena != NULL, LB_NO_MEMORY, "arena");
    lianban__v1__take_request__init(&batch->request);
    batch->request.receipts = lb_arena_array(batch->arena, BATCH_EVENTS, sizeof(void *));
    batch->request.ended =
        lb_arena_array(batch->arena, BATCH_EVENTS, sizeof(batch->request.ended[0]));
    LB_ENSURE(batch->request.receipts != NULL && batch->request.ended != NULL, LB_NO_MEMORY,
              "arena is full");
    return LB_OK;
}

/* What does not hold would not hold the next time either. */
static bool is_worth_again(enum lb_code code)
{
    return code != LB_RECEIPT_INVALID && code != LB_MALFORMED && code != LB_VERSION_UNSUPPORTED;
}

/* What can't be taken just now stays with the broker, which tells it in the next Follow. */
static void take_batch(struct lb_courier *courier, struct event *first)
{
    LB_DEFER(lb_arena_freep) struct lb_arena *arena = lb_arena_new(LB_WINDOW_ARENA_BYTES);
    struct batch batch = {.window = courier->window, .arena = arena};
    size_t broker = first->broker;
    bool again = false;
    lb_status status = begin(&batch);
    while (first != NULL) {
        struct event *event = first;
        lb_status taken = status == LB_OK ? take_event(&batch, event) : status;
        first = event->next;
        free_event(event);
        lb_log_failure("parcel_news_not_taken", taken);
        again = again || (taken != LB_OK && is_worth_again(taken->code));
    }
    if (status == LB_OK)
        status = say_taken(&batch, broker);
    lb_log_failure("parcel_news_not_acknowledged", status);
    if (again || status != LB_OK)
        __atomic_store_n(&courier->followers[broker].again, true, __ATOMIC_RELEASE);
}

/* --- the worker --- */

/* What a broker held that has gone is handed to another at once. */
static void look_for_the_gone(struct lb_courier *courier)
{
    struct lb_window_brokers *brokers = &courier->window->brokers;
    unsigned down = 0;
    for (size_t i = 0; i < brokers->num; i++)
        down |= lb_window_brokers_is_down(brokers, i) ? 1U << i : 0;
    if ((down & ~courier->down) != 0)
        lb_log_failure("parcels_not_hurried", lb_parcels_hurry(courier->window->store));
    courier->down = down;
}

/* Once after a start; what fails is tried again. */
static void catch_up(struct lb_courier *courier)
{
    struct lb_window *window = courier->window;
    int64_t now_ms = lb_clock_monotonic_ms(window->options.clock);
    if (courier->caught_up || now_ms < courier->next_try_ms)
        return;
    lb_status status = lb_corrections_catch_up_all(window);
    lb_log_failure("corrections_not_sent", status);
    courier->caught_up = status == LB_OK;
    courier->next_try_ms = now_ms + CATCH_UP_MS;
}

void lb_courier_work(struct lb_courier *courier)
{
    catch_up(courier);
    for (struct event *first = take_events(courier, BATCH_EVENTS); first != NULL;
         first = take_events(courier, BATCH_EVENTS))
        take_batch(courier, first);
    look_for_the_gone(courier);
    lb_log_failure("parcels_not_sent", lb_parts_send(courier->window));
    lb_case_ends_look(courier->window, &courier->ends);
}

static bool is_stopping(struct lb_courier *courier)
{
    (void)pthread_mutex_lock(&courier->lock);
    bool stopping = courier->stopping;
    (void)pthread_mutex_unlock(&courier->lock);
    return stopping;
}

static void wait_for_work(struct lb_courier *courier)
{
    const struct timespec until = lb_clock_after_ms(PERIOD_MS);
    int late = 0;
    (void)pthread_mutex_lock(&courier->lock);
    while (courier->first == NULL && !courier->stopping && late == 0)
        late = pthread_cond_timedwait(&courier->wake, &courier->lock, &until);
    (void)pthread_mutex_unlock(&courier->lock);
}

static void *work(void *arg)
{
    struct lb_courier *courier = arg;
    while (!is_stopping(courier)) {
        lb_courier_work(courier);
        wait_for_work(courier);
    }
    return NULL;
}

/* --- followers --- */

static bool on_event(void *arg, struct lb_span bytes)
{
    const struct follower *follower = arg;
    lb_status status = lb_courier_event(follower->courier, follower->broker, bytes);
    return status == LB_OK; /* otherwise it is told again, from the beginning */
}

static bool go_on(void *arg)
{
    struct follower *follower = arg;
    bool again = __atomic_exchange_n(&follower->again, false, __ATOMIC_ACQ_REL);
    return !again && !is_stopping(follower->courier);
}

static void pause_ms(struct lb_courier *courier, int64_t ms)
{
    for (int64_t waited = 0; waited < ms && !is_stopping(courier); waited += FIRST_PAUSE_MS) {
        const struct timespec pause = {.tv_nsec = FIRST_PAUSE_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
}

static void *follow(void *arg)
{
    struct follower *follower = arg;
    struct lb_courier *courier = follower->courier;
    const struct lb_window_options *options = &courier->window->options;
    const struct lb_window_follow_call call = {follower->broker, on_event, go_on, follower};
    int64_t pause = FIRST_PAUSE_MS;
    while (!is_stopping(courier)) {
        int64_t began_ms = lb_clock_monotonic_ms(lb_clock_system());
        lb_status status = options->port.follow(options->port.ctx, &call);
        bool lasted = lb_clock_monotonic_ms(lb_clock_system()) - began_ms > LAST_PAUSE_MS;
        if (lb_status_code(status) == LB_UNAVAILABLE && !is_stopping(courier))
            lb_window_brokers_failed(&courier->window->brokers, follower->broker);
        pause = lasted ? FIRST_PAUSE_MS : 2 * pause > LAST_PAUSE_MS ? LAST_PAUSE_MS : 2 * pause;
        pause_ms(courier, pause);
    }
    return NULL;
}

/* --- life --- */

static lb_status start(struct lb_courier *courier)
{
    LB_ENSURE(pthread_create(&courier->worker, NULL, work, courier) == 0, LB_NO_MEMORY,
              "a thread");
    courier->started = true;
    for (size_t i = 0; i < courier->window->brokers.num; i++) {
        struct follower *follower = &courier->followers[i];
        follower->courier = courier;
        follower->broker = i;
        LB_ENSURE(pthread_create(&follower->thread, NULL, follow, follower) == 0, LB_NO_MEMORY,
                  "a thread");
        courier->num_followers = i + 1;
    }
    return LB_OK;
}

lb_status lb_courier_make(struct lb_window *window, struct lb_courier **out_courier)
{
    struct lb_courier *courier = calloc(1, sizeof(*courier));
    LB_ENSURE(courier != NULL, LB_NO_MEMORY, "courier");
    courier->window = window;
    courier->last = &courier->first;
    (void)pthread_mutex_init(&courier->lock, NULL);
    lb_clock_cond_init(&courier->wake);
    *out_courier = courier;
    return LB_OK;
}

lb_status lb_courier_new(struct lb_window *window, struct lb_courier **out_courier)
{
    struct lb_courier *courier = NULL;
    LB_TRY(lb_courier_make(window, &courier));
    lb_status status = start(courier);
    if (status != LB_OK) {
        lb_courier_free(courier);
        return status;
    }
    *out_courier = courier;
    return LB_OK;
}

void lb_courier_free(struct lb_courier *courier)
{
    if (courier == NULL)
        return;
    (void)pthread_mutex_lock(&courier->lock);
    courier->stopping = true;
    (void)pthread_cond_broadcast(&courier->wake);
    (void)pthread_mutex_unlock(&courier->lock);
    for (size_t i = 0; i < courier->num_followers; i++)
        (void)pthread_join(courier->followers[i].thread, NULL);
    if (courier->started)
        (void)pthread_join(courier->worker, NULL);
    while (courier->first != NULL) {
        struct event *event = courier->first;
        courier->first = event->next;
        free_event(event);
    }
    (void)pthread_cond_destroy(&courier->wake);
    (void)pthread_mutex_destroy(&courier->lock);
    free(courier);
}
