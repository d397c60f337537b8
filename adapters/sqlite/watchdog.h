#ifndef ADAPTERS_SQLITE_WATCHDOG_H
#define ADAPTERS_SQLITE_WATCHDOG_H

#include "gateway/store/store.h"

/*
 * A thread that interrupts a store's running statement when its time is up or it is cancelled.
 *
 * SQLite forgets an interrupt that comes before a statement runs, so one call is not enough: the
 * watchdog repeats it until the read has ended. Between reads it sleeps.
 */
struct lb_watchdog;

/* lb_watchdog_new starts the thread for a store, which must outlive it. NO_MEMORY. */
LB_MUST lb_status lb_watchdog_new(struct lb_store *store, struct lb_watchdog **out_watchdog);
/* lb_watchdog_free stops and joins the thread; NULL is allowed. */
void lb_watchdog_free(struct lb_watchdog *watchdog);

/* lb_watchdog_begin starts the time of one read. */
void lb_watchdog_begin(struct lb_watchdog *watchdog, int64_t timeout_ms);
/* lb_watchdog_end ends it: nothing is interrupted afterwards. True when the read was
 * interrupted. */
bool lb_watchdog_end(struct lb_watchdog *watchdog);
/* lb_watchdog_cancel interrupts the read between _begin and _end, if there is one. Any thread. */
void lb_watchdog_cancel(struct lb_watchdog *watchdog);

#endif
