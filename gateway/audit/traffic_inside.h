#ifndef GATEWAY_AUDIT_TRAFFIC_INSIDE_H
#define GATEWAY_AUDIT_TRAFFIC_INSIDE_H

#include "gateway/audit/traffic.h"

/* Inside the generated month. */

#define TRAFFIC_OFFICES 5
#define TRAFFIC_UNITS 2                  /* halls of an office */
#define TRAFFIC_PEOPLE 40000             /* who may come by */
#define TRAFFIC_KIN UINT64_C(900000)     /* operators' relatives and colleagues, 10 apart */
#define TRAFFIC_NOBODY UINT64_C(5000000) /* numbers that are nobody's */
#define TRAFFIC_HONEY_PERSON UINT64_C(777777)
#define TRAFFIC_DAY_MS INT64_C(86400000)
#define TRAFFIC_MINUTE_MS INT64_C(60000)

struct traffic_event {
    int64_t time_ms;
    size_t made;             /* the order among equal times */
    enum traffic_kind kind;
    unsigned operator_no;
    unsigned place;          /* office and hall */
    uint64_t person;
    unsigned case_no;
    const char *code, *inner, *purpose;
    int class_max;
    bool missed, retry, emergency;
};

struct traffic {
    struct traffic_options options;
    uint64_t random;
    struct traffic_event *events;
    size_t num, cap, at;
    unsigned num_cases;
    char actor[33], organization[24], requester[64], unit[24], case_no[24];
    struct lb_audit_row row;
};

uint64_t traffic_next(uint64_t *state);
unsigned traffic_below(struct traffic *traffic, unsigned below);
bool traffic_chance(struct traffic *traffic, unsigned per_mille);
void traffic_person(uint64_t person, uint8_t out[32]);
void traffic_add(struct traffic *traffic, const struct traffic_event *event);

/* traffic_start_ms is local midnight of a day of the month. */
int64_t traffic_start_ms(const struct traffic *traffic, unsigned day);
/* traffic_home is where an operator usually works. */
unsigned traffic_home(const struct traffic *traffic, unsigned operator_no);
/* traffic_live adds everybody's days, traffic_misuse what nobody should do. */
void traffic_live(struct traffic *traffic);
void traffic_misuse(struct traffic *traffic);

#endif
