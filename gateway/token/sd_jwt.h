#ifndef GATEWAY_TOKEN_SD_JWT_H
#define GATEWAY_TOKEN_SD_JWT_H

#include "gateway/base/arena.h"
#include "gateway/json/json.h"

/*
 * Inside gateway/token: disclosures of RFC 9901 section 4.2. A disclosure is the base64url text of
 * a JSON array; its digest is SHA-256 over that text as it stands (section 4.2.3), never over a
 * re-encoding.
 */
#define LB_MAX_DISCLOSURES 64
#define LB_MIN_DIGESTS 16                        /* decoys fill up to a multiple of this */
#define LB_MAX_DIGESTS (LB_MAX_DISCLOSURES * 2)  /* what a reader takes */
#define LB_DISCLOSURE_SALT_BYTES 16

/* lb_disclosure_digest hashes the disclosure's text. */
void lb_disclosure_digest(struct lb_span disclosure, uint8_t out_digest[32]);

/* lb_disclosure_make encodes [random salt, name, value], and takes the value over in any case. */
LB_MUST lb_status lb_disclosure_make(const char *name, struct lb_json *value,
                                     struct lb_arena *arena, struct lb_span *out_disclosure);

/* lb_disclosure_read decodes a disclosure of an object property by that name; *out_root owns
 * *out_value. MALFORMED for anything else. */
LB_MUST lb_status lb_disclosure_read(struct lb_span disclosure, const char *name,
                                     struct lb_arena *arena, struct lb_json **out_root,
                                     const struct lb_json **out_value);

#endif
