#include "gateway/crypto/ossl.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "gateway/base/log.h"

/*
 * The one allowed exception to "no mutable globals": OpenSSL 3 searches its providers under a lock
 * on every fetch, so the handles are fetched once. They are written inside pthread_once, read-only
 * ever after, and live as long as the process.
 */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct lb_ossl handles;
static pthread_key_t digest_key;

void lb_ossl_broken(const char *event)
{
    lb_log_event(LB_LOG_ERROR, event, "%s", "");
    abort();
}

/*
 * Before anybody's first use of the library, which would have it torn down by exit(). Threads that
 * nobody can join use it until then: gRPC's event engine shakes hands on detached ones, and does
 * not wait for their end. What such a thread holds of the library, its random generator first of
 * all, it would free a second time or never. The system takes the memory back in any case.
 */
__attribute__((constructor)) static void keep_until_the_process_is_gone(void)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
        lb_ossl_broken("crypto_init_failed");
}

static void free_digest(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void fetch(void)
{
    if (pthread_key_create(&digest_key, free_digest) != 0)
        lb_ossl_broken("crypto_thread_key_failed");
    handles.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    handles.gcm128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
    handles.gcm256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    if (handles.sha256 == NULL || handles.gcm128 == NULL || handles.gcm256 == NULL)
        lb_ossl_broken("crypto_algorithm_missing");
}

const struct lb_ossl *lb_ossl(void)
{
    if (pthread_once(&once, fetch) != 0)
        lb_ossl_broken("crypto_once_failed");
    return &handles;
}

EVP_MD_CTX *lb_ossl_digest(void)
{
    (void)lb_ossl();
    EVP_MD_CTX *ctx = pthread_getspecific(digest_key);
    if (ctx != NULL)
        return ctx;
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || pthread_setspecific(digest_key, ctx) != 0)
        lb_ossl_broken("crypto_hash_failed");
    return ctx;
}
