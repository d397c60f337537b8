#ifndef GATEWAY_TOKEN_FORGE_H
#define GATEWAY_TOKEN_FORGE_H

#include "gateway/base/arena.h"
#include "gateway/crypto/sign.h"
#include "gateway/token/grant.h"

/* For tests: tokens no honest issuer makes. */

/* forge_token signs any header and payload text with ES256 over their base64url. */
struct lb_span forge_token(struct lb_arena *arena, const char *header, const char *payload,
                           const struct lb_sign_key *key);

/* forge_swap returns `text` with the first `from` replaced by `to`; the test fails if there is
 * none. */
const char *forge_swap(struct lb_arena *arena, const char *text, const char *from,
                       const char *to);

/* forge_payload decodes the second part of a token. */
const char *forge_payload(struct lb_arena *arena, struct lb_span token);

/* forge_join makes "<b64url(header)>.<b64url(payload)>.<signature>" with the given third part. */
struct lb_span forge_join(struct lb_arena *arena, const char *header, const char *payload,
                          const char *signature);

/* forge_verify_key gives the public half of a private key. */
struct lb_verify_key *forge_verify_key(const struct lb_sign_key *key);

/* A grant issued at FORGE_NOW for an hour, and a section with two views and three fields. */
#define FORGE_NOW INT64_C(1800000000)
struct lb_grant forge_grant(void);
struct lb_section forge_section(void);

#define assert_code(status, code)                                                                  \
    assert_string_equal(lb_code_name(lb_status_code(status)), lb_code_name(code))
#define assert_ok(status) assert_string_equal(lb_code_name(lb_status_code(status)), "OK")

#endif
