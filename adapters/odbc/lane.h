#ifndef ADAPTERS_ODBC_LANE_H
#define ADAPTERS_ODBC_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/status.h"

/*
 * A thread for calls that may never return. Work is handed to it and waited for, within a time;
 * what is not done by then is left to the thread, and what it yields is dropped. All that the work
 * touches belongs to the lane's owner object, which `free_own` releases when neither the thread nor
 * the owner needs it any more.
 */
struct lb_odbc_lane;

typedef lb_status lb_odbc_work(void *own);

/* lb_odbc_lane_new starts the thread. NO_MEMORY; SOURCE_UNAVAILABLE while 16 lanes that were
 * released still hang, so that a database that never answers takes no more threads; then `own` is
 * still the caller's. */
LB_MUST lb_status lb_odbc_lane_new(void *own, void (*free_own)(void *own),
                                   const atomic_bool *stopping, struct lb_odbc_lane **out_lane);

/* lb_odbc_lane_begin waits until the lane has nothing in hand, so that what the work touches may be
 * made ready. SOURCE_TIMEOUT past until_ms of the monotonic clock, SOURCE_UNAVAILABLE when the
 * adapter stops. */
LB_MUST lb_status lb_odbc_lane_begin(struct lb_odbc_lane *lane, int64_t until_ms);

/* lb_odbc_lane_run runs one piece of work, after _begin, and gives what it gave. SOURCE_TIMEOUT
 * when it takes longer or _cancel is called, SOURCE_UNAVAILABLE when the adapter stops: then it is
 * still in hand. */
LB_MUST lb_status lb_odbc_lane_run(struct lb_odbc_lane *lane, lb_odbc_work *work,
                                   int64_t until_ms);

/* lb_odbc_lane_idle says whether nothing is in hand, so that what the work touched may be read. */
bool lb_odbc_lane_idle(struct lb_odbc_lane *lane);

/* lb_odbc_lane_cancel ends the waiting of _run in another thread, if there is one. */
void lb_odbc_lane_cancel(struct lb_odbc_lane *lane);

/* lb_odbc_lane_aside runs something beside the lane, on a thread that nobody waits for, such as
 * telling a server to end what the lane waits for. The owner object lives until it is done. */
void lb_odbc_lane_aside(struct lb_odbc_lane *lane, void (*work)(void *own));

/* lb_odbc_lane_release ends the lane: at once when it is idle, else when its work is. */
void lb_odbc_lane_release(struct lb_odbc_lane *lane);

/* lb_odbc_now_ms is the monotonic clock. */
int64_t lb_odbc_now_ms(void);

#endif
