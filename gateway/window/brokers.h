#ifndef GATEWAY_WINDOW_BROKERS_H
#define GATEWAY_WINDOW_BROKERS_H

#include <pthread.h>

#include "gateway/base/clock.h"
#include "gateway/window/window.h"

/*
 * Inside gateway/window: what is remembered of the brokers' health. It decides whom to ask first
 * and nothing else: when no other is left, one that was down is asked all the same. Any thread.
 */

struct lb_window_brokers {
    const struct lb_clock *clock;
    const char *const *names;   /* borrowed */
    size_t num;
    pthread_mutex_t lock;
    struct {
        bool down;
        int64_t probe_ms;       /* monotonic: not before */
        int64_t pause_ms;       /* after that probe */
    } health[LB_WINDOW_MAX_BROKERS];
};

/* lb_window_brokers_init takes the names in their order of preference, all of them up. */
void lb_window_brokers_init(struct lb_window_brokers *brokers, const struct lb_clock *clock,
                            const char *const *names, size_t num);
void lb_window_brokers_cleanup(struct lb_window_brokers *brokers);

/* lb_window_brokers_pick returns the first broker that is up and not among `tried` (a bit for
 * each); or else the first that is down and not tried; `num` when all were. */
size_t lb_window_brokers_pick(struct lb_window_brokers *brokers, unsigned tried);
/* lb_window_brokers_is_down is what was known before a call: one that was begun while its broker
 * was up says nothing of a broker that has failed since. */
bool lb_window_brokers_is_down(struct lb_window_brokers *brokers, size_t broker);
/* lb_window_brokers_failed and _answered are what a call or a probe has shown. One that failed is
 * probed a second later, and then at pauses that double up to 10 s. */
void lb_window_brokers_failed(struct lb_window_brokers *brokers, size_t broker);
void lb_window_brokers_answered(struct lb_window_brokers *brokers, size_t broker);
/* lb_window_brokers_due returns a broker that is down and to be probed now, `num` when there is
 * none. The next probe of it is a pause later. */
size_t lb_window_brokers_due(struct lb_window_brokers *brokers);

/* lb_window_is_broker_trouble says whether a call that ended so says nothing of the departments:
 * another broker may do better. */
bool lb_window_is_broker_trouble(enum lb_code code);

#endif
