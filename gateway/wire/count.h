#ifndef GATEWAY_WIRE_COUNT_H
#define GATEWAY_WIRE_COUNT_H

#include "gateway/base/span.h"

/* lb_pb_count counts the message fields of a number (1 to 15) at the top of a message without
 * unpacking it; bytes that are no message count as far as they look like one. Copies nothing, and
 * takes time by the number of fields, not by their size. */
size_t lb_pb_count(struct lb_span bytes, unsigned field);

#endif
