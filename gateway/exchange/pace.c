#include "gateway/exchange/gather.h"
#include "gateway/exchange/inside.h"

/*
 * How long an entry may wait for others. With few cases under way it does not wait at all; with
 * many a case waits anyway, for its turn, and what is gathered meanwhile makes every turn cheaper,
 * at the adapters too: reads that are routed in one commit reach a department in one message, which
 * is checked, committed and answered once.
 */
#define FEW_CASES 4
#define US_PER_CASE 400
/* Nor longer than this part of what a case lately took. */
#define SHARE_OF_CASE 8
/* An answer waits for those of its case that are still to come, or its caller could do nothing with
 * it but count; what takes longer is not waited for. */
#define SIBLINGS_US 5000
#define SMOOTHING 16

int64_t lb_exchange_pace_us(const struct lb_exchange *exchange)
{
    int64_t num = atomic_load(&exchange->num_live);
    int64_t pace_us = num <= FEW_CASES ? 0 : (num - FEW_CASES) * US_PER_CASE;
    int64_t share_us = atomic_load(&exchange->case_us) / SHARE_OF_CASE;
    if (pace_us > share_us)
        pace_us = share_us;
    return pace_us < LB_GATHER_MOST_US ? pace_us : LB_GATHER_MOST_US;
}

int64_t lb_exchange_sibling_pace_us(const struct lb_exchange *exchange)
{
    int64_t pace_us = lb_exchange_pace_us(exchange);
    return pace_us > SIBLINGS_US ? pace_us : SIBLINGS_US;
}

void lb_exchange_case_begins(struct lb_exchange *exchange)
{
    (void)atomic_fetch_add(&exchange->num_live, 1);
}

/* Two that end at once may lose one's share of the mean, which does no harm. */
void lb_exchange_case_ends(struct lb_exchange *exchange, int64_t took_ms)
{
    int64_t mean = atomic_load(&exchange->case_us);
    atomic_store(&exchange->case_us, mean + (took_ms * 1000 - mean) / SMOOTHING);
    (void)atomic_fetch_sub(&exchange->num_live, 1);
}
