#include "gateway/base/later.h"

struct later {
    struct lb_fault fault;
    int64_t ms;
};

#define LATER(ms_) {{LB_BUSY, "more than can be done in time", __FILE__, __LINE__}, (ms_)}

static const struct later laters[] = {
    LATER(50),   LATER(100),  LATER(150),  LATER(200),  LATER(300),   LATER(400),   LATER(500),
    LATER(700),  LATER(1000), LATER(1500), LATER(2000), LATER(3000),  LATER(4000),  LATER(5000),
    LATER(7000), LATER(10000), LATER(15000), LATER(20000), LATER(30000), LATER(60000),
};

#define NUM_LATERS (sizeof(laters) / sizeof(laters[0]))

lb_status lb_later(int64_t retry_after_ms)
{
    size_t i = 0;
    while (i < NUM_LATERS - 1 && laters[i].ms < retry_after_ms)
        i++;
    return &laters[i].fault;
}

int64_t lb_later_ms(lb_status status)
{
    for (size_t i = 0; i < NUM_LATERS; i++) {
        if (status == &laters[i].fault)
            return laters[i].ms;
    }
    return 0;
}
