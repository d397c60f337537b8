#ifndef GATEWAY_EVIDENCE_SPACE_H
#define GATEWAY_EVIDENCE_SPACE_H

#include <limits.h>

#include "gateway/evidence/disk.h"
#include "gateway/evidence/leaf.h"

/*
 * How much a log may still write, and what for.
 *
 *   roomy                  everything
 *   low   (alert mark)     everything that somebody signed for: refusals before any signature was
 *                          verified wait in memory, since what is left is for releases
 *   full  (stop mark)      nothing that releases or begins a release; what ends one, refuses,
 *                          takes back or administers goes on
 *   spent (reserve mark)   what takes back or administers, from the reserve that is given up then
 *
 * A level is left upwards only when an eighth more than its mark is free, so that a disk at a mark
 * does not flicker. For one thread.
 */
enum lb_space_level { LB_SPACE_ROOMY, LB_SPACE_LOW, LB_SPACE_FULL, LB_SPACE_SPENT };

struct lb_space {
    const struct lb_disk *disk;
    struct lb_disk_marks marks;
    const char *folder;          /* borrowed */
    char reserve[PATH_MAX];      /* the file's path */
    bool asked_reserve;          /* since it was last given up */
    struct lb_disk_space now;
    enum lb_space_level level;
};

/* lb_space_init takes the marks, or the defaults when they are zero, and looks for the first time.
 * The reserve is made when there is room for it. FILE_FAILED; CONFIG_INVALID for marks that can't
 * hold. */
LB_MUST lb_status lb_space_init(struct lb_space *space, const char *folder,
                                const struct lb_disk_marks *marks, const struct lb_disk *disk);
/* lb_space_look looks again and sets level and now. FILE_FAILED. */
LB_MUST lb_status lb_space_look(struct lb_space *space);
/* lb_space_permits says whether an entry with this leaf may be written at a level. */
bool lb_space_permits(enum lb_space_level level, const struct lb_leaf *leaf);

#endif
