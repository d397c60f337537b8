#ifndef GATEWAY_MAINS_NOTIFY_H
#define GATEWAY_MAINS_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the service manager is told (sd_notify(3)): that the node serves, that it stops, and, while
 * WATCHDOG_USEC is set, that it still gets on with its work. Datagrams to $NOTIFY_SOCKET; without
 * it nothing is sent and nothing else changes.
 */
struct lb_notify {
    int fd;                /* -1: nobody listens */
    int64_t feed_every_ms; /* 0: no watchdog */
    int64_t fed_ms;        /* monotonic */
    bool work;             /* the parts that have got on since it was fed */
    bool calls;
};

/* lb_notify_open connects to the socket that the environment names, an absolute path or, with @,
 * an abstract one. A name that is no socket's counts as none: a node serves whoever started it. */
void lb_notify_open(struct lb_notify *notify);
/* lb_notify_close closes it. */
void lb_notify_close(struct lb_notify *notify);

/* lb_notify_ready says that the node serves, lb_notify_stopping that it stops. Never block. */
void lb_notify_ready(const struct lb_notify *notify);
void lb_notify_stopping(const struct lb_notify *notify);

/* lb_notify_progress feeds the watchdog, at most as often as half its time asks for, and only once
 * both have moved since it was fed: `work` the log's sequencer, `calls` every thread that answers
 * calls. Whoever hangs is therefore started anew, however well the main loop goes round. */
void lb_notify_progress(struct lb_notify *notify, int64_t now_ms, bool work, bool calls);

#endif
