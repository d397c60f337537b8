#include "gateway/crypto/tls_probe.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "gateway/crypto/ossl.h"

#define MAX_ADDRESS 256
/* HTTP/2's preface and an empty SETTINGS frame (RFC 9113, 3.4). */
#define HTTP2_BEGINS "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
#define FRAME_HEAD_BYTES 9
#define FRAME_SETTINGS 4

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static void free_context(SSL_CTX **context)
{
    SSL_CTX_free(*context);
}

static void free_ssl(SSL **ssl)
{
    SSL_free(*ssl);
}

static lb_status split(const char *address, char host[MAX_ADDRESS], const char **out_port)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - address);
    bool brackets = len > 2 && address[0] == '[' && address[len - 1] == ']';
    LB_ENSURE(len > 0 && len < MAX_ADDRESS && colon[1] != 0, LB_MALFORMED, "no host:port");
    memcpy(host, address + brackets, len - 2U * brackets);
    host[len - 2U * brackets] = 0;
    *out_port = colon + 1;
    return LB_OK;
}

static int dial(const struct addrinfo *found, int64_t timeout_ms)
{
    const struct timeval limit = {.tv_sec = (time_t)(timeout_ms / 1000),
                                  .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    for (const struct addrinfo *each = found; each != NULL; each = each->ai_next) {
        int fd = socket(each->ai_family, each->ai_socktype | SOCK_CLOEXEC, each->ai_protocol);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
        if (connect(fd, each->ai_addr, each->ai_addrlen) == 0)
            return fd;
        (void)close(fd);
    }
    return -1;
}

static lb_status connect_to(const struct lb_tls_probe *probe, int *out_fd)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[MAX_ADDRESS];
    const char *port = NULL;
    LB_TRY(split(probe->address, host, &port));
    LB_ENSURE(getaddrinfo(host, port, &hints, &found) == 0, LB_UNAVAILABLE, "no such host");
    int fd = dial(found, probe->timeout_ms);
    freeaddrinfo(found);
    LB_ENSURE(fd >= 0, LB_UNAVAILABLE, "nothing listens there");
    *out_fd = fd;
    return LB_OK;
}

static X509 *read_cert(struct lb_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *read_key(struct lb_span pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

static lb_status use_identity(SSL_CTX *context, const struct lb_tls_probe *probe)
{
    if (probe->cert_pem.len == 0)
        return LB_OK;
    LB_ENSURE(probe->cert_pem.len < (1U << 20) && probe->key_pem.len < (1U << 20), LB_MALFORMED,
              "too large for a certificate or key");
    X509 *cert = read_cert(probe->cert_pem);
    EVP_PKEY *key = read_key(probe->key_pem);
    bool used = cert != NULL && key != NULL && SSL_CTX_use_certificate(context, cert) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(cert);
    EVP_PKEY_free(key);
    LB_ENSURE(used, LB_MALFORMED, "no certificate with its key");
    return LB_OK;
}

static lb_status prepare(const struct lb_tls_probe *probe, SSL_CTX *context)
{
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    static const uint8_t http2[] = {2, 'h', '2'};
    LB_ENSURE(probe->version >= 10 && probe->version <= 13, LB_MALFORMED, "no such version");
    int version = versions[probe->version - 10];
    SSL_CTX_set_security_level(context, 0); /* or the library itself would not offer it */
    bool ready = SSL_CTX_set_min_proto_version(context, version) == 1 &&
                 SSL_CTX_set_max_proto_version(context, version) == 1 &&
                 SSL_CTX_set_alpn_protos(context, http2, sizeof(http2)) == 0 &&
                 (probe->ciphers == NULL ||
                  SSL_CTX_set_cipher_list(context, probe->ciphers) == 1);
    LB_ENSURE(ready, LB_CRYPTO_FAILED, "the library offers no such handshake");
    return use_identity(context, probe);
}

/* What came, or why nothing did. */
static enum lb_tls_found judge(const uint8_t *head, int len, bool timed_out)
{
    if (len == FRAME_HEAD_BYTES && head[3] == FRAME_SETTINGS)
        return LB_TLS_SERVED;
    return len <= 0 && timed_out ? LB_TLS_SILENT : LB_TLS_REFUSED;
}

static struct lb_span greeting(const struct lb_tls_probe *probe)
{
    return probe->send.len > 0 ? probe->send
                               : lb_span_of(HTTP2_BEGINS, sizeof(HTTP2_BEGINS) - 1);
}

static enum lb_tls_found speak_plain(int fd, const struct lb_tls_probe *probe)
{
    uint8_t head[FRAME_HEAD_BYTES] = {0};
    struct lb_span begin = greeting(probe);
    if (send(fd, begin.ptr, begin.len, MSG_NOSIGNAL) < 0)
        return LB_TLS_REFUSED;
    ssize_t len = recv(fd, head, sizeof(head), MSG_WAITALL);
    return judge(head, (int)len, len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

static enum lb_tls_found speak(SSL *ssl, const struct lb_tls_probe *probe)
{
    uint8_t head[FRAME_HEAD_BYTES] = {0};
    int len = 0;
    errno = 0;
    if (SSL_connect(ssl) != 1)
        return errno == EAGAIN ? LB_TLS_SILENT : LB_TLS_REFUSED;
    struct lb_span begin = greeting(probe);
    if (SSL_write(ssl, begin.ptr, (int)begin.len) <= 0)
        return LB_TLS_REFUSED;
    while (len < FRAME_HEAD_BYTES) {
        errno = 0;
        int more = SSL_read(ssl, head + len, FRAME_HEAD_BYTES - len);
        if (more <= 0)
            return judge(head, len > 0 ? len : more, errno == EAGAIN || errno == EWOULDBLOCK);
        len += more;
    }
    return judge(head, len, false);
}

/* A server that hangs up must not end this process, and the library writes without MSG_NOSIGNAL. */
static enum lb_tls_found speak_quietly(SSL *ssl, const struct lb_tls_probe *probe)
{
    const struct timespec now = {0};
    sigset_t pipes, before;
    (void)sigemptyset(&pipes);
    (void)sigaddset(&pipes, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipes, &before);
    enum lb_tls_found found = speak(ssl, probe);
    if (sigismember(&before, SIGPIPE) == 0)
        (void)sigtimedwait(&pipes, NULL, &now);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return found;
}

lb_status lb_tls_probe_run(const struct lb_tls_probe *probe, enum lb_tls_found *out_found)
{
    LB_OSSL_BORDER();
    LB_DEFER(close_fd) int fd = -1;
    LB_TRY(connect_to(probe, &fd));
    if (probe->plain) {
        *out_found = speak_plain(fd, probe);
        return LB_OK;
    }
    LB_DEFER(free_context) SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    LB_ENSURE(context != NULL, LB_NO_MEMORY, "tls");
    LB_TRY(prepare(probe, context));
    LB_DEFER(free_ssl) SSL *ssl = SSL_new(context);
    LB_ENSURE(ssl != NULL && SSL_set_fd(ssl, fd) == 1, LB_NO_MEMORY, "tls");
    *out_found = speak_quietly(ssl, probe);
    return LB_OK;
}
