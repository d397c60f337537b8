#ifndef GATEWAY_SERVICES_SIGHTINGS_H
#define GATEWAY_SERVICES_SIGHTINGS_H

#include "gateway/base/clock.h"
#include "gateway/base/limits.h"
#include "gateway/rpc/runtime.h"

/*
 * Which members a node has dealt with lately, and until when their certificates hold: for its
 * operator, so that a certificate about to end is renewed before it does. Only peers that were
 * verified, hence members of the directory, are noted, so the table is as small as the federation.
 */
#define LB_MAX_SIGHTINGS 1024

struct lb_sightings;

struct lb_sighting {
    char spiffe[LB_MAX_SPIFFE_BYTES];
    int64_t seen_unix_ms;
    int64_t not_after_unix_s;
};

/* lb_sightings_new returns NULL when memory is exhausted; the clock outlives it. */
struct lb_sightings *lb_sightings_new(const struct lb_clock *clock);
void lb_sightings_free(struct lb_sightings *sightings);

/* lb_sightings_note notes a verified peer; cheap within a second of the last time. Any thread. NULL
 * notes nothing; so does a full table. */
void lb_sightings_note(struct lb_sightings *sightings, const struct lb_rpc_peer *peer);
/* lb_sightings_find tells what was noted of a member; false when nothing was. */
bool lb_sightings_find(struct lb_sightings *sightings, const char *spiffe,
                       struct lb_sighting *out);

#endif
