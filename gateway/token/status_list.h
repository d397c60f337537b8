#ifndef GATEWAY_TOKEN_STATUS_LIST_H
#define GATEWAY_TOKEN_STATUS_LIST_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"

/*
 * IETF Token Status List, 2 bits a token, as a JWT (typ statuslist+jwt, ES256): claims iss, sub
 * (the URI), iat, exp, ttl, seq (never falls), status_list {bits: 2, lst: base64url of zlib}.
 */
enum lb_grant_state {
    LB_STATE_VALID = 0,
    LB_STATE_INVALID = 1,
    LB_STATE_SUSPENDED = 2,
    LB_STATE_EXHAUSTED = 3,
};

/* A verified list; immutable, reference-counted, used from any thread. */
struct lb_status_list;

/* lb_status_list_sign makes a token over `states` (one byte a token, values of lb_grant_state; at
 * least one). Indexes nobody was given, up to the end of the last byte, are INVALID. MALFORMED for
 * a wrong name, time or state; TOO_LARGE; CRYPTO_FAILED for a key that is not of ES256. */
LB_MUST lb_status lb_status_list_sign(const char *issuer, const char *kid, const char *uri,
                                      uint64_t seq, int64_t iat, int64_t lifetime_s,
                                      struct lb_span states, const struct lb_sign_key *key,
                                      struct lb_arena *arena, struct lb_span *out_token);

/* lb_status_list_peek reads issuer and kid without checking the signature; GRANT_MALFORMED,
 * TOO_LARGE. */
LB_MUST lb_status lb_status_list_peek(struct lb_span token, struct lb_arena *arena,
                                      const char **out_issuer, const char **out_kid);
/* lb_status_list_open verifies and inflates (at most LB_MAX_STATUS_ENTRIES; a larger or garbage
 * stream is refused before it grows). SIGNATURE_INVALID, GRANT_MALFORMED, TOO_LARGE. */
LB_MUST lb_status lb_status_list_open(struct lb_span token, const struct lb_verify_key *key,
                                      struct lb_status_list **out_list);
/* lb_status_list_ref takes one more reference; lb_status_list_unref gives one back and frees the
 * list with the last (NULL is allowed). What the getters return is borrowed from the list. */
void lb_status_list_ref(struct lb_status_list *list);
void lb_status_list_unref(struct lb_status_list *list);
const char *lb_status_list_uri(const struct lb_status_list *list);
const char *lb_status_list_issuer(const struct lb_status_list *list);
uint64_t lb_status_list_seq(const struct lb_status_list *list);
/* lb_status_list_ttl is how old its issuer lets it become before it makes the next, in seconds. */
int64_t lb_status_list_ttl(const struct lb_status_list *list);
/* lb_status_list_issued and lb_status_list_expires are its iat and exp, in seconds since 1970. */
int64_t lb_status_list_issued(const struct lb_status_list *list);
int64_t lb_status_list_expires(const struct lb_status_list *list);
/* lb_status_list_sha256 is the hash of the token, 32 bytes. */
const uint8_t *lb_status_list_sha256(const struct lb_status_list *list);

/* lb_status_list_check: LB_OK; GRANT_REVOKED, GRANT_SUSPENDED, USE_EXHAUSTED; STATUS_STALE when the
 * list is past exp or not yet valid at now_unix_s; GRANT_MALFORMED for an index out of range. */
LB_MUST lb_status lb_status_list_check(const struct lb_status_list *list, uint64_t index,
                                       int64_t now_unix_s);
/* lb_status_list_check_age: STATUS_STALE when the list was made more than max_age_s before
 * now_unix_s. */
LB_MUST lb_status lb_status_list_check_age(const struct lb_status_list *list, int64_t now_unix_s,
                                           int64_t max_age_s);

#endif
