#ifndef ADAPTERS_SERVE_GRANTS_H
#define ADAPTERS_SERVE_GRANTS_H

#include "gateway/token/grant.h"

/*
 * Grants that were verified already: a household's reads come under one grant, and a standing one
 * comes again for a year; taking it apart and checking its signature is the dearest part of a read.
 *
 * What is remembered is that these very bytes are signed by that very key, and nothing else. Who
 * issues, whose key is accepted, times, status, stops and uses are judged at each read as if the
 * grant had come for the first time, so whatever ends a grant ends it here too.
 *
 * Bounded: LB_SERVE_GRANTS of at most LB_SERVE_GRANT_BYTES each, one that comes later in the place
 * of one before; what has expired is not found. Thread-safe.
 */
struct lb_serve_grants;

#define LB_SERVE_GRANTS 256
#define LB_SERVE_GRANT_BYTES 4096

/* lb_serve_grants_new makes an empty memory; NO_MEMORY. */
LB_MUST lb_status lb_serve_grants_new(struct lb_serve_grants **out_grants);
/* lb_serve_grants_free releases it; NULL is allowed. */
void lb_serve_grants_free(struct lb_serve_grants *grants);

/* lb_serve_grants_read takes a grant apart, from memory or from its text, into the arena; nothing
 * in it may be believed before lb_serve_grants_check. Fails as lb_grant_peek. */
struct lb_read_grant {
    struct lb_span jwt;              /* borrowed */
    bool is_known;                   /* `key` has signed it */
    uint8_t key[LB_P256_PUBLIC_BYTES];
    size_t key_len;
};
LB_MUST lb_status lb_serve_grants_read(struct lb_serve_grants *grants, struct lb_span jwt,
                                       int64_t now_unix_s, struct lb_arena *arena,
                                       struct lb_grant *out_grant, struct lb_read_grant *out_read);

/* lb_serve_grants_check verifies that the issuer's key, as it is accepted now, has signed what was
 * read, unless that is known, and remembers it. SIGNATURE_INVALID and what lb_grant_peek says. */
LB_MUST lb_status lb_serve_grants_check(struct lb_serve_grants *grants,
                                        const struct lb_read_grant *read,
                                        const struct lb_grant *grant,
                                        const struct lb_verify_key *key, struct lb_arena *arena);

/* lb_serve_grants_count tells how many are remembered. */
size_t lb_serve_grants_count(struct lb_serve_grants *grants);

#endif
