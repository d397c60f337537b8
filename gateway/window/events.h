#ifndef GATEWAY_WINDOW_EVENTS_H
#define GATEWAY_WINDOW_EVENTS_H

#include "gateway/window/window.h"

/*
 * Inside gateway/window: the events of one case, packed, in order, and who listens. A feed outlives
 * its case for as long as somebody listens. Ports are called under the feed's lock and must not
 * call back.
 */
struct lb_feed;

/* At most this many events are kept between collects, twice as many ever; past it the oldest go,
 * and a listener that has not had them by then misses them. Facts are in the case itself, so
 * nothing else is lost. */
#define LB_FEED_MAX_EVENTS 4096U

/* lb_feed_new makes an empty feed with one reference; NULL when memory is exhausted. */
struct lb_feed *lb_feed_new(void);
/* lb_feed_unref wipes and frees with the last reference. */
void lb_feed_unref(struct lb_feed *feed);

/* lb_feed_push appends a copy of a packed CaseEvent and wakes all listeners; NO_MEMORY. */
LB_MUST lb_status lb_feed_push(struct lb_feed *feed, struct lb_span event);

/* lb_feed_begin marks the first event of a collect; lb_feed_end tells its listeners that no more
 * events will come (LB_OK or why the collect could not be done). */
void lb_feed_begin(struct lb_feed *feed);
void lb_feed_end(struct lb_feed *feed, lb_status status);

/* lb_feed_drained says whether all listeners of collects that have ended have had their events. */
bool lb_feed_drained(struct lb_feed *feed);
/* lb_feed_forget wipes all events so far; a listener that has not had them misses them. */
void lb_feed_forget(struct lb_feed *feed);
/* lb_feed_close forgets all events and ends every listener with LB_OK. */
void lb_feed_close(struct lb_feed *feed);

enum lb_feed_from { LB_FEED_FIRST, LB_FEED_COLLECT };

/* lb_feed_listen adds a listener that is silent until lb_feed_start, so that its owner may keep the
 * pointer before the first event wakes it. NO_MEMORY. */
LB_MUST lb_status lb_feed_listen(struct lb_feed *feed, enum lb_feed_from from,
                                 const struct lb_listener_port *port,
                                 struct lb_case_listener **out_listener);
void lb_feed_start(struct lb_case_listener *listener);

#endif
