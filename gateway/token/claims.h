#ifndef GATEWAY_TOKEN_CLAIMS_H
#define GATEWAY_TOKEN_CLAIMS_H

#include "gateway/base/arena.h"
#include "gateway/json/json.h"

/*
 * Inside gateway/token: reading the claims of one JSON object. The first failure is kept in
 * `status` and every later read is a no-op, so that a reader is a list of claims and one check at
 * its end.
 */
struct lb_claims {
    const struct lb_json *object;
    struct lb_arena *arena;
    lb_status status;
};

/* lb_claims_of starts reading an object whose members must all be in the NULL-terminated list. */
struct lb_claims lb_claims_of(const struct lb_json *object, const char *const *keys,
                              struct lb_arena *arena);

/* lb_claims_text copies a string claim into the arena. NULL once anything failed. */
const char *lb_claims_text(struct lb_claims *claims, const char *key);
/* lb_claims_text_if is lb_claims_text for a claim that may be absent: NULL then. */
const char *lb_claims_text_if(struct lb_claims *claims, const char *key);
/* lb_claims_int reads an integer claim in min..max; 0 once anything failed. */
int64_t lb_claims_int(struct lb_claims *claims, const char *key, int64_t min, int64_t max);
/* lb_claims_hex32 reads exactly 64 lower-case hex digits. */
void lb_claims_hex32(struct lb_claims *claims, const char *key, uint8_t out[32]);
/* lb_claims_b64_32 reads 32 bytes in base64url. */
void lb_claims_b64_32(struct lb_claims *claims, const char *key, uint8_t out[32]);
/* lb_claims_object and lb_claims_array borrow a nested value; NULL once anything failed. */
const struct lb_json *lb_claims_object(struct lb_claims *claims, const char *key);
const struct lb_json *lb_claims_array(struct lb_claims *claims, const char *key);

/* lb_text_copy copies a JSON string value into the arena; NULL if it is no string or the arena is
 * full. */
const char *lb_text_copy(const struct lb_json *string, struct lb_arena *arena);
/* lb_text_ok says whether a text is 1..max bytes without control characters. */
bool lb_text_ok(const char *text, size_t max);

/* lb_token_fault turns a failure of a reader into `code`, except that NO_MEMORY stays itself. */
LB_MUST lb_status lb_token_fault(lb_status status, lb_status otherwise);

/* Times in tokens are seconds since 1970, up to the end of year 9999. */
#define LB_CLAIM_MAX_TIME INT64_C(253402300799)

#endif
