#ifndef GATEWAY_TOKEN_TICKET_H
#define GATEWAY_TOKEN_TICKET_H

#define LB_TICKET_CODE_BYTES 7  /* six digits and a NUL */

/* lb_ticket_code writes the six digits that go with a consent request's id: the window shows them,
 * and a desk that has the id arrives at the same, so that a mistyped id is found before it is acted
 * on. SHA-256("lianban ticket v1" || id), its first eight bytes as a big-endian integer, modulo a
 * million. */
void lb_ticket_code(const char *request_id, char out[LB_TICKET_CODE_BYTES]);

#endif
