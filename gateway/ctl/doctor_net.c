#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "gateway/ctl/doctor.h"

/* Names and ports: the two things that stop most first mornings. */

#define MAX_HOST 256
#define MAX_PORT 8
#define MAX_TRIED 8  /* addresses of one name */

static const struct lb_doctor_advice bad_endpoint = {
    LB_DOCTOR_FEDERATION,
    "目录中的地址格式不对",
    "the address in the directory is not host:port",
    "请联盟运行方更正目录中的地址",
    "have the address in the directory corrected",
};
static const struct lb_doctor_advice no_name = {
    LB_DOCTOR_NETWORK,
    "域名无法解析",
    "the name cannot be resolved",
    "核对本机 DNS 设置（/etc/resolv.conf、/etc/hosts）；若其他机器也无法解析，请联盟运行方核对目"
    "录中的地址",
    "check this machine's DNS (/etc/resolv.conf, /etc/hosts); if no other machine can resolve it "
    "either, the operator must correct the directory",
};
static const struct lb_doctor_advice slow_dns = {
    LB_DOCTOR_NETWORK,
    "域名解析无应答",
    "the name server does not answer",
    "检查到 DNS 服务器的网络（UDP/TCP 53 端口）",
    "check the way to the name server (port 53, UDP and TCP)",
};
static const struct lb_doctor_advice refused = {
    LB_DOCTOR_PEER,
    "对方机器在，但该端口无程序监听",
    "the machine is there, but nothing listens at the port",
    "请对方启动程序，或核对目录中的端口；若对方正常，则是途中防火墙拒绝",
    "have the other side start its program or check the port in the directory; if it runs, a "
    "firewall on the way refuses",
};
static const struct lb_doctor_advice blocked = {
    LB_DOCTOR_NETWORK,
    "端口连接无应答，多为防火墙拦截",
    "the port does not answer: usually a firewall",
    "在防火墙放行到该地址和端口的 TCP 出站连接；放行后仍不通，请对方核对其入站规则",
    "let outgoing TCP to this address and port through the firewall; if that does not help, the "
    "other side must look at its incoming rules",
};
static const struct lb_doctor_advice no_route = {
    LB_DOCTOR_NETWORK,
    "没有到对方的网络路由",
    "there is no route to the other side",
    "检查本机网卡、网关与专线",
    "check this machine's interface, gateway and line",
};

struct lookup {
    char host[MAX_HOST];
    char port[MAX_PORT];
    int failed;
    struct addrinfo *found;
};

static void release_lookup(void *job)
{
    struct lookup *lookup = job;
    if (lookup->found != NULL)
        freeaddrinfo(lookup->found);
    free(lookup);
}

static void resolve(void *job)
{
    struct lookup *lookup = job;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    lookup->failed = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
}

/* host:port or [v6]:port */
static bool split(const char *endpoint, struct lookup *out)
{
    const char *colon = strrchr(endpoint, ':');
    if (colon == NULL || colon == endpoint || colon[1] == 0 || strlen(colon + 1) >= MAX_PORT)
        return false;
    size_t len = (size_t)(colon - endpoint);
    bool bracketed = endpoint[0] == '[' && endpoint[len - 1] == ']';
    const char *host = bracketed ? endpoint + 1 : endpoint;
    len = bracketed ? len - 2 : len;
    if (len == 0 || len >= MAX_HOST || strspn(colon + 1, "0123456789") != strlen(colon + 1))
        return false;
    memcpy(out->host, host, len);
    out->host[len] = 0;
    (void)snprintf(out->port, sizeof(out->port), "%s", colon + 1);
    return true;
}

/* 0, or errno. */
static int connect_to(const struct addrinfo *address, int64_t wait_ms)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int failed = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ? 0 : errno;
    if (failed == EINPROGRESS) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof(failed);
        if (poll(&ready, 1, (int)wait_ms) <= 0)
            failed = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
            failed = errno;
    }
    (void)close(fd);
    return failed;
}

static const char *address_text(struct lb_doctor *doctor, const struct addrinfo *address)
{
    char host[NI_MAXHOST];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof(host), NULL, 0,
                    NI_NUMERICHOST) != 0)
        return "?";
    return lb_doctor_text(doctor, "%s", host);
}

static bool connect_any(struct lb_doctor *doctor, const char *about, const struct lookup *lookup,
                        enum lb_doctor_state grave)
{
    int failed = EHOSTUNREACH;
    const struct addrinfo *at = lookup->found, *last = at;
    for (size_t i = 0; at != NULL && failed != 0 && i < MAX_TRIED; at = at->ai_next, i++) {
        last = at;
        failed = connect_to(at, doctor->times.connect_ms);
    }
    const char *where =
        lb_doctor_text(doctor, "%s (%s) port %s", lookup->host,
                       last == NULL ? "?" : address_text(doctor, last), lookup->port);
    if (failed == 0) {
        lb_doctor_good(doctor, "port", about, where);
        return true;
    }
    const struct lb_doctor_advice *advice = failed == ECONNREFUSED ? &refused
                                            : failed == ETIMEDOUT  ? &blocked
                                                                   : &no_route;
    lb_doctor_find(doctor, grave, "port", about, advice, where);
    return false;
}

static bool is_numeric(const char *host)
{
    struct in6_addr address;
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static bool resolved(struct lb_doctor *doctor, const char *about, const struct lookup *lookup,
                     enum lb_doctor_state grave)
{
    if (lookup->failed != 0) {
        lb_doctor_find(doctor, grave, "dns", about, &no_name,
                       lb_doctor_text(doctor, "%s: %s", lookup->host,
                                      gai_strerror(lookup->failed)));
        return false;
    }
    if (!is_numeric(lookup->host))
        lb_doctor_good(doctor, "dns", about,
                       lb_doctor_text(doctor, "%s: %s", lookup->host,
                                      address_text(doctor, lookup->found)));
    return true;
}

bool lb_doctor_reach(struct lb_doctor *doctor, const char *about, const char *endpoint,
                     enum lb_doctor_state grave)
{
    struct lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL || !split(endpoint, lookup)) {
        free(lookup);
        lb_doctor_find(doctor, grave, "dns", about, &bad_endpoint, endpoint);
        return false;
    }
    if (!lb_doctor_within(doctor->times.dns_ms, resolve, lookup, release_lookup)) {
        lb_doctor_find(doctor, grave, "dns", about, &slow_dns, endpoint);
        return false;
    }
    bool reached = resolved(doctor, about, lookup, grave) &&
                   connect_any(doctor, about, lookup, grave);
    release_lookup(lookup);
    return reached;
}
