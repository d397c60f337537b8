#include "gateway/window/events.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/limits.h"
#include "gateway/base/wipe.h"

struct lb_feed {
    pthread_mutex_t lock;
    size_t refs;
    bool closed;
    uint64_t first_number;   /* of events[0] */
    uint64_t collect_first;  /* where the last collect began */
    size_t num_events;
    size_t room;
    struct lb_span *events;  /* each on the heap */
    struct lb_case_listener *listeners;
};

struct lb_case_listener {
    struct lb_feed *feed;
    struct lb_case_listener *next;
    struct lb_listener_port port;
    bool collect;       /* ends with the collect */
    bool started;
    bool ended;         /* the port is, or will be, told that no more comes */
    uint64_t at;        /* number of the next event it gets */
    uint64_t end;       /* number it stops before, once ended */
    lb_status status;
};

struct lb_feed *lb_feed_new(void)
{
    struct lb_feed *feed = calloc(1, sizeof(*feed));
    if (feed == NULL)
        return NULL;
    feed->refs = 1;
    (void)pthread_mutex_init(&feed->lock, NULL);
    return feed;
}

static uint64_t next_number(const struct lb_feed *feed)
{
    return feed->first_number + feed->num_events;
}

/* Under lock. Events carry answers. */
static void drop_first(struct lb_feed *feed, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        lb_wipe((uint8_t *)(uintptr_t)feed->events[i].ptr, feed->events[i].len);
        free((uint8_t *)(uintptr_t)feed->events[i].ptr);
    }
    feed->num_events -= num;
    feed->first_number += num;
    if (feed->num_events > 0)
        memmove(feed->events, feed->events + num, feed->num_events * sizeof(feed->events[0]));
}

void lb_feed_unref(struct lb_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    bool last = --feed->refs == 0;
    (void)pthread_mutex_unlock(&feed->lock);
    if (!last)
        return;
    drop_first(feed, feed->num_events);
    free(feed->events);
    (void)pthread_mutex_destroy(&feed->lock);
    free(feed);
}

/* Under lock. */
static lb_status make_room(struct lb_feed *feed)
{
    if (feed->num_events < feed->room)
        return LB_OK;
    size_t room = feed->room == 0 ? 32 : 2 * feed->room;
    struct lb_span *events = realloc(feed->events, room * sizeof(*events));
    LB_ENSURE(events != NULL, LB_NO_MEMORY, "events");
    feed->events = events;
    feed->room = room;
    return LB_OK;
}

/* Under lock. Parts go on for months after the last collect. */
static lb_status append(struct lb_feed *feed, struct lb_span bytes)
{
    if (feed->num_events >= 2 * LB_FEED_MAX_EVENTS)
        drop_first(feed, LB_FEED_MAX_EVENTS);
    LB_TRY(make_room(feed));
    uint8_t *copy = malloc(bytes.len + 1);
    LB_ENSURE(copy != NULL, LB_NO_MEMORY, "event");
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    feed->events[feed->num_events++] = lb_span_of(copy, bytes.len);
    return LB_OK;
}

lb_status lb_feed_push(struct lb_feed *feed, struct lb_span bytes)
{
    (void)pthread_mutex_lock(&feed->lock);
    lb_status status = append(feed, bytes);
    struct lb_case_listener *listener = status == LB_OK ? feed->listeners : NULL;
    for (; listener != NULL; listener = listener->next) {
        if (listener->started && !listener->ended)
            listener->port.kick(listener->port.ctx);
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return status;
}

void lb_feed_begin(struct lb_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    if (feed->num_events > LB_FEED_MAX_EVENTS)
        drop_first(feed, feed->num_events - LB_FEED_MAX_EVENTS);
    feed->collect_first = next_number(feed);
    (void)pthread_mutex_unlock(&feed->lock);
}

/* Under lock. A listener that has not started is told when it does. */
static void end_listener(struct lb_case_listener *listener, lb_status status)
{
    if (listener->ended)
        return;
    listener->ended = true;
    listener->end = next_number(listener->feed);
    listener->status = status;
    if (listener->started)
        listener->port.finish(listener->port.ctx, status);
}

void lb_feed_end(struct lb_feed *feed, lb_status status)
{
    (void)pthread_mutex_lock(&feed->lock);
    for (struct lb_case_listener *listener = feed->listeners; listener != NULL;
         listener = listener->next) {
        if (listener->collect)
            end_listener(listener, status);
    }
    (void)pthread_mutex_unlock(&feed->lock);
}

void lb_feed_close(struct lb_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->closed = true;
    drop_first(feed, feed->num_events);
    for (struct lb_case_listener *listener = feed->listeners; listener != NULL;
         listener = listener->next)
        end_listener(listener, LB_OK);
    (void)pthread_mutex_unlock(&feed->lock);
}

lb_status lb_feed_listen(struct lb_feed *feed, enum lb_feed_from from,
                         const struct lb_listener_port *port,
                         struct lb_case_listener **out_listener)
{
    struct lb_case_listener *listener = calloc(1, sizeof(*listener));
    LB_ENSURE(listener != NULL, LB_NO_MEMORY, "listener");
    listener->feed = feed;
    listener->port = *port;
    listener->collect = from == LB_FEED_COLLECT;
    (void)pthread_mutex_lock(&feed->lock);
    feed->refs++;
    listener->at = listener->collect ? feed->collect_first : 0;
    listener->next = feed->listeners;
    feed->listeners = listener;
    if (feed->closed)
        end_listener(listener, LB_OK);
    (void)pthread_mutex_unlock(&feed->lock);
    *out_listener = listener;
    return LB_OK;
}

/* Under lock: the next event the listener may have; false when there is none. */
static bool next_event(const struct lb_case_listener *listener, uint64_t *out_number)
{
    const struct lb_feed *feed = listener->feed;
    uint64_t number = listener->at < feed->first_number ? feed->first_number : listener->at;
    if (number >= next_number(feed) || (listener->ended && number >= listener->end))
        return false;
    *out_number = number;
    return true;
}

void lb_feed_start(struct lb_case_listener *listener)
{
    struct lb_feed *feed = listener->feed;
    (void)pthread_mutex_lock(&feed->lock);
    uint64_t number = 0;
    listener->started = true;
    if (next_event(listener, &number))
        listener->port.kick(listener->port.ctx);
    if (listener->ended)
        listener->port.finish(listener->port.ctx, listener->status);
    (void)pthread_mutex_unlock(&feed->lock);
}

bool lb_case_listener_fill(struct lb_case_listener *listener, struct lb_buf *out)
{
    struct lb_feed *feed = listener->feed;
    (void)pthread_mutex_lock(&feed->lock);
    uint64_t number = 0;
    bool filled = false;
    if (next_event(listener, &number)) {
        listener->at = number + 1;
        lb_buf_put(out, feed->events[number - feed->first_number]);
        lb_status status = lb_buf_check(out);
        filled = status == LB_OK;
        if (!filled)
            end_listener(listener, status); /* a gap would look like an event that never was */
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return filled;
}

bool lb_feed_drained(struct lb_feed *feed)
{
    bool drained = true;
    (void)pthread_mutex_lock(&feed->lock);
    for (const struct lb_case_listener *listener = feed->listeners; listener != NULL;
         listener = listener->next) {
        uint64_t number = 0;
        drained = drained && !(listener->ended && next_event(listener, &number));
    }
    (void)pthread_mutex_unlock(&feed->lock);
    return drained;
}

void lb_feed_forget(struct lb_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    drop_first(feed, feed->num_events);
    (void)pthread_mutex_unlock(&feed->lock);
}

void lb_case_listener_close(struct lb_case_listener *listener)
{
    struct lb_feed *feed = listener->feed;
    (void)pthread_mutex_lock(&feed->lock);
    struct lb_case_listener **at = &feed->listeners;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    (void)pthread_mutex_unlock(&feed->lock);
    free(listener);
    lb_feed_unref(feed);
}
