#ifndef GATEWAY_BASE_WIPE_H
#define GATEWAY_BASE_WIPE_H

#include <string.h>

/* lb_wipe overwrites len bytes with zeros in a way the compiler may not drop. NULL with 0 is
 * fine. */
static inline void lb_wipe(void *ptr, size_t len)
{
    if (len > 0)
        explicit_bzero(ptr, len);
}

#endif
