#include "gateway/base/rate.h"

void lb_rate_busy(struct lb_rate *rate, int64_t now_ms)
{
    rate->busy_since_ms = now_ms;
}

void lb_rate_done(struct lb_rate *rate, uint64_t num)
{
    rate->done += num;
}

void lb_rate_look(struct lb_rate *rate, int64_t now_ms, bool idle)
{
    int64_t busy_ms = rate->busy_ms + now_ms - rate->busy_since_ms;
    if (busy_ms >= LB_RATE_SPAN_MS) {
        rate->spans[rate->next++ % LB_RATE_SPANS] = rate->done * 1000000 / (uint64_t)busy_ms;
        rate->done = 0;
        rate->busy_ms = 0;
        rate->busy_since_ms = now_ms;
    } else if (idle) {
        rate->busy_ms = busy_ms;
    }
}

uint64_t lb_rate_per_1000_s(const struct lb_rate *rate)
{
    uint64_t best = 0, second = 0;
    for (size_t i = 0; i < LB_RATE_SPANS; i++) {
        if (rate->spans[i] > best) {
            second = best;
            best = rate->spans[i];
        } else if (rate->spans[i] > second) {
            second = rate->spans[i];
        }
    }
    return second;
}
