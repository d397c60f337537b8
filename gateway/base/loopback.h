#ifndef GATEWAY_BASE_LOOPBACK_H
#define GATEWAY_BASE_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/status.h"

/* A port of this machine's own loopback: what plaintext may be served on. */
struct lb_loopback {
    bool is_v6;
    uint16_t port;  /* 0: a free one */
};

/* lb_loopback_parse reads 127.0.0.1:PORT or [::1]:PORT in exactly this spelling, PORT without
 * leading zeros; CONFIG_INVALID for everything else, names such as localhost included, since a
 * name may come to mean another address. */
LB_MUST lb_status lb_loopback_parse(const char *address, struct lb_loopback *out);

#endif
