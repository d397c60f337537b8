#ifndef GATEWAY_WIRE_TEXT_H
#define GATEWAY_WIRE_TEXT_H

#include <protobuf-c/protobuf-c.h>

#include "gateway/base/span.h"

/* Inside gateway/wire. lb_pb_texts_ok says whether every text in the encoded message is well-formed
 * UTF-8 without a zero byte, as proto3 demands and protobuf-c does not check. A zero byte would end
 * the C string early, so that what was judged and what is sent on differ. Fields the descriptor
 * does not know are passed over, but there is no field 0. */
bool lb_pb_texts_ok(const ProtobufCMessageDescriptor *descriptor, struct lb_span bytes);

#endif
