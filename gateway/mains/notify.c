#include "gateway/mains/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_WATCHDOG_USEC UINT64_C(86400000000)

static void say(const struct lb_notify *notify, const char *text)
{
    /* Whoever does not read has lost the message; the node's work does not wait for it. */
    if (notify->fd >= 0)
        (void)!send(notify->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = name == NULL ? 0 : strlen(name);
    if (len < 2 || len >= sizeof(address.sun_path) || (name[0] != '/' && name[0] != '@'))
        return -1;
    memcpy(address.sun_path, name, len + 1);
    if (name[0] == '@')
        address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

/* The manager's own unit and spelling; whatever is no such number is no watchdog. */
static int64_t feeding_time(const char *usec, const char *pid)
{
    char *end = NULL;
    if (pid != NULL && strtoull(pid, &end, 10) != (unsigned long long)getpid())
        return 0;
    if (usec == NULL || usec[0] < '0' || usec[0] > '9')
        return 0;
    unsigned long long value = strtoull(usec, &end, 10);
    if (*end != 0 || value == 0 || value > MAX_WATCHDOG_USEC)
        return 0;
    int64_t half = (int64_t)(value / 2000);
    return half > 0 ? half : 1;
}

void lb_notify_open(struct lb_notify *notify)
{
    *notify = (struct lb_notify){.fd = connect_to(getenv("NOTIFY_SOCKET"))};
    if (notify->fd >= 0)
        notify->feed_every_ms = feeding_time(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
}

void lb_notify_close(struct lb_notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    notify->fd = -1;
}

void lb_notify_ready(const struct lb_notify *notify)
{
    say(notify, "READY=1\nSTATUS=serving");
}

void lb_notify_stopping(const struct lb_notify *notify)
{
    say(notify, "STOPPING=1\nSTATUS=stopping");
}

void lb_notify_progress(struct lb_notify *notify, int64_t now_ms, bool work, bool calls)
{
    notify->work |= work;
    notify->calls |= calls;
    if (notify->feed_every_ms == 0 || !notify->work || !notify->calls ||
        now_ms - notify->fed_ms < notify->feed_every_ms)
        return;
    say(notify, "WATCHDOG=1");
    notify->fed_ms = now_ms;
    notify->work = false;
    notify->calls = false;
}
