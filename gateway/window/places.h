#ifndef GATEWAY_WINDOW_PLACES_H
#define GATEWAY_WINDOW_PLACES_H

#include "gateway/base/admission.h"
#include "gateway/window/run.h"

/*
 * Inside gateway/window: how many cases are collected at a time, who waits, and who is told to come
 * again. Units have their turns one after the other.
 */
struct lb_place;

/* lb_places_new: NO_MEMORY. */
LB_MUST lb_status lb_places_new(const struct lb_window_options *options,
                                struct lb_admission **out_admission);

/* lb_place_new makes what asks for a place for a case's collect; `run` is run on a worker once it
 * has one, and `end` is called after it, or with a BUSY of lb_later or what the workers say when it
 * gets none. NO_MEMORY. */
LB_MUST lb_status lb_place_new(struct lb_window_case *entry,
                               lb_status (*run)(struct lb_window_case *entry),
                               void (*end)(struct lb_window_case *entry, lb_status status),
                               struct lb_place **out_place);
/* lb_place_ask asks, and gives the place away; not under the window's lock. */
void lb_place_ask(struct lb_place *place);

/* lb_places_may_open says whether a unit had better not open a case now: a BUSY of lb_later while
 * those that it has open wait long for their place. */
LB_MUST lb_status lb_places_may_open(struct lb_window *window, const char *unit);

/* lb_places_refused says whether a broker took nothing of what it was asked and said when to come
 * again; the next pause of the run is that long, and a little longer, so that not all come back at
 * once. */
bool lb_places_refused(struct lb_collect_run *run, lb_status asked);

#endif
