#include "policy/engine/value.h"

const char *lb_fact_state_name(enum lb_fact_state state)
{
    switch (state) {
    case LB_FACT_OK:
        return "ok";
    case LB_FACT_DENIED:
        return "denied";
    case LB_FACT_UNAVAILABLE:
        return "unavailable";
    case LB_FACT_TIMEOUT:
        return "timeout";
    case LB_FACT_NOT_FOUND:
        return "not_found";
    case LB_FACT_AMBIGUOUS:
        return "ambiguous";
    case LB_FACT_STALE:
        return "stale";
    case LB_FACT_DRY_RUN:
        return "dry_run";
    default:
        return "unspecified";
    }
}
