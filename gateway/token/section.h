#ifndef GATEWAY_TOKEN_SECTION_H
#define GATEWAY_TOKEN_SECTION_H

#include "gateway/json/json.h"
#include "gateway/token/grant.h"

/*
 * Inside gateway/token: a section as JSON, both directions, and the one set of rules that holds for
 * what is issued and for what is read.
 */
#define LB_SECTION_NAME "section"
#define LB_MAX_USES INT64_C(1000000)

/* lb_section_check judges sizes, ranges and sets. SECTION_INVALID, NO_CASE. */
LB_MUST lb_status lb_section_check(const struct lb_section *section);

/* lb_section_to_json builds the object; a failure marks it for lb_json_dump. The caller owns it. */
struct lb_json *lb_section_to_json(const struct lb_section *section, struct lb_arena *arena);

/* lb_section_from_json reads an object with no unknown member. SECTION_INVALID, NO_CASE,
 * NO_MEMORY. */
LB_MUST lb_status lb_section_from_json(const struct lb_json *object, struct lb_arena *arena,
                                       struct lb_section *out_section);

/* lb_grant_check judges the open claims but for times and digests. GRANT_MALFORMED. */
LB_MUST lb_status lb_grant_check(const struct lb_grant *grant);

#define LB_GRANT_TYP "lianban-grant+sd-jwt"
#define LB_GRANT_SUITE "lianban-1"
#define LB_MAX_URI_BYTES 512

#endif
