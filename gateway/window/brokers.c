#include "gateway/window/brokers.h"

#include "gateway/base/log.h"

#define FIRST_PAUSE_MS 1000
#define LAST_PAUSE_MS 10000

void lb_window_brokers_init(struct lb_window_brokers *brokers, const struct lb_clock *clock,
                            const char *const *names, size_t num)
{
    *brokers = (struct lb_window_brokers){.clock = clock, .names = names, .num = num};
    (void)pthread_mutex_init(&brokers->lock, NULL);
}

void lb_window_brokers_cleanup(struct lb_window_brokers *brokers)
{
    (void)pthread_mutex_destroy(&brokers->lock);
}

size_t lb_window_brokers_pick(struct lb_window_brokers *brokers, unsigned tried)
{
    size_t picked = brokers->num;
    (void)pthread_mutex_lock(&brokers->lock);
    for (size_t i = 0; i < brokers->num; i++) {
        if ((tried & 1U << i) != 0)
            continue;
        if (picked == brokers->num || (brokers->health[picked].down && !brokers->health[i].down))
            picked = i;
    }
    (void)pthread_mutex_unlock(&brokers->lock);
    return picked;
}

bool lb_window_brokers_is_down(struct lb_window_brokers *brokers, size_t broker)
{
    (void)pthread_mutex_lock(&brokers->lock);
    bool down = brokers->health[broker].down;
    (void)pthread_mutex_unlock(&brokers->lock);
    return down;
}

void lb_window_brokers_failed(struct lb_window_brokers *brokers, size_t broker)
{
    (void)pthread_mutex_lock(&brokers->lock);
    bool was_down = brokers->health[broker].down;
    if (!was_down) {
        brokers->health[broker].down = true;
        brokers->health[broker].pause_ms = FIRST_PAUSE_MS;
        brokers->health[broker].probe_ms = lb_clock_monotonic_ms(brokers->clock) + FIRST_PAUSE_MS;
    }
    (void)pthread_mutex_unlock(&brokers->lock);
    if (!was_down)
        lb_log_event(LB_LOG_WARN, "broker_down", "\"broker\":\"%s\"", brokers->names[broker]);
}

void lb_window_brokers_answered(struct lb_window_brokers *brokers, size_t broker)
{
    (void)pthread_mutex_lock(&brokers->lock);
    bool was_down = brokers->health[broker].down;
    brokers->health[broker].down = false;
    (void)pthread_mutex_unlock(&brokers->lock);
    if (was_down)
        lb_log_event(LB_LOG_INFO, "broker_up", "\"broker\":\"%s\"", brokers->names[broker]);
}

size_t lb_window_brokers_due(struct lb_window_brokers *brokers)
{
    int64_t now = lb_clock_monotonic_ms(brokers->clock);
    size_t due = brokers->num;
    (void)pthread_mutex_lock(&brokers->lock);
    for (size_t i = 0; i < brokers->num && due == brokers->num; i++) {
        if (!brokers->health[i].down || now < brokers->health[i].probe_ms)
            continue;
        int64_t pause = 2 * brokers->health[i].pause_ms;
        brokers->health[i].pause_ms = pause > LAST_PAUSE_MS ? LAST_PAUSE_MS : pause;
        brokers->health[i].probe_ms = now + brokers->health[i].pause_ms;
        due = i;
    }
    (void)pthread_mutex_unlock(&brokers->lock);
    return due;
}

bool lb_window_is_broker_trouble(enum lb_code code)
{
    switch (code) {
    case LB_UNAVAILABLE:
    case LB_STOPPING:
    case LB_CANCELLED:
    case LB_DEADLINE:
    case LB_INTERNAL:
    case LB_BUSY:
    case LB_NO_METHOD:
    case LB_VERSION_UNSUPPORTED:
    case LB_PEER_UNVERIFIED:
    case LB_PEER_EXPIRED:
    case LB_PEER_REVOKED:
    case LB_PEER_UNLISTED:
    case LB_CRL_STALE:
    case LB_FORM_UNKNOWN: /* it may not have been given the newest */
    case LB_ISSUER_UNKNOWN: /* likewise the directory */
    case LB_WRONG_AUDIENCE:
    case LB_LOG_FULL:
    case LB_LOG_UNAVAILABLE:
    case LB_LOG_UNWITNESSED:
        return true;
    default:
        return false;
    }
}
