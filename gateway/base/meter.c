#include "gateway/base/meter.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/status.h"

const int64_t lb_meter_bounds_us[LB_METER_BUCKETS] = {
    50,    100,    250,    500,     1000,    2500,    5000,
    10000, 25000, 100000, 500000, 1000000, 5000000, 15000000,
};

struct stage {
    atomic_uint_fast64_t buckets[LB_METER_BUCKETS + 1];
    atomic_uint_fast64_t sum_us;
};

struct lb_meter {
    atomic_uint_fast64_t counts[LB_METER_NUM_KINDS][LB_NUM_CODES];
    atomic_uint_fast64_t calls[LB_METER_MAX_METHODS + 1][LB_NUM_CODES];
    struct stage stages[LB_METER_NUM_STAGES];
};

struct lb_meter *lb_meter_new(void)
{
    return calloc(1, sizeof(struct lb_meter));
}

void lb_meter_free(struct lb_meter *meter)
{
    free(meter);
}

static void add(atomic_uint_fast64_t *counter, uint64_t number)
{
    (void)atomic_fetch_add_explicit(counter, number, memory_order_relaxed);
}

static uint64_t read_of(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void lb_meter_count(struct lb_meter *meter, enum lb_meter_kind kind, enum lb_code code)
{
    if (meter != NULL)
        add(&meter->counts[kind][lb_code_outer(code)], 1);
}

void lb_meter_call(struct lb_meter *meter, size_t method, enum lb_code code)
{
    size_t slot = method < LB_METER_MAX_METHODS ? method : LB_METER_MAX_METHODS;
    if (meter != NULL)
        add(&meter->calls[slot][lb_code_outer(code)], 1);
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + 1;
}

int64_t lb_meter_now(const struct lb_meter *meter)
{
    return meter == NULL ? 0 : now_us();
}

int64_t lb_meter_took(struct lb_meter *meter, enum lb_meter_stage stage, int64_t since)
{
    if (meter == NULL || since == 0)
        return 0;
    int64_t now = now_us(), took = now - since;
    size_t bucket = 0;
    while (bucket < LB_METER_BUCKETS && took > lb_meter_bounds_us[bucket])
        bucket++;
    add(&meter->stages[stage].buckets[bucket], 1);
    add(&meter->stages[stage].sum_us, (uint64_t)took);
    return now;
}

uint64_t lb_meter_counted(const struct lb_meter *meter, enum lb_meter_kind kind,
                          enum lb_code code)
{
    return read_of(&meter->counts[kind][code]);
}

uint64_t lb_meter_called(const struct lb_meter *meter, size_t method, enum lb_code code)
{
    return read_of(&meter->calls[method][code]);
}

void lb_meter_times(const struct lb_meter *meter, enum lb_meter_stage stage,
                    struct lb_meter_times *out)
{
    for (size_t i = 0; i <= LB_METER_BUCKETS; i++)
        out->buckets[i] = read_of(&meter->stages[stage].buckets[i]);
    out->sum_us = read_of(&meter->stages[stage].sum_us);
}

const char *lb_meter_kind_name(enum lb_meter_kind kind)
{
    static const char *const names[LB_METER_NUM_KINDS] = {
        [LB_METER_READ] = "read",
        [LB_METER_ROUTED] = "routed",
        [LB_METER_COLLECT] = "collect",
        [LB_METER_PARCEL] = "parcel",
        [LB_METER_REFUSED] = "refused_peer",
    };
    return names[kind];
}

const char *lb_meter_stage_name(enum lb_meter_stage stage)
{
    static const char *const names[LB_METER_NUM_STAGES] = {
        [LB_METER_VERIFY] = "verify",   [LB_METER_OPEN] = "open",
        [LB_METER_JUDGE] = "judge",     [LB_METER_QUERY] = "query",
        [LB_METER_SHAPE] = "shape",     [LB_METER_RECORD] = "record",
        [LB_METER_SEAL] = "seal",       [LB_METER_ROUTE] = "route",
        [LB_METER_FAN_OUT] = "fan_out", [LB_METER_DELIVER] = "deliver",
        [LB_METER_CALL] = "call",
    };
    return names[stage];
}
