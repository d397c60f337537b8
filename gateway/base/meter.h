#ifndef GATEWAY_BASE_METER_H
#define GATEWAY_BASE_METER_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/codes.h"

/*
 * What a node counts of its own work, for its operator: outcomes by their outer code and how long
 * the stages of a request take. It knows no names and no persons. Cheap enough to be always on: an
 * addition to a counter that nobody waits for. Every function takes NULL for "do not count", and
 * may be called from any thread.
 */
struct lb_meter;

enum lb_meter_kind {
    LB_METER_READ,     /* adapter: a read's outcome */
    LB_METER_ROUTED,   /* broker: a routed read's end */
    LB_METER_COLLECT,  /* broker: a whole form's reads */
    LB_METER_PARCEL,   /* broker: a parcel's end; OK when it was delivered */
    LB_METER_REFUSED,  /* a peer turned away before it could ask anything */
    LB_METER_NUM_KINDS
};

enum lb_meter_stage {
    LB_METER_VERIFY,   /* adapter: what can be judged without opening */
    LB_METER_OPEN,     /* adapter: the seal and the operator's token */
    LB_METER_JUDGE,    /* adapter: the section, its fields and the person */
    LB_METER_QUERY,    /* adapter: the department's database */
    LB_METER_SHAPE,    /* adapter: operators over rows */
    LB_METER_RECORD,   /* adapter: from queueing the entry until it is durable */
    LB_METER_SEAL,     /* adapter: sealing the answer, inside the former */
    LB_METER_ROUTE,    /* broker: the ROUTE entry */
    LB_METER_FAN_OUT,  /* broker: from sending to the adapter's answer */
    LB_METER_DELIVER,  /* broker: the DELIVER or FAILURE entry */
    LB_METER_CALL,     /* any: one gRPC call, from its begin to its end */
    LB_METER_NUM_STAGES
};

/* Upper bounds of a stage's buckets in microseconds; one more bucket is for what took longer. */
#define LB_METER_BUCKETS 14
extern const int64_t lb_meter_bounds_us[LB_METER_BUCKETS];
#define LB_METER_MAX_METHODS 48  /* of one server; calls of no method of its are counted as one */

/* lb_meter_new returns NULL when memory is exhausted. */
struct lb_meter *lb_meter_new(void);
void lb_meter_free(struct lb_meter *meter);

/* lb_meter_count adds one outcome by its outer code. */
void lb_meter_count(struct lb_meter *meter, enum lb_meter_kind kind, enum lb_code code);
/* lb_meter_call counts the end of a call of the server's method number `method`, or of none
 * (LB_METER_MAX_METHODS). */
void lb_meter_call(struct lb_meter *meter, size_t method, enum lb_code code);

/* lb_meter_now is the time for lb_meter_took, 0 without a meter. */
int64_t lb_meter_now(const struct lb_meter *meter);
/* lb_meter_took counts a stage that began at `since` and ends now, and returns now. A `since` of 0
 * counts nothing. */
int64_t lb_meter_took(struct lb_meter *meter, enum lb_meter_stage stage, int64_t since);

/* lb_meter_counted and lb_meter_called tell what was counted. */
uint64_t lb_meter_counted(const struct lb_meter *meter, enum lb_meter_kind kind,
                          enum lb_code code);
uint64_t lb_meter_called(const struct lb_meter *meter, size_t method, enum lb_code code);

struct lb_meter_times {
    uint64_t buckets[LB_METER_BUCKETS + 1];  /* not cumulative */
    uint64_t sum_us;
};
/* lb_meter_times tells how long a stage took. */
void lb_meter_times(const struct lb_meter *meter, enum lb_meter_stage stage,
                    struct lb_meter_times *out);
/* lb_meter_kind_name and lb_meter_stage_name are their names in metrics. */
const char *lb_meter_kind_name(enum lb_meter_kind kind);
const char *lb_meter_stage_name(enum lb_meter_stage stage);

#endif
