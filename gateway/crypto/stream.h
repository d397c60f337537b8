#ifndef GATEWAY_CRYPTO_STREAM_H
#define GATEWAY_CRYPTO_STREAM_H

#include "gateway/crypto/hash.h"

/* SHA-256 of what is too large to hold: begin, add any number of times, end. As lb_sha256 it can't
 * fail; what was added is not kept. */
struct lb_sha256_stream;

/* lb_sha256_begin starts one; lb_sha256_add hashes the next bytes; lb_sha256_end gives the hash and
 * frees it. */
struct lb_sha256_stream *lb_sha256_begin(void);
void lb_sha256_add(struct lb_sha256_stream *stream, struct lb_span data);
void lb_sha256_end(struct lb_sha256_stream *stream, uint8_t out[LB_SHA256_BYTES]);

#endif
