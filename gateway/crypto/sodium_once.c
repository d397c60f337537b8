#include "gateway/crypto/sodium_once.h"

#include <pthread.h>
#include <sodium.h>

#include "gateway/crypto/ossl.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    if (sodium_init() < 0)
        lb_ossl_broken("crypto_sodium_failed");
}

void lb_sodium_ready(void)
{
    if (pthread_once(&once, set_up) != 0)
        lb_ossl_broken("crypto_once_failed");
}
