#ifndef GATEWAY_CRYPTO_TLS_PROBE_H
#define GATEWAY_CRYPTO_TLS_PROBE_H

#include "gateway/base/span.h"
#include "gateway/base/status.h"

/*
 * A caller who sees how far a server lets it come: what the real client's library would never send,
 * for trying a server out. It believes whatever certificate it is shown.
 */
struct lb_tls_probe {
    const char *address;      /* "host:port" */
    bool plain;               /* no TLS at all */
    int version;              /* 10 to 13 for TLS 1.0 to 1.3, and no other */
    const char *ciphers;      /* below 1.3, as OpenSSL names them; NULL: all there are */
    struct lb_span cert_pem;  /* empty: no certificate */
    struct lb_span key_pem;
    struct lb_span send;      /* once it is let in, in place of HTTP/2's first bytes */
    int64_t timeout_ms;       /* for each step */
};

enum lb_tls_found {
    LB_TLS_REFUSED,  /* the server ended it, in the handshake or before its first HTTP/2 frame */
    LB_TLS_SERVED,   /* the server's first HTTP/2 frame came */
    LB_TLS_SILENT,   /* neither, within the time */
};

/* lb_tls_probe_run connects once and tells what came. UNAVAILABLE when nothing listens at the
 * address, MALFORMED for an address, certificate or key that is none, CRYPTO_FAILED. */
LB_MUST lb_status lb_tls_probe_run(const struct lb_tls_probe *probe, enum lb_tls_found *out_found);

#endif
