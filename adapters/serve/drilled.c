#include <string.h>

#include "adapters/serve/job.h"

/* Faults that a drill makes believe (gateway/drill/watch.h). What is drilled stands in the section,
 * which the issuer signed, and its views are asked of the drill's own database alone: another read
 * is never told anything that is not so. */

static bool is_drill(const struct lb_read_job *job)
{
    return strcmp(job->section.purpose, LB_PURPOSE_DRILL) == 0;
}

/* The first of these that is on is what the asker gets. */
static lb_status first_on(const struct lb_read_job *job, const enum lb_drill_fault *faults,
                          size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (lb_drill_fault(job->serve->options.drill, faults[i]))
            return lb_status_of(lb_drill_kind(faults[i])->expected);
    }
    return LB_OK;
}

lb_status lb_read_drilled(const struct lb_read_job *job)
{
    static const enum lb_drill_fault refusals[] = {
        LB_DRILL_CERTIFICATE_EXPIRED, LB_DRILL_GRANT_REVOKED, LB_DRILL_DISK_FULL,
        LB_DRILL_WITNESS_AWAY};
    return is_drill(job) ? first_on(job, refusals, sizeof(refusals) / sizeof(refusals[0])) : LB_OK;
}

lb_status lb_read_drilled_source(const struct lb_read_job *job)
{
    static const enum lb_drill_fault sources[] = {LB_DRILL_SOURCE_AWAY, LB_DRILL_SOURCE_SLOW};
    LB_ENSURE(is_drill(job), LB_SOURCE_UNAVAILABLE, "a drill's view outside of a drill");
    return first_on(job, sources, sizeof(sources) / sizeof(sources[0]));
}
