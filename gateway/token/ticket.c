#include "gateway/token/ticket.h"

#include <stdio.h>

#include "gateway/crypto/hash.h"

void lb_ticket_code(const char *request_id, char out[LB_TICKET_CODE_BYTES])
{
    uint8_t digest[LB_SHA256_BYTES];
    const struct lb_span parts[] = {lb_span_str("lianban ticket v1"), lb_span_str(request_id)};
    uint64_t number = 0;
    lb_sha256_parts(parts, 2, digest);
    for (size_t i = 0; i < sizeof(number); i++)
        number = number << 8 | digest[i];
    (void)snprintf(out, LB_TICKET_CODE_BYTES, "%06u", (unsigned)(number % 1000000));
}
