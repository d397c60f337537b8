#ifndef GATEWAY_EVIDENCE_WATCHED_H
#define GATEWAY_EVIDENCE_WATCHED_H

#include <limits.h>
#include <sys/types.h>

#include "gateway/base/status.h"

/*
 * The files of a log, by what they are and not only by their names: a process goes on writing into
 * a file that somebody removed or replaced, and nobody would ever read it.
 */
#define LB_WATCHED_FILES 5

struct lb_watched {
    size_t num;
    struct lb_watched_file {
        char path[PATH_MAX];
        dev_t device;
        ino_t number;
    } files[LB_WATCHED_FILES];
};

/* lb_watched_note takes down what the files of an open log in this folder are: the database with
 * its -wal and -shm, ratchet and lock. FILE_FAILED when one is missing. */
LB_MUST lb_status lb_watched_note(struct lb_watched *watched, const char *folder);
/* lb_watched_check says whether they still are: FILE_FAILED for one that is gone, replaced or in a
 * folder that was. Any thread. */
LB_MUST lb_status lb_watched_check(const struct lb_watched *watched);

#endif
