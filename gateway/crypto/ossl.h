#ifndef GATEWAY_CRYPTO_OSSL_H
#define GATEWAY_CRYPTO_OSSL_H

#include <openssl/err.h>
#include <openssl/evp.h>

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * Inside gateway/crypto only: the algorithms, fetched once, and the border with OpenSSL's
 * per-thread error queue.
 */
struct lb_ossl {
    const EVP_MD *sha256;
    const EVP_CIPHER *gcm128;
    const EVP_CIPHER *gcm256;
};

/* lb_ossl returns the handles; the process stops when the library lacks one of them, because then
 * nothing here can keep its word. Thread-safe. */
const struct lb_ossl *lb_ossl(void);

/* lb_ossl_digest is the calling thread's own digest context, made once, since making one takes as
 * long as hashing a leaf. It is initialized anew for each use, and keeps nothing afterwards but the
 * last digest. Never NULL. */
EVP_MD_CTX *lb_ossl_digest(void);

/* lb_ossl_broken stops the process after a failure of the library that has no honest answer. */
_Noreturn void lb_ossl_broken(const char *event);

/* lb_ossl_leave drops what came into the error queue since the mark; for LB_OSSL_BORDER. */
static inline void lb_ossl_leave(const int *mark)
{
    (void)*mark;
    ERR_pop_to_mark();
}

/* LB_OSSL_BORDER stands first in every function that calls OpenSSL and may fail: what the call puts
 * into the error queue is gone when the scope ends, and what somebody else's code (gRPC's TLS on
 * the same thread) had left there stays. */
#define LB_OSSL_BORDER() \
    LB_DEFER(lb_ossl_leave) __attribute__((unused)) int lb_ossl_mark = ERR_set_mark()

#endif
