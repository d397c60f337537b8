#ifndef GATEWAY_CRYPTO_SODIUM_ONCE_H
#define GATEWAY_CRYPTO_SODIUM_ONCE_H

/* Inside gateway/crypto only. lb_sodium_ready sets libsodium up, which wants that once before
 * anything else; the process stops when it can't. Any thread. */
void lb_sodium_ready(void);

#endif
