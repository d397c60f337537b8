#ifndef GATEWAY_EVIDENCE_DISK_H
#define GATEWAY_EVIDENCE_DISK_H

#include <stdint.h>

#include "gateway/base/status.h"

/*
 * What is left of the file system a log lives on. A log gets a disk passed in, as it gets a clock,
 * so that a test can fill it.
 */
struct lb_disk_space {
    uint64_t free_bytes;  /* for this user */
    bool read_only;       /* mounted so, or turned so by an error */
};

struct lb_disk {
    /* look says how things stand now. FILE_FAILED when the folder can't be looked at. */
    lb_status (*look)(const struct lb_disk *disk, const char *folder, struct lb_disk_space *out);
};

/* lb_disk_system is the machine's own. */
const struct lb_disk *lb_disk_system(void);

/* Where a log stops. All zero stands for the defaults below. */
struct lb_disk_marks {
    uint64_t alert_bytes;    /* less than this is left: alert */
    uint64_t stop_bytes;     /* less: nothing is released any more */
    uint64_t reserve_bytes;  /* kept in a file of its own for the entries of a node that stops, and
                                given up when less than this is left; 0 for none */
};
#define LB_DISK_ALERT_BYTES (UINT64_C(1024) * 1024 * 1024)
#define LB_DISK_STOP_BYTES (UINT64_C(128) * 1024 * 1024)
#define LB_DISK_RESERVE_BYTES (UINT64_C(8) * 1024 * 1024)
/* Between the stop mark and the end of the disk the entries under way find their place. */
#define LB_DISK_STOP_PER_RESERVE 4

/* lb_disk_marks_check says whether marks can hold: CONFIG_INVALID unless the alert mark is at or
 * above the stop mark, and that at least LB_DISK_STOP_PER_RESERVE times the reserve and not 0. */
LB_MUST lb_status lb_disk_marks_check(const struct lb_disk_marks *marks);

#endif
