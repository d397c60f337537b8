#ifndef ADAPTERS_SERVE_KEY_FILE_H
#define ADAPTERS_SERVE_KEY_FILE_H

#include "gateway/base/arena.h"

#define LB_SERVE_KEY_BYTES 32

/* lb_serve_key_file reads a secret key from a file of 64 hex digits and mode 0600; with `create` it
 * is made, at random, when there is none. FILE_FAILED, MALFORMED; TOO_LARGE, CRYPTO_FAILED,
 * NO_MEMORY. The caller wipes its copy. */
LB_MUST lb_status lb_serve_key_file(const char *path, bool create, struct lb_arena *arena,
                                    uint8_t out[LB_SERVE_KEY_BYTES]);

#endif
