#ifndef GATEWAY_TRUST_SEAL_FILES_H
#define GATEWAY_TRUST_SEAL_FILES_H

#include <limits.h>

#include "gateway/trust/belief.h"
#include "gateway/trust/seal_ring.h"

/* Inside gateway/trust: sealing keys as files. */

struct lb_ring_key {
    struct lb_own_key own;
    char path[PATH_MAX];  /* "" for one that lies in memory only */
    int64_t not_after;    /* 0: nobody has said yet */
    int listed_ticks;     /* how often it was seen in the directory */
    bool told;            /* that it cannot be destroyed */
};

/* The key files of a folder, as last seen. */
struct lb_seal_folder {
    struct lb_file_stamp stamp;
    size_t num;
    char ids[LB_SEAL_RING_MAX][LB_MAX_NAME_BYTES + 1];
    char paths[LB_SEAL_RING_MAX][PATH_MAX];
};

/* lb_seal_file_exists says whether a key file is there. */
bool lb_seal_file_exists(const char *path);
/* lb_seal_file_load reads a key, and its end from the entry beside it (`<id>.json`, if there is
 * one). FILE_FAILED, MALFORMED. */
LB_MUST lb_status lb_seal_file_load(const struct lb_seal_file *file, struct lb_ring_key *out);

/* lb_seal_folder_read lists `<id>.key`; NULL is an empty folder. CONFIG_INVALID with a sentence for
 * one that is missing, open to others or has too many. */
LB_MUST lb_status lb_seal_folder_read(const char *folder, struct lb_seal_folder *out,
                                      struct lb_diag *diag);
/* lb_seal_folder_changed reads it again if anything in it changed. */
LB_MUST lb_status lb_seal_folder_changed(const char *folder, struct lb_seal_folder *seen,
                                         bool *out_changed);
/* lb_seal_folder_ends reads the entries beside the keys again: an end that came nearer counts. */
void lb_seal_folder_ends(struct lb_ring_key *keys, size_t num);

#endif
