#ifndef GATEWAY_BASE_LATER_H
#define GATEWAY_BASE_LATER_H

#include <stdint.h>

#include "gateway/base/status.h"

/*
 * BUSY, and when it is worth another try. Statuses are static records, so there is one for each of
 * a few times; it travels like any other, and over the wire as ErrorDetail.retry_after_ms.
 */

/* lb_later is BUSY with the next longer of these times, a minute at most. */
lb_status lb_later(int64_t retry_after_ms);

/* lb_later_ms says after how many milliseconds to try again; 0 when the status does not say. */
int64_t lb_later_ms(lb_status status);

#endif
